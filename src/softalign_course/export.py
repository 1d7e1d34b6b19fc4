"""Grades for a learning management system: Canvas's gradebook, Moodle's grading worksheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Export", "ExportError", "canvas", "moodle", "totals"]


class ExportError(Exception):
    """The files do not fit together; the message is one sentence."""


@dataclass(frozen=True)
class Total:
    """Points of one file, prose included where it has been graded.

    `waiting` counts the written answers without points; `by_name` is the student's name where the
    file's name has no number.
    """

    file: str
    student: str
    lms_id: str
    status: str
    points: float
    most: float
    says: str
    waiting: int = 0
    by_name: str = ""


@dataclass(frozen=True)
class Export:
    """The text of the table, and what did not fit in, one sentence each."""

    text: str
    left_over: tuple[str, ...]


def _table(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ExportError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ExportError(f"{path} is not a table in UTF-8") from None
    return list(csv.DictReader(io.StringIO(text)))


def _plain(text: str) -> str:
    """Undo what keeps a spreadsheet from taking a text for a formula."""
    return text[1:] if text[:2] in ("'=", "'+", "'-", "'@") else text


def totals(folder: Path) -> list[Total]:
    """Read ``grades.csv`` and ``written.csv`` of a graded batch; the best file of a student counts.

    Raises
    ------
    ExportError
        A file is missing or not what `softalign_course.grade` writes.
    """
    rows = _table(folder / "grades.csv")
    if not rows or "points" not in rows[0]:
        raise ExportError(f"{folder / 'grades.csv'} is not a table of grades")
    prose: dict[str, float] = {}
    waiting: dict[str, int] = {}
    comments: dict[str, list[str]] = {}
    for row in _table(folder / "written.csv") if (folder / "written.csv").exists() else []:
        if row["points"].strip():
            number = _number(row["points"], f"written.csv, {row['file']}, {row['question']}")
            if not 0 <= number <= float(row["most"]):
                raise ExportError(
                    f"written.csv gives {row['points']} of {row['most']} points: {row['file']}"
                )
            prose[row["file"]] = prose.get(row["file"], 0.0) + number
        else:
            waiting[row["file"]] = waiting.get(row["file"], 0) + 1
        if row["comment"].strip():
            said = f"{row['question']}: {_plain(row['comment'].strip())}"
            comments.setdefault(row["file"], []).append(said)
    best: dict[str, Total] = {}
    for row in rows:
        reasons = [
            f"{column.removesuffix(' reason')}: {_plain(text)}"
            for column, text in row.items()
            if column.endswith(" reason") and text
        ]
        total = Total(
            row["file"],
            _plain(row["student"]),
            row["lms_id"],
            row["status"],
            _number(row["points"], row["file"]) + prose.get(row["file"], 0.0),
            float(row["most"]) + float(row["written most"]),
            " ".join([*reasons, *comments.get(row["file"], []), _plain(row["notes"])]).strip(),
            waiting.get(row["file"], 0),
            "" if row["lms_id"] else _plain(row["student"]),
        )
        key = total.lms_id or total.student
        if key not in best or total.points > best[key].points:
            best[key] = total
    return list(best.values())


def _number(text: str, where: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ExportError(f"{where}: {text!r} is no number of points") from None


def _write(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()


def canvas(grades: Sequence[Total], gradebook: Path | None, column: str) -> Export:
    """Fill a column of Canvas's exported gradebook, or make a table to import.

    Parameters
    ----------
    grades : sequence of Total
    gradebook : Path, optional
        What Canvas exports (Grades, Export). Without it the table holds the students of the batch,
        and Canvas matches them by ``ID``.
    column : str
        The assignment: its name, or its name with Canvas's number in brackets.

    Notes
    -----
    Files whose names have no number, such as nbgrader's, are matched by the student's name among
    ``SIS Login ID``, ``SIS User ID`` and ``Student``.
    """
    by_id = {total.lms_id or total.by_name: total for total in grades}
    if gradebook is None:
        most = max((total.most for total in grades), default=0.0)
        rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]]
        rows.append(["    Points Possible", "", "", "", "", f"{most:g}"])
        rows += [[t.student, t.lms_id, "", "", "", f"{t.points:g}"] for t in grades if t.lms_id]
        left = [f"{t.file}: no Canvas number in its name" for t in grades if not t.lms_id]
        return Export(_write(rows), tuple(left))
    table = list(csv.reader(io.StringIO(_text(gradebook))))
    if not table or "ID" not in table[0] or "Student" not in table[0]:
        raise ExportError(f"{gradebook} is not a gradebook that Canvas exported")
    head = table[0]
    fitting = [i for i, name in enumerate(head) if name == column or name.startswith(column + " (")]
    if len(fitting) != 1:
        raise ExportError(f"the gradebook has {len(fitting)} columns named {column!r}")
    place = fitting[0]
    used = set()
    for row in table[1:]:
        total = _owner(by_id, head, row, ("ID", "SIS Login ID", "SIS User ID", "Student"))
        if total:
            row[place] = f"{total.points:g}"
            used.add(total.file)
    left = [f"{t.file}: not in the gradebook" for t in grades if t.file not in used]
    return Export(_write(table), tuple(left))


def _owner(
    by_id: dict[str, Total], head: list[str], row: list[str], columns: Sequence[str]
) -> Total | None:
    """The total of the student of a row, by the first column that tells."""
    if len(row) != len(head):
        return None
    for name in columns:
        value = row[head.index(name)].strip() if name in head else ""
        value = value.removeprefix("Participant ")
        if value and value in by_id:
            return by_id[value]
    return None


def moodle(grades: Sequence[Total], worksheet: Path | None) -> Export:
    """Fill Moodle's grading worksheet (Assignment, Download grading worksheet), or make one.

    Parameters
    ----------
    grades : sequence of Total
    worksheet : Path, optional
        Without it the table holds the students of the batch.

    Notes
    -----
    Files whose names have no number are matched by the student's name among ``ID number``,
    ``Username``, ``Email address`` and ``Full name``.
    """
    by_id = {total.lms_id or total.by_name: total for total in grades}
    if worksheet is None:
        rows = [["Identifier", "Full name", "Grade", "Maximum Grade", "Feedback comments"]]
        rows += [
            [f"Participant {t.lms_id}", t.student, f"{t.points:g}", f"{t.most:g}", t.says]
            for t in grades
            if t.lms_id
        ]
        left = [f"{t.file}: no Moodle number in its name" for t in grades if not t.lms_id]
        return Export(_write(rows), tuple(left))
    table = list(csv.reader(io.StringIO(_text(worksheet))))
    if not table or "Identifier" not in table[0] or "Grade" not in table[0]:
        raise ExportError(f"{worksheet} is not a grading worksheet of Moodle")
    head = table[0]
    grade = head.index("Grade")
    columns = ("Identifier", "ID number", "Username", "Email address", "Full name")
    says = head.index("Feedback comments") if "Feedback comments" in head else None
    used = set()
    for row in table[1:]:
        total = _owner(by_id, head, row, columns)
        if total:
            row[grade] = f"{total.points:g}"
            if says is not None:
                row[says] = total.says
            used.add(total.file)
    left = [f"{t.file}: not in the worksheet" for t in grades if t.file not in used]
    return Export(_write(table), tuple(left))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ExportError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ExportError(f"{path} is not a table in UTF-8") from None
