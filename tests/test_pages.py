"""The rules of a page (CONTRIBUTING.md), held for every page of the book."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import statistics
import tomllib

import pytest
from book_files import LESSONS, NOTEBOOKS, PAGES, ROOT, Page, table_of_contents

spec = importlib.util.spec_from_file_location("notebooks", ROOT / "tools" / "notebooks.py")
notebooks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebooks)

# Lines a code cell may have (figures, which are folded, apart), and their median.
LONGEST, MEDIAN = 15, 6
WORDS_PER_MINUTE = 180
SET_UP = """\
import sys

if "google.colab" in sys.modules:
    %pip install -q "softalign{extra} @ git+{address}"
from softalign.notebook import set_up, show

set_up({arguments})"""
# Words that go stale when a section moves; a link does not.
THINGS = r"(?:sections?|figures?|cells?|tables?|equations?|examples?|pages?|chapters?|code|plots?)"
POINTERS = re.compile(
    rf"\b(?:(?:see|as|shown|given|described|defined|from|the) (?:above|below|earlier)|"
    rf"(?:above|earlier|preceding) {THINGS}|{THINGS} (?:above|below)|"
    r"previously|as we saw|as we have seen|obviously|clearly|trivially|of course)\b",
    re.IGNORECASE,
)
# The dark theme turns figures: what is dark in one theme is bright in the other.
SHADES = re.compile(
    r"\b(?:dark\w*|pale\w*|bright\w*|light(?:er|est)|white|black(?! box)|shad(?:e[sd]?|ing))\b",
    re.IGNORECASE,
)
CHAPTER_PAGES = tuple(page for page in LESSONS if page.name.startswith("chapters/"))


def each(pages):
    """Parametrise a test over pages, under the name of each."""
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


def plain(text: str) -> str:
    """Prose without code, formulas, directives' options and link targets."""
    text = re.sub(r"`{3,}.*?`{3,}|\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\{[^}]*\}`[^`]*`|`[^`]*`|\$[^$]*\$|\]\([^)]*\)", " ", text)
    return re.sub(r"^:[\w-]+:.*$", " ", text, flags=re.MULTILINE)


def folded(page: Page) -> str:
    """The text of a page with its directives kept: what a reader reads."""
    return re.sub(r"^(`{3,}|:{3,}).*$|^:[\w-]+:.*$", " ", page.prose, flags=re.MULTILINE)


def test_every_notebook_is_in_the_table_of_contents():
    stored = {str(path.relative_to(ROOT).with_suffix("")) for path in notebooks.pages()}
    assert stored == {page.name for page in NOTEBOOKS}


def test_the_chapters_hold_notebooks_and_nothing_else():
    others = [
        path
        for path in (ROOT / "chapters").rglob("*")
        if path.is_file() and path.suffix != ".ipynb" and ".ipynb_checkpoints" not in path.parts
    ]
    assert not others


@each(NOTEBOOKS)
def test_a_notebook_is_in_its_stored_form(page):
    text = page.path.read_text(encoding="utf-8")
    assert notebooks.dumps(notebooks.normalise(json.loads(text))) == text


def test_the_stored_form_has_no_pictures_no_counts_and_is_a_fixed_point():
    raw = {
        "cells": [
            {
                "cell_type": "code",
                "id": "zz",
                "metadata": {"tags": ["hide-input"], "execution": {"iopub": "now"}},
                "source": ["1 + 1\n", "\n"],
                "execution_count": 7,
                "outputs": [
                    {
                        "output_type": "execute_result",
                        "execution_count": 7,
                        "metadata": {"needs_background": "light"},
                        "data": {"text/plain": "2", "image/png": "iVBOR", "text/html": "<b>"},
                    }
                ],
            }
        ],
        "metadata": {"language_info": {"version": "3.11.7"}},
    }
    stored = notebooks.normalise(raw)
    assert stored == notebooks.normalise(stored)
    text = notebooks.dumps(stored)
    for gone in ("iVBOR", "<b>", "iopub", "3.11.7", "needs_background", "zz"):
        assert gone not in text
    assert stored["cells"][0]["execution_count"] is None
    assert stored["cells"][0]["metadata"] == {"tags": ["hide-input"]}


@each(LESSONS)
def test_a_lesson_opens_with_what_it_needs_and_promises(page):
    opening = "\n\n".join(cell.text for cell in page.cells[: page.cells.index(page.code[0])])
    assert opening.startswith("# ") or re.match(r"\(\S+\)=\n# ", opening)
    assert "?" in opening, "a page opens with a question"
    for mark in ("**You need:**", "**You will be able to:**", "**Time:**"):
        assert mark in opening, mark


@each(LESSONS)
def test_a_lesson_says_how_long_it_takes(page):
    found = re.search(r"\*\*Time:\*\* (\d+) minutes to read · (\d+) seconds to run", page.prose)
    assert found, "the line is '**Time:** N minutes to read · M seconds to run.'"
    words = len(re.findall(r"\w+", plain(folded(page))))
    minutes = words / WORDS_PER_MINUTE + sum(len(cell.text.splitlines()) for cell in page.code) / 30
    assert minutes / 1.5 <= int(found[1]) <= minutes * 1.5, f"{minutes:.0f} minutes to read"
    assert int(found[2]) <= 90


@each(LESSONS)
def test_the_set_up_cell_is_the_same_everywhere(page):
    address = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    text = page.code[0].text
    torch = "torch=True" in text
    extra, arguments = ("[neural]", "torch=True") if torch else ("", "")
    assert text == SET_UP.format(extra=extra, address=address, arguments=arguments)
    assert "softalign.notebook" not in "".join(cell.text for cell in page.code[1:])


@each(LESSONS)
def test_cells_are_short(page):
    lengths = [
        sum(bool(line.strip()) for line in cell.text.splitlines())
        for cell in page.code[1:]
        if not {"hide-input", "hide-cell"} & set(cell.tags)
    ]
    assert max(lengths) <= LONGEST
    assert statistics.median(lengths) <= MEDIAN


@each(LESSONS)
def test_a_lesson_checks_what_it_claims(page):
    asserts = sum("assert" in cell.text for cell in page.code)
    assert asserts >= 5


@each(NOTEBOOKS)
def test_an_output_that_is_not_compared_ends_in_an_assert(page):
    for cell in page.code:
        assert "nbval-skip" not in cell.tags
        if "nbval-ignore-output" in cell.tags:
            last = ast.parse(re.sub(r"^%.*$", "", cell.text, flags=re.MULTILINE)).body[-1]
            assert isinstance(last, ast.Assert), cell.text


def test_few_outputs_are_not_compared():
    cells = [cell for page in NOTEBOOKS for cell in page.code]
    ignored = [cell for cell in cells if "nbval-ignore-output" in cell.tags]
    print(f"{len(ignored)} of {len(cells)} code cells have outputs that are not compared")
    assert len(ignored) <= 0.1 * len(cells)


@each(NOTEBOOKS)
def test_every_cell_ran_without_complaint(page):
    for cell in page.code:
        for output in cell.outputs:
            assert output["output_type"] != "error" or "raises-exception" in cell.tags, cell.text
            assert output.get("name") != "stderr", f"prints to stderr: {cell.text}"


@each(NOTEBOOKS)
def test_every_figure_has_name_caption_alternative_text_and_a_sentence_that_reads_it(page):
    for cell in page.code:
        draws = any("<Figure" in str(output.get("data", "")) for output in cell.outputs)
        if not draws:
            continue
        assert "hide-input" in cell.tags, f"a plotting cell is folded: {cell.text}"
        figure, image = cell.mystnb.get("figure", {}), cell.mystnb.get("image", {})
        assert figure.get("name", "").startswith("fig-"), cell.text
        assert len(figure.get("caption", "")) > 20, cell.text
        assert len(image.get("alt", "")) > 40, f"what does the figure show? {figure['name']}"
        assert f"`{figure['name']}`" in page.prose, f"no sentence refers to {figure['name']}"


@each(NOTEBOOKS)
def test_no_words_speak_of_darkness(page):
    """A figure is read the same in both themes: by hue, by strength, by shape."""
    said = [cell.text for cell in page.cells if cell.kind == "markdown"]
    for cell in page.code:
        said += [cell.mystnb.get("figure", {}).get("caption", "")]
        said += [cell.mystnb.get("image", {}).get("alt", "")]
    assert [found[0] for text in said for found in SHADES.finditer(text)] == []


@each(NOTEBOOKS)
def test_an_interactive_figure_is_announced_read_and_held_to_the_page(page):
    """Text before it says what it is, text after it what to look for; an assert ties its data."""
    for before, cell, after in zip(page.cells, page.cells[1:], page.cells[2:], strict=False):
        if not re.search(r"\b(em|softmax|attention|gradient|beam|positions)_figure\(", cell.text):
            continue
        assert before.kind == after.kind == "markdown", cell.text
        assert len(after.text) > 150, f"what is there to see? {cell.text}"
        assert "assert" in cell.text, cell.text
        assert "hide-input" not in cell.tags, "a reader should change it"


@each(LESSONS)
def test_a_lesson_has_three_figures_or_says_why_not(page):
    figures = [cell for cell in page.code if cell.mystnb.get("figure")]
    assert len(figures) >= 3 or "fewer than three figures" in page.prose


@each(LESSONS)
def test_every_exercise_has_a_solution_that_runs(page):
    exercises = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n:label: (\S+)", page.prose)
    solutions = re.findall(r"\{solution(?:-start)?\} (\S+)", page.prose)
    assert len(exercises) >= 5
    assert sorted(exercises) == sorted(solutions)
    assert len(set(exercises)) == len(exercises)
    # a solution with code is opened and closed around cells that run; most have code
    assert page.prose.count("{solution-start}") >= len(exercises) / 2
    assert page.prose.count("{solution-start}") == page.prose.count("{solution-end}")


@each(LESSONS)
def test_a_lesson_closes_in_the_order_of_the_house(page):
    headings = [line for line in page.prose.splitlines() if line.startswith("## ")]
    closing = ["## What we showed", "## What breaks next", "## Misconceptions", "## Exercises"]
    closing.append("## Further reading")
    assert headings[-len(closing) :] == closing


@each(CHAPTER_PAGES)
def test_the_recurring_sentences_come_back(page):
    assert any("RECURRING" in cell.text for cell in page.code)


@each(PAGES)
def test_nothing_points_with_a_word_where_a_link_would_do(page):
    assert not POINTERS.findall(plain(page.prose))


@each(PAGES)
def test_headings_are_labelled_once(page):
    labels = re.findall(r"^\((\S+)\)=$", page.prose, flags=re.MULTILINE)
    assert len(labels) == len(set(labels))


@each(NOTEBOOKS)
def test_a_numbered_equation_is_checked_on_its_page(page):
    """A number is for an equation that asserts something; its check names it in a comment."""
    for name in re.findall(r"\$\$ \((eq-\S+)\)", page.prose):
        checks = [cell for cell in page.code if name in cell.text and "assert" in cell.text]
        assert checks, f"no cell with an assert names {name}"


def test_every_reference_is_cited_and_every_citation_resolves():
    entries = re.findall(
        r"^@\w+\{(\S+),", (ROOT / "book" / "references.bib").read_text(), flags=re.M
    )
    cited = {
        key.strip()
        for page in PAGES
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.prose)
        for key in keys.split(",")
    }
    assert len(entries) == len(set(entries))
    assert cited == set(entries)


def test_the_table_of_contents_names_files():
    for name in table_of_contents():
        assert (ROOT / f"{name}.ipynb").exists() != (ROOT / f"{name}.md").exists(), name
