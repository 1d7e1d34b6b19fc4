"""From one Matplotlib artist to the numbers it was drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb

SHAPES = {"o": "circles", "s": "squares", "D": "diamonds", "^": "triangles", "v": "triangles"}
SHAPES |= {"x": "crosses", "*": "stars", ".": "dots"}
THIN = 0.8  # points; a thin line is told from a line of the same colour
STROKES = {"--": "dashed line", ":": "dotted line", "-.": "dash-dotted line"}


@dataclass
class Series:
    """Numbers drawn as one thing: a column for each coordinate, and what names the thing.

    `columns` holds x and y, and where there are any: low and high of a band or of error bars,
    begin and end of the bins of a histogram, value of coloured points. `along` is the axis of what
    is given ("x", or "y" for bars that lie).
    """

    kind: str
    columns: dict[str, np.ndarray]
    label: str = ""
    colour: tuple[float, ...] = ()
    look: str = ""
    along: str = "x"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def style(self) -> tuple:
        """What a legend shows of it."""
        return self.kind, self.colour, self.look, self.along, tuple(self.columns)


def own_label(artist: Any) -> str:
    """The label that was given to an artist, or nothing."""
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label


def colour_of(given: Any) -> tuple[float, ...]:
    """A colour without its transparency; of several different ones, none."""
    if isinstance(given, np.ndarray) and given.ndim == 2:
        different = np.unique(given.round(6), axis=0)
        if len(different) != 1:
            return ()
        given = different[0]
    return tuple(round(part, 3) for part in to_rgb(given))


def of_line(line: Any, data: Any) -> Series | None:
    """A line or markers; a line across the whole panel is a level; without numbers, None."""
    marker, stroke = str(line.get_marker()), str(line.get_linestyle())
    drawn = stroke not in ("None", "none", " ", ""), marker not in ("None", "none", " ", "")
    x, y = (np.atleast_1d(np.asarray(v, float)) for v in line.get_data(orig=False))
    if not any(drawn) or not len(x):
        return None
    along_x, along_y = line.get_transform().contains_branch_seperately(data)
    name = {"label": own_label(line), "colour": colour_of(line.get_color())}
    name["look"] = STROKES.get(stroke, "thin line" if line.get_linewidth() <= THIN else "line")
    if along_x and along_y:
        kind = "line" if drawn[0] and len(x) > 1 else "points"
        if kind == "points":
            hollow = to_rgb(line.get_markerfacecolor()) != to_rgb(line.get_color())
            name["look"] = ("hollow " if hollow else "") + SHAPES.get(marker, "points")
        return Series(kind, {"x": x, "y": y}, **name)
    if along_y:
        return Series("horizontal", {"y": y[:1]}, **name)
    if along_x:
        return Series("vertical", {"x": x[:1]}, along="y", **name)
    return None


def of_scatter(points: Any) -> Series:
    """Points of a scatter; those coloured by a number have it as their value."""
    x, y = np.ma.filled(np.ma.asarray(points.get_offsets(), float), np.nan).T
    columns, colour, look = {"x": x, "y": y}, (), "points"
    if points.get_array() is None:
        faces, edges = points.get_facecolor(), points.get_edgecolor()
        hollow = not len(faces) or colour_of(faces) == (1.0, 1.0, 1.0)
        look = "hollow points" if hollow else "points"
        colour = colour_of(edges if hollow else faces)
    else:
        columns["value"] = np.ma.filled(points.get_array().astype(float), np.nan)
    return Series("points", columns, own_label(points), colour, look)


def of_bars(bars: Any) -> Series:
    """Bars, or the bins of a histogram: bars that touch."""
    boxes = np.array([[b.get_x(), b.get_y(), b.get_width(), b.get_height()] for b in bars.patches])
    lying = bars.orientation == "horizontal"
    if lying:
        boxes = boxes[:, [1, 0, 3, 2]]
    begin, base, wide, high = boxes.T
    columns = {"x": begin + wide / 2, "y": base + high}
    touching = len(boxes) > 2 and np.allclose(begin[1:], (begin + wide)[:-1])
    if touching:
        edges = np.append(begin, begin[-1] + wide[-1])
        edges[np.abs(edges) < 1e-12 * np.ptp(edges)] = 0.0  # what rounding has left of nothing
        columns["x"] = (edges[1:] + edges[:-1]) / 2
        columns |= {"begin": edges[:-1], "end": edges[1:]}
    elif np.any(base != 0):
        columns |= {"low": base, "high": base + high}
    if lying:
        columns |= {"x": columns["y"], "y": columns["x"]}
    full = bars.patches[0].get_fill()
    kind, look = "histogram" if touching else "bars", "bars" if full else "outlined bars"
    faces = np.array([b.get_facecolor() if full else b.get_edgecolor() for b in bars.patches])
    along = "y" if lying else "x"
    # hist labels its first bar, bar labels them all together
    label = own_label(bars) or (own_label(bars.patches[0]) if touching else "")
    return Series(kind, columns, label, colour_of(faces), look, along)


def error_ends(errors: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Low and high ends of error bars, by the axis they lie along."""
    found, lines = {}, list(errors.lines[2])
    for axis, there in (("x", errors.has_xerr), ("y", errors.has_yerr)):
        if there:
            ends = np.array(
                [segment[:, "xy".index(axis)] for segment in lines.pop(0).get_segments()]
            )
            found[axis] = ends.min(axis=1), ends.max(axis=1)
    return found


def of_band(band: Any) -> list[Series]:
    """The area between two curves, as their heights; nothing if it is another polygon."""
    colour, found = colour_of(band.get_facecolor()), []
    for path in band.get_paths():
        corners = path.vertices
        count = (len(corners) - 3) // 2
        there, back = corners[1 : count + 1], corners[count + 2 : 2 * count + 2][::-1]
        if count < 1 or len(corners) != 2 * count + 3 or not np.allclose(there[:, 0], back[:, 0]):
            return []
        ends = np.sort([there[:, 1], back[:, 1]], axis=0)
        columns = {"x": there[:, 0], "low": ends[0], "high": ends[1]}
        found.append(Series("band", columns, own_label(band), colour, "band"))
    return found


def of_segments(lines: Any) -> Series:
    """Straight pieces, each from one point to another."""
    ends = np.array([piece[[0, -1]] for piece in lines.get_segments()])
    columns = {"x": ends[:, 0, 0], "y": ends[:, 0, 1]}
    columns |= {"to_x": ends[:, 1, 0], "to_y": ends[:, 1, 1]}
    return Series("segments", columns, own_label(lines), colour_of(lines.get_color()), "pieces")


def of_steps(steps: Any) -> Series:
    """Steps between edges, as ``stairs`` draws them: a histogram in outline."""
    values, edges, _ = (np.asarray(part, float) for part in steps.get_data())
    columns = {"x": (edges[1:] + edges[:-1]) / 2, "y": values}
    columns |= {"begin": edges[:-1], "end": edges[1:]}
    lying = steps.orientation == "horizontal"
    if lying:
        columns |= {"x": columns["y"], "y": columns["x"]}
    colour = colour_of(steps.get_facecolor() if steps.get_fill() else steps.get_edgecolor())
    look = STROKES.get(str(steps.get_linestyle()), "steps")
    return Series("histogram", columns, own_label(steps), colour, look, "y" if lying else "x")


def of_span(patch: Any, data: Any) -> Series | None:
    """A stripe across the whole panel; any other patch is no number: None."""
    along_x, along_y = patch.get_transform().contains_branch_seperately(data)
    if along_x == along_y or type(patch).__name__ != "Rectangle":
        return None
    begin = patch.get_x() if along_x else patch.get_y()
    end = begin + (patch.get_width() if along_x else patch.get_height())
    kind, along = ("stripe over x", "y") if along_x else ("stripe over y", "x")
    columns = {"low": np.array([begin]), "high": np.array([end])}
    colour = colour_of(patch.get_facecolor())
    return Series(kind, columns, own_label(patch), colour, "stripe", along)
