"""The two sides of an equation, and a third that is wrong."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

CASES = 3  # how many random cases each check is put through
RELATIONS: dict[str, Callable] = {
    "=": lambda left, right, rtol, atol: np.allclose(left, right, rtol=rtol, atol=atol),
    "<=": lambda left, right, rtol, atol: bool(np.all(left <= right + atol + rtol * abs(right))),
    "<": lambda left, right, rtol, atol: bool(np.all(left < right)),
}


@dataclass(frozen=True)
class Sides:
    """What one equality or inequality of an equation came to.

    Attributes
    ----------
    left, right : array
        The two sides. Tensors, lists and numbers are accepted.
    slip : array
        The right side as a typical mistake would have it: with it, the relation must not hold.
    relation : str
        One of `RELATIONS`.
    rtol, atol : float
        Relative and absolute tolerance.
    """

    left: object
    right: object
    slip: object
    relation: str = "="
    rtol: float = 1e-9
    atol: float = 1e-12

    def holds(self, right: object) -> bool:
        """Whether the left side stands in the relation to this right side."""
        one, other = (np.asarray(plain(side), float) for side in (self.left, right))
        finite = bool(np.isfinite(one).all() and np.isfinite(other).all() and one.size)
        fits = one.shape == other.shape or one.ndim == 0 or other.ndim == 0
        return finite and fits and RELATIONS[self.relation](one, other, self.rtol, self.atol)


Check = Callable[[np.random.Generator], Iterator[Sides]]
CHECKS: dict[str, Check] = {}


def check(label: str) -> Callable[[Check], Check]:
    """Register a function as the check of the equation with this label."""

    def register(function: Check) -> Check:
        if label in CHECKS:
            raise ValueError(f"{label} has a check already: {CHECKS[label].__name__}")
        CHECKS[label] = function
        return function

    return register


def plain(side: object) -> object:
    """A tensor as an array; all else as it is."""
    return side.detach().numpy() if hasattr(side, "detach") else side


def run(label: str, cases: int = CASES) -> list[list[Sides]]:
    """The sides of an equation, for each random case."""
    seed = zlib.crc32(label.encode())
    return [list(CHECKS[label](np.random.default_rng((seed, case)))) for case in range(cases)]


def complaints(cases: list[list[Sides]]) -> list[str]:
    """What is wrong: sides that differ, and slips that nobody would notice."""
    wrong = []
    for number, case in enumerate(cases):
        for place, sides in enumerate(case, 1):
            if not sides.holds(sides.right):
                wrong.append(f"case {number}, part {place}: the two sides differ")
            if sides.holds(sides.slip):
                wrong.append(f"case {number}, part {place}: a planted slip is not noticed")
        if not case:
            wrong.append(f"case {number}: nothing was compared")
    return wrong
