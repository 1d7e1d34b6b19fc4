"""Checks of the equations of chapter 7: self-attention, positions, heads, costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator
from torch.utils.flop_counter import FlopCounterMode

from registry.checks.recurrence import normal
from registry.checks.sides import Sides, check
from softalign import attention, masking, positions, rnn, text, transformer


def products(function, *given: torch.Tensor) -> int:
    """Multiplications that a computation makes, counted by torch."""
    with FlopCounterMode(display=False) as counter:
        function(*given)
    return counter.get_total_flops() // 2  # it counts the additions, too


def sizes(rng: Generator) -> tuple[int, int]:
    """A number of words and a width that four heads divide."""
    return int(rng.integers(3, 30)), 4 * int(rng.integers(2, 9))


@check("eq-sa-shuffle")
def shuffled(rng: Generator) -> Iterator[Sides]:
    """Shuffled words give shuffled outputs, computed with the library's attention."""
    X, W_q, W_k, W_v = (normal(rng, *s) for s in [(6, 4), (4, 4), (4, 4), (4, 3)])
    order = np.roll(rng.permutation(6), 1)
    order = order if (order != np.arange(6)).any() else order[::-1].copy()

    def outputs(X: torch.Tensor) -> torch.Tensor:
        return attention.attend(attention.scaled_dot_scores(X @ W_q, X @ W_k), X @ W_v)[0]

    yield Sides(outputs(X[order]), outputs(X)[order], slip=outputs(X))


@check("eq-sa-cost")
def layer_costs(rng: Generator) -> Iterator[Sides]:
    """Multiplications of one layer of each kind, counted while it runs."""
    (S, d), k = sizes(rng), 3
    X = torch.randn(1, S, d)
    attend = transformer.MultiHeadAttention(d, 1)
    yield Sides(
        products(lambda: attend(X, weights=True)), 4 * S * d**2 + 2 * S**2 * d, slip=4 * S * d**2
    )
    layer = rnn.RNN(d, d)
    yield Sides(products(lambda: layer(X)), 2 * S * d**2, slip=S * d**2)
    convolution = torch.nn.Conv1d(d, d, k, padding="same")
    found = products(lambda: convolution(X.transpose(1, 2)))
    yield Sides(found, k * S * d**2, slip=S * d**2)


@check("eq-sa-two")
def two_steps(rng: Generator) -> Iterator[Sides]:
    """Two steps of a linear recurrence are one step of the same kind."""
    c, f, b = rng.normal(size=4), rng.random((2, 4)), rng.normal(size=(2, 4))
    left = f[1] * (f[0] * c + b[0]) + b[1]
    kept = f[1] * f[0] * c
    yield Sides(left, kept + (f[1] * b[0] + b[1]), slip=kept + (f[0] * b[0] + b[1]))


@check("eq-pos-rotation")
def rotation(rng: Generator) -> Iterator[Sides]:
    """The library's matrix carries the library's positions on; and the sums of angles."""
    t, offset = int(rng.integers(0, 500)), int(rng.integers(1, 60))
    here, there = positions.sinusoidal(torch.tensor([t, t + offset]), 16).double()
    R = positions.offset_rotation(offset, 16).double()
    yield Sides(there, here @ R, slip=here @ R.T, rtol=0, atol=1e-5)
    a, b = rng.uniform(0.2, 1.2, 2)
    turn = np.array([[np.cos(b), -np.sin(b)], [np.sin(b), np.cos(b)]])
    pair = np.array([np.sin(a), np.cos(a)])
    yield Sides([np.sin(a + b), np.cos(a + b)], pair @ turn, slip=turn @ pair)


@check("eq-pos-product")
def position_product(rng: Generator) -> Iterator[Sides]:
    """The product of two of the library's positions depends on the offset only."""
    offset = int(rng.integers(1, 40))
    P = positions.sinusoidal(torch.arange(200), 16).double()
    rates = 10_000.0 ** (-np.arange(0, 16, 2) / 16)
    found = (P @ P.T).diagonal(offset)
    right, wrong = np.cos(offset * rates).sum(), np.sin(offset * rates).sum()
    yield Sides(found, right, slip=wrong, rtol=0, atol=1e-4)


@check("eq-pos-four")
def four_terms(rng: Generator) -> Iterator[Sides]:
    """A score of sums, multiplied out."""
    x, y, p, q, W = (normal(rng, *s) for s in [(1, 6), (1, 6), (1, 6), (1, 6), (6, 6)])
    two = x @ W @ y.T + p @ W @ q.T
    yield Sides((x + p) @ W @ (y + q).T, two + x @ W @ q.T + p @ W @ y.T, slip=two)


@check("eq-pos-rotary")
def rotary(rng: Generator) -> Iterator[Sides]:
    """The score of the library's rotated query and key, by the offset only."""
    q, k = normal(rng, 1, 8), normal(rng, 1, 8)
    t, s = (int(n) for n in rng.choice(50, 2, replace=False))
    turned = [positions.rotate(v, torch.tensor([at])) for v, at in ((q, t), (k, s))]
    ahead, back = (positions.offset_rotation(o, 8).double() for o in (s - t, t - s))
    yield Sides(turned[0] @ turned[1].T, q @ ahead @ k.T, slip=q @ back @ k.T, rtol=1e-6)


@check("eq-mh-sum")
def sum_over_heads(rng: Generator) -> Iterator[Sides]:
    """The library's output with several heads is a sum with a band of the matrix for each."""
    layer = transformer.MultiHeadAttention(8, 2).double()
    for parameter in layer.parameters():
        parameter.data = normal(rng, *parameter.shape)
    X = normal(rng, 1, 5, 8)
    Q, K, V = (
        (X[0] @ W + b)
        for W, b in zip(layer.W_qkv.split(8, dim=1), layer.b_qkv.split(8), strict=True)
    )
    heads = [
        attention.attend(attention.scaled_dot_scores(Q[:, s], K[:, s]), V[:, s])[0]
        for s in (slice(0, 4), slice(4, 8))
    ]
    bands = layer.W_o.split(4)
    right, wrong = (
        heads[0] @ bands[a] + heads[1] @ bands[b] + layer.b_o for a, b in ((0, 1), (1, 0))
    )
    yield Sides(layer(X).outputs[0], right, slip=wrong)


@check("eq-mh-cost")
def heads_cost(rng: Generator) -> Iterator[Sides]:
    """Multiplications of the library's layer with one, two and four heads, counted."""
    T, d = sizes(rng)
    X, right = torch.randn(1, T, d), 4 * T * d**2 + 2 * T**2 * d
    for n in (1, 2, 4):
        layer = transformer.MultiHeadAttention(d, n)
        found = products(lambda layer=layer: layer(X, weights=True))
        yield Sides(found, right, slip=4 * T * d**2 + 2 * T**2 * d * (n + 1))


@check("eq-tf-parameters")
def parameters(rng: Generator) -> Iterator[Sides]:
    """The parameters of the library's Transformer, counted."""
    sides = [[[f"w{n}" for n in range(rng.integers(3, 9))]] for _ in range(2)]
    source, target = (text.Vocabulary.from_training(side) for side in sides)
    d, d_ff, layers = 4 * int(rng.integers(1, 4)), int(rng.integers(3, 20)), int(rng.integers(1, 4))
    plan = {"d_model": d, "n_heads": 2, "d_ff": d_ff, "n_layers": layers}
    model = transformer.Transformer(source, target, **plan)
    left = sum(p.numel() for p in model.parameters())
    inside = layers * (3 * (4 * d**2 + 4 * d) + 2 * (2 * d * d_ff + d_ff + d) + 5 * 2 * d)
    outside = (len(source) + len(target)) * d + len(target)
    yield Sides(left, inside + outside + 4 * d, slip=inside + outside)


@check("eq-tf-warm-up")
def warm_up(rng: Generator) -> Iterator[Sides]:
    """The learning rate of the paper has its peak at the end of the warm-up."""
    d, w, s = int(rng.integers(8, 600)), int(rng.integers(5, 400)), np.arange(1, 2000)
    rates = d**-0.5 * np.minimum(s**-0.5, s * w**-1.5)
    yield Sides(rates.max(), (d * w) ** -0.5, slip=w**-0.5)
    yield Sides(s[rates.argmax()], w, slip=w + 1)


@check("eq-abl-count")
def again_and_again(rng: Generator) -> Iterator[Sides]:
    """Multiplications of a decoder that reads all again, and of one that keeps keys and values."""
    T, d = int(rng.integers(2, 40)), int(rng.integers(2, 90))
    steps = range(1, T + 1)
    again, kept = (
        sum(3 * t * d**2 + 2 * t**2 * d for t in steps),
        sum(3 * d**2 + 2 * t * d for t in steps),
    )
    right = T * (T + 1) / 2 * (3 * d**2 + 2 * (2 * T + 1) / 3 * d)
    yield Sides(again, right, slip=T**2 / 2 * (3 * d**2 + 4 * T / 3 * d))
    yield Sides(kept, T * (3 * d**2 + (T + 1) * d), slip=T * (3 * d**2 + T * d))


@check("eq-abl-smoothing")
def smoothing(rng: Generator) -> Iterator[Sides]:
    """The lowest smoothed loss, found by descent, and the perplexity that it leaves."""
    size, epsilon = int(rng.integers(5, 40)), float(rng.uniform(0.05, 0.3))
    logits, right = normal(rng, 1, size).requires_grad_(), torch.tensor([int(rng.integers(size))])
    optimiser = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")
    optimiser.param_groups[0].update(tolerance_grad=1e-12, tolerance_change=1e-16)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(logits, right, label_smoothing=epsilon)
        value.backward()
        return value

    optimiser.step(loss)
    best = logits.detach().softmax(-1)[0, right]
    floor = 1 / (1 - epsilon + epsilon / size)
    yield Sides(1 / best, floor, slip=1 / (1 - epsilon), rtol=1e-4)


@check("eq-sb-excess")
def excess(rng: Generator) -> Iterator[Sides]:
    """What a linear forecast pays for its weights, averaged over 400 fits."""
    k, n = int(rng.integers(3, 8)), 150
    X, noise = rng.normal(size=(400, n, k)), rng.normal(size=(400, n, 1))
    error = np.linalg.solve(X.transpose(0, 2, 1) @ X, X.transpose(0, 2, 1) @ noise)[..., 0]
    new = rng.normal(size=(400, 200, k))
    paid = (np.einsum("fnk,fk->fn", new, error) ** 2).mean()
    yield Sides(paid, k / n, slip=1 / n, rtol=0.25)


@check("eq-sb-linear")
def linear_attention(rng: Generator) -> Iterator[Sides]:
    """The library's attention with products for weights is a recurrence, in two sums."""
    Q, K, V = normal(rng, 7, 4).abs() + 0.1, normal(rng, 7, 4).abs() + 0.1, normal(rng, 7, 3)
    at_once, _ = attention.attend((Q @ K.T).log(), V, masking.causal_mask(7))
    M, n, steps, bare = torch.zeros(4, 3).double(), torch.zeros(4).double(), [], []
    for q, k, v in zip(Q, K, V, strict=True):
        M, n = M + torch.outer(k, v), n + k
        steps.append(q @ M / (q @ n))
        bare.append(q @ M)
    yield Sides(at_once, torch.stack(steps), slip=torch.stack(bare))
