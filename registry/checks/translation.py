"""Checks of the equations of chapter 5: encoder, decoder, search."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.random import Generator

from registry.checks.recurrence import normal
from registry.checks.sides import Sides, check
from softalign import corpus, encoder_decoder, gru, text
from softalign.training import seeded


@check("eq-ed-product")
def conditional_product(rng: Generator) -> Iterator[Sides]:
    """The loss of a pair, as training computes it, and the product of the steps of a decoder."""
    source, target = ["x", "y", "z"], ["a", "b", "c", "d"]
    pair = corpus.Pair(tuple(source), tuple(target), (tuple(target),), frozenset(), frozenset(), ())
    vocabularies = (text.Vocabulary.from_training([side]) for side in (source, target))
    with seeded(int(rng.integers(1000))):
        model = encoder_decoder.EncoderDecoder(
            *vocabularies, gru.GRU(3, 4), gru.GRU(3, 4), embedding_size=3
        ).double()
    for parameter in model.parameters():
        parameter.data = normal(rng, *parameter.shape)
    x, y = (
        model.src_vocab.encode(source, eos=True),
        model.tgt_vocab.encode(target, bos=True, eos=True),
    )
    (batch,) = encoder_decoder.translation_batches(
        [pair], model.src_vocab, model.tgt_vocab, batch_size=1, seed=0
    )
    loss, _ = encoder_decoder.translation_loss(model, batch)
    state, factors = model.start([x]), []
    for before, after in pairwise(y):
        log_probs, state = model.step(torch.tensor([before]), state)
        factors.append(math.exp(log_probs[0, after].item()))
    without_end = math.prod(factors[:-1])
    yield Sides(math.exp(-loss.item()), math.prod(factors), slip=without_end, rtol=1e-6)


@check("eq-bn-regions")
def regions(rng: Generator) -> Iterator[Sides]:
    """Pieces, counted by adding one cut after the other; and what random points can answer."""
    n, k = int(rng.integers(3, 12)), int(rng.integers(1, 4))
    pieces = np.ones((n + 1, k + 1), int)
    for cuts in range(1, n + 1):
        for numbers in range(1, k + 1):
            pieces[cuts, numbers] = pieces[cuts - 1, numbers] + pieces[cuts - 1, numbers - 1]
    formula = sum(math.comb(n, chosen) for chosen in range(k + 1))
    yield Sides(pieces[n, k], formula, slip=formula - 1)
    weights, shift = rng.normal(size=(2, 5)), rng.normal(size=5)
    points = rng.normal(size=(40_000, 2)) * rng.choice([1, 10, 100], size=(40_000, 1))
    found = len(np.unique(points @ weights + shift > 0, axis=0))
    most, of_a_line = (sum(math.comb(5, chosen) for chosen in range(k + 1)) for k in (2, 1))
    yield Sides(found, most, slip=of_a_line, relation="<=")


@check("eq-search-bound")
def search_bound(rng: Generator) -> Iterator[Sides]:
    """What unfinished hypotheses become, up to the longest length, under the bound."""
    longest, alpha = 8, rng.uniform(0.3, 1)
    scores, bounds, own = [], [], []
    for _ in range(200):
        length = int(rng.integers(2, 5))
        prefix = np.log(rng.uniform(0.05, 0.9, length)).sum()
        more = np.log(rng.uniform(0.9, 1, int(rng.integers(1, longest - length + 1))))
        scores.append((prefix + more.sum()) / (length + len(more)) ** alpha)
        bounds.append(prefix / longest**alpha)
        own.append(prefix / length**alpha)  # its score so far
    yield Sides(scores, bounds, slip=own, relation="<=")


@check("eq-search-relief")
def relief(rng: Generator) -> Iterator[Sides]:
    """A larger exponent lifts every sentence of more than one token."""
    log_prob, length = -rng.exponential(5, 50), rng.integers(2, 30, 50)
    low, high = np.sort(rng.uniform(0, 1.5, 2))
    left, right = log_prob / length**low, log_prob / length**high
    yield Sides(left, right, slip=log_prob * length**high, relation="<")
