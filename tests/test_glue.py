"""Formulas hold on to the marks that touch them."""

from __future__ import annotations

import pytest
from softalign_glue import GLUE, end_of_span, glued

FORMULA = '<span class="math"><span class="katex"><span>x</span></span></span>'
LETTER = f'<a class="sa-letter" href="../book/notation.html#sym-x">{FORMULA}</a>'


@pytest.mark.parametrize("formula", [FORMULA, LETTER])
@pytest.mark.parametrize(
    ("before", "opening", "closing", "behind"),
    [
        ("of ", "", ".", " It"),
        ("of ", "", ".)", "</p>"),
        ("of ", "(", "", " is"),
        ("of ", "“(", "),", " so"),
        ("of ", "", "%", " of"),
    ],
)
def test_marks_stay_with_their_formula(formula, before, opening, closing, behind):
    page = f"<p>{before}{opening}{formula}{closing}{behind}"
    assert glued(page) == f"<p>{before}{GLUE}{opening}{formula}{closing}</span>{behind}"


@pytest.mark.parametrize(
    "page",
    [
        f"<p>of {FORMULA} and</p>",
        f"<p>{FORMULA}</p>",
        f'<p>of <span class="sa-letter" data-letter="x">{FORMULA} and {FORMULA}</span>.</p>',
        f'<p><span class="sa-letter" data-letter="x">{FORMULA} of one.</span></p>',
        f'<div class="math">{FORMULA.replace("math", "katex-display")}</div>.',
        "<pre>a<span>x</span>.</pre>",
    ],
)
def test_nothing_else_changes(page):
    assert glued(page) == page


def test_two_formulas_that_share_a_mark():
    page = f"<p>({FORMULA},{FORMULA})</p>"
    assert glued(page) == f"<p>{GLUE}({FORMULA},</span>{GLUE}{FORMULA})</span></p>"


def test_a_page_is_glued_once():
    page = f"<p>of ({FORMULA}), {LETTER}. {FORMULA}</p>"
    assert glued(page) != page
    assert glued(glued(page)) == glued(page)


def test_a_span_without_an_end_is_refused():
    with pytest.raises(ValueError, match="a span is never closed"):
        end_of_span("<span><b>", 6)
