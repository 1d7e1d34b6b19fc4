"""From a line of text to padded arrays of ids: tokenising, vocabulary, batches by length.

Chinese is written without spaces, so *what a word is* must be decided first. `tokenise` offers
three answers, chosen for each side of a corpus: ``space`` (the text is segmented already), ``char``
(each Chinese character is a token) and ``word`` (a dictionary finds the words).

Everything a random number decides here is drawn by ``random.Random.random``, whose sequence Python
promises to keep: the same seed gives the same batches on every machine.
"""

from __future__ import annotations

import random
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int64

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "SPECIALS",
    "UNK",
    "Batch",
    "Vocabulary",
    "batches_by_length",
    "detokenise",
    "pad",
    "tokenise",
]

PAD, BOS, EOS, UNK = "<pad>", "<s>", "</s>", "<unk>"
SPECIALS = (PAD, BOS, EOS, UNK)
"""The special symbols; their ids in every vocabulary are 0, 1, 2, 3."""

# Han characters: the unified ideographs with their extensions, 々 and 〇.
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ONE_HAN = re.compile(f"[{_HAN}]")
_LETTER = rf"(?:[^\W_{_HAN}][\u0300-\u036f]*)"
_TOKEN = re.compile(
    rf"(?P<han>[{_HAN}]+)"
    # words and numbers whole: don't, well-known, 3.5, 1,000, 12:30, MP3
    rf"|{_LETTER}+(?:(?:['’-](?={_LETTER})|(?<=\d)[.,:](?=\d)){_LETTER}+)*"
    # anything else that can be seen is a token of its own
    r"|[^\s\u200b\u2060\ufeff]"
)
_GLUED_MARK = re.compile(f"[{_HAN}][。，！？；：、…”」』）》!?,;:)]")
_NO_SPACE_BEFORE = frozenset(",.!?;:)]}%。，！？；：、…）】》」』”’")
_NO_SPACE_AFTER = frozenset("([{（【《「『“‘")
_FULL_WIDTH = frozenset("。，！？；：、…）】》」』”’（【《「『“‘")


def tokenise(line: str, how: str) -> list[str]:
    """Cut a line of text into tokens.

    Parameters
    ----------
    line : str
        One sentence.
    how : {"space", "char", "word"}
        ``space``: at white space, and nothing else. ``char``: each Chinese character is a token,
        Latin words and numbers stay whole, each punctuation mark is a token. ``word``: as ``char``,
        but characters that follow one another are grouped into words by the dictionary and the
        hidden Markov model of jieba (loaded at the first use, about a second).

    Returns
    -------
    list of str
        Tokens without white space; none for an empty line.

    Raises
    ------
    ValueError
        `how` is none of the three.

    Warns
    -----
    UserWarning
        Under ``space``, when the line looks like Chinese that nobody has segmented: its tokens have
        3.5 or more Chinese characters on average, or a mark hangs on a character.

    Notes
    -----
    Sun Junyi, jieba, https://github.com/fxsjy/jieba. Its cache file is neither read nor written.

    Examples
    --------
    >>> tokenise("我在 Google 工作。", "char")
    ['我', '在', 'Google', '工', '作', '。']
    >>> tokenise("我在 Google 工作。", "word")
    ['我', '在', 'Google', '工作', '。']
    >>> tokenise("我 在 Google 工作 。", "space")
    ['我', '在', 'Google', '工作', '。']
    >>> tokenise("It's 3.5, isn't it?", "char")
    ["It's", '3.5', ',', "isn't", 'it', '?']

    Page: 02_rnn/sequences
    """
    if how == "space":
        tokens = line.split()
        if _looks_unsegmented(tokens):
            warnings.warn(
                f"no spaces between the Chinese words of {line.strip()[:40]!r}; "
                "tokenise it by 'char' or 'word' instead of 'space'",
                stacklevel=2,
            )
        return tokens
    if how not in ("char", "word"):
        raise ValueError(f"how is {how!r}, expected 'space', 'char' or 'word'")
    tokens = []
    for match in _TOKEN.finditer(line):
        if match["han"] is None:
            tokens.append(match[0])
        elif how == "char":
            tokens.extend(match[0])
        else:
            tokens.extend(_jieba().cut(match[0]))
    return tokens


def detokenise(tokens: Sequence[str]) -> str:
    """Write tokens as a line for people: no spaces inside Chinese, none before a comma.

    Parameters
    ----------
    tokens : sequence of str
        As `tokenise` gives them.

    Returns
    -------
    str
        A line that ``tokenise(line, "char")`` cuts into the same tokens, if that made them. A plain
        quotation mark does not say whether it opens or closes, so it keeps its spaces.

    Examples
    --------
    >>> detokenise(["我", "在", "Google", "工作", "。"])
    '我在Google工作。'
    >>> detokenise(["A", "man", "(", "left", ")", ",", "at", "3.5", "%", "."])
    'A man (left), at 3.5%.'

    Page: corpus
    """
    pieces: list[str] = []
    for i, token in enumerate(tokens):
        if i > 0 and _space_between(tokens[i - 1], token):
            pieces.append(" ")
        pieces.append(token)
    return "".join(pieces)


@dataclass(frozen=True)
class Vocabulary:
    """A fixed numbering of words; whatever it does not know is ``<unk>``.

    Make one with `Vocabulary.from_training` or `Vocabulary.load`.

    Attributes
    ----------
    words : tuple of str
        The word with the id k at place k; the four special symbols come first.

    Raises
    ------
    ValueError
        `words` does not begin with the special symbols, or contains a word twice.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_training([["a", "dog"], ["a", "cat"]])
    >>> vocabulary.words
    ('<pad>', '<s>', '</s>', '<unk>', 'a', 'cat', 'dog')
    >>> vocabulary.encode(["a", "bird"], bos=True, eos=True)
    [1, 4, 3, 2]
    >>> vocabulary.decode([1, 4, 3, 2, 0])
    ['a', '<unk>']

    Page: 02_rnn/sequences
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the invariants, so that a `Vocabulary` that exists can be trusted."""
        if tuple(self.words[: len(SPECIALS)]) != SPECIALS:
            raise ValueError(f"a vocabulary begins with {' '.join(SPECIALS)}")
        if len(self._ids) != len(self.words):
            twice = next(word for word, n in Counter(self.words).items() if n > 1)
            raise ValueError(f"a vocabulary has each word once, but {twice!r} is there twice")

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @classmethod
    def from_training(
        cls, train: Iterable[Sequence[str]], *, min_count: int = 1, max_size: int | None = None
    ) -> Vocabulary:
        """Number the words of the training sentences: frequent words first, ties by the word.

        Validation and test sentences must not come in here: a word that only they contain is
        unknown to the model, and the vocabulary has to say so.

        Parameters
        ----------
        train : iterable of sequences of str
            Training sentences, one side, split into words.
        min_count : int
            Words seen less often are left out.
        max_size : int, optional
            The largest number of words, special symbols not counted; the most frequent stay.

        Returns
        -------
        Vocabulary
            Of ``4 + min(max_size, words seen at least min_count times)`` entries.

        Raises
        ------
        ValueError
            No words at all; a sentence with a special symbol or with a word that is empty or
            contains white space (the message has its number, from 1); `min_count` or `max_size`
            below 1.
        """
        if min_count < 1 or (max_size is not None and max_size < 1):
            raise ValueError(
                f"min_count is {min_count} and max_size is {max_size}, expected 1 or more"
            )
        counts: Counter[str] = Counter()
        for number, sentence in enumerate(train, start=1):
            _check_sentence(sentence, number)
            counts.update(sentence)
        if not counts:
            raise ValueError("the training sentences contain no words")
        kept = [word for word, count in counts.items() if count >= min_count]
        ordered = sorted(kept, key=lambda word: (-counts[word], word))
        return cls(SPECIALS + tuple(ordered[:max_size]))

    def __len__(self) -> int:
        """Return the number of entries, special symbols included."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Return whether `word` is known; the special symbols are not words."""
        return self._ids.get(word, 0) >= len(SPECIALS)

    @property
    def pad_id(self) -> int:
        """Id of ``<pad>``, which fills short sentences of a batch and is never predicted."""
        return self._ids[PAD]

    @property
    def bos_id(self) -> int:
        """Id of ``<s>``, which stands before a sentence and is never predicted."""
        return self._ids[BOS]

    @property
    def eos_id(self) -> int:
        """Id of ``</s>``, which ends a sentence and is predicted."""
        return self._ids[EOS]

    @property
    def unk_id(self) -> int:
        """Id of ``<unk>``, which stands for every unknown word."""
        return self._ids[UNK]

    def encode(self, sentence: Sequence[str], *, bos: bool = False, eos: bool = False) -> list[int]:
        """Return the ids of the words, with ``<s>`` before and ``</s>`` behind if asked.

        An unknown word becomes ``<unk>``; so does a word that is spelt like a special symbol.
        """
        if isinstance(sentence, str):
            raise TypeError("the sentence is one string, expected a sequence of words")
        ids = [self._ids[word] if word in self else self.unk_id for word in sentence]
        return [self.bos_id] * bos + ids + [self.eos_id] * eos

    def decode(self, ids: Iterable[int] | np.ndarray) -> list[str]:
        """Return the words up to the first ``</s>``, without ``<s>`` and ``<pad>``.

        Raises
        ------
        ValueError
            An id that no word has.
        """
        words = []
        for number in ids:
            if not 0 <= number < len(self.words):
                raise ValueError(f"no word has the id {number}, expected 0 to {len(self) - 1}")
            if number == self.eos_id:
                break
            if number not in (self.pad_id, self.bos_id):
                words.append(self.words[number])
        return words

    def save(self, path: str | Path) -> None:
        """Write one word a line in UTF-8, the word with id k in line k + 1."""
        text = "".join(f"{word}\n" for word in self.words)
        Path(path).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read what `save` has written.

        Raises
        ------
        ValueError
            Not UTF-8, a line that is not one word, a word twice, special symbols not in front; the
            message has the file and, where there is one, the line.
        """
        try:
            lines = Path(path).read_bytes().decode("utf-8").removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8, expected one word a line in UTF-8") from error
        words = tuple(line.removesuffix("\r") for line in lines)
        for number, word in enumerate(words, start=1):
            if word.split() != [word]:
                raise ValueError(f"{path}, line {number}: {word!r}, expected one word")
        try:
            return cls(words)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


@dataclass(frozen=True, eq=False)
class Batch:
    """Some sentence pairs as arrays, batch first, short sentences filled up with the padding id.

    Attributes
    ----------
    src, tgt : int64 arrays of shape (batch, src) and (batch, tgt)
        Ids; row b holds ``src_lengths[b]`` real ones, then padding.
    src_lengths, tgt_lengths : int64 arrays of shape (batch,)
        Number of real ids in each row, at least 1.
    index : int64 array of shape (batch,)
        Which examples these are: their places in what was given to `batches_by_length`.

    Page: 04_lstm/variants
    """

    src: Int64[np.ndarray, "batch src"]
    src_lengths: Int64[np.ndarray, "batch"]
    tgt: Int64[np.ndarray, "batch tgt"]
    tgt_lengths: Int64[np.ndarray, "batch"]
    index: Int64[np.ndarray, "batch"]

    def __len__(self) -> int:
        """Return the number of sentence pairs."""
        return len(self.index)


def pad(
    sequences: Sequence[Sequence[int]], pad_id: int = 0
) -> tuple[Int64[np.ndarray, "batch time"], Int64[np.ndarray, "batch"]]:
    """Put sequences of ids into one array, filled up at the end.

    Parameters
    ----------
    sequences : sequence of sequences of int
        At least one; each with at least one id, none of them `pad_id`.
    pad_id : int
        What to fill with.

    Returns
    -------
    ids : int64 array of shape (batch, time)
        As wide as the longest sequence.
    lengths : int64 array of shape (batch,)
        Lengths of the sequences.

    Raises
    ------
    ValueError
        No sequences, an empty one, or one that contains `pad_id`.

    Examples
    --------
    >>> ids, lengths = pad([[5, 6, 7], [8]])
    >>> ids.tolist(), lengths.tolist()
    ([[5, 6, 7], [8, 0, 0]], [3, 1])

    Page: 02_rnn/sequences
    """
    if len(sequences) == 0:
        raise ValueError("there are no sequences to pad")
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    if lengths.min() == 0:
        raise ValueError(f"sequence {int(lengths.argmin())} (counted from 0) is empty")
    ids = np.full((len(sequences), int(lengths.max())), pad_id, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        if pad_id in sequence:
            raise ValueError(f"sequence {row} (counted from 0) contains the padding id {pad_id}")
        ids[row, : len(sequence)] = sequence
    return ids, lengths


def batches_by_length(
    src: Sequence[Sequence[int]],
    tgt: Sequence[Sequence[int]],
    *,
    batch_size: int,
    seed: int,
    epoch: int = 0,
    pad_id: int = 0,
) -> Iterator[Batch]:
    """Yield one epoch: every pair exactly once, pairs of like length together, batches shuffled.

    Pairs are sorted by source length, then target length, then a random number, and cut into
    batches, so that little padding is needed; then the batches are put into random order. All
    depends on `seed` and `epoch` only.

    Parameters
    ----------
    src, tgt : sequences of sequences of int
        Ids of both sides of each pair, with the boundary symbols the model wants.
    batch_size : int
        Pairs a batch; one batch, with the longest pairs, may have fewer.
    seed, epoch : int
        Other epochs of the same seed have the pairs in another order.
    pad_id : int
        What to fill short sentences with.

    Yields
    ------
    Batch
        Arrays of int64, batch first.

    Raises
    ------
    ValueError
        Unequal numbers of sentences, none at all, an empty one, one that contains `pad_id`, or
        `batch_size` below 1. Raised by the call itself, before the first batch.

    Examples
    --------
    >>> src, tgt = [[4], [5, 6, 7], [8]], [[4, 9], [5], [8, 7]]
    >>> sorted(len(batch) for batch in batches_by_length(src, tgt, batch_size=2, seed=0))
    [1, 2]

    Page: 04_lstm/variants
    """
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, expected 1 or more")
    if len(src) != len(tgt):
        raise ValueError(f"{len(src)} source but {len(tgt)} target sentences, expected as many")
    for side in (src, tgt):
        pad(side, pad_id)  # says what is wrong, if anything is
    draw = random.Random(seed * 1_000_003 + epoch).random
    keys = [draw() for _ in src]
    order = sorted(range(len(src)), key=lambda i: (len(src[i]), len(tgt[i]), keys[i]))
    chunks = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
    chunk_keys = [draw() for _ in chunks]
    shuffled = [chunks[k] for k in sorted(range(len(chunks)), key=chunk_keys.__getitem__)]
    return (
        Batch(
            *pad([src[i] for i in chunk], pad_id),
            *pad([tgt[i] for i in chunk], pad_id),
            np.array(chunk, dtype=np.int64),
        )
        for chunk in shuffled
    )


@cache
def _jieba():
    """A tokeniser of jieba's own dictionary: silent, and without the cache file in /tmp.

    jieba's import compiles patterns with invalid escapes and may import the deprecated
    ``pkg_resources``: warnings that our users can do nothing about. Left to itself it logs to
    standard error and trusts a file of a fixed name in a folder that everybody may write to.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    tokeniser = jieba.Tokenizer()
    tokeniser.FREQ, tokeniser.total = tokeniser.gen_pfdict(tokeniser.get_dict_file())
    tokeniser.initialized = True
    return tokeniser


def _looks_unsegmented(tokens: Sequence[str]) -> bool:
    counts = [n for n in (len(_ONE_HAN.findall(token)) for token in tokens) if n]
    if not counts:
        return False
    return sum(counts) >= 3.5 * len(counts) or any(_GLUED_MARK.search(token) for token in tokens)


def _space_between(left: str, right: str) -> bool:
    if right in _NO_SPACE_BEFORE or left in _NO_SPACE_AFTER:
        return False
    if left in _FULL_WIDTH or right in _FULL_WIDTH:
        return False
    return not (_ONE_HAN.search(left[-1]) or _ONE_HAN.search(right[0]))


def _check_sentence(sentence: Sequence[str], number: int) -> None:
    if isinstance(sentence, str):
        raise TypeError(f"sentence {number} is one string, expected a sequence of words")
    for word in sentence:
        if word in SPECIALS:
            raise ValueError(
                f"sentence {number} contains {word!r}, which is kept for the model's own use; "
                "spell it otherwise"
            )
        if word.split() != [word]:
            raise ValueError(f"sentence {number} contains {word!r}, expected words without spaces")
