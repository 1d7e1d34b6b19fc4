"""A batch from download to table: one row for every file, nothing leaked, nothing left behind."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from softalign_course import faults, feedback, grade, judge, release, sandbox, sets
from softalign_course.notebook import NotebookError, parse
from softalign_course.submissions import collect

SET = sets.find("attention")
QUESTION = faults.target(SET)
MOST = sum(question.points for question in SET.questions.values())
SEED = 20261126
# what would harm whoever runs the tests is only run in the sandbox
FAULTS = [fault for fault in faults.FAULTS if sandbox.isolation().sealed or not fault.hostile]


def tree(folder):
    """Paths, sizes and times of all files below a folder."""
    return {
        path: (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in Path(folder).rglob("*")
        if "__pycache__" not in path.parts
    }


def processes():
    return {path.name for path in Path("/proc").glob("[0-9]*")} if Path("/proc").exists() else set()


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """All faults and some good files, as a folder of downloads, graded once."""
    folder = tmp_path_factory.mktemp("downloads")
    for number, fault in enumerate(FAULTS):
        name = re.sub(r"\W+", "-", fault.name)
        (folder / f"student{number}_{1000 + number}_{2000 + number}_{name}.ipynb").write_bytes(
            faults.make(SET, fault)
        )
    whole = json.dumps(faults.solved(SET)).encode()
    (folder / "Ada Lovelace_77_assignsubmission_file_").mkdir()
    (folder / "Ada Lovelace_77_assignsubmission_file_" / "mine.ipynb").write_bytes(whole)
    (folder / "late_LATE_5_6_set.ipynb").write_bytes(whole)
    (folder / "=cmd|x_8_9_set.ipynb").write_bytes(whole)
    (folder / "essay.docx").write_bytes(b"not a notebook")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    with zipfile.ZipFile(folder / "zipped_10_11_set.zip", "w") as archive:
        archive.writestr("../../../escape.ipynb", whole)
    with zipfile.ZipFile(folder / "bomb_12_13_set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.ipynb", bytes(30 * 2**20))
    (folder / "broken_14_15_set.zip").write_bytes(b"PK\x03\x04 broken")
    before, running = tree(folder), processes()
    outside = tree(Path(sets.folder()).parent / "coursework")
    rows = grade.grade(SET, collect(folder), SEED)
    out = tmp_path_factory.mktemp("graded")
    grade.write_grades(SET, rows, out, SEED)
    for _ in range(50):
        left = {
            pid
            for pid in processes() - running
            if (b"worker" in _command(pid) or b"sleep" in _command(pid)) and _ours(pid)
        }
        if not left:
            break
        time.sleep(0.1)
    return {
        "folder": folder,
        "before": before,
        "outside": outside,
        "rows": rows,
        "out": out,
        "left": left,
    }


def _command(pid):
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def _parent(pid):
    try:  # the name, in brackets, may hold anything; behind it come the state and the parent
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return "0"


def _ours(pid):
    """Does a process come from this one, or has its parent left it behind? Others run here too."""
    above = _parent(pid)
    orphan = above == "1" or b"systemd" in _command(above)  # who takes over what is left behind
    while above not in ("0", "1", str(os.getpid())):
        above = _parent(above)
    return orphan or above == str(os.getpid())


def table(batch):
    with (batch["out"] / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_there_are_at_least_25_faults_of_all_kinds():
    assert len(faults.FAULTS) >= 25
    assert {fault.expects for fault in faults.FAULTS} == {"nothing", "lost", "full"}
    assert len({fault.name for fault in faults.FAULTS}) == len(faults.FAULTS)


def test_every_file_has_one_row(batch):
    rows = table(batch)
    files = [path for path in batch["folder"].rglob("*") if path.is_file() or path.is_symlink()]
    assert len(rows) == len(files) == len(FAULTS) + 8
    assert set(rows) == {
        str(path.relative_to(batch["folder"]).as_posix())
        + (
            {"zipped_10_11_set.zip": "/../../../escape.ipynb", "bomb_12_13_set.zip": "/big.ipynb"}
        ).get(path.name, "")
        for path in files
    } - {"=cmd|x_8_9_set.ipynb"} | {"'=cmd|x_8_9_set.ipynb"}


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[f.name for f in FAULTS])
def test_a_fault_costs_what_it_should_and_no_more(batch, number):
    fault = FAULTS[number]
    (row,) = [r for r in batch["rows"] if r.submission.lms_id == str(1000 + number)]
    left = MOST - SET.questions[QUESTION].points
    assert row.points == {"nothing": 0, "lost": left, "full": MOST}[fault.expects], row.verdicts
    assert (row.status == "graded") == (fault.expects != "nothing")
    if fault.expects == "lost":
        assert row.verdicts[QUESTION].reason
    if fault.expects == "nothing":
        assert row.status.startswith("not graded: ")
        assert len(row.status) > 20


def test_downloads_of_canvas_and_moodle_and_zips_are_understood(batch):
    rows = table(batch)
    ada = rows["Ada Lovelace_77_assignsubmission_file_/mine.ipynb"]
    assert (ada["student"], ada["lms_id"], float(ada["points"])) == ("Ada Lovelace", "77", MOST)
    late = rows["late_LATE_5_6_set.ipynb"]
    assert (late["student"], late["lms_id"], late["notes"]) == ("late", "5", "Late.")
    zipped = rows["zipped_10_11_set.zip/../../../escape.ipynb"]
    assert (zipped["student"], zipped["lms_id"], float(zipped["points"])) == ("zipped", "10", MOST)
    assert "larger than 20 MB" in rows["bomb_12_13_set.zip/big.ipynb"]["status"]
    assert "zip that cannot be read" in rows["broken_14_15_set.zip"]["status"]
    assert "another kind (.docx)" in rows["essay.docx"]["status"]
    assert "a link" in rows["link.ipynb"]["status"]


def test_no_cell_of_the_table_is_a_formula(batch):
    text = (batch["out"] / "grades.csv").read_text(encoding="utf-8-sig")
    fields = [field for row in csv.reader(text.splitlines()) for field in row]
    assert "'=cmd|x" in fields
    assert not [field for field in fields if field.startswith(("=", "+", "@"))]


def test_nothing_is_written_outside_and_no_process_is_left(batch):
    assert tree(batch["folder"]) == batch["before"]
    assert tree(Path(sets.folder()).parent / "coursework") == batch["outside"]
    assert not list(batch["folder"].parent.rglob("escape.ipynb"))
    assert batch["left"] == set()
    names = {path.relative_to(batch["out"]).parts[0] for path in batch["out"].rglob("*")}
    assert names == {"grades.csv", "written.csv", "written", "feedback", "grading.json"}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.seen.update(name for name, _ in attributes)


def test_a_process_that_was_left_is_found():
    code = "import subprocess as s; print(s.Popen(['sleep', '60'], stdout=s.DEVNULL).pid)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    orphan, child = done.stdout.strip(), subprocess.Popen(["sleep", "60"])
    try:
        assert b"sleep" in _command(orphan)
        assert _ours(orphan)
        assert _ours(str(child.pid))
        assert not _ours(str(os.getpid()))
    finally:
        os.kill(int(orphan), 9)
        child.kill()
        child.wait()


def test_feedback_leaks_nothing(batch):
    """No hidden input, expected value, solution line or word of the student's own code."""
    numbers = set()
    secrets = []
    for name in SET.questions:
        sheet = judge.sheet(SET, name, SEED, 0)
        numbers |= set(
            re.findall(r"-?\d+\.\d{3,}", json.dumps(_listed([sheet.plain, sheet.expected])))
        )
        secrets += release._telling(SET.cell(name).source)
    assert len(numbers) > 20
    pages = list((batch["out"] / "feedback").glob("*.html"))
    assert len(pages) == len(batch["rows"])
    words = {
        "cell_type",
        "nothing found",
        "this was a zip",
        "descriptor",
        "as_subclass",
        "Traceback",
    }
    for path in pages:
        text = path.read_text()
        assert not [number for number in numbers if number in text]
        assert not [line for line in secrets if line in text]
        assert not [word for word in words if word in text]
        tags = _Tags()
        tags.feed(text)
        assert not tags.seen & {"script", "iframe", "img", "a", "link", "onclick", "src", "href"}


def _listed(value):
    import torch

    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return [[str(key), _listed(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple, frozenset)):
        return [_listed(item) for item in value]
    return value


def test_an_error_message_of_the_students_is_not_shown():
    content = faults.solved(SET)
    cell = faults.answer_cell(content, QUESTION)
    cell["source"] = (
        f"class Secret(Exception): pass\ndef {QUESTION}(*args, **kwargs):\n"
        "    raise Secret('<script>' + repr(args))"
    )
    (row,) = grade.grade(SET, [_submission(content)], SEED)
    text = feedback.page(SET, row)
    assert "Secret" not in text
    assert "script" not in text.replace("script-src", "")
    assert "it raised an error in line 3 of your cell" in text


def _submission(content, name="a.ipynb"):
    from softalign_course.submissions import Submission

    return Submission(name, "a", "", False, parse(json.dumps(content)))


def test_the_prose_is_laid_out_for_whoever_reads_it(batch):
    written = {path.stem: path.read_text() for path in (batch["out"] / "written").glob("*.html")}
    assert set(written) == {cell.name for cell in SET.written}
    with (batch["out"] / "written.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    graded = sum(row.status == "graded" for row in batch["rows"])
    assert len(rows) == graded * len(SET.written)
    for text in written.values():
        assert "Rubric" in text
        assert "<script" not in text


def test_a_planted_script_in_prose_is_text():
    content = faults.solved(SET)
    name = SET.written[0].name
    faults.answer_cell(content, name)["source"] = "<script>alert(1)</script>"
    rows = grade.grade(SET, [_submission(content)], SEED)
    assert rows[0].written[name] == "<script>alert(1)</script>"


def test_the_untouched_release_gets_nothing_and_is_said_to_be_unanswered():
    (row,) = grade.grade(SET, [_submission(release.clear(SET))], SEED)
    assert row.points == 0
    assert {verdict.reason for verdict in row.verdicts.values()} == {"Not answered."}
    assert set(row.written.values()) == {""}


def test_a_variant_counts_and_a_copied_notebook_is_noticed():
    warm_up = next(iter(SET.questions))
    people = ["ada", "grace", "mary"]
    variants = {name: release.variant_of(name, SET.name) for name in people}
    found = []
    for owner, writer in (("ada", "ada"), ("grace", "ada"), ("mary", "nobody")):
        content = faults.solved(SET, variants.get(writer, 5))
        found.append(_submission(content, f"{owner}/set.ipynb"))
    rows = grade.grade(SET, found, SEED, class_list=people)
    assert [row.variant for row in rows] == [variants[name] for name in people]
    assert rows[0].points == MOST
    assert not rows[0].notes
    assert rows[1].verdicts[warm_up].points == 0
    # a student does not read whose notebook it is
    assert rows[1].notes == rows[2].notes == ["The notebook is not this student's variant."]
    assert rows[1].staff_notes == ["The notebook is the variant of ada."]
    assert "ada" not in feedback.page(SET, rows[1])
    (stranger,) = grade.grade(SET, found[:1], SEED, class_list=["grace", "mary"])
    assert "Nobody on the class list" in stranger.staff_notes[0]


def test_points_for_prose_survive_another_grading_and_other_files_are_not_lost(tmp_path):
    contents = [faults.solved(SET) for _ in range(2)]
    found = [_submission(c, f"{name}.ipynb") for c, name in zip(contents, "ab", strict=True)]
    rows = grade.grade(SET, found, SEED)
    grade.write_grades(SET, rows, tmp_path, SEED)
    text = (tmp_path / "written.csv").read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    (tmp_path / "written.csv").write_text(
        "\n".join([lines[0], *(line[:-1] + "2,well said" for line in lines[1:])])
    )
    rows[0].written[SET.written[0].name] = "Another text."  # its points are not of this text
    grade.write_grades(SET, rows, tmp_path, SEED)
    with (tmp_path / "written.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert (table[0]["points"], table[0]["comment"]) == ("", "")
    assert {(row["points"], row["comment"]) for row in table[1:]} == {("2", "well said")}
    with pytest.raises(sets.SetError, match=r"grades of 1 files that are not among these, b.ipynb"):
        grade.write_grades(SET, rows[:1], tmp_path, SEED)
    with pytest.raises(sets.SetError, match=f"holds grades of {SET.name}"):
        grade.write_grades(sets.find("transformer"), rows, tmp_path, SEED)


def test_a_zip_without_a_notebook_has_a_row_and_nbgraders_time_stamp_has_none(tmp_path):
    for name, members in {
        "a.zip": ("essay.docx", "data.csv"),
        "b.zip": ("x.ipynb", "y.csv"),
    }.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for member in members:
                archive.writestr(member, json.dumps(faults.solved(SET)))
    (tmp_path / "ada" / SET.name).mkdir(parents=True)
    (tmp_path / "ada" / SET.name / "timestamp.txt").write_text("2026-11-26")
    (tmp_path / "ada" / SET.name / "set.ipynb").write_text(json.dumps(faults.solved(SET)))
    found = {s.file: s.problem for s in collect(tmp_path)}
    assert found == {
        "a.zip": "the zip has no notebook",
        "b.zip/x.ipynb": "",
        f"ada/{SET.name}/set.ipynb": "",
    }


def test_grading_twice_with_one_seed_gives_the_same_and_another_seed_other_inputs():
    wrong = next(p for p in SET.plants if p.question == QUESTION and not p.right)
    content = faults.solved(SET)
    faults.answer_cell(content, QUESTION)["source"] = wrong.source
    first, second = (grade.grade(SET, [_submission(content)], SEED)[0] for _ in range(2))
    assert first.verdicts == second.verdicts
    assert first.verdicts[QUESTION].mistake == wrong.name
    one, other = (judge.Sheet(SET, SET.questions[QUESTION], seed, 0) for seed in (1, 2))
    assert json.dumps(_listed(one.plain)) != json.dumps(_listed(other.plain))


def test_without_a_sandbox_the_same_verdicts_come_out():
    names = {"syntax error", "os._exit", "no metadata", "a helper in another cell", "sleeps"}
    chosen = [fault for fault in faults.FAULTS if fault.name in names]
    assert len(chosen) == 5
    assert not any(fault.hostile for fault in chosen)
    found = []
    for fault in chosen:
        found.append(_submission(json.loads(faults.make(SET, fault)), fault.name))
    rows = grade.grade(SET, found, SEED, isolation=sandbox.Isolation(False, False, ""))
    left = MOST - SET.questions[QUESTION].points
    for fault, row in zip(chosen, rows, strict=True):
        assert row.points == {"lost": left, "full": MOST}[fault.expects], fault.name


def test_a_hundred_answers_do_not_wait_for_each_other(tmp_path):
    """Not a benchmark: with torch imported anew for each file this would take minutes."""
    content = faults.solved(SET)
    found = [_submission(content, f"{number}.ipynb") for number in range(30)]
    begin = time.monotonic()
    rows = grade.grade(SET, found, SEED)
    assert all(row.points == MOST for row in rows)
    assert time.monotonic() - begin < 90


def test_bad_places_are_named_in_one_sentence(tmp_path):
    with pytest.raises(NotebookError, match="there is no file or folder"):
        list(collect(tmp_path / "nowhere"))
    (tmp_path / "empty.zip").write_bytes(b"")
    with pytest.raises(NotebookError, match="zip that cannot be read"):
        list(collect(tmp_path / "empty.zip"))


def test_the_grader_never_runs_an_answer_in_its_own_process():
    """An answer that marks the process it runs in leaves the grader's unmarked."""
    content = faults.solved(SET)
    cell = faults.answer_cell(content, QUESTION)
    cell["source"] = "import sys\nsys.softalign_marked = True\n" + cell["source"]
    (row,) = grade.grade(SET, [_submission(content)], SEED)
    assert row.points == MOST
    assert not hasattr(sys, "softalign_marked")
    code = "import softalign_course.grade, sys; print('softalign.masking' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False"
