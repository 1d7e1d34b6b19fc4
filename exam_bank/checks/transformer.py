"""Numbers of chapter 7: the Transformer, its cache and its comparisons."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from softalign.attention import attend, scaled_dot_scores
from softalign.masking import causal_mask
from softalign.positions import sinusoidal
from softalign.transformer import DecoderLayer

EXACT = torch.float64


def q_sa_shuffled_rows() -> dict[str, float]:
    """A random layer, its words exchanged; the causal mask must break the law."""
    source = torch.Generator().manual_seed(0)
    X = torch.randn(5, 4, dtype=EXACT, generator=source)
    maps = torch.randn(3, 4, 4, dtype=EXACT, generator=source)
    order = torch.tensor([3, 0, 4, 1, 2])

    def layer(words: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        q, k, v = (words @ W for W in maps)
        return attend(scaled_dot_scores(q, k), v, mask)[0]

    mask = causal_mask(5)
    assert (layer(X[order], mask) - layer(X, mask)[order]).abs().max() > 0.1
    return {"residual": (layer(X[order]) - layer(X)[order]).abs().max().item()}


def q_sa_no_queries() -> dict[str, float]:
    """The library's attention with scores of 0; and the gradients of the two maps."""
    values = torch.tensor([[6.0], [0.0], [3.0], [7.0]], dtype=EXACT)
    words = torch.randn(4, 2, dtype=EXACT, generator=torch.Generator().manual_seed(0))
    W_q = torch.zeros(2, 2, dtype=EXACT, requires_grad=True)
    W_k = torch.eye(2, dtype=EXACT, requires_grad=True)
    context, _ = attend(scaled_dot_scores(words @ W_q, words @ W_k), values, causal_mask(4))
    (context**2).sum().backward()
    assert W_q.grad.abs().max() > 0.01
    assert W_k.grad.abs().max() == 0
    return dict(zip(("first", "second", "third", "fourth"), context[:, 0].tolist(), strict=True))


def q_sa_square_of_weights() -> dict[str, float]:
    """Bytes; and the first length at which weights are no fewer than inputs."""
    crossing = next(T for T in range(1, 10_000) if 8 * T**2 >= 512 * T)
    return {
        "weights": 8 * 4096**2 * 2 / 1e6,
        "inputs": 4096 * 512 * 2 / 1e6,
        "crossing": crossing,
    }


def q_sa_layers_to_meet() -> dict[str, float]:
    """Layers applied to a mark at one end until it is seen at the other."""

    def layers(gap) -> int:
        seen, count = np.zeros(100, bool), 0
        seen[0] = True
        while not seen[-1]:
            sides = [side * gap(count) for side in (-2, -1, 0, 1, 2)]
            seen = np.array(
                [any(0 <= t + s < 100 and seen[t + s] for s in sides) for t in range(100)]
            )
            count += 1
        return count

    return {
        "attention": 1,
        "plain": layers(lambda count: 1),
        "dilated": layers(lambda count: 2**count),
        "recurrent_steps": len(range(1, 100)),
    }


def q_pos_only_the_distance() -> dict[str, float]:
    """Products of the library's encodings, along each diagonal; another matrix breaks it."""
    p = sinusoidal(torch.arange(30), 8).to(EXACT)
    W = torch.randn(8, 8, dtype=EXACT, generator=torch.Generator().manual_seed(0))

    def spread(products: torch.Tensor) -> float:
        return max(
            (diagonal.max() - diagonal.min()).item()
            for offset in range(-29, 30)
            for diagonal in [products.diagonal(offset)]
        )

    assert spread(p @ W @ p.T) > 0.1
    return {"residual": spread(p @ p.T)}


def q_pos_wavelengths() -> dict[str, float]:
    """From the angle by which the library's pairs turn in one step."""
    p = sinusoidal(torch.arange(2), 8).to(EXACT)
    angles = torch.atan2(p[1, 0::2], p[1, 1::2])
    names = ("first", "second", "third", "fourth")
    return dict(zip(names, (2 * math.pi / angles).tolist(), strict=True))


def q_mh_shared_keys() -> dict[str, float]:
    """Linear maps, counted."""

    def maps(*outputs: int) -> int:
        with torch.device("meta"):
            layers = [nn.Linear(512, size, bias=False) for size in outputs]
        return sum(layer.weight.numel() for layer in layers)

    return {"usual": maps(512, 512, 512, 512), "shared": maps(512, 128, 128, 512), "cache": 8 / 2}


def q_mh_joined_wrongly() -> dict[str, float]:
    """The numbers of the answer, reshaped."""
    contexts = torch.arange(4).reshape(1, 2, 2, 1)
    wrong, right = contexts.reshape(1, 2, 2), contexts.transpose(1, 2).reshape(1, 2, 2)
    return {"row0_second": wrong[0, 0, 1].item(), "right_row0_second": right[0, 0, 1].item()}


def q_mh_left_and_right() -> dict[str, float]:
    """The factor by bisection on the library's weights for ten positions."""

    def weight(factor: float) -> float:
        scores = torch.zeros(1, 10, dtype=EXACT)
        scores[0, 3] = factor
        return attend(scores, torch.zeros(10, 1, dtype=EXACT))[1][0, 3].item()

    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if weight(middle) >= 0.99 else (middle, high)
    return {"factor": high}


def q_tf_count_the_trues() -> dict[str, float]:
    """The lines of the question."""
    causal = np.tril(np.ones((4, 4), bool))
    real = np.array([[True, True, False, False], [True, True, True, True]])
    mask = causal & real[:, None, :]
    assert mask.shape == (2, 4, 4)
    return {"first": int(mask[0].sum()), "second": int(mask[1].sum())}


def q_tf_decoder_layer_weights() -> dict[str, float]:
    """The library's layer."""
    layer = DecoderLayer(256, 4, 1024)

    def count(part: nn.Module) -> int:
        return sum(weight.numel() for weight in part.parameters())

    frames = (layer.around_attention, layer.around_cross, layer.around_network)
    assert count(DecoderLayer(256, 8, 1024)) == count(layer)
    return {
        "attention": count(layer.attention),
        "network": count(layer.network),
        "norms": sum(count(frame) for frame in frames),
        "layer": count(layer),
    }


def q_abl_scale_at_both_ends() -> dict[str, float]:
    """The spread of many products."""

    def spread(size: int) -> float:
        q, k = torch.randn(2, 20_000, size, generator=torch.Generator().manual_seed(size))
        return (q * k).sum(1).std().item()

    return {"small": spread(4), "large": spread(256)}


def q_abl_ten_rows() -> dict[str, float]:
    """Three runs against three: all orders are equally likely."""
    orders = math.comb(6, 3)
    mark = 2 / orders
    assert math.isclose(mark, 1 / 10)
    return {"at_least_one": 1 - (1 - mark) ** 10, "expected": 10 * mark}


def q_sb_seeds_and_sentences() -> dict[str, float]:
    """Variances add; how many sentences halve a standard deviation."""
    more = next(n for n in range(1, 100) if 0.8 / math.sqrt(n) <= 0.4)
    return {
        "four": math.hypot(1 / math.sqrt(4), 0.8),
        "hundred": math.hypot(1 / math.sqrt(100), 0.8),
        "more": more,
    }


def q_sb_three_keys_in_two_dimensions() -> dict[str, float]:
    """The recurrence, step by step."""
    keys = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=EXACT)
    M = torch.zeros(2, dtype=EXACT)
    for key, value in zip(keys, (1.0, 2.0, 3.0), strict=True):
        M = M + key * value
    return dict(zip(("first", "second", "third"), (keys @ M).tolist(), strict=True))
