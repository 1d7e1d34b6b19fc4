r"""Minimum error rate training: weights that translate a validation set as well as possible.

The score of a hypothesis is linear in each weight. Along a line :math:`\omega + \gamma d` in the
space of weights, each hypothesis of a sentence is a straight line over :math:`\gamma`, the chosen
one is the upper envelope, and the corpus score is a step function that changes only where an
envelope has a corner. So the best :math:`\gamma` is found exactly: visit the corners in order.

Och (2003), "Minimum error rate training in statistical machine translation", ACL, pages 160-167.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Num

__all__ = ["Candidates", "bleu_counts", "bleu_of", "gather", "line_search", "optimise"]

Words = Sequence[str]


class Candidates(NamedTuple):
    """n-best lists of a corpus, padded to the longest.

    Attributes
    ----------
    features : float array [sentences, candidates, features]
    counts : int array [sentences, candidates, 10]
        What each candidate adds to BLEU, as `bleu_counts` gives it.
    real : bool array [sentences, candidates]
        False where a list is shorter.
    """

    features: Float[np.ndarray, "sentences candidates features"]
    counts: Int[np.ndarray, "sentences candidates 10"]
    real: Bool[np.ndarray, "sentences candidates"]


def bleu_counts(references: Sequence[Words]) -> Callable[[Words], tuple[int, ...]]:
    """Return a function that counts what a hypothesis adds to BLEU, given its references.

    The ten numbers are those of `softalign.metrics.bleu_statistics`: words of the hypothesis, words
    of the nearest reference, matches of the orders 1 to 4, n-grams of the orders 1 to 4.

    Examples
    --------
    >>> bleu_counts([["a", "dog", "runs"]])(["a", "dog", "ran"])
    (3, 3, 2, 1, 0, 0, 3, 2, 1, 0)

    Page: 01_smt/decoding
    """
    allowed: Counter = Counter()
    for reference in references:
        allowed |= Counter(_ngrams(reference))
    lengths = sorted(map(len, references))

    def count(words: Words) -> tuple[int, ...]:
        size, matches = len(words), [0, 0, 0, 0]
        left: dict = {}
        for gram in _ngrams(words):
            rest = left.get(gram)
            rest = allowed[gram] if rest is None else rest
            if rest > 0:
                matches[len(gram) - 1] += 1
            left[gram] = rest - 1
        nearest = min(lengths, key=lambda length: abs(length - size))
        return size, nearest, *matches, *(max(size - n, 0) for n in range(4))

    return count


def _ngrams(words: Words) -> list[tuple[str, ...]]:
    words = tuple(words)
    return [words[k : k + n] for n in (1, 2, 3, 4) for k in range(len(words) - n + 1)]


def bleu_of(sums: Num[np.ndarray, "... 10"]) -> Float[np.ndarray, "..."] | float:
    """BLEU, between 0 and 100, of summed counts; without smoothing, 0 where an order has no match.

    Page: 01_smt/decoding
    """
    size, reference, matches, totals = sums[..., 0], sums[..., 1], sums[..., 2:6], sums[..., 6:]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.log(matches / totals).mean(axis=-1)
        penalty = np.minimum(0.0, 1 - reference / size)
        value = 100 * np.exp(precision + penalty)
    return np.nan_to_num(value, nan=0.0)


def gather(lists: Sequence[Sequence[tuple]]) -> Candidates:
    """Pad n-best lists of (features, counts) to arrays.

    Page: 01_smt/decoding
    """
    longest = max(map(len, lists))
    real = np.array([[k < len(here) for k in range(longest)] for here in lists])
    features, counts = (
        np.array([[here[min(k, len(here) - 1)][part] for k in range(longest)] for here in lists])
        for part in (0, 1)
    )
    return Candidates(features.astype(float), counts, real)


def line_search(
    candidates: Candidates,
    weights: Float[np.ndarray, "features"],
    direction: Float[np.ndarray, "features"],
) -> tuple[float, float]:
    """Find the step along a line at which the candidates with the best scores have the best BLEU.

    Parameters
    ----------
    candidates : Candidates
    weights, direction : float arrays [features]

    Returns
    -------
    step, bleu : float
        The middle of the best interval between two corners; of equally good intervals the one
        nearest to 0. An outermost interval has no middle: 1 beyond its corner.

    Page: 01_smt/decoding
    """
    sentences = len(candidates.real)
    height = np.where(candidates.real, candidates.features @ weights, -np.inf)
    slope = np.where(candidates.real, candidates.features @ direction, np.inf)
    row = np.arange(sentences)
    # far to the left the smallest slope wins, of equal slopes the greatest height
    flat = np.where(slope == slope.min(axis=1, keepdims=True), height, -np.inf)
    now = flat.argmax(axis=1)
    total = candidates.counts[row, now].sum(axis=0)
    corners, changes = [], []
    slope = np.where(candidates.real, slope, -np.inf)
    alive = row
    while len(alive):
        at = now[alive]
        rise = slope[alive] - slope[alive, at][:, None]
        drop = height[alive, at][:, None] - height[alive]
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.where(rise > 0, drop / rise, np.inf)
        first = meet.min(axis=1)
        # of several lines through one corner the steepest goes on
        steepest = np.where(meet == first[:, None], rise, -np.inf).argmax(axis=1)
        more = np.isfinite(first)
        alive, at, following, first = alive[more], at[more], steepest[more], first[more]
        corners.append(first)
        changes.append(candidates.counts[alive, following] - candidates.counts[alive, at])
        now[alive] = following
    corners, changes = np.concatenate(corners), np.concatenate(changes)
    if not len(corners):
        return 0.0, float(bleu_of(total))
    order = np.argsort(corners, kind="stable")
    corners = corners[order]
    values = bleu_of(total + np.concatenate([[np.zeros(10, int)], changes[order]]).cumsum(axis=0))
    edges = np.concatenate([[corners[0] - 2], corners, [corners[-1] + 2]])
    low, high = edges[:-1], edges[1:]
    open_ = high > low
    middle = (low + high) / 2
    away = np.where((low <= 0) & (high >= 0), 0.0, np.abs(middle))
    best = np.lexsort((away, -np.where(open_, values, -np.inf)))[0]
    return float(middle[best]), float(values[best])


def optimise(
    candidates: Candidates,
    weights: Float[np.ndarray, "features"],
    tunable: Sequence[int],
    *,
    starts: int = 8,
    seed: int = 0,
) -> tuple[Float[np.ndarray, "features"], float]:
    """Climb to a maximum of BLEU over fixed candidates: one exact line search after the other.

    Parameters
    ----------
    candidates : Candidates
    weights : float array [features]
        Where the first climb starts.
    tunable : sequence of int
        Which weights may change.
    starts : int
        How many climbs; the others start at random places.
    seed : int
        Of the generator that draws starts and extra directions.

    Returns
    -------
    weights, bleu
        The best point of all climbs, scaled so that the tunable weights have the sum of absolute
        values that they had, and its BLEU on the candidates.

    Page: 01_smt/decoding
    """
    rng = np.random.default_rng(seed)
    tunable = list(tunable)
    size = np.abs(weights[tunable]).sum()
    axes = np.eye(len(weights))[tunable]
    best, best_value = weights, -1.0
    for start in range(starts):
        here = weights.copy()
        if start:
            here[tunable] = (
                size
                / len(tunable)
                * (here[tunable] / size * len(tunable) + 2 * (rng.random(len(tunable)) - 0.5))
            )
        value = -1.0
        while True:
            extra = np.zeros((len(tunable), len(weights)))
            extra[:, tunable] = rng.random((len(tunable), len(tunable))) - 0.5
            found = [(*line_search(candidates, here, d), d) for d in (*axes, *extra)]
            step, new, direction = max(found, key=lambda one: one[1])
            if new <= value + 0.005:
                break
            here, value = here + step * direction, new
        here[tunable] *= size / np.abs(here[tunable]).sum()
        if value > best_value:
            best, best_value = here, value
    return best, best_value
