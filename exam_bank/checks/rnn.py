"""Numbers of chapter 2: sequences and recurrent networks."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from softalign.rnn import rnn_step
from softalign.text import pad


def q_seq_wasted_places() -> dict[str, float]:
    """Padding that the library's `pad` makes."""

    def share(*batches: tuple[int, ...]) -> float:
        places = words = 0
        for lengths in batches:
            ids, found = pad([[7] * length for length in lengths])
            places, words = places + ids.size, words + int(found.sum())
        return (places - words) / places

    return {"mixed": share((3, 10, 12), (3, 4, 11)), "sorted": share((3, 3, 4), (10, 11, 12))}


def q_seq_window_weights() -> dict[str, float]:
    """A network of that form, counted."""
    with torch.device("meta"):
        parts = (nn.Embedding(10_000, 100), nn.Linear(400, 200), nn.Linear(200, 10_000))
    count = sum(weight.numel() for part in parts for weight in part.parameters())
    return {"parameters": count, "power": round(math.log10(10_000**5))}


def q_rnn_difference_unit() -> dict[str, float]:
    """The library's step with the matrices of the answer."""
    W_xh, W_hh = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, -1.0], [0.0, 0.0]])
    state, seen = torch.zeros(1, 2), []
    for number in (2.0, 5.0, 4.0):
        inputs = torch.tensor([[number]])
        state = rnn_step(inputs, state, W_xh, W_hh, torch.zeros(2), activation=lambda a: a)
        seen.append(state[0, 1].item())
    return dict(zip(("first", "second", "third"), seen, strict=True))


def q_rnn_in_place() -> dict[str, float]:
    """The function of the question; it is right for lower triangular matrices and no others."""

    def step(h: np.ndarray, W_hh: np.ndarray) -> np.ndarray:
        h = h.copy()
        for k in range(len(h)):
            h[k] = h @ W_hh[:, k]
        return h

    rng = np.random.default_rng(0)
    full, h = rng.normal(size=(4, 4)), rng.normal(size=4)
    assert np.allclose(step(h, np.tril(full)), h @ np.tril(full))
    assert not np.allclose(step(h, np.triu(full)), h @ np.triu(full))
    h, exchange = np.array([1.0, 2.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    right, returned = h @ exchange, step(h, exchange)
    return {
        "right_first": right[0],
        "right_second": right[1],
        "returned_first": returned[0],
        "returned_second": returned[1],
    }
