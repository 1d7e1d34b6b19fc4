"""Refuse what no single line of a grammar can show: unknown categories, classes, measure words.

Page: corpus
"""

from __future__ import annotations

from softalign.grammar.model import Grammar, GrammarError, Rule, Word


def check(grammar: Grammar, name: str) -> None:
    """Raise `GrammarError` with file and line for the first slip; `name` is the file.

    Page: corpus
    """
    arity: dict[str, int] = {}
    uses: dict[str, set[int]] = {}
    for entries in (*grammar.rules.values(), *grammar.words.values()):
        for entry in entries:
            both = entry.category in grammar.rules and entry.category in grammar.words
            size = len(entry.parameters if isinstance(entry, Rule) else entry.classes)
            if both or arity.setdefault(entry.category, size) != size:
                expected = (
                    "only rules or only words" if both else f"{arity[entry.category]} classes"
                )
                raise GrammarError(
                    f"{name}:{entry.line}: {entry.category} has {expected} elsewhere"
                )
            if isinstance(entry, Word):
                for value in {v for values in entry.classes for v in values}:
                    uses.setdefault(value, set()).add(entry.line)
    for entries in grammar.rules.values():
        for rule in entries:
            decided = {a for c, args in rule.children if c in grammar.words for a in args}
            for category, arguments in rule.children:
                for value in arguments:
                    if value.isupper() and value not in decided.union(rule.parameters):
                        raise GrammarError(
                            f"{name}:{rule.line}: the class {value} of {category} is decided "
                            "neither by the left-hand side nor by a word"
                        )
                if category not in arity:
                    raise GrammarError(f"{name}:{rule.line}: no rule and no word for {category!r}")
                if len(arguments) != arity[category]:
                    raise GrammarError(
                        f"{name}:{rule.line}: {category} takes {arity[category]} classes, "
                        f"found {len(arguments)}"
                    )
            for value in {v for _, a in rule.children for v in a} | set(rule.parameters):
                uses.setdefault(value, set()).add(rule.line)
            for slot in rule.slots:
                if slot.literal and slot.literal not in grammar.pinyin:
                    raise GrammarError(
                        f"{name}:{rule.line}: no pinyin for {slot.literal!r}; "
                        f"add a line 'W {slot.literal} pinyin'"
                    )
    for entries in grammar.words.values():
        for word in entries:
            measure = word.features.get("cl", "")
            if measure and measure not in grammar.pinyin:
                raise GrammarError(
                    f"{name}:{word.line}: no pinyin for the measure word {measure!r}; "
                    f"add a line 'W {measure} pinyin'"
                )
            for value in sorted({v for values in word.classes for v in values}):
                if len(uses[value]) < 2 and value not in ("sg", "pl"):
                    raise GrammarError(
                        f"{name}:{word.line}: the class {value!r} occurs on no other line; "
                        "is it a slip?"
                    )
