"""Read a synchronous grammar from a text file, one rule or one word a line.

A mistake is reported with the file, the line and what was expected there.

Page: corpus
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product
from pathlib import Path

from softalign.grammar.checking import check
from softalign.grammar.english import TENSES, gerund, past, third_person
from softalign.grammar.model import Grammar, GrammarError, Item, Rule, Slot, Word

NAME = re.compile(r"([A-Z][A-Za-z]*?)(\d*)")
BUILT_IN = {"be": "be/was/been/being", "have": "have/had/had/having", "do": "do/did/done/doing"}
FORMS = {
    *TENSES,
    "sg",
    "pl",
    "num",
    "nom",
    "obj",
    "poss",
    "self",
    "case",
    "aux",
    "rest",
    "comp",
    "prep",
}


def _forms(category: str, english: str) -> tuple[tuple[str, ...], ...]:
    """Complete the forms of a word; an inflected phrase changes its first (verb) or last word."""
    written = [form.split("_") for form in english.split("/")]
    first = written[0]
    if category.startswith("V"):
        verb, rest = first[0], first[1:]
        regular = [verb, past(verb), past(verb), gerund(verb)]
        if len(written) == 2:
            regular[1:3] = [written[1][0]] * 2
        else:
            for index, form in enumerate(written[1:], 1):
                regular[index] = form[0]
        return tuple((form, *rest) for form in regular)
    if len(written) == 1 and category == "A":
        written.append(["more", *first])
    elif len(written) == 1:
        written.append([*first[:-1], third_person(first[-1])])
    return tuple(tuple(form) for form in written)


def _word(line: str, fail, number: int) -> Word:
    head, _, tail = line.partition(" : ")
    parts = head.split() + [part for part in tail.split() if "=" in part]
    features = dict(part.split("=", 1) for part in parts[1:] if "=" in part)
    fixed = [part for part in parts if "=" not in part]
    if len(fixed) != 4:
        fail(f"a word is 'Category Chinese pinyin English : classes', found {len(fixed)} parts")
    category, chinese, pinyin, english = fixed
    if not re.fullmatch(r"[A-Z][A-Za-z]*", category):
        fail(f"a category starts with a capital and has only letters, found {category!r}")
    if chinese.count("+") != pinyin.count("+"):
        fail(f"{chinese!r} and {pinyin!r} must have the same number of parts joined by +")
    classes = tuple(frozenset(p.split("+")) for p in tail.split() if "=" not in p)
    try:
        float(features.get("w", "1"))
    except ValueError:
        fail(f"the weight must be a number, found w={features['w']}")
    return Word(
        category,
        tuple(chinese.split("+")),
        tuple(pinyin.split("+")),
        _forms(category, english),
        classes,
        features,
        number,
    )


def _call(text: str, fail) -> tuple[str, tuple[str, ...]]:
    match = re.fullmatch(r"([A-Z][A-Za-z]*\d*)(?:\(([\w,*+]+)\))?", text)
    if not match:
        fail(f"expected a category such as NP(person), found {text!r}")
    return match[1], tuple(match[2].split(",")) if match[2] else ()


def _reference(text: str, names: dict, slots: list[Slot], fail) -> tuple[str, int]:
    if text in names:
        return "child", names[text]
    name, _, part = text.partition(".")
    if name in names and part:
        for index, slot in enumerate(slots):
            if slot.child == names[name] and slot.part == part:
                return "slot", index
    literal, nth = re.fullmatch(r"(.*?)(\d*)", text).groups()
    found = [index for index, slot in enumerate(slots) if slot.literal == literal]
    if len(found) < int(nth or 1):
        fail(f"the link to {text!r} finds nothing on the Chinese side")
    return "slot", found[int(nth or 1) - 1]


def _item(text: str, names: dict, slots: list[Slot], parameters: set, fail) -> Item:
    match = re.fullmatch(r"([^=~@]+)(?:@(\w+))?((?:[=~][^=~]+)*)", text)
    if not match:
        fail(f"expected an English word or Name.form@Subject=link~link, found {text!r}")
    base, subject, links = match.groups()
    refs = {
        sign: tuple(
            _reference(ref, names, slots, fail)
            for s, ref in re.findall(r"([=~])([^=~]+)", links)
            if s == sign
        )
        for sign in "=~"
    }
    if subject and subject not in names:
        fail(f"the subject {subject!r} is not on the Chinese side")
    name, *forms = base.split(".") if base.strip(".") else [base]
    child = -1
    if name in names:
        child = names[name]
    elif name in BUILT_IN or name == "pro":
        if not forms:
            fail(f"{name!r} needs a form, for example {name}.{'nom' if name == 'pro' else 'past'}")
    elif NAME.fullmatch(name):
        fail(f"{name!r} is not on the Chinese side, which has {', '.join(names) or 'no category'}")
    for form in forms:
        if form not in FORMS and form not in parameters:
            fail(f"unknown form {form!r} in {text!r}; the forms are {', '.join(sorted(FORMS))}")
    return Item(name, child, tuple(forms), names.get(subject, -1), refs["="], refs["~"])


def _rules(line: str, fail, number: int) -> list[Rule]:
    left, _, right = line.partition("=>")
    match = re.fullmatch(r"\s*([\d.]+\s+)?(\S+)\s+(->|\+>)\s+(.*)", left)
    if not match or not right.strip():
        fail("a rule is '[weight] Category -> Chinese side => English side'")
    weight, head, arrow, chinese = match.groups()
    category, parameters = _call(head, fail)
    tokens = chinese.split()
    optional = [index for index, token in enumerate(tokens) if token.endswith("?")]
    rules = []
    for keep in product((True, False), repeat=len(optional)):
        dropped = {index for index, kept in zip(optional, keep, strict=True) if not kept}
        missing = {_name(tokens[index]) for index in dropped}
        kept = [token.rstrip("?") for index, token in enumerate(tokens) if index not in dropped]
        names: dict[str, int] = {}
        children, slots = [], []
        for token in kept:
            if token[0].isascii() and token[0].isupper() and _name(token) not in names:
                bare = re.sub(r"\.\w+", "", token)
                plain = [
                    t
                    for t in kept
                    if _name(t) == _name(token) and (not re.search(r"\.\w+", t) or "(" in t)
                ]
                name, arguments = _call(re.sub(r"\.\w+", "", plain[0]) if plain else bare, fail)
                names[name] = len(children)
                children.append((NAME.fullmatch(name)[1], arguments))
        for token in kept:
            if token[0].isascii() and token[0].isupper():
                part = re.search(r"\.(\w+)", token)
                slots.append(Slot(child=names[_name(token)], part=part[1] if part else ""))
            else:
                slots.append(Slot(literal=token))
        variables = {a for _, args in children for a in args} | set(parameters)
        targets = []
        for alternative in right.split("|"):
            agreement = re.search(r"\{(=?\w+)\}", alternative)
            words = re.sub(r"\{.*?\}", "", alternative).split()
            if any(re.match(r"\w*", word)[0] in missing for word in words):
                words = [w for w in words if re.match(r"\w*", w)[0] not in missing]
            items = tuple(_item(word, names, slots, variables, fail) for word in words)
            used = {item.child for item in items}
            for name, index in names.items():
                if index not in used:
                    fail(f"{name} is on the Chinese side but not on the English side")
            if agreement and agreement[1].startswith("=") and agreement[1][1:] not in names:
                fail(f"the agreement {agreement[0]} names no category of the Chinese side")
            value = agreement[1] if agreement else ""
            value = f"={names[value[1:]]}" if value.startswith("=") else value
            targets.append((items, value))
        rules.append(
            Rule(category, parameters, tuple(slots), tuple(children), tuple(targets),
                 float(weight or 1) / 2 ** len(optional), arrow == "+>", number)
        )  # fmt: skip
    return rules


def _name(token: str) -> str:
    match = re.match(r"[A-Z][A-Za-z]*\d*", token)
    return match[0] if match else token


def read_grammar(path: str | Path | None = None) -> Grammar:
    """Read a grammar file; without a path, the one that comes with the package.

    Parameters
    ----------
    path
        A UTF-8 text file. Lines are comments (``#``), words, rules, or entries of the link guide.

    Raises
    ------
    GrammarError
        With file, line and what was expected.

    Examples
    --------
    >>> grammar = read_grammar()
    >>> [word.forms[1] for word in grammar.words["Kid"] if word.chinese == ("孩子",)]
    [('children',)]

    Page: corpus
    """
    if path is None:
        source = files("softalign") / "data" / "zh_en.grammar"
        name, text = "zh_en.grammar", source.read_text(encoding="utf-8")
    else:
        name, text = Path(path).name, Path(path).read_text(encoding="utf-8")
    return parse_grammar(text, name)


def parse_grammar(text: str, name: str = "grammar") -> Grammar:
    """Read a grammar from a string; `name` is used in error messages.

    Examples
    --------
    >>> parse_grammar("S -> X => Y", "mine")
    Traceback (most recent call last):
        ...
    softalign.grammar.model.GrammarError: mine:1: 'Y' is not on the Chinese side, which has X

    Page: corpus
    """
    words: dict[str, list[Word]] = {}
    rules: dict[str, list[Rule]] = {}
    pinyin: dict[str, str] = {}
    guide: list[dict[str, str]] = []
    once: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):

        def fail(message: str, number: int = number) -> None:
            raise GrammarError(f"{name}:{number}: {message}")

        line = raw.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("guide "):
            fields = [part.strip() for part in line[6:].split("|")]
            if len(fields) != 6:
                fail(f"a guide line has 6 fields between bars, found {len(fields)}")
            keys = ("name", "category", "chinese", "english", "links", "rule")
            guide.append(dict(zip(keys, fields, strict=True)))
        elif line.startswith("once "):
            once.extend(line.split()[1:])
        elif "=>" in line or "->" in line or "+>" in line:
            for rule in _rules(line, fail, number):
                rules.setdefault(rule.category, []).append(rule)
        elif line.startswith("W "):
            if len(line.split()) != 3:
                fail("a function word is 'W Chinese pinyin'")
            pinyin[line.split()[1]] = line.split()[2]
        else:
            word = _word(line, fail, number)
            words.setdefault(word.category, []).append(word)
    grammar = Grammar(
        {category: tuple(entries) for category, entries in words.items()},
        {category: tuple(entries) for category, entries in rules.items()},
        pinyin,
        tuple(guide),
        frozenset(once),
        text,
    )
    check(grammar, name)
    return grammar
