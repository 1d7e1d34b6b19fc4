"""The experiment that compares multiplicative scores with and without a scale."""

from __future__ import annotations

import pytest
import torch

from softalign import runs
from softalign.attention import dot_scores
from softalign.experiments import scores, translation

ROWS = scores.EXPERIMENT.rows


def unscaled(name: str) -> str:
    """Name of the row without a scale."""
    return name.replace(", scaled", "")


@pytest.mark.parametrize("name", ROWS)
def test_a_row_differs_from_its_unscaled_sister_in_the_scale_alone(name):
    config = dict(ROWS[name])
    assert config.pop("scaled") is True
    assert config == translation.EXPERIMENT.rows[unscaled(name)]


@pytest.mark.parametrize("name", [name for name in ROWS if name.endswith("seed 1")])
def test_both_begin_with_the_same_weights_and_read_the_same_batches(name):
    ours, theirs = scores.build(ROWS[name]), translation.build(ROWS[name])
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for key, tensor in ours.state_dict().items():
        assert torch.equal(tensor, theirs.state_dict()[key]), key
    assert (scores.batches(ROWS[name])(3).src == translation.batches(ROWS[name])(3).src).all()


def test_the_scale_divides_the_score_by_the_root_of_the_size_of_a_query():
    torch.manual_seed(0)
    score = scores.ScaledGeneralScore(9, 5)
    queries, keys = torch.randn(2, 3, 9), torch.randn(2, 4, 5)
    plain = dot_scores(queries @ score.W, keys)
    torch.testing.assert_close(score(queries, score.project(keys)), plain / 3)


def test_the_scale_decides_whether_the_alignment_is_found():
    """In the stored runs, with every seed: found, or the softmax saturated before it could be."""
    with_scale, without = runs.stored("scores"), runs.stored("translation")
    for name, row in with_scale.items():
        sister = without[unscaled(name)]
        assert row.parameters == sister.parameters
        assert row.metrics["aer"] < 0.35
        assert sister.metrics["aer"] > 0.45
        assert row.metrics["exact_test"] > 2.5 * sister.metrics["exact_test"]
        assert row.metrics["entropy"] > 5 * sister.metrics["entropy"]
