"""The measurement of scaling: what is stored fits the script, and the script counts rightly."""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys

import pytest
import torch
from book_files import ROOT

from softalign.data_parallel import Team

spec = importlib.util.spec_from_file_location("scaling", ROOT / "benchmarks" / "scaling.py")
scaling = importlib.util.module_from_spec(spec)
sys.modules["scaling"] = scaling  # a dataclass looks its module up
spec.loader.exec_module(scaling)

STORED = json.loads(scaling.RESULTS.read_text(encoding="utf-8"))


def test_what_is_stored_is_what_the_script_measures():
    assert [(row["family"], row["batch"]) for row in STORED["rows"]] == list(scaling.ROWS)
    for row in STORED["rows"]:
        assert list(row["ways"]) == list(scaling.WAYS)
        for name, way in row["ways"].items():
            assert len(way["seconds"]) == len(way["sums"]) == STORED["rounds"]
            assert all(0 <= sums < step for step, sums in zip(*way.values(), strict=True))
            several = scaling.WAYS[name][0] > 1
            assert (statistics.median(way["sums"]) > 0) == several
    sizes = [row["parameters"] for row in STORED["rows"]]
    assert max(sizes) / min(sizes) < 1.05


def test_a_call_is_timed_between_its_steps(monkeypatch):
    """A clock that goes forward by 1 at every look: a step has one look, at its batch."""
    alone = scaling.Measured.__new__(scaling.Measured)
    pairs = scaling.load().train[:20]
    sides = scaling.vocabularies(pairs)
    alone.together = scaling.Timed()
    alone.models = {"rnn": scaling.build("rnn", sides, scaling.Shape(32, 8), seed=0)}
    batches = list(scaling.translation_batches(pairs, *sides, batch_size=4, seed=0))
    alone.batches = {4: batches}
    looks = iter(range(1000))
    monkeypatch.setattr(scaling.time, "perf_counter", lambda: float(next(looks)))
    answer = alone.train("rnn", 4, 3)
    words = [pairs[number].target for batch in batches[2:5] for number in batch.index]
    assert answer == {"seconds": 3.0, "tokens": sum(len(w) + 1 for w in words), "sums": 0}
    assert alone.count("rnn") == sum(p.numel() for p in alone.models["rnn"].parameters())


def test_sums_are_timed_and_passed_on(monkeypatch):
    monkeypatch.setattr(Team, "sum", lambda self, tensor: 2 * tensor)
    timed = scaling.Timed(size=2)
    assert timed.sum(torch.ones(2)).tolist() == [2, 2]
    assert len(timed.spent) == 1
    assert timed.spent[0] > 0


@pytest.mark.parametrize(
    ("idle", "waiting", "own", "share"),
    [(100, 0, 0, 0), (40, 10, 0.0, 0.5), (0, 0, 0.75, 0.25), (50, 0, 0.5, 0), (49, 0, 0.6, 0)],
)
def test_what_others_use_is_read_from_the_kernel(idle, waiting, own, share, monkeypatch):
    """Of 100 ticks, which are a second."""
    before, rest = [7, 0, 7, 7, 7, 0, 0, 0], 100 - idle - waiting
    after = [7 + rest, 0, 7, 7 + idle, 7 + waiting, 0, 0, 0]
    texts = iter("cpu  " + " ".join(map(str, n)) + " 0 0\ncpu0" for n in (before, after))

    class Stat:
        def __init__(self, name):
            assert name == "/proc/stat"

        def exists(self):
            return True

        def read_text(self):
            return next(texts)

    used = iter([(1, 0, 0, 0, 9), (1, 0, own, 0, 9)])
    monkeypatch.setattr(scaling, "Path", Stat)
    monkeypatch.setattr(scaling.os, "times", lambda: next(used))
    assert scaling.Others().share() == pytest.approx(share)


def test_what_others_use_is_unknown_without_the_kernels_account(monkeypatch, tmp_path):
    monkeypatch.setattr(scaling, "Path", lambda name: tmp_path / "none")
    assert scaling.Others().share() == 0
