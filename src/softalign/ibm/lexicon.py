r"""The lexical table :math:`\theta`: for every given word, a distribution over generated words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from softalign.ibm.bitext import Bitext

__all__ = ["LexicalTable", "from_rows", "normalise", "starting_table", "uniform"]


@dataclass(frozen=True)
class LexicalTable:
    r"""Probabilities of the word pairs that occur together in one direction of a bitext.

    Attributes
    ----------
    bitext : Bitext
        What the entries mean: entry e is the pair ``given[e]``, ``generated[e]``.
    probs : array of shape (entries,)
        :math:`\theta(\text{generated}\mid\text{given})`; sums to 1 for every given word.

    Examples
    --------
    >>> from softalign.ibm import index, train_ibm1
    >>> table = train_ibm1(index([(["书"], ["book"]), (["书"], ["books"])])).table
    >>> table.row("书")
    {'book': 0.5, 'books': 0.5}

    Page: 01_smt/word_alignment
    """

    bitext: Bitext
    probs: Float[np.ndarray, " entries"]

    @cached_property
    def _given_ids(self) -> dict[str | None, int]:
        words = self.bitext.given_words
        return {None: 0, **{word: k for k, word in enumerate(words, 1)}}

    @cached_property
    def _generated_ids(self) -> dict[str, int]:
        return {word: k for k, word in enumerate(self.bitext.generated_words)}

    @cached_property
    def _keys(self) -> np.ndarray:
        width = len(self.bitext.generated_words)
        return self.bitext.given.astype(np.int64) * width + self.bitext.generated

    def row(self, given: str | None) -> dict[str, float]:
        """Generated words and their probabilities, most probable first (then by first occurrence).

        `given` None is NULL. A word that the bitext does not have, has an empty row.
        """
        k = self._given_ids.get(given)
        if k is None:
            return {}
        start, end = np.searchsorted(self.bitext.given, [k, k + 1])
        order = np.argsort(-self.probs[start:end], kind="stable")
        words = self.bitext.generated_words
        return {
            words[self.bitext.generated[start + e]]: float(self.probs[start + e]) for e in order
        }

    def matrix(
        self, given: list[str] | tuple[str, ...], generated: list[str] | tuple[str, ...]
    ) -> Float[np.ndarray, "generated given_and_null"]:
        """Table entries for one sentence pair: a row for each generated word, column 0 is NULL.

        A pair of words that never occurred together has the probability 0.
        """
        width = len(self.bitext.generated_words)
        rows = np.array([self._generated_ids.get(word, -1) for word in generated], np.int64)
        columns = [0, *(self._given_ids.get(word, -1) for word in given)]
        keys = np.array(columns, np.int64) * width + rows[:, None]
        if not len(self._keys):
            return np.zeros(keys.shape)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = (rows[:, None] >= 0) & (np.array(columns) >= 0) & (self._keys[place] == keys)
        return np.where(known, self.probs[place], 0.0)

    def __getitem__(self, pair: tuple[str, str | None]) -> float:
        """``table[generated, given]``: one probability, 0 for a pair that never occurred."""
        generated, given = pair
        column = [] if given is None else [given]
        return float(self.matrix(column, [generated])[0, -1])


def uniform(bitext: Bitext) -> LexicalTable:
    """Return the table that knows nothing: equal probabilities for all that occurred together.

    Page: 01_smt/word_alignment
    """
    return LexicalTable(bitext, normalise(bitext, np.ones(len(bitext.given))))


def starting_table(bitext: Bitext, start: LexicalTable | None) -> LexicalTable:
    """Return the table that training starts from: the one that was given, or the uniform one.

    Raises
    ------
    ValueError
        The table belongs to other pairs of sentences, or to the other direction.

    Page: 01_smt/word_alignment
    """
    if start is None:
        return uniform(bitext)
    fits = start.bitext is bitext or (
        start.bitext.given_words == bitext.given_words
        and start.bitext.generated_words == bitext.generated_words
        and np.array_equal(start.bitext.given, bitext.given)
        and np.array_equal(start.bitext.generated, bitext.generated)
    )
    if not fits:
        raise ValueError("start is the table of another bitext, expected one of the same pairs")
    return start


def from_rows(bitext: Bitext, rows: Mapping[str | None, Mapping[str, float]]) -> LexicalTable:
    """Return a table with the given numbers, each row divided by its sum.

    Parameters
    ----------
    bitext : Bitext
        Says which entries there are.
    rows : mapping from a given word (None is NULL) to a mapping from generated words to numbers
        An entry that is not named is 0.

    Raises
    ------
    ValueError
        A row that does not occur, or whose numbers are negative or all 0.

    Page: 01_smt/word_alignment
    """
    words = (None, *bitext.given_words)
    weights = np.array(
        [
            rows.get(words[x], {}).get(bitext.generated_words[y], 0.0)
            for x, y in zip(bitext.given, bitext.generated, strict=True)
        ]
    )
    if (weights < 0).any():
        raise ValueError("the table has a negative entry, expected numbers of 0 or more")
    empty = (np.bincount(bitext.given) > 0) & (np.bincount(bitext.given, weights) == 0)
    if empty.any():
        word = words[int(np.argmax(empty))]
        raise ValueError(f"the row of {word or 'NULL'!r} has no entry above 0")
    return LexicalTable(bitext, normalise(bitext, weights))


def normalise(bitext: Bitext, counts: Float[np.ndarray, " entries"]) -> np.ndarray:
    """Divide the counts of each given word by their sum: the M step of every model here.

    A given word whose counts are all 0 keeps zeros.

    Page: 01_smt/word_alignment
    """
    if not len(counts):
        return counts
    first, sizes = bitext.rows
    totals = np.add.reduceat(counts, first)
    totals[totals == 0] = 1.0
    return counts / np.repeat(totals, sizes)
