"""How far can a score be trusted? Intervals, paired tests and scores by length, for any metric.

Everything here works on `Statistics`: it draws sentences, adds their rows, and scores the sums.
Each function draws from its own generator, seeded by `seed`: the same call, the same numbers.

Page: 01_smt/evaluation
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from softalign.metrics.statistics import Statistics


@dataclass(frozen=True)
class Interval:
    """A score with the interval in which it would have fallen with other sentences of the kind.

    Attributes
    ----------
    value : float
        Score of the sentences at hand.
    low, high : float
        Ends of the interval. The value may lie outside it only if the metric is badly biased on
        resamples.
    level : float
        Share of the resamples inside it.

    Examples
    --------
    >>> score = Interval(37.512, 36.02, 38.951, 0.95)
    >>> print(score)
    37.51 [36.02, 38.95]
    >>> f"{score:.1f}"
    '37.5 [36.0, 39.0]'

    Page: 01_smt/evaluation
    """

    value: float
    low: float
    high: float
    level: float

    def __format__(self, spec: str) -> str:
        """Format all three numbers alike."""
        spec = spec or ".2f"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        """Return the value and the ends to two decimals."""
        return format(self, ".2f")


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same sentences.

    Attributes
    ----------
    name : str
        Name of the metric.
    first, second : float
        The two scores.
    difference : Interval
        First minus second, with its interval.
    wins : float
        Share of the resamples in which the first has the larger number; a tie counts half. Of an
        error rate or a perplexity the *smaller* number is the better one.
    p_value : float
        Probability of a difference at least as large, in either direction, if there were none.

    Examples
    --------
    >>> print(Comparison("BLEU", 38.0, 37.0, Interval(1.0, 0.2, 1.8, 0.95), 0.99, 0.012))
    BLEU 38.00 - 37.00 = 1.00 [0.20, 1.80], first larger in 99.0%, p = 0.012

    Page: 01_smt/evaluation
    """

    name: str
    first: float
    second: float
    difference: Interval
    wins: float
    p_value: float

    def __str__(self) -> str:
        """Return everything on one line."""
        return (
            f"{self.name} {self.first:.2f} - {self.second:.2f} = {self.difference}, "
            f"first larger in {self.wins:.1%}, p = {self.p_value:.3f}"
        )


@dataclass(frozen=True)
class Bucket:
    """The score of the sentences of some lengths.

    Attributes
    ----------
    label : str
        For example ``"9-16"``, or ``"33+"`` for the last one.
    sentences : int
        How many there are.
    score : Interval or None
        None where there are no sentences: nothing is not zero.

    Examples
    --------
    >>> print(Bucket("9-16", 120, Interval(41.5, 38.25, 44.75, 0.95)))
    9-16: 41.50 [38.25, 44.75] (120 sentences)
    >>> print(Bucket("33+", 0, None))
    33+: - (0 sentences)

    Page: 01_smt/evaluation
    """

    label: str
    sentences: int
    score: Interval | None

    def __str__(self) -> str:
        """Return label, score and number of sentences."""
        return f"{self.label}: {self.score or '-'} ({self.sentences} sentences)"


def resample(statistics: Statistics, *, resamples: int = 1000, seed: int = 0) -> list[float]:
    """Score corpora of the same size, drawn from the sentences with replacement.

    Parameters
    ----------
    statistics : Statistics
        The counts of n sentences.
    resamples : int
        How many corpora of n sentences to draw.
    seed : int
        Seed of the draws. Two systems with the same seed get the same sentences.

    Returns
    -------
    list of float
        The score of each resample.

    Raises
    ------
    ValueError
        `resamples` is below 1.

    Examples
    --------
    >>> rows = ((1, 1), (0, 1), (0, 1), (1, 1))
    >>> share = Statistics("share", rows, lambda sums: sums[0] / sums[1])
    >>> all(value in (0, 0.25, 0.5, 0.75, 1) for value in resample(share, resamples=50))
    True

    Page: 01_smt/evaluation
    """
    return [statistics.score(sums) for sums in _drawn(statistics, resamples, seed)]


def bootstrap(
    statistics: Statistics, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Interval of a corpus score by the bootstrap: how much do the drawn sentences matter?

    The test set is one draw of sentences from all that might have been. To see what other draws
    would have given, draw n sentences with replacement from the n at hand, score them, and do so
    again and again. The interval leaves out the ``(1 - level) / 2`` lowest and highest scores.

    Parameters
    ----------
    statistics : Statistics
        The counts of n sentences, for example from `bleu_statistics`.
    resamples : int
        How many times to draw.
    level : float
        Share of the resamples inside the interval, between 0 and 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    Interval
        The value is the score of the sentences themselves, to the last bit.

    Raises
    ------
    ValueError
        `resamples` is below 1, or `level` is not between 0 and 1.

    Notes
    -----
    Efron (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1),
    pages 1-26; for BLEU Koehn (2004), "Statistical significance tests for machine translation
    evaluation", EMNLP, pages 388-395. It measures the chance of the drawing of sentences, nothing
    else: not another seed of the training, not another domain. With few sentences (below 50 or so)
    the interval is too narrow.

    Examples
    --------
    >>> share = Statistics("share", ((1, 1), (0, 1)) * 50, lambda sums: sums[0] / sums[1])
    >>> print(bootstrap(share))  # theory: 0.5 +- 1.96 * 0.05
    0.50 [0.40, 0.60]

    Page: 01_smt/evaluation
    """
    return _interval(statistics.value, resample(statistics, resamples=resamples, seed=seed), level)


def paired_bootstrap(
    first: Statistics,
    second: Statistics,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same resamples of the same sentences.

    A resample of hard sentences lowers both scores. Their *difference* does not feel it, so it is
    known more exactly than either score.

    Parameters
    ----------
    first, second : Statistics
        The same metric of two systems on the same sentences, in the same order.
    resamples, level, seed
        As for `bootstrap`.

    Returns
    -------
    Comparison
        Scores, interval of the difference, share of resamples that the first wins, and a two-sided
        p-value: the share of resamples whose difference is at least as far from the true
        difference as that is from 0, with 1 added above and below.

    Raises
    ------
    ValueError
        Different metrics, different numbers of sentences, `resamples` below 1, `level` not between
        0 and 1.

    Notes
    -----
    Koehn (2004), EMNLP, pages 388-395, section 4, for the wins; Riezler and Maxwell (2005), "On
    some pitfalls in automatic evaluation and significance testing for MT", ACL workshop on
    intrinsic and extrinsic evaluation measures, pages 57-64, for the p-value; theirs is centred at
    the mean of the resampled differences, ours at the true one, which does not move with the draws.

    Examples
    --------
    >>> def mean(sums):
    ...     return sums[0] / sums[1]
    >>> good = Statistics("share", ((1, 1),) * 60 + ((0, 1),) * 40, mean)
    >>> poor = Statistics("share", ((1, 1),) * 50 + ((0, 1),) * 50, mean)
    >>> print(paired_bootstrap(good, poor).difference)  # 10 of 100 sentences make all of it
    0.10 [0.05, 0.16]

    Page: 01_smt/evaluation
    """
    _same_sentences(first, second)
    a, b = (resample(one, resamples=resamples, seed=seed) for one in (first, second))
    differences = [x - y for x, y in zip(a, b, strict=True)]
    true = first.value - second.value
    far = sum(abs(d - true) >= abs(true) - _slack(true) for d in differences)
    wins = sum((d > 0) + 0.5 * (d == 0) for d in differences)
    return Comparison(
        name=first.name,
        first=first.value,
        second=second.value,
        difference=_interval(true, differences, level),
        wins=wins / resamples,
        p_value=(far + 1) / (resamples + 1),
    )


def approximate_randomisation(
    first: Statistics, second: Statistics, *, trials: int = 1000, seed: int = 0
) -> float:
    """p-value of a difference: how often does a mix-up of the two systems give one as large?

    If the systems were equally good, it would not matter which of them said what. So exchange their
    outputs on a random half of the sentences, and see whether the difference survives.

    Parameters
    ----------
    first, second : Statistics
        The same metric of two systems on the same sentences, in the same order.
    trials : int
        How many times to exchange.
    seed : int
        Seed of the exchanges.

    Returns
    -------
    float
        Share of the trials whose difference is, in either direction, at least as large as the true
        one, with 1 added above and below: between ``1 / (trials + 1)`` and 1.

    Raises
    ------
    ValueError
        Different metrics, different numbers of sentences, `trials` below 1.

    Notes
    -----
    Riezler and Maxwell (2005), pages 57-64; Noreen (1989), "Computer-intensive methods for testing
    hypotheses". Nothing is assumed about how scores vary.

    Examples
    --------
    >>> def mean(sums):
    ...     return sums[0] / sums[1]
    >>> right, wrong = (((1, 1),) * 5, ((0, 1),) * 5)
    >>> one, other = (Statistics("share", rows, mean) for rows in (right, wrong))
    >>> approximate_randomisation(one, one)
    1.0
    >>> 0.04 < approximate_randomisation(one, other) < 0.09  # exact: 2 of the 32 exchanges
    True

    Page: 01_smt/evaluation
    """
    import numpy as np

    _same_sentences(first, second)
    _at_least_one(trials, "trials")
    a, b = np.array(first.rows, dtype=float), np.array(second.rows, dtype=float)
    gain, total_a, total_b = b - a, a.sum(axis=0), b.sum(axis=0)
    true = first.value - second.value
    rng = np.random.default_rng(seed)
    far = 0
    for _ in range(trials):
        moved = rng.integers(2, size=len(gain)) @ gain
        mixed = [first.score(sums.tolist()) for sums in (total_a + moved, total_b - moved)]
        far += abs(mixed[0] - mixed[1]) >= abs(true) - _slack(true)
    return (far + 1) / (trials + 1)


def by_bucket(
    statistics: Statistics,
    lengths: Sequence[int],
    edges: Sequence[int],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[Bucket]:
    """Score the sentences by their length, each group with its interval.

    Parameters
    ----------
    statistics : Statistics
        The counts of n sentences.
    lengths : sequence of int
        The length of each sentence, for example in source words, at least 1.
    edges : sequence of int
        The largest length of each bucket but the last, rising: ``(8, 16)`` makes the buckets
        1-8, 9-16 and 17+.
    resamples, level, seed
        As for `bootstrap`; sentences are drawn within the bucket.

    Returns
    -------
    list of Bucket
        ``len(edges) + 1`` buckets; every sentence is in one.

    Raises
    ------
    ValueError
        Unequal numbers of sentences and lengths, a length below 1, edges that do not rise from 1.

    Examples
    --------
    >>> share = Statistics("share", ((1, 1), (1, 1), (0, 1)), lambda sums: sums[0] / sums[1])
    >>> for bucket in by_bucket(share, [4, 8, 30], (8, 16)):
    ...     print(bucket)
    1-8: 1.00 [1.00, 1.00] (2 sentences)
    9-16: - (0 sentences)
    17+: 0.00 [0.00, 0.00] (1 sentences)

    Page: 01_smt/evaluation
    """
    if len(lengths) != len(statistics):
        raise ValueError(
            f"{len(lengths)} lengths for {len(statistics)} sentences, expected the same number"
        )
    if min(lengths) < 1:
        raise ValueError(f"a length is {min(lengths)}, expected at least 1")
    starts = [1, *(edge + 1 for edge in edges)]
    if starts != sorted(set(starts)):
        raise ValueError(f"the edges are {list(edges)}, expected numbers that rise from 1")
    buckets = []
    for start, end in zip(starts, [*edges, None], strict=True):
        inside = [k for k, n in enumerate(lengths) if start <= n and (end is None or n <= end)]
        score = None
        if inside:
            chosen = statistics.select(inside)
            score = bootstrap(chosen, resamples=resamples, level=level, seed=seed)
        label = f"{start}+" if end is None else f"{start}-{end}"
        buckets.append(Bucket(label, len(inside), score))
    return buckets


def _drawn(statistics: Statistics, resamples: int, seed: int) -> Iterator[list[float]]:
    """Yield the sums of the columns for each resample."""
    import numpy as np

    _at_least_one(resamples, "resamples")
    rows = np.array(statistics.rows, dtype=float)
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        # how often each sentence was drawn, times what it adds
        times = np.bincount(rng.integers(len(rows), size=len(rows)), minlength=len(rows))
        yield (times @ rows).tolist()


def _interval(value: float, scores: Sequence[float], level: float) -> Interval:
    """Leave out the same share of the scores at both ends."""
    import numpy as np

    if not 0 < level < 1:
        raise ValueError(f"the level is {level}, expected a share between 0 and 1")
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


def _slack(true: float) -> float:
    """Return what rounding may do to a difference that ought to be equal to the true one."""
    return 1e-9 * abs(true)


def _at_least_one(number: int, name: str) -> None:
    if number < 1:
        raise ValueError(f"{name} is {number}, expected at least 1")


def _same_sentences(first: Statistics, second: Statistics) -> None:
    """Raise if the two cannot be compared sentence by sentence."""
    if first.name != second.name:
        raise ValueError(f"cannot compare {first.name} with {second.name}, expected one metric")
    if len(first) != len(second):
        raise ValueError(
            f"the first system has {len(first)} sentences, the second {len(second)}, "
            "expected the same sentences in the same order"
        )
