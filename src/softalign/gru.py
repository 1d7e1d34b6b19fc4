r"""The gated recurrent unit: two gates and no separate cell.

.. math::

   \mathbf r_t, \mathbf u_t &= \sigma(\mathbf x_t\mathbf W_{xh} + \mathbf b_x
       + \mathbf h_{t-1}\mathbf W_{hh} + \mathbf b_h) \\
   \tilde{\mathbf h}_t &= \tanh(\mathbf x_t\mathbf W_{xh}+\mathbf b_x
       + \mathbf r_t\odot(\mathbf h_{t-1}\mathbf W_{hh}+\mathbf b_h)) \\
   \mathbf h_t &= \mathbf u_t\odot\mathbf h_{t-1} + (1-\mathbf u_t)\odot\tilde{\mathbf h}_t

each with weights of its own, joined along the features in the order r, u, candidate. Convention:
the update gate **keeps** (1 = keep the old state), and the reset gate acts **after** the product
with the weights, as in torch.

Page: 04_lstm/variants
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from softalign.rnn import scan

__all__ = ["GRU", "gru_step"]


def gru_step(
    projected: Float[Tensor, "batch gates"],
    state: Float[Tensor, "batch hidden"],
    W_hh: Float[Tensor, "hidden gates"],
    b_h: Float[Tensor, "gates"],
) -> Float[Tensor, "batch hidden"]:
    """One time step: the next state.

    Parameters
    ----------
    projected : Tensor of shape (batch, 3 hidden)
        The inputs' part of the pre-activations, ``inputs @ W_xh + b_x``.
    state : Tensor of shape (batch, hidden)
        The state after the step before.
    W_hh, b_h : Tensors of shape (hidden, 3 hidden) and (3 hidden,)
        Parameters of reset gate, update gate and candidate, joined.

    Returns
    -------
    Tensor of shape (batch, hidden)

    Notes
    -----
    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), equations 5 to
    8; there the reset gate acts before the product.

    Page: 04_lstm/variants
    """
    reset_x, update_x, candidate_x = projected.chunk(3, dim=-1)
    reset_h, update_h, candidate_h = torch.addmm(b_h, state, W_hh).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_h)
    update = torch.sigmoid(update_x + update_h)
    candidate = torch.tanh(candidate_x + reset * candidate_h)
    return update * state + (1 - update) * candidate


class GRU(nn.Module):
    """A layer of gated recurrent units.

    Parameters
    ----------
    input_size, hidden_size : int
        Components of an input vector and of the state, 1 or more.

    Attributes
    ----------
    W_xh, W_hh : Parameters of shape (input_size, 3 hidden_size), (hidden_size, 3 hidden_size)
    b_x, b_h : Parameters of shape (3 hidden_size,)
        Two biases, because the reset gate weakens only one of them. All are drawn from the uniform
        distribution on ±1/√hidden_size, as in torch.

    Page: 04_lstm/variants
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if min(input_size, hidden_size) < 1:
            raise ValueError(
                f"input_size is {input_size} and hidden_size is {hidden_size}, expected 1 or more"
            )
        self.input_size, self.output_size = input_size, hidden_size
        self.W_xh = nn.Parameter(torch.empty(input_size, 3 * hidden_size))
        self.W_hh = nn.Parameter(torch.empty(hidden_size, 3 * hidden_size))
        self.b_x = nn.Parameter(torch.empty(3 * hidden_size))
        self.b_h = nn.Parameter(torch.empty(3 * hidden_size))
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
        """Return the state after every time step, and the last one; see `rnn.scan`."""
        if state is None:
            state = self.initial_state(len(inputs))
        return scan(self._step, inputs @ self.W_xh + self.b_x, state, mask)

    def _step(self, projected: Tensor, state: Tensor) -> Tensor:
        return gru_step(projected, state, self.W_hh, self.b_h)

    @classmethod
    def from_torch(cls, layer: nn.GRU) -> GRU:
        """Copy the weights of a ``torch.nn.GRU`` with one layer and one direction."""
        if layer.num_layers != 1 or layer.bidirectional or not layer.bias:
            raise ValueError("expected a torch.nn.GRU of one layer, one direction and with biases")
        ours = cls(layer.input_size, layer.hidden_size).to(layer.weight_ih_l0)
        with torch.no_grad():
            ours.W_xh.copy_(layer.weight_ih_l0.T)
            ours.W_hh.copy_(layer.weight_hh_l0.T)
            ours.b_x.copy_(layer.bias_ih_l0)
            ours.b_h.copy_(layer.bias_hh_l0)
        return ours

    def to_torch(self) -> nn.GRU:
        """Copy the weights into a ``torch.nn.GRU``, batch first."""
        layer = nn.GRU(self.input_size, self.output_size, batch_first=True).to(self.W_xh)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(self.W_xh.T)
            layer.weight_hh_l0.copy_(self.W_hh.T)
            layer.bias_ih_l0.copy_(self.b_x)
            layer.bias_hh_l0.copy_(self.b_h)
        return layer
