r"""Long short-term memory: a cell that is kept, written to and shown through gates.

.. math::

   \mathbf i_t, \mathbf f_t, \mathbf o_t &= \sigma(\ldots), \qquad
   \tilde{\mathbf c}_t = \tanh(\ldots) \\
   \mathbf c_t &= \mathbf f_t\odot\mathbf c_{t-1} + \mathbf i_t\odot\tilde{\mathbf c}_t, \qquad
   \mathbf h_t = \mathbf o_t\odot\tanh\mathbf c_t,

each dot standing for :math:`\mathbf x_t\mathbf W_{xh}+\mathbf h_{t-1}\mathbf W_{hh}+\mathbf b` with
the weights of that gate. The weights of the four are joined along the features, in torch's order
:math:`\mathbf i, \mathbf f, \tilde{\mathbf c}, \mathbf o`: one product instead of four.

Page: 04_lstm/lstm
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from softalign.rnn import scan

__all__ = ["LSTM", "Gates", "LSTMState", "lstm_gates", "lstm_step"]


class LSTMState(NamedTuple):
    """What an LSTM hands on from step to step: two tensors of shape (batch, hidden).

    Attributes
    ----------
    hidden : Tensor of shape (batch, hidden)
        What the rest of the network sees, between -1 and 1.
    cell : Tensor of shape (batch, hidden)
        The memory, of any size.

    Page: 04_lstm/lstm
    """

    hidden: Tensor
    cell: Tensor


class Gates(NamedTuple):
    """All that an LSTM computes at its time steps, each of shape (..., hidden).

    Attributes
    ----------
    input, forget, output : Tensors
        Gates, between 0 and 1. ``forget`` is the fraction of the cell that is *kept*.
    candidate : Tensor
        What could be written, between -1 and 1.
    cell, hidden : Tensors
        The state after the step.

    Page: 04_lstm/lstm
    """

    input: Tensor
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor
    hidden: Tensor


def lstm_gates(joined: Float[Tensor, "batch gates"], cell: Float[Tensor, "batch hidden"]) -> Gates:
    """From the four joined pre-activations and the old cell to all that a step computes.

    Parameters
    ----------
    joined : Tensor of shape (batch, 4 hidden)
        Pre-activations of input gate, forget gate, candidate, output gate.
    cell : Tensor of shape (batch, hidden)
        The cell before the step.

    Returns
    -------
    Gates

    Notes
    -----
    Hochreiter & Schmidhuber, "Long short-term memory" (1997); the forget gate is from Gers,
    Schmidhuber & Cummins, "Learning to forget: continual prediction with LSTM" (2000).

    Examples
    --------
    With pre-activations of log 3 a gate is 3/4 and the candidate 4/5:

    >>> joined = torch.full((1, 4), 3.0).log()
    >>> gates = lstm_gates(joined, torch.tensor([[2.0]]))
    >>> round(gates.cell.item(), 4)  # 3/4 of 2, and 3/4 of 4/5
    2.1

    Page: 04_lstm/lstm
    """
    input, forget, candidate, output = joined.chunk(4, dim=-1)
    input, forget, output = input.sigmoid(), forget.sigmoid(), output.sigmoid()
    candidate = candidate.tanh()
    cell = forget * cell + input * candidate
    return Gates(input, forget, candidate, output, cell, output * cell.tanh())


def lstm_step(
    inputs: Float[Tensor, "batch feature"],
    state: LSTMState,
    W_xh: Float[Tensor, "feature gates"],
    W_hh: Float[Tensor, "hidden gates"],
    b: Float[Tensor, "gates"],
) -> LSTMState:
    """One time step: the next hidden state and cell.

    Parameters
    ----------
    inputs : Tensor of shape (batch, feature)
        One input vector for each sequence of the batch.
    state : LSTMState
        Hidden state and cell after the step before.
    W_xh, W_hh, b : Tensors of shape (feature, 4 hidden), (hidden, 4 hidden), (4 hidden,)
        Parameters of input gate, forget gate, candidate and output gate, joined.

    Returns
    -------
    LSTMState
        After this step; the given one is not changed.

    Examples
    --------
    Without weights every gate is half open, and nothing but the cell is there to be halved:

    >>> state = LSTMState(hidden=torch.zeros(1, 1), cell=torch.ones(1, 1))
    >>> zeros = torch.zeros(3, 4), torch.zeros(1, 4), torch.zeros(4)
    >>> lstm_step(torch.ones(1, 3), state, *zeros).cell
    tensor([[0.5000]])

    Page: 04_lstm/lstm
    """
    gates = lstm_gates(inputs @ W_xh + state.hidden @ W_hh + b, state.cell)
    return LSTMState(gates.hidden, gates.cell)


class LSTM(nn.Module):
    """A layer of long short-term memory.

    Parameters
    ----------
    input_size, hidden_size : int
        Components of an input vector and of the hidden state, 1 or more.
    forget_bias : float
        Added to the drawn bias of the forget gate: above 0, the cell is kept at first.

    Attributes
    ----------
    W_xh, W_hh, b : Parameters of shape (input_size, 4 hidden_size), (hidden_size, 4 hidden_size),
        (4 hidden_size,)
        Drawn from the uniform distribution on ±1/√hidden_size, as in torch.

    Notes
    -----
    A forget bias of 1: Gers et al. (2000); Jozefowicz, Zaremba & Sutskever, "An empirical
    exploration of recurrent network architectures" (2015).

    Examples
    --------
    >>> layer = LSTM(3, 5)
    >>> outputs, state = layer(torch.zeros(2, 4, 3))
    >>> outputs.shape, state.hidden.shape, state.cell.shape
    (torch.Size([2, 4, 5]), torch.Size([2, 5]), torch.Size([2, 5]))

    Page: 04_lstm/lstm
    """

    def __init__(self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0) -> None:
        super().__init__()
        if min(input_size, hidden_size) < 1:
            raise ValueError(
                f"input_size is {input_size} and hidden_size is {hidden_size}, expected 1 or more"
            )
        self.input_size, self.output_size = input_size, hidden_size
        self.W_xh = nn.Parameter(torch.empty(input_size, 4 * hidden_size))
        self.W_hh = nn.Parameter(torch.empty(hidden_size, 4 * hidden_size))
        self.b = nn.Parameter(torch.empty(4 * hidden_size))
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
        with torch.no_grad():
            self.b[hidden_size : 2 * hidden_size] += forget_bias

    def initial_state(self, batch_size: int) -> LSTMState:
        """Zeros: nothing has been read."""
        zeros = self.b.new_zeros(batch_size, self.output_size)
        return LSTMState(zeros, zeros)

    def forward(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: LSTMState | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time hidden"], LSTMState]:
        """Return the hidden state after every time step, and the last state; see `rnn.scan`."""
        if state is None:
            state = self.initial_state(len(inputs))
        # the product with the inputs does not wait for a state: all time steps at once
        return scan(self._step, inputs @ self.W_xh + self.b, state, mask)

    def _step(self, projected: Tensor, state: LSTMState) -> LSTMState:
        gates = lstm_gates(torch.addmm(projected, state.hidden, self.W_hh), state.cell)
        return LSTMState(gates.hidden, gates.cell)

    def gates(
        self,
        inputs: Float[Tensor, "batch time feature"],
        state: LSTMState | None = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> Gates:
        """Look inside: every gate, the candidate, the cell and the hidden state at every step.

        Returns
        -------
        Gates
            Of tensors of shape (batch, time, hidden). At padding, cell and hidden state are those
            of the last real step, and the other four mean nothing.

        Examples
        --------
        >>> gates = LSTM(3, 5).gates(torch.zeros(2, 4, 3))
        >>> gates.forget.shape
        torch.Size([2, 4, 5])
        """
        if state is None:
            state = self.initial_state(len(inputs))
        steps, states = [], []

        def step(projected: Tensor, before: LSTMState) -> LSTMState:
            gates = lstm_gates(torch.addmm(projected, before.hidden, self.W_hh), before.cell)
            steps.append(gates)
            states.append(before)
            return LSTMState(gates.hidden, gates.cell)

        _, last = scan(step, inputs @ self.W_xh + self.b, state, mask)
        # what padding kept is in the state before the next step
        steps = [
            gates._replace(hidden=after.hidden, cell=after.cell)
            for gates, after in zip(steps, [*states[1:], last], strict=True)
        ]
        return Gates(*(torch.stack(part, dim=1) for part in zip(*steps, strict=True)))

    @classmethod
    def from_torch(cls, layer: nn.LSTM) -> LSTM:
        """Copy the weights of a ``torch.nn.LSTM`` with one layer and one direction."""
        if layer.num_layers != 1 or layer.bidirectional or not layer.bias or layer.proj_size:
            raise ValueError(
                "expected a torch.nn.LSTM of one layer, one direction, with biases, no projection"
            )
        ours = cls(layer.input_size, layer.hidden_size).to(layer.weight_ih_l0)
        with torch.no_grad():
            ours.W_xh.copy_(layer.weight_ih_l0.T)
            ours.W_hh.copy_(layer.weight_hh_l0.T)
            ours.b.copy_(layer.bias_ih_l0 + layer.bias_hh_l0)
        return ours

    def to_torch(self) -> nn.LSTM:
        """Copy the weights into a ``torch.nn.LSTM``, batch first."""
        layer = nn.LSTM(self.input_size, self.output_size, batch_first=True).to(self.W_xh)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(self.W_xh.T)
            layer.weight_hh_l0.copy_(self.W_hh.T)
            layer.bias_ih_l0.copy_(self.b)
            layer.bias_hh_l0.zero_()
        return layer
