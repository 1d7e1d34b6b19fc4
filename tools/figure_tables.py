"""Tables of the numbers that a figure carries along (``softalign.figure_data``), and a file.

A table is for reading: numbers have four digits, those of a heat map three, which is more than an
eye takes from a plot, and a long curve is thinned. The file has everything.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

DIGITS, DIGITS_OF_COLOURS = 4, 3
# A table has at most this many rows, and fewer if it is wide: about as many squares as here.
ROWS, CELLS = 30, 360
# A heat map shows at most this many squares; that is one of the longer recurring sentence.
SQUARES = 500
# Things with different places along the axis share a table if they are short.
SHORT = 12
ACROSS = ("horizontal", "vertical", "stripe over x", "stripe over y")
COLUMNS = ("x", "y", "low", "high", "begin", "end", "to_x", "to_y", "value", "words", "frame")
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """What is put between the tags: `heads` columns at the left name their row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    heads: int = 1
    notes: tuple[str, ...] = field(default=())


def written(value: float | str | None, digits: int = DIGITS) -> str:
    """A value as readers see it: a few digits, whole numbers whole, powers of ten far from 1."""
    if value is None or value == "":
        return NOTHING
    if value in ("inf", "-inf"):
        return "∞" if value == "inf" else "−∞"
    if isinstance(value, str):
        return value
    if float(value).is_integer() and abs(value) < 1e7:
        return f"{int(value)}".replace("-", "−")
    short = float(f"{value:.{digits}g}")
    if 1e-4 <= abs(short) < 1e7:
        places = max(0, digits - 1 - math.floor(math.log10(abs(short))))
        text = f"{short:.{places}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    mantissa, power = f"{short:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    return f"{mantissa} × 10{str(int(power)).translate(RAISED)}"


# --- which rows -----------------------------------------------------------------------------------


def extremes(values: Sequence) -> set[int]:
    """Places of the least and the greatest number."""
    numbers = [(v, i) for i, v in enumerate(values) if isinstance(v, int | float)]
    return (
        {min(numbers)[1], max(numbers, key=lambda pair: (pair[0], -pair[1]))[1]}
        if numbers
        else set()
    )


def spread(places: Sequence, wanted: int, logarithmic: bool) -> list[int]:
    """About `wanted` places of all, first and last among them, evenly spaced as drawn.

    If one is wanted, it is the first.
    """
    if wanted < 2:
        return [0]
    last = len(places) - 1
    positive = all(isinstance(p, int | float) and p > 0 for p in places)
    if not (logarithmic and positive and list(places) == sorted(places)):
        return sorted({round(last * k / (wanted - 1)) for k in range(wanted)})
    logs = [math.log(p) for p in places]
    found, at = set(), 0
    for k in range(wanted):
        goal = logs[0] + (logs[-1] - logs[0]) * k / (wanted - 1)
        while at < last and abs(logs[at + 1] - goal) <= abs(logs[at] - goal):
            at += 1
        found.add(at)
    return sorted(found)


def thinned(
    places: Sequence, columns: Sequence[Sequence], limit: int, logarithmic: bool
) -> list[int]:
    """Which rows of a long table stay: first, last, extremes of each column, others between."""
    if len(places) <= limit:
        return list(range(len(places)))
    kept = {0, len(places) - 1}
    for column in columns:
        if len(kept) + 2 <= limit // 2:
            kept |= extremes(column)
    return sorted(kept | set(spread(places, limit - len(kept) + 2, logarithmic)))


def left_out(kept: int, all_: int, what: str) -> tuple[str, ...]:
    """The sentence that says that a table has been thinned."""
    if kept == all_:
        return ()
    return (
        f"{kept} of {all_} {what}: the first, the last, the least and greatest values, "
        "and others between them. The file has all.",
    )


# --- tables of lines, points and bars -------------------------------------------------------------


def given(series: dict) -> list:
    """Where along the axis the values of a series lie; bins by where they begin and end."""
    columns = series["columns"]
    if "begin" in columns:
        ends = zip(columns["begin"], columns["end"], strict=True)
        return [f"{written(begin)} to {written(end)}" for begin, end in ends]
    return columns[series["along"]]


def values_of(series: dict, label: str) -> list[tuple[str, list]]:
    """The columns of values of a series, with their headings."""
    other = "y" if series["along"] == "x" else "x"
    columns, name = series["columns"], series["name"] or label
    found = [(name, columns[other])] if other in columns else []
    for key, word in (("low", "low"), ("high", "high"), ("value", ""), ("words", "written there")):
        if key in columns:
            found.append((", ".join(filter(None, (name, word))), columns[key]))
    return found


def place_label(group: Sequence[dict], panel: dict) -> str:
    """The label of the axis along which things lie; names need none."""
    along = group[0]["along"]
    named = any(isinstance(place, str) for place in group[0]["columns"].get(along, ()))
    return panel[along] or ("name" if named else along)


def by_place(caption: str, group: Sequence[dict], panel: dict) -> Table:
    """One table for things with the same places: a row for each place, a column for each thing."""
    along = group[0]["along"]
    other = "y" if along == "x" else "x"
    places = given(group[0])
    columns = [
        (panel["value"] or "value" if values is one["columns"].get("value") else heading, values)
        for one in group
        for heading, values in values_of(one, panel[other] or other)
    ]
    order = list(range(len(places)))
    if all(one["kind"] == "points" for one in group) and all(
        isinstance(p, int | float) for p in places
    ):
        order.sort(key=places.__getitem__)
    places, columns = (
        [places[i] for i in order],
        [(heading, [values[i] for i in order]) for heading, values in columns],
    )
    limit = max(SHORT, min(ROWS, CELLS // (len(columns) + 1)))
    kept = thinned(places, [v for _, v in columns], limit, panel["scales"][along] == "log")
    columns = [(heading, v) for heading, v in columns if any(v[i] != "" for i in kept)]
    numbers = [values for _, values in columns]
    rows = [(written(places[i]), *(written(values[i]) for values in numbers)) for i in kept]
    head = (place_label(group, panel), *(heading for heading, _ in columns))
    return Table(caption, head, tuple(rows), 1, left_out(len(kept), len(places), "rows"))


def one_below_the_other(caption: str, group: Sequence[dict], panel: dict) -> Table:
    """One table for short things with different places: their names stand at the left."""
    keys = [k for k in COLUMNS if any(k in one["columns"] for one in group)]
    labels = {"x": panel["x"] or "x", "y": panel["y"] or "y", "value": panel["value"] or "value"}
    labels |= {"to_x": "to x", "to_y": "to y", "words": "written there"}
    rows, total = [], 0
    for one in group:
        columns = one["columns"]
        places = next(iter(columns.values()))
        kept = thinned(places, [], ROWS // 2, False)
        total += len(places)
        for i in kept:
            cells = [written(columns[k][i]) if k in columns else NOTHING for k in keys]
            rows.append((one["name"] or one["kind"], *cells))
    head = ("what", *(labels.get(k, k) for k in keys))
    return Table(caption, head, tuple(rows), 1, left_out(len(rows), total, "rows"))


def across(caption: str, group: Sequence[dict], panel: dict) -> Table:
    """One table for the lines and stripes that cross the whole panel."""
    rows = []
    for one in group:
        ends = [written(column[0]) for column in one["columns"].values()]
        text = " to ".join(ends)
        over_x = one["kind"] in ("vertical", "stripe over x")
        rows.append((one["name"] or one["kind"], text if over_x else "", "" if over_x else text))
    head = ("across the panel", panel["x"] or "x", panel["y"] or "y")
    full = [k for k in (1, 2) if any(row[k] for row in rows)]
    cut = tuple((row[0], *(row[k] or NOTHING for k in full)) for row in rows)
    return Table(caption, (head[0], *(head[k] for k in full)), cut)


def tables_of_series(panel: dict, title: str) -> list[Table]:
    """The tables of all that a panel shows but its heat maps."""
    groups: dict[tuple, list[dict]] = {}
    crossing = [one for one in panel["series"] if one["kind"] in ACROSS]
    pieces = [one for one in panel["series"] if one["kind"] == "segments"]
    for one in panel["series"]:
        if one not in crossing and one not in pieces:
            groups.setdefault((one["along"], *map(str, given(one))), []).append(one)
    short = [g[0] for g in groups.values() if len(g) == 1 and len(given(g[0])) <= SHORT]
    found = []

    def name(group: Sequence[dict]) -> str:
        other = "y" if group[0]["along"] == "x" else "x"
        names = [one["name"] for one in group]
        subject = panel[other] or (names[0] if len(names) == 1 else "")
        text = f"{subject or other}, by {place_label(group, panel)}"
        return " · ".join(filter(None, (title, text)))

    for group in groups.values():
        if len(short) < 2 or group[0] not in short:
            found.append(by_place(name(group), group, panel))
    if len(short) > 1:
        found.append(one_below_the_other(name(short), short, panel))
    if pieces:
        text = " · ".join(filter(None, (title, "straight pieces, from and to")))
        found.append(one_below_the_other(text, pieces, panel))
    if crossing:
        text = " · ".join(filter(None, (title, "lines and stripes across the panel")))
        found.append(across(text, crossing, panel))
    return found


# --- tables of heat maps --------------------------------------------------------------------------


def table_of_map(one: dict, panel: dict, title: str) -> Table:
    """A heat map, row by row from the top; a large one is thinned in both directions."""
    values, rows, columns = one["values"], one["rows"], one["columns"]
    across_, down = list(range(len(columns))), list(range(len(rows)))
    if len(rows) * len(columns) > SQUARES:
        least = [(v, i, j) for i, r in enumerate(values) for j, v in enumerate(r) if is_number(v)]
        ends = [min(least), max(least)] if least else []
        most = min(len(columns), max(16, SQUARES // len(rows)))
        across_ = sorted({*spread(columns, most, False), *(j for *_, j in ends)})
        down = spread(rows, min(len(rows), SQUARES // most), False)
        down = sorted({*down, *(i for _, i, _ in ends)})
    frames, words = one.get("frames"), one.get("words")
    notes = []
    if words:
        notes.append("What is written in a square stands before its value.")
    if frames:
        notes.append("■ marks a square with a solid frame, □ one with a dashed frame.")
    if len(down) < len(rows) or len(across_) < len(columns):
        notes.append(
            f"{len(down)} of {len(rows)} rows and {len(across_)} of {len(columns)} columns, with "
            "the least and the greatest value. The file has all."
        )

    def cell(i: int, j: int) -> str:
        parts = [written(values[i][j], DIGITS_OF_COLOURS)]
        if words and words[i][j]:
            parts.insert(0, words[i][j])
        if frames and frames[i][j]:
            parts.append("■" if frames[i][j] == "solid" else "□")
        return " ".join(parts)

    body = [(written(rows[i]), *(cell(i, j) for j in across_)) for i in down]
    corner = f"{panel['y'] or 'row'} ↓, {panel['x'] or 'column'} →"
    text = " · ".join(filter(None, (title, one["name"], panel["value"])))
    head = (corner, *(written(columns[j]) for j in across_))
    return Table(text or "values of the squares", head, tuple(body), 1, tuple(notes))


def is_number(value: object) -> bool:
    """Whether a value is a finite number: gaps are None, infinities words."""
    return isinstance(value, int | float)


# --- a figure -------------------------------------------------------------------------------------


def titles(numbers: dict) -> list[str]:
    """What to call each panel: its title, or its place; nothing if there is only one."""
    panels = numbers["panels"]
    if len(panels) == 1:
        return [panels[0]["title"]]
    texts = [panel["title"] for panel in panels]
    return [
        text
        if text and texts.count(text) == 1
        else " ".join(filter(None, (f"Panel {k}:", text))).rstrip(":")
        for k, text in enumerate(texts, 1)
    ]


def tables_of(numbers: dict) -> list[Table]:
    """All tables of a figure, panel by panel."""
    found = []
    for panel, title in zip(numbers["panels"], titles(numbers), strict=True):
        found += [table_of_map(one, panel, title) for one in panel["maps"]]
        found += tables_of_series(panel, title)
        if panel["texts"]:
            note = "Also written in the figure: " + "; ".join(panel["texts"]) + "."
            found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
    return found


def records(numbers: dict) -> Iterable[dict]:
    """Every number of a figure: a record for each point, bar or square."""
    for panel, title in zip(numbers["panels"], titles(numbers), strict=True):
        for one in panel["series"]:
            keys = list(one["columns"])
            for values in zip(*one["columns"].values(), strict=True):
                point = {"panel": title, "series": one["name"], "kind": one["kind"]}
                yield point | dict(zip(keys, values, strict=True))
        for one in panel["maps"]:
            for i, row in enumerate(one["rows"]):
                for j, column in enumerate(one["columns"]):
                    square = {"panel": title, "series": one["name"], "kind": "square"}
                    square |= {"x": column, "y": row, "value": one["values"][i][j]}
                    for key, name in (("words", "words"), ("frames", "frame")):
                        if key in one:
                            square[name] = one[key][i][j]
                    yield square


def as_csv(numbers: dict) -> tuple[str, int]:
    """The text of the file with all numbers, and how many rows it has below its head."""
    rows = list(records(numbers))
    used = [key for key in COLUMNS if any(key in row for row in rows)]
    out = io.StringIO()
    writer = csv.DictWriter(out, ["panel", "series", "kind", *used], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue(), len(rows)
