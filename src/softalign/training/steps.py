"""What a step of training sees: its random numbers, its batch, its learning rate.

Page: 02_rnn/rnn
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Schedule = Callable[[int], float]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch inside a ``with`` block and leave no trace of it outside.

    The state of torch's generators (of the processor and of every CUDA device) is put back at the
    end, so that code after the block draws what it would have drawn without it.

    Parameters
    ----------
    seed : int
        Seed for torch inside the block.

    Examples
    --------
    >>> import torch
    >>> with seeded(1):
    ...     first = torch.rand(2)
    >>> with seeded(1):
    ...     second = torch.rand(2)
    >>> torch.equal(first, second)
    True

    Page: 02_rnn/rnn
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def stepwise(epoch_batches: Callable[[int], Iterable[Item]]) -> Callable[[int], Item]:
    """Turn epochs of batches into a function that gives the batch of a step.

    Steps are counted through the epochs: the first step of epoch 1 follows the last of epoch 0.
    The batch depends on the number of the step only, whatever was asked before: that is what makes
    a resumed training exact.

    Parameters
    ----------
    epoch_batches : callable
        Gives the batches of an epoch (from 0), the same each time it is asked for that epoch. One
        epoch at a time is kept in memory.

    Returns
    -------
    callable
        From a step (from 0) to its batch. Going forward is free; a step of an epoch that is not the
        one in memory has that epoch made anew, and a jump makes all that lie between once.

    Raises
    ------
    ValueError
        When called: a negative step; an epoch without batches.

    Examples
    --------
    >>> batch_of = stepwise(lambda epoch: [f"{epoch}a", f"{epoch}b"])
    >>> [batch_of(step) for step in range(5)]
    ['0a', '0b', '1a', '1b', '2a']

    Page: 02_rnn/rnn
    """
    starts = [0]  # step at which each epoch begins, for the epochs whose length is known
    kept: dict[int, list[Item]] = {}

    def batches(epoch: int) -> list[Item]:
        if epoch not in kept:
            kept.clear()
            kept[epoch] = list(epoch_batches(epoch))
            if not kept[epoch]:
                raise ValueError(f"epoch {epoch} has no batches")
            if epoch == len(starts) - 1:
                starts.append(starts[epoch] + len(kept[epoch]))
        return kept[epoch]

    def batch_of(step: int) -> Item:
        if step < 0:
            raise ValueError(f"the step is {step}, expected 0 or more")
        while starts[-1] <= step:
            batches(len(starts) - 1)
        epoch = next(epoch for epoch, end in enumerate(starts[1:]) if step < end)
        return batches(epoch)[step - starts[epoch]]

    return batch_of


def constant() -> Schedule:
    """Return the schedule that leaves the learning rate as it is.

    >>> constant()(1000)
    1.0

    Page: 02_rnn/rnn
    """
    return lambda step: 1.0


def warm_up_then_decay(warm_up: int, steps: int) -> Schedule:
    """Return a schedule that rises linearly for `warm_up` steps and then falls linearly.

    The factor is 1 at the last step of the warm-up, and would be 0 one step after the last.

    Parameters
    ----------
    warm_up : int
        Number of steps of the rise, 0 for none.
    steps : int
        Number of steps of the whole training.

    Returns
    -------
    callable
        From a step (from 0) to the factor that multiplies the learning rate.

    Raises
    ------
    ValueError
        `warm_up` is negative or not less than `steps`.

    Examples
    --------
    >>> factor = warm_up_then_decay(2, 6)
    >>> [factor(step) for step in range(6)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]

    Page: 02_rnn/rnn
    """
    if not 0 <= warm_up < steps:
        raise ValueError(f"warm_up is {warm_up}, expected 0 to {steps - 1} for {steps} steps")

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return max(0.0, (steps - step) / (steps - warm_up))

    return factor
