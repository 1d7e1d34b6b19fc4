r"""The jump probabilities of the HMM: how far one link lies from the link before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

__all__ = ["WIDEST", "Jumps", "best_jump", "transitions", "widths"]

WIDEST = 10
"""Jumps of this width or more share one probability, in each direction."""
LEAST = 1e-12  # no jump becomes impossible


@dataclass(frozen=True)
class Jumps:
    """Expected jumps: what the M step for the jump probabilities needs.

    Attributes
    ----------
    made : array of shape (2 WIDEST + 1,)
        Expected number of jumps of each width; entry 0 is -WIDEST and less.
    departures : mapping from a length S to an array of shape (S + 1,)
        Expected number of jumps from each position; entry 0 is the start of the sentence.
    """

    made: Float[np.ndarray, " widths"]
    departures: Mapping[int, Float[np.ndarray, " start_and_given"]]


def merge(parts: Sequence[Jumps]) -> Jumps:
    """Add up the expected jumps of several chunks.

    Page: 01_smt/word_alignment
    """
    departures: dict[int, np.ndarray] = {}
    for part in parts:
        for given, expected in part.departures.items():
            departures[given] = departures.get(given, 0.0) + expected
    made = np.sum([part.made for part in parts], axis=0) if parts else np.zeros(2 * WIDEST + 1)
    return Jumps(made, departures)


def widths(given: int) -> Int[np.ndarray, "start_and_given given"]:
    """Place in ``jump`` of the jump from each position (row 0: the start) to each given position.

    Examples
    --------
    >>> widths(2) - WIDEST
    array([[ 1,  2],
           [ 0,  1],
           [-1,  0]])

    Page: 01_smt/word_alignment
    """
    jump = np.arange(1, given + 1) - np.arange(given + 1)[:, None]
    return np.clip(jump, -WIDEST, WIDEST) + WIDEST


def transitions(
    given: int, jump: Float[np.ndarray, " widths"]
) -> Float[np.ndarray, "start_and_given given"]:
    """Probability of the jump from each position (row 0: the start) to each; rows sum to 1.

    Page: 01_smt/word_alignment
    """
    weights = jump[widths(given)]
    return weights / weights.sum(axis=1, keepdims=True)


def best_jump(jumps: Jumps, jump: Float[np.ndarray, " widths"]) -> Float[np.ndarray, " widths"]:
    r"""Jump probabilities under which the expected jumps are more probable; sums to 1.

    A sentence of S words allows only the jumps that stay inside it, so :math:`\pi` is divided by
    another sum at each position, and the M step has no closed form. The update

    .. math:: \pi(d)\leftarrow\frac{N_d}{\sum_{S,i}N_{S,i}\,m_{S,i,d}/Z_{S,i}}

    with the expected jumps :math:`N_d` of width d and :math:`N_{S,i}` from position i, the number
    :math:`m_{S,i,d}` of positions that lie d away and the sum :math:`Z_{S,i}` of what
    :math:`\pi` gives to all positions, never lowers their likelihood. Three such updates are made.

    Notes
    -----
    Hunter (2004), "MM algorithms for generalized Bradley-Terry models", Annals of Statistics 32(1),
    384-406, section 5, where the positions are players and a jump is a race won.

    Page: 01_smt/word_alignment
    """
    if not jumps.made.any():  # no words, nothing to learn
        return jump
    for _ in range(3):
        pressure = np.zeros_like(jump)
        for given, departures in jumps.departures.items():
            width = widths(given)
            weight = np.repeat(departures / jump[width].sum(axis=1), given)
            pressure += np.bincount(width.ravel(), weight, minlength=len(pressure))
        jump = np.divide(jumps.made, pressure, out=np.zeros_like(jump), where=pressure > 0)
        jump = np.maximum(jump / jump.sum(), LEAST)
    return jump / jump.sum()
