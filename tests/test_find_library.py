"""The page of the library: its entries, their lines, and what docstrings claim about pages."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from functools import cache
from pathlib import PureWindowsPath

import find_reach
import pytest
import softalign_find_library as source
import softalign_find_pages as pages
from book_files import PAGES, ROOT

BY_NAME = {page.name: page for page in PAGES}
USES = pages.uses()
ENTRIES = USES.library.entries
# What the page of its docstring neither uses nor shows, not even through something else.
EXPLAINED_ONLY = {
    # written out by hand on its page; the library's version is called on another one
    "softalign.rnn.rnn_step",
    # stored runs are explained there; these are for `make runs`
    "softalign.experiments.get",
    "softalign.experiments.names",
    "softalign.runs.digest",
}
# Used by no page at all: for readers who go on with the library, and for the tests of the house.
UNUSED = {
    "softalign.grammar.derivations",
    "softalign.grammar.translations",
    "softalign.ibm.from_rows",
    "softalign.language_model.read_arpa",
    "softalign.language_model.write_arpa",
    "softalign.metrics.perplexity_statistics",
    "softalign.parallel.Dataset",
    "softalign.parallel.RemoteFile",
    "softalign.parallel.cache_folder",
    "softalign.parallel.download",
    "softalign.synthetic.rule_change",
    "softalign.text.detokenise",
    "softalign.transfer.source_words",
}


@cache
def reached(name):
    """What the page with this name reaches."""
    return find_reach.reached(BY_NAME[name])


def page_of(entry):
    """The page that a docstring names."""
    return BY_NAME[pages.full_name(entry.page)]


def shows(page, entry):
    """Whether a page reaches a definition through what it uses, or names it in its text."""
    place = find_reach.located(entry.dotted)
    return place in reached(page.name) or re.search(
        rf"`[^`\n]*\b{entry.name}\b[^`\n]*`", page.prose
    )


def test_the_page_that_a_docstring_names_uses_what_the_docstring_is_about():
    false = {
        name: entry.page
        for name, entry in ENTRIES.items()
        if entry.page and not shows(page_of(entry), entry)
    }
    excused = EXPLAINED_ONLY | UNUSED
    assert {name: page for name, page in false.items() if name not in excused} == {}
    assert excused - false.keys() == set(), "these are used now: off the lists with them"
    for name in UNUSED:
        assert not USES.pages[name], "a page uses it: its docstring names that page"


def test_every_public_function_and_class_has_an_entry():
    """What importing says is public is what reading the source has found."""
    expected = set()
    for module in source.all_modules():
        if module == "softalign" or any(part.startswith("_") for part in module.split(".")):
            continue
        if not source.exported(module):
            continue
        imported = importlib.import_module(module)
        for name in imported.__all__:
            thing = getattr(imported, name)
            if inspect.isfunction(inspect.unwrap(thing)) or inspect.isclass(thing):
                expected.add(f"{module}.{name}")
    assert len(expected) > 400
    assert expected <= ENTRIES.keys() | USES.library.aliases.keys()
    assert USES.library.aliases.keys().isdisjoint(ENTRIES)


@pytest.mark.parametrize("name", ["softalign.attention.attend", "softalign.search.Hypothesis"])
def test_an_alias_and_a_package_lead_to_one_entry(name):
    assert name in ENTRIES
    others = [alias for alias, dotted in USES.library.aliases.items() if dotted == name]
    assert all(alias.startswith("softalign.search.") for alias in others)


def test_the_lines_of_an_entry_hold_its_definition():
    for entry in ENTRIES.values():
        lines = (ROOT / entry.path).read_text(encoding="utf-8").splitlines()
        (node,) = ast.parse("\n".join(lines[entry.first - 1 : entry.last])).body
        assert isinstance(node, ast.ClassDef) == (entry.kind == "class")
        assert node.name == find_reach.located(entry.dotted)[1]
        assert lines[entry.first - 1].startswith(("def ", "class ", "@"))


def test_every_entry_says_in_a_sentence_what_it_is_for():
    for entry in ENTRIES.values():
        assert 10 < len(entry.summary) < 200, entry.dotted
        assert "Parameters" not in entry.summary


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook with these code cells; returns its file."""

    def write(*cells):
        path = tmp_path / "page.ipynb"
        made = [{"cell_type": "code", "source": [cell]} for cell in cells]
        text = {"cell_type": "markdown", "source": ["softalign.rnn.rnn"]}
        path.write_text(json.dumps({"cells": [text, *made]}))
        return path

    return write


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["from softalign.attention import attend"], {"softalign.attention.attend"}),
        (["from softalign.attention import attend as a\na()"], {"softalign.attention.attend"}),
        (
            ["%pip install x\nfrom softalign import runs", "row = runs.stored('a').b"],
            {"softalign.runs", "softalign.runs.stored"},
        ),
        (["import softalign.search as s\ns.beam(1)"], {"softalign.search.beam"}),
        (["import softalign.search\nsoftalign.search.beam(1)"], {"softalign.search.beam"}),
        (["import numpy as np\nnp.softalign.search"], set()),
        (["from softalign.attention import (", "1"], set()),
    ],
)
def test_what_the_code_of_a_page_uses_is_read(notebook, cells, expected):
    assert expected <= source.used_names(notebook(*cells))
    if not expected:
        assert source.used_names(notebook(*cells)) == set()


def test_pages_stand_in_reading_order_and_the_way_back_is_the_same():
    order = [page.name for page in PAGES]
    used = 0
    for name, found in USES.pages.items():
        assert found == sorted(found, key=order.index)
        used += bool(found)
        for page in order:
            assert (ENTRIES[name] in USES.on(page)) == (page in found)
    assert used > 200


def test_a_box_lists_what_a_page_uses_and_a_page_without_code_has_none():
    assert pages.box("book/glossary", "library.html") == ""
    box = pages.box("chapters/06_attention/scoring", "../../book/library.html")
    anchor = "../../book/library.html#lib-softalign.attention.attend"
    assert f'<a href="{anchor}"><code>softalign.attention.attend</code></a>' in box
    count = len(USES.on("chapters/06_attention/scoring"))
    assert f"({count})" in box
    assert box.count("<li>") == count


def test_a_sentence_with_formulas_and_names_becomes_nodes():
    found = pages.inline(r"The `size` of :math:`\alpha` *and* ``x``.")
    kinds = [type(node).__name__ for node in found]
    assert kinds == [
        "Text", "literal", "Text", "math", "Text", "emphasis", "Text", "literal", "Text"
    ]  # fmt: skip
    assert pages.plain(r"The `size` of :math:`\alpha_{ji}` *and* ``x``.") == (
        "The size of α_ji and x."
    )


def test_a_file_is_named_with_slashes_on_every_system(monkeypatch):
    monkeypatch.setattr(source, "ROOT", PureWindowsPath("C:/book"))
    monkeypatch.setattr(source, "file_of", lambda _: PureWindowsPath("C:/book/src/a/b.py"))
    node = ast.parse("def f():\n    pass").body[0]
    assert source.entry_of("a", "f", "a.b", node).path == "src/a/b.py"
