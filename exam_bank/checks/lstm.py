"""Numbers of chapter 4: gates and variants."""

from __future__ import annotations

import math

import torch

from softalign.lstm import LSTMState, lstm_step


def constant_gates(forget: float, write: float, steps: int) -> float:
    """A cell of the library whose gates and candidate are constants, after some steps from 0."""

    def logit(p: float) -> float:
        return math.log(p / (1 - p))

    b = torch.tensor([logit(write), logit(forget), 40.0, 0.0], dtype=torch.float64)
    none = torch.zeros(1, 4, dtype=torch.float64)
    zero = torch.zeros(1, 1, dtype=torch.float64)
    state = LSTMState(hidden=zero, cell=zero)
    for _ in range(steps):
        state = lstm_step(zero, state, none, none, b)
    return state.cell.item()


def q_lstm_unrolled_sum() -> dict[str, float]:
    """The library's cell with constant gates."""
    return {"five": constant_gates(0.8, 0.2, 5), "limit": constant_gates(0.8, 0.2, 200)}


def q_lstm_two_biases() -> dict[str, float]:
    """Torch's gradient along ten cells."""

    def along(bias: float) -> float:
        start = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
        none = torch.zeros(1, 4, dtype=torch.float64)
        b = torch.tensor([0.0, bias, 0.0, 0.0], dtype=torch.float64)
        state = LSTMState(hidden=torch.zeros_like(start), cell=start)
        for _ in range(10):
            state = lstm_step(torch.zeros_like(start), state, none, none, b)
        state.cell.backward()
        return start.grad.item()

    return {"factor": along(2.0) / along(0.0)}


def q_lstm_second_path() -> dict[str, float]:
    """The formula of the answer beside torch, with the library's step."""
    cell = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    o_before = 0.6
    W_xh = torch.zeros(1, 4, dtype=torch.float64)
    W_hh = torch.tensor([[0.9, -1.3, 4.0, 0.5]], dtype=torch.float64)
    b = torch.tensor([0.2, 1.0, -0.4, 0.1], dtype=torch.float64)
    hidden = o_before * torch.tanh(cell)
    state = LSTMState(hidden=hidden, cell=cell)
    lstm_step(torch.zeros(1, 1, dtype=torch.float64), state, W_xh, W_hh, b).cell.backward()
    w_i, w_f, w_c, _ = W_hh[0].tolist()
    a_i, a_f, a_c, _ = (hidden.item() * W_hh[0] + b).tolist()
    i, f, g = 1 / (1 + math.exp(-a_i)), 1 / (1 + math.exp(-a_f)), math.tanh(a_c)
    old = cell.item()
    read = old * w_f * f * (1 - f) + g * w_i * i * (1 - i) + i * w_c * (1 - g**2)
    derived = f + read * o_before * (1 - math.tanh(old) ** 2)
    return {"residual": abs(derived - cell.grad.item())}


def q_var_where_it_resets() -> dict[str, float]:
    """Both orders."""
    r, h = torch.tensor([1.0, 0.0]), torch.ones(2)
    W = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    before, after = ((r * h) @ W).tolist(), (r * (h @ W)).tolist()
    return {
        "before_first": before[0],
        "before_second": before[1],
        "after_first": after[0],
        "after_second": after[1],
    }


def q_var_sum_of_paths() -> dict[str, float]:
    """Torch's gradient through ten residual layers; the paths counted one by one."""
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    out = x
    for _ in range(10):
        out = out + 0.1 * out
    out.backward()
    paths = [[(number >> layer) & 1 for layer in range(10)] for number in range(2**10)]
    sizes = [(sum(path), 0.1 ** sum(path)) for path in paths]
    short = sum(size for layers, size in sizes if layers <= 1)
    return {"with": x.grad.item(), "share": short / sum(size for _, size in sizes)}
