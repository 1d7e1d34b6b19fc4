"""Tables for Canvas, Moodle and Gradescope, made from one graded batch."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from softalign_course import export, faults, grade, gradescope, sets
from softalign_course.cli import main
from softalign_course.submissions import collect

SET = sets.find("attention")
CODE = sum(question.points for question in SET.questions.values())
PROSE = sum(cell.points for cell in SET.written)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Set 5 (4711),Final Score\n"
    "    Points Possible,,,,,30,\n"
    '"Lovelace, Ada",100,,ada,A,,\n"Hopper, Grace",200,,grace,A,,\n"Jackson, Mary",300,,mary,A,3,\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
    "Participant 100,Ada Lovelace,a@x,Submitted,,30.00,\n"
    "Participant 300,Mary Jackson,m@x,No submission,,30.00,keep\n"
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Ada handed in twice, the second time better; Grace an empty file; somebody has no number."""
    folder, out = tmp_path_factory.mktemp("down"), tmp_path_factory.mktemp("graded")
    whole = json.dumps(faults.solved(SET))
    worse = faults.solved(SET)
    name = faults.target(SET)
    faults.answer_cell(worse, name)["source"] = f"def {name}(*args, **kwargs):\n    return 0"
    (folder / "lovelaceada_100_1_set.ipynb").write_text(json.dumps(worse))
    (folder / "lovelaceada_100_2_set-1.ipynb").write_text(whole)
    (folder / "hoppergrace_200_3_set.ipynb").write_text("")
    (folder / "unknown.ipynb").write_text(whole)
    grade.write_grades(SET, grade.grade(SET, collect(folder), 1), out, 1)
    return out


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_the_best_file_of_a_student_counts(graded):
    totals = {total.lms_id: total for total in export.totals(graded)}
    assert totals["100"].points == CODE
    assert totals["100"].most == CODE + PROSE
    assert totals["100"].file == "lovelaceada_100_2_set-1.ipynb"
    assert totals["200"].points == 0
    assert "the file is empty" in totals["200"].status


def test_points_for_prose_are_added(graded, tmp_path):
    for name in ("grades.csv", "grading.json"):
        (tmp_path / name).write_bytes((graded / name).read_bytes())
    table = rows((graded / "written.csv").read_text(encoding="utf-8-sig"))
    place = table[0].index("points")
    for row in table[1:]:
        if row[0].startswith("lovelaceada_100_2"):
            row[place] = "1,5"
            row[-1] = "Well said."
    (tmp_path / "written.csv").write_text("\n".join(",".join(f'"{f}"' for f in r) for r in table))
    totals = {total.lms_id: total for total in export.totals(tmp_path)}
    assert totals["100"].points == CODE + 1.5 * len(SET.written)
    assert totals["100"].waiting == 0
    assert f"{SET.written[0].name}: Well said." in totals["100"].says
    assert totals[""].waiting == len(SET.written)
    bad = (tmp_path / "written.csv").read_text().replace('"1,5"', '"99"', 1)
    (tmp_path / "written.csv").write_text(bad)
    with pytest.raises(export.ExportError, match="gives 99 of"):
        export.totals(tmp_path)
    (tmp_path / "written.csv").write_text(bad.replace('"99"', '"good"', 1))
    with pytest.raises(export.ExportError, match="'good' is no number of points"):
        export.totals(tmp_path)


def test_canvas_gets_its_column_filled_and_the_rest_as_it_was(graded, tmp_path):
    book = tmp_path / "book.csv"
    book.write_text(CANVAS)
    made = export.canvas(export.totals(graded), book, "Set 5")
    before, after = rows(CANVAS), rows(made.text)
    assert after[0] == before[0]
    assert after[1] == before[1]
    assert after[4] == before[4]
    assert after[2][5] == f"{CODE:g}"
    assert after[3][5] == "0"
    assert made.left_over == ("unknown.ipynb: not in the gradebook",)
    book.write_text(CANVAS.replace(",mary,", ",planted,"))  # a file without a number, by its name
    made = export.canvas(export.totals(graded), book, "Set 5")
    assert rows(made.text)[4][5] == f"{CODE:g}"
    assert made.left_over == ()
    with pytest.raises(export.ExportError, match="0 columns named 'Set 6'"):
        export.canvas([], book, "Set 6")
    book.write_text("a,b\n1,2\n")
    with pytest.raises(export.ExportError, match="not a gradebook"):
        export.canvas([], book, "Set 5")


def test_canvas_without_a_gradebook_gets_a_table_of_its_own(graded):
    made = export.canvas(export.totals(graded), None, "Set 5")
    table = rows(made.text)
    assert table[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Set 5"]
    assert table[1][0].strip() == "Points Possible"
    assert float(table[1][5]) == CODE + PROSE
    assert {row[1]: row[5] for row in table[2:]} == {"100": f"{CODE:g}", "200": "0"}
    assert made.left_over == ("unknown.ipynb: no Canvas number in its name",)


def test_moodle_gets_grades_and_reasons(graded, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(MOODLE)
    made = export.moodle(export.totals(graded), sheet)
    after = rows(made.text)
    assert after[1][4] == f"{CODE:g}"
    assert after[2] == rows(MOODLE)[2]
    assert len(made.left_over) == 2
    sheet.write_text(MOODLE.replace("m@x", "planted"))
    made = export.moodle(export.totals(graded), sheet)
    assert rows(made.text)[2][4] == f"{CODE:g}"
    own = rows(export.moodle(export.totals(graded), None).text)
    assert {row[0]: row[2] for row in own[1:]} == {
        "Participant 100": f"{CODE:g}",
        "Participant 200": "0",
    }
    sheet.write_text("x\n")
    with pytest.raises(export.ExportError, match="not a grading worksheet"):
        export.moodle([], sheet)


def test_the_command_writes_the_table(graded, capsys, tmp_path):
    assert main(["export", str(graded), "--lms", "canvas"]) == 0
    said = capsys.readouterr()
    assert rows(said.out)[0][5] == SET.info["title"]
    assert "left out: unknown.ipynb" in said.err
    assert "written answers have no points in written.csv yet and count 0" in said.err
    target = tmp_path / "up.csv"
    assert main(["export", str(graded), "--lms", "moodle", "--out", str(target)]) == 0
    assert rows(target.read_text())[0][0] == "Identifier"
    assert main(["export", str(tmp_path / "none"), "--lms", "moodle"]) == 1
    assert "No such file" in capsys.readouterr().err


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """An /autograder folder as Gradescope lays it out, without its set-up."""
    root = tmp_path_factory.mktemp("autograder")
    made = gradescope.build(SET, root / "up" / "autograder.zip", 5)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(root / "source")
        modes = {item.filename: item.external_attr >> 16 for item in archive.infolist()}
    assert modes["setup.sh"] & 0o111
    assert modes["run_autograder"] & 0o111
    (root / "submission").mkdir()
    return root


def hand_in(root, data):
    """Run the grader of the zip, and nothing of this checkout, on one submission."""
    for path in (root / "submission").iterdir():
        path.unlink()
    if data is not None:
        (root / "submission" / "set.ipynb").write_bytes(data)
    command = [sys.executable, "-m", "softalign_course.gradescope", "--set", SET.name]
    done = subprocess.run(
        [*command, "--root", str(root), "--seed", "5"],
        cwd=root / "source",
        env=dict(os.environ, PYTHONPATH=str(root / "source" / "src"), PYTHONWARNINGS="error"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((root / "results" / "results.json").read_text())


def test_gradescope_grades_with_what_is_in_the_zip(autograder):
    found = hand_in(autograder, json.dumps(faults.solved(SET)).encode())
    assert [test["score"] for test in found["tests"]] == [q.points for q in SET.questions.values()]
    fault = next(fault for fault in faults.FAULTS if fault.name == "syntax error")
    found = hand_in(autograder, faults.make(SET, fault))
    name = faults.target(SET).replace("_", " ")
    (test,) = [test for test in found["tests"] if test["name"] == name]
    assert test["score"] == 0
    assert "SyntaxError" in test["output"]
    assert hand_in(autograder, b"")["output"] == "not graded: the file is empty"
    assert "0 were found" in hand_in(autograder, None)["output"]


def test_the_gradescope_zip_brings_the_grader_of_this_checkout(autograder):
    source = autograder / "source"
    here = Path(gradescope.__file__).parent
    for path in here.glob("*.py"):
        assert (source / "src" / "softalign_course" / path.name).read_text() == path.read_text()
    assert "bubblewrap" in (source / "setup.sh").read_text()
    assert "torch==" in (source / "requirements.txt").read_text()
    for script in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", str(source / script)], check=True)
        assert "\r" not in (source / script).read_text()
