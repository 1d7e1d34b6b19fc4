"""A figure as SVG: its style, its bytes, and how it becomes part of a page.

Nothing here touches pyplot or leaves a setting of Matplotlib changed. Families differ by marker and
line style as well as by colour.

Page: your_own_text
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softalign.ladder.record import FAMILIES, Ladder
from softalign.systems.folder import write_bytes

__all__ = [
    "DARK",
    "INK",
    "LIGHT",
    "Drawing",
    "inline",
    "new_figure",
    "saved",
    "settings",
    "style_of",
    "write_drawings",
]

# Told apart by readers with any kind of colour vision, and read as letters on their ground: white,
# and the dark one of page.css.
LIGHT = ("#0054af", "#bb5503", "#00864a", "#7c7078", "#4c4400", "#6c0d4c")
DARK = ("#1f88ff", "#cd6a14", "#6beebf", "#788485", "#ffe972", "#ff99ec")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (9, 2)))
INK, GRID = "#1b1b1c", "#d5d5d6"

DRAWN, SHOWN = "'DejaVu Sans'", "'DejaVu Sans', system-ui, sans-serif"
"""The font by whose widths the places of texts are computed, and those that may show them."""
WIDE = 5.0
"""Inches; at 72 units an inch also the width of the drawing in CSS pixels, before it is scaled."""
OWN = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
}


@dataclass(frozen=True)
class Drawing:
    """A figure of a report, and what is to be said of it.

    Attributes
    ----------
    name : str
        Of its file, without ending.
    title : str
        A few words.
    caption : str
        What it shows, in words computed from the numbers.
    svg : str
        An image that stands alone, on a white ground.
    """

    name: str
    title: str
    caption: str
    svg: str


def style_of(ladder: Ladder, family: str) -> dict[str, Any]:
    """Return colour, marker and line style of a family: the same in every figure and report.

    Page: your_own_text
    """
    others = [row.family for row in ladder.rows if row.family not in FAMILIES]
    place = [*FAMILIES, *others].index(family) % len(LIGHT)
    return {"color": LIGHT[place], "marker": MARKERS[place], "linestyle": LINES[place]}


def inline(drawing: Drawing) -> str:
    """Return a drawing for use inside HTML: no ground, ink in the colour of the text.

    The colours of the families are the properties ``--family-0`` to ``--family-5`` of the style
    sheet, that of the grid is ``--grid``. Names of parts begin with the name of the drawing, so
    that several can be on one page.

    Page: your_own_text
    """
    svg = drawing.svg[drawing.svg.index("<svg ") :]
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", svg)
    svg = re.sub(r'\s*<g id="[\w-]*patch_1">.*?</g>', "", svg, count=1, flags=re.DOTALL)  # ground
    svg = svg.replace(SHOWN, "system-ui, sans-serif")
    svg = svg.replace(INK, "currentColor").replace(GRID, f"var(--grid, {GRID})")
    for place, colour in enumerate(LIGHT):
        svg = svg.replace(colour, f"var(--family-{place}, {colour})")
    return re.sub(r'(<svg )width="[\d.]+pt" height="[\d.]+pt"', r"\1", svg).strip()


def write_drawings(folder: str | Path, drawings: Iterable[Drawing]) -> list[Path]:
    """Write each drawing as a file ``NAME.svg``, whole or not at all.

    Page: your_own_text
    """
    written = []
    for drawing in drawings:
        written.append(Path(folder) / f"{drawing.name}.svg")
        write_bytes(written[-1], drawing.svg.encode("utf-8", "replace"))
    return written


@contextmanager
def settings(name: str) -> Iterator[None]:
    """Set Matplotlib's own defaults and ours, whatever its user prefers; then all is as it was.

    Page: your_own_text
    """
    from matplotlib import style

    with style.context(["default", OWN | {"svg.hashsalt": f"softalign ladder {name}"}]):
        yield


def saved(figure: Any) -> str:
    """Return a figure as SVG, without a date.

    Page: your_own_text
    """
    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    return re.sub(r"[ \t]+$", "", file.getvalue(), flags=re.MULTILINE).replace(DRAWN, SHOWN)


def new_figure(tall: float, panels: int = 1) -> tuple[Any, Any]:
    """Return a figure that pyplot does not know, and its axes, one above the other.

    Page: your_own_text
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDE, tall), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(panels, 1, sharex=True)
