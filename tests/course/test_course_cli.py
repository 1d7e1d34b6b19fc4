"""The command softalign-course as it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import pytest

from softalign_course import faults, release, sets
from softalign_course.cli import main

PROGRAM = str(Path(sysconfig.get_path("scripts"), "softalign-course"))
SET = sets.find("attention")


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
    '"Lovelace, Ada",101,,ada,A\n"Hopper, Grace",102,,grace,A\n'
)
MOODLE = "Identifier,Full name\nParticipant 5001,Ada Lovelace\nParticipant 5002,Grace Hopper\n"


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300)


def test_help_answers_at_once_and_names_every_command():
    begin = time.process_time(), time.monotonic()
    done = program("--help")
    assert done.returncode == 0
    assert time.monotonic() - begin[1] < 5
    for command in ("list", "release", "check", "grade", "quality", "export", "gradescope"):
        assert f"\n    {command}" in done.stdout
    code = "import softalign_course.cli, sys; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "required: COMMAND"),
        (["mark"], 2, "invalid choice"),
        (["grade", "5"], 2, "required: submissions"),
        (["grade", "9", "."], 1, "there is no set '9'"),
        (["grade", "5", "/nowhere"], 1, "there is no file or folder /nowhere"),
        (["grade", "5", "/nowhere", "--seed", "-1"], 1, "a seed is 0 or more"),
        (["check", "/nowhere.ipynb"], 1, "/nowhere.ipynb: it is not a file"),
        (["release", "nothing"], 1, "there is no set 'nothing'"),
        (["release", "5", "--students", "/nowhere.csv"], 1, "/nowhere.csv: No such file"),
        (["quality", "5", "--seeds", "0"], 1, "--seeds is 1 or more"),
        (["export", "/nowhere", "--lms", "moodle"], 1, "grades.csv: No such file"),
        (["export", "/nowhere", "--lms", "blackboard"], 2, "invalid choice"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, status, says, capsys):
    assert main(arguments) == status
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert err.startswith("softalign-course")


def test_list_tells_title_points_and_goals(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name in sets.names():
        assert f"{name}: {sets.find(name).info['title']}" in said
        assert sets.find(name).info["goals"][0] in said
    assert said.count("30 points") == len(sets.names())


def test_release_writes_the_same_bytes_twice(tmp_path, capsys):
    for folder in ("a", "b"):
        assert main(["release", "5", "--out", str(tmp_path / folder)]) == 0
    name = f"{SET.name}.zip"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with zipfile.ZipFile(tmp_path / "a" / name) as archive:
        files = {item.filename: archive.read(item).decode() for item in archive.infolist()}
    assert set(files) == {
        f"{SET.name}/{name}" for name in (f"{SET.name}.ipynb", "README.md", "requirements.txt")
    }
    handout = files[f"{SET.name}/README.md"]
    assert SET.info["goals"][0] in handout
    assert f"{SET.info['hours']:g} hours" in handout
    assert "| **all** | | **30** |" in handout
    assert SET.info["tools"] in handout
    steps = handout[handout.index("## How") :].splitlines()[2:]
    assert [line[:2] for line in steps if not line.startswith("   ")] == ["1.", "2.", "3.", "4."]
    assert max(map(len, steps)) <= 100
    assert "torch==" in files[f"{SET.name}/requirements.txt"]
    for text in files.values():
        assert "SOLUTION" not in text
        assert "Rubric" not in text


def test_a_class_list_gives_everybody_numbers_of_their_own(tmp_path, capsys):
    listed = tmp_path / "class.csv"
    listed.write_text("\ufeffStudent,Group\nada,1\ngrace,2\nÉmilie du Châtelet,2\n", "utf-8")
    arguments = ["release", "5", "--out", str(tmp_path), "--students", str(listed)]
    assert main(arguments) == 0
    paths = sorted((tmp_path / SET.name).glob("*.zip"))
    labels = []
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(f"{SET.name}/{SET.name}.ipynb"))
        labels.append(content["metadata"]["softalign"])
    assert {label["student"] for label in labels} == {"ada", "grace", "Émilie du Châtelet"}
    assert {label["variant"] for label in labels} == {
        release.variant_of(label["student"], SET.name) for label in labels
    }
    assert "3 files in" in capsys.readouterr().out
    for text, names in (
        (CANVAS, ["101", "102"]),
        (MOODLE, ["5001", "5002"]),
        ("Name;Username\nAda Lovelace;ada\n", ["ada"]),
        ("Student\tGroup\nada\t1\n", ["ada"]),
        ("ada\ngrace\n", ["ada", "grace"]),
    ):
        listed.write_text(text)
        assert release.students(listed) == names
    for text, says in (
        ("ada\nada\n", "names ada twice"),
        ("Name;Matrikel\nAda;1\n", "has no column named"),
        ("", "names no student"),
        ("name,group\nada,1\n", "has no column named"),
    ):
        listed.write_text(text)
        assert main(arguments) == 1
        assert says in capsys.readouterr().err
    listed.write_text("a b\na_b\n")
    assert main(arguments) == 1
    assert "two students would get the file" in capsys.readouterr().err


def test_grade_quality_and_gradescope_from_the_shell(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "ada.ipynb").write_text(json.dumps(faults.solved(SET)))
    (folder / "notes.txt").write_text("hello")
    done = program("grade", "5", str(folder), "--out", str(tmp_path / "graded"), "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert "2 files, 1 graded, 1 not (see 'status')" in done.stdout
    assert "seed 3" in done.stdout
    assert done.stdout.startswith(("Answers run in a sandbox", "NOT ISOLATED"))
    about = json.loads((tmp_path / "graded" / "grading.json").read_text())
    assert (about["set"], about["seed"], about["files"], about["graded"]) == (SET.name, 3, 2, 1)
    done = program("gradescope", "5", "--out", str(tmp_path / "auto.zip"), "--seed", "4")
    assert done.returncode == 0
    assert "seed 4" in done.stdout
    assert zipfile.is_zipfile(tmp_path / "auto.zip")


def test_quality_ends_with_the_two_rates_and_fails_below_100_percent(monkeypatch, capsys):
    from softalign_course import judge, quality
    from softalign_course.sets import Plant

    name = faults.target(SET)
    good = []  # of each question the first right and the first wrong answer
    for question in SET.questions:
        for kind in (True, False):
            good += [p for p in SET.plants if (p.question, p.right) == (question, kind)][:1]
    monkeypatch.setitem(SET.__dict__, "plants", good)
    assert main(["quality", "5", "--seeds", "1"]) == 0
    count = f"({len(SET.questions)} of {len(SET.questions)})"
    last = capsys.readouterr().out.strip().split("\n")[-1]
    assert last == f"kill rate 100 % {count}, accept rate 100 % {count}"
    right = Plant(name, "right_called_wrong", False, SET.cell(name).source, "It is right.")
    monkeypatch.setitem(SET.__dict__, "plants", [*good, right])
    assert main(["quality", "5", "--seeds", "1"]) == 1
    said = capsys.readouterr().out
    assert "wrong answer accepted: right_called_wrong (seed 1)" in said
    wrong = next(plant for plant in good if plant.question == name and not plant.right)
    called = Plant(name, "wrong_called_right", True, wrong.source)
    monkeypatch.setitem(SET.__dict__, "plants", [*good, called])
    assert main(["quality", "5", "--seeds", "1"]) == 1
    assert "right answer rejected: wrong_called_right (seed 1)" in capsys.readouterr().out
    stranger = Plant(name, "stranger", False, f"def {name}(*args): return 'x'", "Says something.")
    unnamed = quality.Score(SET.name, name)
    quality._count(unnamed, stranger, 1, judge.Verdict(0, 1, "r"))
    assert unnamed.killed == 0
    assert "its mistake not recognised" in unnamed.faults[0]
