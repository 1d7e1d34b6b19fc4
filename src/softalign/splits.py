"""Training, validation and test from one corpus, so that nothing in the test was seen in training.

Real parallel text repeats itself: "Hi." has three translations, and 你好。 translates "Hi." and
"Hello!". Whoever cuts such a corpus line by line tests a model on sentences that it was trained on.
`split` keeps together what shares a sentence, and `overlap` finds what a corpus shares with a test
set that came from elsewhere.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Shared", "Split", "SplitReport", "normalise", "overlap", "shared", "split"]

FEWEST = 10
"""With fewer pairs there is nothing to split."""

# punctuation by its category in Unicode, but read aloud as a word: "C#" is not "C"
_WORDS = "#%&*@/\\§¶†‡‰‱"
# soft hyphen, zero-width characters, marks of direction, byte order mark
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ASCII_MARKS = "".join(
    mark
    for mark in string.punctuation
    if unicodedata.category(mark)[0] == "P" and mark not in _WORDS
)


class SplitReport(NamedTuple):
    """What `split` found in a corpus.

    Attributes
    ----------
    pairs : int
        Pairs that were given.
    duplicates : int
        Pairs left out, because a pair before them is the same; they stand in no part.
    groups : int
        Groups of pairs that must stay together; a pair that shares nothing is a group.
    largest : int
        Pairs in the largest group, duplicates left out.
    wanted_validation, wanted_test : int
        Sizes that were asked for. A part can be smaller, see `split`.

    Page: your_own_text
    """

    pairs: int
    duplicates: int
    groups: int
    largest: int
    wanted_validation: int
    wanted_test: int


@dataclass(frozen=True)
class Split:
    """Which pairs of a corpus are for what: places in the corpus, counted from 0, ascending.

    Attributes
    ----------
    train, validation, test : tuples of int
        No place stands in two of them.
    report : SplitReport
        What was counted on the way.

    Page: your_own_text
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    report: SplitReport


class Shared(NamedTuple):
    """How many held-out pairs have something in training; see `shared`.

    Attributes
    ----------
    source, target : int
        Held-out pairs whose source, or whose target, is one of training.
    both : int
        Held-out pairs of which training has the source and the target, perhaps in two pairs.

    Page: your_own_text
    """

    source: int
    target: int
    both: int


def normalise(side: Any) -> str:
    """Return what is compared of a sentence: "Hi." and "hi" are one.

    In this order: words of a sequence are written one after the other; invisible characters go
    (soft hyphen, zero-width characters, marks of direction and byte order); Unicode's
    compatibility form (NFKC) makes ！ to !, ｶ to カ and ﬁ to fi; letters become small by case
    folding (ß to ss); all white space goes, also between words, so that segmented and unsegmented
    Chinese are one; punctuation at the end goes.

    *Punctuation* is every character of Unicode's categories P (``. , : ; ! ? … 。 、 ” ' ) ] 」 -``
    and so on), without the marks that stand for words: ``# % & * @ / \\ § ¶ † ‡ ‰ ‱``. A sentence
    of punctuation alone keeps it. Punctuation in front and inside stays.

    Parameters
    ----------
    side : str, sequence of str, or anything else that is hashable
        One side of a pair. What is neither text nor words is compared by its ``repr``.

    Returns
    -------
    str
        For comparing, not for reading.

    Notes
    -----
    Unicode Standard Annex 15, "Unicode normalization forms"; the Unicode Standard, section 3.13.

    Examples
    --------
    >>> normalise("Hi."), normalise("hi"), normalise(("Hi", "!"))
    ('hi', 'hi', 'hi')
    >>> normalise("你 好！”"), normalise("ＯＫ，了解。"), normalise("?!")
    ('你好', 'ok,了解', '?!')

    Page: your_own_text
    """
    return _normalised([side])[0]


def split(
    pairs: Sequence[Sequence[Any]],
    *,
    validation: int | None = None,
    test: int | None = None,
    seed: int = 0,
    keep_duplicates: bool = False,
) -> Split:
    """Divide a corpus into training, validation and test without leakage.

    Two pairs that share their source or their target, as `normalise` compares them, are in one
    *group*; so are two pairs that a chain of such pairs connects. A group never stands in two
    parts. Of pairs that have both sides in common only the first stays.

    Groups are put into the order of the SHA-256 of `seed` and of the group's smallest pair (source,
    then target, normalised). The test takes groups from the beginning of this order, validation
    from its end, each group that still fits; training has all others. A group with more than a
    tenth of the pairs wanted for a part stays out of that part, because the part would test little
    else; three pairs are allowed in any case, as far as they are no more than a third (rounded up).

    Parameters
    ----------
    pairs : sequence of (source, target, ...)
        Sides as `normalise` takes them; what stands behind the first two is left out of account.
    validation, test : int, optional
        How many pairs are wanted; 0 for none. If not given: 5 % of the pairs, duplicates left out,
        but at least 1 and at most 1,000.
    seed : int
        Another seed gives another split.
    keep_duplicates : bool
        Whether pairs that have both sides in common all stay, in one part.

    Returns
    -------
    Split
        A part is smaller than wanted only if each group that is allowed in it and went to training
        is larger than what is missing. A corpus with enough pairs that share nothing gives the
        sizes exactly.

    Raises
    ------
    ValueError
        Fewer than 10 pairs, duplicates left out; a negative size; sizes that leave fewer pairs to
        training than are held out; or groups so large that a part would get less than half of what
        it wants.

    Notes
    -----
    What stays the same, if the sizes are given as numbers:

    - Shuffled lines give the same parts. (Of duplicates another one may be the first.)
    - Appended lines that share no side with the old ones leave the old groups in their order. Let
      ``m`` be the number of pairs that a group of the test may have. Then fewer than ``m`` old
      pairs come into the test, none at all if no side repeats in the corpus, and at most as many
      leave it as new ones come in, plus ``2 * (m - 1)``. So a corpus that grows by one per cent
      changes about one per cent of the test.
    - The same is true of validation, if no side repeats in the corpus; otherwise groups that the
      test has taken or left may move validation a little further.
    - An appended line that shares a side with old ones can move their whole group, or join two.

    Examples
    --------
    Numbers "translated" by their squares, which -7 and 7 have in common:

    >>> pairs = [(str(n), str(n * n)) for n in range(-100, 101)]
    >>> parts = split(pairs)
    >>> len(parts.train), len(parts.validation), len(parts.test)
    (181, 10, 10)
    >>> train, test = ({abs(i - 100) for i in part} for part in (parts.train, parts.test))
    >>> train & test
    set()
    >>> parts.report.groups, parts.report.largest
    (101, 2)

    Page: your_own_text
    """
    sources, targets = _sides(pairs)
    root = _groups(sources, targets)
    kept = list(range(len(pairs)))
    if not keep_duplicates:
        first: dict[tuple[str, str], int] = {}
        for i, both in enumerate(zip(sources, targets, strict=True)):
            first.setdefault(both, i)
        kept = list(first.values())
    wanted = _sizes(len(kept), validation, test)
    members: dict[int, list[int]] = {}
    for i in kept:
        members.setdefault(root[i], []).append(i)
    largest = max(map(len, members.values()))
    ordered = _in_hash_order(list(members.values()), sources, targets, seed)
    held_out, chosen = set(), {}
    for name, candidates in (("test", ordered), ("validation", ordered[::-1])):
        limit = _limit(wanted[name])
        free = [group for group in candidates if group[0] not in held_out and len(group) <= limit]
        chosen[name] = _fill(free, wanted[name])
        held_out.update(chosen[name])
        if 2 * len(chosen[name]) < wanted[name]:
            raise ValueError(
                f"{wanted[name]:,} pairs are wanted for {name}, but only {len(chosen[name]):,} can "
                f"be had in groups of at most {limit:,} that share sentences (the largest group "
                f"has {largest:,} of the {len(kept):,} pairs); give --{name} files of your own"
            )
    return Split(
        tuple(i for i in kept if i not in held_out),
        tuple(sorted(chosen["validation"])),
        tuple(sorted(chosen["test"])),
        SplitReport(
            len(pairs),
            len(pairs) - len(kept),
            len(members),
            largest,
            wanted["validation"],
            wanted["test"],
        ),
    )


def overlap(train: Sequence[Sequence[Any]], held_out: Iterable[Sequence[Any]]) -> list[int]:
    """Find the training pairs that a test set of your own makes useless.

    Parameters
    ----------
    train, held_out : (source, target, ...) pairs
        Sides as `normalise` takes them.

    Returns
    -------
    list of int
        Ascending places in `train`, counted from 0, of the pairs whose source is the source of a
        held-out pair, or whose target is the target of one.

    Examples
    --------
    >>> overlap([("Hi.", "嗨。"), ("Run!", "跑！"), ("Hello", "你好")], [("hi", "你好！")])
    [0, 2]

    Page: your_own_text
    """
    sources, targets = (set(side) for side in _sides(held_out))
    return [
        i
        for i, (source, target) in enumerate(zip(*_sides(train), strict=True))
        if source in sources or target in targets
    ]


def shared(train: Iterable[Sequence[Any]], held_out: Iterable[Sequence[Any]]) -> Shared:
    """Count the held-out pairs that were seen in training, side by side.

    Parameters
    ----------
    train, held_out : (source, target, ...) pairs
        Sides as `normalise` takes them.

    Returns
    -------
    Shared
        Counts of held-out pairs.

    Examples
    --------
    >>> train = [("Hi.", "嗨。"), ("Hello", "你好")]
    >>> shared(train, [("hi", "你好！"), ("Hello!", "喂"), ("No", "不")])
    Shared(source=2, target=1, both=1)

    Page: your_own_text
    """
    sources, targets = (set(side) for side in _sides(train))
    found = [
        (source in sources, target in targets)
        for source, target in zip(*_sides(held_out), strict=True)
    ]
    return Shared(
        sum(source for source, _ in found),
        sum(target for _, target in found),
        sum(source and target for source, target in found),
    )


def _sides(pairs: Iterable[Sequence[Any]]) -> tuple[list[str], list[str]]:
    pairs = list(pairs)
    for number, pair in enumerate(pairs):
        if isinstance(pair, str) or len(pair) < 2:
            raise ValueError(f"pair {number:,} (from 0) is {pair!r}, expected (source, target)")
    return _normalised(pair[0] for pair in pairs), _normalised(pair[1] for pair in pairs)


def _normalised(sides: Iterable[Any]) -> list[str]:
    """`normalise` for many; one loop without calls, because a corpus has millions of sides."""
    result = []
    for side in sides:
        if isinstance(side, str):
            text = side
        elif isinstance(side, list | tuple) and all(isinstance(word, str) for word in side):
            text = " ".join(side)
        else:
            result.append(repr(side))
            continue
        if text.isascii():
            text = "".join(text.lower().split())
            result.append(text.rstrip(_ASCII_MARKS) or text)
            continue
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
        # again, for what case folding takes apart
        text = unicodedata.normalize("NFKC", "".join(text.split()))
        end = len(text)
        while end and unicodedata.category(text[end - 1])[0] == "P" and text[end - 1] not in _WORDS:
            end -= 1
        result.append(text[:end] or text)
    return result


def _groups(sources: Sequence[str], targets: Sequence[str]) -> list[int]:
    """Place of the first pair of each pair's group: union-find, paths halved on the way."""
    parent = list(range(len(sources)))
    for side in (sources, targets):
        first: dict[str, int] = {}
        for i, text in enumerate(side):
            a, b = i, first.setdefault(text, i)
            if a == b:
                continue
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[max(a, b)] = min(a, b)
    # a parent stands before its children, so one pass from the front finds all roots
    for i, above in enumerate(parent):
        parent[i] = parent[above]
    return parent


def _sizes(pairs: int, validation: int | None, test: int | None) -> dict[str, int]:
    """Sizes wanted, by the name of the part."""
    if pairs < FEWEST:
        raise ValueError(
            f"the corpus has {pairs} different pairs, expected {FEWEST} or more to split it"
        )
    usual = max(1, min(1000, pairs // 20))
    sizes = {
        "validation": usual if validation is None else validation,
        "test": usual if test is None else test,
    }
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"{size:,} pairs are wanted for {name}, expected 0 or more")
    held_out = sum(sizes.values())
    if pairs - held_out < held_out:
        raise ValueError(
            f"{sizes['validation']:,} pairs for validation and {sizes['test']:,} for test are more "
            f"than half of the {pairs:,} different pairs, expected at most {pairs // 2:,} together"
        )
    return sizes


def _limit(wanted: int) -> int:
    """Pairs that a group may have to stand in a part of `wanted` pairs."""
    return max(wanted // 10, min(3, -(-wanted // 3)))


def _in_hash_order(
    groups: list[list[int]], sources: Sequence[str], targets: Sequence[str], seed: int
) -> list[list[int]]:
    """Groups in an order that their texts and the seed decide, not their places."""
    keys = []
    for group in groups:
        source, target = min([(sources[i], targets[i]) for i in group])
        text = f"{seed}\t{source}\t{target}".encode("utf-8", "surrogatepass")
        keys.append(hashlib.sha256(text).digest())
    return [groups[k] for k in sorted(range(len(groups)), key=keys.__getitem__)]


def _fill(groups: Iterable[Sequence[int]], wanted: int) -> list[int]:
    """Members of the groups from the front, each group that still fits."""
    chosen: list[int] = []
    for group in groups:
        if len(chosen) == wanted:
            break
        if len(chosen) + len(group) <= wanted:
            chosen.extend(group)
    return chosen
