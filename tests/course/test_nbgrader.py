"""One round trip through nbgrader itself: generate, hand in, autograde, collect the points."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from softalign_course import faults, release, sets

SET = sets.find("attention")
CODE = {name: question.points for name, question in SET.questions.items()}
CONFIG = f"""\
c = get_config()
c.CourseDirectory.course_id = "softalign"
c.ClearSolutions.code_stub = {{"python": {release.CODE_STUB!r}}}
c.ClearSolutions.text_stub = {release.TEXT_STUB!r}
c.ExecutePreprocessor.timeout = 120
"""


def nbgrader(course, *arguments):
    """Run nbgrader in its course folder."""
    environment = dict(os.environ, HOME=str(course), IPYTHONDIR=str(course / ".ipython"))
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment |= {"JUPYTER_CONFIG_DIR": str(course / ".jupyter"), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of nbgrader's with one assignment and two students: all right, and one mistake."""
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_text(CONFIG)
    source = root / "source" / SET.name
    source.mkdir(parents=True)
    (source / f"{SET.name}.ipynb").write_text(json.dumps(SET.source()))
    nbgrader(root, "generate_assignment", SET.name, "--create")
    wrong = next(p for p in SET.plants if p.question == faults.target(SET) and not p.right)
    for student in ("ada", "grace"):
        content = json.loads((root / "release" / SET.name / f"{SET.name}.ipynb").read_text())
        solved = faults.solved(SET)
        if student == "grace":
            faults.answer_cell(solved, wrong.question)["source"] = wrong.source
        for cell in content["cells"]:
            marks = cell["metadata"].get("nbgrader", {})
            if marks.get("solution"):
                cell["source"] = faults.answer_cell(solved, marks["grade_id"])["source"]
        folder = root / "submitted" / student / SET.name
        folder.mkdir(parents=True)
        (folder / f"{SET.name}.ipynb").write_text(json.dumps(content))
    nbgrader(root, "autograde", SET.name, "--create")
    nbgrader(root, "export", "--to=grades.csv")
    return root


def points(course, student):
    """Points of each coding question in nbgrader's gradebook."""
    code = """
        import sys
        from nbgrader.api import Gradebook
        with Gradebook("sqlite:///gradebook.db") as book:
            found = book.find_submission_notebook(sys.argv[1], sys.argv[1], sys.argv[2])
            for grade in found.grades:
                print(grade.name, grade.auto_score, grade.max_score)
    """
    code = "\n".join(line[8:] for line in code.split("\n"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, SET.name, student],
        cwd=course,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_nbgrader_hides_what_our_release_hides(course):
    theirs = json.loads((course / "release" / SET.name / f"{SET.name}.ipynb").read_text())
    ours = release.clear(SET)
    assert len(theirs["cells"]) == len(ours["cells"])
    for one, other in zip(theirs["cells"], ours["cells"], strict=True):
        source = one["source"] if isinstance(one["source"], str) else "".join(one["source"])
        assert source.rstrip() == other["source"].rstrip()


def test_nbgrader_gives_full_points_to_a_right_answer_and_none_to_a_wrong_one(course):
    ada, grace = points(course, "ada"), points(course, "grace")
    for name, most in CODE.items():
        assert [float(p) for p in ada[f"test_{name}"]] == [most, most]
        lost = name == faults.target(SET)
        assert float(grace[f"test_{name}"][0]) == (0 if lost else most)
    for cell in SET.written:
        assert float(ada[cell.name][1]) == cell.points
    table = (course / "grades.csv").read_text()
    assert re.search(r"\bada\b", table)
    assert re.search(r"\bgrace\b", table)


def test_a_release_of_ours_can_be_handed_out_by_nbgrader(course, tmp_path):
    """What softalign-course releases has the cells that nbgrader's autograder looks for."""
    ours = release.clear(SET)
    shutil.copytree(course / "release", tmp_path / "release")
    theirs = json.loads(next(Path(tmp_path / "release").rglob("*.ipynb")).read_text())
    for one, other in zip(ours["cells"], theirs["cells"], strict=True):
        mine, its = one["metadata"].get("nbgrader", {}), other["metadata"].get("nbgrader", {})
        keys = ("grade", "grade_id", "locked", "solution", "points")
        assert {key: mine.get(key) for key in keys} == {key: its.get(key) for key in keys}
