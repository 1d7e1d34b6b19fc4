"""Releases: what a student is given, without solutions, model answers or hidden tests."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from softalign_course.notebook import Cell, parse
from softalign_course.sets import (
    CODE_STUB,
    HIDDEN,
    SOLUTION,
    TEXT_STUB,
    ProblemSet,
    SetError,
)

__all__ = ["CODE_STUB", "TEXT_STUB", "clear", "leaks", "release", "students", "variant_of"]

MARKS = re.compile(r"###\s*(BEGIN|END)\b", re.I)
TOLD_BY = 16  # a line of at least so many characters tells where it comes from
# The first of these that a class list has: what downloads carry in their names comes first
# (Canvas's gradebook has "ID" beside "Student", Moodle's worksheet "Identifier").
ROSTER_COLUMNS = ("id", "student_id", "identifier", "student", "login", "username", "email")


def variant_of(student: str, problem_set: str) -> int:
    """The variant of a student: the same on every machine, another for every set.

    Examples
    --------
    >>> variant_of("ada", "05_attention") == variant_of("ada", "05_attention")
    True
    """
    digest = hashlib.sha256(f"{problem_set}/{student.strip()}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1


def students(path: Path) -> list[str]:
    """Read a class list: one name a line, or a table with a column of names or numbers.

    A table may be separated by commas, semicolons or tabs; Canvas's gradebook and Moodle's grading
    worksheet are such tables. A row without a name in that column is left out.

    Raises
    ------
    SetError
        It is empty, or a name is there twice, or no column is one of `ROSTER_COLUMNS`.
    """
    text = path.read_text(encoding="utf-8-sig")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    table = csv.reader(io.StringIO(text), delimiter=separator)
    rows = [[field.strip() for field in row] for row in table if any(row)]
    if rows and len(rows[0]) > 1:
        header = [field.lower() for field in rows[0]]
        column = next((header.index(name) for name in ROSTER_COLUMNS if name in header), None)
        if column is None:
            *most, last = ROSTER_COLUMNS
            raise SetError(f"{path} has no column named {', '.join(most)} or {last}")
        found = [row[column] for row in rows[1:] if len(row) > column]
    else:
        found = [row[0] for row in rows if row[0].lower() not in ROSTER_COLUMNS]
    # Moodle writes "Participant 5001" and Canvas a row "Points Possible" for nobody
    found = [re.sub(r"^Participant (?=\d+$)", "", name) for name in found]
    found = [name for name in found if name and name.lower() != "points possible"]
    if not found:
        raise SetError(f"{path} names no student")
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise SetError(f"{path} names {twice[0]} twice")
    return found


def clear(problem_set: ProblemSet, variant: int = 0, student: str = "") -> dict[str, Any]:
    """Make the notebook that is handed out.

    Raises
    ------
    SetError
        Something of the solution would be in it.
    """
    content = problem_set.source(variant)
    for cell, read in zip(content["cells"], _cells(content), strict=True):
        if read.role == "answer":
            cell["source"], count = SOLUTION.subn(rf"\g<indent>{CODE_STUB}", cell["source"])
            if not count:
                raise SetError(f"{problem_set.name}: the answer {read.name} marks no solution")
        elif read.role == "tests":
            cell["source"] = HIDDEN.sub("", cell["source"]).rstrip()
        elif read.role == "written":
            cell["source"] = TEXT_STUB
    if student:
        content["metadata"]["softalign"]["student"] = student
    found = leaks(problem_set, content)
    if found:
        raise SetError(f"{problem_set.name}: not released, it would leak: {found[0]}")
    return content


def _cells(content: dict[str, Any]) -> Sequence[Cell]:
    return parse(json.dumps(content)).cells


def leaks(problem_set: ProblemSet, content: dict[str, Any]) -> list[str]:
    """Say what a notebook for students gives away; an empty list if nothing.

    Looked for are the marks of a solution or hidden test, every telling line of a solution, a
    hidden test or a model answer anywhere in the students' cells, and a whole solution in a given
    one (a given cell may share single lines with one: a bug hunt does).
    """
    found = []
    variant = content["metadata"]["softalign"]["variant"]
    secrets: list[tuple[str, list[str]]] = []
    for cell in problem_set.notebook(variant).cells:
        if cell.role == "answer":
            parts = [match[0] for match in SOLUTION.finditer(cell.source)]
            secrets += [(f"solution of {cell.name}", _telling(part)) for part in parts]
        elif cell.role == "tests":
            parts = [match[0] for match in HIDDEN.finditer(cell.source)]
            secrets += [(f"hidden test of {cell.name}", _telling(part)) for part in parts]
        elif cell.role == "written":
            secrets.append((f"model answer of {cell.name}", _telling(cell.source)))
    known = {
        line
        for cell in problem_set.notebook(variant).cells
        if cell.role in ("given", "extra")
        for line in _telling(cell.source)
        if cell.kind == "code"
    }
    for number, cell in enumerate(_cells(content)):
        lines = set(_telling(cell.source))
        if MARKS.search(cell.source):
            found.append(f"cell {number} has a mark of a solution or hidden test")
        for what, secret in secrets:
            told = [line for line in secret if line in lines]
            whole = len(secret) > 1 and len(told) == len(secret)
            if whole or any(line not in known for line in told):
                found.append(f"cell {number} has the {what}")
    for cell in content["cells"]:
        if cell.get("outputs"):
            found.append("a cell has stored outputs")
    return found


def _telling(text: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n")]
    return [
        line
        for line in lines
        if len(line) >= TOLD_BY
        and not line.startswith(("import ", "from ", "def ", "class ", '"""', "**Rubric"))
    ]


def handout(problem_set: ProblemSet) -> str:
    """The sheet that goes with a set, as Markdown: goals, points, hours, tools, how to hand in."""
    info = problem_set.info
    rows = [
        (cell.name.removeprefix("test_").replace("_", " "), kind, cell.points)
        for cell in problem_set.notebook().cells
        for role, kind in (("tests", "code"), ("written", "written"))
        if cell.role == role
    ]
    goals = "\n".join(f"- {goal}" for goal in info["goals"])
    table = "\n".join(f"| {name} | {kind} | {points:g} |" for name, kind, points in rows)
    total = sum(points for *_, points in rows)
    pages = ", ".join(f"`{page}`" for page in info["pages"])
    chapters = problem_set.chapters.capitalize()
    return f"""# Problem set {int(problem_set.name[:2])}: {info["title"]}

{chapters} of *Soft Alignment* (pages {pages}). At most {info["hours"]:g} hours.

## What you practise

{goals}

## What it is worth

| question | kind | points |
|---|---|---|
{table}
| **all** | | **{total:g}** |

## Rules

{info["tools"]}
Work alone and write every line yourself; say in a comment what you owe to whom.

## How

1. In an environment of your own (`python -m venv`, then activate it): `pip install -r
   requirements.txt`, and in the folder of the book `pip install ".[neural,course]"`.
2. Open `{problem_set.name}.ipynb` in Jupyter and write your answers where the notebook says so.
   Leave the other cells as they are: changed or deleted checks change nothing in the grading.
3. `softalign-course check {problem_set.name}.ipynb` runs the public checks as often as you like.
   They are the first part of the grading. The rest draws fresh inputs, from a seed chosen on the
   day.
4. Restart the kernel, run all cells, save, and hand in this one file.
"""


def requirements() -> str:
    """Pins of what the answers and experiments need, as they are installed here."""
    lines = []
    for package in ("jupyterlab", "matplotlib", "numpy", "torch"):
        try:
            version = importlib.metadata.version(package).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            lines.append(package)
        else:
            lines.append(f"{package}=={version}")
    return "\n".join(lines) + "\n"


def release(
    problem_set: ProblemSet, out: Path, class_list: Iterable[str] | None = None
) -> list[Path]:
    """Write releases and return their paths.

    Parameters
    ----------
    problem_set : ProblemSet
    out : Path
        Folder; made if it is missing.
    class_list : iterable of str, optional
        One zip for each student, with numbers of its own; without it one zip for all.

    Raises
    ------
    SetError
        It would give something away; nothing is written then.
    """
    if class_list is None:
        return [_write(problem_set, out / f"{problem_set.name}.zip", 0, "")]
    paths = []
    for student in class_list:
        name = re.sub(r"[^\w.@-]", "_", student)
        path = out / problem_set.name / f"{problem_set.name}_{name}.zip"
        if path in paths:
            raise SetError(f"two students would get the file {path.name}")
        variant = variant_of(student, problem_set.name)
        paths.append(_write(problem_set, path, variant, student))
    return paths


def _write(problem_set: ProblemSet, path: Path, variant: int, student: str) -> Path:
    files = {
        f"{problem_set.name}.ipynb": json.dumps(
            clear(problem_set, variant, student), indent=1, ensure_ascii=False
        )
        + "\n",
        "README.md": handout(problem_set),
        "requirements.txt": requirements(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():  # a fixed date: the same release is the same bytes
            member = zipfile.ZipInfo(f"{problem_set.name}/{name}", (2026, 1, 1, 0, 0, 0))
            member.external_attr = 0o644 << 16
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return path
