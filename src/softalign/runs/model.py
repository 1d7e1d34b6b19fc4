"""What an experiment is, and what is kept of each of its rows.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

FIRST = 20
"""Number of losses from the beginning of a run that are stored one by one."""
BLOCKS = 100
"""Largest number of means that the stored curve has."""


@dataclass(frozen=True)
class Outcome:
    """What training one row gives.

    Attributes
    ----------
    losses : sequence of float
        Loss of each step, as `softalign.training.fit` returns them.
    metrics : mapping of str to float
        What was measured afterwards. A metric that the row does not define is left out, never 0.
    parameters : int
        Number of trained numbers of the model.
    steps : int
        Number of optimiser steps.
    seconds : float
        CPU seconds.
    """

    losses: Sequence[float]
    metrics: Mapping[str, float]
    parameters: int
    steps: int
    seconds: float


@dataclass(frozen=True)
class Experiment:
    """Configurations to compare, and how one of them is trained.

    Attributes
    ----------
    name : str
        Name of the module in `softalign.experiments` and of the file in ``results/``.
    rows : mapping of str to mapping
        Name of each row and its configuration: text, numbers, booleans, None and lists of these.
        Each has a whole number ``"seed"``; torch is seeded with it before the row is trained.
    train : callable
        From a configuration to its `Outcome`.
    page : str
        The page that shows the results, for example ``"02_rnn/rnn"``.

    Raises
    ------
    ValueError
        No rows, a configuration without a seed, or one that JSON cannot hold.

    Examples
    --------
    >>> def train(config):
    ...     return Outcome([1.0], {"accuracy": config["width"] / 10}, 1, 1, 0.0)
    >>> Experiment("example", {"small": {"seed": 0, "width": 5}}, train, "02_rnn/rnn").name
    'example'

    Page: 02_rnn/rnn
    """

    name: str
    rows: Mapping[str, Mapping[str, Any]]
    train: Callable[[Mapping[str, Any]], Outcome]
    page: str

    def __post_init__(self) -> None:
        if not self.rows:
            raise ValueError(f"the experiment {self.name!r} has no rows")
        for row, config in self.rows.items():
            plain(config, f"{self.name}, row {row!r}")


def plain(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a configuration as JSON gives it back: tuples are lists, keys are text.

    >>> plain({"seed": 1, "sizes": (2, 3)}, "here")
    {'seed': 1, 'sizes': [2, 3]}

    Page: 02_rnn/rnn
    """
    if type(config.get("seed")) is not int:
        raise ValueError(f"{where}: the seed is {config.get('seed')!r}, expected a whole number")
    try:
        return json.loads(json.dumps(dict(config), allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise ValueError(
            f"{where}: the configuration cannot be stored as JSON ({problem})"
        ) from None


@dataclass(frozen=True)
class Row:
    """What is stored of one row. Floats have six significant digits.

    Attributes
    ----------
    config : mapping
        The configuration, its seed included.
    digest : str
        Of the code, the data and the version of torch that the row was trained with (`digest`).
    versions : mapping of str to str
        Python, NumPy and torch.
    steps, parameters : int
        Optimiser steps; trained numbers of the model.
    seconds : float
        CPU seconds on one thread.
    metrics : mapping of str to float
        What was measured.
    first_losses : tuple of float
        The losses of the first 20 steps.
    curve : tuple of float
        Means of the loss over at most 100 blocks of steps that follow one another.

    Page: 02_rnn/rnn
    """

    config: Mapping[str, Any]
    digest: str
    versions: Mapping[str, str]
    steps: int
    parameters: int
    seconds: float
    metrics: Mapping[str, float]
    first_losses: tuple[float, ...]
    curve: tuple[float, ...]

    @property
    def seed(self) -> int:
        """The seed of the configuration."""
        return self.config["seed"]

    @property
    def curve_steps(self) -> tuple[float, ...]:
        """The middle of each block of the curve, in steps: what to plot the curve against."""
        edges = block_edges(self.steps)
        return tuple((first + last) / 2 for first, last in pairwise(edges))


def block_edges(steps: int) -> list[int]:
    """Return where the blocks of the curve begin, and where the last one ends.

    >>> block_edges(3), len(block_edges(250)), block_edges(250)[:4]
    ([0, 1, 2, 3], 101, [0, 2, 5, 7])

    Page: 02_rnn/rnn
    """
    blocks = min(steps, BLOCKS)
    return [steps * block // blocks for block in range(blocks + 1)] if blocks else [0]


def rounded(value: float, where: str) -> float:
    """Return six significant digits of a finite number.

    >>> rounded(1234.5678, "here"), rounded(2 / 3, "here")
    (1234.57, 0.666667)

    Page: 02_rnn/rnn
    """
    if not math.isfinite(value):
        raise ValueError(f"{where} is {value}, expected a finite number")
    return float(f"{float(value):.6g}")


def make_row(
    outcome: Outcome,
    config: Mapping[str, Any],
    *,
    digest: str,
    versions: Mapping[str, str],
    where: str,
) -> Row:
    """Return what is stored of an outcome.

    Raises
    ------
    ValueError
        Another number of losses than of steps; a number that is not finite.

    Page: 02_rnn/rnn
    """
    losses = [float(loss) for loss in outcome.losses]
    if len(losses) != outcome.steps or not losses:
        raise ValueError(f"{where}: {len(losses)} losses for {outcome.steps} steps")
    edges = block_edges(len(losses))
    blocks = [losses[a:b] for a, b in pairwise(edges)]
    return Row(
        config=MappingProxyType(plain(config, where)),
        digest=digest,
        versions=MappingProxyType(dict(versions)),
        steps=outcome.steps,
        parameters=outcome.parameters,
        seconds=round(outcome.seconds, 1),
        metrics=MappingProxyType(
            {name: rounded(value, f"{where}: {name}") for name, value in outcome.metrics.items()}
        ),
        first_losses=tuple(rounded(loss, f"{where}: a loss") for loss in losses[:FIRST]),
        curve=tuple(rounded(sum(block) / len(block), f"{where}: the curve") for block in blocks),
    )
