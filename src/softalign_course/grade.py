"""Grading a batch: every file that was handed in becomes one row.

The parent reads notebooks, sends code and inputs to sealed workers and compares what comes back.
What a student wrote is never run here, and nothing of it is printed but what was written as prose.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from softalign_course import judge, sandbox
from softalign_course.answers import Answer, find_answer, untouched, written_answer
from softalign_course.judge import Verdict
from softalign_course.release import TEXT_STUB, variant_of
from softalign_course.sets import ProblemSet, SetError
from softalign_course.submissions import Submission

__all__ = ["Row", "grade", "write_grades"]

WRITTEN = ("file", "student", "question", "words", "most", "text")  # columns of written.csv


@dataclass
class Row:
    """What one file is worth.

    Attributes
    ----------
    submission : Submission
    status : str
        "graded", or why it is not.
    verdicts : dict
        For each coding question its `Verdict`.
    written : dict
        For each written question the student's text.
    notes : list of str
        What was odd; the student reads it too.
    staff_notes : list of str
        What only whoever grades may read, since it may name another student.
    """

    submission: Submission
    status: str
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    staff_notes: list[str] = field(default_factory=list)
    variant: int = 0

    @property
    def points(self) -> float:
        """Points of all coding questions."""
        return sum(verdict.points for verdict in self.verdicts.values())


@dataclass(frozen=True)
class _Job:
    row: Row
    question: str
    answer: Answer


def grade(
    problem_set: ProblemSet,
    submissions: Iterable[Submission],
    seed: int,
    *,
    class_list: Sequence[str] | None = None,
    progress: bool = False,
    isolation: sandbox.Isolation | None = None,
) -> list[Row]:
    """Grade submissions of one set.

    Parameters
    ----------
    problem_set : ProblemSet
    submissions : iterable of Submission
    seed : int
        The hidden inputs are drawn from it.
    class_list : sequence of str, optional
        The list that the releases were made for: whose variant a notebook has is then checked.
    progress : bool
        Show a bar.
    isolation : Isolation, optional
        What this machine grants, if left out.
    """
    rows = [_row(problem_set, submission, class_list) for submission in submissions]
    jobs = [
        _Job(row, name, find_answer(row.submission.notebook, problem_set, question, row.variant))
        for row in rows
        if row.submission.notebook is not None and row.status == "graded"
        for name, question in problem_set.questions.items()
    ]

    def task(job: _Job) -> sandbox.Task | None:
        question, variant = problem_set.questions[job.question], job.row.variant
        if not job.answer.pieces or untouched(job.answer, problem_set, question, variant):
            return None
        return judge.sheet(problem_set, job.question, seed, variant).task(job.answer.pieces)

    with sandbox.Pool(isolation) as pool:
        runs = pool.map(task, jobs)
        bar = tqdm(runs, total=len(jobs), unit="answer", desc="grading", disable=not progress)
        for job, run in zip(jobs, bar, strict=True):
            most = problem_set.questions[job.question].points
            job.row.notes += [f"{job.question}: {note}" for note in job.answer.notes]
            if run is not None:
                sheet = judge.sheet(problem_set, job.question, seed, job.row.variant)
                verdict = sheet.judge(run)
                if run.ended == "lost":
                    lost = f"{job.question}: the worker was lost, not the answer; grade this again."
                    job.row.notes.append(lost)
            elif job.answer.pieces:
                verdict = Verdict(0, most, "Not answered.", "answered")
            else:
                verdict = Verdict(0, most, "The answer cell is missing.", "answered")
            job.row.verdicts[job.question] = verdict
    return rows


def _row(problem_set: ProblemSet, submission: Submission, class_list: Sequence[str] | None) -> Row:
    notebook = submission.notebook
    if notebook is None:
        return Row(submission, f"not graded: {submission.problem}")
    row = Row(submission, "graded")
    given = notebook.label.get("set")
    if isinstance(given, str) and given != problem_set.name and len(given) < 60:
        return Row(submission, f"not graded: it is problem set {given}")
    if not any(cell.role == "answer" for cell in notebook.cells):
        row.notes.append("The cells have lost their names (nbgrader's metadata).")
    variant = notebook.variant
    if variant is None:
        row.notes.append("The variant in the notebook is none; the common one was used.")
        variant = 0
    if class_list is not None:
        variant = _own_variant(problem_set, row, variant, class_list)
    row.variant = variant
    for cell in problem_set.written:
        text = written_answer(notebook, cell.name)
        if text is None:
            row.notes.append(f"{cell.name}: the cell is missing.")
        row.written[cell.name] = "" if text is None or text.strip() == TEXT_STUB else text
    if submission.late:
        row.notes.append("Late.")
    return row


def _own_variant(problem_set: ProblemSet, row: Row, variant: int, class_list: Sequence[str]) -> int:
    """The variant of the student whom the file belongs to, if the class list has that name."""
    owners = {variant_of(name, problem_set.name): name for name in class_list}
    submission = row.submission
    for name in class_list:
        if name in (submission.student, submission.lms_id) or name in submission.file.split("/"):
            own = variant_of(name, problem_set.name)
            if own != variant:
                row.notes.append("The notebook is not this student's variant.")
                if variant in owners:
                    row.staff_notes.append(f"The notebook is the variant of {owners[variant]}.")
            return own
    row.staff_notes.append("Nobody on the class list has the name or number of this file.")
    if variant not in owners:
        row.notes.append("The notebook's variant belongs to nobody on the class list.")
    return variant


# --- what is written ------------------------------------------------------------------------------


def _safe(value: Any) -> Any:
    """A cell of a table that no spreadsheet takes for a formula."""
    if isinstance(value, str):
        value = "".join(c if c.isprintable() else " " for c in value)
        if value.startswith(("=", "+", "-", "@")):
            return "'" + value
    return value


def _about(row: Row, question: str, most: float) -> list[str]:
    """What ``written.csv`` says of a written answer; the last tells one text from another."""
    text = row.written.get(question, "")
    line = [row.submission.file, row.submission.student, question, str(len(text.split()))]
    line += [f"{most:g}", hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]]
    return [_safe(value) for value in line]


def _earlier(problem_set: ProblemSet, rows: Sequence[Row], out: Path) -> dict[tuple, tuple]:
    """Points and comments that stand in the folder's ``written.csv``, by what it says of a text."""
    if not (out / "grading.json").exists():
        return {}
    about = json.loads((out / "grading.json").read_text(encoding="utf-8"))
    if about["set"] != problem_set.name:
        raise SetError(f"{out} holds grades of {about['set']}: choose another folder")
    with (out / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        missing = {row["file"] for row in csv.DictReader(file)} - {
            _safe(row.submission.file) for row in rows
        }
    if missing:
        raise SetError(
            f"{out} holds grades of {len(missing)} files that are not among these, "
            f"{min(missing)} for one: choose another folder"
        )
    with (out / "written.csv").open(newline="", encoding="utf-8-sig") as file:
        return {
            tuple(row[name] for name in WRITTEN): (row["points"], row["comment"])
            for row in csv.DictReader(file)
        }


def write_grades(problem_set: ProblemSet, rows: Sequence[Row], out: Path, seed: int) -> None:
    """Write ``grades.csv``, ``written.csv``, ``written/`` and ``feedback/`` into a folder.

    ``grades.csv`` has one row for each file. ``written.csv`` has one row for each written answer,
    with a column for its points and one for a comment; where the folder holds an earlier grading,
    what stands in these two is kept for a text that has not changed. ``grading.json`` says how to
    repeat the grading.

    Raises
    ------
    SetError
        The folder holds the grades of another set, or of files that are not among these.
    """
    from softalign_course import feedback

    kept = _earlier(problem_set, rows, out)
    out.mkdir(parents=True, exist_ok=True)
    names, written = list(problem_set.questions), problem_set.written
    most = sum(question.points for question in problem_set.questions.values())
    with (out / "grades.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        head = ["file", "student", "lms_id", "variant", "status", "points", "most"]
        head += [column for name in names for column in (f"{name} points", f"{name} reason")]
        table.writerow([*head, "written most", "notes", "staff notes"])
        for row in rows:
            graded = row.status == "graded"
            line = [row.submission.file, row.submission.student, row.submission.lms_id]
            line += [row.variant if graded else "", row.status]
            line += [f"{row.points:g}" if graded else "0", f"{most:g}"]
            for name in names:
                verdict = row.verdicts.get(name)
                line += [f"{verdict.points:g}", verdict.reason] if verdict else ["0", ""]
            line += [f"{sum(cell.points for cell in written):g}"]
            line += [" ".join(row.notes), " ".join(row.staff_notes)]
            table.writerow([_safe(value) for value in line])
    with (out / "written.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file)
        table.writerow([*WRITTEN, "points", "comment"])
        for row in rows:
            for cell in written:
                if row.status == "graded":
                    line = _about(row, cell.name, cell.points)
                    given = kept.get(tuple(line), ("", "") if line[3] != "0" else ("0", ""))
                    table.writerow([*line, *given])
    feedback.write(problem_set, rows, out)
    about = {
        "set": problem_set.name,
        "seed": seed,
        "files": len(rows),
        "graded": sum(row.status == "graded" for row in rows),
        "isolation": sandbox.isolation().says,
        "when": time.strftime("%Y-%m-%d %H:%M"),
    }
    (out / "grading.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
