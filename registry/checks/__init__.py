"""A check for every numbered equation of the book: both sides computed, and a wrong side beside.

A check is a function that takes a numpy generator and yields `Sides`. It is registered under the
label of its equation. `run` draws several cases and says what fails.
"""

from registry.checks import (
    alignment,
    attention,
    basics,
    counting,
    gradients,
    recurrence,
    transformer,
    translation,
)
from registry.checks.sides import CASES, CHECKS, RELATIONS, Sides, complaints, run

__all__ = [
    "CASES",
    "CHECKS",
    "RELATIONS",
    "Sides",
    "alignment",
    "attention",
    "basics",
    "complaints",
    "counting",
    "gradients",
    "recurrence",
    "run",
    "transformer",
    "translation",
]
