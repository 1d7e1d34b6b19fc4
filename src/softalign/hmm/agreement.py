"""Two HMMs, one for each direction, that learn from the links on which they agree.

Liang, Taskar and Klein (2006), "Alignment by agreement", NAACL, 104-111, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from tqdm import tqdm

from softalign.hmm.jumps import best_jump, merge
from softalign.hmm.model import HMM, e_step_hmm, level_jump
from softalign.ibm import Bitext, Chunk, LexicalTable, Link, links_of, normalise, starting_table

__all__ = ["agreed_links", "agreement", "crossing", "train_by_agreement"]


def train_by_agreement(
    forward: Bitext,
    backward: Bitext,
    iterations: int = 5,
    *,
    start: tuple[LexicalTable | None, LexicalTable | None] = (None, None),
    null_prob: float = 0.3,
    smoothing: float = 1e-3,
    progress: bool = False,
) -> tuple[HMM, HMM]:
    r"""Train an HMM for each direction, both on the product of their posteriors.

    The expected count of a link is :math:`P(a_j=i)\,P(b_i=j)`: a link counts if both directions
    find it. It is not expectation maximisation, and no likelihood is promised to rise.

    Parameters
    ----------
    forward, backward : Bitext
        ``index(pairs)`` and ``index(pairs, reverse=True)`` of the same pairs.
    iterations : int
    start : two of LexicalTable
        Tables of two Models 1, one for each direction; by default `uniform`.
    null_prob : float
        Probability of NULL, between 0 and 1. This default, and that of the threshold of
        `agreed_links`, have the lowest error rate on the validation pairs of the running corpus.
    smoothing : float
        Added to every expected count, at least 0: without it the product lets rare words fall to
        whatever they met first.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    forward, backward : HMM

    Raises
    ------
    ValueError
        The bitexts are not the two directions of the same pairs, or a number is out of range.

    Examples
    --------
    >>> from softalign.ibm import index
    >>> pairs = [(["a", "b"], ["A", "B"]), (["b", "c"], ["B", "C"])]
    >>> forward, backward = index(pairs), index(pairs, reverse=True)
    >>> models = train_by_agreement(forward, backward)
    >>> [sorted(links) for links in agreed_links(models, (forward, backward))]
    [[(0, 0), (1, 1)], [(0, 0), (1, 1)]]

    Page: 01_smt/word_alignment
    """
    if not 0 < null_prob < 1:
        raise ValueError(f"null_prob is {null_prob}, expected a number between 0 and 1")
    if smoothing < 0:
        raise ValueError(f"smoothing is {smoothing}, expected a number of 0 or more")
    sides = (forward, backward)
    _check(sides)
    tables = [starting_table(side, table) for table, side in zip(start, sides, strict=True)]
    models = [HMM(table, level_jump(), null_prob) for table in tables]
    rooms = [side.room() for side in sides]
    for _ in tqdm(range(iterations), "agreement", disable=not progress or None):
        counts = [np.full(len(side.given), smoothing) for side in sides]
        expected: list[list] = [[], []]
        totals = [0.0, 0.0]
        for chunks in zip(forward.chunks, backward.chunks, strict=True):
            posteriors = []
            for k, chunk in enumerate(chunks):
                model = models[k]
                posterior, total, jumps = e_step_hmm(
                    chunk, model.table.probs, model.jump, null_prob, rooms[k]
                )
                posteriors.append(posterior)
                expected[k].append(jumps)
                totals[k] += total
            real, place = crossing(*chunks)
            agreed = posteriors[0][real] * posteriors[1][place]
            posteriors[0][real] = posteriors[1][place] = agreed
            for k, chunk in enumerate(chunks):
                chunk.add_to(counts[k], posteriors[k])
        models = [
            HMM(
                LexicalTable(sides[k], normalise(sides[k], counts[k])),
                best_jump(merge(expected[k]), models[k].jump),
                null_prob,
                (*models[k].log_likelihoods, totals[k]),
            )
            for k in (0, 1)
        ]
    return models[0], models[1]


def agreement(
    models: tuple[HMM, HMM],
    source: tuple[str, ...] | list[str],
    target: tuple[str, ...] | list[str],
) -> Float[np.ndarray, "tgt src"]:
    r"""How far both directions believe in each link: :math:`\sqrt{P(a_j=i)\,P(b_i=j)}`.

    Page: 01_smt/word_alignment
    """
    there = models[0].posterior(source, target)[:, 1:]
    back = models[1].posterior(target, source)[:, 1:]
    return np.sqrt(there * back.T)


def agreed_links(
    models: tuple[HMM, HMM], bitexts: tuple[Bitext, Bitext], threshold: float = 0.3
) -> list[frozenset[Link]]:
    r"""Links in which both directions believe: :math:`\sqrt{P(a_j=i)\,P(b_i=j)}>` threshold.

    Parameters
    ----------
    models, bitexts
        Forward and backward, as for `train_by_agreement`.
    threshold : float
        Between 0 and 1: lower finds more links, higher surer ones.

    Returns
    -------
    list of frozenset of (i, j)
        One set for each pair.

    Page: 01_smt/word_alignment
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}, expected a number from 0 to below 1")
    _check(bitexts)

    def found() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        rooms = [bitext.room() for bitext in bitexts]
        for chunks in zip(bitexts[0].chunks, bitexts[1].chunks, strict=True):
            there, back = (
                e_step_hmm(chunk, model.table.probs, model.jump, model.null_prob, room)[0]
                for chunk, model, room in zip(chunks, models, rooms, strict=True)
            )
            real, place = crossing(*chunks)
            there[real] *= back[place]
            for group in chunks[0].groups:
                i, column = np.nonzero(group.block(there)[1:] > threshold**2)
                sentence = group.of_columns(chunks[0].sentence)[column]
                yield sentence, i, group.of_columns(chunks[0].position)[column]

    return links_of(bitexts[0], found())


def crossing(
    forward: Chunk, backward: Chunk
) -> tuple[Bool[np.ndarray, " cells"], Int[np.ndarray, " real"]]:
    """Find every link of a chunk in the other direction.

    Returns
    -------
    real : bool array of shape (cells of forward,)
        True for the cells of `forward` that are not NULL's.
    place : int array
        For each of these, in order, the same link's cell in `backward`.

    Page: 01_smt/word_alignment
    """
    sentences, first = np.unique(forward.sentence, return_index=True)
    targets = forward.length[first].astype(np.int64)
    sources = backward.length[np.unique(backward.sentence, return_index=True)[1]]
    base = np.cumsum(sources * targets) - sources * targets

    def number(chunk: Chunk, source_is_given: bool) -> tuple[np.ndarray, np.ndarray]:
        """Of each cell: whether it is real, and (of the real ones) a number for its link."""
        real, numbers = np.ones(len(chunk.cells), bool), []
        for group in chunk.groups:
            group.block(real)[0] = False
            sentence = np.searchsorted(sentences, group.of_columns(chunk.sentence))
            given, generated = np.arange(group.given)[:, None], group.of_columns(chunk.position)
            i, j = (given, generated) if source_is_given else (generated, given)
            numbers.append((base[sentence] + i * targets[sentence] + j).ravel())
        return real, np.concatenate(numbers)

    real, there = number(forward, True)
    real_back, back = number(backward, False)
    place = np.empty(len(back), np.int64)
    place[back] = np.flatnonzero(real_back)
    return real, place[there]


def _check(sides: tuple[Bitext, Bitext]) -> None:
    forward, backward = sides
    same = (len(forward), forward.given_words, forward.generated_words) == (
        len(backward),
        backward.generated_words,
        backward.given_words,
    )
    if forward.reverse or not backward.reverse or not same:
        raise ValueError(
            "expected index(pairs) and index(pairs, reverse=True) of the same pairs, in this order"
        )
