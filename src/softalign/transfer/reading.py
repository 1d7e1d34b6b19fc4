"""Read the dictionary and the rule file, and say file, line and reason when they are wrong.

Page: 01_smt/rule_based
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Entry",
    "Pattern",
    "Rule",
    "RuleError",
    "Rules",
    "parse_dictionary",
    "parse_rules",
    "read_dictionary",
    "read_rules",
]

WORD = re.compile(r'\w*"[^"]*"|\.\.\w*|[^\s()\[\]:*"|]+|[()\[\]:*|]')
RELATION = re.compile(r"^[a-z]+:\S+$")
SETTING = re.compile(r"^(-|!)?([a-z]+)(\??=([^\s=]+))?$")
VARIABLE = re.compile(r"^[a-z]\w*$|^\.\.\w*$")


class RuleError(ValueError):
    """A line of a rule file or dictionary that cannot be used; says file, line and reason."""


@dataclass(frozen=True)
class Entry:
    """One sense of one word: a line of the dictionary.

    `wants` are the conditions under which the sense is chosen: relation and accepted words or
    classes. `forms` are the irregular forms of the first English word.
    """

    words: tuple[str, ...]
    pinyin: str
    label: str
    english: str
    forms: tuple[str, ...]
    features: Mapping[str, str]
    wants: tuple[tuple[str, frozenset[str]], ...]
    line: int

    @property
    def name(self) -> str:
        """How a trace calls it."""
        return f"entry {' '.join(self.words)} = {self.english.replace('_', ' ')}"


@dataclass(frozen=True)
class Pattern:
    """One part of a rule: what to match on its left side, what to build on its right side.

    `labels` are categories, or Chinese words, of which one must fit; a sequence variable has none
    and a name that starts with two dots. On the right side `text` is new English.
    """

    labels: tuple[str, ...] = ()
    name: str = ""
    settings: tuple[tuple[str, str, str], ...] = ()
    children: tuple[Pattern, ...] | None = None
    head: bool = False
    text: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of analysis (``->``) or of transfer (``=>``), its examples, and how it was written."""

    name: str
    left: Pattern
    right: tuple[Pattern, ...]
    cost: int
    line: int
    examples: tuple[tuple[str, str], ...] = ()
    text: str = ""


@dataclass(frozen=True, eq=False)
class Rules:
    """Everything the translator knows, in the order of the files."""

    dictionary: tuple[Entry, ...]
    analysis: tuple[Rule, ...]
    transfer: tuple[Rule, ...]


def _setting(text: str, fail) -> tuple[str, str, str]:
    match = SETTING.match(text)
    if not match:
        fail(f"{text!r} is no feature, expected name, name=value, name?=value, !name or -name")
    sign, name, assignment, value = match.groups()
    mode = sign or ("?" if (assignment or "").startswith("?") else "=")
    return mode, name, value or "yes"


class _Parser:
    """Reads patterns from the tokens of one line."""

    def __init__(self, text: str, fail) -> None:
        self.tokens, self.fail = WORD.findall(text), fail

    def next(self, *wanted: str) -> bool:
        """Take the next token if it is one of those wanted."""
        if self.tokens and self.tokens[0] in wanted:
            self.tokens.pop(0)
            return True
        return False

    def sequence(self, end: str = "") -> tuple[Pattern, ...]:
        parts = []
        while self.tokens and self.tokens[0] != end:
            parts.append(self.part())
        if end and not self.next(end):
            self.fail(f"a bracket is open, expected {end!r}")
        return tuple(parts)

    def part(self) -> Pattern:
        token = self.tokens.pop(0)
        if token in "()[]:*|":
            self.fail(f"{token!r} stands where a category, a word or a variable was expected")
        text, role, labels = None, "", [token]
        if token.endswith('"'):
            label, text, _ = token.split('"')
            labels = [label or "W"]
        if VARIABLE.match(token) and self.next(":"):
            if not self.tokens:
                self.fail(f"a category was expected after {token}:")
            role, labels = token, [self.tokens.pop(0)]
        while self.next("|"):
            if not self.tokens:
                self.fail("a category was expected after '|'")
            labels.append(self.tokens.pop(0))
        name, settings, children, head = role, (), None, False
        while self.tokens and self.tokens[0] in "[(:*":
            sign = self.tokens.pop(0)
            if sign == "[":
                settings += self.settings()
            elif sign == "(":
                children = self.sequence(")")
            elif sign == "*":
                head = True
            elif not self.tokens or not VARIABLE.match(self.tokens[0]):
                self.fail("a variable in small letters was expected after ':'")
            else:
                name = self.tokens.pop(0)
        if not name and VARIABLE.match(token) and text is None:
            name, labels = token, []
        return Pattern(tuple(labels), name, settings, children, head, text)

    def settings(self) -> tuple[tuple[str, str, str], ...]:
        inside = []
        while self.tokens and self.tokens[0] != "]":
            inside.append(self.tokens.pop(0))
        if not self.next("]"):
            self.fail("a bracket is open, expected ']'")
        return tuple(_setting(part.strip(), self.fail) for part in " ".join(inside).split(","))


def _names(pattern: Pattern) -> list[str]:
    inside = [name for child in pattern.children or () for name in _names(child)]
    return ([pattern.name] if pattern.name else []) + inside


def _rule(text: str, sign: str, line: int, fail) -> Rule:
    left, _, right = (part.strip() for part in text.partition(sign))
    name, cost = "", 10
    if sign == "=>":
        name, mark, left = left.partition(": ")
        if not mark or "(" in name:
            fail("a transfer rule starts with its name and a colon")
    else:
        right, mark, number = right.partition(" cost ")
        if mark and not number.strip().isdigit():
            fail(f"the cost is {number.strip()!r}, expected a whole number")
        cost = int(number) if mark else cost
        name = f"{left} -> {right.strip()}"
    left_parts, right_parts = _Parser(left, fail).sequence(), _Parser(right, fail).sequence()
    if len(left_parts) != 1 or not left_parts[0].labels:
        fail(f"one category was expected to the left of {sign}")
    if not right_parts:
        fail(f"nothing stands to the right of {sign}")
    if sign == "=>":
        known = set(_names(left_parts[0]))
        if len(right_parts) != 1:
            fail("one tree was expected to the right of =>")
        for used in _names(right_parts[0]):
            if used not in known:
                fail(f"{used} is used on the right side but not bound on the left side")
    return Rule(name.strip(), left_parts[0], right_parts, cost, line, text=text)


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror}") from None


def _numbered(text: str, file: str):
    for number, line in enumerate(text.splitlines(), 1):

        def fail(reason: str, number=number):
            raise RuleError(f"{file}, line {number}: {reason}")

        line = line.split("#")[0].rstrip()
        if line:
            yield number, line, fail


def read_rules(path: str | Path) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Read a rule file.

    Returns
    -------
    tuple
        The rules of analysis and the rules of transfer, in the order of the file.

    Raises
    ------
    RuleError
        With file, line and reason, for a line that cannot be read, a variable that is not bound, a
        rule without an example, and two transfer rules of one name.

    Page: 01_smt/rule_based
    """
    return parse_rules(_read(path), str(path))


def parse_rules(text: str, file: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Read rules from a text, as `read_rules` does from a file; `file` is for messages.

    Page: 01_smt/rule_based
    """
    found, names = {"->": [], "=>": []}, {}
    current: tuple[str, Rule] | None = None

    def close() -> None:
        if current:
            sign, rule = current
            if not rule.examples:
                raise RuleError(f"{file}, line {rule.line}: the rule has no line 'e.g. …' under it")
            if rule.name in names:
                raise RuleError(
                    f"{file}, line {rule.line}: {rule.name!r} is also in line {names[rule.name]}"
                )
            names[rule.name] = rule.line
            found[sign].append(rule)

    for number, line, fail in _numbered(text, file):
        if line.strip().startswith("e.g. "):
            chinese, equals, english = line.strip()[5:].partition(" = ")
            if not current or not equals:
                fail("an example is 'e.g. Chinese words = English words', under its rule")
            sign, rule = current
            example = (chinese.strip(), english.strip())
            current = sign, Rule(**{**vars(rule), "examples": (*rule.examples, example)})
            continue
        sign = "=>" if " => " in line else "->" if " -> " in line else ""
        if not sign:
            fail("expected a rule with -> or =>, or an example that starts with 'e.g.'")
        close()
        current = sign, _rule(line, sign, number, fail)
    close()
    return tuple(found["->"]), tuple(found["=>"])


def read_dictionary(path: str | Path) -> tuple[Entry, ...]:
    """Read a dictionary: one sense a line, ``word pinyin category english[/forms] [features]``.

    Raises
    ------
    RuleError
        With file, line and reason.

    Page: 01_smt/rule_based
    """
    return parse_dictionary(_read(path), str(path))


def parse_dictionary(text: str, file: str) -> tuple[Entry, ...]:
    """Read a dictionary from a text, as `read_dictionary` does from a file.

    Page: 01_smt/rule_based
    """
    entries = []
    for number, line, fail in _numbered(text, file):
        parts = line.split()
        if len(parts) < 4:
            fail(f"{len(parts)} columns, expected Chinese, pinyin, category, English")
        chinese, pinyin, label, english = parts[:4]
        if not re.match(r"^[A-Z]\w*$", label):
            fail(f"{label!r} is no category, expected a word with a capital letter")
        wants = tuple(part.partition(":")[::2] for part in parts[4:] if RELATION.match(part))
        others = [_setting(part, fail) for part in parts[4:] if not RELATION.match(part)]
        lemma, *forms = english.split("/")
        entries.append(
            Entry(
                tuple(chinese.split("+")),
                pinyin.replace("+", " "),
                label,
                "" if lemma == "-" else lemma,
                tuple(forms),
                {name: value for _, name, value in others},
                tuple((relation, frozenset(words.split("|"))) for relation, words in wants),
                number,
            )
        )
    return tuple(entries)
