"""Word links for a parallel corpus in one call: index, train, and read off the links."""

from __future__ import annotations

from collections.abc import Sequence

from softalign.hmm import agreed_links, train_by_agreement, train_hmm
from softalign.ibm import Link, check_pairs, index, train_ibm1, train_ibm2, viterbi_links
from softalign.symmetrise import METHODS

__all__ = ["MODELS", "align", "usable"]

MODELS = ("ibm1", "ibm2", "hmm", "agreement")
MAX_WORDS = 200

Words = Sequence[str]


def usable(source: Words, target: Words, max_words: int = MAX_WORDS) -> bool:
    """Whether a pair can be aligned: neither side empty, neither longer than `max_words`.

    Page: 01_smt/word_alignment
    """
    return 0 < len(source) <= max_words and 0 < len(target) <= max_words


def align(
    pairs: Sequence[tuple[Words, Words]],
    *,
    model: str = "agreement",
    symmetrise: str = "grow-diag-final-and",
    iterations: int = 5,
    threshold: float = 0.3,
    max_words: int = MAX_WORDS,
    progress: bool = False,
) -> list[frozenset[Link]]:
    r"""Align the words of sentence pairs, learning from these pairs alone.

    Parameters
    ----------
    pairs : sequence of (source words, target words)
    model : {"agreement", "hmm", "ibm2", "ibm1"}
        "agreement", the most accurate, trains an HMM in both directions on the links that they
        share. The others train the two directions apart; "ibm2" and "hmm" start from a Model 1.
    symmetrise : {"grow-diag-final-and", "intersection", "union"}
        How to join the two directions; without effect on "agreement", which takes the links with
        :math:`\sqrt{P(a_j=i)\,P(b_i=j)}>` `threshold`.
    iterations : int
        Of each training, at least 1: with "hmm", 5 of Model 1 and then 5 of the HMM.
    threshold : float
        Of "agreement", from 0 to below 1: lower finds more links, higher surer ones.
    max_words : int
        A pair with a longer side is not used: the memory of a pair is the product of its lengths.
    progress : bool
        Show bars on standard error.

    Returns
    -------
    list of frozenset of (i, j)
        One set for each pair, in order, positions from 0, source first; empty for a pair that
        is not `usable`.

    Raises
    ------
    ValueError
        Unknown model or symmetrisation, or a number out of range.
    TypeError
        A side is one string instead of a sequence of words.

    Notes
    -----
    Memory is about 20 bytes for every pair of a source and a target word of one sentence pair,
    and for "agreement", which needs both directions at once, 40.

    Examples
    --------
    >>> links = align([(["书"], ["book"]), (["看", "书"], ["read", "book"]), ([], ["lost"])])
    >>> [sorted(pair) for pair in links]
    [[(0, 0)], [(0, 0), (1, 1)], []]

    Page: 01_smt/word_alignment
    """
    if model not in MODELS:
        raise ValueError(f"model is {model!r}, expected one of {', '.join(MODELS)}")
    if symmetrise not in METHODS:
        raise ValueError(f"symmetrise is {symmetrise!r}, expected one of {', '.join(METHODS)}")
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}, expected 1 or more")
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}, expected a number from 0 to below 1")
    check_pairs(pairs)
    kept = [k for k, pair in enumerate(pairs) if usable(*pair, max_words=max_words)]
    found = _align_usable(
        [pairs[k] for k in kept], model, symmetrise, iterations, threshold, progress
    )
    links: list[frozenset[Link]] = [frozenset()] * len(pairs)
    for k, pair_links in zip(kept, found, strict=True):
        links[k] = pair_links
    return links


def _align_usable(
    pairs: Sequence[tuple[Words, Words]],
    model: str,
    symmetrise: str,
    iterations: int,
    threshold: float,
    progress: bool,
) -> list[frozenset[Link]]:
    if model == "agreement":
        bitexts = index(pairs), index(pairs, reverse=True)
        starts = tuple(
            train_ibm1(bitext, iterations, progress=progress).table for bitext in bitexts
        )
        models = train_by_agreement(*bitexts, iterations, start=starts, progress=progress)
        del starts
        return agreed_links(models, bitexts, threshold)
    there, back = (
        _one_direction(pairs, model, iterations, reverse, progress) for reverse in (False, True)
    )
    join = METHODS[symmetrise]
    return [join(a, b) for a, b in zip(there, back, strict=True)]


def _one_direction(
    pairs: Sequence[tuple[Words, Words]],
    model: str,
    iterations: int,
    reverse: bool,
    progress: bool,
) -> list[frozenset[Link]]:
    bitext = index(pairs, reverse=reverse)
    trained = train_ibm1(bitext, iterations, progress=progress)
    if model == "ibm2":
        trained = train_ibm2(bitext, iterations, start=trained.table, progress=progress)
    elif model == "hmm":
        trained = train_hmm(bitext, iterations, start=trained.table, progress=progress)
    return viterbi_links(trained, bitext)
