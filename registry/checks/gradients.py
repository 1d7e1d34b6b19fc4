"""Checks of the equations of chapter 3: gradients through time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from registry.checks.basics import gradient
from registry.checks.recurrence import clipped, normal
from registry.checks.sides import Sides, check
from softalign import bptt, gradient_flow

# --- backpropagation through time -----------------------------------------------------------------


def network(rng: Generator, batch: int = 2, steps: int = 5) -> tuple[bptt.Parameters, bptt.Trace]:
    """A recurrent network of the library, and a run of it over random symbols."""
    net = bptt.initialise(rng, 3, 4, 5, scale=1.2)
    labels = rng.integers(5, size=(batch, steps))
    state = rng.normal(size=(batch, 4))
    return net, bptt.forward(net, rng.normal(size=(batch, steps, 3)), labels, state)


def unrolled(net: bptt.Parameters, trace: bptt.Trace) -> tuple[dict, list, list, Tensor]:
    """The same run in torch: parameters, a list of states and of logits, the loss."""
    p = {name: torch.tensor(v, requires_grad=True) for name, v in net._asdict().items()}
    state = torch.tensor(trace.initial_state, requires_grad=True)
    states, logits, loss = [state], [], torch.zeros(()).double()
    for t in range(trace.states.shape[1]):
        read = torch.tensor(trace.inputs[:, t]) @ p["W_xh"] + p["b_h"]
        states.append((read + states[-1] @ p["W_hh"]).tanh())
        logits.append(states[-1] @ p["W_hy"] + p["b_y"])
        labels = torch.tensor(trace.labels[:, t])
        loss = loss + torch.nn.functional.cross_entropy(logits[-1], labels, reduction="sum")
    return p, states, logits, loss


@check("eq-bptt-copies")
def copies(rng: Generator) -> Iterator[Sides]:
    """The gradient of a shared weight is the sum over its copies."""
    x = torch.tensor(rng.normal(size=4))

    def loss(weights: Tensor) -> Tensor:
        h, total = torch.ones(()).double(), torch.zeros(()).double()
        for t in range(4):
            h = (x[t] + weights[t] * h).tanh()
            total = total + (h - 2) ** 2 / 2
        return total

    (each,) = gradient(loss, np.full(4, 0.7))
    (shared,) = gradient(lambda w: loss(w.repeat(4)), np.array([0.7]))
    yield Sides(shared[0], each.sum(), slip=each[-1])


def scalar_paths(rng: Generator, linear: bool = False) -> tuple[np.ndarray, ...]:
    """A network with one unit: shares ``[s, t]`` of use s in loss t, and four lists by step.

    The lists: losses by their own state, all losses by a state, immediate and total derivative of a
    state by the weight.
    """
    T, w = 6, 0.8
    x, goal = rng.normal(size=(2, T))
    h, slope = [0.5], []
    for t in range(T):
        h.append(x[t] + w * h[-1] if linear else np.tanh(x[t] + w * h[-1]))
        slope.append(1.0 if linear else 1 - h[-1] ** 2)
    own = np.array(h[1:]) - goal
    immediate = np.array(slope) * h[:-1]
    shares = np.zeros((T, T))
    for s in range(T):
        path = immediate[s]
        for t in range(s, T):
            shares[s, t] = own[t] * path
            path *= w * slope[t + 1] if t + 1 < T else 1
    total = shares.sum(axis=0) / own
    everything = shares.sum(axis=1) / immediate
    return shares, own, everything, immediate, total


@check("eq-bptt-once")
def once(rng: Generator) -> Iterator[Sides]:
    """Either factor may be the total one, but not both; and the library's gradient of W_hh."""
    shares, own, everything, immediate, total = scalar_paths(rng)
    both = everything @ total
    yield Sides(shares.sum(), everything @ immediate, slip=both)
    yield Sides(shares.sum(), own @ total, slip=both)
    net, trace = network(rng)
    p, states, _, loss = unrolled(net, trace)
    by_states = torch.autograd.grad(loss, states[1:], retain_graph=True)
    (by_weights,) = torch.autograd.grad(loss, p["W_hh"])
    pairs = zip(states[1:], by_states, range(5), strict=True)
    right = sum(
        trace.previous_states[:, t].T @ ((1 - h**2) * g).detach().numpy() for h, g, t in pairs
    )
    yield Sides(by_weights, right, slip=2 * right)
    yield Sides(bptt.backward(net, trace).W_hh, right, slip=2 * right)


@check("eq-bptt-double")
def double(rng: Generator) -> Iterator[Sides]:
    """Two total factors count a path of m steps m + 1 times."""
    shares, _, everything, _, total = scalar_paths(rng)
    by_lag = np.array([shares.diagonal(m).sum() for m in range(len(shares))])
    yield Sides(everything @ total, np.arange(1, 7) @ by_lag, slip=by_lag.sum())


@check("eq-bptt-state")
def state_gradients(rng: Generator) -> Iterator[Sides]:
    """Gradients of states and pre-activations, walked backwards, against autograd."""
    net, trace = network(rng)
    _, states, logits, loss = unrolled(net, trace)
    found = torch.autograd.grad(loss, [*states[1:], *logits])
    by_state, by_logits = np.array(found[:5]), np.array(found[5:])
    later = wrong_later = np.zeros((2, 4))
    ours, wrong = [], []
    for t in (4, 3, 2, 1, 0):
        slope = 1 - trace.states[:, t] ** 2
        ours.append(by_logits[t] @ net.W_hy.T + later)
        wrong.append(by_logits[t] @ net.W_hy.T + wrong_later)
        later, wrong_later = ours[-1] * slope @ net.W_hh.T, wrong[-1] @ net.W_hh.T
    yield Sides(by_state, ours[::-1], slip=wrong[::-1])
    yield Sides(bptt.backward(net, trace).initial_state, later, slip=wrong_later)


@check("eq-bptt-weights")
def weight_gradients(rng: Generator) -> Iterator[Sides]:
    """The three sums over the steps, against autograd and against the library."""
    net, trace = network(rng)
    p, states, logits, loss = unrolled(net, trace)
    names = ("W_hh", "W_xh", "W_hy")
    found = torch.autograd.grad(loss, [*states[1:], *logits, *(p[name] for name in names)])
    G_a = [g.numpy() * (1 - trace.states[:, t] ** 2) for t, g in enumerate(found[:5])]
    G_y, steps = [g.numpy() for g in found[5:10]], range(5)
    before, after = trace.previous_states, trace.states
    right = [
        sum(before[:, t].T @ G_a[t] for t in steps),
        sum(trace.inputs[:, t].T @ G_a[t] for t in steps),
        sum(after[:, t].T @ G_y[t] for t in steps),
    ]
    wrong = [
        sum(after[:, t].T @ G_a[t] for t in steps),
        trace.inputs[:, -1].T @ G_a[-1],
        sum(before[:, t].T @ G_y[t] for t in steps),
    ]
    library = bptt.backward(net, trace)
    for name, autograd, ours, slip in zip(names, found[10:], right, wrong, strict=True):
        yield Sides(autograd, ours, slip=slip)
        yield Sides(getattr(library, name), ours, slip=slip)


@check("eq-bptt-jacobian")
def step_jacobian(rng: Generator) -> Iterator[Sides]:
    """The library's Jacobian of one step, the formula, and autograd."""
    net, trace = network(rng, batch=1)
    h = trace.states[0, 2]
    right, wrong = np.diag(1 - h**2) @ net.W_hh.T, np.diag(1 - h**2) @ net.W_hh
    W, read = torch.tensor(net.W_hh), torch.tensor(trace.inputs[0, 2] @ net.W_xh + net.b_h)
    previous = torch.tensor(trace.states[0, 1])
    autograd = torch.autograd.functional.jacobian(lambda v: (read + v @ W).tanh(), previous)
    yield Sides(bptt.jacobian(net, h), right, slip=wrong)
    yield Sides(autograd, right, slip=wrong)


@check("eq-bptt-path")
def one_path(rng: Generator) -> Iterator[Sides]:
    """One loss by a state some steps before: the latest Jacobian stands next to the loss."""
    net, trace = network(rng, batch=1)
    from_loss = bptt.by_lag(net, trace)
    J = [bptt.jacobian(net, trace.states[0, t]) for t in range(5)]
    last = from_loss[0, 0, 4]
    right, wrong = last @ J[4] @ J[3] @ J[2], last @ J[2] @ J[3] @ J[4]
    _, states, logits, _ = unrolled(net, trace)
    labels = torch.tensor(trace.labels[:, 4])
    loss = torch.nn.functional.cross_entropy(logits[4], labels, reduction="sum")
    autograd = torch.autograd.grad(loss, states[2])[0][0]
    yield Sides(autograd, right, slip=wrong)
    yield Sides(from_loss[3, 0, 1], right, slip=wrong)


def coins(p: float, m: int) -> tuple[np.ndarray, np.ndarray]:
    """All patterns of m factors of random truncation, as products, and their probabilities."""
    patterns = np.array(list(product([0, 1], repeat=m)))
    return (patterns / p).prod(axis=1), np.where(patterns, p, 1 - p).prod(axis=1)


@check("eq-bptt-unbiased")
def unbiased(rng: Generator) -> Iterator[Sides]:
    """The mean of the product over all patterns of coins; the library's factors are these."""
    p, m = rng.uniform(0.3, 0.9), int(rng.integers(2, 7))
    factors, probs = coins(p, m)
    yield Sides(1.0, probs @ factors, slip=probs @ (factors > 0))  # cut, and not made up for
    yield Sides(np.unique(bptt.random_cuts(200, p, rng)[1:]), [0, 1 / p], slip=[0, 1])


@check("eq-bptt-variance")
def variance(rng: Generator) -> Iterator[Sides]:
    """The mean square of the product over all patterns of coins."""
    p, m = rng.uniform(0.3, 0.9), int(rng.integers(2, 7))
    factors, probs = coins(p, m)
    yield Sides(probs @ factors**2, p**-m, slip=p ** (-2 * m))


# --- vanishing, exploding -------------------------------------------------------------------------


@check("eq-grad-bound")
def product_bound(rng: Generator) -> Iterator[Sides]:
    """Norms of the library's products of Jacobians, under the library's bound and numpy's."""
    J = normal(rng, 3, 6, 4, 4)
    norms = torch.linalg.matrix_norm(gradient_flow.products(J), ord=2)[:, 1:]
    stretch = np.linalg.svd(J.numpy(), compute_uv=False)[..., 0][:, ::-1].cumprod(axis=1)
    radius = abs(np.linalg.eigvals(J.numpy())).max(axis=-1)[:, ::-1].cumprod(axis=1)
    size = norms.shape[1]
    yield Sides(norms, stretch[:, :size], slip=radius[:, :size], relation="<=")
    yield Sides(gradient_flow.bound(J)[:, 1:], stretch[:, :size], slip=radius[:, :size])


@check("eq-grad-between")
def between(rng: Generator) -> Iterator[Sides]:
    """A power of a matrix between two powers of numbers; in the end the radius decides."""
    J = normal(rng, 5, 5)
    radius, stretch = (
        float(gradient_flow.spectral_radius(J)),
        float(gradient_flow.singular_values(J)[0]),
    )
    J, stretch, radius = J / radius, stretch / radius, 1.0
    for m in (3, 10):
        norm = float(torch.linalg.matrix_norm(torch.linalg.matrix_power(J, m), ord=2))
        yield Sides(radius**m, norm, slip=0.99 * radius**m, relation="<=")
        yield Sides(norm, stretch**m, slip=0.99 * norm, relation="<=")
    far = float(torch.linalg.matrix_norm(torch.linalg.matrix_power(J, 3000), ord=2))
    yield Sides(far ** (1 / 3000), radius, slip=stretch, rtol=0.01)


@check("eq-grad-shear")
def shear(rng: Generator) -> Iterator[Sides]:
    """Powers of the shear that grows before it decays."""
    m = int(rng.integers(2, 30))
    left = np.linalg.matrix_power(np.array([[0.9, 5], [0, 0.9]]), m)
    right, wrong = ([[0.9**m, c], [0, 0.9**m]] for c in (5 * m * 0.9 ** (m - 1), 5 * m * 0.9**m))
    yield Sides(left, right, slip=wrong)


@check("eq-grad-clip")
def clipping_again(rng: Generator) -> Iterator[Sides]:
    """Clipping by norm multiplies by one number, by value it does not."""
    for parts, limit, length in clipped(rng):
        found, told = gradient_flow.clip_by_norm(parts, limit)
        ours = parts[1] * min(1, limit / length)
        wrong = gradient_flow.clip_by_value(parts, 0.2 * float(parts[1].abs().max()))[1]
        yield Sides(found[1], ours, slip=wrong, rtol=1e-5)
        yield Sides(told, length, slip=limit)
