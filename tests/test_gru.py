"""The gated recurrent unit: by hand, against torch, and its two limits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.gru import GRU, gru_step
from softalign.masking import lengths_mask
from softalign.rnn import rnn_step
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=40)
sizes = st.integers(1, 5)


@st.composite
def layers(draw):
    """A torch layer in float64, inputs, an initial state, lengths: shapes drawn, 1 included."""
    batch, time, feature, hidden = (draw(sizes) for _ in range(4))
    with seeded(draw(st.integers(0, 10**6))):
        theirs = nn.GRU(feature, hidden, batch_first=True).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
        state = torch.randn(batch, hidden, dtype=torch.float64)
    lengths = draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    return theirs, inputs, state, torch.tensor(lengths)


def test_a_step_by_hand():
    # pre-activations of r, u, candidate: the gates are 1/2 and 3/4, the candidate tanh(1 + 2/2)
    projected = torch.tensor([[0.0, math.log(3.0), 1.0]])
    W_hh, b_h = torch.tensor([[0.0, 0.0, 4.0]]), torch.tensor([0.0, 0.0, 1.0])
    found = gru_step(projected, torch.tensor([[0.25]]), W_hh, b_h)
    # r = 1/2, u = 3/4, candidate = tanh(1 + 1/2 * (0.25 * 4 + 1)) = tanh(2)
    assert found.item() == pytest.approx(0.75 * 0.25 + 0.25 * math.tanh(2.0), abs=1e-6)


def test_a_step_has_inputs_as_rows_of_the_weights():
    # both gates shut: the candidate alone, and nothing of the old state but through the weights
    shut = torch.full((1, 2), -40.0)
    projected = torch.cat([shut + 80, shut, torch.zeros(1, 2)], dim=1)  # r = 1, u = 0
    W_hh = torch.zeros(2, 6)
    W_hh[0, 5] = 1.0  # from the first unit to the second unit's candidate
    found = gru_step(projected, torch.tensor([[0.5, -1.0]]), W_hh, torch.zeros(6))
    assert torch.allclose(found, torch.tensor([[0.0, math.tanh(0.5)]]))


@LAW
@given(layers())
def test_a_layer_is_that_of_torch_forward_and_backward(case):
    theirs, inputs, state, _ = case
    ours = GRU.from_torch(theirs)
    ours_in, theirs_in = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    ours_state, theirs_state = state.clone().requires_grad_(), state.clone().requires_grad_()
    outputs, last = ours(ours_in, ours_state)
    expected, theirs_last = theirs(theirs_in, theirs_state[None])
    assert torch.allclose(outputs, expected, atol=1e-12)
    assert torch.allclose(last, theirs_last[0], atol=1e-12)
    weights = torch.arange(1.0, outputs.numel() + 1, dtype=torch.float64).reshape(outputs.shape)
    ((outputs * weights).sum() + last.sum()).backward()
    ((expected * weights).sum() + theirs_last.sum()).backward()
    for found, right in (
        (ours_in.grad, theirs_in.grad),
        (ours_state.grad, theirs_state.grad),
        (ours.W_xh.grad, theirs.weight_ih_l0.grad.T),
        (ours.W_hh.grad, theirs.weight_hh_l0.grad.T),
        (ours.b_x.grad, theirs.bias_ih_l0.grad),
        (ours.b_h.grad, theirs.bias_hh_l0.grad),
    ):
        assert torch.allclose(found, right, atol=1e-10)


@LAW
@given(layers())
def test_weights_go_to_torch_and_back(case):
    theirs, inputs, state, _ = case
    ours = GRU.from_torch(theirs)
    again = ours.to_torch()
    assert again.batch_first
    assert torch.equal(again(inputs, state[None])[0], theirs(inputs, state[None])[0])
    with torch.no_grad():
        again.weight_hh_l0.zero_()
    assert ours.W_hh.abs().sum() > 0  # a copy, not the same memory


@LAW
@given(layers())
def test_a_mask_does_what_packing_does_in_torch(case):
    theirs, inputs, state, lengths = case
    ours = GRU.from_torch(theirs)
    found, last = ours(inputs, state, lengths_mask(lengths, inputs.shape[1]))
    packed = nn.utils.rnn.pack_padded_sequence(
        inputs, lengths, batch_first=True, enforce_sorted=False
    )
    outputs, expected_last = theirs(packed, state[None])
    expected, _ = nn.utils.rnn.pad_packed_sequence(
        outputs, batch_first=True, total_length=inputs.shape[1]
    )
    assert torch.allclose(found, expected, atol=1e-12)
    assert torch.allclose(last, expected_last[0], atol=1e-12)


@LAW
@given(layers())
def test_a_step_is_a_layer_of_one_time_step(case):
    theirs, inputs, state, _ = case
    ours = GRU.from_torch(theirs)
    found = gru_step(inputs[:, 0] @ ours.W_xh + ours.b_x, state, ours.W_hh, ours.b_h)
    assert torch.allclose(found, ours(inputs[:, :1], state)[1], atol=1e-12)


def test_an_open_update_gate_keeps_the_state_and_its_gradient():
    with seeded(0):
        layer = GRU(3, 4).double()
        inputs, state = torch.randn(2, 50, 3).double(), torch.randn(2, 4).double()
    state.requires_grad_()
    with torch.no_grad():
        layer.b_x[4:8] = 50.0
    _, last = layer(inputs, state)
    assert torch.allclose(last, state, atol=1e-12)
    (grad,) = torch.autograd.grad(last.sum(), state)
    assert torch.allclose(grad, torch.ones_like(grad), atol=1e-12)


def test_with_the_gates_at_their_other_limit_it_is_an_rnn():
    with seeded(1):
        layer = GRU(3, 4).double()
        inputs, state = torch.randn(2, 3).double(), torch.randn(2, 4).double()
    with torch.no_grad():
        layer.b_x[:4], layer.b_x[4:8] = 80.0, -80.0  # r = 1, u = 0
    simple = rnn_step(
        inputs, state, layer.W_xh[:, 8:], layer.W_hh[:, 8:], layer.b_x[8:] + layer.b_h[8:]
    )
    assert torch.allclose(layer(inputs[:, None], state)[1], simple, atol=1e-12)


@given(layers())
@LAW
def test_the_state_stays_between_minus_one_and_one(case):
    theirs, inputs, _, _ = case
    outputs, _ = GRU.from_torch(theirs)(100 * inputs)
    assert outputs.abs().max() <= 1


def test_nothing_is_mutated_and_the_precision_is_the_callers():
    layer = GRU(2, 3).double()
    inputs, state = torch.ones(1, 2, 2, dtype=torch.float64), torch.ones(1, 3).double()
    before = inputs.clone(), state.clone()
    outputs, last = layer(inputs, state)
    assert torch.equal(inputs, before[0])
    assert torch.equal(state, before[1])
    assert outputs.dtype == last.dtype == layer.initial_state(1).dtype == torch.float64


def test_it_has_three_quarters_of_the_weights_of_an_lstm():
    sizes = {
        kind: sum(p.numel() for name, p in kind(7, 5).named_parameters() if "weight" in name)
        for kind in (nn.LSTM, nn.GRU)
    }
    ours = GRU(7, 5)
    assert 4 * (ours.W_xh.numel() + ours.W_hh.numel()) == 3 * sizes[nn.LSTM] == 4 * sizes[nn.GRU]


def test_initial_weights_are_those_of_torch_in_range():
    with seeded(0):
        layer = GRU(50, 100)
    for parameter in layer.parameters():
        assert 0.09 < parameter.abs().max() <= 0.1


@pytest.mark.parametrize("arguments", [(0, 3), (3, 0), (-1, 2)])
def test_sizes_below_one_are_refused(arguments):
    with pytest.raises(ValueError, match="expected 1 or more"):
        GRU(*arguments)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": True}, {"bias": False}])
def test_other_layers_of_torch_are_refused(options):
    with pytest.raises(ValueError, match="one layer, one direction"):
        GRU.from_torch(nn.GRU(2, 3, batch_first=True, **options))
