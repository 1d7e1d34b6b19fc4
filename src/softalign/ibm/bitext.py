"""Sentence pairs as arrays: every possible link is a *cell*, and cells that belong together touch.

One direction of alignment asks, for every *generated* word, which *given* word it came from. The
cells of sentences whose given side has the same length I form a block of shape (I + 1, rows): a row
of the table is a given position, row 0 is NULL, and a column is one generated word. Columns are
ordered by position, the sentences with the longest generated side first, so that step j of an
HMM is a slice and needs no padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from jaxtyping import Float, Int

__all__ = ["Bitext", "Chunk", "Group", "check_pairs", "index"]

Words = Sequence[str]
CELLS_PER_CHUNK = 1_000_000


@dataclass(frozen=True)
class Group:
    """Sentences of a chunk whose given side has the same length.

    Attributes
    ----------
    given : int
        The common length I of the given side, without NULL.
    first_cell, first_column : int
        Where the group's cells and columns start in those of the chunk.
    steps : tuple of int
        ``steps[j]`` is the number of sentences that have a generated word at position j; it falls.
    """

    given: int
    first_cell: int
    first_column: int
    steps: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Number of generated words of the group."""
        return sum(self.steps)

    def block(self, cells: np.ndarray) -> np.ndarray:
        """View of the group's part of a chunk's cells, shape (I + 1, columns)."""
        size = (self.given + 1) * self.columns
        part = cells[self.first_cell : self.first_cell + size]
        return part.reshape(self.given + 1, self.columns)

    def of_columns(self, values: np.ndarray) -> np.ndarray:
        """View of the group's part of what a chunk has for each column."""
        return values[self.first_column : self.first_column + self.columns]


@dataclass(frozen=True)
class Chunk:
    """A part of the corpus that is worked on at one time.

    Attributes
    ----------
    groups : tuple of Group
        By the length of the given side.
    word_pairs : int64 array of shape (pairs,)
        Which entries of the lexical table occur in the chunk, rising.
    cells : integer array of shape (cells,)
        For every cell, the place of its word pair in `word_pairs`.
    sentence, position, length : int32 arrays of shape (columns,)
        For every generated word: its sentence, its position (from 0), the length of its side.
    """

    groups: tuple[Group, ...]
    word_pairs: Int[np.ndarray, " pairs"]
    cells: Int[np.ndarray, " cells"]
    sentence: Int[np.ndarray, " columns"]
    position: Int[np.ndarray, " columns"]
    length: Int[np.ndarray, " columns"]

    def gather(
        self, table: Float[np.ndarray, " entries"], out: Float[np.ndarray, " room"] | None = None
    ) -> Float[np.ndarray, " cells"]:
        """Look up each cell's entry of the table, in the memory of `out` if there is one.

        The columns of a table are first gathered for the word pairs of the chunk, which fit into a
        processor's cache, then for the cells.
        """
        room = None if out is None else out[: len(self.cells)]
        return np.take(table[self.word_pairs], self.cells, out=room, mode="clip")

    def add_to(
        self, counts: Float[np.ndarray, " entries"], weights: Float[np.ndarray, " cells"]
    ) -> None:
        """Add each cell's weight to its entry of `counts`, in place."""
        found = np.bincount(self.cells, weights, minlength=len(self.word_pairs))
        np.add.at(counts, self.word_pairs, found)


@dataclass(frozen=True)
class Bitext:
    """Sentence pairs in one direction, indexed.

    Attributes
    ----------
    given_words, generated_words : tuple of str
        The vocabularies; word k of the given side has the id k + 1, since 0 is NULL.
    given, generated : int32 arrays of shape (entries,)
        The word ids of each entry of the lexical table: the pairs of words that occur in one
        sentence pair, sorted by given word, then by generated word. Generated ids count from 0.
    chunks : tuple of Chunk
        The cells.
    size : int
        Number of sentence pairs, those with an empty side too.
    reverse : bool
        False: the source is given, the target generated. True: the other way round.
    """

    given_words: tuple[str, ...]
    generated_words: tuple[str, ...]
    given: Int[np.ndarray, " entries"]
    generated: Int[np.ndarray, " entries"]
    chunks: tuple[Chunk, ...]
    size: int
    reverse: bool

    def __len__(self) -> int:
        return self.size

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """First entry and number of entries of each row of the table, one row a given word."""
        first = np.flatnonzero(np.diff(self.given, prepend=-1))
        return first, np.diff(first, append=len(self.given))

    def room(self) -> np.ndarray:
        """Memory for the cells of the largest chunk."""
        return np.empty(max((len(chunk.cells) for chunk in self.chunks), default=0))


class _Side:
    """Sentences of one language as one array of ids."""

    def __init__(self, sentences: Sequence[Words], first_id: int) -> None:
        tokens = list(chain.from_iterable(sentences))
        ids = {word: k for k, word in enumerate(dict.fromkeys(tokens), first_id)}
        self.words = tuple(ids)
        self.lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.ids = np.fromiter(map(ids.__getitem__, tokens), np.int64, len(tokens))


def index(pairs: Sequence[tuple[Words, Words]], *, reverse: bool = False) -> Bitext:
    r"""Index sentence pairs for one direction of alignment.

    Parameters
    ----------
    pairs : sequence of (source words, target words)
        A pair with an empty side is kept and has no cells.
    reverse : bool
        False: the source is given and the target generated, :math:`\theta(y\mid x)`. True: the
        other way round, the direction of the noisy channel. Both directions of the same pairs have
        the same chunks of sentences.

    Returns
    -------
    Bitext

    Raises
    ------
    TypeError
        A side is one string instead of a sequence of words.

    Examples
    --------
    >>> bitext = index([(["书"], ["the", "book"]), (["看", "书"], ["read"])])
    >>> len(bitext), bitext.given_words, bitext.generated_words
    (2, ('书', '看'), ('the', 'book', 'read'))
    >>> len(bitext.given)  # NULL with 3 words, 书 with 3, 看 with 1
    7

    Page: 01_smt/word_alignment
    """
    check_pairs(pairs)
    sides = (_Side([pair[reverse] for pair in pairs], 1),)
    sides += (_Side([pair[not reverse] for pair in pairs], 0),)
    given, generated = sides
    width = max(1, len(generated.words))
    found = [
        _index_chunk(numbers, given, generated, width)
        for numbers in _cut(*((generated, given) if reverse else (given, generated)))
    ]
    # np.unique hashes, which takes ten times as long
    entries = np.sort(np.concatenate([keys for keys, _ in found] or [np.empty(0, np.int64)]))
    entries = entries[np.diff(entries, prepend=-1) > 0]
    chunks = tuple(make(np.searchsorted(entries, keys)) for keys, make in found)
    return Bitext(
        given.words,
        generated.words,
        (entries // width).astype(np.int32),
        (entries % width).astype(np.int32),
        chunks,
        len(pairs),
        reverse,
    )


def check_pairs(pairs: Sequence[Sequence[Words]]) -> None:
    """Complain about the first pair that is not two sequences of words.

    Raises
    ------
    TypeError
        A pair has not two sides, or a side is one string.

    Page: 01_smt/word_alignment
    """
    for number, pair in enumerate(pairs, start=1):
        if len(pair) != 2 or isinstance(pair[0], str) or isinstance(pair[1], str):
            raise TypeError(f"pair {number} is not (source words, target words)")


def _cut(source: _Side, target: _Side) -> Iterator[np.ndarray]:
    """Numbers of the sentences of each chunk, by lengths: the same for both directions."""
    order = np.lexsort((target.lengths, source.lengths))
    sizes = source.lengths[order] * target.lengths[order]
    order, sizes = order[sizes > 0], sizes[sizes > 0]
    chunk = np.cumsum(sizes) // CELLS_PER_CHUNK
    yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1) if len(order) else ()


def _index_chunk(numbers: np.ndarray, given: _Side, generated: _Side, width: int):
    """Word pairs of a chunk (rising), and a function that completes it once they have entries."""
    groups, keys, columns, first_cell, first_column = [], [], [], 0, 0
    for length in np.flatnonzero(np.bincount(given.lengths[numbers])):
        inside = numbers[given.lengths[numbers] == length]
        inside = inside[np.argsort(-generated.lengths[inside], kind="stable")]
        lengths = generated.lengths[inside]
        # how many sentences have a word at position j: those longer than j
        steps = np.searchsorted(-lengths, -np.arange(lengths[0]), side="left")
        position = np.repeat(np.arange(len(steps)), steps)
        sentence = np.concatenate([inside[:count] for count in steps])
        words = generated.ids[generated.starts[sentence] + position]
        block = np.empty((length + 1, len(words)), np.int64)
        block[0] = words  # NULL has the id 0
        for i in range(length):
            block[i + 1] = given.ids[given.starts[sentence] + i] * width + words
        groups.append(Group(int(length), first_cell, first_column, tuple(map(int, steps))))
        keys.append(block.ravel())
        columns.append((sentence, position, generated.lengths[sentence]))
        first_cell += block.size
        first_column += len(words)
    word_pairs, cells = _unique(np.concatenate(keys))
    ends = [np.concatenate(part).astype(np.int32) for part in zip(*columns, strict=True)]
    return word_pairs, lambda entries: Chunk(tuple(groups), entries, cells, *ends)


def _unique(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``np.unique(keys, return_inverse=True)``, by sorting key and place as one number."""
    bits = len(keys).bit_length()
    if int(keys.max()).bit_length() + bits > 62:
        word_pairs, cells = np.unique(keys, return_inverse=True)
        return word_pairs, cells
    packed = np.sort((keys << bits) | np.arange(len(keys)))
    place = packed & ((1 << bits) - 1)
    packed >>= bits
    new = np.empty(len(keys), bool)
    new[0], new[1:] = True, packed[1:] != packed[:-1]
    cells = np.empty(len(keys), np.int64)
    cells[place] = np.cumsum(new) - 1
    return packed[new], cells
