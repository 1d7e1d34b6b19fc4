"""What one may choose of a system before it is trained.

Page: your_own_text
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["FAMILIES", "NEURAL", "STATISTICAL", "Settings"]

STATISTICAL = ("word-for-word", "phrases")
NEURAL = ("rnn", "lstm", "attention", "transformer")
FAMILIES: Mapping[str, str] = {
    "word-for-word": "each word by its likeliest translation",
    "phrases": "linked phrases, a 5-gram language model, tuned weights",
    "rnn": "recurrent encoder-decoder, plain cells, in both directions",
    "lstm": "recurrent encoder-decoder, LSTM cells, in both directions",
    "attention": "GRU cells in both directions, additive attention",
    "transformer": "2 + 2 layers, rotary positions, layer norm before each part",
}
"""The families, in the order of the book."""
RATES: Mapping[str, float] = {"rnn": 2e-3, "lstm": 3e-3, "attention": 3e-3, "transformer": 3e-3}
PASSES, FEWEST_STEPS = 12, 1_000
"""Without a number of steps or a budget: so many times through the pairs, but no fewer steps."""


@dataclass(frozen=True)
class Settings:
    """All that a trained system depends on besides its text.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    src_tokens, tgt_tokens : {"space", "char", "word"}
        What a word of each side is.
    lower : bool
        Take capital and small letters alike.
    max_words : int
        A pair with a longer side is not learnt from.
    subwords : int or None
        Of each side of a neural model that has more different words than that; 0 = whole words,
        None = chosen by `choose_subwords`.
    steps : int or None
        Optimiser steps.
    budget : float or None
        Seconds of training; turned into a number of steps before the first of them.
    batch_size : int
        Sentence pairs a step, of all processes together.
    width, hidden_size : int, int or None
        See `softalign.systems.families.Shape`; without the second, a recurrent model gets as many
        parameters as the Transformer of the same width, whose networks have four times the width.
    learning_rate : float or None
        The largest, reached after `warm_up` of the steps; None = that of the family.
    warm_up : float
        Share of the steps.
    dropout, smoothing : float
        Probability that a component is set to zero; share of label smoothing.
    seed : int

    Raises
    ------
    ValueError
        A number out of range, an unknown family, both `steps` and `budget`.

    Page: your_own_text
    """

    family: str = "transformer"
    src_tokens: str = "space"
    tgt_tokens: str = "space"
    lower: bool = False
    max_words: int = 100
    subwords: int | None = None
    steps: int | None = None
    budget: float | None = None
    batch_size: int = 64
    width: int = 128
    hidden_size: int | None = None
    learning_rate: float | None = None
    warm_up: float = 0.1
    dropout: float = 0.2
    smoothing: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(
                f"there is no family {self.family!r}, expected one of {', '.join(FAMILIES)}"
            )
        if self.steps is not None and self.budget is not None:
            raise ValueError("both steps and a budget were given, expected one of them")
        for name in ("max_words", "steps", "batch_size", "width", "hidden_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, expected 1 or more")
        for name in ("budget", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}, expected more than 0")
        for name in ("dropout", "smoothing", "warm_up"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is {getattr(self, name)}, expected 0 or more and less than 1"
                )
        if self.subwords is not None and self.subwords < 0:
            raise ValueError(f"subwords is {self.subwords}, expected 0 or more")

    @property
    def is_neural(self) -> bool:
        """Whether the family is trained by gradients."""
        return self.family in NEURAL

    def default_steps(self, pairs: int) -> int:
        """Optimiser steps where neither these nor a budget were given.

        >>> Settings(batch_size=50).default_steps(10_000)
        2400

        Page: your_own_text
        """
        return max(FEWEST_STEPS, math.ceil(PASSES * pairs / self.batch_size))

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain values.

        Page: your_own_text
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Make settings from plain values.

        Raises
        ------
        ValueError
            An unknown name.

        Page: your_own_text
        """
        known = {field.name for field in fields(cls)}
        if strange := sorted(set(values) - known):
            raise ValueError(f"there is no setting {strange[0]!r}")
        return cls(**values)
