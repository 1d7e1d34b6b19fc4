"""From a figure to the numbers of its panels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.lines import AxLine
from matplotlib.patches import PathPatch, Polygon, StepPatch, Wedge

from softalign.figure_data import series as of
from softalign.figure_data.axes import Scale, number, plain, read_scale, repeats, rounded
from softalign.figure_data.maps import read_map
from softalign.figure_data.naming import name_all
from softalign.figure_data.series import Series

# Patches that carry numbers when axes have a scale; all others are frames, arrows and boxes.
MEASURED = (PathPatch, Polygon, Wedge)


def read_figure(figure: Any) -> dict:
    """Read the numbers that a figure shows from what is drawn in it.

    Axes that are switched off, or lack a scale in one direction, are a diagram: their lines join
    boxes and have no values. Heat maps and coloured points are read there too.

    Parameters
    ----------
    figure : matplotlib Figure

    Returns
    -------
    dict
        Of plain values, as JSON has them. ``panels``: for each Axes with numbers its ``title``,
        ``x``, ``y`` and ``value`` (labels), ``scales``, ``series`` and ``maps``. A series has
        ``name``, ``kind``, ``along`` (the axis of what is given) and ``columns``: equally long
        lists, x and y and what else there is; a place that has a name is given by its name. A map
        has the names of its ``rows``, from the top, and ``columns``, and ``values``. ``texts``:
        what is written elsewhere in the panel. ``diagrams``: how many Axes hold no numbers.
        ``unread``: what is drawn but cannot be read; empty, or the figure needs a look.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> ax = figure.subplots()
    >>> _ = ax.bar(["cat", "dog"], [3, 5], label="seen")
    >>> read_figure(figure)["panels"][0]["series"][0]["columns"]
    {'x': ['cat', 'dog'], 'y': [3, 5]}

    Page: prerequisites
    """
    unread = [type(a).__name__ for a in (*figure.lines, *figure.patches, *figure.images)]
    bars, values = _colour_bars(figure)
    axes, panels, drawn = [], [], []
    for ax in _all_axes(figure):
        if ax not in bars and ax.get_visible():
            scales = _scales(ax)
            drawn.append((scales, *_read_axes(ax, *scales, unread)))
            panels.append(_describe(ax, *scales, values[id(ax)]))
            axes.append(ax)
    _borrow_labels(axes, panels, [scales for scales, *_ in drawn])
    kept = []
    all_names = name_all([things for _, things, _, _ in drawn])
    for panel, (scales, things, maps, texts), names in zip(panels, drawn, all_names, strict=True):
        panel["series"] = [
            _plain_series(one, name, *scales) for one, name in zip(things, names, strict=True)
        ]
        panel |= {"maps": maps, "texts": texts}
        if things or maps:
            kept.append(panel)
    return {"panels": kept, "diagrams": len(panels) - len(kept), "unread": sorted(unread)}


def _all_axes(figure: Any) -> Iterator[Any]:
    for ax in figure.axes:
        yield ax
        yield from (child for child in ax.child_axes if not hasattr(child, "set_functions"))


def _colour_bars(figure: Any) -> tuple[list[Any], dict[int, str]]:
    """Axes that are colour bars, and what the colours of each panel mean."""
    own = {
        id(ax): drawn.colorbar
        for ax in _all_axes(figure)
        for drawn in (*ax.images, *ax.collections)
        if drawn.colorbar is not None
    }
    labels = {
        key: plain(bar.ax.get_ylabel() or bar.ax.get_xlabel() or bar.ax.get_title())
        for key, bar in own.items()
    }
    # the one bar of a figure speaks for all of its panels
    common = next(iter(labels.values())) if len(labels) == 1 else ""
    return [bar.ax for bar in own.values()], {
        id(ax): labels.get(id(ax), common) for ax in _all_axes(figure)
    }


def _scales(ax: Any) -> tuple[Scale, Scale]:
    found = []
    for name in ("x", "y"):
        group = getattr(ax, f"get_shared_{name}_axes")().get_siblings(ax)
        others = [getattr(one, f"{name}axis") for one in group if one is not ax]
        found.append(read_scale(getattr(ax, f"{name}axis"), others))
    return found[0], found[1]


def _borrow_labels(axes: list[Any], panels: list[dict], scales: list[tuple[Scale, Scale]]) -> None:
    """Give a panel without a label that of its row or column, if it is drawn to the same scale.

    Pages label the first panel of a row and the last of a column: readers take it for all.
    """
    for key, lines in (("y", "rowspan"), ("x", "colspan")):
        for k, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
            number = "xy".index(key)
            for j, (other, known) in enumerate(zip(axes, panels, strict=True)):
                specs = ax.get_subplotspec(), other.get_subplotspec()
                if panel[key] or not known[key] or None in specs:
                    continue
                beside = getattr(specs[0], lines) == getattr(specs[1], lines)
                alike = bool(scales[k][number].names) == bool(scales[j][number].names)
                if beside and alike and panel["scales"][key] == known["scales"][key]:
                    panel[key] = known[key]


def _describe(ax: Any, x_scale: Scale, y_scale: Scale, value: str) -> dict:
    titles = filter(None, (plain(ax.get_title(loc)) for loc in ("left", "center", "right")))
    kinds = {"x": ax.get_xscale(), "y": ax.get_yscale()}
    titles = ", ".join(titles)
    return {
        "title": titles,
        "x": x_scale.label,
        "y": y_scale.label,
        "value": value,
        "scales": kinds,
    }


def _read_axes(
    ax: Any, x_scale: Scale, y_scale: Scale, unread: list[str]
) -> tuple[list[Series], list[dict], list[str]]:
    maps = []
    for shown in [*ax.images, *(c for c in ax.collections if isinstance(c, QuadMesh))]:
        found = read_map(ax, shown, x_scale, y_scale, of.own_label(shown))
        if found is None:
            unread.append(f"{type(shown).__name__} without a grid of numbers")
        else:
            maps.append(found)
    diagram = not ax.axison or not (x_scale.readable and y_scale.readable)
    things = list(_coloured(ax, unread)) if diagram else _measured(ax, unread)
    things = [_tick_marks(one, x_scale, y_scale) for one in things]
    things = _merged([one for one in things if len(next(iter(one.columns.values())))])
    texts = _add_words(ax, things)
    for one in maps:  # what is written in squares is there already
        texts = [text for text in texts if not any(text in row for row in one.get("words", ()))]
    return things, maps, [] if diagram else texts


def _coloured(ax: Any, unread: list[str]) -> Iterator[Series]:
    """What has numbers also in axes without scales: coloured points."""
    for drawn in ax.collections:
        if isinstance(drawn, PathCollection):
            if drawn.get_array() is not None:
                yield of.of_scatter(drawn)
        elif not isinstance(drawn, LineCollection | PolyCollection | QuadMesh):
            unread.append(type(drawn).__name__)
    unread += [type(patch).__name__ for patch in ax.patches if isinstance(patch, Wedge)]


def _measured(ax: Any, unread: list[str]) -> list[Series]:
    """Everything in axes with two scales, in the order in which Matplotlib keeps it."""
    found: list[Series] = []
    taken: set[int] = set()
    for group in ax.containers:
        if isinstance(group, BarContainer) and len(group.patches):
            bars = of.of_bars(group)
            if group.errorbar is not None:
                _add_errors(bars, group.errorbar, unread)
                taken |= {id(group.errorbar), *_parts(group.errorbar)}
            taken |= {id(patch) for patch in group.patches}
            found.append(bars)
    for group in ax.containers:
        if isinstance(group, ErrorbarContainer) and id(group) not in taken:
            taken |= _parts(group)
            line = group.lines[0]
            middle = None if line is None else of.of_line(line, ax.transData)
            if middle is None:
                unread.append("error bars without points")
                continue
            middle.label = of.own_label(group)
            _add_errors(middle, group, unread)
            found.append(middle)
    for line in ax.lines:
        if id(line) in taken or not line.get_visible():
            continue
        if isinstance(line, AxLine):
            unread.append("AxLine")
        elif (one := of.of_line(line, ax.transData)) is not None:
            found.append(one)
    for drawn in ax.collections:
        if id(drawn) in taken or isinstance(drawn, QuadMesh) or not drawn.get_visible():
            continue
        if isinstance(drawn, PathCollection):
            found.append(of.of_scatter(drawn))
            if len(np.unique(drawn.get_sizes())) > 1:
                unread.append("sizes of points")
        elif isinstance(drawn, LineCollection):
            found.append(of.of_segments(drawn))
        elif isinstance(drawn, PolyCollection) and (bands := of.of_band(drawn)):
            found += bands
        else:
            unread.append(type(drawn).__name__)
    for patch in ax.patches:
        if id(patch) in taken:
            continue
        if (stripe := of.of_span(patch, ax.transData)) is not None:
            found.append(stripe)
        elif isinstance(patch, StepPatch):
            found.append(of.of_steps(patch))
        elif isinstance(patch, MEASURED):
            unread.append(type(patch).__name__)
    unread += [type(table).__name__ for table in ax.tables]
    return found


def _parts(errors: Any) -> set[int]:
    middle, caps, bars = errors.lines
    return {id(part) for part in (middle, *caps, *bars) if part is not None}


def _add_errors(one: Series, errors: Any, unread: list[str]) -> None:
    """Put the ends of error bars beside the values they belong to."""
    ends = of.error_ends(errors)
    axis, (low, high) = next(iter(ends.items()))
    if len(ends) != 1 or len(low) != len(one.columns["x"]):
        unread.append("error bars in two directions, or not at every point")
        return
    one.columns |= {"low": low, "high": high}
    one.along = "y" if axis == "x" else "x"


def _place(text: Any) -> tuple | None:
    """Where a text stands among the values, or None."""
    if getattr(text, "xycoords", "data") != "data":
        return None
    if not hasattr(text, "xycoords") and text.get_transform() != text.axes.transData:
        return None
    place = getattr(text, "xy", text.get_position())
    return None if any(isinstance(v, str) for v in place) else tuple(map(rounded, place))


def _add_words(ax: Any, found: list[Series]) -> list[str]:
    """Give points the words that are written at them, not those that only repeat the value.

    What is written elsewhere is returned, numbers left out: they repeat a bar, a square.
    """
    words = {_place(text): plain(text.get_text()) for text in ax.texts}
    words.pop(None, None)
    at_points = set()
    for one in found:
        if one.kind not in ("points", "line"):
            continue
        at = []
        for place in zip(one.columns["x"], one.columns["y"], strict=True):
            key = tuple(map(rounded, place))
            word = words.get(key, "")
            at_points.add(key if word else None)
            at.append("" if repeats(word, place) else word)
        if any(at):
            one.columns["words"] = np.array(at, object)
    elsewhere = (plain(text.get_text()) for text in ax.texts if _place(text) not in at_points)
    return [text for text in elsewhere if text and number(text) is None]


def _tick_marks(one: Series, x_scale: Scale, y_scale: Scale) -> Series:
    """A short level line over one tick marks a value, as a point would."""
    if one.kind == "line" and len(one.columns["x"]) == 2 and x_scale.names:
        x, y = x_scale.all(one.columns["x"]), one.columns["y"]
        if x[0] == x[1] and isinstance(x[0], str) and y[0] == y[1]:
            columns = {"x": one.columns["x"].mean(keepdims=True), "y": y[:1]}
            return Series("points", columns, one.label, one.colour, "short lines")
    return one


def _merge_key(one: Series) -> tuple | None:
    """What things must share to have been drawn piece by piece: points of one look, single bars."""
    if one.kind == "points":
        return one.style
    if one.kind == "bars" and not one.label and one.extra.get("single"):
        return one.kind, one.look, one.along, tuple(one.columns)
    return None


def _merged(things: list[Series]) -> list[Series]:
    merged: list[Series] = []
    for one in things:
        one.extra["single"] = len(one.columns[one.along]) == 1 if one.kind == "bars" else False
        for before in merged:
            alike = _merge_key(one) is not None and _merge_key(one) == _merge_key(before)
            if alike and (one.label == before.label or not one.label or not before.label):
                both = [before.columns, one.columns]
                before.columns = {k: np.concatenate([c[k] for c in both]) for k in one.columns}
                before.label = before.label or one.label
                before.colour = before.colour if before.colour == one.colour else ()
                break
        else:
            merged.append(one)
    return merged


def _plain_series(one: Series, name: str, x_scale: Scale, y_scale: Scale) -> dict:
    along = one.along
    if one.kind in ("line", "points") and y_scale.names and not x_scale.names:
        along = "y"
    columns = {}
    for key, values in one.columns.items():
        scale = {"x": x_scale, "y": y_scale}.get(key)
        if key == "words":
            columns[key] = values.tolist()
        elif scale is not None and (key == along or one.kind in ("line", "points")):
            columns[key] = scale.all(values)
        else:
            columns[key] = [rounded(v) for v in values]
    return {"name": name, "kind": one.kind, "along": along, "columns": columns}
