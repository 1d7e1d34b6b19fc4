"""Checks of the equations of chapter 6: averages, scores, lookups."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator

from registry.checks.alignment import drawn_aligner
from registry.checks.basics import softmax
from registry.checks.recurrence import normal
from registry.checks.sides import Sides, check
from softalign import attention, pooling


@check("eq-pool-average")
def average(rng: Generator) -> Iterator[Sides]:
    """A constant score gives everybody the same weight."""
    n, c = int(rng.integers(3, 9)), float(rng.normal())
    scores, values = torch.full((2, n), c, dtype=torch.float64), normal(rng, n, 3)
    context, weights = attention.attend(scores, values)
    yield Sides(weights, np.full((2, n), 1 / n), slip=np.full((2, n), math.exp(c) / n))
    mean = values.mean(dim=0, keepdim=True).expand(2, 3)
    yield Sides(context, mean, slip=n * mean)


@check("eq-pool-softmax")
def kernels(rng: Generator) -> Iterator[Sides]:
    """Kernels over their sum: the library's pooling, and a softmax of the library's logarithms."""
    formulas = {
        "gaussian": lambda u: np.exp(-(u**2) / 2),
        "boxcar": lambda u: 1.0 * (u <= 1),
        "triangular": lambda u: np.maximum(1 - u, 0),
        "epanechnikov": lambda u: np.maximum(1 - u**2, 0),
    }
    keys, values = torch.tensor(rng.uniform(-1.5, 1.5, 8)), normal(rng, 8)
    keys[:3], query = torch.tensor([0.1, 0.6, 1.4]), torch.zeros(1, dtype=torch.float64)
    for name, formula in formulas.items():
        K = formula(abs(keys.numpy()))
        left = softmax(pooling.log_kernel(keys.abs(), name).numpy())
        yield Sides(left, K / K.sum(), slip=softmax(K))
        weights = pooling.nadaraya_watson(query, keys, values, kernel=name)[1][0]
        yield Sides(weights, K / K.sum(), slip=softmax(K))


@check("eq-pool-gauss")
def gaussian(rng: Generator) -> Iterator[Sides]:
    """Weights of the library's pooling with a bandwidth, as a softmax of squared distances."""
    keys, values, queries = normal(rng, 8), normal(rng, 8), normal(rng, 3)
    width = float(rng.uniform(0.3, 0.8))
    weights = pooling.nadaraya_watson(queries, keys, values, bandwidth=width)[1]
    squares = ((queries[:, None] - keys) ** 2).numpy()
    right, wrong = softmax(-squares / (2 * width**2)), softmax(-squares / (2 * width))
    yield Sides(weights, right, slip=wrong)


@check("eq-pool-ibm")
def lookup_of_words(rng: Generator) -> Iterator[Sides]:
    """The library's Model 1: a posterior that is a softmax of logarithms."""
    model, theta, source, target = drawn_aligner(rng)
    found = model.posterior(source, target)
    yield Sides(found, theta / theta.sum(axis=1, keepdims=True), slip=theta)
    yield Sides(found, softmax(np.log(theta)), slip=softmax(theta))


@check("eq-pool-loo")
def leave_one_out(rng: Generator) -> Iterator[Sides]:
    """The error of a point that was left out, from the one with it and its own weight."""
    x, y = normal(rng, 9), normal(rng, 9)
    with_it, weights = pooling.nadaraya_watson(x, x, y, bandwidth=0.5)
    without, _ = pooling.nadaraya_watson(x, x, y, bandwidth=0.5, leave_one_out=True)
    yield Sides(y - without, (y - with_it) / (1 - weights.diagonal()), slip=y - with_it)


@check("eq-sco-gradient")
def score_gradient(rng: Generator) -> Iterator[Sides]:
    """The context by a score: the weight, times how far the value is from the context."""
    scores, values = normal(rng, 1, 5), normal(rng, 5, 3)
    context, weights = attention.attend(scores, values)
    left = torch.autograd.functional.jacobian(lambda e: attention.attend(e, values)[0][0], scores)[
        :, 0
    ].T
    alpha = weights[0, :, None]
    yield Sides(left, alpha * (values - context), slip=alpha * values)


@check("eq-sco-variance")
def score_variance(rng: Generator) -> Iterator[Sides]:
    """Variances of the library's products, drawn 20,000 times."""
    d = int(rng.integers(9, 60))
    q, k = normal(rng, 20_000, 1, d), normal(rng, 20_000, 1, d)
    plain, scaled = attention.dot_scores(q, k).var(), attention.scaled_dot_scores(q, k).var()
    yield Sides(plain, d, slip=math.sqrt(d), rtol=0.1)
    yield Sides(scaled, 1.0, slip=math.sqrt(d), rtol=0.1)


@check("eq-sco-odd")
def odd_score(rng: Generator) -> Iterator[Sides]:
    """The library's additive score changes its sign with query and key."""
    q, k, W_q, W_k, w = (normal(rng, *s) for s in [(2, 3), (4, 5), (3, 6), (5, 6), (6,)])
    there = attention.additive_scores(q, k, W_q, W_k, w)
    yield Sides(attention.additive_scores(-q, -k, W_q, W_k, w), -there, slip=there)
    by_hand = ((q @ W_q)[:, None] + k @ W_k).tanh() @ w
    yield Sides(there, by_hand, slip=-by_hand)


@check("eq-sco-twice")
def softmax_twice(rng: Generator) -> Iterator[Sides]:
    """Weights of scores between 0 and 1: their ratios, and the most that a ratio can be."""
    e = np.concatenate([[0.0, 1.0], rng.random(4)])
    alpha = softmax(e)
    ratios = alpha[:, None] / alpha
    yield Sides(ratios, np.exp(e[:, None] - e), slip=np.exp(e[:, None] + e))
    yield Sides(ratios, math.e, slip=1 + ratios.max() / 3, relation="<=")
