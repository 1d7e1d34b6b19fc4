"""What each sentence adds to a corpus score: the score of any part of the corpus is a sum away.

Page: 01_smt/evaluation
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from softalign.metrics.links import Links, _count, _score
from softalign.metrics.surprise import perplexity
from softalign.metrics.translation import Words, _as_lines, _bleu, _check, _chrf, _matches

Number = float | int


@dataclass(frozen=True)
class Statistics:
    """The counts that each sentence adds to a corpus score, and how their sums become the score.

    BLEU is not the mean of the BLEU of sentences: its precisions divide sums by sums. But the sums
    are all it needs. So whoever keeps one row of counts a sentence can score any selection of the
    sentences, and any resampling, without looking at a word again.

    Attributes
    ----------
    name : str
        Name of the metric. Two systems can be compared only if the names agree.
    rows : tuple of tuples of numbers, one for each sentence
        What the sentence adds; all rows have the same length.
    score : callable
        Takes the sums of the columns, returns the score as a float. It must also be defined for
        the sums of any selection of the sentences, a single sentence included.

    Raises
    ------
    ValueError
        No sentences, or rows of unequal length.

    Examples
    --------
    A metric of your own, the share of words that are *the*:

    >>> said = [["the", "cat"], ["the", "the"], ["a", "dog", "ran", "off"]]
    >>> rows = tuple((words.count("the"), len(words)) for words in said)
    >>> share = Statistics("the", rows, lambda sums: sums[0] / sums[1])
    >>> share.value
    0.375
    >>> share.select([0, 1]).value
    0.75

    Page: 01_smt/evaluation
    """

    name: str
    rows: tuple[tuple[Number, ...], ...] = field(repr=False)
    score: Callable[[Any], float] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be summed."""
        if len(self.rows) == 0:
            raise ValueError("there are no sentences, expected at least one")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.rows[0]):
                raise ValueError(
                    f"the row of sentence {number} has {len(row)} numbers, "
                    f"expected {len(self.rows[0])} as in the first"
                )

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.rows)

    @property
    def value(self) -> float:
        """Score of all sentences."""
        return self.score([sum(column) for column in zip(*self.rows, strict=True)])

    def select(self, sentences: Iterable[int]) -> Statistics:
        """Keep only the sentences with these numbers (from 0), in this order; one may come twice.

        Page: 01_smt/evaluation
        """
        return Statistics(self.name, tuple(self.rows[k] for k in sentences), self.score)


def bleu_statistics(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]], *, smooth: str = "exp"
) -> Statistics:
    """Count what each sentence adds to `bleu`; the value is equal to that of `bleu`.

    Parameters
    ----------
    hypotheses, references, smooth
        As for `bleu`.

    Returns
    -------
    Statistics
        Ten numbers a sentence: words of the hypothesis, words of the nearest reference, matches of
        the orders 1 to 4, n-grams of the orders 1 to 4. sacrebleu counts them.

    Raises
    ------
    ValueError, TypeError
        As for `bleu`.

    Examples
    --------
    >>> said = [["an", "old", "book", "is", "there"], ["so"]]
    >>> accepted = [[["an", "old", "book", "is", "here"]], [["so", "so"]]]
    >>> for row in bleu_statistics(said, accepted).rows:
    ...     print(row)
    (5, 5, 4, 3, 2, 1, 5, 4, 3, 2)
    (1, 2, 1, 0, 0, 0, 1, 0, 0, 0)

    Page: 01_smt/evaluation
    """
    return _from_sacrebleu("BLEU", _bleu(smooth), hypotheses, references)


def chrf_statistics(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> Statistics:
    """Count what each sentence adds to `chrf`; the value is equal to that of `chrf`.

    Parameters
    ----------
    hypotheses, references
        As for `chrf`.

    Returns
    -------
    Statistics
        Eighteen numbers a sentence: for each order from 1 to 6 the character n-grams of the
        hypothesis, of its best reference, and of both. sacrebleu counts them.

    Raises
    ------
    ValueError, TypeError
        As for `bleu`.

    Examples
    --------
    >>> chrf_statistics([["cat"]], [[["cats"]]]).rows[0][:6]
    (3, 4, 3, 2, 3, 2)

    Page: 01_smt/evaluation
    """
    return _from_sacrebleu("chrF", _chrf(), hypotheses, references)


def exact_match_statistics(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> Statistics:
    """Count what each sentence adds to `exact_match`; the value is equal to that of `exact_match`.

    Parameters
    ----------
    hypotheses, references
        As for `exact_match`.

    Returns
    -------
    Statistics
        Two numbers a sentence: 1 if it matches, else 0; and 1.

    Raises
    ------
    ValueError, TypeError
        As for `bleu`.

    Examples
    --------
    >>> exact_match_statistics([["a"], ["b"]], [[["a"], ["c"]], [["c"]]]).rows
    ((1, 1), (0, 1))

    Page: 01_smt/evaluation
    """
    _check(hypotheses, references)
    rows = tuple((int(hit), 1) for hit in _matches(hypotheses, references))
    return Statistics("exact match", rows, lambda sums: sums[0] / sums[1])


def aer_statistics(
    predicted: Sequence[Links], sure: Sequence[Links], possible: Sequence[Links]
) -> Statistics:
    """Count what each sentence adds to `aer`; the value is equal to the error rate of `aer`.

    Parameters
    ----------
    predicted, sure, possible
        As for `aer`.

    Returns
    -------
    Statistics
        Four numbers a sentence: proposed links that are sure, proposed links that are possible,
        proposed links, sure links.

    Raises
    ------
    ValueError
        As for `aer`.

    Examples
    --------
    >>> aer_statistics([{(0, 0), (2, 1)}], [{(0, 0)}], [{(0, 0), (2, 1)}]).rows
    ((1, 2, 2, 1),)

    Page: 01_smt/evaluation
    """
    rows = tuple(_count(predicted, sure, possible))
    return Statistics("AER", rows, lambda sums: _score(*sums).aer)


def perplexity_statistics(log_probs: Sequence[float], counts: Sequence[int]) -> Statistics:
    """Keep what each sentence adds to `perplexity`: its log-probability and its predictions.

    Parameters
    ----------
    log_probs : sequence of float
        Natural logarithm of the probability of each sentence (nats).
    counts : sequence of int
        How many predictions each sentence holds, at least 1.

    Returns
    -------
    Statistics
        The two numbers a sentence.

    Raises
    ------
    ValueError
        Unequal numbers of sentences, or no sentence. A count below 1 or a logarithm above 0 is
        refused by `perplexity`.

    Examples
    --------
    >>> import math
    >>> both = perplexity_statistics([math.log(1 / 8), 2 * math.log(1 / 8)], [1, 2])
    >>> round(both.value, 6)
    8.0

    Page: 01_smt/language_model
    """
    if len(log_probs) != len(counts):
        raise ValueError(
            f"{len(log_probs)} log-probabilities but {len(counts)} counts, expected as many"
        )
    rows = tuple((float(total), int(n)) for total, n in zip(log_probs, counts, strict=True))
    for total, n in rows:
        perplexity(total, int(n))
    return Statistics("perplexity", rows, lambda sums: perplexity(sums[0], sums[1]))


def _from_sacrebleu(
    name: str,
    metric: Any,
    hypotheses: Sequence[Words],
    references: Sequence[Sequence[Words]],
) -> Statistics:
    """Take sacrebleu's own counts of each sentence, and its own way from their sums to a score."""
    lines, columns = _as_lines(hypotheses, references)
    rows = tuple(map(tuple, metric._extract_corpus_statistics(lines, columns)))

    def score(sums: Sequence[Number]) -> float:
        # a copy, since sacrebleu may write into it; the rounding above 100 is not a merit
        return min(100.0, float(metric._compute_score_from_stats(list(sums)).score))

    return Statistics(name, rows, score)
