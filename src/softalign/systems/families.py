"""The families of the book, and a model of each for any pair of vocabularies.

Page: your_own_text
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import nn

from softalign.attention import AdditiveScore
from softalign.encoder_decoder import EncoderDecoder, SoftAttention
from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.rnn import RNN
from softalign.stacks import Bidirectional
from softalign.systems.settings import NEURAL
from softalign.text import Vocabulary
from softalign.training import seeded
from softalign.transformer import Transformer

__all__ = ["Shape", "build", "parameters"]

HEAD_SIZE, N_LAYERS = 32, 2
Sides = tuple[Vocabulary, Vocabulary]


class Shape(NamedTuple):
    """The sizes of a neural model.

    Attributes
    ----------
    width : int
        Components of an embedding, and of everything between a Transformer's layers.
    hidden_size : int
        Hidden units of a recurrent decoder, and of each direction of its encoder; of a Transformer,
        those of its position-wise networks.
    dropout : float

    Page: your_own_text
    """

    width: int
    hidden_size: int
    dropout: float = 0.0


def _recurrent(cell: Callable, attention: bool) -> Callable[[Sides, Shape], nn.Module]:
    def make(sides: Sides, shape: Shape) -> nn.Module:
        width, hidden = shape.width, shape.hidden_size
        encoder = Bidirectional(cell(width, hidden), cell(width, hidden))
        memory = encoder.output_size
        reader = SoftAttention(AdditiveScore(hidden, memory, hidden), memory) if attention else None
        return EncoderDecoder(
            *sides,
            encoder,
            cell(width + (memory if attention else 0), hidden),
            embedding_size=width,
            reader=reader,
            dropout=shape.dropout,
        )

    return make


def _transformer(sides: Sides, shape: Shape) -> nn.Module:
    return Transformer(
        *sides,
        d_model=shape.width,
        n_heads=max(1, shape.width // HEAD_SIZE),
        d_ff=shape.hidden_size,
        n_layers=N_LAYERS,
        positions="rotary",
        dropout=shape.dropout,
    )


MAKERS: Mapping[str, Callable[[Sides, Shape], nn.Module]] = {
    "rnn": _recurrent(RNN, attention=False),
    "lstm": _recurrent(LSTM, attention=False),
    "attention": _recurrent(GRU, attention=True),
    "transformer": _transformer,
}


def build(family: str, sides: Sides, shape: Shape, *, seed: int) -> nn.Module:
    """Make a model of a family, with the weights of a seed.

    Parameters
    ----------
    family : str
        One of `NEURAL`.
    sides : (Vocabulary, Vocabulary)
        Source and target.
    shape : Shape
        A multiple of 32 for the width of a Transformer.
    seed : int

    Page: your_own_text
    """
    if family not in NEURAL:
        raise ValueError(f"there is no family {family!r}, expected one of {', '.join(NEURAL)}")
    if shape.width % HEAD_SIZE:
        raise ValueError(f"the width is {shape.width}, expected a multiple of {HEAD_SIZE}")
    with seeded(seed):
        return MAKERS[family](sides, shape)


def parameters(family: str, sides: Sides, shape: Shape) -> int:
    """Number of parameters of a model, without making it.

    Page: your_own_text
    """
    with torch.device("meta"):
        model = MAKERS[family](sides, shape)
    return sum(parameter.numel() for parameter in model.parameters())


def as_large_as(family: str, sides: Sides, width: int, wanted: int) -> int:
    """Hidden units that give a model nearest to so many parameters; 8 at least.

    Page: your_own_text
    """
    low, high = 8, 16
    while parameters(family, sides, Shape(width, high)) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if parameters(family, sides, Shape(width, middle)) < wanted:
            low = middle
        else:
            high = middle
    return min(
        (low, high), key=lambda size: abs(parameters(family, sides, Shape(width, size)) - wanted)
    )
