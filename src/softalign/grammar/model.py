"""What a grammar is made of: words, rules, and what a line of the file becomes.

Page: corpus
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class GrammarError(ValueError):
    """A line of a grammar file says something that cannot be understood."""


@dataclass(frozen=True, eq=False)
class Word:
    """A word with its translation: one line of the grammar file."""

    category: str
    chinese: tuple[str, ...]
    pinyin: tuple[str, ...]
    forms: tuple[tuple[str, ...], ...]
    classes: tuple[frozenset[str], ...]
    features: dict[str, str]
    line: int
    cache: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Slot:
    """One place on the Chinese side: a literal, a child, or a part of a child."""

    literal: str = ""
    child: int = -1
    part: str = ""


class Item(NamedTuple):
    """One place on the English side: a literal, a form of a child, or an auxiliary."""

    text: str
    child: int
    forms: tuple[str, ...]
    subject: int
    sure: tuple[tuple[str, int], ...]
    possible: tuple[tuple[str, int], ...]


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule: what the category may consist of in Chinese, and how English says the same."""

    category: str
    parameters: tuple[str, ...]
    slots: tuple[Slot, ...]
    children: tuple[tuple[str, tuple[str, ...]], ...]
    targets: tuple[tuple[tuple[Item, ...], str], ...]
    weight: float
    recursive: bool
    line: int

    @cached_property
    def shared(self) -> tuple[tuple[int, int], ...]:
        """Children that share a variable, the first being a verb or an adjective."""
        return tuple(
            (a, b)
            for a, (name, first) in enumerate(self.children)
            if name in ("V", "A")
            for b, (other, second) in enumerate(self.children)
            if other != "P" and b != a and first and first[0].isupper() and first[0] in second[:1]
        )


@dataclass(frozen=True, eq=False)
class Grammar:
    """Words and rules by category, the pinyin of function words, and the link guide."""

    words: dict[str, tuple[Word, ...]]
    rules: dict[str, tuple[Rule, ...]]
    pinyin: dict[str, str]
    guide: tuple[dict[str, str], ...]
    once: frozenset[str]
    text: str
    cache: dict = field(default_factory=dict, repr=False)
