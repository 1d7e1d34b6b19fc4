"""Training in several processes: the same steps as one process takes, and resumed exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign import data_parallel
from softalign.corpus import load
from softalign.data_parallel import (
    Team,
    fit_together,
    rows_of,
    seed_of,
    shared_gradients,
    team,
)
from softalign.encoder_decoder import translation_batches, translation_loss, vocabularies
from softalign.systems.families import Shape, build
from softalign.text import batches_by_length
from softalign.training import CheckpointError, fit, stepwise

LAW = settings(derandomize=True, deadline=None, max_examples=60)
STEPS, EVERY, STOP = 12, 4, 6
# Started by torchrun: trains whole, then stops at a step and goes on; the first process tells.
SCRIPT = """
    import json, sys
    import torch
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    sys.path.insert(0, sys.argv[1])
    from test_data_parallel import trained
    from softalign.data_parallel import team
    with team("cpu") as together:
        whole, weights = trained(together, sys.argv[2])
        once, first = trained(together, sys.argv[2], dropout=0.3)
        again, same = trained(
            together, sys.argv[2], dropout=0.3, checkpoint=sys.argv[3], stop=True
        )
        alike = torch.equal(first, same) and once.losses != whole.losses
        other = weights.clone()
        torch.distributed.broadcast(other, src=0)
        agreed = together.sum(torch.tensor(float(not torch.equal(other, weights))))
        if together.is_first:
            told = {"size": together.size, "losses": whole.losses, "norms": whole.norms}
            told |= {"validations": whole.validations, "weights": weights.tolist()}
            told |= {"resumed": again.losses == once.losses and alike, "differ": float(agreed)}
            told["once"] = once.losses
            print(json.dumps(told))
"""


class Stopped(Exception):
    pass


@cache
def known():
    """Some pairs of the running corpus, and their vocabularies."""
    pairs = load().train[:90]
    return pairs, vocabularies(pairs)


def trained(together, family, *, checkpoint=None, stop=False, dropout=0.0):
    """Train a small model of a family; with `stop`, interrupt it and go on."""
    pairs, sides = known()
    batch_of = stepwise(
        lambda epoch: translation_batches(pairs, *sides, batch_size=7, seed=3, epoch=epoch)
    )

    def run(batch_of):
        model = build(family, sides, Shape(32, 16, dropout), seed=0)
        history = fit_together(
            together,
            model,
            batch_of,
            translation_loss,
            seed=0,
            steps=STEPS,
            every=EVERY,
            learning_rate=0.01,
            clip=1.0,
            validate=lambda model: float(translation_loss(model, batch_of(0))[0]),
            checkpoint=checkpoint,
            progress=False,
        )
        return history, torch.cat([p.detach().reshape(-1) for p in model.parameters()])

    def broken(step):
        if step == STOP:
            raise Stopped
        return batch_of(step)

    if stop:
        with pytest.raises(Stopped):
            run(broken)
    return run(batch_of)


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def launched(tmp_path, family, processes):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [*launcher, "--nproc-per-node", str(processes), script, here, family, tmp_path / "point"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("family", "processes"), [("attention", 2), ("transformer", 3)])
def test_processes_take_the_steps_of_one_and_resume_exactly(family, processes, tmp_path, double):
    told = launched(tmp_path, family, processes)
    alone, weights = trained(Team(), family)
    assert told["size"] == processes
    assert told["differ"] == 0
    assert told["resumed"]
    np.testing.assert_allclose(told["losses"], alone.losses, rtol=1e-10)
    np.testing.assert_allclose(told["norms"], alone.norms, rtol=1e-8)
    np.testing.assert_allclose(told["validations"], alone.validations, rtol=1e-9)
    np.testing.assert_allclose(told["weights"], weights, rtol=1e-6, atol=1e-8)
    assert alone.losses[-1] < 0.9 * alone.losses[0]
    # the checkpoint that several wrote is read by one, which ends with the same numbers
    read, _ = trained(Team(), family, checkpoint=tmp_path / "point")
    np.testing.assert_allclose(read.losses, told["once"], rtol=1e-12)


def test_one_process_takes_the_steps_of_fit(double):
    pairs, sides = known()
    batch_of = stepwise(
        lambda epoch: translation_batches(pairs, *sides, batch_size=7, seed=3, epoch=epoch)
    )
    model = build("attention", sides, Shape(32, 16), seed=0)
    options = {"steps": STEPS, "learning_rate": 0.01, "clip": 1.0, "seed": 0, "progress": False}
    plain = fit(model, batch_of, translation_loss, **options)
    np.testing.assert_allclose(trained(Team(), "attention")[0].losses, plain.losses, rtol=1e-12)


def test_a_resumed_training_draws_the_same_dropout(tmp_path):
    whole, weights = trained(Team(), "transformer", dropout=0.3)
    again, same = trained(
        Team(), "transformer", dropout=0.3, checkpoint=tmp_path / "point", stop=True
    )
    assert again.losses == whole.losses
    assert torch.equal(weights, same)
    assert whole.losses != trained(Team(), "transformer")[0].losses  # there is dropout


@LAW
@given(
    lengths=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=9),
    size=st.integers(1, 5),
)
def test_every_row_is_computed_by_one_process(lengths, size):
    src = [[7] * n for n, _ in lengths]
    tgt = [[8] * n for _, n in lengths]
    (batch,) = batches_by_length(src, tgt, batch_size=len(src), seed=0)
    shares = [rows_of(batch, rank, size) for rank in range(size)]
    rows = [number for share in shares if share for number in share.index]
    assert sorted(rows) == sorted(batch.index)
    for rank, share in enumerate(shares):
        assert (share is None) == (rank >= len(batch))
        if share is not None:
            assert share.src.shape == (len(share), share.src_lengths.max())
            assert share.tgt.shape == (len(share), share.tgt_lengths.max())
            for row, number in enumerate(share.index):
                assert share.src[row, : share.src_lengths[row]].tolist() == src[number]
                assert share.tgt[row, : share.tgt_lengths[row]].tolist() == tgt[number]


class Two(Team):
    """Stands for two processes that have the same rows: a sum is twice one's own part."""

    def sum(self, tensor):
        return 2 * tensor


def test_gradients_are_added_up_once_all_are_there():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    inputs = torch.ones(4, 3)
    model(inputs).sum().backward()
    alone = [p.grad.clone() for p in model.parameters()]
    for _ in range(2):
        model.zero_grad()
        with shared_gradients(model, Two()):
            model(inputs).sum().backward()
        for parameter, gradient in zip(model.parameters(), alone, strict=True):
            assert torch.equal(parameter.grad, 2 * gradient)
    model.zero_grad()
    model(inputs).sum().backward()  # and no longer after the block
    assert torch.equal(model[0].weight.grad, alone[0])


def test_a_loss_that_leaves_parameters_out_is_refused():
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    with pytest.raises(RuntimeError, match="2 of 4 parameters"), shared_gradients(model, Two()):
        model[0](torch.ones(4, 3)).sum().backward()


def test_seeds_of_steps_and_processes_differ():
    seeds = {seed_of(seed, step, rank) for seed in (0, 1) for step in range(50) for rank in (0, 1)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_alone_without_a_launcher(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with team() as alone:
        assert (alone.rank, alone.size, alone.is_first) == (0, 1, True)
        assert alone.broadcast([1]) == [1]
        assert alone.sum(torch.ones(2)).tolist() == [1, 1]


@pytest.mark.parametrize("name", ["cuda:77", "abacus"])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(ValueError, match=name), team(name):
        pass


def test_processes_with_different_weights_are_refused():
    class Odd(Team):
        def broadcast(self, thing):
            return "other"

    model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="different weights"):
        fit_together(Odd(), model, int, max, seed=0, steps=1, learning_rate=0.1)


def test_a_checkpoint_of_another_seed_is_refused(tmp_path, monkeypatch):
    trained(Team(), "rnn", checkpoint=tmp_path / "point")
    monkeypatch.setattr(data_parallel, "fit", lambda *a, seed, **k: fit(*a, seed=seed + 1, **k))
    with pytest.raises(CheckpointError, match="seed differs"):
        trained(Team(), "rnn", checkpoint=tmp_path / "point")
