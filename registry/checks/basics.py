"""Checks of the equations of the introduction and of the prerequisites."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator

from registry.checks.sides import Sides, check
from softalign import masking


def softmax(scores: np.ndarray) -> np.ndarray:
    """The library's softmax over the last axis, nothing hidden, as an array."""
    return masking.masked_softmax(torch.tensor(scores)).numpy()


def distribution(rng: Generator, *shape: int) -> np.ndarray:
    """Random probabilities that sum to 1 over the last axis, none of them tiny."""
    weights = rng.random(shape) + 0.05
    return weights / weights.sum(axis=-1, keepdims=True)


def gradient(function, *at: np.ndarray) -> list[np.ndarray]:
    """Derivatives of a number by each argument, computed by torch."""
    given = [torch.tensor(array, requires_grad=True) for array in at]
    return [found.numpy() for found in torch.autograd.grad(function(*given), given)]


@check("eq-intro-posterior")
def intro_posterior(rng: Generator) -> Iterator[Sides]:
    """The posterior of a link is a softmax of the logarithms of the table."""
    theta = rng.random((4, 6)) + 0.01  # a row for each target word
    right = theta / theta.sum(axis=1, keepdims=True)
    yield Sides(right, softmax(np.log(theta)), slip=softmax(theta))


@check("eq-pre-chain-probability")
def chain_probability(rng: Generator) -> Iterator[Sides]:
    """A joint distribution of three words as a product of conditional ones."""
    joint = distribution(rng, 24).reshape(3, 4, 2)
    pair, first = joint.sum(axis=2), joint.sum(axis=(1, 2))
    product = first[:, None, None] * (pair / first[:, None])[..., None] * (joint / pair[..., None])
    apart = np.einsum("i,j,k->ijk", first, pair.sum(axis=0), joint.sum(axis=(0, 1)))
    yield Sides(joint, product, slip=apart)


@check("eq-pre-bayes")
def bayes(rng: Generator) -> Iterator[Sides]:
    """Bayes' rule against the joint distribution, and the evidence as a sum."""
    joint = distribution(rng, 12).reshape(4, 3)  # y, x
    prior, evidence = joint.sum(axis=1, keepdims=True), joint.sum(axis=0)
    likelihood = joint / prior
    yield Sides(joint / evidence, likelihood * prior / evidence, slip=likelihood / evidence)
    yield Sides(evidence, (likelihood * prior).sum(axis=0), slip=likelihood.mean(axis=0))


@check("eq-pre-kl")
def divergence(rng: Generator) -> Iterator[Sides]:
    """Cross-entropy less entropy is the divergence, and it is not negative."""
    p, q = distribution(rng, 2, 5)
    difference = -(p * np.log(q)).sum() + (p * np.log(p)).sum()
    kl, turned = (p * np.log(p / q)).sum(), (q * np.log(p / q)).sum()
    yield Sides(difference, kl, slip=turned)
    yield Sides(0.0, kl, slip=turned, relation="<=")


@check("eq-pre-chain")
def chain_rule(rng: Generator) -> Iterator[Sides]:
    """The gradient of a small network as a product of Jacobians, against autograd."""
    x, W_1, W_2 = rng.normal(size=2), rng.normal(size=(2, 2)), rng.normal(size=(2, 1))
    (left,) = gradient(lambda v: ((v @ torch.tensor(W_1)).tanh() @ torch.tensor(W_2)) ** 2 / 2, x)
    h = np.tanh(x @ W_1)
    z, J_h, J_a = h @ W_2, np.diag(1 - h**2), W_1.T
    yield Sides(left, z @ W_2.T @ J_h @ J_a, slip=z @ W_2.T @ J_a @ J_h)


@check("eq-pre-layer")
def linear_layer(rng: Generator) -> Iterator[Sides]:
    """The three gradients of a linear layer, against autograd."""
    X, W, b, G = (rng.normal(size=s) for s in [(4, 3), (3, 3), (3,), (4, 3)])
    by_W, by_X, by_b = gradient(lambda W, X, b: (torch.tensor(G) * (X @ W + b)).sum(), W, X, b)
    yield Sides(by_W, X.T @ G, slip=X.T @ G / len(X))
    yield Sides(by_X, G @ W.T, slip=G @ W)
    yield Sides(by_b, G.sum(axis=0), slip=G.mean(axis=0))


@check("eq-pre-shift")
def shift(rng: Generator) -> Iterator[Sides]:
    """The softmax does not see a number that is added to all logits."""
    z, c = rng.normal(size=6), rng.uniform(2, 900)
    yield Sides(softmax(z + c), np.exp(z) / np.exp(z).sum(), slip=softmax(c * z))


@check("eq-pre-posterior")
def posterior(rng: Generator) -> Iterator[Sides]:
    """A posterior, counted from the joint distribution, is a softmax of two logarithms."""
    joint = distribution(rng, 12).reshape(3, 4)  # x, y
    prior = joint.sum(axis=0)
    log_likelihood = np.log(joint / prior)
    left = joint / joint.sum(axis=1, keepdims=True)
    yield Sides(left, softmax(log_likelihood + np.log(prior)), slip=softmax(log_likelihood))


@check("eq-pre-gradient")
def cross_entropy_gradient(rng: Generator) -> Iterator[Sides]:
    """Softmax and cross-entropy together: the gradient is p - y."""
    z, right = rng.normal(size=7), int(rng.integers(7))
    loss = torch.nn.functional.cross_entropy
    (left,) = gradient(lambda v: loss(v, torch.tensor(right)), z)
    p, y = softmax(z), np.eye(7)[right]
    yield Sides(left, p - y, slip=y - p)
