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
        *layers*. The path from the highest layer down to the inputs then has no product in it.
    normalise : bool
        Layer normalisation of what each layer reads and of what the stack puts out. The stream that
        residuals add to is not normalised in between.
    dropout : float
        Probability with which a component between two layers is set to zero in training.

    Raises
    ------
    ValueError
        No layers, or two whose sizes do not fit.

    Notes
    -----
    Residuals: He et al., "Deep residual learning for image recognition" (2016). Layer
    normalisation: Ba, Kiros & Hinton, "Layer normalization" (2016), equation 4.

    Examples
    --------
    >>> from softalign.gru import GRU
    >>> stack = Stacked([GRU(3, 5), GRU(5, 5)], residual=True)
    >>> outputs, states = stack(torch.zeros(2, 4, 3))
    >>> outputs.shape, len(states)
    (torch.Size([2, 4, 5]), 2)

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
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size
        sizes = [*(layer.input_size for layer in layers), self.output_size]
        self.norms = nn.ModuleList(
            nn.LayerNorm(size) if normalise else nn.Identity() for size in sizes
        )
        self.residual = residual
        self.dropout = nn.Dropout(dropout)

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
        *norms, final = self.norms
        for number, (layer, norm, before) in enumerate(zip(self.layers, norms, state, strict=True)):
            read = norm(stream if number == 0 else self.dropout(stream))
            outputs, after = layer(read, before, mask)
            if self.residual and outputs.shape == stream.shape:
                outputs = outputs + stream
            stream = outputs
            last.append(after)
        stream = final(stream)
        return stream if mask is None else stream * mask[:, :, None], tuple(last)


class SkipLayer(nn.Module):
    """A layer whose state skips across *time*: step `t` continues from step ``t - skip``.

    The sequence is dealt out to `skip` interleaved strands, and the layer reads each of them on its
    own. The path from one step to a step far away is `skip` times shorter.

    Parameters
    ----------
    layer : recurrent layer
        Shared by all strands.
    skip : int
        Steps that a state jumps, 1 or more; 1 is the layer itself.

    Raises
    ------
    ValueError
        A skip below 1.

    Notes
    -----
    Chang et al., "Dilated recurrent neural networks" (2017), equation 1. Strands never meet inside
    one such layer: stack it on a layer without skips.

    A state holds a row for each strand, the strand that reads the next step first. So a sequence
    may be read in pieces of any lengths, the state handed from one to the next.

    Examples
    --------
    >>> from softalign.rnn import RNN
    >>> every_other = SkipLayer(RNN(3, 5), 2)
    >>> outputs, state = every_other(torch.zeros(1, 7, 3))
    >>> outputs.shape, state.shape
    (torch.Size([1, 7, 5]), torch.Size([2, 5]))

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
        if state is None:
            state = self.initial_state(batch)
        if mask is None:
            mask = inputs.new_ones(batch, time, dtype=torch.bool)
        if time == 0:
            raise ValueError("the inputs have no time step, expected one or more")
        places = torch.arange(time, device=mask.device)
        begin = torch.where(mask, places, time).amin(1) % time  # first real step; 0 if none
        end = torch.where(mask, places + 1, 0).amax(1)  # the step after the last real one
        rounds = -(-time // self.skip)
        missing = rounds * self.skip - time
        # (batch, time, feature) -> (batch, skip, rounds, feature) -> strands as a batch
        strands = nn.functional.pad(inputs, (0, 0, 0, missing)).unflatten(1, (rounds, self.skip))
        seen = nn.functional.pad(mask, (0, missing)).unflatten(1, (rounds, self.skip))
        outputs, state = self.layer(
            strands.transpose(1, 2).flatten(0, 1),
            _turn(state, self.skip, -begin),
            seen.transpose(1, 2).flatten(0, 1),
        )
        outputs = outputs.unflatten(0, (batch, self.skip)).transpose(1, 2).flatten(1, 2)
        return outputs[:, :time], _turn(state, self.skip, end)


def _turn(state: State, skip: int, by: Tensor) -> State:
    """Turn the strands of each sequence round: the one at place `by` comes first."""
    if not isinstance(state, Tensor):
        parts = [_turn(part, skip, by) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    order = (torch.arange(skip, device=by.device) + by[:, None]) % skip
    strands = state.unflatten(0, (len(by), skip, -1))
    turned = strands[torch.arange(len(by), device=by.device)[:, None], order]
    return turned.flatten(0, 2)
