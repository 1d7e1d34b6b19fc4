"""The table of a run, and the file that the page of the book reads."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from field import peers
from field.contest import Contest, Contestant, ratio

HERE = ("torch", "numpy", "nltk", "kenlm")
"""Packages of the book's environment whose versions are stored; the peers have their own."""

BUSY = 0.5
"""Processes besides the one measured, on average, from which on a machine counts as busy."""


# --- what is stored -------------------------------------------------------------------------------


def as_stored(contests: Sequence[Contest], about: Mapping[str, object]) -> dict:
    """All that was measured, in plain values that JSON has; numbers to four digits."""
    return {**about, "contests": [_contest(contest) for contest in contests]}


def _contest(contest: Contest) -> dict:
    same = contest.same and {**asdict(contest.same), "difference": short(contest.same.difference)}
    return {
        "name": contest.name,
        "title": contest.title,
        "task": contest.task,
        "unit": contest.unit,
        "same": same,
        "rows": [_row(contest, contestant) for contestant in contest.contestants],
    }


def _row(contest: Contest, contestant: Contestant) -> dict:
    first, speeds = contest.contestants[0], contestant.speeds
    found = ratio(first.speeds, speeds) if contestant is not first else None
    seconds = [seconds for _, seconds in contestant.rounds]
    return {
        "name": contestant.name,
        "setting": contestant.setting,
        "rounds": len(speeds),
        "speed": short(statistics.median(speeds)) if speeds else None,
        "seconds": short(statistics.median(seconds)) if seconds else None,
        "ratio": found and {name: short(value) for name, value in asdict(found).items()},
        "results": {name: short(value) for name, value in contestant.results.items()},
        "absent": contestant.absent,
    }


def short(number: float) -> float:
    """A number to four digits that count.

    >>> short(123456.7), short(0.00123456)
    (123500.0, 0.001235)
    """
    return float(f"{number:.4g}")


def about(rounds: int, seconds: float, loads: Sequence[float]) -> dict:
    """Date, machine, versions, and whether others were at work; `loads` are processes at a time."""
    others = short(max(0.0, statistics.mean(loads) - 1)) if loads else None
    return {
        "date": datetime.date.today().isoformat(),
        "busy": None if others is None else others > BUSY,
        "others": others,
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "versions": versions(),
        "rounds": rounds,
        "seconds": round(seconds),
    }


def processor() -> str:
    """Name of the processor, as well as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def load() -> list[float]:
    """How many processes have wanted to work, over the last minute; none where nobody counts."""
    return [os.getloadavg()[0]] if hasattr(os, "getloadavg") else []


def versions() -> dict[str, str]:
    """Versions of Python, of the book's packages and of the peers, those that are there."""
    found = {"python": platform.python_version()}
    for name in HERE:
        try:
            found[name] = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            continue
    return found | peers.versions()


def write(stored: Mapping, path: Path) -> None:
    """Write the file under another name, then give it its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".bench-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            json.dump(stored, file, ensure_ascii=False, allow_nan=False, indent=1)
            file.write("\n")
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


# --- what is printed ------------------------------------------------------------------------------


def render(stored: Mapping) -> str:
    """The table, with a line in front that says when, where and with what."""
    machine, rounds = stored["machine"], stored["rounds"]
    others = stored["others"]
    load = "not known" if others is None else f"{others:g}"
    lines = [
        f"{stored['date']}, {machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"one thread, rounds: {rounds}, minutes: {stored['seconds'] / 60:.0f}",
        ", ".join(f"{name} {version}" for name, version in stored["versions"].items()),
        f"Others at work meanwhile: {load} processes on average"
        + ("; the machine was busy." if stored["busy"] else "."),
        "Medians over the rounds, in CPU time; of the ratios, the least and the largest, too.",
        "",
        f"{'':43s}{'CPU s':>8s}{'speed':>13s} {'unit':14s}{'ours / this one':>24s}  result",
    ]
    for contest in stored["contests"]:
        lines += ["", f"{contest['title']}: {contest['task']}"]
        lines += [_line(row, contest["unit"]) for row in contest["rows"]]
        if same := contest["same"]:
            lines.append(f"  the same: {same['what']} differ by {same['difference']:.2g} at most")
    return "\n".join(lines)


def _line(row: Mapping, unit: str) -> str:
    name = f"{row['name']}, {row['setting']}" if row["setting"] else row["name"]
    if row["speed"] is None:
        return f"  {name:41s}{'–':>8s}{'–':>13s} {unit:14s}{'–':>24s}  {row['absent']}".rstrip()
    results = ", ".join(f"{key} {value:.4g}" for key, value in row["results"].items())
    speed = f"{row['speed']:,.0f}" if row["speed"] >= 100 else f"{row['speed']:.3g}"
    return (
        f"  {name:41s}{row['seconds']:8.3g}{speed:>13s} {unit:14s}"
        f"{spread(row['ratio']):>24s}  {results}"
    ).rstrip()


def spread(found: Mapping[str, float] | None) -> str:
    """A ratio with its range.

    >>> spread({"median": 2.0, "low": 1.5, "high": 3.25})
    '2.00 (1.50–3.25)'
    """
    if not found:
        return ""
    median, low, high = (
        f"{found[name]:,.0f}"
        if found[name] >= 100
        else f"{found[name]:.3g}"
        if found[name] >= 10
        else f"{found[name]:.2f}"
        for name in ("median", "low", "high")
    )
    return f"{median} ({low}–{high})"
