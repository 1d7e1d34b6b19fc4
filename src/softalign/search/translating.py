"""From words to words: search with a model that knows its vocabularies.

Page: 05_encoder_decoder/search
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tqdm import tqdm

from softalign.interfaces import Stepper
from softalign.search.beams import beam
from softalign.search.hypotheses import Hypothesis
from softalign.search.one_path import greedy


class Translation(NamedTuple):
    """What `translate` found for a sentence.

    Attributes
    ----------
    words : list of str
        Without boundary symbols.
    log_prob : float
        Natural logarithm of its probability under the model.
    finished : bool
        False: no end symbol came before the length limit, and the translation is a piece.

    Page: 05_encoder_decoder/search
    """

    words: list[str]
    log_prob: float
    finished: bool


def translate(
    model: Stepper,
    sentences: Sequence[Sequence[str]],
    *,
    size: int = 1,
    alpha: float = 1.0,
    max_length: Callable[[int], int] = lambda words: 2 * words + 10,
    batch_size: int = 64,
    progress: bool = False,
) -> list[Translation]:
    """Translate sentences with a model that knows its vocabularies.

    Parameters
    ----------
    model : Stepper with ``src_vocab`` and ``tgt_vocab``
        Two `softalign.text.Vocabulary`. Sources are given to ``model.start`` as their words' ids
        and the end symbol.
    sentences : sequence of sequences of str
        Source words, without boundary symbols.
    size : int
        Beam size; 1 is greedy search.
    alpha : float
        Length exponent of the beam.
    max_length : callable
        From the number of source words to the largest number of target tokens.
    batch_size : int
        Sentences at a time, those of like length together. The translations do not depend on it.
    progress : bool
        Show a bar.

    Returns
    -------
    list of Translation
        In the order of the sentences. A finished hypothesis is preferred to one that was cut off;
        where there is none, ``finished`` is False.

    Page: 05_encoder_decoder/search
    """
    found: list = [None] * len(sentences)
    order = sorted(range(len(sentences)), key=lambda number: (-len(sentences[number]), number))
    with tqdm(total=len(sentences), disable=not progress, unit="sentence", leave=False) as bar:
        for first in range(0, len(order), batch_size):
            numbers = order[first : first + batch_size]
            sources = [model.src_vocab.encode(sentences[n], eos=True) for n in numbers]
            limits = [max_length(len(sentences[n])) for n in numbers]
            for number, best in zip(
                numbers, _best(model, sources, limits, size, alpha), strict=True
            ):
                words = model.tgt_vocab.decode(best.ids)
                found[number] = Translation(words, best.log_prob, best.finished)
            bar.update(len(numbers))
    return found


def _best(
    model: Stepper, sources: Sequence[Sequence[int]], limits: list[int], size: int, alpha: float
) -> list[Hypothesis]:
    """The best hypothesis of each source, a finished one where there is any among the `size`."""
    if size == 1:
        return greedy(model, sources, max_length=limits)
    options = {"size": size, "alpha": alpha}
    best = [found[0] for found in beam(model, sources, max_length=limits, **options)]
    cut = [number for number, hypothesis in enumerate(best) if not hypothesis.finished]
    again = beam(
        model,
        [sources[number] for number in cut],
        max_length=[limits[number] for number in cut],
        n_best=size,
        **options,
    )
    for number, found in zip(cut, again, strict=True):
        best[number] = next((h for h in found if h.finished), found[0])
    return best
