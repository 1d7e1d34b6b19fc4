"""Checks of the equations of chapters 2 and 4: sequences, recurrent networks and their gates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from registry.checks.basics import gradient, softmax
from registry.checks.sides import Sides, check
from softalign import gradient_flow, gru, lstm, recurrent_lm, rnn
from softalign.training import seeded


def normal(rng: Generator, *shape: int) -> Tensor:
    """Normally distributed numbers in float64."""
    return torch.tensor(rng.normal(size=shape))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


# --- sequences and recurrent networks -------------------------------------------------------------


@check("eq-seq-lookup")
def lookup(rng: Generator) -> Iterator[Sides]:
    """A one-hot row times the table is a row of the table; torch's embedding is the same."""
    table, k = rng.normal(size=(6, 3)), int(rng.integers(1, 6))
    summed = sum((row == k) * table[row] for row in range(6))
    found = torch.nn.functional.embedding(torch.tensor(k), torch.tensor(table))
    yield Sides(summed, table[k], slip=table[k - 1])  # counted from 1
    yield Sides(found, np.eye(6)[k] @ table, slip=np.eye(6)[k - 1] @ table)


@check("eq-seq-scatter")
def scatter(rng: Generator) -> Iterator[Sides]:
    """The gradient of the table collects from all steps at which a word stood."""
    ids, G = np.array([0, 3, 1, 0, 3, 3]), rng.normal(size=(6, 2))
    embedding = torch.nn.functional.embedding
    (left,) = gradient(
        lambda E: (embedding(torch.tensor(ids), E) * torch.tensor(G)).sum(), rng.normal(size=(5, 2))
    )
    last = np.zeros((5, 2))
    last[ids] = G  # assigns, where it should add
    yield Sides(left, np.eye(5)[ids].T @ G, slip=last)


@check("eq-rnn-concat")
def concatenation(rng: Generator) -> Iterator[Sides]:
    """Joined vectors times stacked matrices, against the library's step without its tanh."""
    x, h, W_x, W_h = (normal(rng, *s) for s in [(2, 3), (2, 3), (3, 3), (3, 3)])
    joined = torch.cat([x, h], dim=1) @ torch.cat([W_x, W_h])
    step = rnn.rnn_step(x, h, W_x, W_h, torch.zeros(3).double(), lambda a: a)
    yield Sides(joined, step, slip=x @ W_h + h @ W_x)


@check("eq-rnn-adam")
def adam(rng: Generator) -> Iterator[Sides]:
    """The first step of torch's Adam has the length of the learning rate, whatever the gradient."""
    g = rng.choice([-1, 1], 5) * 10.0 ** rng.uniform(-2, 3, 5)
    weights = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.1)
    (weights * torch.tensor(g)).sum().backward()
    optimiser.step()
    yield Sides(weights, -0.1 * g / abs(g), slip=-0.1 * g, rtol=1e-5)


def clipped(rng: Generator) -> Iterator[tuple[list[Tensor], float, float]]:
    """A gradient of two tensors that is longer than the limit, and one that is shorter."""
    parts = [normal(rng, 3, 2), normal(rng, 4)]
    length = float(torch.cat([p.flatten() for p in parts]).norm())
    yield parts, 0.4 * length, length
    yield parts, 1.6 * length, length


@check("eq-rnn-clip")
def clipping(rng: Generator) -> Iterator[Sides]:
    """The library's clipping by norm: the factor, and the length of what comes out."""
    for parts, limit, length in clipped(rng):
        (first, rest), _ = gradient_flow.clip_by_norm(parts, limit)
        ours = [p * min(1, limit / length) for p in parts]
        always = parts[0] * (limit / length)
        wrong = always if limit > length else parts[0].clamp(-limit / 9, limit / 9)
        yield Sides(first, ours[0], slip=wrong, rtol=1e-5)
        norm = torch.cat([first.flatten(), rest.flatten()]).norm()
        yield Sides(norm, min(length, limit), slip=max(length, limit), rtol=1e-5)


@check("eq-rnn-honest")
def honest(rng: Generator) -> Iterator[Sides]:
    """Over all characters at a place, the library's model gives probabilities that sum to 1."""
    with seeded(int(rng.integers(1000))):
        model = recurrent_lm.RecurrentLM(9, rnn.RNN(4, 6)).double()
    for parameter in model.parameters():
        parameter.data = normal(rng, *parameter.shape)
    ids = torch.tensor(rng.integers(9, size=7)).repeat(9, 1)
    place = int(rng.integers(1, 6))
    ids[:, place] = torch.arange(9)
    probs = model(ids)[0].softmax(dim=-1)
    before, after = (probs[torch.arange(9), at, torch.arange(9)] for at in (place - 1, place))
    yield Sides(1.0, before.sum(), slip=after.sum())  # after: it has read its label


@check("eq-rnn-temperature")
def temperature(rng: Generator) -> Iterator[Sides]:
    """The softmax of logits over a temperature, and powers of the probabilities."""
    z, tau = rng.normal(size=6), rng.uniform(0.3, 0.8)
    p = softmax(z)
    powers, wrong = p ** (1 / tau), p**tau
    yield Sides(softmax(z / tau), powers / powers.sum(), slip=wrong / wrong.sum())


# --- LSTM, GRU and what stands around -------------------------------------------------------------


@check("eq-lstm-cell")
def lstm_cell(rng: Generator) -> Iterator[Sides]:
    """The library's LSTM step against its two lines, the gates computed by numpy."""
    x, h, c = (normal(rng, 3, n) for n in (2, 4, 4))
    W_x, W_h, b = normal(rng, 2, 16), normal(rng, 4, 16), normal(rng, 16)
    new = lstm.lstm_step(x, lstm.LSTMState(h, c), W_x, W_h, b)
    i, f, g, o = np.split((x @ W_x + h @ W_h + b).numpy(), 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    cell = f * c.numpy() + i * g
    yield Sides(new.cell, cell, slip=(1 - f) * c.numpy() + i * g)  # f read as "how much to forget"
    yield Sides(new.hidden, o * np.tanh(cell), slip=o * cell)


@check("eq-lstm-path")
def cell_path(rng: Generator) -> Iterator[Sides]:
    """Along the cell alone the gradient is the product of the forget gates."""
    joined = normal(rng, 6, 1, 16)  # pre-activations, held fixed
    cell = first = torch.zeros(1, 4).double().requires_grad_()
    kept = written = torch.ones(1, 4).double()
    for row in joined:
        gates = lstm.lstm_gates(row, cell)
        cell, kept, written = gates.cell, kept * gates.forget, written * gates.input
    (left,) = torch.autograd.grad(cell.sum(), first)
    yield Sides(left, kept, slip=written)
    yield Sides(left, (sigmoid(joined[:, :, 4:8].numpy())).prod(axis=0), slip=written)


@check("eq-lstm-explode")
def exploding_lstm(rng: Generator) -> Iterator[Sides]:
    """One unit with half-open gates: a step of the library at the cell 0, by its slope."""
    w = float(rng.uniform(1, 9))
    W_h = torch.tensor([[0.0, 0.0, w, 0.0]], dtype=torch.float64)
    c = torch.zeros(1, 1).double().requires_grad_()
    nothing = torch.zeros(1, 1).double(), torch.zeros(1, 4).double(), torch.zeros(4).double()
    x, W_x, b = nothing
    state = lstm.LSTMState(torch.sigmoid(x) * c.tanh(), c)
    new = lstm.lstm_step(x, state, W_x, W_h, b).cell
    (slope,) = torch.autograd.grad(new.sum(), c)
    yield Sides(slope, [[0.5 + w / 4]], slip=[[0.5]])


@check("eq-var-gru")
def gru_cell(rng: Generator) -> Iterator[Sides]:
    """The library's GRU step against its last line, the gates computed by numpy."""
    read, h, W_h, b = (normal(rng, *s) for s in [(2, 12), (2, 4), (4, 12), (12,)])
    r, u, g = np.split(read.numpy(), 3, axis=1)
    r_h, u_h, g_h = np.split((h @ W_h + b).numpy(), 3, axis=1)
    u, candidate = sigmoid(u + u_h), np.tanh(g + sigmoid(r + r_h) * g_h)
    left, h = gru.gru_step(read, h, W_h, b), h.numpy()
    yield Sides(left, u * h + (1 - u) * candidate, slip=(1 - u) * h + u * candidate)


@check("eq-var-carry")
def carry(rng: Generator) -> Iterator[Sides]:
    """The library's walk over padded sequences: a padded step leaves the state alone."""
    inputs = normal(rng, 3, 6, 4)
    real = torch.tensor([[t < n for t in range(6)] for n in (6, 4, 1)])

    def step(x: Tensor, h: Tensor) -> Tensor:
        return (x + h / 2).tanh()

    def by_hand(mask: Tensor) -> Tensor:
        h, states = torch.zeros(3, 4).double(), []
        for t in range(6):
            h = torch.where(mask[:, t, None], step(inputs[:, t], h), h)
            states.append(h)
        return torch.stack(states, dim=1)

    ours, wrong = by_hand(real), by_hand(torch.ones_like(real))
    _, last = rnn.scan(step, inputs, torch.zeros(3, 4).double(), real)
    yield Sides(last, ours[:, -1], slip=wrong[:, -1])


@check("eq-var-norm")
def layer_norm(rng: Generator) -> Iterator[Sides]:
    """Layer normalisation of torch, which the library uses, against the formula."""
    x, gain, bias = normal(rng, 3, 5) * 4 + 2, normal(rng, 5), normal(rng, 5)
    left = torch.nn.functional.layer_norm(x, (5,), gain, bias)
    right, wrong = (
        gain
        * (x - x.mean(-1, keepdim=True))
        / (x.var(-1, keepdim=True, correction=c) + 1e-5).sqrt()
        + bias
        for c in (0, 1)
    )
    yield Sides(left, right, slip=wrong)
