"""The experiment on long lags: rows that can be compared, and a share of right answers by hand."""

from __future__ import annotations

import pytest
import torch

from softalign.experiments import long_lag
from softalign.gradient_flow import singular_values
from softalign.rnn import RNN
from softalign.synthetic import Labelled

ROWS = long_lag.EXPERIMENT.rows


def config(task: str, layer: str, lag: int = 25, seed: int = 0):
    return ROWS[long_lag.row(task, layer, lag, seed)]


@pytest.mark.parametrize("task", long_lag.SIZES)
def test_rows_of_a_task_differ_in_the_layer_only(task):
    layers = list(long_lag.SIZES[task])
    sizes = [
        sum(p.numel() for p in long_lag.build(config(task, layer)).parameters()) for layer in layers
    ]
    assert max(sizes) <= 1.05 * min(sizes)
    batches = [long_lag.batches(config(task, layer))(3) for layer in layers]
    for other in batches[1:]:
        assert all(map(torch.equal, batches[0], other))
    for key in ("steps", "batch_size", "lag", "seed"):
        assert len({config(task, layer)[key] for layer in layers}) == 1


def test_layers_begin_as_their_names_say():
    orthogonal, plain = (
        long_lag.build(config("adding", name)).layer for name in ("orthogonal", "rnn")
    )
    assert isinstance(plain, RNN)
    assert torch.allclose(singular_values(orthogonal.W_hh.detach()), torch.ones(64), atol=1e-5)
    assert float(singular_values(plain.W_hh.detach())[0]) > 1.02
    for name, bias in (("lstm", 1.0), ("lstm-b5", 5.0)):
        forget = long_lag.build(config("recall", name)).layer.b[31:62]
        assert float((forget.detach() - bias).abs().max()) <= 31**-0.5 + 1e-6


def test_a_row_depends_on_its_seed():
    first, again, other = (
        long_lag.build(config("adding", "gru", seed=seed)).layer.W_hh for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_losses_by_hand():
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0]])
    total, count = long_lag.loss_of(torch.nn.Identity(), Labelled(logits, torch.tensor([2])))
    assert (round(float(total), 4), count) == (1.3863, 1)  # log 4
    values = Labelled(torch.tensor([[1.0], [2.0]]), torch.tensor([1.5, 2.0]))
    total, count = long_lag.loss_of(torch.nn.Identity(), values)
    assert (float(total), count) == (0.25, 2)


class Constant(torch.nn.Module):
    """Answers every sequence alike."""

    def forward(self, inputs):
        return torch.ones(len(inputs), 1)


def test_always_one_is_right_in_nineteen_per_cent():
    share = long_lag.share_right(Constant(), config("adding", "rnn"))
    assert share == pytest.approx(1 - 0.9**2, abs=0.03)


def test_what_is_tested_was_never_trained_on():
    assert all(row["steps"] < long_lag.TEST_STEP for row in ROWS.values())
    found = config("recall", "lstm")
    assert 0.1 < long_lag.share_right(long_lag.build(found), found) < 0.6  # untrained: a guess
