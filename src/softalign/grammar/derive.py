"""Derivations: draw one, read off its Chinese, and read off every English sentence for it.

A category with its classes filled in, such as ``NP(text)``, is a *state*; with states in place of
categories the grammar is a plain weighted context-free grammar.

Page: corpus
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, product
from typing import NamedTuple

from softalign.grammar.model import Grammar, GrammarError, Rule, Word

State = tuple[str, ...]


class Production(NamedTuple):
    """A rule with every class filled in."""

    rule: Rule
    children: tuple[State, ...]
    targets: tuple
    weight: float
    depth: int


class Node:
    """A node of a derivation: a production with children, or a word."""

    __slots__ = ("children", "index", "places", "production", "state", "word")

    def __init__(self, state, production=None, children=(), word=None):
        self.state, self.production, self.children, self.word = state, production, children, word
        self.places: list[int] = []
        self.index = -1


def words_of(grammar: Grammar, state: State) -> tuple[tuple[Word, ...], list[float]]:
    """Return the words that fit `state` and the running sums of their weights.

    The k-th of them in the file has weight 1/(k+4): the nearer the top, the more frequent (Zipf).
    """
    key = ("words", state)
    if key not in grammar.cache:
        fitting = tuple(
            word
            for word in grammar.words[state[0]]
            if all(a == "*" or a in c for a, c in zip(state[1:], word.classes, strict=True))
        )
        weights = [float(w.features.get("w", 1)) / (k + 4) for k, w in enumerate(fitting)]
        grammar.cache[key] = fitting, list(accumulate(weights))
    return grammar.cache[key]


def productions(grammar: Grammar, state: State) -> tuple[Production, ...]:
    """Return every rule for `state` that leads somewhere, with its variables filled in.

    Page: corpus
    """
    if ("expanded", state) not in grammar.cache:
        _expand(grammar, state)
    return grammar.cache["expanded", state]


def _ground(grammar: Grammar, state: State) -> list[tuple[Rule, tuple[State, ...], tuple, float]]:
    found = []
    for rule in grammar.rules[state[0]]:
        bound: dict[str, str] = {}
        for parameter, value in zip(rule.parameters, state[1:], strict=True):
            if parameter.isupper():
                if bound.setdefault(parameter, value) != value:
                    break
            elif parameter != value:
                break
        else:
            for values, share in _bindings(grammar, rule, bound):
                children = tuple(
                    (category, *(values.get(a, a) for a in arguments))
                    for category, arguments in rule.children
                )
                targets = tuple(
                    (_fill(items, values), values.get(a, a)) for items, a in rule.targets
                )
                found.append((rule, children, targets, rule.weight * share))
    return found


def _fill(items: Sequence, values: dict[str, str]) -> tuple:
    return tuple(item._replace(forms=tuple(values.get(f, f) for f in item.forms)) for item in items)


def _bindings(grammar: Grammar, rule: Rule, bound: dict[str, str]):
    """Yield every way to fill the open variables from the words that fit, with its share."""
    options = [(bound, 1.0)]
    for category, arguments in rule.children:
        if category not in grammar.words:
            continue
        extended = []
        for values, share in options:
            wanted = [values.get(a, a) for a in arguments]
            if not any(a.isupper() for a in wanted):
                extended.append((values, share))
                continue
            query = (category, *("*" if a.isupper() else a for a in wanted))
            fitting, sums = words_of(grammar, query)
            mass: dict[tuple[str, ...], float] = {}
            for word, high, low in zip(fitting, sums, [0.0, *sums], strict=False):
                sets = [
                    sorted(c) if a.isupper() else [a]
                    for a, c in zip(wanted, word.classes, strict=True)
                ]
                combinations = list(product(*sets))
                for combination in combinations:
                    mass[combination] = mass.get(combination, 0.0) + (high - low) / len(
                        combinations
                    )
            for combination, weight in mass.items():
                filled = dict(values)
                consistent = all(
                    not a.isupper() or filled.setdefault(a, v) == v
                    for a, v in zip(wanted, combination, strict=True)
                )
                if consistent:
                    extended.append((filled, share * weight / sums[-1]))
        options = extended
    return options


def _expand(grammar: Grammar, start: State) -> None:
    """Fill in everything reachable from `start`, then drop what cannot end."""
    raw: dict[State, list] = {}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if state in raw or state[0] in grammar.words or ("expanded", state) in grammar.cache:
            continue
        raw[state] = _ground(grammar, state)
        waiting.extend(child for _, children, _, _ in raw[state] for child in children)
    need: dict[State, int] = {}

    def depth_of(state: State) -> int | None:
        if state[0] in grammar.words:
            return 0 if words_of(grammar, state)[0] else None
        if ("need", state) in grammar.cache:
            return grammar.cache["need", state]
        return need.get(state)

    changed = True
    while changed:
        changed = False
        for state, entries in raw.items():
            for rule, children, _, _ in entries:
                depths = [depth_of(child) for child in children]
                if None not in depths:
                    depth = max(depths, default=0) + rule.recursive
                    if depth < need.get(state, depth + 1):
                        need[state] = depth
                        changed = True
    for state, entries in raw.items():
        kept = []
        for rule, children, targets, weight in entries:
            depths = [depth_of(child) for child in children]
            if None not in depths:
                depth = max(depths, default=0) + rule.recursive
                kept.append(Production(rule, children, targets, weight, depth))
        grammar.cache["expanded", state] = tuple(kept)
        grammar.cache["need", state] = need.get(state)


def _table(grammar: Grammar, state: State, depth: int, boost: float):
    key = ("table", state, depth, boost)
    if key not in grammar.cache:
        allowed = [p for p in productions(grammar, state) if p.depth <= depth]
        if not allowed:
            raise GrammarError(f"nothing can be derived from {state[0]}({', '.join(state[1:])})")
        grammar.cache[key] = (
            allowed,
            list(accumulate(p.weight * (boost if p.rule.recursive else 1) for p in allowed)),
        )
    return grammar.cache[key]


def draw(
    grammar: Grammar, random: Callable[[], float], state: State, depth: int = 2, boost: float = 1.0
) -> Node:
    """Draw a derivation of `state`.

    Parameters
    ----------
    random
        A function that returns uniform numbers in [0, 1), for example ``random.Random(0).random``.
    depth
        How many recursive rules (written ``+>``) may be nested.
    boost
        What to multiply the weights of recursive rules by.

    Page: corpus
    """
    cache = grammar.cache
    if state[0] in grammar.words:
        entry = cache.get(("words", state)) or words_of(grammar, state)
        words, sums = entry
        return Node(state, word=words[bisect_right(sums, random() * sums[-1])])
    allowed, sums = cache.get(("table", state, depth, boost)) or _table(
        grammar, state, depth, boost
    )
    chosen = allowed[bisect_right(sums, random() * sums[-1])]
    left = depth - chosen.rule.recursive
    return Node(
        state, chosen, [draw(grammar, random, child, left, boost) for child in chosen.children]
    )


def nested(node: Node) -> int:
    """Return how many recursive rules are nested in a derivation.

    Page: corpus
    """
    if node.word:
        return 0
    return max((nested(c) for c in node.children), default=0) + node.production.rule.recursive


def repeats(grammar: Grammar, node: Node) -> bool:
    """Return whether a word stands twice that the grammar file wants only once in a sentence."""
    seen: set[str] = set()

    def visit(node: Node) -> bool:
        if node.word:
            if node.word.category not in grammar.once:
                return False
            parts = {part.removesuffix("们") for part in node.word.chinese}
            again = not seen.isdisjoint(parts)
            seen.update(parts)
            return again
        return any(visit(child) for child in node.children)

    return visit(node)


def collocations(node: Node) -> list[tuple[str, str]]:
    """Return the pairs of words that share a class: adjective and noun, verb and object."""
    if node.word:
        return []
    found = [(node.children[a], node.children[b]) for a, b in node.production.rule.shared]
    heads = [(head(a).word, head(b).word) for a, b in found]
    pairs = [(a.chinese[0], b.chinese[0]) for a, b in heads if a and b]
    return pairs + [pair for child in node.children for pair in collocations(child)]


def head(node: Node) -> Node:
    """Return the word that a phrase is about: the last one of its Chinese side.

    A phrase made of nothing but literals is its own head.
    """
    while node.children:
        node = node.children[-1]
    return node


def chinese(grammar: Grammar, node: Node) -> tuple[list[str], list[str]]:
    """Return the Chinese words and their pinyin, and note in each node where its words stand."""
    words: list[str] = []
    pinyin: list[str] = []
    counter = 0

    def visit(node: Node) -> None:
        nonlocal counter
        node.index = counter
        counter += 1
        node.places = []
        if node.word:
            node.places = list(range(len(words), len(words) + len(node.word.chinese)))
            words.extend(node.word.chinese)
            pinyin.extend(node.word.pinyin)
            return
        for child in node.children:
            child.places = []
        for slot in node.production.rule.slots:
            node.places.append(len(words))
            if slot.literal:
                words.append(slot.literal)
                pinyin.append(grammar.pinyin[slot.literal])
            elif slot.part == "cl":
                measure = head(node.children[slot.child]).word.features["cl"]
                words.append(measure)
                pinyin.append(grammar.pinyin[measure])
            elif slot.part:
                child = node.children[slot.child]
                if child.index < 0 or not child.places:
                    child.index = counter
                    counter += 1
                child.places.append(len(words))
                words.append(child.word.chinese[int(slot.part) - 1])
                pinyin.append(child.word.pinyin[int(slot.part) - 1])
            else:
                visit(node.children[slot.child])

    visit(node)
    return words, pinyin
