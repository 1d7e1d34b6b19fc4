"""How well the words of one phrase explain those of another."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

__all__ = ["NULL", "lexical_table", "lexical_weight", "word_weights"]

NULL = "NULL"

Words = Sequence[str]
Links = Iterable[tuple[int, int]]


def lexical_table(
    pairs: Sequence[tuple[Words, Words]], links: Sequence[Links]
) -> dict[str, dict[str, float]]:
    r"""Estimate :math:`\theta(y \mid x)` by counting links: relative frequencies, row by row.

    A target word without a link is counted in the row of NULL. For the other direction, give the
    sides and the two positions of each link in the other order.

    Parameters
    ----------
    pairs : sequence of (source words, target words)
    links : sequence of iterables of (int, int)
        For each pair, source and target position.

    Returns
    -------
    dict from source word to dict from target word to float
        Each row sums to 1.

    Notes
    -----
    Koehn, Och and Marcu (2003), NAACL, section 3.3.

    Examples
    --------
    >>> lexical_table([(["ein", "Hund"], ["a", "dog", "!"])], [{(0, 0), (1, 1)}])
    {'ein': {'a': 1.0}, 'Hund': {'dog': 1.0}, 'NULL': {'!': 1.0}}

    Page: 01_smt/decoding
    """
    counts: dict[str, Counter] = defaultdict(Counter)
    for (source, target), found in zip(pairs, links, strict=True):
        for i, j in sorted(found):
            counts[source[i]][target[j]] += 1
        linked = {j for _, j in found}
        for j, word in enumerate(target):
            if j not in linked:
                counts[NULL][word] += 1
    return {x: {y: n / row.total() for y, n in row.items()} for x, row in counts.items()}


def lexical_weight(
    source: Words, target: Words, links: Links, table: Mapping[str, Mapping[str, float]]
) -> float:
    r"""Lexical weight of a target phrase, given the source phrase and the links between them.

    .. math:: \operatorname{lex}(\bar y\mid\bar x)=\prod_j\ \frac{1}{|\{i:(i,j)\in\mathcal A\}|}
       \sum_{i:(i,j)\in\mathcal A}\theta(y_j\mid x_i)

    A target word without a link counts as linked to NULL.

    Parameters
    ----------
    source, target : sequence of str
        The words of the two phrases.
    links : iterable of (int, int)
        Positions inside the phrases.
    table : mapping from source word to mapping from target word to float
        From `lexical_table`.

    Returns
    -------
    float
        Natural logarithm of the weight; ``-inf`` if a word pair is not in the table.

    Notes
    -----
    Koehn, Och and Marcu (2003), "Statistical phrase-based translation", NAACL, pages 48-54,
    section 3.3.

    Examples
    --------
    >>> table = {"zum": {"to": 0.5, "the": 0.25}, "Haus": {"house": 1.0}}
    >>> links = {(0, 0), (0, 1), (1, 2)}
    >>> found = lexical_weight(["zum", "Haus"], ["to", "the", "house"], links, table)
    >>> round(math.exp(found), 6)
    0.125

    Page: 01_smt/decoding
    """
    total = 0.0
    for j, word in enumerate(target):
        given = [source[i] for i, k in sorted(links) if k == j] or [NULL]
        weight = sum(table.get(x, {}).get(word, 0.0) for x in given) / len(given)
        total += math.log(weight) if weight > 0 else -math.inf
    return total


def word_weights(
    given: Int[np.ndarray, "given_tokens"],
    made: Int[np.ndarray, "made_tokens"],
    given_place: Int[np.ndarray, "links"],
    made_place: Int[np.ndarray, "links"],
) -> Float[np.ndarray, "made_tokens"]:
    """Logarithm of the factor that each word of a corpus adds to a lexical weight.

    A phrase pair holds all links of its words, so a word's factor is the same in every phrase.

    Parameters
    ----------
    given, made : int arrays [tokens]
        Numbers of the words of the side behind the bar, and of the other.
    given_place, made_place : int arrays [links]
        The links, as positions in the two arrays.

    Page: 01_smt/decoding
    """
    size = int(made.max(initial=-1)) + 1
    null = int(given.max(initial=-1)) + 1
    partners = np.bincount(made_place, minlength=len(made))
    free = np.flatnonzero(partners == 0)
    rows = np.concatenate([given[given_place], np.full(len(free), null)])
    place = np.concatenate([made_place, free])
    keys, inverse, counts = np.unique(
        rows * size + made[place], return_inverse=True, return_counts=True
    )
    totals = np.bincount(keys // size, counts, minlength=null + 1)
    theta = (counts / totals[keys // size])[inverse]
    return np.log(np.bincount(place, theta, minlength=len(made)) / np.maximum(partners, 1))
