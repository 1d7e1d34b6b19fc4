"""What a search writes down: hypotheses, and the rules that all searches share.

Page: 05_encoder_decoder/search
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from softalign.interfaces import Stepper

Limits = int | Sequence[int]
"""Largest number of tokens, the end symbol counted; one for all sources or one for each."""


class Hypothesis(NamedTuple):
    """A sentence, or the beginning of one.

    Attributes
    ----------
    ids : tuple of int
        Tokens, without the begin symbol; the end symbol is the last of a finished one.
    log_prob : float
        Natural logarithm of its probability, the end symbol's included where it is there.
    score : float
        What hypotheses are compared by: ``log_prob / len(ids) ** alpha``.
    finished : bool
        Whether it ends with the end symbol. One that does not was cut off at the length limit.

    Page: 05_encoder_decoder/search
    """

    ids: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool


def best_first(hypothesis: Hypothesis) -> tuple[float, tuple[int, ...]]:
    """Order hypotheses by score, equal ones by their token ids."""
    return -hypothesis.score, hypothesis.ids


@contextmanager
def evaluating(stepper: object) -> Iterator[None]:
    """Put a torch module into evaluation mode, and back, whatever happens; leave others alone.

    Page: 05_encoder_decoder/search
    """
    training = isinstance(stepper, nn.Module) and stepper.training
    if training:
        stepper.eval()
    try:
        yield
    finally:
        if training:
            stepper.train()


def limits_of(max_length: Limits, sources: Sequence) -> list[int]:
    """Return a limit for each source, or say that there are others than sources, or one below 1."""
    limits = [max_length] * len(sources) if isinstance(max_length, int) else list(max_length)
    if len(limits) != len(sources):
        raise ValueError(f"{len(limits)} length limits for {len(sources)} sources")
    if limits and min(limits) < 1:
        raise ValueError(f"a length limit is {min(limits)}, expected 1 or more")
    return limits


def allowed(log_probs: Tensor, stepper: Stepper) -> Tensor:
    """Log-probabilities in double precision, minus infinity for what must not be written."""
    if torch.isnan(log_probs).any():
        raise ValueError("the model gives a log-probability that is not a number (NaN)")
    allowed = log_probs.double()
    if stepper.never:
        allowed = allowed.clone()
        allowed[:, list(stepper.never)] = -math.inf
    return allowed


def must_be_possible(value: float) -> None:
    """Raise ValueError if the best log-probability there is is minus infinity."""
    if value == -math.inf:
        raise ValueError("no token may be written: all have probability 0 or are never written")
