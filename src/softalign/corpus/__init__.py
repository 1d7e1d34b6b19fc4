"""The running corpus of the book: Chinese and English sentence pairs with gold links.

Page: corpus
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from softalign.corpus import build, store
from softalign.corpus.ambiguities import AMBIGUITIES, Ambiguity, occurrences
from softalign.corpus.build import SIZES, CorpusError, Pair

# Imported here, for good: a submodule that is first imported later takes the name of the function.
from softalign.corpus.card import Card
from softalign.corpus.card import make_card as _make_card
from softalign.grammar import read_grammar

__all__ = [
    "AMBIGUITIES",
    "RECURRING",
    "SIZES",
    "Ambiguity",
    "Corpus",
    "CorpusError",
    "Pair",
    "card",
    "load",
    "occurrences",
]


def _recurring(source: str, pinyin: str, references: str, sure: str, possible: str) -> Pair:
    def links(text: str) -> frozenset[tuple[int, int]]:
        return frozenset(tuple(int(n) for n in link.split("-")) for link in text.split())

    english = tuple(tuple(line.split()) for line in references.split("|"))
    words = tuple(source.split())
    both = links(sure) | links(possible)
    return Pair(words, english[0], english, links(sure), both, tuple(pinyin.split()))


RECURRING: tuple[Pair, Pair] = (
    _recurring(
        "昨天 她 买 了 两 本 有意思 的 书 。",
        "zuótiān tā mǎi le liǎng běn yǒuyìsi de shū 。",
        "yesterday she bought two interesting books .",
        "0-0 1-1 2-2 4-3 6-4 8-5 9-6",
        "3-2 5-3 7-4",
    ),
    _recurring(
        "虽然 小红 的 妈妈 很 忙 ， 但是 还是 看 了 小明 昨天 推荐 的 那 部 很 有意思 的 电影 。",
        "suīrán Xiǎohóng de māma hěn máng ， dànshì háishi kàn le "
        "Xiǎomíng zuótiān tuījiàn de nà bù hěn yǒuyìsi de diànyǐng 。",
        "although Xiaohong 's mother was very busy , she still watched the very interesting film "
        "that Xiaoming recommended yesterday .",
        "0-0 1-1 2-2 3-3 4-5 5-6 6-7 8-9 9-10 11-16 12-18 13-17 14-15 15-11 17-12 18-13 20-14 "
        "21-19",
        "4-4 7-7 10-10 16-11 19-13",
    ),
)
"""Two pairs that no split contains; every page of the book translates or scores them."""


class Corpus(NamedTuple):
    """Six tuples of pairs; no source and no reference is in two of them."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]
    novel: tuple[Pair, ...]
    deep: tuple[Pair, ...]
    long: tuple[Pair, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all pairs, in hexadecimal."""
        return store.digest(self._asdict())


def _key(text: str, parameters: tuple) -> str:
    """Return a digest of everything that the corpus depends on."""
    parts = [repr(parameters), text]
    for folder, names in {
        "softalign.grammar": (
            "checking.py",
            "derive.py",
            "english.py",
            "model.py",
            "reading.py",
            "realise.py",
        ),
        "softalign.corpus": ("__init__.py", "build.py", "store.py"),
    }.items():
        parts += [(files(folder) / name).read_text(encoding="utf-8") for name in names]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(
    seed: int = 0, *, grammar: str | Path | None = None, cache: bool = True, **sizes: int
) -> Corpus:
    """Return the running corpus; the first call draws it, later calls read it from the disk.

    Parameters
    ----------
    seed
        Another seed draws other sentences from the same grammar.
    grammar
        Path of a grammar file; without it, the one of the book.
    cache
        Whether to use the user's cache folder.
    sizes
        Numbers of pairs that differ from `SIZES`, for example ``train=1_000``.

    Raises
    ------
    CorpusError
        If the grammar has fewer pairs than asked for; the message says how many.

    Examples
    --------
    >>> corpus = load()
    >>> len(corpus.train), len(corpus.test)
    (20000, 1000)

    Page: corpus
    """
    for name, size in sizes.items():
        if name not in SIZES:
            raise ValueError(f"there is no split {name!r}; the splits are {', '.join(SIZES)}")
        if size < 0:
            raise ValueError(f"the size of {name} must be 0 or more, got {size}")
    wanted = {**SIZES, **sizes}
    rules = read_grammar(grammar)
    key = _key(rules.text, (seed, sorted(wanted.items())))
    corpus = store.read(key) if cache else None
    if corpus is None:
        corpus = build.build(rules, seed, wanted, RECURRING)
        if cache:
            store.write(key, corpus)
    return Corpus(**corpus)


def card(corpus: Corpus) -> Card:
    """Measure a corpus: types, lengths, unseen n-grams, and three baselines.

    The baselines are scored against the reference sets of the test pairs: *copy* leaves the Chinese
    as it is, *nearest* answers with the translation of the training sentence at the smallest edit
    distance (the first, if several), *word for word* writes for each Chinese word the English word
    it is most often surely linked to in training.

    Returns
    -------
    softalign.corpus.card.Card
        Printing it shows the table; its `numbers` are the values.

    Page: corpus
    """
    return _make_card(corpus._asdict(), corpus.digest)
