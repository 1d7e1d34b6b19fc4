"""Draw the corpus from the grammar and divide it: the same pairs for the same seed, everywhere.

Only ``random.Random.random`` is used, because it alone is promised to give the same numbers in
every version of Python, and no set is ever walked through in its own order.

Page: 01_smt/noisy_channel
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from tqdm import tqdm

from softalign.grammar import Grammar, draw, nested
from softalign.grammar.derive import chinese, collocations, repeats
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
HELD_OUT = 0.02  # share of the collocations that only `novel` may contain
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


def make_pair(grammar: Grammar, derivation, random) -> tuple[Pair | None, list[str]]:
    """Return the pair of a derivation, or None if it has too many references."""
    words, pinyin = chinese(grammar, derivation)
    found = sentences(derivation, MOST_REFERENCES)
    if len(found) > MOST_REFERENCES:
        return None, words
    target = int(random() * len(found))
    first = finish(found.pop(target))
    others = sorted(finish(emitted).words for emitted in found)
    references = (first.words, *(words for words in others if words != first.words))
    return (
        Pair(tuple(words), first.words, references, first.sure, first.possible, tuple(pinyin)),
        words,
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


def build(
    grammar: Grammar, seed: int, sizes: Mapping[str, int], reserved: tuple = ()
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

    Page: 01_smt/noisy_channel
    """
    asked = dict(sizes)
    sizes = {**asked, "novel": asked["novel"] * 6 // 5}  # some hold words that train does not know
    found: dict[str, dict[tuple[str, ...], Pair]] = {name: {} for name in SIZES}
    owner: dict[tuple[str, ...], str] = {}
    for pair in reserved:
        owner[pair.source] = "reserved"
        owner.update(dict.fromkeys(pair.references, "reserved"))
    held_out: dict[tuple[str, str], bool] = {}
    bar = tqdm(total=sum(sizes.values()), desc="corpus", unit=" pairs", delay=2, leave=False)

    def is_novel(derivation) -> bool:
        for pair in collocations(derivation):
            if pair not in held_out:
                held_out[pair] = fraction(" ".join(pair)) < HELD_OUT
            if held_out[pair]:
                return True
        return False

    def add(name: str, pair: Pair) -> bool:
        """File a pair unless one of its sentences belongs elsewhere; unite references."""
        if any(owner.get(reference, name) != name for reference in pair.references):
            return False
        if owner.setdefault(pair.source, name) != name:
            return False
        known = found[name].get(pair.source)
        if known is None and len(found[name]) >= sizes[name]:
            return False
        for reference in pair.references:
            owner[reference] = name
        if known is not None:
            more = [r for r in pair.references if r not in known.references]
            if more and len(known.references) + len(more) <= MOST_REFERENCES:
                rest = sorted([*known.references[1:], *more])
                found[name][pair.source] = known._replace(references=(known.target, *rest))
            return False
        found[name][pair.source] = pair
        bar.update()
        return True

    def draws(stream: str, names: tuple[str, ...], depth: int, boost: float) -> Iterator:
        random = Random(f"{stream} {seed}").random
        idle = 0
        while any(len(found[name]) < sizes[name] for name in names):
            idle += 1
            if idle > PATIENCE:
                counts = ", ".join(f"{len(found[n])} of {sizes[n]} {n}" for n in names)
                raise CorpusError(f"the grammar has no more pairs to give: found {counts}")
            derivation = draw(grammar, random, ("Top",), depth, boost)
            if repeats(grammar, derivation):
                continue
            name = yield derivation, random
            if name:
                idle = 0

    def run(stream: str, names: tuple[str, ...], depth: int, boost: float, place) -> None:
        source = draws(stream, names, depth, boost)
        added = None
        while True:
            try:
                derivation, random = source.send(added)
            except StopIteration:
                return
            added = place(derivation, random)

    def ordinary(derivation, random) -> bool:
        pair, words = make_pair(grammar, derivation, random)
        if pair is None or not LENGTHS[0] <= len(words) <= LENGTHS[1]:
            return False
        name = "novel" if is_novel(derivation) else split_of(" ".join(words))
        return add(name, pair)

    def deep(derivation, random) -> bool:
        if nested(derivation) != DEPTH + 1 or is_novel(derivation):
            return False
        pair, words = make_pair(grammar, derivation, random)
        return pair is not None and len(words) <= LENGTHS[1] and add("deep", pair)

    def long(derivation, random) -> bool:
        words, _ = chinese(grammar, derivation)
        if not LENGTHS[1] < len(words) <= LONGEST or is_novel(derivation):
            return False
        pair, _ = make_pair(grammar, derivation, random)
        return pair is not None and add("long", pair)

    with bar:
        run("ordinary", ("train", "validation", "test", "novel"), DEPTH, 1.0, ordinary)
        run("deep", ("deep",), DEPTH + 1, 3.0, deep)
        run("long", ("long",), DEPTH, 3.0, long)
    corpus = {name: tuple(pairs.values()) for name, pairs in found.items()}
    known = {word for pair in corpus["train"] for word in pair.source}
    kept = tuple(pair for pair in corpus["novel"] if known.issuperset(pair.source))
    if len(kept) < asked["novel"] and corpus["train"]:
        raise CorpusError(
            f"only {len(kept)} of {asked['novel']} novel pairs have all their words in train; "
            "ask for more training pairs or for fewer novel ones"
        )
    return {**corpus, "novel": kept[: asked["novel"]]}
