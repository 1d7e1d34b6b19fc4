"""What ``softalign evaluate`` says: scores with their intervals, as a table or as JSON.

Page: your_own_text
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from softalign.metrics import (
    Comparison,
    Interval,
    Statistics,
    aer,
    aer_statistics,
    approximate_randomisation,
    bleu,
    bleu_statistics,
    bootstrap,
    by_bucket,
    chrf,
    chrf_statistics,
    exact_match_statistics,
    paired_bootstrap,
)

__all__ = ["Metric", "Row", "Scores", "of_links", "of_translations", "score"]

EDGES = (8, 16, 24, 32)
"""The longest of each group of sentences but the last."""
LEVEL = 0.95
SIGNIFICANT = 0.05

Words = Sequence[str]
Links = Collection[tuple[int, int]]


class Metric(NamedTuple):
    """What each sentence adds to a score of a corpus, and what must be known to compare it.

    Attributes
    ----------
    name : str
    statistics : softalign.metrics.Statistics
    signature, detail : str
        sacrebleu's signature, and what the value is made of; "" if there is nothing to say.
    less_is_better : bool

    Page: your_own_text
    """

    name: str
    statistics: Statistics
    signature: str = ""
    detail: str = ""
    less_is_better: bool = False


@dataclass(frozen=True)
class Row:
    """One metric of one or two systems.

    Attributes
    ----------
    metrics : tuple of Metric
        One for each system.
    first : Interval
    second : Interval or None
    comparison : Comparison or None
        The difference by the paired bootstrap.
    p_value : float or None
        Of the difference, by approximate randomisation.
    buckets : tuple of tuples of softalign.metrics.Bucket
        By length, for each system; empty if not asked for.

    Page: your_own_text
    """

    metrics: tuple[Metric, ...]
    first: Interval
    second: Interval | None = None
    comparison: Comparison | None = None
    p_value: float | None = None
    buckets: tuple[tuple, ...] = ()

    @property
    def name(self) -> str:
        """Name of the metric."""
        return self.metrics[0].name


@dataclass(frozen=True)
class Scores:
    """All that was computed, ready to be said.

    Attributes
    ----------
    rows : tuple of Row
    names : tuple of str
        Of the one or two systems.
    sentences, resamples, seed : int
    form : str
        How a score is written.

    Page: your_own_text
    """

    rows: tuple[Row, ...]
    names: tuple[str, ...]
    sentences: int
    resamples: int
    seed: int
    form: str = ".2f"

    def lines(self, facts: dict[str, Any]) -> Iterator[str]:
        """Yield the tables and what they mean, as lines of text.

        Parameters
        ----------
        facts : dict
            What else belongs to the scores, for example how the words were cut.
        """
        paired = len(self.names) == 2
        head = ["", "first", "second", "difference", "p paired", "p exchange"]
        yield from _table([head if paired else ["", "score"], *map(self._cells, self.rows)])
        if self.rows[0].buckets:
            for number, name in enumerate(self.names):
                yield ""
                yield from _table(self._by_length(number, name if paired else ""))
        yield ""
        if paired:
            yield from map(self.meaning, self.rows)
            yield ""
        for which, name in zip(("first", "second"), self.names, strict=False):
            yield f"{which if paired else 'scored'}: {name}"
        yield from (f"{key}: {_written(value)}" for key, value in facts.items())
        yield (
            f"sentences: {self.sentences:,}; in brackets where {100 * LEVEL:.0f} % of "
            f"{self.resamples:,} resamples of them fall (seed {self.seed})"
        )
        for row in self.rows:
            for which, metric in zip(("first", "second"), row.metrics, strict=False):
                if metric.detail:
                    yield f"{row.name}{f', {which}' if paired else ''}: {metric.detail}"
            if row.metrics[0].signature:
                yield f"{row.name}: {row.metrics[0].signature}"

    def as_json(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the same as an object for `json.dumps`.

        Parameters
        ----------
        facts : dict
            As for `lines`.
        """
        result: dict[str, Any] = {"systems": list(self.names), **facts}
        result |= {"sentences": self.sentences, "level": LEVEL}
        result |= {"resamples": self.resamples, "seed": self.seed, "scores": {}}
        for row in self.rows:
            found: dict[str, Any] = {
                "systems": [
                    _interval(interval) | ({"detail": metric.detail} if metric.detail else {})
                    for interval, metric in zip((row.first, row.second), row.metrics, strict=False)
                ]
            }
            if row.comparison:
                found["difference"] = _interval(row.comparison.difference) | {
                    "first_larger": row.comparison.wins,
                    "p_paired_bootstrap": row.comparison.p_value,
                    "p_approximate_randomisation": row.p_value,
                    "meaning": self.meaning(row),
                }
            if row.buckets:
                found["by_length"] = [
                    {
                        "source_words": of_all[0].label,
                        "sentences": of_all[0].sentences,
                        "systems": [each.score and _interval(each.score) for each in of_all],
                    }
                    for of_all in zip(*row.buckets, strict=True)
                ]
            if row.metrics[0].signature:
                found["signature"] = row.metrics[0].signature
            result["scores"][row.name] = found
        return result

    def meaning(self, row: Row) -> str:
        """Return in one sentence whether the difference is more than chance.

        Parameters
        ----------
        row : Row
            With a comparison.
        """
        name, difference = row.name, row.comparison.difference.value
        if difference == 0:
            return f"{name}: no difference."
        if 1 / (self.resamples + 1) >= SIGNIFICANT:
            return (
                f"{name}: {self.resamples} resamples are too few to tell the difference from "
                f"chance, expected {round(1 / SIGNIFICANT)} or more."
            )
        size, chance = f"{abs(difference):{self.form}}", f"{100 * row.p_value:.1f} % of cases"
        if row.p_value < SIGNIFICANT:
            better = self.names[(difference > 0) == row.metrics[0].less_is_better]
            said = f"{better} is better by {size}; were the two equally good, chance would give"
            return f"{name}: {said} as much in {chance}."
        said = "it is open which is better; were the two equally good, chance would give"
        return f"{name}: {said} {size} or more in {chance}."

    def _cells(self, row: Row) -> list[str]:
        if row.comparison is None:
            return [row.name, f"{row.first:{self.form}}"]
        intervals = (row.first, row.second, row.comparison.difference)
        written = [f"{interval:{self.form}}" for interval in intervals]
        return [row.name, *written, f"{row.comparison.p_value:.3f}", f"{row.p_value:.3f}"]

    def _by_length(self, number: int, name: str) -> Iterator[list[str]]:
        which = f", {('first', 'second')[number]}" if name else ""
        yield [f"source words{which}", "sentences", *(row.name for row in self.rows)]
        for of_all in zip(*(row.buckets[number] for row in self.rows), strict=True):
            scores = (f"{each.score:{self.form}}" if each.score else "-" for each in of_all)
            yield [of_all[0].label, f"{of_all[0].sentences:,}", *scores]


def of_translations(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> list[Metric]:
    """Count what each sentence adds to BLEU, chrF and exact match (in per cent).

    Parameters
    ----------
    hypotheses, references
        As for `softalign.metrics.bleu`.

    Page: your_own_text
    """
    exact = exact_match_statistics(hypotheses, references)
    share = Statistics("exact match, %", exact.rows, lambda sums: 100 * exact.score(sums))
    b, c = bleu(hypotheses, references), chrf(hypotheses, references)
    return [
        Metric(b.name, bleu_statistics(hypotheses, references), b.signature, b.detail),
        Metric(c.name, chrf_statistics(hypotheses, references), c.signature),
        Metric(share.name, share),
    ]


def of_links(
    found: Sequence[Links], sure: Sequence[Links], possible: Sequence[Links]
) -> list[Metric]:
    """Count what each sentence adds to alignment error rate, precision and recall.

    Parameters
    ----------
    found, sure, possible
        As for `softalign.metrics.aer`.

    Page: your_own_text
    """
    error = aer_statistics(found, sure, possible)
    whole = aer(found, sure, possible)
    detail = (
        f"{whole.predicted:,} links found, {whole.possible_found:,} of them sure or possible; "
        f"{whole.sure:,} sure ones, {whole.sure_found:,} of them found"
    )
    rows = error.rows
    return [
        Metric(
            error.name,
            # what is drawn sums up to whole numbers, as floats
            Statistics(error.name, rows, lambda sums: error.score([round(n) for n in sums])),
            detail=detail,
            less_is_better=True,
        ),
        Metric(
            "precision",
            Statistics("precision", rows, lambda sums: sums[1] / sums[2] if sums[2] else 1.0),
        ),
        Metric(
            "recall",
            Statistics("recall", rows, lambda sums: sums[0] / sums[3] if sums[3] else 1.0),
        ),
    ]


def score(
    first: Sequence[Metric],
    second: Sequence[Metric] | None = None,
    *,
    names: Sequence[str],
    lengths: Sequence[int] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    form: str = ".2f",
) -> Scores:
    """Score one system, or two against each other, with intervals.

    Parameters
    ----------
    first, second : sequences of Metric
        The same metrics of the systems.
    names : sequence of str
        Of the systems.
    lengths : sequence of int, optional
        Of each source sentence, to score by length as well.
    resamples, seed : int
        Of `softalign.metrics.bootstrap` and its sisters.
    form : str
        How a score is written.

    Page: your_own_text
    """
    how = {"resamples": resamples, "seed": seed, "level": LEVEL}
    systems = [first] if second is None else [first, second]
    rows = []
    for pair in zip(*systems, strict=True):
        counts = [metric.statistics for metric in pair]
        row = {"metrics": pair, "first": bootstrap(counts[0], **how)}
        if second is not None:
            row["second"] = bootstrap(counts[1], **how)
            row["comparison"] = paired_bootstrap(*counts, **how)
            row["p_value"] = approximate_randomisation(*counts, trials=resamples, seed=seed)
        if lengths is not None:
            row["buckets"] = tuple(tuple(by_bucket(c, lengths, EDGES, **how)) for c in counts)
        rows.append(Row(**row))
    return Scores(tuple(rows), tuple(names), len(first[0].statistics), resamples, seed, form)


def _interval(interval: Interval) -> dict[str, float]:
    return {"score": interval.value, "low": interval.low, "high": interval.high}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _table(rows: Sequence[Sequence[str]] | Iterator[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:{'>' if k else '<'}{width}}"
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells)
