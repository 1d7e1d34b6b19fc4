r"""Recurrent networks: one cell, used again at every time step.

A *layer* reads inputs of shape (batch, time, feature) and returns an output for every time step and
its last state:

.. math:: \mathbf h_t = \phi(\mathbf x_t\mathbf W_{xh}+\mathbf h_{t-1}\mathbf W_{hh}+\mathbf b_h).

All layers of the book (`RNN` here, `softalign.lstm`, `softalign.gru`, `softalign.stacks`) are
called alike, so that one language model, one tagger and one plot serve them all. A mask says which
time steps are real (True) and which are padding: at padding the state stays what it was and the
output is zero, so a sentence in a batch gets what it would get alone.

Page: 02_rnn/rnn
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

__all__ = ["RNN", "keep", "rnn_step", "scan"]

State = Any  # a tensor (batch, hidden), or a tuple of them


def rnn_step(
    inputs: Float[Tensor, "batch feature"],
    state: Float[Tensor, "batch hidden"],
    W_xh: Float[Tensor, "feature hidden"],
    W_hh: Float[Tensor, "hidden hidden"],
    b_h: Float[Tensor, "hidden"],
    activation: Callable[[Tensor], Tensor] = torch.tanh,
) -> Float[Tensor, "batch hidden"]:
    """One time step: the next state from the input and the state before.

    Parameters
    ----------
    inputs : Tensor of shape (batch, feature)
        One input vector for each sequence of the batch.
    state : Tensor of shape (batch, hidden)
        The state after the step before.
    W_xh, W_hh, b_h : Tensors of shape (feature, hidden), (hidden, hidden), (hidden,)
        Parameters, the same at every step.
    activation : function
        Applied to each component; tanh if not said otherwise.

    Returns
    -------
    Tensor of shape (batch, hidden)
        The state after this step.

    Notes
    -----
    Elman, "Finding structure in time" (1990), section on the network's architecture.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> rnn_step(one, one, one, one, torch.zeros(1), activation=lambda a: a)
    tensor([[2.]])

    Page: 02_rnn/rnn
    """
    return activation(inputs @ W_xh + state @ W_hh + b_h)


def keep(
    seen: Bool[Tensor, "batch 1"],
    new: State,
    old: State,
) -> State:
    """Take the new state where the step is real, and the old one where it is padding.

    Parameters
    ----------
    seen : boolean Tensor of shape (batch, 1)
        True = a real time step.
    new, old : Tensors of shape (batch, hidden), or named tuples of such
        States after and before the step.

    Returns
    -------
    like `new`

    Page: 02_rnn/rnn
    """
    if isinstance(new, Tensor):
        return torch.where(seen, new, old)
    return type(new)(*(torch.where(seen, a, b) for a, b in zip(new, old, strict=True)))


def scan(
    step: Callable[[Tensor, State], State],
    inputs: Float[Tensor, "batch time feature"],
    state: State,
    mask: Bool[Tensor, "batch time"] | None = None,
) -> tuple[Float[Tensor, "batch time hidden"], State]:
    """Apply a step to every time step in turn, the state handed from each to the next.

    Parameters
    ----------
    step : function
        From the inputs of one time step, (batch, feature), and a state to the next state.
    inputs : Tensor of shape (batch, time, feature)
        At least one time step.
    state : Tensor of shape (batch, hidden), or a named tuple of such
        Before the first step. Of a tuple, the first entry is the output.
    mask : boolean Tensor of shape (batch, time), optional
        True = a real time step; all are if left out.

    Returns
    -------
    outputs : Tensor of shape (batch, time, hidden)
        The state after each step (of a tuple, its first entry); zero at padding.
    state : like `state`
        After the last real step of each sequence.

    Raises
    ------
    ValueError
        No time step at all, or a mask of another shape.

    Page: 02_rnn/rnn
    """
    if inputs.shape[1] == 0:
        raise ValueError("the inputs have no time step, expected one or more")
    if mask is not None and mask.shape != inputs.shape[:2]:
        raise ValueError(
            f"the mask has the shape {tuple(mask.shape)}, expected (batch, time) = "
            f"{tuple(inputs.shape[:2])}"
        )
    # steps that are padding for somebody: only there is anything to keep
    padded = [] if mask is None else (~mask.all(dim=0)).tolist()
    outputs = []
    for t, row in enumerate(inputs.unbind(1)):
        new = step(row, state)
        state = keep(mask[:, t, None], new, state) if padded and padded[t] else new
        outputs.append(state if isinstance(state, Tensor) else state[0])
    stacked = torch.stack(outputs, dim=1)
    return stacked if mask is None else stacked * mask[:, :, None], state


class RNN(nn.Module):
    """A layer of simple recurrent units (Elman's network).

    Parameters
    ----------
    input_size, hidden_size : int
        Components of an input vector and of the state, 1 or more.
    activation : function
        Applied to each component; tanh if not said otherwise.

    Attributes
    ----------
    W_xh, W_hh, b_h : Parameters of shape (input_size, hidden_size), (hidden_size, hidden_size),
        (hidden_size,)
        Drawn from the uniform distribution on ±1/√hidden_size, as in torch.

    Examples
    --------
    >>> layer = RNN(3, 5)
    >>> outputs, state = layer(torch.zeros(2, 4, 3))
    >>> outputs.shape, state.shape
    (torch.Size([2, 4, 5]), torch.Size([2, 5]))

    Page: 02_rnn/rnn
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
    ) -> None:
        super().__init__()
        if min(input_size, hidden_size) < 1:
            raise ValueError(
                f"input_size is {input_size} and hidden_size is {hidden_size}, expected 1 or more"
            )
        self.input_size, self.output_size = input_size, hidden_size
        self.activation = activation
        self.W_xh = nn.Parameter(torch.empty(input_size, hidden_size))
        self.W_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.b_h = nn.Parameter(torch.empty(hidden_size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)

    def initial_state(self, batch_size: int) -> Float[Tensor, "batch hidden"]:
        """Zeros: nothing has been read."""
        return self.b_h.new_zeros(batch_size, self.output_size)

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: Float[Tensor, "batch hidden"] | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], Float[Tensor, "batch hidden"]]:
        """Return the state after every time step, and the last one; see `scan`."""
        if state is None:
            state = self.initial_state(len(inputs))
        # the product with the inputs does not wait for a state: all time steps at once
        projected = inputs @ self.W_xh + self.b_h
        return scan(self._step, projected, state, mask)

    def _step(self, projected: Tensor, state: Tensor) -> Tensor:
        return self.activation(torch.addmm(projected, state, self.W_hh))

    @classmethod
    def from_torch(cls, layer: nn.RNN) -> RNN:
        """Copy the weights of a ``torch.nn.RNN`` with one layer and one direction."""
        if layer.num_layers != 1 or layer.bidirectional or not layer.bias:
            raise ValueError("expected a torch.nn.RNN of one layer, one direction and with biases")
        activation = torch.tanh if layer.nonlinearity == "tanh" else torch.relu
        ours = cls(layer.input_size, layer.hidden_size, activation=activation)
        ours.to(layer.weight_ih_l0)
        with torch.no_grad():
            ours.W_xh.copy_(layer.weight_ih_l0.T)
            ours.W_hh.copy_(layer.weight_hh_l0.T)
            ours.b_h.copy_(layer.bias_ih_l0 + layer.bias_hh_l0)
        return ours

    def to_torch(self) -> nn.RNN:
        """Copy the weights into a ``torch.nn.RNN``, batch first; it needs tanh or relu."""
        names = {torch.tanh: "tanh", torch.relu: "relu"}
        if self.activation not in names:
            raise ValueError("torch.nn.RNN knows the activations tanh and relu only")
        layer = nn.RNN(
            self.input_size,
            self.output_size,
            nonlinearity=names[self.activation],
            batch_first=True,
        ).to(self.W_xh)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(self.W_xh.T)
            layer.weight_hh_l0.copy_(self.W_hh.T)
            layer.bias_ih_l0.copy_(self.b_h)
            layer.bias_hh_l0.zero_()
        return layer
