"""Pages that people read after a grading: one for each student, one for each written question.

A student's page holds points and reasons, which are the course's own words; of what the student's
code returned, printed or raised it holds nothing, nor of hidden inputs and solutions.
The pages for whoever grades the prose hold the students' texts, as text.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from softalign_course.sets import ProblemSet

if TYPE_CHECKING:
    from softalign_course.grade import Row

__all__ = ["page", "write"]

STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid; }
td.number { text-align: right; white-space: nowrap; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid; padding: .6rem; }
"""


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def page(problem_set: ProblemSet, row: Row) -> str:
    """The page of one student."""
    title = f"{problem_set.info['title']}: feedback"
    lines = [f"<p>File: {html.escape(row.submission.file)}</p>"]
    if row.status != "graded":
        lines.append(f"<p>{html.escape(row.status.capitalize())}.</p>")
        return _document(title, "\n".join(lines))
    most = sum(verdict.most for verdict in row.verdicts.values())
    lines.append(f"<p>Code: <strong>{row.points:g} of {most:g} points</strong>.</p>")
    lines.append('<table>\n<thead><tr><th scope="col">question</th><th scope="col">points</th>')
    lines.append('<th scope="col">reason</th></tr></thead>\n<tbody>')
    for name, verdict in row.verdicts.items():
        lines.append(
            f'<tr><th scope="row">{html.escape(name.replace("_", " "))}</th>'
            f'<td class="number">{verdict.points:g} of {verdict.most:g}</td>'
            f"<td>{html.escape(verdict.reason) or 'all checks passed'}</td></tr>"
        )
    lines.append("</tbody></table>")
    written = problem_set.written
    if written:
        points = sum(cell.points for cell in written)
        lines.append(
            f"<p>The {len(written)} written questions ({points:g} points) are read by a person.</p>"
        )
    if row.notes:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in row.notes)
        lines.append(f"<h2>Notes</h2>\n<ul>{notes}</ul>")
    return _document(title, "\n".join(lines))


def file_name(file: str) -> str:
    """A name for the page of a submission: readable, and different for different files."""
    stem = re.sub(r"[^\w.-]+", "_", file)[-80:].strip("._")
    return f"{stem}_{hashlib.sha256(file.encode('utf-8', 'replace')).hexdigest()[:8]}.html"


def write(problem_set: ProblemSet, rows: Sequence[Row], out: Path) -> None:
    """Write ``feedback/`` (for students) and ``written/`` (for those who grade prose)."""
    (out / "feedback").mkdir(exist_ok=True)
    for row in rows:
        text = page(problem_set, row)
        (out / "feedback" / file_name(row.submission.file)).write_text(
            text, encoding="utf-8", errors="replace"
        )
    (out / "written").mkdir(exist_ok=True)
    for cell in problem_set.written:
        parts = [f"<h2>Model answer and rubric</h2>\n<pre>{html.escape(cell.source)}</pre>"]
        for row in rows:
            if row.status == "graded":
                text = row.written.get(cell.name, "") or "(not answered)"
                parts.append(
                    f"<h2>{html.escape(row.submission.file)}</h2>\n<pre>{html.escape(text)}</pre>"
                )
        title = f"{problem_set.info['title']}: {cell.name} ({cell.points:g} points)"
        (out / "written" / f"{cell.name}.html").write_text(
            _document(title, "\n".join(parts)), encoding="utf-8", errors="replace"
        )
