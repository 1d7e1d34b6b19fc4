"""Checks of the equations on the noisy channel and on word alignment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from numpy.random import Generator

from registry.checks.basics import distribution, softmax
from registry.checks.sides import Sides, check
from softalign import hmm, ibm


def aligner(rng: Generator, source: list[str], target: list[str]) -> ibm.IBM1:
    """Model 1 with a random table over the words of one pair."""
    bitext = ibm.index([(source, target)])
    rows = {x: {y: rng.random() + 0.05 for y in target} for x in (None, *source)}
    return ibm.IBM1(ibm.from_rows(bitext, rows))


def by_alignments(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All alignments of a table (target, source and NULL), and the probability of each."""
    T, places = theta.shape
    ways = np.array(list(product(range(places), repeat=T)))
    return ways, theta[np.arange(T), ways].prod(axis=1) / places**T


# --- the noisy channel ----------------------------------------------------------------------------


@check("eq-noisy-joint")
def joint(rng: Generator) -> Iterator[Sides]:
    """Likelihood times prior is the share of cards with both."""
    cards = rng.integers(1, 50, size=(4, 6))
    prior, likelihood = cards.sum(axis=1) / cards.sum(), cards / cards.sum(axis=1, keepdims=True)
    yield Sides(likelihood * prior[:, None], cards / cards.sum(), slip=likelihood)


@check("eq-noisy-evidence")
def evidence(rng: Generator) -> Iterator[Sides]:
    """The share of a Chinese sentence, summed over all English ones."""
    cards = rng.integers(1, 50, size=(4, 6))
    prior, likelihood = cards.sum(axis=1) / cards.sum(), cards / cards.sum(axis=1, keepdims=True)
    yield Sides(cards.sum(axis=0) / cards.sum(), prior @ likelihood, slip=likelihood.sum(axis=0))


@check("eq-noisy-bayes")
def noisy_bayes(rng: Generator) -> Iterator[Sides]:
    """The posterior, counted among the cards of a Chinese sentence."""
    cards = rng.integers(1, 50, size=(4, 6))
    prior, likelihood = cards.sum(axis=1) / cards.sum(), cards / cards.sum(axis=1, keepdims=True)
    products = likelihood * prior[:, None]
    yield Sides(cards / cards.sum(axis=0), products / products.sum(axis=0), slip=products)


@check("eq-noisy-rule")
def decision(rng: Generator) -> Iterator[Sides]:
    """Posterior and product have their maximum in the same place; the likelihood has not."""
    cards = rng.integers(1, 50, size=(5, 40)) * rng.integers(1, 20, size=(5, 1))
    likelihood = cards / cards.sum(axis=1, keepdims=True)
    best = (likelihood * cards.sum(axis=1, keepdims=True)).argmax(axis=0)
    yield Sides((cards / cards.sum(axis=0)).argmax(axis=0), best, slip=likelihood.argmax(axis=0))


@check("eq-noisy-model1")
def channel_model(rng: Generator) -> Iterator[Sides]:
    """The sum over all alignments, the product of sums, and the library's log-likelihood."""
    english, chinese = ["he", "reads"], ["x", "y", "z"]
    model = aligner(rng, english, chinese)  # the channel runs from English to Chinese
    theta = model.table.matrix(english, chinese)  # NULL in column 0
    summed = by_alignments(theta)[1].sum()
    (chunk,) = model.table.bitext.chunks
    right, without_null = theta.mean(axis=1).prod(), theta[:, 1:].mean(axis=1).prod()
    yield Sides(summed, right, slip=without_null)
    yield Sides(model.e_step(chunk)[1], math.log(right), slip=math.log(without_null))


# --- word alignment -------------------------------------------------------------------------------


def drawn_aligner(rng: Generator) -> tuple[ibm.IBM1, np.ndarray, list[str], list[str]]:
    """A random Model 1, its table (target, NULL and source), and its one sentence pair."""
    source, target = ["x", "y", "z"], ["a", "b", "c", "d"]
    model = aligner(rng, source, target)
    return model, model.table.matrix(source, target), source, target


@check("eq-wa-sum")
def all_alignments(rng: Generator) -> Iterator[Sides]:
    """A sum over all alignments is a product of sums; the library's log-likelihood is its log."""
    model, theta, *_ = drawn_aligner(rng)
    (chunk,) = model.table.bitext.chunks
    total = by_alignments(theta)[1].sum()
    yield Sides(total, theta.mean(axis=1).prod(), slip=theta.sum(axis=1).prod())
    best = theta.max(axis=1) / theta.shape[1]
    yield Sides(model.e_step(chunk)[1], math.log(total), slip=np.log(best).sum())


@check("eq-wa-posterior")
def link_posterior(rng: Generator) -> Iterator[Sides]:
    """The library's posterior, the formula, and the share of the alignments with this link."""
    model, theta, source, target = drawn_aligner(rng)
    ways, probs = by_alignments(theta)
    share = [[probs[ways[:, j] == i].sum() for i in range(4)] for j in range(4)] / probs.sum()
    right = theta / theta.sum(axis=1, keepdims=True)
    wrong = theta / theta.sum(axis=0)  # over the words of the target
    yield Sides(share, right, slip=wrong)
    yield Sides(model.posterior(source, target), right, slip=wrong)


@check("eq-wa-rise")
def rise(rng: Generator) -> Iterator[Sides]:
    """The rise of the log-likelihood: expected gain and divergence, for any two tables."""
    old, new = distribution(rng, 2, 4, 3).transpose(0, 2, 1)
    before, after = by_alignments(old)[1], by_alignments(new)[1]
    q, q_new = before / before.sum(), after / after.sum()
    gain = q @ (np.log(after) - np.log(before))
    kl, turned = q @ np.log(q / q_new), q_new @ np.log(q_new / q)
    yield Sides(np.log(after.sum() / before.sum()), gain + kl, slip=gain + turned)
    yield Sides(0.0, kl, slip=-turned, relation="<=")


@check("eq-wa-gradient")
def expected_counts(rng: Generator) -> Iterator[Sides]:
    """The slope of the log-likelihood by the logarithms of the table is the posterior."""
    model, theta, source, target = drawn_aligner(rng)
    log_theta = torch.tensor(np.log(theta), requires_grad=True)
    (slope,) = torch.autograd.grad(log_theta.logsumexp(dim=1).sum(), log_theta)
    yield Sides(slope, model.posterior(source, target), slip=theta)


@check("eq-wa-step")
def em_step(rng: Generator) -> Iterator[Sides]:
    """A round of EM is a gradient step on the probabilities, and none on the logits."""
    z = rng.normal(size=(3, 4))  # a row of logits for each source word
    logits = torch.tensor(z, requires_grad=True)
    fit = logits.softmax(dim=1).sum(dim=0).log().sum()
    slope = torch.autograd.grad(fit, logits)[0].numpy()
    theta = softmax(z)
    counts = theta / theta.sum(axis=0)
    n = counts.sum(axis=1, keepdims=True)
    yield Sides(counts / n, theta + slope / n, slip=softmax(z + slope / n))
    source, target = ["x", "y"], ["a", "b", "c", "d"]
    bitext = ibm.index([(source, target)])
    rows = dict(
        zip((None, "x", "y"), (dict(zip(target, r, strict=True)) for r in theta), strict=True)
    )
    trained = ibm.train_ibm1(bitext, 1, start=ibm.from_rows(bitext, rows))
    new = trained.table.matrix(source, target).T
    yield Sides(new, theta + slope / n, slip=softmax(z + slope / n))


@check("eq-wa-bias")
def diagonal_bias(rng: Generator) -> Iterator[Sides]:
    """Model 2's posterior: a softmax of scores with a bias, in which NULL needs log Z."""
    model, theta, source, target = drawn_aligner(rng)
    S, T, steep, null = len(source), len(target), rng.uniform(1, 9), rng.uniform(0.05, 0.3)
    left = ibm.IBM2(model.table, steep, null).posterior(source, target)
    away = abs(np.arange(1, S + 1) / S - np.arange(1, T + 1)[:, None] / T)
    log_Z = np.log(np.exp(-steep * away).sum(axis=1))
    odds = math.log(null / (1 - null))
    scores = np.log(theta)
    bias, wrong = (np.column_stack([odds + extra, -steep * away]) for extra in (log_Z, np.zeros(T)))
    yield Sides(left, softmax(scores + bias), slip=softmax(scores + wrong))


@check("eq-wa-fb")
def forward_backward(rng: Generator) -> Iterator[Sides]:
    """Forward times backward, against all paths, and against the library without NULL."""
    model, theta, source, target = drawn_aligner(rng)
    jump = distribution(rng, len(hmm.level_jump()))
    moves, emit = hmm.transitions(3, jump), theta[:, 1:]
    fwd, bwd = np.zeros((4, 3)), np.ones((4, 3))
    fwd[0] = moves[0] * emit[0]
    for j in range(1, 4):
        fwd[j] = emit[j] * (fwd[j - 1] @ moves[1:])
    for j in (2, 1, 0):
        bwd[j] = moves[1:] @ (emit[j + 1] * bwd[j + 1])
    right = fwd * bwd / fwd[-1].sum()
    wrong = fwd / fwd.sum(axis=1, keepdims=True)  # knows only the words so far
    ways = np.array(list(product(range(3), repeat=4)))
    probs = moves[0, ways[:, 0]] * emit[np.arange(4), ways].prod(axis=1)
    probs = probs * moves[1 + ways[:, :-1], ways[:, 1:]].prod(axis=1)
    share = [[probs[ways[:, j] == i].sum() for i in range(3)] for j in range(4)] / probs.sum()
    yield Sides(share, right, slip=wrong)
    found = hmm.HMM(model.table, jump, 0.0).posterior(source, target)
    yield Sides(found[:, 1:], right, slip=wrong, rtol=1e-6)
