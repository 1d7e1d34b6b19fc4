"""What the two axes of a panel say: scale, label, names in place of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.category import StrCategoryFormatter
from matplotlib.ticker import FixedLocator

# A value belongs to the tick whose label it stands under: groups of bars stand beside their tick.
REACH = 0.45


def plain(text: Any) -> str:
    """Text on one line; a word that was written downwards is put together again."""
    parts = str(text).strip().split("\n")
    upright = len(parts) > 1 and all(len(part) == 1 for part in parts)
    return ("" if upright else " ").join(part.strip() for part in parts).strip()


def number(text: str) -> float | None:
    """The number that a tick's label writes, or None if it writes something else."""
    bare = text.strip().strip("$").replace("−", "-").replace(",", "")
    try:
        return float(bare.removesuffix("%")) / (100 if bare.endswith("%") else 1)
    except ValueError:
        return None


def repeats(text: str, values: Iterable[Any]) -> bool:
    """Whether a text only writes one of some values, as far as its digits go."""
    written = number(text)
    if written is None:
        return False
    half = 0.5 * 10.0 ** -len(text.strip("$% ").partition(".")[2])
    return any(abs(written - float(value)) <= 1.01 * half for value in values)


def rounded(value: Any) -> int | float | str | None:
    """A number as it is kept: ten digits, no NaN (None), infinities in words, as JSON needs it."""
    value = float(value)
    if np.isnan(value):
        return None
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    short = float(f"{value:.10g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


@dataclass(frozen=True)
class Scale:
    """One axis of a panel: its label, and the names at its ticks, if they are names."""

    label: str
    places: tuple[float, ...]
    names: tuple[str, ...]
    transform: Any
    readable: bool

    def __call__(self, value: float) -> int | float | str | None:
        """The name a value stands under; without one, the value itself."""
        if self.names and np.isfinite(value):
            ticks = self.transform.transform(np.array(self.places))
            steps = np.diff(np.sort(ticks))
            steps = steps[steps > 0]
            off = np.abs(ticks - self.transform.transform(np.array([value])))
            nearest = int(np.argmin(off))
            if off[nearest] <= REACH * (steps.min() if len(steps) else 1.0):
                return self.names[nearest]
        return rounded(value)

    def all(self, values: Sequence[float] | np.ndarray) -> list[int | float | str | None]:
        """The names, or numbers, of several values."""
        return [self(value) for value in values]


def read_scale(axis: Any, siblings: Sequence[Any] = ()) -> Scale:
    """Read an axis; `siblings` are those it shares its scale with, of which one has the label.

    An axis without ticks and without a label has no scale: what is drawn along it has a place, but
    no value.
    """
    labels = [plain(one.get_label_text()) for one in (axis, *siblings)]
    ticks = np.asarray(axis.get_majorticklocs(), dtype=float)
    scale = {
        "label": next(filter(None, labels), ""),
        "transform": axis.get_transform(),
        "readable": bool(len(ticks) or labels[0]),
    }
    names: list[str] = []
    formatter, fixed = (
        axis.get_major_formatter(),
        isinstance(axis.get_major_locator(), FixedLocator),
    )
    if fixed or isinstance(formatter, StrCategoryFormatter):
        names = [plain(name) for name in formatter.format_ticks(ticks)]
    pairs = [(float(x), name) for x, name in zip(ticks, names, strict=False) if name]
    numbers = [number(name) for _, name in pairs]
    if all(n is not None and np.isclose(n, x) for n, (x, _) in zip(numbers, pairs, strict=True)):
        pairs = []  # the labels write the values themselves
    return Scale(places=tuple(x for x, _ in pairs), names=tuple(n for _, n in pairs), **scale)
