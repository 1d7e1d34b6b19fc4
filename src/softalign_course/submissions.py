"""Submissions as they arrive: a folder or zip of whatever students handed in.

Knows the names that Canvas, Moodle and nbgrader give to downloads. Every file becomes a
`Submission`, also one that is no notebook. Archives are read in memory, never unpacked.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from softalign_course.notebook import MOST_BYTES, Notebook, NotebookError, parse, read

__all__ = ["Submission", "collect"]

CANVAS = re.compile(r"^(?P<name>[^_/]+?)_(?P<late>LATE_)?(?P<id>\d+)_(?P<sub>\d+)_(?P<rest>.+)$")
MOODLE = re.compile(
    r"^(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)$"
)
MOST_MEMBERS = 10_000
SYSTEM = {"__MACOSX", ".ipynb_checkpoints", ".git"}
NOT_HANDED_IN = (".DS_Store", "timestamp.txt")  # the second is nbgrader's, beside each notebook


@dataclass(frozen=True)
class Submission:
    """One file that was handed in.

    Attributes
    ----------
    file : str
        Its path below the folder or inside the zip.
    student : str
        As far as the path tells.
    lms_id : str
        The number that Canvas or Moodle gave; empty elsewhere.
    late : bool
        Canvas says so.
    notebook : Notebook or None
    problem : str
        Why there is no notebook, in one sentence.
    """

    file: str
    student: str
    lms_id: str
    late: bool
    notebook: Notebook | None
    problem: str = ""


def collect(path: Path) -> Iterator[Submission]:
    """Yield a submission for every file of a folder, of a zip, or for one file.

    Raises
    ------
    NotebookError
        There is nothing at `path`, or it is a zip that cannot be read.
    """
    if path.is_dir():
        for file in sorted(_files(path)):
            name = file.relative_to(path).as_posix()
            if file.suffix.lower() == ".zip" and not file.is_symlink():
                try:
                    yield from _archive(file, name + "/")
                except NotebookError as problem:
                    yield _submission(name, None, str(problem))
            else:
                yield _read(name, file)
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield from _archive(path, "")
    elif path.exists() or path.is_symlink():
        yield _read(path.name, path)
    else:
        raise NotebookError(f"there is no file or folder {path}")


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=False):
        linked = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = sorted(set(folders) - SYSTEM - set(linked))
        yield from (Path(place, name) for name in [*names, *linked] if name not in NOT_HANDED_IN)


def _read(name: str, file: Path) -> Submission:
    try:
        if file.suffix.lower() != ".ipynb":
            raise NotebookError(f"it is a file of another kind ({file.suffix or 'no ending'})")
        return _submission(name, read(file), "")
    except NotebookError as problem:
        return _submission(name, None, str(problem))


def _archive(path: Path, prefix: str) -> Iterator[Submission]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_MEMBERS:
                raise NotebookError(f"the zip holds more than {MOST_MEMBERS} files")
            if not members:
                raise NotebookError("the zip is empty")
            if prefix and not any(m.filename.lower().endswith(".ipynb") for m in members):
                raise NotebookError("the zip has no notebook")
            for member in members:
                if SYSTEM & set(PurePosixPath(member.filename).parts):
                    continue
                if prefix and not member.filename.lower().endswith(".ipynb"):
                    continue
                yield _member(archive, member, prefix)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError):
        raise NotebookError("it is a zip that cannot be read") from None


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, prefix: str) -> Submission:
    name = prefix + member.filename
    try:
        if not name.lower().endswith(".ipynb"):
            kind = PurePosixPath(name).suffix or "no ending"
            raise NotebookError(f"it is a file of another kind ({kind})")
        with archive.open(member) as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise NotebookError(f"it is larger than {MOST_BYTES // 2**20} MB")
        return _submission(name, parse(data), "")
    except NotebookError as problem:
        return _submission(name, None, str(problem))
    except (RuntimeError, zipfile.BadZipFile, OSError, EOFError, NotImplementedError):
        return _submission(name, None, "it cannot be read inside its zip")


def _submission(name: str, notebook: Notebook | None, problem: str) -> Submission:
    student, lms_id, late = _who(name, notebook)
    return Submission(name, student, lms_id, late, notebook, problem)


def _who(name: str, notebook: Notebook | None) -> tuple[str, str, bool]:
    """Student, number and lateness, as the path tells; else as the notebook's label does."""
    parts = PurePosixPath(name).parts
    for part in parts:
        match = MOODLE.match(part)
        if match:
            return match["name"], match["id"], False
    for part in reversed(parts):
        match = CANVAS.match(part)
        if match:
            return match["name"], match["id"], bool(match["late"])
    label = notebook.label.get("student") if notebook else None
    if len(parts) > 1:
        return parts[0].removesuffix(".zip"), "", False
    return (label if isinstance(label, str) and label else PurePosixPath(name).stem), "", False
