"""What must not be parted at the end of a line: a formula, and the marks that touch it.

KaTeX sets a formula as boxes, and a line may end beside a box: a full stop behind a formula begins
the next line, an opening bracket before one ends its own. No sign of Unicode's prevents that in
Chromium. So formula and marks stand in an element in which lines do not break; inside the formula
they break as they did (see ``.sa-glue`` in access.css).
"""

from __future__ import annotations

import re

OPENING, CLOSING = "([“‘", ".,;:?!)]’”%…"
# An inline formula begins, perhaps in the link to what its letter means.
FORMULA = re.compile(r'(?:<(a|span) class="sa-letter[^>]*>)?<span class="math">')
SPAN = re.compile(r"<(/?)span\b[^>]*>")
GLUE = '<span class="sa-glue">'


def end_of_span(text: str, place: int) -> int:
    """Where a span ends whose start tag ends at `place`."""
    depth = 1
    for tag in SPAN.finditer(text, place):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return tag.end()
    raise ValueError(f"a span is never closed: {text[place : place + 60]!r}")


def glued(text: str) -> str:
    """A page whose formulas hold on to the marks before and behind them."""
    parts, place = [], 0
    for start in FORMULA.finditer(text):
        end = end_of_span(text, start.end())
        if start[1]:  # the link ends with its formula, or the letter is one of several
            link = f"</{start[1]}>"
            if not text.startswith(link, end):
                continue
            end += len(link)
        begin, behind = start.start(), end
        while begin > place and text[begin - 1] in OPENING:
            begin -= 1
        while text[behind] in CLOSING:
            behind += 1
        if behind - begin > end - start.start() and not text.endswith(GLUE, 0, begin):
            parts += [text[place:begin], GLUE, text[begin:behind], "</span>"]
            place = behind
    return "".join([*parts, text[place:]])
