"""From sentences to counted n-grams.

All sentences become one array of numbers, ``<s>`` and ``</s>`` included, and the n-grams of each
length become the rows of one table. An n-gram is found by one integer, made of the row of its
*suffix* (itself without its first word) and its first word: words are added in front, so the row
numbers of all the n-grams that end at a token are found one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Bool, Int

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2

Sentences = Sequence[Sequence[str]]


@dataclass(frozen=True, eq=False)
class NGrams:
    """The distinct n-grams of one length, row by row.

    Attributes
    ----------
    keys : int array [rows]
        ``row of the suffix * vocabulary size + number of the first word``, ascending.
    suffix : int array [rows]
        Row of the n-gram without its first word, in the table one length below.
    context : int array [rows]
        Row of the n-gram without its last word, in the table one length below.
    counts : int array [rows]
        How often the n-gram's last word was predicted after its context.
    begins : bool array [rows]
        Whether the n-gram begins with ``<s>``.

    Page: 01_smt/language_model
    """

    keys: Int[np.ndarray, "rows"]
    suffix: Int[np.ndarray, "rows"]
    context: Int[np.ndarray, "rows"]
    counts: Int[np.ndarray, "rows"]
    begins: Bool[np.ndarray, "rows"]


def vocabulary(sentences: Sentences, min_count: int = 1) -> tuple[str, ...]:
    """Give the words that occur at least `min_count` times, after the three special symbols.

    Order: ``<unk>``, ``<s>``, ``</s>``, then by first appearance.

    Examples
    --------
    >>> vocabulary([["a", "dog"], ["a", "cat"]], min_count=2)
    ('<unk>', '<s>', '</s>', 'a')

    Page: 01_smt/language_model
    """
    seen = Counter(chain.from_iterable(sentences))
    return with_symbols(word for word, count in seen.items() if count >= min_count)


def with_symbols(words: Iterable[str]) -> tuple[str, ...]:
    """Put ``<unk>``, ``<s>`` and ``</s>`` in front of the distinct `words`.

    Page: 01_smt/language_model
    """
    return tuple(dict.fromkeys([UNKNOWN, BEGIN, END, *words]))


def encode(
    sentences: Sentences, numbers: Mapping[str, int]
) -> tuple[Int[np.ndarray, "tokens"], Int[np.ndarray, "tokens"]]:
    """Write all sentences into one array of word numbers.

    Parameters
    ----------
    sentences : sequence of sequences of str
        Words without boundary symbols.
    numbers : mapping from str to int
        The vocabulary; any other word becomes ``<unk>``.

    Returns
    -------
    tokens : int array [tokens]
        ``<s>``, the words and ``</s>`` of each sentence, one sentence after the other.
    position : int array [tokens]
        Place of each token in its sentence; 0 is ``<s>``.

    Raises
    ------
    TypeError
        A sentence is one string.
    ValueError
        A sentence holds a boundary symbol.

    Examples
    --------
    >>> numbers = {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3}
    >>> encode([["a", "dog"]], numbers)
    (array([1, 3, 0, 2]), array([0, 1, 2, 3]))

    Page: 01_smt/language_model
    """
    if isinstance(sentences, str) or any(isinstance(sentence, str) for sentence in sentences):
        raise TypeError("a sentence is one string; split it into a sequence of words")
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences)) + 2
    ends = np.cumsum(lengths)
    size = int(ends[-1]) if len(ends) else 0
    position = np.arange(size) - np.repeat(ends - lengths, lengths)
    tokens = np.full(size, END_ID)
    tokens[position == 0] = BEGIN_ID
    inside = position > 0
    inside[ends - 1] = False
    words = chain.from_iterable(sentences)
    tokens[inside] = np.fromiter((numbers.get(word, UNKNOWN_ID) for word in words), np.int64)
    wrong = np.flatnonzero(inside & ((tokens == BEGIN_ID) | (tokens == END_ID)))
    if len(wrong):
        number = int(np.searchsorted(ends, wrong[0], side="right")) + 1
        raise ValueError(
            f"sentence {number} holds a boundary symbol; the model adds {BEGIN} and {END}"
        )
    return tokens, position


def count_ngrams(
    tokens: Int[np.ndarray, "tokens"], position: Int[np.ndarray, "tokens"], order: int, size: int
) -> list[NGrams]:
    """Count the n-grams of the lengths 1 to `order`.

    Parameters
    ----------
    tokens, position : int array [tokens]
        What `encode` returns.
    order : int
        Longest length.
    size : int
        Size of the vocabulary, special symbols included.

    Returns
    -------
    list of NGrams
        One table for each length. The first has a row for every word of the vocabulary, seen or
        not; the longer ones have a row for each n-gram that occurs.

    Examples
    --------
    >>> tokens, position = encode([["a", "a"], ["a"]], {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3})
    >>> unigrams, bigrams = count_ngrams(tokens, position, 2, 4)
    >>> unigrams.counts.tolist()  # <unk>, <s>, </s>, a: <s> is never predicted
    [0, 0, 2, 3]
    >>> [(int(key) % 4, int(key) // 4) for key in bigrams.keys], bigrams.counts.tolist()
    ([(3, 2), (1, 3), (3, 3)], [2, 2, 1])

    Page: 01_smt/language_model
    """
    words = np.arange(size)
    none = np.zeros(size, np.int64)
    predicted = np.bincount(tokens[position > 0], minlength=size)
    tables = [NGrams(words, none, none, predicted, words == BEGIN_ID)]
    row = tokens
    for length in range(2, order + 1):
        end = np.flatnonzero(position >= length - 1)
        keys, first, inverse, counts = np.unique(
            row[end] * size + tokens[end - length + 1],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        context = row[end[first] - 1]
        tables.append(NGrams(keys, keys // size, context, counts, keys % size == BEGIN_ID))
        row = np.full(len(tokens), -1)
        row[end] = inverse
    return tables
