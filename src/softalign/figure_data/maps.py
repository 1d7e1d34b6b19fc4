"""Heat maps: a number for each square, with the names of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from softalign.figure_data.axes import Scale, plain, repeats, rounded


def _centres(begin: Any, end: Any, count: int) -> np.ndarray:
    return begin + (np.arange(count) + 0.5) * (end - begin) / count


def grid_of(drawn: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Values, places of the columns, places of the rows; None for a picture or a bent grid."""
    array = np.ma.asarray(drawn.get_array())
    bare = np.ma.getdata(array).astype(float)
    # Matplotlib masks infinities too: these are told apart from squares that were left out
    values = np.where(np.ma.getmaskarray(array) & np.isfinite(bare), np.nan, bare)
    if values.ndim != 2:
        return None
    if not hasattr(drawn, "get_coordinates"):
        left, right, bottom, top = drawn.get_extent()
        first, last = (top, bottom) if drawn.origin == "upper" else (bottom, top)
        rows, columns = values.shape
        return values, _centres(left, right, columns), _centres(first, last, rows)
    corners = drawn.get_coordinates()
    x, y = corners[:, :, 0], corners[:, :, 1]
    if np.allclose(x, x[:, :1]) and np.allclose(y, y[:1]):  # the grid was given the other way round
        x, y, values = x.T, y.T, values.T
    if not (np.allclose(x, x[:1]) and np.allclose(y, y[:, :1])):
        return None
    if x.shape == values.shape:  # smooth shading gives a number to each corner
        return values, x[0], y[:, 0]
    return values, (x[0, 1:] + x[0, :-1]) / 2, (y[1:, 0] + y[:-1, 0]) / 2


def _places(x: np.ndarray, y: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    """Row and column of each square by its centre, in thousandths of a square."""
    wide = abs(x[1] - x[0]) if len(x) > 1 else 1.0
    high = abs(y[1] - y[0]) if len(y) > 1 else 1.0
    return {
        (round(1000 * a / wide), round(1000 * b / high)): (row, column)
        for row, b in enumerate(y)
        for column, a in enumerate(x)
    }


def read_map(ax: Any, drawn: Any, x_scale: Scale, y_scale: Scale, name: str) -> dict | None:
    """A heat map as rows from top to bottom, with what is written in its squares and framed.

    Frames of several squares are annotation, like arrows: the figure's alternative text has them.
    """
    found = grid_of(drawn)
    if found is None:
        return None
    values, x, y = found
    place = _places(x, y)
    wide = abs(x[1] - x[0]) if len(x) > 1 else 1.0
    high = abs(y[1] - y[0]) if len(y) > 1 else 1.0

    def at(a: Any, b: Any) -> tuple[int, int] | None:
        return place.get((round(1000 * a / wide), round(1000 * b / high)))

    words, frames = np.full(values.shape, "", object), np.full(values.shape, "", object)
    for text in ax.texts:
        where = at(*text.get_position()) if text.get_transform() == ax.transData else None
        if where and not repeats(text.get_text(), [values[where]]):
            words[where] = plain(text.get_text())
    for patch in ax.patches:
        if isinstance(patch, Rectangle) and not patch.get_fill():
            size = abs(patch.get_width()), abs(patch.get_height())
            where = at(*patch.get_center())
            if where and size[0] <= 1.05 * wide and size[1] <= 1.05 * high:
                frames[where] = "solid" if patch.get_linestyle() in ("-", "solid") else "dashed"
    rows = np.argsort(y if ax.yaxis_inverted() else -y, kind="stable")
    columns = np.argsort(-x if ax.xaxis_inverted() else x, kind="stable")
    cut = np.ix_(rows, columns)
    table = {
        "name": name,
        "rows": y_scale.all(y[rows]),
        "columns": x_scale.all(x[columns]),
        "values": [[rounded(v) for v in row] for row in values[cut]],
    }
    for key, grid in (("words", words), ("frames", frames)):
        if (grid != "").any():
            table[key] = grid[cut].tolist()
    return table
