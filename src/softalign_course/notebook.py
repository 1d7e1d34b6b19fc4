"""Notebooks of problem sets: their cells, and what a cell is for.

A cell says what it is for by nbgrader's metadata. Submissions come as students saved them: with
cells deleted, duplicated, edited or added, or with no metadata at all. Reading one never runs it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Cell", "Notebook", "NotebookError", "parse", "read", "without_magics"]

MOST_BYTES = 20 * 2**20


class NotebookError(ValueError):
    """The file is no notebook that can be graded; the message is one sentence."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    kind : "code" or "markdown"
    source : str
    role : str
        "answer" (the student's code), "tests" (the public checks of a question), "written" (the
        student's prose), "given" (ours) or "extra" (no metadata: the student's own).
    name : str
        nbgrader's ``grade_id``; empty for an extra cell.
    points : float
        Of a cell that is graded; 0 otherwise.
    """

    kind: str
    source: str
    role: str = "extra"
    name: str = ""
    points: float = 0.0


@dataclass(frozen=True)
class Notebook:
    """A notebook: its cells and our own entry in its metadata (set, variant, student)."""

    cells: tuple[Cell, ...]
    label: dict[str, Any] = field(default_factory=dict)

    @property
    def variant(self) -> int | None:
        """The number of the variant that it says it is; None if what it says is no such number."""
        variant = self.label.get("variant", 0)
        return variant if type(variant) is int and 0 <= variant < 2**31 else None

    def with_role(self, role: str) -> Iterator[Cell]:
        """Cells of one role, in order."""
        return (cell for cell in self.cells if cell.role == role)


def read(path: Path) -> Notebook:
    """Read a notebook file.

    Raises
    ------
    NotebookError
        It is missing, too large, not JSON or not a notebook.
    """
    try:
        if path.is_symlink():
            raise NotebookError("it is a link to another file, not a notebook")
        if not path.is_file():
            raise NotebookError("it is not a file")
        if path.stat().st_size > MOST_BYTES:
            raise NotebookError(f"it is larger than {MOST_BYTES // 2**20} MB")
        data = path.read_bytes()
    except OSError as problem:
        raise NotebookError(f"it cannot be read ({problem.strerror})") from None
    return parse(data)


def parse(data: bytes | str) -> Notebook:
    """Read the text of a notebook."""
    if not data.strip():
        raise NotebookError("the file is empty")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise NotebookError("it is not a notebook: not JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise NotebookError("it is JSON, but not a notebook: it has no list of cells")
    metadata = content.get("metadata")
    label = metadata.get("softalign") if isinstance(metadata, dict) else None
    return Notebook(
        tuple(_cell(cell) for cell in content["cells"] if isinstance(cell, dict)),
        label if isinstance(label, dict) else {},
    )


def _cell(cell: dict[str, Any]) -> Cell:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(str(line) for line in source)
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    kind = str(cell.get("cell_type", ""))
    if not isinstance(marks, dict) or not isinstance(marks.get("grade_id"), str):
        return Cell(kind, str(source))
    grade, solution = bool(marks.get("grade")), bool(marks.get("solution"))
    role = {
        (True, True): "written",
        (True, False): "tests",
        (False, True): "answer",
        (False, False): "given",
    }[grade, solution]
    points = marks.get("points", 0)
    number = float(points) if isinstance(points, (int, float)) and 0 <= points < 1e6 else 0.0
    return Cell(kind, str(source), role, marks["grade_id"], number)


def without_magics(source: str) -> str:
    """Drop lines that only IPython understands, from a cell that Python does not.

    Examples
    --------
    >>> without_magics("%matplotlib inline\\nx = 1")
    '\\nx = 1'
    """
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = source.split("\n")
        if lines[0].startswith("%%"):
            lines[0] = ""
        return "\n".join(
            "" if line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?") else line
            for line in lines
        )
