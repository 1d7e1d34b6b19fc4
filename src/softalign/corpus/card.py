"""What the corpus is like: its numbers, and how far three methods without learning get.

Page: corpus
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log2

import numpy as np

from softalign.corpus.build import SIZES, Pair
from softalign.metrics import bleu, exact_match

Words = tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """The numbers of a corpus; printing it shows them as a table."""

    numbers: dict[str, dict[str, int | float]] = field(repr=False)
    digest: str

    def __repr__(self) -> str:
        """Return the card as text."""
        lines = []
        for title, rows in self.numbers.items():
            lines.append(title)
            for name, value in rows.items():
                shown = f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
                lines.append(f"  {name:<58}{shown:>10}")
        return "\n".join([*lines, f"digest  {self.digest[:16]}"])


def entropy(words: Iterable[str]) -> float:
    """Return the entropy in bits of one word drawn from `words`.

    >>> entropy(["a", "a", "b", "c"])
    1.5
    """
    counts = Counter(words)
    total = sum(counts.values())
    return sum(n / total * log2(total / n) for n in counts.values())


def unseen_share(sentences: Iterable[Words], training: Iterable[Words], n: int) -> float:
    """Return the share of the n-grams of `sentences` that `training` does not contain.

    >>> unseen_share([("a", "b", "c")], [("a", "b", "d")], 2)
    0.5
    """

    def grams(some: Iterable[Words]) -> list[Words]:
        return [s[k : k + n] for s in some for k in range(len(s) - n + 1)]

    known = set(grams(training))
    found = grams(sentences)
    return sum(gram not in known for gram in found) / max(len(found), 1)


class Nearest:
    """Find the sentence at the smallest edit distance, exactly.

    A sentence that shares k words with another is at least ``max(lengths) - k`` away from it; only
    sentences whose bound does not exceed the best distance so far are compared, all at once, by the
    bit-parallel recurrence of Myers (Journal of the ACM 46(3), 1999) in Hyyrö's form for whole
    sentences: the column of the table is one 64-bit integer per sentence.

    Examples
    --------
    >>> Nearest([("a", "b"), ("a", "c", "d")]).find(("a", "c"))
    (0, 1)

    Page: corpus
    """

    at_once = 32  # candidates compared before the first bound is known

    def __init__(self, sentences: Sequence[Words]) -> None:
        self.ids: dict[str, int] = {}
        for sentence in sentences:
            for word in sentence:
                self.ids.setdefault(word, len(self.ids))
        self.lengths = np.array([len(s) for s in sentences])
        self.words = np.full((len(sentences), self.lengths.max()), len(self.ids))
        holders: dict[tuple[str, int], list[int]] = {}
        for row, sentence in enumerate(sentences):
            self.words[row, : len(sentence)] = [self.ids[word] for word in sentence]
            for key in _numbered(sentence):
                holders.setdefault(key, []).append(row)
        self.holders = {key: np.array(rows) for key, rows in holders.items()}

    def find(self, query: Words) -> tuple[int, int]:
        """Return the index of the nearest sentence (the first, if several) and its distance."""
        if not 0 < len(query) <= 64:
            raise ValueError(f"a query has 1 to 64 words, got {len(query)}")
        shared = np.zeros(len(self.lengths), dtype=np.int64)
        for key in _numbered(query):
            if key in self.holders:
                shared[self.holders[key]] += 1
        bound = np.maximum(self.lengths, len(query)) - shared
        order = np.argsort(bound, kind="stable")
        first = order[: self.at_once]
        distances = self._distances(query, first)
        best = distances.min()
        others = order[self.at_once :][bound[order[self.at_once :]] <= best]
        rows = np.concatenate([first, others])
        distances = np.concatenate([distances, self._distances(query, others)])
        return int(rows[distances == distances.min()].min()), int(distances.min())

    def _distances(self, query: Words, rows: np.ndarray) -> np.ndarray:
        """Return the edit distances between the query and the sentences `rows`."""
        if len(rows) == 0:
            return np.empty(0, dtype=np.int64)
        one, last = np.uint64(1), np.uint64(len(query) - 1)
        masks = np.zeros(len(self.ids) + 1, dtype=np.uint64)
        for place, word in enumerate(query):
            if word in self.ids:
                masks[self.ids[word]] |= one << np.uint64(place)
        lengths = self.lengths[rows]
        equal_at = masks[self.words[rows, : lengths.max()]]
        up = np.full(len(rows), ~np.uint64(0))
        down = np.zeros(len(rows), dtype=np.uint64)
        score = np.full(len(rows), len(query))
        for column in range(equal_at.shape[1]):
            equal = equal_at[:, column]
            horizontal = (((equal & up) + up) ^ up) | equal
            plus = down | ~(horizontal | up)
            minus = up & horizontal
            score += np.where(column < lengths, (plus >> last) & one, 0).astype(np.int64)
            score -= np.where(column < lengths, (minus >> last) & one, 0).astype(np.int64)
            vertical = equal | down
            plus = (plus << one) | one
            up = (minus << one) | ~(vertical | plus)
            down = plus & vertical
        return score


def _numbered(sentence: Words) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    found = []
    for word in sentence:
        found.append((word, seen[word]))
        seen[word] += 1
    return found


def lexicon(pairs: Sequence[Pair]) -> dict[str, str]:
    """Return for each Chinese word the English word it is most often surely linked to."""
    counts: dict[str, Counter[str]] = {}
    for pair in pairs:
        for i, j in sorted(pair.sure):
            counts.setdefault(pair.source[i], Counter())[pair.target[j]] += 1
    return {
        chinese: min(english, key=lambda word: (-english[word], word))
        for chinese, english in counts.items()
    }


def make_card(splits: dict[str, tuple[Pair, ...]], digest: str) -> Card:
    """Measure a corpus; see `softalign.corpus.card`."""
    train, test = splits["train"], splits["test"]
    english = Counter(word for pair in train for word in pair.target)
    chinese = Counter(word for pair in train for word in pair.source)
    known = {word for name in SIZES for pair in splits[name] for word in pair.target}
    numbers: dict[str, dict[str, int | float]] = {
        "words": {
            "Chinese words in train": sum(chinese.values()),
            "Chinese word types in train": len(chinese),
            "English words in train": sum(english.values()),
            "English word types in train": len(english),
            "English types seen fewer than 20 times in train": sum(
                n < 20 for n in english.values()
            ),
            "English types of the test references unknown to train": len(
                {word for pair in test for r in pair.references for word in r} - set(english)
            ),
            "English types in all": len(known),
            "entropy of a Chinese word of train (bits)": entropy(chinese.elements()),
            "entropy of an English word of train (bits)": entropy(english.elements()),
        }
    }
    for name in SIZES:
        pairs = splits[name]
        if not pairs:
            continue
        lengths = sorted(len(pair.source) for pair in pairs)
        rows: dict[str, int | float] = {
            "pairs": len(pairs),
            "Chinese words in a sentence, mean": sum(lengths) / len(lengths),
            "Chinese words in a sentence, 1 of 10 has at least": lengths[len(lengths) * 9 // 10],
            "Chinese words in a sentence, most": lengths[-1],
            "pairs with more than one reference (%)": 100
            * sum(len(pair.references) > 1 for pair in pairs)
            / len(pairs),
            "references, mean": sum(len(pair.references) for pair in pairs) / len(pairs),
        }
        if name != "train":
            for n in range(3, 7):
                rows[f"English {n}-grams not in train (%)"] = 100 * unseen_share(
                    [pair.target for pair in pairs], [pair.target for pair in train], n
                )
        numbers[name] = rows
    numbers["baselines on test"] = baselines(train, test)
    return Card(numbers, digest)


def baselines(train: Sequence[Pair], test: Sequence[Pair]) -> dict[str, float]:
    """Score copying, the nearest training sentence, and translating word for word."""
    nearest = Nearest([pair.source for pair in train])
    table = lexicon(train)
    answers = {
        "copy": [pair.source for pair in test],
        "nearest": [train[nearest.find(pair.source)[0]].target for pair in test],
        "word for word": [
            tuple(table[word] for word in pair.source if word in table) for pair in test
        ],
    }
    references = [pair.references for pair in test]
    rows: dict[str, float] = {}
    for name, hypotheses in answers.items():
        rows[f"{name}, BLEU"] = float(bleu(hypotheses, references))
        rows[f"{name}, exact match (%)"] = 100 * float(exact_match(hypotheses, references))
    return rows
