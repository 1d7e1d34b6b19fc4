"""Which spans of a sentence pair may be translations of each other: for one pair, and for a corpus.

The corpus version does for all spans of all sentences at once what `extract_phrases` does for one:
words have one running number through the corpus, and the smallest and largest partner of a span of
length l come from those of the span of length l - 1 and of one more word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Int

__all__ = ["Side", "extract_all", "extract_phrases", "read_links", "read_side"]

Links = Iterable[tuple[int, int]]
# Larger than any position: the smallest partner of a word that has none.
NOWHERE = np.iinfo(np.int64).max // 2


def extract_phrases(
    links: Links, source_length: int, target_length: int, max_length: int = 7
) -> list[tuple[int, int, int, int]]:
    """Spans of a sentence pair that are consistent with its word links.

    A source span and a target span form a phrase pair if at least one link joins them and no link
    joins a word inside one of them with a word outside the other. Words without a link may stand
    at the borders of a phrase, or not.

    Parameters
    ----------
    links : iterable of (int, int)
        Source position and target position, both from 0.
    source_length, target_length : int
        Number of words.
    max_length : int
        Longest phrase, on either side.

    Returns
    -------
    list of (int, int, int, int)
        First source position, the one after the last, and the same for the target, ascending.

    Raises
    ------
    ValueError
        A link points outside the sentences.

    Notes
    -----
    Och and Ney (2004), "The alignment template approach to statistical machine translation",
    Computational Linguistics 30(4), pages 417-449, section 2.2.

    Examples
    --------
    >>> extract_phrases({(0, 1), (1, 0)}, 2, 2)  # two words that change places
    [(0, 1, 1, 2), (0, 2, 0, 2), (1, 2, 0, 1)]
    >>> extract_phrases({(0, 0)}, 1, 2)  # the second target word has no link
    [(0, 1, 0, 1), (0, 1, 0, 2)]

    Page: 01_smt/decoding
    """
    links = set(links)
    for i, j in links:
        if not (0 <= i < source_length and 0 <= j < target_length):
            raise ValueError(
                f"link {i}-{j} points outside a pair of {source_length} and {target_length} words"
            )
    linked = {j for _, j in links}
    found = []
    for begin in range(source_length):
        for end in range(begin + 1, min(begin + max_length, source_length) + 1):
            partners = [j for i, j in links if begin <= i < end]
            if not partners:
                continue
            low, high = min(partners), max(partners) + 1
            if any(low <= j < high and not begin <= i < end for i, j in links):
                continue
            first = low
            while first >= 0 and (first == low or first not in linked):
                last = high
                while last <= target_length and (last == high or last - 1 not in linked):
                    if last - first <= max_length:
                        found.append((begin, end, first, last))
                    last += 1
                first -= 1
    return sorted(found)


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a corpus, all sentences in one array.

    Attributes
    ----------
    words : tuple of str
        The vocabulary, by first appearance.
    tokens : int array [tokens]
        Number of each word in `words`.
    begin : int array [sentences + 1]
        Where each sentence begins in `tokens`; at last the number of tokens.
    room : int array [tokens]
        How many words of the sentence there are from this one on, itself included.

    Page: 01_smt/decoding
    """

    words: tuple[str, ...]
    tokens: Int[np.ndarray, "tokens"]
    begin: Int[np.ndarray, "ends"]
    room: Int[np.ndarray, "tokens"]


def read_side(sentences: Sequence[Sequence[str]]) -> Side:
    """Number the words of all sentences.

    Examples
    --------
    >>> side = read_side([["a", "dog"], ["a"]])
    >>> side.words, side.tokens.tolist(), side.begin.tolist(), side.room.tolist()
    (('a', 'dog'), [0, 1, 0], [0, 2, 3], [2, 1, 1])

    Page: 01_smt/decoding
    """
    if any(isinstance(sentence, str) for sentence in sentences):
        raise TypeError("a sentence is one string; split it into a sequence of words")
    numbers: dict[str, int] = {}
    tokens = [numbers.setdefault(w, len(numbers)) for w in chain.from_iterable(sentences)]
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    begin = np.concatenate([[0], np.cumsum(lengths)])
    room = np.repeat(begin[1:], lengths) - np.arange(len(tokens))
    return Side(tuple(numbers), np.array(tokens, np.int64), begin, room)


def read_links(
    links: Sequence[Links], source: Side, target: Side
) -> tuple[Int[np.ndarray, "links"], Int[np.ndarray, "links"]]:
    """Write all links as positions in the token arrays of the two sides.

    Raises
    ------
    ValueError
        Numbers of sentences differ, or a link points outside its sentence pair.

    Page: 01_smt/decoding
    """
    n = len(links)
    if not len(source.begin) - 1 == len(target.begin) - 1 == n:
        raise ValueError(f"links for {n} sentence pairs, expected {len(source.begin) - 1}")
    counts = np.fromiter(map(len, links), np.int64, n)
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(links)), np.int64).reshape(-1, 2)
    sentence = np.repeat(np.arange(n), counts)
    lengths = np.stack([np.diff(source.begin), np.diff(target.begin)], axis=1)[sentence]
    wrong = np.flatnonzero(((flat < 0) | (flat >= lengths)).any(axis=1))
    if len(wrong):
        (i, j), (rows, columns) = flat[wrong[0]], lengths[wrong[0]]
        raise ValueError(
            f"link {i}-{j} of sentence pair {sentence[wrong[0]] + 1} points outside "
            f"its {rows} and {columns} words"
        )
    return flat[:, 0] + source.begin[sentence], flat[:, 1] + target.begin[sentence]


def extract_all(
    source: Side,
    target: Side,
    links: tuple[Int[np.ndarray, "links"], Int[np.ndarray, "links"]],
    max_length: int,
) -> Int[np.ndarray, "4 found"]:
    """Do what `extract_phrases` does for all sentence pairs of a corpus.

    Parameters
    ----------
    source, target : Side
        From `read_side`.
    links : two int arrays [links]
        From `read_links`.
    max_length : int
        Longest phrase, on either side.

    Returns
    -------
    int array [4, found]
        First source token, number of source tokens, first target token, number of target tokens.

    Page: 01_smt/decoding
    """
    low, high = _partners(links[0], links[1], len(source.tokens))
    spans_low, spans_high = _widen(*_partners(links[1], links[0], len(target.tokens)), max_length)
    left, right = _free(target, np.bincount(links[1], minlength=len(target.tokens)) == 0)
    begin = np.arange(len(source.tokens))
    found = []
    lows, highs = _widen(low, high, max_length)
    for length in range(1, max_length + 1):
        here = begin[(source.room >= length) & (highs[length - 1] >= 0)]
        first, last = lows[length - 1][here], highs[length - 1][here]
        short = last - first < max_length
        here, first, last = here[short], first[short], last[short]
        inside = spans_low[last - first, first] >= here
        inside &= spans_high[last - first, first] < here + length
        here, first, size = here[inside], first[inside], (last - first + 1)[inside]
        for before in range(max_length):
            for after in range(max_length - before):
                fits = (before <= left[first]) & (after <= right[first + size - 1])
                fits &= size + before + after <= max_length
                rows = here[fits], first[fits] - before, size[fits] + before + after
                found.append(np.stack([rows[0], np.full(len(rows[0]), length), *rows[1:]]))
    return np.concatenate(found, axis=1)


def _partners(own: np.ndarray, other: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest partner of each token; `NOWHERE` and -1 for a token without a link."""
    low, high = np.full(size, NOWHERE), np.full(size, -1)
    np.minimum.at(low, own, other)
    np.maximum.at(high, own, other)
    return low, high


def _widen(
    low: np.ndarray, high: np.ndarray, max_length: int
) -> tuple[Int[np.ndarray, "length tokens"], Int[np.ndarray, "length tokens"]]:
    """Smallest and largest partner of the spans of each length from 1 on, by their first token."""
    lows, highs = [low], [high]
    for length in range(1, max_length):
        pad = min(length, len(low))
        lows.append(np.minimum(lows[-1], np.concatenate([low[length:], np.full(pad, NOWHERE)])))
        highs.append(np.maximum(highs[-1], np.concatenate([high[length:], np.full(pad, -1)])))
    return np.stack(lows), np.stack(highs)


def _free(side: Side, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many tokens without a link stand right before and right after each token."""
    size = len(free)
    place = np.arange(size)
    sentence_begin = np.repeat(side.begin[:-1], np.diff(side.begin))
    linked_before = np.maximum.accumulate(np.where(free, -1, place)) if size else place
    linked_before = np.concatenate([[-1], linked_before[:-1]]) if size else place
    left = place - np.maximum(linked_before + 1, sentence_begin)
    linked_after = np.minimum.accumulate(np.where(free, size, place)[::-1])[::-1]
    linked_after = np.concatenate([linked_after[1:], [size]]) if size else place
    right = np.minimum(linked_after, place + side.room) - place - 1
    return left, right
