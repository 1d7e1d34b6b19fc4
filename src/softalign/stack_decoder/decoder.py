"""The translator, and the tuning of its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from softalign.interfaces import LanguageModel
from softalign.phrases import PhraseTable
from softalign.stack_decoder.model import (
    FEATURES,
    UNTUNED,
    Problem,
    Translation,
    pose,
    weight_vector,
)
from softalign.stack_decoder.n_best import derivations, n_best
from softalign.stack_decoder.search import SearchGraph, search
from softalign.stack_decoder.states import States
from softalign.stack_decoder.tuning import bleu_counts, bleu_of, gather, optimise

__all__ = ["Round", "StackDecoder", "tune"]

Words = Sequence[str]


@dataclass(frozen=True, eq=False)
class StackDecoder:
    """A phrase-based translator; it implements `softalign.interfaces.Translator`.

    Parameters
    ----------
    table : PhraseTable
    language_model : LanguageModel
    weights : mapping from str to float
        One for each name in `FEATURES`.
    beam : int, optional
        How many hypotheses of a stack are expanded; None for all.
    threshold : float
        How much less than the best of its stack a hypothesis may have, in units of the score.
    distortion_limit : int, optional
        Longest jump, in source words; 0 for monotone translation, None for no limit.
    max_options : int
        How many translations of a span are tried.

    Examples
    --------
    >>> from softalign.language_model import train
    >>> from softalign.phrases import build_table
    >>> pairs = [("das kleine Haus".split(), "the small house".split())] * 2
    >>> table = build_table(pairs, [{(0, 0), (1, 1), (2, 2)}] * 2)
    >>> model = train([target for _, target in pairs], order=2, smoothing="add_k")
    >>> StackDecoder(table, model).translate("das kleine Schloss".split())
    ['the', 'small', 'Schloss']

    Page: 01_smt/decoding
    """

    table: PhraseTable
    language_model: LanguageModel
    weights: Mapping[str, float] = field(default_factory=lambda: dict(UNTUNED))
    beam: int | None = 20
    threshold: float = 2.0
    distortion_limit: int | None = 4
    max_options: int = 20

    @cached_property
    def vector(self) -> np.ndarray:
        """The weights in the order of `FEATURES`."""
        return weight_vector(self.weights)

    @cached_property
    def states(self) -> States:
        """States of the language model, and the answers it has given."""
        return States(self.language_model)

    @cached_property
    def _spoken(self) -> dict:
        return {}

    def pose(self, source: Words) -> Problem:
        """Collect the options of a sentence.

        Page: 01_smt/decoding
        """
        return pose(
            source,
            self.table,
            self.states,
            self.vector,
            max_options=self.max_options,
            distortion_limit=self.distortion_limit,
            spoken=self._spoken,
        )

    def search(self, source: Words) -> SearchGraph:
        """Search for the best translation, and keep all hypotheses.

        Page: 01_smt/decoding
        """
        return search(self.pose(source), beam=self.beam, threshold=self.threshold)

    def best(self, source: Words) -> Translation:
        """Return the best translation found, with its phrases, features and score.

        Page: 01_smt/decoding
        """
        return next(derivations(self.search(source)))

    def n_best(self, source: Words, n: int) -> list[Translation]:
        """Return the `n` best different translations found, the best first.

        Page: 01_smt/decoding
        """
        return n_best(self.search(source), n)

    def translate(self, source: Words) -> list[str]:
        """Return the words of the best translation found.

        Page: 01_smt/decoding
        """
        graph = self.search(source)
        return [word for step in graph.stacks[-1][0].steps() for word in step.target]

    def with_weights(self, weights: Mapping[str, float]) -> StackDecoder:
        """Return a translator that differs in its weights, and shares what it knows of the words.

        Page: 01_smt/decoding
        """
        other = replace(self, weights=dict(weights))
        other.__dict__.update(states=self.states, _spoken=self._spoken)
        return other


class Round(NamedTuple):
    """One round of tuning.

    Attributes
    ----------
    bleu : float
        Of the validation sentences, translated with `weights`.
    weights : dict
        The weights the round began with.
    candidates : int
        Different candidates gathered so far.
    expected : float
        BLEU of the best candidates that the next weights choose.
    """

    bleu: float
    weights: dict[str, float]
    candidates: int
    expected: float


def tune(
    decoder: StackDecoder,
    sources: Sequence[Words],
    references: Sequence[Sequence[Words]],
    *,
    rounds: int = 4,
    n: int = 100,
    starts: int = 4,
    seed: int = 0,
    fixed: Iterable[str] = ("copied",),
    progress: bool = True,
) -> tuple[StackDecoder, list[Round]]:
    """Tune the weights by minimum error rate training.

    Each round translates the validation sentences into lists of the n best, adds them to those of
    the rounds before, and finds the weights that would choose the best of all these candidates.

    Parameters
    ----------
    decoder : StackDecoder
        Its weights are the first to be tried.
    sources : sequence of sequences of str
        Validation sentences.
    references : sequence of sequences of sequences of str
        For each sentence its accepted translations.
    rounds, n, starts, seed : int
        How many rounds; candidates of a sentence in each; climbs in each; seed of the climbs.
    fixed : iterable of str
        Features whose weights do not change.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    decoder : StackDecoder
        With the weights, of all that were tried, that translate the validation sentences best; of
        equally good ones the first.
    history : list of Round
        The rounds, and at last a `Round` for the last weights, with nothing expected.

    Raises
    ------
    ValueError
        No sentences, or not as many sets of references.

    Notes
    -----
    Och (2003), "Minimum error rate training in statistical machine translation", ACL, pages
    160-167.

    Page: 01_smt/decoding
    """
    if len(sources) != len(references) or not len(sources):
        raise ValueError(
            f"{len(sources)} sentences and {len(references)} sets of references, expected as many "
            "of both and at least one"
        )
    unknown = set(fixed) - set(FEATURES)
    if unknown:
        raise ValueError(f"there is no feature {sorted(unknown)[0]!r}")
    tunable = [k for k, name in enumerate(FEATURES) if name not in set(fixed)]
    counters = [bleu_counts(accepted) for accepted in references]
    pools: list[dict] = [{} for _ in sources]
    history: list[Round] = []
    for number in range(rounds + 1):
        last = number == rounds
        chosen = _translate(decoder, sources, counters, pools, 1 if last else n, progress, number)
        bleu = float(bleu_of(np.array(chosen).sum(axis=0)))
        size = sum(map(len, pools))
        if last:
            history.append(Round(bleu, dict(decoder.weights), size, 0.0))
            break
        candidates = gather([[(f, counts) for (_, f), counts in pool.items()] for pool in pools])
        vector, expected = optimise(
            candidates, decoder.vector, tunable, starts=starts, seed=seed + number
        )
        history.append(Round(bleu, dict(decoder.weights), size, expected))
        decoder = decoder.with_weights(dict(zip(FEATURES, vector.tolist(), strict=True)))
    best = max(history, key=lambda one: one.bleu)
    return decoder.with_weights(best.weights), history


def _translate(decoder, sources, counters, pools, n, progress, number) -> list[tuple[int, ...]]:
    """Put the n best translations of all sentences into the pools; count for BLEU what is best."""
    from tqdm import tqdm

    chosen = []
    bar = tqdm(sources, desc=f"tuning, round {number}", disable=not progress)
    for source, count, pool in zip(bar, counters, pools, strict=True):
        found = decoder.n_best(source, n)
        for one in found:
            key = one.words, one.features
            if key not in pool:
                pool[key] = count(one.words)
        chosen.append(pool[found[0].words, found[0].features])
    return chosen
