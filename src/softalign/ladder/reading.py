"""What the numbers of a ladder say, in words that are computed from them.

Page: your_own_text
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from softalign.ladder.record import Ladder, LengthGroup, Measured, Row

__all__ = [
    "apart",
    "best_for_time",
    "duration",
    "enumerated",
    "in_brackets",
    "length_range",
    "plain",
    "reading",
    "scored",
]

TOLD_APART = 0.05
"""A p-value below this tells two families apart."""
FEW = 50
"""With fewer held-out pairs than this, the intervals are too narrow (see `bootstrap`)."""
FEW_IN_GROUP = 20
"""The BLEU of fewer pairs is not worth a sentence."""
NOTICEABLE = 0.01
"""A share of translations without an end that is worth a sentence."""
HALF_LEVEL = 0.05
"""A difference that would be printed as 0.0."""


def plain(text: str) -> str:
    """Return text that a terminal shows as it is: on one line, without control characters.

    >>> plain("a\\tb\\x1b[2J")
    'a b [2J'

    Page: your_own_text
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def enumerated(parts: Iterable[str]) -> str:
    """Join words as a sentence does.

    >>> enumerated(["rnn", "lstm", "attention"])
    'rnn, lstm and attention'

    Page: your_own_text
    """
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def duration(seconds: float) -> str:
    """Return seconds as people say them.

    >>> [duration(s) for s in (0.04, 2.35, 59.7, 95.0, 3600.0, 5025.0, 200_000.0)]
    ['0.04 s', '2.4 s', '1 min', '1 min 35 s', '1 h', '1 h 24 min', '55 h 33 min']

    Page: your_own_text
    """
    if seconds < 59.5:
        return f"{seconds:.2f} s" if seconds < 0.95 else f"{seconds:.2g} s"
    large, small, names = (*divmod(round(seconds), 60), ("min", "s"))
    if seconds >= 3599.5:
        large, small, names = (*divmod(round(seconds / 60), 60), ("h", "min"))
    return f"{large} {names[0]}" + (f" {small} {names[1]}" if small else "")


def in_brackets(score: Measured, scale: float = 1.0) -> str:
    """Return a score with its interval.

    >>> in_brackets(Measured(38.12, 36.94, 39.4))
    '38.1 [36.9, 39.4]'

    Page: your_own_text
    """
    value, low, high = (f"{scale * part:.1f}" for part in (score.value, score.low, score.high))
    return f"{value} [{low}, {high}]"


def scored(ladder: Ladder, metric: str = "bleu") -> list[Row]:
    """Return the rows that have a metric, the best first; equal ones stay in their order.

    Page: your_own_text
    """
    rows = [row for row in ladder.rows if metric in row.metrics]
    return sorted(rows, key=lambda row: -row.metrics[metric].value)


def apart(ladder: Ladder, first: str, second: str) -> tuple[bool, float] | None:
    """Return whether resampling tells two families apart, and the p-value; None if not compared.

    Page: your_own_text
    """
    for pair in ladder.comparisons:
        if {pair.first, pair.second} == {first, second}:
            return pair.p_value < TOLD_APART, pair.p_value
    return None


def best_for_time(ladder: Ladder) -> list[Row]:
    """Return the rows that no other beats in at most their training time, the fastest first.

    Page: your_own_text
    """
    timed = [row for row in ladder.rows if "bleu" in row.metrics and row.train_seconds is not None]
    timed.sort(key=lambda row: (row.train_seconds, -row.metrics["bleu"].value))
    best: list[Row] = []
    for row in timed:
        if not best or row.metrics["bleu"].value > best[-1].metrics["bleu"].value:
            best.append(row)
    return best


def length_range(ladder: Ladder) -> dict[str, tuple[LengthGroup, LengthGroup]]:
    """Return for each family the shortest and the longest group of sources that has a score.

    Groups with few pairs are passed over, and families whose two groups are not those of the
    others.

    Page: your_own_text
    """
    found = {}
    for row in ladder.rows:
        groups = [g for g in row.by_length if g.bleu is not None and g.count >= FEW_IN_GROUP]
        if len(groups) > 1 and groups[0].bleu:
            found[row.family] = (groups[0], groups[-1])
    ends = [(short.label, long.label) for short, long in found.values()]
    usual = max(ends, key=ends.count, default=None)
    return {name: pair for name, pair in found.items() if (pair[0].label, pair[1].label) == usual}


def reading(ladder: Ladder) -> list[str]:
    """Say in sentences what the numbers say.

    Parameters
    ----------
    ladder : Ladder
        What was measured.

    Returns
    -------
    list of str
        One sentence or a few that belong together; at least one entry.

    Page: your_own_text
    """
    rows = scored(ladder)
    said = [*_scores(ladder, rows), *_other_metrics(ladder, rows), *_times(ladder, rows)]
    said += [*_lengths(ladder), *_endless(ladder), *_states(ladder)]
    if rows and ladder.corpus.test < FEW:
        said.append(
            f"There are only {ladder.corpus.test:,} held-out pairs: with fewer than {FEW}, "
            "the intervals are too narrow to be trusted."
        )
    return said


def _scores(ladder: Ladder, rows: Sequence[Row]) -> Iterable[str]:
    if not rows:
        yield "No family has a score yet."
        return
    best, *others = rows
    pairs = f"on {_counted(ladder.corpus.test, 'held-out pair')}"
    score = in_brackets(best.metrics["bleu"])
    if not others:
        yield f"{best.family} is the only family with a score: {score} BLEU {pairs}."
        return
    yield f"{best.family} has the most BLEU, {score}, {pairs}."
    clear, unclear, unknown = [], [], []
    for row in others:
        below = best.metrics["bleu"].value - row.metrics["bleu"].value
        gap = f"{below:.1f}" if below >= HALF_LEVEL else "less than 0.1" if below else "0.0"
        verdict = apart(ladder, best.family, row.family)
        if verdict is None:
            unknown.append(f"{row.family} ({gap} below)")
        elif verdict[0]:
            clear.append(f"{row.family} ({gap} below, {_p(verdict[1])})")
        else:
            place = f"is {gap} below it" if below else "has as much"
            unclear.append(f"{row.family} {place}, which resampling does not tell apart")
            unclear[-1] += f" ({_p(verdict[1])})"
    if unclear:
        yield "; ".join(unclear) + "."
    if clear:
        yield f"Resampling tells it apart from {enumerated(clear)}."
    if unknown:
        yield f"Not compared with it by resampling: {enumerated(unknown)}."


def _other_metrics(ladder: Ladder, rows: Sequence[Row]) -> Iterable[str]:
    for metric, name, scale, unit in (
        ("chrf", "chrF", 1.0, ""),
        ("exact", "exact matches", 100.0, " %"),
    ):
        order = scored(ladder, metric)
        if len(order) < 2 or not order[0].metrics[metric].value:
            continue
        first = order[0]
        value = f"{scale * first.metrics[metric].value:.1f}{unit}"
        if order[0].metrics[metric].value == order[1].metrics[metric].value:
            equal = [r for r in order if r.metrics[metric].value == first.metrics[metric].value]
            names = enumerated(row.family for row in equal)
            yield f"By {name}, {names} are level with {value}."
        elif rows and first.family == rows[0].family:
            yield f"By {name}, too, {first.family} comes first, with {value}."
        else:
            yield f"By {name}, {first.family} comes first instead, with {value}."


def _times(ladder: Ladder, rows: Sequence[Row]) -> Iterable[str]:
    best = best_for_time(ladder)
    timed = [row for row in rows if row.train_seconds is not None]
    if len(timed) < 2:
        return
    steps = [
        f"{row.family} ({row.metrics['bleu'].value:.1f} after {duration(row.train_seconds or 0)})"
        for row in best
    ]
    beaten = [row.family for row in ladder.rows if row in timed and row not in best]
    if len(best) == 1:
        yield f"{steps[0]} has both the shortest training and the most BLEU."
        return
    yield f"Whoever has more time gets more BLEU from {enumerated(steps)}."
    if beaten:
        yield (
            f"{enumerated(beaten)} {'are' if len(beaten) > 1 else 'is'} not among them: "
            "another family has at least as much BLEU after a training that was no longer."
        )


WORTH_KEEPING = 5.0
"""BLEU of short sentences below which nothing is said about what is left of it."""


def _lengths(ladder: Ladder) -> Iterable[str]:
    found = length_range(ladder)
    if len(found) < 2:
        return
    kept = {
        name: (long.bleu or 0) / short.bleu
        for name, (short, long) in found.items()
        if (short.bleu or 0) >= WORTH_KEEPING
    }
    if len(kept) < 2:
        return
    least, most = min(kept, key=kept.__getitem__), max(kept, key=kept.__getitem__)
    if kept[least] == kept[most]:
        return
    parts = []
    for name, word in ((least, "least"), (most, "most")):
        (short, long), share = found[name], f"{100 * kept[name]:.0f} %"
        parts.append(
            f"{name} keeps {word} of its BLEU, {long.bleu:.1f} of {short.bleu:.1f} ({share})"
        )
    yield (
        f"From sources of {short.label} words ({short.count:,} pairs) to those of {long.label} "
        f"({long.count:,} pairs), {'; '.join(parts)}."
    )


def _endless(ladder: Ladder) -> Iterable[str]:
    parts = [
        f"{row.family} {100 * row.unfinished:.0f} %"
        for row in ladder.rows
        if row.unfinished is not None and row.unfinished >= NOTICEABLE
    ]
    if parts:
        yield f"Translations that were cut off because they did not end: {enumerated(parts)}."


def _states(ladder: Ladder) -> Iterable[str]:
    for row in ladder.rows:
        reason = plain(row.reason).rstrip(".")
        because = f": {reason}" if reason else ""
        if row.state == "failed":
            yield f"{row.family} failed{because}."
        elif row.state == "left out":
            yield f"{row.family} was left out{because}."
    running = [row.family for row in ladder.rows if row.state == "running"]
    if running:
        were = "were" if len(running) > 1 else "was"
        yield f"{enumerated(running)} {were} still running when this was written."


def _p(value: float) -> str:
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < TOLD_APART else f"p = {value:.2f}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
