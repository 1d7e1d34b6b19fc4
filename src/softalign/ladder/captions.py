"""What each figure of a ladder shows, in words that are computed from its numbers.

Page: your_own_text
"""

from __future__ import annotations

from softalign.ladder.reading import best_for_time, duration, enumerated, in_brackets, scored
from softalign.ladder.record import Ladder, Row

__all__ = [
    "caption_lengths",
    "caption_scores",
    "caption_times",
    "caption_training",
    "lowest",
]


def caption_scores(ladder: Ladder) -> str:
    """Say which family has which BLEU.

    Page: your_own_text
    """
    parts = [f"{row.family} {in_brackets(row.metrics['bleu'])}" for row in scored(ladder)]
    return (
        f"BLEU of the held-out pairs with its interval, from the most to the least: "
        f"{enumerated(parts)}.{_missing(ladder, {row.family for row in scored(ladder)})}"
    )


def caption_times(ladder: Ladder) -> str:
    """Say what each family reaches in which time.

    Page: your_own_text
    """
    rows = [row for row in scored(ladder) if row.train_seconds is not None]
    rows.sort(key=lambda row: row.train_seconds or 0)
    parts = [
        f"{row.family} {row.metrics['bleu'].value:.1f} after {duration(row.train_seconds or 0)}"
        for row in rows
    ]
    best = [row.family for row in best_for_time(ladder)]
    line = ""
    if len(best) > 1:
        line = f" The dashed line joins those that none beats in less time: {enumerated(best)}."
    names = {row.family for row in rows}
    return (
        "BLEU against the time of training, whose axis is logarithmic, from the shortest to the "
        f"longest: {enumerated(parts)}.{line}{_missing(ladder, names)}"
    )


def caption_lengths(ladder: Ladder) -> str:
    """Say where each family begins and ends from short to long sources.

    Page: your_own_text
    """
    parts, names = [], set()
    for row in ladder.rows:
        groups = [group for group in row.by_length if group.bleu is not None]
        if groups:
            names.add(row.family)
            short, long = groups[0], groups[-1]
            ends = f"{row.family} {short.bleu:.1f} ({short.label})"
            parts.append(ends if short is long else f"{ends} to {long.bleu:.1f} ({long.label})")
    return (
        "BLEU by the number of words in the source, from the shortest to the longest sources: "
        f"{enumerated(parts)}.{_missing(ladder, names)}"
    )


def caption_training(ladder: Ladder) -> str:
    """Say from where to where losses fall, and where the validation perplexity is lowest.

    Page: your_own_text
    """
    losses = [
        f"{row.family} from {row.losses[0][1]:.2f} to {row.losses[-1][1]:.2f}"
        for row in ladder.rows
        if row.losses
    ]
    validations, names = [], set()
    for row in ladder.rows:
        if row.losses or row.validations:
            names.add(row.family)
        if row.validations:
            step, value = lowest(row)
            last_step, last = row.validations[-1]
            text = f"{row.family} {value:.4g} at step {step:,}"
            if step != last_step:
                text += f" ({last:.4g} at the end)"
            validations.append(text)
    said = f"Training loss by step: {enumerated(losses)}." if losses else ""
    if validations:
        said += f" Lowest perplexity of the validation pairs: {enumerated(validations)}."
    return said.strip() + _missing(ladder, names)


def lowest(row: Row) -> tuple[int, float]:
    """Return the step at which the validation perplexity was lowest, and the perplexity.

    Page: your_own_text
    """
    return min(row.validations, key=lambda pair: pair[1])


def _missing(ladder: Ladder, shown: set[str]) -> str:
    """Name the families that a figure does not show."""
    missing = [row.family for row in ladder.rows if row.family not in shown]
    return f" Not in the figure, for want of numbers: {enumerated(missing)}." if missing else ""
