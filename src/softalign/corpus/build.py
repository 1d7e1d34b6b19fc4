"""Draw the corpus from the grammar and divide it: the same pairs for the same seed, everywhere.

Only ``random.Random.random`` is used, because it alone is promised to give the same numbers in
every version of Python, and no set is ever walked through in its own order.

Page: corpus
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from tqdm import tqdm

from softalign.grammar import Grammar, draw, nested
from softalign.grammar.derive import Node, chinese, collocations, repeats
from softalign.grammar.realise import finish, sentences

SIZES = {
    "train": 20_000,
    "validation": 1_000,
    "test": 1_000,
    "novel": 500,
    "deep": 500,
    "long": 500,
}
DEPTH = 2  # how many recursive rules are nested in everything but `deep`
LENGTHS = (5, 40)  # Chinese words in everything but `long` and `deep`
LONGEST = 60
MOST_REFERENCES = 24
SPARE = 1.2  # some novel pairs are drawn in vain: they hold words that train does not know
HELD_OUT = 0.02  # share of the collocations that only `novel` may contain
# Three more, whatever the share: 看 is read or watch, and `novel` tests it with objects never met.
ALWAYS_HELD_OUT = (("看", "漫画"), ("看", "动画片"), ("看", "纪录片"))
PATIENCE = 50_000  # draws without a new pair after which the grammar counts as exhausted


class Pair(NamedTuple):
    """A Chinese sentence, its English, every accepted English, and the gold links.

    Attributes
    ----------
    source, target
        Words. `target` is ``references[0]``.
    references
        All English sentences that the grammar accepts for `source`.
    sure, possible
        Links ``(i, j)`` between ``source[i]`` and ``target[j]``, from 0; ``sure <= possible``.
    pinyin
        How each source word is read here, with tone marks.

    Page: corpus
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]
    pinyin: tuple[str, ...]


class CorpusError(ValueError):
    """More pairs were asked for than the grammar has."""


def fraction(text: str) -> float:
    """Return a number in [0, 1) that depends only on the text.

    >>> round(fraction("我 很 忙 。"), 3) == round(fraction("我 很 忙 。"), 3)
    True
    """
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


class Stream(NamedTuple):
    """One run of draws: what it fills, and what it draws."""

    fills: tuple[str, ...]
    start: str
    depth: int
    boost: float  # of recursive rules, so that rare shapes need not be waited for
    lengths: tuple[int, int]
    nested: int | None = None


STREAMS = (
    Stream(("train", "validation", "test", "novel"), "Top", DEPTH, 1.0, LENGTHS),
    Stream(("deep",), "Top", DEPTH + 1, 25.0, LENGTHS, DEPTH + 1),
    Stream(("long",), "Long", DEPTH, 12.0, (LENGTHS[1] + 1, LONGEST)),
)


def split_of(source: str) -> str:
    """Return the split of a source sentence, which its hash alone decides.

    >>> split_of("他 很 忙 。")
    'train'
    """
    place = fraction(source)
    if place < 1.05 / 22:
        return "test"
    return "validation" if place < 2.1 / 22 else "train"


def is_held_out(collocation: tuple[str, str]) -> bool:
    """Tell whether only `novel` may contain these two words together."""
    return collocation in ALWAYS_HELD_OUT or fraction(" ".join(collocation)) < HELD_OUT


def make_pair(words: list[str], pinyin: list[str], derivation: Node) -> Pair | None:
    """Return the pair of a derivation, or None if it has too many references.

    Which of the references is the target depends on the source alone.
    """
    found = sentences(derivation, MOST_REFERENCES)
    if len(found) > MOST_REFERENCES:
        return None
    target = finish(found.pop(int(fraction("target " + " ".join(words)) * len(found))))
    others = sorted(finish(emitted).words for emitted in found)
    references = (target.words, *(reference for reference in others if reference != target.words))
    return Pair(tuple(words), target.words, references, target.sure, target.possible, tuple(pinyin))


class Shelf:
    """The pairs found so far; it refuses a sentence that another split has."""

    def __init__(self, sizes: Mapping[str, int], reserved: tuple[Pair, ...]) -> None:
        self.sizes = sizes
        self.found: dict[str, dict[tuple[str, ...], Pair]] = {name: {} for name in sizes}
        self.owner: dict[tuple[str, ...], str] = {}
        for pair in reserved:
            self.owner.update(dict.fromkeys((pair.source, *pair.references), "reserved"))

    def missing(self, name: str) -> int:
        """Return how many pairs a split still needs."""
        return self.sizes[name] - len(self.found[name])

    def add(self, name: str, pair: Pair) -> bool:
        """Put a pair on the shelf; unite the references if its source is there already."""
        sentences_ = (pair.source, *pair.references)
        if any(self.owner.get(sentence, name) != name for sentence in sentences_):
            return False
        self.owner.update(dict.fromkeys(sentences_, name))
        pairs = self.found[name]
        known = pairs.get(pair.source)
        if known is None:
            pairs[pair.source] = pair
            return True
        more = sorted(set(pair.references) - set(known.references))
        if more:
            rest = sorted((*known.references[1:], *more))
            pairs[pair.source] = known._replace(references=(known.target, *rest))
        return False


def build(
    grammar: Grammar, seed: int, sizes: Mapping[str, int], reserved: tuple[Pair, ...] = ()
) -> dict[str, tuple[Pair, ...]]:
    """Draw pairs until every split is full.

    Parameters
    ----------
    sizes
        Pairs for each of `SIZES`.
    reserved
        Pairs that must not be drawn, nor any of their references.

    Raises
    ------
    CorpusError
        If the grammar has no more new pairs to give; the message says how many were found.

    Page: corpus
    """
    shelf = Shelf({**sizes, "novel": int(sizes["novel"] * SPARE)}, reserved)
    known: dict[tuple[str, str], bool] = {}

    def is_novel(derivation: Node) -> bool:
        for pair in collocations(derivation):
            if pair not in known:
                known[pair] = is_held_out(pair)
            if known[pair]:
                return True
        return False

    with tqdm(total=sum(shelf.sizes.values()), desc="corpus", unit=" pairs", delay=2) as bar:
        for stream in STREAMS:
            random = Random(f"{stream.start} {stream.depth} {seed}").random
            idle = 0
            while any(shelf.missing(name) for name in stream.fills):
                idle += 1
                if idle > PATIENCE:
                    raise CorpusError(_exhausted(shelf, stream.fills))
                derivation = draw(grammar, random, (stream.start,), stream.depth, stream.boost)
                if stream.nested and nested(derivation) != stream.nested:
                    continue
                words, pinyin = chinese(grammar, derivation)
                if not stream.lengths[0] <= len(words) <= stream.lengths[1]:
                    continue
                if repeats(grammar, derivation):
                    continue
                novel = is_novel(derivation)
                if "train" in stream.fills:
                    name = "novel" if novel else split_of(" ".join(words))
                elif novel:
                    continue
                else:
                    name = stream.fills[0]
                if not shelf.missing(name) and tuple(words) not in shelf.found[name]:
                    continue
                pair = make_pair(words, pinyin, derivation)
                if pair and shelf.add(name, pair):
                    idle = 0
                    bar.update()
    corpus = {name: tuple(pairs.values()) for name, pairs in shelf.found.items()}
    known = {word for pair in corpus["train"] for word in pair.source}
    kept = tuple(pair for pair in corpus["novel"] if known.issuperset(pair.source))
    if len(kept) < sizes["novel"]:
        raise CorpusError(
            f"asked for {sizes['novel']} novel pairs, but only {len(kept)} have all their words in "
            "train; ask for more training pairs or for fewer novel ones"
        )
    return {**corpus, "novel": kept[: sizes["novel"]]}


def _exhausted(shelf: Shelf, names: tuple[str, ...]) -> str:
    counts = ", ".join(f"{len(shelf.found[n])} of {shelf.sizes[n]} {n}" for n in names)
    return f"the grammar has no more: {PATIENCE:,} draws in a row were not new; found {counts}"
