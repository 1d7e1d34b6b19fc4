"""The pages held to the registry of notation: every letter of every formula, indices included."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from book_files import PAGES
from softalign_symbols import bound, first_page, symbols
from test_front_matter import NOTATION, formulas, tables

# Rule 8 of the registry: what stands beside these is a name.
NAMED = {r"\mathbf{W}", r"\mathbf{b}", "w"}
LOOKED_UP = ("notation", "glossary")
NOTE = re.compile(r"^(`{3,}|:{3,})\{admonition\} Letters on this page\n(.*?)^\1", re.M | re.S)


def short(name: str) -> str:
    """The name of a page as the registry writes it."""
    return name.removeprefix("book/").removeprefix("chapters/")


ORDER = [short(page.name) for page in PAGES]
READ = [page for page in PAGES if short(page.name) not in LOOKED_UP]
each = pytest.mark.parametrize("page", READ, ids=[page.name for page in READ])
FORMULAS = {short(page.name): formulas(page.prose) for page in READ}


def in_dollars(cell: str) -> list[str]:
    """The formulas of a cell of a table."""
    return re.findall(r"\$([^$]+)\$", cell)


class Registry:
    """What `book/notation.md` declares: where a letter may be used, and what else it is where."""

    def __init__(self, text: str, order: list[str]):
        self.order = order
        self.wholes: dict[str, int] = {}
        self.bases: dict[str, int] = {}
        self.local: dict[str, set[str]] = defaultdict(set)
        self.rows: list[tuple[str, str]] = []
        for table in tables(text):
            if table[0][0] == "Symbol" and len(table[0]) == 5:
                for row in table[1:]:
                    self._declare(row)
            elif table[0][0] == "Symbol":
                for row in table[1:]:
                    for page in re.findall(r"`([^`]+)`", row[2]):
                        for formula in in_dollars(row[0]):
                            for symbol in symbols(formula, deep=False):
                                self.local[page] |= {symbol.base, symbol.whole}

    def _declare(self, row: list[str]) -> None:
        page = row[4].strip("`")
        place = self.order.index(page)
        for formula in in_dollars(row[0]):
            self.rows.append((formula, page))
            for symbol in symbols(formula, deep=False):
                self.bases[symbol.base] = min(self.bases.get(symbol.base, place), place)
        for formula in in_dollars(row[0]) + in_dollars(row[1]):  # "so W^K, W^V" with W^Q
            for symbol in symbols(formula, deep=False):
                if symbol.whole == symbol.base and formula not in in_dollars(row[0]):
                    continue  # "feature k" is no declaration of k
                self.wholes[symbol.whole] = min(self.wholes.get(symbol.whole, place), place)

    def declares(self, base: str, page: str) -> bool:
        """Whether a letter without its indices may stand on a page."""
        place = self.order.index(page)
        return base in self.local[page] or self.bases.get(base, len(self.order)) <= place

    def missing(self, formula: str, page: str, free: frozenset = frozenset()) -> set[str]:
        """The letters of a formula, and of its indices, that may not stand on a page."""
        free = free | bound(formula)
        found = set()
        for symbol in symbols(formula, deep=False):
            place = self.wholes.get(symbol.whole, len(self.order))
            if symbol.whole in self.local[page] or place <= self.order.index(page):
                continue
            component = symbol.below and self.declares(rf"\mathbf{{{symbol.base}}}", page)
            good = symbol.base in free or component or self.declares(symbol.base, page)
            found |= set() if good else {symbol.base}
            if symbol.base not in NAMED:
                for script in (symbol.below, symbol.above):
                    found |= self.missing(script, page, free)
        return found


REGISTRY = Registry(NOTATION, ORDER)


@each
def test_every_letter_of_every_formula_is_declared_for_its_page(page):
    name = short(page.name)
    wrong = {}
    for formula in FORMULAS[name]:
        for letter in REGISTRY.missing(formula, name):
            wrong.setdefault(letter, formula)
    assert not wrong, f"not in book/notation.md for this page or one before: {wrong}"


def test_formulas_are_read_at_all():
    """Were nothing read, nothing would be missing."""
    letters = [
        symbol for found in FORMULAS.values() for f in found for symbol in symbols(f, deep=False)
    ]
    assert len(letters) > 5000
    assert len({symbol.base for symbol in letters}) > 130


SMALL = """
| Symbol | Meaning | Shape or range | In code | First used |
|---|---|---|---|---|
| $x_i$ | word | word | `x` | `one` |
| $i$ | position | number | `i` | `one` |
| $\\mathbf z$ | logits | $d$ | `z` | `two` |
| $\\mathbf W^Q$ | weights; so $\\mathbf W^K$ | matrix | `W` | `two` |
| $\\mathbf c_t$ | cell | $d$ | `c` | `two` |

| Symbol | Meaning there | Only on | Elsewhere |
|---|---|---|---|
| $k,\\ \\hat x$ | lag; guess | `three` | nothing |
"""


@pytest.mark.parametrize(
    ("page", "formula", "missing"),
    [
        ("one", r"x_i+x_1", set()),
        ("one", r"x_k", {"k"}),  # an index counts
        ("one", r"\sum_{k} x_k", set()),  # a sum's own letter does not
        ("one", r"e^{-x_q}", {"e", "q"}),
        ("one", r"\mathbf z", {r"\mathbf{z}"}),  # declared, but later
        ("two", r"\mathbf z", set()),
        ("two", r"z_i", set()),  # a component
        ("two", r"z", {"z"}),
        ("two", r"\mathbf W^K k", {"k"}),
        ("two", r"\tilde{\mathbf z}", {r"\tilde{\mathbf{z}}"}),  # a decoration makes another letter
        ("two", r"\mathbf W^K \mathbf W_{xh}", set()),  # a name beside a weight
        ("two", r"\mathbf c_{xh}", {"h"}),
        ("two", r"\hat x_k", {r"\hat{x}", "k"}),  # only on page three
        ("three", r"\hat x_k", set()),
    ],
)
def test_what_is_not_declared_is_found(page, formula, missing):
    assert Registry(SMALL, ["one", "two", "three"]).missing(formula, page) == missing


@each
def test_a_second_meaning_is_named_in_the_note_of_its_page(page):
    name = short(page.name)
    notes = " ".join(text for _, text in NOTE.findall(page.prose))
    named = set()
    for formula in formulas(notes):
        for symbol in symbols(formula):
            named |= {symbol.base, symbol.whole}
    local = next(table for table in tables(NOTATION) if table[0][2] == "Only on")
    for row in local[1:]:
        if name not in re.findall(r"`([^`]+)`", row[2]):
            continue
        for formula in in_dollars(row[0]):
            for symbol in symbols(formula, deep=False):
                bold = rf"\mathbf{{{symbol.base}}}"
                assert {symbol.base, symbol.whole, bold} & named, f"{symbol.whole} has no note"


def test_a_second_meaning_is_declared_once_a_page():
    local = next(table for table in tables(NOTATION) if table[0][2] == "Only on")
    seen = set()
    for row in local[1:]:
        for page in re.findall(r"`([^`]+)`", row[2]):
            assert page in ORDER, page
            for formula in in_dollars(row[0]):
                for symbol in {symbol.whole for symbol in symbols(formula, deep=False)}:
                    assert (page, symbol) not in seen, f"{symbol} twice on {page}"
                    seen.add((page, symbol))


def elsewhere(formula: str, declared: str) -> dict[str, list[str]]:
    """Formulas of the pages on which the letters of a symbol mean what the registry says."""
    bases = {s.base for s in symbols(formula, deep=False)}
    bases |= {rf"\mathbf{{{base}}}" for base in bases}  # and components of what is bold there
    return {
        name: found
        for name, found in FORMULAS.items()
        if name == declared or not bases & REGISTRY.local[name]
    }


def test_the_first_use_of_the_registry_is_the_first_use_of_the_pages():
    """No page before the declared one has the symbol, and that one has it."""
    bases = [s.base for formula, _ in REGISTRY.rows for s in symbols(formula, deep=False)]
    wrong = {}
    for formula, declared in REGISTRY.rows:
        own = [s.base for s in symbols(formula, deep=False)]
        single = bool(own) and bases.count(own[0]) == 1
        found = first_page(formula, elsewhere(formula, declared), single)
        if found != declared:
            wrong[formula] = f"declared for {declared}, first on {found}"
    assert len(REGISTRY.rows) > 140
    assert not wrong
