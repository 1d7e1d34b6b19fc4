"""From a derivation to English: word forms, agreement, and a link for every word.

Where Chinese leaves something open (the number of a bare noun, the gender behind a dropped pronoun)
the rule has several English sides, and `sentences` returns the sentences for all combinations.

Page: corpus
"""

from __future__ import annotations

from typing import NamedTuple

from softalign.grammar.derive import Node, head
from softalign.grammar.english import (
    CASES,
    PRONOUNS,
    TENSES,
    an,
    conjugate,
    verb_group,
)
from softalign.grammar.reading import BUILT_IN

FUNCTION = frozenset(("a", "an", "the", "to", "of", "in", "on", "at", "by", "for", "with", "from"))
BUILT_IN_FORMS = {name: tuple(forms.split("/")) for name, forms in BUILT_IN.items()}
Emitted = tuple[str, tuple[int, ...], tuple[int, ...]]


class Sentence(NamedTuple):
    """One English sentence for a derivation, with links ``(source, target)``."""

    words: tuple[str, ...]
    sure: frozenset[tuple[int, int]]
    possible: frozenset[tuple[int, int]]


class Open:
    """The open choices of one pass, in the order in which they were met."""

    def __init__(self) -> None:
        self.trail: list[list[int]] = []
        self.position = 0
        self.known: dict = {}

    def choose(self, key: object, count: int) -> int:
        """Return the choice for `key`, the same one each time it is asked for in a pass."""
        if key in self.known:
            return self.known[key]
        if self.position == len(self.trail):
            self.trail.append([0, count])
        self.known[key] = self.trail[self.position][0]
        self.position += 1
        return self.known[key]

    def advance(self) -> bool:
        """Move to the next combination; False when there is none."""
        while self.trail and self.trail[-1][0] + 1 == self.trail[-1][1]:
            self.trail.pop()
        if not self.trail:
            return False
        self.trail[-1][0] += 1
        self.position = 0
        self.known = {}
        return True


def _agreement(node: Node, number: str, choices: Open) -> tuple[str, Node]:
    """Return person, number and gender of a phrase, and the word they come from."""
    if node.word:
        features = node.word.features
        if "agr" in features:
            return features["agr"], node
        human = any("person" in c for c in node.word.classes)
        return _third(number, features.get("g", "h" if human else "n")), node
    targets = node.production.targets
    chosen = choices.choose(node.index, len(targets)) if len(targets) > 1 else 0
    value = targets[chosen][1]
    if value.startswith("="):
        return _agreement(node.children[int(value[1:])], number, choices)
    if value in PRONOUNS:
        return value, head(node)
    word = head(node)
    number = value or number
    return _agreement(word, number, choices) if word.word else (_third(number), word)


def _third(number: str, gender: str = "n") -> str:
    return "3p" if number == "pl" else "3s" + gender


def _pronoun(agreement: tuple[str, Node], case: str, choices: Open) -> str:
    value, word = agreement
    if value == "3sh":
        value = ("3sm", "3sf")[choices.choose(("gender", word.index), 2)]
    return PRONOUNS[value][CASES[case]]


def _lexical(node: Node, item, number: str, case: str, subject, choices: Open) -> list[Emitted]:
    """Return the forms of one word of the grammar, each linked to its Chinese."""
    word, places = node.word, node.places
    forms = word.forms
    tense = next((f for f in item.forms if f in TENSES), "")
    if "agr" in word.features and ("case" in item.forms or CASES.keys() & set(item.forms)):
        english: tuple[str, ...] = (PRONOUNS[word.features["agr"]][CASES[case]],)
        verbs = 0
    elif tense:
        first = tuple(form[0] for form in forms)
        agreement = subject[0] if subject else "3sn"
        if "aux" in item.forms:
            return [(conjugate(first, tense, agreement)[0], (), tuple(places[:1]))]
        if "rest" in item.forms:
            group = [conjugate(first, tense, agreement)[1]]
        else:
            group = verb_group(first, tense, agreement)
        verbs = len(group) - 1
        english = (*group, *forms[0][1:])
    else:
        if "num" in item.forms:
            form = number == "pl"
        else:
            form = bool({"pl", "comp", "prep"} & set(item.forms))
        english, verbs = forms[form], 0
    if "prep" in item.forms:
        return [(text, (), tuple(places)) for text in english]
    content = [k for k, w in enumerate(english) if w not in FUNCTION and k >= verbs]
    if not content:
        content = [len(english) - 1]
    found = []
    for k, text in enumerate(english):
        if len(places) == 1 or len(content) == 1:
            linked = tuple(places)
        else:
            linked = (places[0],) if k <= content[0] else tuple(places[1:])
        found.append((text, linked, ()) if k in content else (text, (), linked))
    return found


def _emit(node: Node, number: str, case: str, subject, choices: Open, out: list[Emitted]) -> None:
    production = node.production
    targets = production.targets
    chosen = choices.choose(node.index, len(targets)) if len(targets) > 1 else 0
    items, own = targets[chosen]
    if own in ("sg", "pl"):
        number = own
    for item in items:
        at = item.subject
        agree = subject if at < 0 else _agreement(node.children[at], number, choices)
        if item.child >= 0:
            child = node.children[item.child]
            inner = "sg" if "sg" in item.forms else "pl" if "pl" in item.forms else number
            inner_case = next((f for f in item.forms if f in CASES), case)
            if child.word:
                found = _lexical(child, item, inner, inner_case, agree, choices)
            else:
                found = []
                _emit(child, inner, inner_case, agree, choices, found)
        elif item.text == "pro":
            found = [(_pronoun(agree or ("3sh", node), item.forms[0], choices), (), ())]
        elif item.text in BUILT_IN_FORMS and item.forms:
            found = [(word, (), ()) for word in _auxiliary(item, agree)]
        else:
            found = [(item.text, (), ())]
        if item.sure or item.possible:
            sure = _places(node, item.sure)
            possible = _places(node, item.possible)
            which = _marked(item, found)
            for k in which:
                word, s, p = found[k]
                found[k] = (word, s + sure, p + possible)
        out.extend(found)


def _marked(item, found: list[Emitted]) -> range:
    """Return which words an extra link is for: a verb and its auxiliary, else the last word."""
    if item.child < 0:
        return range(len(found))
    if TENSES.isdisjoint(item.forms):
        return range(len(found) - 1, len(found))
    return range(1 + next(k for k, (_, sure, _) in enumerate(found) if sure or k + 1 == len(found)))


def _auxiliary(item, agree) -> list[str]:
    agreement = agree[0] if agree else "3sn"
    forms = BUILT_IN_FORMS[item.text]
    tense = item.forms[0]
    if "aux" in item.forms:
        return [conjugate(forms, tense, agreement)[0]]
    if "rest" in item.forms:
        rest = conjugate(forms, tense, agreement)[1]
        return [rest] if rest else []
    return verb_group(forms, tense, agreement)


def _places(node: Node, references) -> tuple[int, ...]:
    found: tuple[int, ...] = ()
    for kind, index in references:
        if kind == "slot":
            found += (node.places[index],)
        else:
            found += tuple(head(node.children[index]).places[-1:])
    return found


def sentences(node: Node, most: int) -> list[list[Emitted]]:
    """Return every English sentence of a derivation, at most `most` + 1 of them.

    `chinese` must have been called on the derivation: it notes where the Chinese words stand.
    """
    choices = Open()
    found: list[list[Emitted]] = []
    seen: set[tuple[str, ...]] = set()
    while True:
        out: list[Emitted] = []
        _emit(node, "sg", "nom", None, choices, out)
        words = tuple(word for word, _, _ in out)
        if words not in seen:
            seen.add(words)
            found.append(out)
        if len(found) > most or not choices.advance():
            return found


def finish(emitted: list[Emitted]) -> Sentence:
    """Turn the words of one pass into a sentence: *a* or *an*, and sets of links."""
    sure = frozenset((i, j) for j, (_, places, _) in enumerate(emitted) for i in places)
    possible = frozenset((i, j) for j, (_, _, places) in enumerate(emitted) for i in places)
    return Sentence(tuple(an([word for word, _, _ in emitted])), sure, sure | possible)
