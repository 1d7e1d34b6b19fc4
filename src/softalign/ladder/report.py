"""The table of a ladder, for a terminal and for a spreadsheet; the same cells are on the page.

Page: your_own_text
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from softalign.ladder.reading import duration, in_brackets, plain, reading, scored
from softalign.ladder.record import METRICS, Ladder, Row
from softalign.systems.folder import write_bytes

__all__ = [
    "COLUMNS",
    "Cell",
    "Table",
    "as_text",
    "as_tsv",
    "tabulate",
    "width",
    "write_tsv",
]

COLUMNS = (
    "family",
    "BLEU",
    "chrF",
    "exact, %",
    "parameters",
    "steps",
    "training",
    "translating",
    "cut off, %",
)
SCALES = {"bleu": 1.0, "chrf": 1.0, "exact": 100.0}
UNDEFINED = "not defined for this family"


@dataclass(frozen=True)
class Cell:
    """What stands in a place of the table.

    Attributes
    ----------
    text : str
        "-" where there is no number.
    note : str
        The letter of the footnote that says why.
    best : bool
        Whether nothing in the column is better.
    """

    text: str
    note: str = ""
    best: bool = False

    def __str__(self) -> str:
        """Return the text with the letter of its footnote."""
        return f"{self.text}[{self.note}]" if self.note else self.text


@dataclass(frozen=True)
class Table:
    """Cells by family, as `COLUMNS` says, and the footnotes by letter."""

    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[tuple[str, str], ...]


def tabulate(ladder: Ladder) -> Table:
    """Return the cells of the table.

    Parameters
    ----------
    ladder : Ladder
        What was measured.

    Returns
    -------
    Table
        A number that is not there is a dash with a footnote that says why, never 0.

    Page: your_own_text
    """
    best = {
        metric: max(row.metrics[metric].value for row in scored(ladder, metric))
        for metric in METRICS
        if scored(ladder, metric)
    }
    letters: dict[str, str] = {}
    rows = []
    for row in ladder.rows:
        cells = [Cell(plain(row.family))]
        for metric in METRICS:
            score = row.metrics.get(metric)
            text = "" if score is None else in_brackets(score, SCALES[metric])
            cells.append(Cell(text, best=score is not None and score.value == best[metric]))
        cells += [Cell(text) for text in _costs(row)]
        if any(not cell.text for cell in cells):
            letter = letters.setdefault(_why(row), _letter(len(letters)))
            cells = [cell if cell.text else Cell("-", letter) for cell in cells]
        rows.append(tuple(cells))
    return Table(tuple(rows), tuple((letter, why) for why, letter in letters.items()))


def _costs(row: Row) -> list[str]:
    """What is not a score; "" for what is not there."""
    numbers = ["" if n is None else f"{n:,}" for n in (row.parameters, row.steps)]
    times = ["" if s is None else duration(s) for s in (row.train_seconds, row.translate_seconds)]
    return [*numbers, *times, "" if row.unfinished is None else f"{100 * row.unfinished:.1f}"]


def _why(row: Row) -> str:
    reason = plain(row.reason).rstrip(".")
    if row.state == "finished":
        return reason or UNDEFINED
    if row.state == "running":
        return "still running when this was written"
    word = "failed" if row.state == "failed" else "left out"
    return f"{word}: {reason}" if reason else word


def _letter(number: int) -> str:
    """a, b, …, z, aa, ab: as many letters as it takes."""
    letters = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        letters, number = chr(ord("a") + rest) + letters, number - 1
    return letters


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for each Chinese character.

    >>> width("lstm"), width("翻译"), width("e\\u0301")
    (4, 4, 1)

    Page: your_own_text
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def as_text(ladder: Ladder) -> str:
    """Return the reading and the table for a terminal, footnotes below.

    Page: your_own_text
    """
    table = tabulate(ladder)
    lines = [COLUMNS, *([str(cell) for cell in row] for row in table.rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(COLUMNS))]
    shown = [_line(cells, widths) for cells in lines]
    shown.insert(1, "-" * sum(widths, 2 * (len(widths) - 1)))
    shown += [f"[{letter}] {why}" for letter, why in table.notes]
    return "\n".join([*shown, "", *reading(ladder)]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Pad the name on the right, numbers on the left."""
    first, *rest = (" " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True))
    parts = [cells[0] + first, *(gap + cell for gap, cell in zip(rest, cells[1:], strict=True))]
    return "  ".join(parts).rstrip()


def as_tsv(ladder: Ladder) -> str:
    """Return the table for other programs: bare numbers, a dash for what is not there, and why.

    Shares stay shares, times are seconds.

    Page: your_own_text
    """
    names = ["family", "description", "state"]
    names += [f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")]
    names += ["parameters", "steps", "train_seconds", "translate_seconds", "unfinished", "note"]
    lines = [names]
    for row in ladder.rows:
        values: list[float | int | None] = []
        for metric in METRICS:
            score = row.metrics.get(metric)
            values += [None] * 3 if score is None else [score.value, score.low, score.high]
        values += [row.parameters, row.steps, row.train_seconds, row.translate_seconds]
        values.append(row.unfinished)
        words = [plain(text) for text in (row.family, row.description, row.state)]
        note = _why(row) if None in values else ""
        lines.append([*words, *(_bare(v) for v in values), note])
    return "".join("\t".join(cells) + "\n" for cells in lines)


def _bare(value: float | int | None) -> str:
    """Return a number as other programs read it, with six digits if it is not whole."""
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def write_tsv(path: str | Path, ladder: Ladder) -> None:
    """Write ``table.tsv``, whole or not at all.

    Page: your_own_text
    """
    write_bytes(path, as_tsv(ladder).encode("utf-8", "replace"))
