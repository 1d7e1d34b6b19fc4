"""The phrase table: which target phrases translate a source phrase, with four numbers each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from softalign.phrases.extraction import Links, Side, extract_all, read_links, read_side
from softalign.phrases.lexical import Words, word_weights

__all__ = ["FEATURES", "PhrasePair", "PhraseTable", "build_table"]

FEATURES = ("phrase_direct", "phrase_inverse", "lexical_direct", "lexical_inverse")


class PhrasePair(NamedTuple):
    """A source phrase, a target phrase, and what the table knows about them.

    Attributes
    ----------
    source, target : tuple of str
    features : tuple of four floats
        Natural logarithms, in the order of `FEATURES`.
    count : int
        How often the pair was extracted.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    features: tuple[float, ...]
    count: int


@dataclass(frozen=True, eq=False)
class PhraseTable:
    """Phrase pairs, sorted by source phrase. Get one from `build_table` or `from_entries`.

    Attributes
    ----------
    numbers : dict from str to int
        The source vocabulary.
    keys : tuple of int arrays [rows]
        For each length, the source phrases that begin a phrase of the corpus: row of the phrase
        without its last word (among those one shorter), times the size of the vocabulary, plus the
        number of its last word; ascending.
    first : tuple of int arrays [rows + 1]
        For each length, where the entries of each row begin.
    target_words : tuple of str
        The target vocabulary.
    tokens : int array [tokens]
        A text of target words in which each target phrase stands somewhere.
    place, length : int arrays [entries]
        Where the target phrase of an entry stands in that text.
    features : float array [entries, 4]
        Natural logarithms, in the order of `FEATURES`.
    counts : int array [entries]
        How often each pair was extracted.

    Examples
    --------
    >>> table = build_table([(["ein", "Hund"], ["a", "dog"])], [{(0, 0), (1, 1)}])
    >>> [" ".join(pair.target) for pair in table.get(["ein", "Hund"])], len(table)
    (['a dog'], 3)

    Page: 01_smt/decoding
    """

    numbers: dict[str, int]
    keys: tuple[Int[np.ndarray, "..."], ...]
    first: tuple[Int[np.ndarray, "..."], ...]
    target_words: tuple[str, ...]
    tokens: Int[np.ndarray, "tokens"]
    place: Int[np.ndarray, "entries"]
    length: Int[np.ndarray, "entries"]
    features: Float[np.ndarray, "entries 4"]
    counts: Int[np.ndarray, "entries"]

    def __len__(self) -> int:
        """Return the number of phrase pairs."""
        return len(self.counts)

    @property
    def max_length(self) -> int:
        """Length of the longest source phrase."""
        return len(self.keys)

    @cached_property
    def _words(self) -> np.ndarray:
        return np.array(self.target_words, dtype=object)

    def target(self, entry: int) -> tuple[str, ...]:
        """Words of the target phrase of an entry.

        Page: 01_smt/decoding
        """
        begin = self.place[entry]
        return tuple(self._words[self.tokens[begin : begin + self.length[entry]]].tolist())

    def match(self, sentence: Words) -> dict[tuple[int, int], range]:
        """Entries for every span of a sentence that the table has.

        Parameters
        ----------
        sentence : sequence of str

        Returns
        -------
        dict from (first position, position after the last) to a range of entries

        Page: 01_smt/decoding
        """
        words = np.array([self.numbers.get(word, -1) for word in sentence], np.int64)
        rows, found = np.zeros(len(words), np.int64), {}
        for length, (keys, first) in enumerate(zip(self.keys, self.first, strict=True), start=1):
            if length > len(words):
                break
            rows, last = rows[: len(words) - length + 1], words[length - 1 :]
            wanted = np.where((rows < 0) | (last < 0), -1, rows * len(self.numbers) + last)
            rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            rows[keys[rows] != wanted] = -1
            known = np.flatnonzero(rows >= 0)
            if not len(known):
                break
            bounds = zip(first[rows[known]].tolist(), first[rows[known] + 1].tolist(), strict=True)
            for begin, (low, high) in zip(known.tolist(), bounds, strict=True):
                if low < high:
                    found[begin, begin + length] = range(low, high)
        return found

    def get(self, phrase: Words) -> list[PhrasePair]:
        """Phrase pairs of a source phrase, the most frequent first, then in the order of words.

        Page: 01_smt/decoding
        """
        entries = self.match(phrase).get((0, len(phrase)), ())
        pairs = [
            PhrasePair(
                tuple(phrase),
                self.target(entry),
                tuple(self.features[entry].tolist()),
                int(self.counts[entry]),
            )
            for entry in entries
        ]
        return sorted(pairs, key=lambda pair: (-pair.count, pair.target))

    def phrases(self) -> Iterator[tuple[str, ...]]:
        """Yield every source phrase that has a translation, the short ones first.

        Page: 01_smt/decoding
        """
        words, names = tuple(self.numbers), [()]
        for keys, first in zip(self.keys, self.first, strict=True):
            parts = zip((keys // len(words)).tolist(), (keys % len(words)).tolist(), strict=True)
            names = [(*names[before], words[last]) for before, last in parts]
            yield from (names[row] for row in np.flatnonzero(np.diff(first)).tolist())

    @classmethod
    def from_entries(
        cls, entries: Iterable[tuple[Words, Words, Sequence[float | int]]]
    ) -> PhraseTable:
        """Make a table from phrase pairs written by hand.

        Parameters
        ----------
        entries : iterable of (source words, target words, four floats)
            The floats are natural logarithms in the order of `FEATURES`.

        Raises
        ------
        ValueError
            No entries, an empty phrase, a number of features that is not 4.

        Examples
        --------
        >>> entry = "rotes Haus".split(), "red house".split(), [0.0] * 4
        >>> PhraseTable.from_entries([entry]).match("ein rotes Haus".split())
        {(1, 3): range(0, 1)}

        Page: 01_smt/decoding
        """
        entries = [(tuple(x), tuple(y), tuple(map(float, values))) for x, y, values in entries]
        if not entries:
            raise ValueError("there are no phrase pairs, expected at least one")
        for number, (source, target, values) in enumerate(entries, start=1):
            if not source or not target:
                raise ValueError(f"phrase pair {number} has a side without words")
            if len(values) != len(FEATURES):
                raise ValueError(
                    f"phrase pair {number} has {len(values)} features, expected {len(FEATURES)}"
                )
        source, target = (read_side([entry[side] for entry in entries]) for side in (0, 1))
        sizes = np.diff(source.begin), np.diff(target.begin)
        keys, rows = _number_phrases(source, int(sizes[0].max()))
        row = np.array([rows[n - 1][p] for n, p in zip(sizes[0], source.begin[:-1], strict=True)])
        order = np.lexsort((row, sizes[0]))
        return cls(
            {word: number for number, word in enumerate(source.words)},
            keys,
            _offsets(keys, sizes[0][order], row[order]),
            target.words,
            target.tokens,
            target.begin[:-1][order],
            sizes[1][order],
            np.array([values for _, _, values in entries])[order],
            np.ones(len(entries), np.int64),
        )


def build_table(
    pairs: Sequence[tuple[Words, Words]],
    links: Sequence[Links],
    *,
    max_length: int = 7,
    keep: int | None = 30,
) -> PhraseTable:
    """Extract and count the phrase pairs of a word-aligned corpus.

    Parameters
    ----------
    pairs : sequence of (source words, target words)
    links : sequence of iterables of (int, int)
        For each pair its word links, source position first, both from 0.
    max_length : int
        Longest phrase, on either side.
    keep : int, optional
        How many target phrases a source phrase may have: those with the largest counts, and of
        equal counts those with the larger lexical weights. None keeps all.

    Returns
    -------
    PhraseTable
        Relative frequencies come from all extracted pairs, also from those that are not kept. If a
        phrase pair was seen with several sets of links, its lexical weight is the largest.

    Raises
    ------
    ValueError
        Not as many sets of links as pairs, a link outside its sentences, nothing to extract.

    Notes
    -----
    Koehn, Och and Marcu (2003), NAACL, pages 48-54, sections 2.2 and 3.

    Page: 01_smt/decoding
    """
    if max_length < 1:
        raise ValueError(f"max_length is {max_length}, expected at least 1")
    source, target = (read_side([pair[side] for pair in pairs]) for side in (0, 1))
    places = read_links(links, source, target)
    x, x_size, y, y_size = extract_all(source, target, places, max_length)
    if not len(x):
        raise ValueError("there is not one phrase pair to extract, expected some links")
    keys, rows = _number_phrases(source, max_length)
    x_base = np.concatenate([[0], np.cumsum([len(level) for level in keys])])
    y_keys, y_rows = _number_phrases(target, max_length)
    y_base = np.concatenate([[0], np.cumsum([len(level) for level in y_keys])])
    x_id = x_base[x_size - 1] + rows[x_size - 1, x]
    y_id = y_base[y_size - 1] + y_rows[y_size - 1, y]
    direct = _running(word_weights(source.tokens, target.tokens, *places))
    inverse = _running(word_weights(target.tokens, source.tokens, *places[::-1]))
    lexical = np.stack([direct[y + y_size] - direct[y], inverse[x + x_size] - inverse[x]])
    order = np.argsort(x_id * y_base[-1] + y_id, kind="stable")
    key = (x_id * y_base[-1] + y_id)[order]
    begin = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    counts = np.diff(np.append(begin, len(key)))
    lexical = np.maximum.reduceat(lexical[:, order], begin, axis=1)
    entry = order[begin]
    given_x, given_y = np.bincount(x_id)[x_id[entry]], np.bincount(y_id)[y_id[entry]]
    features = np.stack([np.log(counts / given_x), np.log(counts / given_y), *lexical], axis=1)
    if keep is not None:
        kept = _largest(x_id[entry], counts, lexical.sum(axis=0), keep)
        entry, counts, features = entry[kept], counts[kept], features[kept]
    return PhraseTable(
        {word: number for number, word in enumerate(source.words)},
        keys,
        _offsets(keys, x_size[entry], rows[x_size[entry] - 1, x[entry]]),
        target.words,
        target.tokens,
        y[entry],
        y_size[entry],
        features,
        counts,
    )


def _running(values: np.ndarray) -> np.ndarray:
    """Sum of the values before each place, so that the sum over a span is one difference."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _largest(group: np.ndarray, counts: np.ndarray, tie: np.ndarray, keep: int) -> np.ndarray:
    """Rows with the `keep` largest counts of each group, in their old order."""
    order = np.lexsort((-tie, -counts, group))
    starts = np.searchsorted(group[order], group[order])
    return np.sort(order[np.arange(len(order)) - starts < keep])


def _number_phrases(
    side: Side, max_length: int
) -> tuple[tuple[Int[np.ndarray, "..."], ...], Int[np.ndarray, "length tokens"]]:
    """Give the runs of words of each length row numbers: keys by length, and the row at each token.

    Rows are -1 where the sentence ends too soon.
    """
    size = len(side.words)
    keys, rows = [], []
    row = np.zeros(len(side.tokens), np.int64)
    for length in range(1, max_length + 1):
        here = np.flatnonzero(side.room >= length)
        level, inverse = np.unique(
            row[here] * size + side.tokens[here + length - 1], return_inverse=True
        )
        row = np.full(len(side.tokens), -1)
        row[here] = inverse
        keys.append(level)
        rows.append(row)
        if not len(here):
            break
    rows += [np.full(len(side.tokens), -1)] * (max_length - len(rows))
    return tuple(level for level in keys if len(level)), np.stack(rows)


def _offsets(
    keys: Sequence[np.ndarray], sizes: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Where the entries of each row begin, for each length; entries go by length, then by row."""
    found, before = [], 0
    for length, level in enumerate(keys, start=1):
        counts = np.bincount(rows[sizes == length], minlength=len(level))
        found.append(before + np.concatenate([[0], np.cumsum(counts)]))
        before = int(found[-1][-1])
    return tuple(found)
