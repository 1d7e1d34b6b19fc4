"""The table of ``make bench``: who is asked when, what is computed of it, and what can go wrong."""

from __future__ import annotations

import ast
import doctest
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from book_files import ROOT, read_notebook

sys.path.insert(0, str(ROOT / "benchmarks"))

import make
import table
from field import contest as contests
from field import peers, report, statistical
from field.contest import Contest, Contestant, PeerError, Same, Unequal
from workers import timed
from workers.told import Told

PAGE = read_notebook(ROOT / "book" / "field.ipynb")


def fake(name, *work, said=None, **options):
    """A contestant whose rounds are given; the round that is not counted takes the first again."""
    left = iter([work[0], *work])

    def measure():
        if said is not None:
            said.append(name)
        found = next(left)
        if isinstance(found, BaseException):
            raise found
        return found

    return Contestant(name, measure, **options)


def entered(*contestants, name="one", **options):
    return Contest(
        name, f"Contest {name}", "a task of size 3", "things/s", [*contestants], **options
    )


# --- the run --------------------------------------------------------------------------------------


def test_a_round_asks_everybody_once_before_the_next_begins():
    said = []
    steady = [(1, 1)] * 9
    both = [
        entered(*(fake(name, *steady, said=said) for name in "AB")),
        entered(*(fake(name, *steady, said=said) for name in "CD"), name="two"),
    ]
    assert contests.run(both, 3)
    assert "".join(said) == "ABCD" * 4  # the first is not counted
    assert [len(one.rounds) for contest in both for one in contest.contestants] == [3] * 4


def test_a_contest_of_few_rounds_is_spread_over_the_run():
    said = []
    quick = entered(fake("q", *[(1, 1)] * 9, said=said))
    slow = entered(fake("s", *[(1, 1)] * 9, said=said), rounds=2, warm_up=False)
    assert contests.ROUNDS == 6
    assert contests.run([quick, slow], 6)
    assert "".join(said) == "q" + "qqqs" * 2
    assert len(slow.contestants[0].rounds) == 2


def test_more_rounds_are_more_rounds_for_everybody_and_one_is_one():
    slow = entered(rounds=3, warm_up=False)
    assert sum(contests.takes_part(slow, number, 12) for number in range(13)) == 6
    assert [contests.takes_part(slow, number, 1) for number in range(2)] == [False, True]
    assert sum(contests.takes_part(entered(), number, 50) for number in range(51)) == 51


def test_the_ratio_is_that_of_the_rounds_and_not_that_of_the_medians():
    """The machine slows down by ten: a pair measured in the same round does not notice."""
    ours, theirs = fake("a", (60, 1), (6, 1), (50, 1)), fake("b", (20, 1), (2, 1), (25, 1))
    contest = entered(ours, theirs)
    assert contests.run([contest], 3)
    found = contests.ratio(ours.speeds, theirs.speeds)
    assert (found.median, found.low, found.high) == (3, 2, 3)
    assert contests.ratio([2, 8], [1]) == contests.Ratio(2, 2, 2)
    assert contests.ratio([2], []) is None


def test_what_is_stored_are_medians_in_four_digits():
    one = fake("a", (90, 1), (10, 1), (24.6912, 2), (1, 4))
    assert contests.run([entered(one)], 4)
    (row,) = report.as_stored([entered(one)], {})["contests"][0]["rows"]
    assert (row["speed"], row["seconds"], row["rounds"]) == (11.17, 1.5, 4)
    assert row["ratio"] is None


@pytest.mark.parametrize("module", [contests, report, timed])
def test_the_examples_of_the_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_a_peer_that_ends_is_out_and_its_row_says_why():
    ours = fake("a", (3, 1), (3, 1))
    theirs = fake("b", (1, 1), PeerError("has ended"), (1, 1))
    late = fake("c", (1, 2), (1, 2), finish=lambda: (_ for _ in ()).throw(PeerError("no answer")))
    contest = entered(ours, theirs, late)
    assert contests.run([contest], 2)
    rows = report.as_stored([contest], {})["contests"][0]["rows"]
    assert [row["absent"] for row in rows] == ["", "has ended", "no answer"]
    assert [row["speed"] for row in rows] == [3, None, None]
    assert rows[1]["ratio"] is rows[2]["ratio"] is None


def test_what_the_work_was_worth_is_asked_at_the_end():
    one = fake("a", (2, 1), (4, 1))
    one.finish = lambda: {"BLEU": 10 * len(one.rounds)}
    assert contests.run([entered(one)], 2)
    assert one.results == {"BLEU": 20}


@pytest.mark.parametrize("difference", [0.2, math.nan])
def test_those_that_compute_something_else_are_no_contestants(difference):
    with pytest.raises(Unequal, match=r"the losses differ by .*, expected 0\.1 at most"):
        Same("the losses", difference, 0.1)
    assert Same("the losses", 0.1, 0.1).difference == 0.1


def test_one_number_alone_shows_nothing():
    assert Same.of("the losses", [1.0], 0.1) is None
    assert Same.of("the losses", [1.0, 1.05], 0.1).difference == pytest.approx(0.05)
    with pytest.raises(Unequal):
        Same.of("the losses", [1.0, math.nan, 1.0], 0.1)


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def quiet(monkeypatch):
    """Nobody else is at work, and no peer is asked for its version."""
    monkeypatch.setattr(report, "load", lambda: [1.2])
    monkeypatch.setattr(peers, "versions", lambda: {"eflomal": "2.0.0"})


def complete():
    return (
        fake("softalign", *[(600, 0.5)] * 9, setting="as a whole"),
        fake("peer", *[(2, 0.25)] * 9, finish=lambda: {"AER": 0.12345}),
        Contestant("lost", absent="there is no such program on the PATH"),
    )


def main(*arguments, path, make=complete, **options):
    return table.main(list(arguments), {"one": lambda rounds: entered(*make(), **options)}, path)


def test_the_table_is_printed_and_stored(quiet, tmp_path, capsys):
    path = tmp_path / "results" / "bench.json"
    same = Same("the sums", 1.2345678e-7, 1e-6)
    assert main("--store", "1", "--rounds", "3", path=path, same=same) == 0
    said = capsys.readouterr()
    assert "round 3 of 3: Contest one" in said.err
    lines = said.out.splitlines()
    (ours,) = (line for line in lines if line.startswith("  softalign, as a whole"))
    (peer,) = (line for line in lines if line.startswith("  peer"))
    (lost,) = (line for line in lines if line.startswith("  lost"))
    assert ours.split()[-3:] == ["0.5", "1,200", "things/s"]
    assert peer.split()[1:] == ["0.25", "8", "things/s", "150", "(150–150)", "AER", "0.1235"]
    assert lost.split(maxsplit=5)[1:] == [
        "–", "–", "things/s", "–", "there is no such program on the PATH"]  # fmt: skip
    assert "  the same: the sums differ by 1.2e-07 at most" in lines
    assert "Others at work meanwhile: 0.2 processes on average." in lines
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["busy"] is False
    assert stored["versions"]["eflomal"] == "2.0.0"
    assert stored["versions"]["torch"] == torch.__version__.split("+")[0]
    assert stored["contests"][0]["rows"][1]["ratio"] == {"median": 150, "low": 150, "high": 150}
    assert report.render(stored) in said.out
    assert [found.name for found in path.parent.iterdir()] == ["bench.json"]


def test_without_being_told_to_nothing_is_stored(quiet, tmp_path):
    for given in ((), ("--store", "0"), ("--store", "")):
        assert main("--rounds", "1", *given, path=tmp_path / "bench.json") == 0
    assert not list(tmp_path.iterdir())


def test_a_machine_that_others_use_is_called_busy(quiet, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(report, "load", lambda: [2.6])
    assert main("--rounds", "1", "--store", path=tmp_path / "bench.json") == 0
    assert "1.6 processes on average; the machine was busy." in capsys.readouterr().out
    assert json.loads((tmp_path / "bench.json").read_text())["busy"] is True
    monkeypatch.setattr(report, "load", list)  # nobody counts
    assert main("--rounds", "1", "--store", path=tmp_path / "bench.json") == 0
    assert json.loads((tmp_path / "bench.json").read_text())["busy"] is None


def test_ctrl_c_prints_what_there_is_and_stores_nothing(quiet, tmp_path, capsys):
    ended = []

    def make():
        yield fake("softalign", *[(8, 1)] * 9)
        yield fake("peer", (2, 1), (2, 1), KeyboardInterrupt())

    path = tmp_path / "bench.json"
    given = {"path": path, "make": make, "end": lambda: ended.append(1)}
    assert main("--store", "--rounds", "5", **given) == 130
    said = capsys.readouterr().out
    assert "4.00 (4.00–4.00)" in said
    assert "Interrupted: these are the rounds that there were; nothing is stored." in said
    assert ended == [1]
    assert not path.exists()


def test_ctrl_c_before_the_first_round(quiet, tmp_path, capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert main(path=tmp_path / "bench.json", make=interrupted) == 130
    assert "there is nothing to print" in capsys.readouterr().out


def test_what_is_not_the_same_stops_the_run_and_lets_go_of_the_others(quiet, tmp_path, capsys):
    ended = []

    def unequal(rounds):
        raise Unequal("the losses differ by 1, expected 0.1 at most")

    made = {"one": lambda rounds: entered(end=lambda: ended.append(1)), "two": unequal}
    assert table.main([], made, tmp_path / "bench.json") == 1
    assert "Stopped: the losses differ by 1, expected 0.1 at most." in capsys.readouterr().err
    assert ended


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--only", "two"], "there is no contest two, only one"),
        (["--rounds", "0"], "the rounds are 0, expected at least 1"),
        (["--store", "--rounds", "x"], "invalid int value"),
    ],
)
def test_a_wrong_argument(given, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(*given, path=tmp_path / "bench.json")
    assert sentence in capsys.readouterr().err


def test_half_a_table_is_not_stored(tmp_path, capsys):
    two = dict.fromkeys(("one", "two"), lambda rounds: entered(*complete()))
    with pytest.raises(SystemExit, match="2"):
        table.main(["--store", "--only", "one"], two, tmp_path / "bench.json")
    assert "only the whole table is stored" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "bench.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON"):
        report.write({"speed": math.nan}, path)
    assert [found.name for found in tmp_path.iterdir()] == ["bench.json"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("wanted", [None, "slow"])
def test_scripts_that_ask_for_it_run_only_when_they_are_named(monkeypatch, tmp_path, wanted):
    (tmp_path / "slow.py").write_text("ON_REQUEST = True\n")
    (tmp_path / "table.py").write_text("x = 1\n")
    monkeypatch.setattr(make, "BENCHMARKS", tmp_path)
    for name in ("set_up", "_set_up_peers"):
        monkeypatch.setattr(make, name, lambda: None)
    monkeypatch.delenv("BENCH", raising=False)
    if wanted:
        monkeypatch.setenv("BENCH", wanted)
    done = []
    monkeypatch.setattr(make, "run", lambda *command, env: done.append(command[1].stem))
    make.bench()
    assert done == [wanted or "table"]


def test_make_bench_runs_the_table_and_the_table_has_the_variables_it_declares():
    texts = {path.stem: path.read_text() for path in (ROOT / "benchmarks").glob("*.py")}
    assert not make._declared(texts["table"])["ON_REQUEST"]
    details = ("alignment", "attention", "decoder", "language_model", "recurrent", "transformer")
    assert all(make._declared(texts[name])["ON_REQUEST"] for name in details)
    assert make._declared(texts["table"])["INPUTS"] == ("STORE", "ROUNDS", "ONLY")


@pytest.mark.parametrize("last_words", ["what there is", None])
def test_the_make_command_waits_for_the_last_words_of_an_interrupted_table(tmp_path, last_words):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        "try: print('begun', flush=True); time.sleep(60)\n"
        f"except KeyboardInterrupt: time.sleep(0.6); print({last_words!r}); sys.exit(130)\n"
    )
    code = f"import sys, make; make._run_to_its_end(sys.executable, {str(script)!r})"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT / "tools",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout.readline() == "begun\n"
    os.killpg(child.pid, signal.SIGINT)
    output, errors = child.communicate(timeout=50)
    assert output == f"{last_words}\n"
    assert errors.strip().endswith("KeyboardInterrupt")


# --- peers ----------------------------------------------------------------------------------------


def test_a_program_is_measured_and_its_failure_is_a_sentence():
    busy = "import time\nwhile time.process_time() < 0.2: pass\nprint('done')"
    cost = peers.measured([sys.executable, "-c", busy])
    assert cost["output"] == "done\n"
    assert 0.2 <= cost["cpu"] < 2
    wrong = "import sys; print('first', file=sys.stderr); sys.exit('the disk is full')"
    with pytest.raises(PeerError, match=r"^python\S* failed: the disk is full$"):
        peers.measured([sys.executable, "-c", wrong])


def test_a_program_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def interrupted(self, *_):
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        peers.measured([sys.executable, "-c", code])
    for _ in range(100):
        try:
            os.kill(int(pid.read_text()), 0)
        except ProcessLookupError:
            return
        status = Path(f"/proc/{pid.read_text()}/status")
        if status.exists() and "State:\tZ" in status.read_text():
            return
        time.sleep(0.05)
    pytest.fail("it is still at work")


def test_a_worker_that_ends_is_a_sentence(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(
        "import json, sys\nprint(json.dumps({'parameters': 7}), flush=True)\n"
        "print(json.dumps(json.loads(sys.stdin.readline())), flush=True)\n"
    )
    told = Told(Path(sys.executable), script, tmp_path)
    assert told.parameters == 7
    assert told.ask(steps=3) == {"steps": 3}
    with pytest.raises(PeerError, match="ended"):
        told.ask(steps=3)
    told.end()
    script.write_text("")
    with pytest.raises(PeerError, match="ended without an answer"):
        Told(Path(sys.executable), script, tmp_path)


def test_without_an_environment_of_the_peers_they_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "PEERS", tmp_path)
    assert peers.absence("joeynmt") == peers.MISSING
    assert peers.versions() == {}
    assert peers.absence_here("no_such_module") == "no_such_module is not installed"
    assert not peers.absence_here("torch")


def test_contests_without_their_peers(monkeypatch):
    monkeypatch.setattr(peers, "absence_here", lambda module: f"{module} is not installed")
    monkeypatch.setattr(peers, "PEERS", ROOT / "nowhere")
    monkeypatch.setattr(peers, "program", lambda name: None)
    monkeypatch.setattr(statistical.shutil, "which", lambda name: None)
    pair = SimpleNamespace(source=("书",), target=("the", "book"), sure=(), possible=())
    corpus = SimpleNamespace(train=[pair] * 30, test=[pair])
    monkeypatch.setattr(statistical.running, "load", lambda: corpus)
    monkeypatch.setattr(statistical, "prose", lambda: (("a", "b") for _ in range(30)))
    for make_contest, missing in (
        (statistical.ibm1, ["nltk"]),
        (statistical.aligners, ["eflomal", "systran-align", "fast_align"]),
        (statistical.lm_training, ["nltk.lm", "kenlm"]),
        (statistical.lm_likelihood, ["kenlm", "nltk.lm"]),
        (statistical.lm_kneser_ney, ["kenlm", "nltk.lm"]),
    ):
        contest = make_contest()
        assert [one.name for one in contest.contestants if not one.measure] == missing
        assert all(one.absent for one in contest.contestants if not one.measure)
        assert contest.same is None
        assert contest.contestants[0].name.startswith("softalign")
        contest.end()


# --- at equal time --------------------------------------------------------------------------------


def settings_of(name, *seconds):
    return [
        Contestant(name, setting=f"{s} s", rounds=[(1, s)] * 3, results={"AER": 1 / s})
        for s in seconds
    ]


def test_at_equal_time_each_aligner_has_its_slowest_setting_that_fits():
    measured = entered(
        *settings_of("ours", 10, 4),
        *settings_of("quick", 3, 10.9, 7),
        *settings_of("slow", 30, 20),
        Contestant("lost", absent="not installed"),
    )
    found = statistical.aligners_at_equal_time(measured)
    assert {one.name: one.setting or one.absent for one in found.contestants} == {
        "ours": "10 s",
        "quick": "10.9 s",
        "slow": "slower in every setting",
        "lost": "not installed",
    }
    assert found.contestants[1].results == {"AER": 1 / 10.9}
    assert found.name == "aligners_equal_time"


def test_a_training_of_some_seconds(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(timed.time, "process_time", lambda: next(clock))
    model = torch.nn.Linear(1, 1)
    rates, steps = [], []
    nothing = SimpleNamespace(
        param_groups=[{}],
        zero_grad=lambda set_to_none: steps.append("zero"),
        step=lambda: steps.append("step"),
    )
    # torch's own takes seconds to import when it makes its first step
    monkeypatch.setattr(timed.torch.optim, "Adam", lambda parameters, lr: nothing)

    def loss_of(model, batch):
        rates.append(training.optimiser.param_groups[0]["lr"])
        return model(batch).square().mean(), 5

    training = timed.Training(model, [torch.ones(1, 1)], loss_of, 0.5, budget=20)
    assert training.go_on(10) == {"seconds": 10, "tokens": 50, "steps": 10}
    assert training.go_on(10) == {"seconds": 10, "tokens": 50, "steps": 10}
    expected = [0.5 * timed.factor(step / 20) for step in range(20)]
    assert rates == pytest.approx(expected)
    assert max(rates) == rates[2] == 0.5
    assert steps == ["zero", "step"] * 20


def test_links_are_read_and_joined(tmp_path):
    forward, backward = tmp_path / "f", tmp_path / "b"
    forward.write_text("0-0 1-2\n\n")
    backward.write_text("0-0\n0-1\n")
    assert statistical.links_of_file(forward) == [{(0, 0), (1, 2)}, set()]
    ways = statistical.joined(forward, backward)
    assert [{(0, 0)}, set()] in ways
    assert [{(0, 0), (1, 2)}, {(0, 1)}] in ways


# --- the page -------------------------------------------------------------------------------------


def page_function(name):
    """A function that a cell of the page defines."""
    (cell,) = (cell for cell in PAGE.code if f"def {name}(" in cell.text)
    names = {}
    for other in PAGE.code[1 : PAGE.code.index(cell)]:
        if "import" in other.text:
            nodes = [
                n for n in ast.parse(other.text).body if isinstance(n, ast.Import | ast.ImportFrom)
            ]
            exec(compile(ast.Module(nodes, []), "page", "exec"), names)
    exec(cell.text, names)
    return names[name]


def test_the_page_reads_the_stored_table_and_all_contests_are_in_it():
    stored = page_function("read_bench")(ROOT / "results" / "bench.json")
    names = [contest["name"] for contest in stored["contests"]]
    expected = list(table.BUILDERS)
    expected.insert(expected.index("aligners") + 1, "aligners_equal_time")
    assert names == expected
    for contest in stored["contests"]:
        assert contest["rows"][0]["name"].startswith("softalign")
        assert contest["rows"][0]["speed"], contest["name"]
        for row in contest["rows"]:
            assert (row["speed"] is None) == bool(row["absent"]), row
        aligned = contest["name"].startswith("aligners")
        assert (contest["same"] is None) == aligned, contest["name"]
    assert report.render(stored)
    text = (ROOT / "results" / "bench.json").read_text(encoding="utf-8")
    assert text == json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("text", [None, "", "[]", '{"contests": [{"rows": [{}]}]}', "{"])
def test_the_page_says_of_a_bad_file_what_to_do(tmp_path, text):
    path = tmp_path / "bench.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=r"bench\.json .*make bench STORE=1") as found:
        page_function("read_bench")(path)
    assert "\n" not in str(found.value)
