"""The report as a table on the screen, and as one HTML file that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence

from report_scores import GOALS, Measurement

HEAD = ("page", "form", "perf", "acc", "best", "seo", "LCP s", "CLS", "TBT ms", "kB")
STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 1rem auto; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #8886; text-align: right; }
th:first-child, td:first-child { text-align: left; font-weight: normal; }
.missed { font-weight: bold; text-decoration: underline wavy #c22; }
code { overflow-wrap: anywhere; }
"""


def cells(m: Measurement) -> list[str]:
    """A measurement as the texts of its row."""
    points = [str(m.scores[name]) for name in GOALS]
    sizes = [f"{m.lcp_s:.2f}", f"{m.cls:.3f}", f"{m.tbt_ms:.0f}", f"{m.kilobytes:.0f}"]
    return [m.page, m.form, *points, *sizes]


def line(texts: Sequence[str], width: int) -> str:
    """A row of the table on the screen."""
    numbers = "".join(f"{text:>7}" for text in texts[2:])
    return f"{texts[0]:<{width}} {texts[1]:<8}{numbers}"


def summary(measurements: Sequence[Measurement]) -> str:
    """One sentence: how many reach all goals."""
    good = sum(not m.missed() for m in measurements)
    goals = "/".join(str(goal) for goal in GOALS.values())
    return f"{good} of {len(measurements)} measurements reach {goals}."


def costs(measurements: Sequence[Measurement]) -> list[tuple[str, str, float, list[str], list]]:
    """Each audit that costs points anywhere: title, category, most points, pages, places."""
    found: dict[tuple[str, str], list] = {}
    for m in measurements:
        for loss in m.losses:
            found.setdefault((loss.category, loss.audit), []).append((m, loss))
    rows = []
    for (category, _), pairs in found.items():
        most = max(loss.points for _, loss in pairs)
        title = pairs[0][1].title.split(": ")[0] if category == "performance" else pairs[0][1].title
        pages = [f"{m.page} ({m.form}, {loss.points:g})" for m, loss in pairs]
        seen = list(dict.fromkeys(place for _, loss in pairs for place in loss.where))
        rows.append((title, category, most, pages, seen[:8]))
    order = list(GOALS)
    return sorted(rows, key=lambda row: (order.index(row[1]), -row[2]))


def told(measurements: Sequence[Measurement]) -> list[str]:
    """What costs points, as lines for the screen."""
    lines = []
    for title, category, most, pages, seen in costs(measurements):
        lines.append(f"{category}: {title}: up to {most:g} points, {len(pages)} measurements")
        lines += [f"    {place}" for place in seen[:3]]
    return lines


def page(measurements: Sequence[Measurement], version: str) -> str:
    """The whole report as HTML."""
    e = html.escape
    head = "".join(f'<th scope="col">{e(text)}</th>' for text in HEAD)
    rows = []
    for m in measurements:
        points = list(zip(GOALS, cells(m)[2:6], strict=True))
        marked = [
            f'<td class="missed" title="goal {GOALS[n]}">{t}</td>'
            if n in m.missed()
            else f"<td>{t}</td>"
            for n, t in points
        ]
        rest = "".join(f"<td>{t}</td>" for t in cells(m)[6:])
        rows.append(
            f'<tr><th scope="row">{e(m.page)}</th><td>{m.form}</td>{"".join(marked)}{rest}</tr>'
        )
    audits = "".join(
        f"<li><strong>{e(title)}</strong> ({e(category)}, up to {most:g} points)"
        f"<details><summary>{len(pages)} measurements</summary><p>{e('; '.join(pages))}</p>"
        f"<ul>{''.join(f'<li><code>{e(text)}</code></li>' for text in seen)}</ul></details></li>"
        for title, category, most, pages, seen in costs(measurements)
    )
    hints: dict[str, int] = {}
    for m in measurements:
        for hint in m.hints:
            name = hint.split(" · ")[0]
            hints[name] = hints.get(name, 0) + 1
    advice = "".join(f"<li>{e(n)} ({count} measurements)</li>" for n, count in hints.items())
    goals = ", ".join(f"{name} {goal}" for name, goal in GOALS.items())
    index = sorted(m.benchmark for m in measurements)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Site report</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Site report</h1>"
        f"<p>{e(summary(measurements))} Goals: {e(goals)}. Lighthouse {e(version)}, a slow phone"
        f" and a desktop computer simulated, each page from an empty cache. Speed depends on the"
        f" machine that measures: its benchmark index was"
        f" {index[0]:.0f} to {index[-1]:.0f}.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Points"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f"<h2>What costs points</h2><ul>{audits or '<li>Nothing.</li>'}</ul>"
        f"<h2>What Lighthouse advises for speed</h2><ul>{advice or '<li>Nothing.</li>'}</ul>"
        "</main></body></html>\n"
    )
