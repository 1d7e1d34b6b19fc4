"""Recurrent layers put together: two directions, layers on layers, skips across time.

Each is a layer itself, called like those it is made of (see `softalign.rnn`), so that whatever
takes an RNN takes a stack of bidirectional LSTMs as well.

Page: 04_lstm/variants
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from softalign.rnn import State

__all__ = ["Bidirectional", "BidirectionalState", "SkipLayer", "Stacked"]


class BidirectionalState(NamedTuple):
    """States of the two directions after the last step that each has read.

    Page: 04_lstm/variants
    """

    forward: State
    backward: State


class Bidirectional(nn.Module):
    """Two layers, one reading from the left and one from the right; their outputs are joined.

    Parameters
    ----------
    forward_layer, backward_layer : recurrent layers
        With the same `input_size`; they share no parameter.

    Notes
    -----
    Schuster & Paliwal, "Bidirectional recurrent neural networks" (1997). Padding stays at the end:
    the backward layer meets it first and, masked, keeps its initial state until the last real step.

    Page: 04_lstm/variants
    """

    def __init__(self, forward_layer: nn.Module, backward_layer: nn.Module) -> None:
        super().__init__()
        if forward_layer.input_size != backward_layer.input_size:
            raise ValueError(
                f"the two directions read inputs of size {forward_layer.input_size} and "
                f"{backward_layer.input_size}, expected the same"
            )
        self.forward_layer, self.backward_layer = forward_layer, backward_layer
        self.input_size = forward_layer.input_size
        self.output_size = forward_layer.output_size + backward_layer.output_size

    def initial_state(self, batch_size: int) -> BidirectionalState:
        """Initial states of both directions."""
        return BidirectionalState(
            self.forward_layer.initial_state(batch_size),
            self.backward_layer.initial_state(batch_size),
        )

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: BidirectionalState | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], BidirectionalState]:
        """Return both directions' outputs for each time step, joined, and both last states."""
        if state is None:
            state = self.initial_state(len(inputs))
        forward, last = self.forward_layer(inputs, state.forward, mask)
        turned = None if mask is None else mask.flip(1)
        backward, first = self.backward_layer(inputs.flip(1), state.backward, turned)
        return torch.cat([forward, backward.flip(1)], dim=-1), BidirectionalState(last, first)


class Stacked(nn.Module):
    """Layers on layers: each reads what the one below it puts out.

    Parameters
    ----------
    layers : sequence of recurrent layers
        The lowest first; each reads as many features as the one below puts out.
    residual : bool
        Add the input of a layer to its output, where both have the same size: a skip across
        *layers*.
    normalise : bool
        Layer normalisation of each layer's input.
    dropout : float
        Probability with which a component between two layers is set to zero in training.

    Page: 04_lstm/variants
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        residual: bool = False,
        normalise: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not layers:
            raise ValueError("there are no layers to stack, expected one or more")
        for number, (below, above) in enumerate(itertools.pairwise(layers), start=1):
            if below.output_size != above.input_size:
                raise ValueError(
                    f"layer {number} puts out {below.output_size} features and layer {number + 1} "
                    f"reads {above.input_size}, expected the same"
                )
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(
            nn.LayerNorm(layer.input_size) if normalise else nn.Identity() for layer in layers
        )
        self.residual = residual
        self.dropout = nn.Dropout(dropout)
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size

    def initial_state(self, batch_size: int) -> tuple[State, ...]:
        """Initial states of all layers, the lowest first."""
        return tuple(layer.initial_state(batch_size) for layer in self.layers)

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: tuple[State, ...] | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], tuple[State, ...]]:
        """Return the highest layer's outputs, and the last states of all layers."""
        if state is None:
            state = self.initial_state(len(inputs))
        stream, last = inputs, []
        for number, (layer, norm, before) in enumerate(
            zip(self.layers, self.norms, state, strict=True)
        ):
            read = norm(stream if number == 0 else self.dropout(stream))
            outputs, after = layer(read, before, mask)
            if self.residual and outputs.shape == stream.shape:
                outputs = outputs + (stream if mask is None else stream * mask[:, :, None])
            stream = outputs
            last.append(after)
        return stream, tuple(last)


class SkipLayer(nn.Module):
    """A layer whose state skips across *time*: step t continues from step t - skip.

    The sequence is dealt out to `skip` interleaved strands, and the layer reads each of them on its
    own. The path from one step to a step far away is `skip` times shorter.

    Parameters
    ----------
    layer : recurrent layer
        Shared by all strands.
    skip : int
        Steps that a state jumps, 1 or more; 1 is the layer itself.

    Notes
    -----
    Chang et al., "Dilated recurrent neural networks" (2017), equation 1.

    Page: 04_lstm/variants
    """

    def __init__(self, layer: nn.Module, skip: int) -> None:
        super().__init__()
        if skip < 1:
            raise ValueError(f"skip is {skip}, expected 1 or more")
        self.layer, self.skip = layer, skip
        self.input_size, self.output_size = layer.input_size, layer.output_size

    def initial_state(self, batch_size: int) -> State:
        """Initial states of the strands: (batch · skip) rows."""
        return self.layer.initial_state(batch_size * self.skip)

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: State | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return the outputs of all time steps, in their order, and the strands' last states."""
        batch, time, _ = inputs.shape
        missing = -time % self.skip
        if mask is None:
            mask = inputs.new_ones(batch, time, dtype=torch.bool)
        mask = nn.functional.pad(mask, (0, missing))
        inputs = nn.functional.pad(inputs, (0, 0, 0, missing))
        # (batch, time, feature) -> (batch, skip, time / skip, feature) -> strands as a batch
        strands = inputs.unflatten(1, (-1, self.skip)).transpose(1, 2).flatten(0, 1)
        seen = mask.unflatten(1, (-1, self.skip)).transpose(1, 2).flatten(0, 1)
        outputs, state = self.layer(strands, state, seen)
        outputs = outputs.unflatten(0, (batch, self.skip)).transpose(1, 2).flatten(1, 2)
        return outputs[:, :time], state
