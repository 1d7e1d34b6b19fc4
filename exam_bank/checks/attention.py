"""Numbers of chapter 6: pooling, scores, attention and alignment."""

from __future__ import annotations

import math

import torch

from softalign.attention import additive_scores, attend, scaled_dot_scores
from softalign.masking import masked_softmax
from softalign.metrics import aer

EXACT = torch.float64


def q_pool_best_constant() -> dict[str, float]:
    """The minimum of the weighted squares, on a grid."""
    weights = torch.tensor([0.5, 0.25, 0.25], dtype=EXACT)
    values = torch.tensor([4.0, 6.0, 12.0], dtype=EXACT)
    grid = torch.linspace(0, 16, 160_001, dtype=EXACT)
    losses = (weights * (values - grid[:, None]) ** 2).sum(1)
    return {"best": grid[losses.argmin()].item()}


def q_pool_heavy_tails() -> dict[str, float]:
    """The softmax of the scores, by the library; and the Gaussian's weight of the question."""
    distances = torch.tensor([[0.0, 1.0, 3.0]], dtype=EXACT)
    values = torch.tensor([[8.0], [4.0], [0.0]], dtype=EXACT)
    context, weights = attend(-torch.log(1 + distances**2), values)
    _, gaussian = attend(-(distances**2) / 2, values)
    assert round(gaussian[0, 2].item(), 3) == 0.007
    first, second, third = weights[0].tolist()
    return {"first": first, "second": second, "third": third, "prediction": context.item()}


def q_sco_variance_of_a_product() -> dict[str, float]:
    """The variance of many products."""
    source = torch.Generator().manual_seed(0)
    q = 2 * torch.randn(400_000, 16, generator=source)
    k = 3 * torch.randn(400_000, 16, generator=source)
    same = q[:, :1].expand_as(q)
    return {"independent": (q * k).sum(1).var().item(), "equal": (same * k).sum(1).var().item()}


def q_sco_sharpness_kills() -> dict[str, float]:
    """Weights and slopes by torch, from products of vectors with 64 components."""

    def larger(scale: bool) -> tuple[float, float]:
        query = torch.ones(1, 64, dtype=EXACT)
        keys = torch.stack([torch.full((64,), 0.125, dtype=EXACT), torch.zeros(64, dtype=EXACT)])
        scores = scaled_dot_scores(query, keys) if scale else query @ keys.T
        scores = scores.detach().requires_grad_()
        weights = masked_softmax(scores)
        weights[0, 0].backward()
        return weights[0, 0].item(), scores.grad[0, 0].item()

    (sharp, slope), (soft, scaled_slope) = larger(False), larger(True)
    assert round(scaled_slope / slope / 8) == 73
    return {
        "sharp": sharp,
        "slope": slope,
        "soft": soft,
        "scaled_slope": scaled_slope,
        "factor": scaled_slope / slope,
    }


def q_sco_broadcast_bytes() -> dict[str, float]:
    """Shapes of the library's score at a small size, times the sizes of the question."""
    found = additive_scores(
        torch.zeros(2, 3, 5), torch.zeros(2, 4, 6), torch.zeros(5, 7), torch.zeros(6, 7),
        torch.zeros(7),
    )  # fmt: skip
    assert found.shape == (2, 3, 4)
    output = 32 * 40 * 50 * 4 / 1e6
    return {"largest": output * 256, "output": output}


def q_sco_mask_times_score() -> dict[str, float]:
    """The line of the question; the library gives padding nothing."""
    scores = torch.tensor([[-2.0, -3.0, -1.0]], dtype=EXACT)
    mask = torch.tensor([[True, True, False]])
    assert masked_softmax(scores, mask)[0, 2] == 0
    return {"padding": (scores * mask).softmax(1)[0, 2].item()}


def q_aa_links_from_weights() -> dict[str, float]:
    """The library's error rate of both sets of links."""
    weights = torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.1, 0.3, 0.6]], dtype=EXACT)
    gold = {(0, 0), (1, 1), (2, 2)}
    largest = {(i, j) for j, i in enumerate(weights.argmax(1).tolist())}
    above = {(i, j) for j, i in (weights >= 0.3).nonzero().tolist()}
    return {
        "largest": float(aer([largest], [gold], [gold])),
        "threshold": float(aer([above], [gold], [gold])),
    }


def q_aa_path_lengths() -> dict[str, float]:
    """Steps counted in a loop."""
    source, word, target = 20, 1, 15
    steps = len(range(word, source)) + len(range(1, target))
    return {"fixed": math.prod([0.9] * steps), "attention": math.prod([])}
