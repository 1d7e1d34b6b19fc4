"""The four figures of a ladder, as SVG that is the same bytes for the same numbers.

Page: your_own_text
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from softalign.ladder.captions import (
    caption_lengths,
    caption_scores,
    caption_times,
    caption_training,
)
from softalign.ladder.drawing import (
    INK,
    Drawing,
    new_figure,
    saved,
    settings,
    style_of,
    write_drawings,
)
from softalign.ladder.reading import best_for_time, duration, scored
from softalign.ladder.record import Ladder

__all__ = ["draw", "write_drawings"]

Place = tuple[float, float]

POINTS = 150
"""A longer curve is drawn as so many means."""
NEAR = 12
"""Points from a mark to its name, in the first place that is tried."""
SECONDS, MINUTES, HOURS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30), (1, 3, 10, 30), (1, 3, 10, 30, 100)
TICKS = (*map(float, SECONDS), *(60.0 * n for n in MINUTES), *(3600.0 * n for n in HOURS))


def draw(ladder: Ladder) -> list[Drawing]:
    """Draw what there are numbers for.

    Parameters
    ----------
    ladder : Ladder
        What was measured.

    Returns
    -------
    list of Drawing
        At most four: "bleu", "time", "length" and "training", in this order.

    Page: your_own_text
    """
    found = scored(ladder)
    kinds: list[tuple[str, str, bool, Callable, Callable]] = [
        ("bleu", "BLEU by family", bool(found), _scores, caption_scores),
        (
            "time",
            "BLEU against the time of training",
            any(row.train_seconds is not None for row in found),
            _times,
            caption_times,
        ),
        (
            "length",
            "BLEU by the length of the source",
            any(group.bleu is not None for row in ladder.rows for group in row.by_length),
            _lengths,
            caption_lengths,
        ),
        (
            "training",
            "The course of the training",
            any(row.losses or row.validations for row in ladder.rows),
            _training,
            caption_training,
        ),
    ]
    drawings = []
    for name, title, has_numbers, plot, caption in kinds:
        if has_numbers:
            with settings(name):
                svg = saved(plot(ladder))
            drawings.append(Drawing(name, title, caption(ladder), svg))
    return drawings


def _scores(ladder: Ladder) -> Any:
    """A mark with its interval for each family, in the order of the rows."""
    rows = [row for row in ladder.rows if "bleu" in row.metrics]
    figure, ax = new_figure(0.9 + 0.38 * len(rows))
    for place, row in enumerate(rows):
        score, look = row.metrics["bleu"], style_of(ladder, row.family)
        ends = {"color": look["color"], "lw": 2, "marker": "|", "ms": 9, "mew": 1.6}
        ax.plot([score.low, score.high], [place] * 2, **ends)
        ax.plot(score.value, place, color=look["color"], marker=look["marker"], ms=6.5)
        where = {"xytext": (9, 0), "textcoords": "offset points", "va": "center"}
        right = max(score.high, score.value)
        ax.annotate(f"{score.value:.1f}", (right, place), fontsize=10.5, **where)
    ax.set_yticks(range(len(rows)), [_literal(row.family) for row in rows], fontsize=11)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    top = max(max(row.metrics["bleu"].high, row.metrics["bleu"].value) for row in rows)
    ax.set_xlim(0, max(top * 1.12, 1))
    ax.set_xlabel("BLEU")
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    return figure


def _times(ladder: Ladder) -> Any:
    rows = [row for row in scored(ladder) if row.train_seconds is not None]
    figure, ax = new_figure(3.5)
    places = [(max(row.train_seconds or 0, TICKS[0]), row.metrics["bleu"].value) for row in rows]
    ax.set_xscale("log")
    front = [
        place
        for row, place in zip(rows, places, strict=True)
        if row.family in {best.family for best in best_for_time(ladder)}
    ]
    front.sort()
    ax.plot(*zip(*front, strict=True), color=INK, lw=1, ls=(0, (4, 3)), alpha=0.6)
    for row, place in zip(rows, places, strict=True):
        look = style_of(ladder, row.family)
        ax.plot(*place, color=look["color"], marker=look["marker"], ms=9, ls="none")
    first, last = _room([seconds for seconds, _ in places])
    ax.set_xlim(first, last)
    ax.set_ylim(0, max(max(score for _, score in places) * 1.2, 1))
    ticks = [tick for tick in TICKS if first <= tick <= last]
    ticks = ticks[:: math.ceil(len(ticks) / 6)]
    ax.set_xticks(ticks, [duration(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("time of training (logarithmic)")
    ax.set_ylabel("BLEU")
    names = [(row.family, style_of(ladder, row.family)["color"]) for row in rows]
    _label(ax, places, names, front)
    return figure


def _room(times: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis of time: a factor of ten at least, and room for a name on the right."""
    middle = math.sqrt(min(times) * max(times))
    half = math.sqrt(max(max(times) / min(times), 10))
    return middle / half**1.2, middle * half**1.7


def _label(
    ax: Any, places: Sequence[Place], names: Sequence[tuple[str, str]], line: Sequence[Place]
) -> None:
    """Write names beside points: the nearest place that is free, a thin line to one far away."""
    from matplotlib.path import Path
    from matplotlib.transforms import Bbox

    ax.figure.draw_without_rendering()  # the axes get their place
    renderer = ax.figure.canvas.get_renderer()
    scale = ax.figure.dpi / 72
    frame = ax.get_window_extent(renderer)
    path = Path(ax.transData.transform(line))
    taken = [
        Bbox.from_extents(x, y, x, y).padded(6 * scale) for x, y in ax.transData.transform(places)
    ]
    for place, (name, colour) in zip(places, names, strict=True):
        look = {"textcoords": "offset points", "va": "center", "color": colour}
        text = ax.annotate(_literal(name), place, (0, 0), **look)
        for away, right, up in _around():
            text.set_ha({-1: "right", 0: "center", 1: "left"}[right])
            text.set_position((right * away, up * away))
            box = text.get_window_extent(renderer).padded(1.5 * scale)
            inside = Bbox.intersection(frame, box)
            if inside is None or not (inside.extents == box.extents).all():
                continue
            if path.intersects_bbox(box, filled=False) or any(map(box.overlaps, taken)):
                continue
            break
        taken.append(box)
        if away > NEAR:
            arrow = {"arrowstyle": "-", "color": colour, "lw": 0.7, "shrinkB": 5}
            ax.annotate(
                "", place, text.get_position(), textcoords="offset points", arrowprops=arrow
            )


def _around() -> Iterator[tuple[int, int, int]]:
    """Places around a point, from near to far; below before above, as the best come first."""
    for away in range(NEAR, 220, 6):
        for right, up in ((1, 0), (-1, 0), (1, -1), (-1, -1), (0, -1), (1, 1), (-1, 1), (0, 1)):
            yield away, right, up


def _lengths(ladder: Ladder) -> Any:
    figure, ax = new_figure(3.7)
    labels = list(dict.fromkeys(group.label for row in ladder.rows for group in row.by_length))
    counts = {group.label: group.count for row in ladder.rows for group in row.by_length}
    for row in ladder.rows:
        if any(group.bleu is not None for group in row.by_length):
            scores = {group.label: group.bleu for group in row.by_length}
            values = [math.nan if scores.get(one) is None else scores[one] for one in labels]
            ax.plot(values, label=_literal(row.family), **style_of(ladder, row.family))
    ax.set_xticks(range(len(labels)), [f"{_literal(one)}\n({counts[one]:,})" for one in labels])
    ax.set_xlim(-0.3, len(labels) - 0.7)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("words in the source (pairs)")
    ax.set_ylabel("BLEU")
    _legend(figure, ax)
    return figure


def _training(ladder: Ladder) -> Any:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    panels = [
        (kind, label)
        for kind, label in (("losses", "training loss"), ("validations", "validation perplexity"))
        if any(getattr(row, kind) for row in ladder.rows)
    ]
    figure, axes = new_figure(1.4 + 1.9 * len(panels), len(panels))
    axes = list(axes) if len(panels) > 1 else [axes]
    for ax, (kind, label) in zip(axes, panels, strict=True):
        for row in ladder.rows:
            if curve := _thinned(getattr(row, kind)):
                every = {"markevery": max(1, len(curve) // 6)}
                look = style_of(ladder, row.family) | every
                ax.plot(*zip(*curve, strict=True), label=_literal(row.family), **look)
        ax.set_ylabel(label)
    if panels[-1][0] == "validations":
        axes[-1].set_yscale("log")
        axes[-1].yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes[-1].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes[-1].yaxis.set_minor_formatter(NullFormatter())
    axes[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes[-1].set_xlabel("step of training")
    _legend(figure, axes)
    return figure


def _thinned(curve: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """Means of neighbouring points, so many that the line has at most `POINTS`."""
    size = max(1, math.ceil(len(curve) / POINTS))
    blocks = [curve[start : start + size] for start in range(0, len(curve), size)]
    return [
        (sum(step for step, _ in block) / len(block), sum(y for _, y in block) / len(block))
        for block in blocks
    ]


def _legend(figure: Any, axes: Any) -> None:
    """One legend above all panels, each family once."""
    found: dict[str, Any] = {}
    for ax in axes if isinstance(axes, list) else [axes]:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    options = {"loc": "outside upper center", "ncols": 3, "handlelength": 3.2}
    figure.legend(list(found.values()), list(found), **options)


def _literal(text: str) -> str:
    """A dollar begins no formula."""
    return text.replace("$", r"\$")
