"""Numbers of chapter 3: backpropagation through time and gradients."""

from __future__ import annotations

import math

import numpy as np
import torch

from softalign import bptt
from softalign.gradient_flow import angle, clip_by_norm, clip_by_value, orthogonal


def q_bptt_squared_state() -> dict[str, float]:
    """Each use of the weight is a variable of its own; torch differentiates."""
    uses = [torch.tensor(2.0, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    state = torch.tensor(1.0, dtype=torch.float64)
    for use in uses:
        state = use * state**2
    state.backward()
    first, second, third = (use.grad.item() for use in uses)
    return {
        "immediate": third,
        "total": first + second + third,
        "first_use": first,
        "second_use": second,
    }


def q_bptt_two_slips() -> dict[str, float]:
    """The mended loop beside torch; each slip shows where the answer says so, and nowhere else."""

    def loop(h: np.ndarray, W: np.ndarray, last: np.ndarray, old: bool, turned: bool) -> np.ndarray:
        total, grad_h = np.zeros_like(W), last
        for t in range(len(h) - 1, 0, -1):
            grad_a = grad_h * (1 - h[t] ** 2)
            total += np.outer(h[t - 1 if old else t], grad_a)
            grad_h = grad_a @ (W.T if turned else W)
        return total

    def wrong(units: int, steps: int, symmetric: bool, start: float, **fixed: bool) -> float:
        rng = np.random.default_rng(1)
        W = rng.normal(size=(units, units))
        W = W + W.T if symmetric else W
        inputs, last = rng.normal(size=(steps, units)), rng.normal(size=units)
        weight = torch.tensor(W, requires_grad=True)
        states = [torch.full((units,), start, dtype=torch.float64)]
        for row in torch.tensor(inputs):
            states.append(torch.tanh(row + states[-1] @ weight))
        (states[-1] @ torch.tensor(last)).backward()
        h = torch.stack(states).detach().numpy()
        return float(np.abs(loop(h, W, last, **fixed) - weight.grad.numpy()).max())

    mended = wrong(3, 4, False, 0.5, old=True, turned=True)
    first, second = {"old": False, "turned": True}, {"old": True, "turned": False}
    for units, steps, symmetric, start in (
        (3, 1, False, 0.0),
        (1, 4, False, 0.5),
        (3, 4, True, 0.5),
    ):
        assert wrong(units, steps, symmetric, start, **first) > 1e-3
        assert wrong(units, steps, symmetric, start, **second) < 1e-12
    assert wrong(3, 4, False, 0.5, **second) > 1e-3
    return {"residual": mended}


def q_bptt_bytes() -> dict[str, float]:
    """The size of the states that the library's forward pass keeps, scaled up."""
    net = bptt.initialise(np.random.default_rng(0), feature=1, hidden=10, vocab=2)
    trace = bptt.forward(net, np.zeros((2, 5, 1)), np.zeros((2, 5), int))
    number = trace.states.size / (2 * 5 * 10)
    return {"whole": number * 32 * 500 * 1000 * 4 / 1e6, "chunk": number * 32 * 50 * 1000 * 4 / 1e6}


def q_bptt_kept_share() -> dict[str, float]:
    """Contributions of a long run, one by one."""
    w, rest, parts = 0.9, 1 / (1 - 0.9), []
    for lag in range(2000):
        parts.append(w**lag * rest)
    full, sums = sum(parts), np.cumsum(parts)
    assert math.isclose(full, 1 / (1 - w) ** 2)
    return {"share": float(sums[9] / full), "k": int(np.argmax(sums / full >= 0.95)) + 1}


def q_bptt_price_of_chance() -> dict[str, float]:
    """Both outcomes with their probabilities."""
    outcomes = ((0.25, 4.0), (0.75, 0.0))
    mean = sum(p * value for p, value in outcomes)
    variance = sum(p * (value - mean) ** 2 for p, value in outcomes)
    assert mean == 1
    return {"variance": variance, "draws": variance / 0.1**2}


def q_grad_quiet_enough() -> dict[str, float]:
    """The limit by bisection on the norm of a real Jacobian."""
    turn = 1.2 * orthogonal(4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def factor(size: float, steps: int = 1) -> float:
        step = (1 - size**2) * turn.T
        return torch.linalg.matrix_norm(torch.linalg.matrix_power(step, steps), 2).item()

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if factor(middle) > 1 else (low, middle)
    return {"limit": low, "factor": factor(0.6, 20)}


def q_grad_clipped_two_ways() -> dict[str, float]:
    """The library's two ways of clipping."""
    raw = [torch.tensor([3.0, 4.0]), torch.tensor([12.0])]
    by_norm, norm = clip_by_norm(raw, 6.5)
    by_value = clip_by_value(raw, 3.0)
    assert norm.item() == 13
    return {
        "half_first": by_norm[0][0].item(),
        "half_third": by_norm[1][0].item(),
        "cosine": math.cos(math.radians(angle(raw, by_value))),
    }


def q_grad_sufficient() -> dict[str, float]:
    """The largest slope of the sigmoid on a fine grid."""
    at = torch.linspace(-5, 5, 10_001, dtype=torch.float64, requires_grad=True)
    torch.sigmoid(at).sum().backward()
    return {"sigmoid_slope": at.grad.max().item()}
