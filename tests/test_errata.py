"""The errata of the course notes: each there once, whole, with a counterexample that can fail."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import jaxtyping
import pytest
import yaml
from book_files import PAGES, ROOT, source_of

# What the notes must be corrected in, by kind; d stands for slips of the pen.
ERRATA = {
    "003": "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14 c1 c2 d1 d2 d3 d4",
    "000": "a1 a2 a3 a4 a5 c1 c2",
    "001": "a1 a2",
    "002": "a1 a2 a3 a4 b1 b2 b3 b4 b5 d1 d2",
    "004": "a1 a2 a3 b1 d1",
}
IDS = [f"{note}-{code}" for note, codes in ERRATA.items() for code in codes.split()]
PAGES_OF_ERRATA = ("book/errata", "book/errata_2")
BREAKS = yaml.safe_load((ROOT / "tests" / "errata.yml").read_text(encoding="utf-8"))
HEADING = re.compile(r"^### (\d{3}-[a-d]\d+) · (\S.*)$", re.MULTILINE)
QUOTED = re.compile(r"\"[^\"]{3,}\"|`[^`]+`|\[[一-鿿]+\]\{\.language-zh\}")
every_erratum = pytest.mark.parametrize("erratum", IDS)


@cache
def entries():
    """For each entry: its number, its text, its cells of code; the code of a page before it."""
    found, code = [], []
    for name in PAGES_OF_ERRATA:
        before = []  # the page's imports, which are no entry's
        current = None
        for cell in source_of(name).cells:
            if cell.kind == "code":
                (code if current else before).append(cell.text)
                continue
            pieces = re.split(r"(?=^(?:\([\w-]+\)=\n)+##)", cell.text, flags=re.MULTILINE)
            for piece in pieces:
                if heading := HEADING.search(piece):
                    code, current = [], heading[1]
                    found.append((current, [piece], code, before))
                elif re.search(r"^#", piece, flags=re.MULTILINE):
                    current = None
                elif current:
                    found[-1][1].append(piece)
    return [(n, "\n\n".join(text), code, before) for n, text, code, before in found]


def entry(erratum):
    """The one entry with this number."""
    (only,) = [e for e in entries() if e[0] == erratum]
    return only


def field(text, name):
    """What stands behind a bold name, up to the next one."""
    found = re.findall(
        rf"\*\*{name}:?\*\*:?(.*?)(?=\*\*(?:Meant|Correct|In the book):\*\*|\Z)", text, re.S
    )
    assert len(found) == 1, f"{name}: {len(found)} times"
    return found[0].strip()


def run(cells, space):
    """Run cells one after the other, as a reader does: without the tests' checks of shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        for cell in cells:
            exec(compile(cell, "<cell>", "exec"), space)
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


@cache
def spaces():
    """The names that are known where each entry begins: those of the page's cells before it."""
    found, space, page = {}, {}, None
    for number, _, code, before in entries():
        if before is not page:
            page, space = before, {}
            run(before[1:], space)  # the first cell sets up the notebook
        found[number] = dict(space)
        run(code, space)
    return found


def test_every_erratum_is_there_once_and_no_other():
    assert Counter(number for number, *_ in entries()) == Counter(IDS)
    assert len(IDS) == 45


@every_erratum
def test_an_erratum_quotes_the_notes_and_says_what_was_meant_and_what_is_right(erratum):
    _, text, code, _ = entry(erratum)
    notes = field(text, "The notes")
    assert re.match(rf"\({erratum[:3]} §\d+(\.\d)?\)[: ]", notes), notes[:40]
    assert QUOTED.search(notes), "no quotation"
    assert len(notes) < 600, "a short quotation"
    assert len(field(text, "Meant")) > 3
    assert len(field(text, "Correct")) > 20
    assert any("assert" in cell for cell in code), "no cell that could fail"
    assert any("print(" in cell for cell in code), "no number to be seen"


@every_erratum
def test_an_erratum_leads_to_its_chapter(erratum):
    _, text, _, _ = entry(erratum)
    targets = re.findall(r"\{ref\}`[^`<]*?<?([\w-]+)>?`", field(text, "In the book"))
    labels = chapter_labels()
    assert targets
    assert set(targets) <= labels
    if f"erratum-{erratum}" in labels:
        assert f"erratum-{erratum}" in targets


@cache
def chapter_labels():
    """Labels of all pages but those of errata."""
    pages = [page for page in PAGES if page.name not in PAGES_OF_ERRATA]
    return set(re.findall(r"^\(([\w-]+)\)=$", "\n".join(p.prose for p in pages), re.MULTILINE))


def test_every_number_has_one_label_to_link_to_and_one_in_the_list():
    text = "\n".join(page.prose for page in PAGES)
    labels = Counter(re.findall(r"^\((errat(?:um|a)-\d{3}-\w+)\)=$", text, re.MULTILINE))
    wanted = [f"{kind}-{number}" for kind in ("erratum", "errata") for number in IDS]
    assert labels == Counter(wanted)


@every_erratum
def test_a_counterexample_can_fail(erratum):
    """Were the notes right, or the check idle, an assert would say so."""
    old, new = BREAKS[erratum]
    _, _, code, _ = entry(erratum)
    assert sum(cell.count(old) for cell in code) == 1, old
    broken = [cell.replace(old, new) for cell in code]
    with pytest.raises(AssertionError):
        run(broken, dict(spaces()[erratum]))
    run(code, dict(spaces()[erratum]))


def test_what_is_called_a_book_is_one_in_our_bibliography():
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    kinds = {key: kind for kind, key in re.findall(r"^@(\w+)\{(\S+),", bibliography, re.MULTILINE)}
    space = dict(spaces()["004-d1"])
    run(entry("004-d1")[2], space)
    assert space["kinds"] == {key: kinds[key] for key in space["kinds"]}
