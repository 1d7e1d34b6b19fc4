"""Made-up tasks whose difficulty is a number: how far back the needed information lies.

A batch is a function of its seed and its step and of nothing else, so a training that is resumed
sees what it would have seen.

Page: 03_bptt/gradients
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Labelled", "LastOutput", "accuracy", "adding", "first_symbol", "rule_change"]


class Labelled(NamedTuple):
    """A batch of sequences with what is to be predicted.

    Attributes
    ----------
    inputs : Tensor of shape (batch, time, feature)
        What a network reads.
    labels : Tensor of shape (batch,) or (batch, time)
        One for each sequence, or one for each time step: numbers of classes (int64), or values.

    Page: 03_bptt/gradients
    """

    inputs: Tensor
    labels: Tensor


def _generator(seed: int, step: int) -> torch.Generator:
    """A source of random numbers for one step; far-apart seeds for all pairs up to 10^6 steps."""
    if step < 0:
        raise ValueError(f"the step is {step}, expected 0 or more")
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def first_symbol(
    step: int,
    *,
    lag: int,
    seed: int,
    batch_size: int = 32,
    symbols: int = 4,
    distractors: int = 4,
) -> Labelled:
    """Recall the first symbol of a sequence after `lag` distractors.

    Parameters
    ----------
    step : int
        Which batch, from 0.
    lag : int
        Number of distractors, 1 or more: the steps between the symbol and the answer.
    seed : int
        Other seeds have other batches.
    batch_size : int
        Sequences a batch.
    symbols, distractors : int
        Sizes of the two alphabets. The distractors are drawn evenly from the second, and tell
        nothing.

    Returns
    -------
    Labelled
        ``inputs`` (batch, lag + 1, symbols + distractors), one-hot; ``labels`` (batch,), from 0 to
        symbols - 1.

    Raises
    ------
    ValueError
        A number out of range.

    Notes
    -----
    The latch task of Bengio, Simard & Frasconi, "Learning long-term dependencies with gradient
    descent is difficult" (1994), and experiment 2 of Hochreiter & Schmidhuber (1997), with a random
    symbol at every place in between.

    Examples
    --------
    >>> batch = first_symbol(0, lag=2, seed=0, batch_size=5)
    >>> batch.inputs.shape, bool((batch.inputs[:, 0].argmax(-1) == batch.labels).all())
    (torch.Size([5, 3, 8]), True)

    Page: 03_bptt/gradients
    """
    if min(lag, batch_size, distractors) < 1 or symbols < 2:
        raise ValueError(
            f"lag is {lag}, batch_size {batch_size}, distractors {distractors} and symbols "
            f"{symbols}, expected 1 or more, and 2 or more symbols"
        )
    generator = _generator(seed, step)
    labels = torch.randint(symbols, (batch_size,), generator=generator)
    rest = torch.randint(distractors, (batch_size, lag), generator=generator) + symbols
    ids = torch.cat([labels[:, None], rest], dim=1)
    return Labelled(nn.functional.one_hot(ids, symbols + distractors).float(), labels)


def adding(step: int, *, length: int, seed: int, batch_size: int = 32) -> Labelled:
    """Add the two numbers that are marked, out of many.

    Parameters
    ----------
    step : int
        Which batch, from 0.
    length : int
        Time steps, 2 or more.
    seed : int
        Other seeds have other batches.
    batch_size : int
        Sequences a batch.

    Returns
    -------
    Labelled
        ``inputs`` (batch, length, 2): a number, even on [0, 1), and a mark, 1 at two places and 0
        elsewhere, one of the places in each half. ``labels`` (batch,): the sum of the two marked
        numbers, with mean 1 and variance 1/6, which is the squared error of always answering 1.

    Raises
    ------
    ValueError
        A number out of range.

    Notes
    -----
    The adding problem of Hochreiter & Schmidhuber (1997, section 5.4), in the simpler form of Le,
    Jaitly & Hinton (2015): one length, numbers from 0 to 1.

    Examples
    --------
    >>> numbers, marks = adding(0, length=6, seed=0, batch_size=3).inputs.unbind(-1)
    >>> marks.sum(1)
    tensor([2., 2., 2.])

    Page: 03_bptt/gradients
    """
    if length < 2 or batch_size < 1:
        raise ValueError(
            f"length is {length} and batch_size {batch_size}, expected 2 and 1 or more"
        )
    generator = _generator(seed, step)
    numbers = torch.rand(batch_size, length, generator=generator)
    half = length // 2
    first = torch.randint(half, (batch_size,), generator=generator)
    second = half + torch.randint(length - half, (batch_size,), generator=generator)
    marks = nn.functional.one_hot(first, length) + nn.functional.one_hot(second, length)
    inputs = torch.stack([numbers, marks.to(numbers)], dim=-1)
    return Labelled(inputs, (numbers * marks).sum(1))


def rule_change(
    step: int, *, length: int, seed: int, batch_size: int = 32, symbols: int = 4
) -> Labelled:
    """Say each symbol in the first half, and its mirror image in the second.

    The rule depends on the place in the sequence, and nothing in the inputs tells the place:
    weights that are shared over time can follow it only by counting the steps in the state.

    Parameters
    ----------
    step : int
        Which batch, from 0.
    length : int
        Time steps, 2 or more; the second rule begins at ``length // 2``.
    seed : int
        Other seeds have other batches.
    batch_size : int
        Sequences a batch.
    symbols : int
        Size of the alphabet, 2 or more.

    Returns
    -------
    Labelled
        ``inputs`` (batch, length, symbols), one-hot; ``labels`` (batch, length): the symbol s
        itself in the first half, ``symbols - 1 - s`` in the second.

    Raises
    ------
    ValueError
        A number out of range.

    Examples
    --------
    >>> inputs, labels = rule_change(0, length=4, seed=0, batch_size=1)
    >>> bool((labels[0, :2] == inputs.argmax(-1)[0, :2]).all())
    True

    Page: 02_rnn/rnn
    """
    if length < 2 or batch_size < 1 or symbols < 2:
        raise ValueError(
            f"length is {length}, batch_size {batch_size} and symbols {symbols}, expected 2, 1 and "
            "2 or more"
        )
    ids = torch.randint(symbols, (batch_size, length), generator=_generator(seed, step))
    second = torch.arange(length) >= length // 2
    labels = torch.where(second, symbols - 1 - ids, ids)
    return Labelled(nn.functional.one_hot(ids, symbols).float(), labels)


class LastOutput(nn.Module):
    """A recurrent layer that is asked once, at the end: its last output, and a linear layer.

    Parameters
    ----------
    layer : nn.Module
        A recurrent layer, called as `softalign.rnn` says.
    outputs : int
        Numbers to predict: classes, or 1 for a value.

    Examples
    --------
    >>> from softalign.rnn import RNN
    >>> LastOutput(RNN(8, 5), 4)(torch.zeros(2, 7, 8)).shape
    torch.Size([2, 4])

    Page: 03_bptt/gradients
    """

    def __init__(self, layer: nn.Module, outputs: int) -> None:
        super().__init__()
        self.layer = layer
        self.readout = nn.Linear(layer.output_size, outputs)

    def forward(
        self, inputs: Float[Tensor, "batch time feature"]
    ) -> Float[Tensor, "batch outputs"]:
        """Read the sequences and answer once for each."""
        return self.readout(self.layer(inputs)[0][:, -1])


def accuracy(model: nn.Module, batch: Labelled) -> float:
    """Share of the sequences (or time steps) whose likeliest class is the right one.

    Parameters
    ----------
    model : nn.Module
        From inputs to logits, (..., class).
    batch : Labelled
        With the numbers of the classes as labels.

    Returns
    -------
    float
        From 0 to 1.

    Page: 03_bptt/gradients
    """
    with torch.no_grad():
        return (model(batch.inputs).argmax(-1) == batch.labels).float().mean().item()
