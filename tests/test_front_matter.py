"""The registry of notation and the glossary: their own form, and what they hold the pages to."""

from __future__ import annotations

import re
import unicodedata

import pytest
from book_files import PAGES, ROOT, source_of
from softalign_find_meanings import tables

NOTATION = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
GREEK = re.compile(
    r"\\((?:var)?(?:alpha|beta|[gG]amma|[dD]elta|epsilon|zeta|eta|[tT]heta|iota|kappa|[lL]ambda|mu|nu|"
    r"[xX]i|[pP]i|rho|[sS]igma|tau|[uU]psilon|[pP]hi|chi|[pP]si|[oO]mega)|ell)(?![A-Za-z])"
)
STYLED = re.compile(r"\\(mathbf|mathcal|mathbb|mathrm|operatorname\*?)\s*(?:\{([^{}]*)\}|(\w))")


def symbols(formula: str) -> set[str]:
    """The letters of a formula that need a declaration: bold, script, named and Greek ones."""
    styled = {
        f"{style.rstrip('*')} {braced or plain}".strip()
        for style, braced, plain in STYLED.findall(formula)
    }
    return styled | set(GREEK.findall(formula))


def formulas(prose: str) -> list[str]:
    """All formulas of a page, code left out."""
    prose = re.sub(r"`[^`\n]*`", " ", prose)
    return [a or b for a, b in re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", prose, flags=re.DOTALL)]


REGISTRY = [row for table in tables(NOTATION) if table[0][0] == "Symbol" for row in table[1:]]
DECLARED = set().union(*(symbols(row[0]) | symbols(row[1]) for row in REGISTRY))


def test_every_table_of_the_registry_has_equal_rows():
    for table in tables(NOTATION):
        assert {len(row) for row in table} == {len(table[0])}, table[0]


def test_a_symbol_is_declared_once():
    declared = [row[0] for row in REGISTRY if len(row) == 5]
    assert len(REGISTRY) > 100
    assert len(set(declared)) == len(declared)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_page_uses_only_declared_symbols(page):
    used = set().union(*map(symbols, formulas(page.prose)))
    if page.name != "book/notation":
        assert used <= DECLARED, f"not in book/notation.md: {sorted(used - DECLARED)}"


def test_a_second_meaning_is_announced_on_its_page():
    pages = {page.name.removeprefix("book/").removeprefix("chapters/") for page in PAGES}
    local = next(table for table in tables(NOTATION) if table[0][2] == "Only on")
    for row in local[1:]:
        name = row[2].strip("`")
        if name in pages:
            full = next(p.name for p in PAGES if p.name.endswith(name))
            assert "{admonition} Letters on this page" in source_of(full).prose


def entries() -> list[tuple[str, str, str, str]]:
    """Term, Chinese, pinyin and definition of every entry of the glossary."""
    body = GLOSSARY.partition(":::{glossary}\n")[2].rpartition("\n:::")[0]
    found = []
    for entry in re.split(r"\n\n+", body.strip()):
        match = re.fullmatch(
            r"(\S[^\n]*)\n  \[([^\]]+)\]\{\.language-zh\} \(\*([^*]+)\*\)\. (\S[^\n]*)", entry
        )
        assert match, f"not in the form of an entry: {entry}"
        found.append(match.groups())
    return found


def test_glossary_entries_have_one_form_and_stand_in_order():
    terms = [term for term, *_ in entries()]
    assert len(terms) > 100
    assert terms == sorted(terms, key=str.lower)
    assert len({term.lower() for term in terms}) == len(terms)


def test_the_letters_on_top_lead_to_the_first_term_of_each():
    letters = re.findall(r"\{term\}`([A-Z])(?:–([A-Z]))? <([^>]+)>`", GLOSSARY.partition(":::")[0])
    terms = [term for term, *_ in entries()]
    for begin, end, first in letters:
        letter = next(t for t in terms if t[0].upper() == begin)
        assert first == letter, begin
        assert not end or terms[-1][0].upper() <= end
    reached = {begin for begin, *_ in letters}
    assert {term[0].upper() for term in terms} - reached <= {"Z"}


def test_a_glossary_entry_has_chinese_pinyin_with_tones_and_a_sentence():
    for term, chinese, pinyin, definition in entries():
        assert re.search(r"[一-鿿]", chinese), term
        marks = unicodedata.normalize("NFD", pinyin)
        assert re.search("[\u0300\u0301\u0304\u030c]", marks), f"{term}: no tone in {pinyin}"
        assert definition.endswith("."), term
