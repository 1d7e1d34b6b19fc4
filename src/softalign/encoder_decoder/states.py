"""States of recurrent layers as an encoder and a decoder use them.

Page: 05_encoder_decoder/encoder_decoder
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from softalign.lstm import LSTMState
from softalign.rnn import State
from softalign.stacks import BidirectionalState


def last_hidden(state: State) -> Float[Tensor, "batch hidden"]:
    """What the rest of a network sees of a layer's last state.

    Parameters
    ----------
    state : state of a recurrent layer
        Of an LSTM the cell is left out, of a stack all but the highest layer; of two directions the
        states are joined: the forward one has read the last word, the backward one the first.

    Returns
    -------
    Tensor of shape (batch, hidden)

    Examples
    --------
    >>> last_hidden(LSTMState(torch.ones(2, 3), torch.zeros(2, 3))).shape
    torch.Size([2, 3])

    Page: 05_encoder_decoder/encoder_decoder
    """
    if isinstance(state, Tensor):
        return state
    if isinstance(state, LSTMState):
        return state.hidden
    if isinstance(state, BidirectionalState):
        return torch.cat([last_hidden(state.forward), last_hidden(state.backward)], dim=-1)
    return last_hidden(state[-1])


def started(state: State, before: Float[Tensor, "batch hidden"]) -> State:
    """A state of the same form that begins with something to remember.

    Every hidden vector is the tanh of `before`, and every cell of an LSTM is `before` itself: the
    state of an LSTM whose output gate is open.
    """
    if isinstance(state, Tensor):
        return torch.tanh(before)
    if isinstance(state, LSTMState):
        return LSTMState(torch.tanh(before), before)
    return tuple(started(part, before) for part in state)


def select(state: Any, rows: Tensor) -> Any:
    """Take rows of a state: of a tensor, of each part of a tuple, of nothing."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    parts = [select(part, rows) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
