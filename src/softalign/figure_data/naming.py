"""A name for each thing drawn, also for what the legend leaves out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from softalign.figure_data.axes import plain
from softalign.figure_data.series import Series

# What readers call the colours: those of the book's figures, and a few more.
WORDS = {
    "blue": (0.0, 0.447, 0.698),
    "red-orange": (0.835, 0.369, 0.0),
    "green": (0.0, 0.62, 0.451),
    "pink": (0.8, 0.475, 0.655),
    "yellow-orange": (0.902, 0.624, 0.0),
    "light blue": (0.337, 0.706, 0.914),
    "brown": (0.627, 0.322, 0.176),
    "red": (0.9, 0.1, 0.1),
    "purple": (0.5, 0.0, 0.5),
}


def is_grey(colour: Sequence[float]) -> bool:
    """Whether a colour has no hue: greys are shared by things that have nothing in common."""
    return not colour or max(colour) - min(colour) < 0.02


def word_for(colour: Sequence[float]) -> str:
    """The nearest colour that has a name here; nothing where colours differ within a thing."""
    if not colour:
        return ""
    if is_grey(colour):
        return "black" if colour[0] < 0.15 else "white" if colour[0] > 0.98 else "grey"
    return min(WORDS, key=lambda word: float(np.sum(np.subtract(WORDS[word], colour) ** 2)))


def _only(labels: Sequence[str]) -> str:
    different = set(labels)
    return different.pop() if len(different) == 1 else ""


def inherited(one: Series, here: Sequence[Series], others: Sequence[Series]) -> str:
    """The name of a thing without label, from the labelled ones that look like it.

    The legend of one panel often speaks for all, and one label for all seeds of a model; points or
    a band in the colour of a line belong to it.
    """
    for group in (here, others):
        same = _only([s.label for s in group if s.label and s.style == one.style])
        if same:
            return same
    full = one.kind == "line" and one.look in ("line", "thin line")
    if full or is_grey(one.colour) or one.kind in ("bars", "histogram"):
        return ""  # a second full line is a thing of its own, whatever its colour
    for group in (here, others):
        akin = _only([s.label for s in group if s.label and s.colour == one.colour])
        if akin:
            return f"{akin} ({one.look})"
    return ""


def name_all(panels: Sequence[Sequence[Series]]) -> list[list[str]]:
    """Names of all things of all panels of a figure; those of a panel are all different.

    A panel's only thing needs no name: the axes have theirs.
    """
    names = []
    for here in panels:
        others = [s for panel in panels if panel is not here for s in panel]
        found = []
        main = [s for s in here if s.kind not in ("horizontal", "vertical")]
        for one in here:
            name = plain(one.label) or plain(inherited(one, here, others))
            if not name and not (len(main) == 1 and one is main[0]):
                name = f"{word_for(one.colour)} {one.look}".strip()
                name = re.sub(r"^(.+) (thin|hollow) ", r"\2 \1 ", name)
            found.append(name)
        seen: Counter[str] = Counter()
        for number, name in enumerate(found):
            seen[name] += 1
            if seen[name] > 1:
                found[number] = f"{name} ({seen[name]})".strip()
        names.append(found)
    return names
