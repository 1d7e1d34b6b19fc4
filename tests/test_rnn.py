"""The simple recurrent layer: by hand, against torch, and the laws of every layer."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.masking import lengths_mask
from softalign.rnn import RNN, keep, rnn_step, scan
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=40)
sizes = st.integers(1, 5)


@st.composite
def layers(draw, activations=("tanh", "relu")):
    """A torch layer in float64, inputs, an initial state, lengths: shapes drawn, 1 included."""
    batch, time, feature, hidden = (draw(sizes) for _ in range(4))
    with seeded(draw(st.integers(0, 10**6))):
        theirs = nn.RNN(
            feature, hidden, nonlinearity=draw(st.sampled_from(activations)), batch_first=True
        ).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
        state = torch.randn(batch, hidden, dtype=torch.float64)
    lengths = draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    return theirs, inputs, state, torch.tensor(lengths)


def test_two_steps_by_hand():
    # h_1 = 2*1 + 3*0 + 1 = 3, h_2 = 2*(-1) + 3*3 + 1 = 8, without an activation
    layer = RNN(1, 1, activation=lambda a: a)
    with torch.no_grad():
        for parameter, value in zip((layer.W_xh, layer.W_hh, layer.b_h), (2, 3, 1), strict=True):
            parameter.fill_(value)
    outputs, state = layer(torch.tensor([[[1.0], [-1.0]]]))
    assert outputs.tolist() == [[[3.0], [8.0]]]
    assert state.tolist() == [[8.0]]


def test_a_step_by_hand_has_inputs_as_rows_of_the_weights():
    inputs, state = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.0, -1.0]])
    W_xh = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    W_hh = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    found = rnn_step(inputs, state, W_xh, W_hh, torch.tensor([0.0, 0.0, 5.0]), lambda a: a)
    assert found.tolist() == [[0.0, 3.0, 5.0]]  # (1, 2, 0) + (-1, 1, 0) + (0, 0, 5)


@LAW
@given(layers())
def test_a_layer_is_that_of_torch_forward_and_backward(case):
    theirs, inputs, state, _ = case
    ours = RNN.from_torch(theirs)
    results = []
    for layer, first in ((ours, state.clone()), (theirs, state[None].clone())):
        x, h = inputs.clone().requires_grad_(), first.requires_grad_()
        outputs, last = layer(x, h)
        weights = torch.arange(1.0, outputs.numel() + 1, dtype=torch.float64).view_as(outputs)
        (outputs * weights).sum().backward()
        results.append([outputs, last.view(state.shape), x.grad, h.grad.view(state.shape)])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    names = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b_h": "bias_ih_l0"}
    for name, theirs_name in names.items():
        gradient = getattr(theirs, theirs_name).grad
        gradient = gradient.T if gradient.ndim == 2 else gradient
        torch.testing.assert_close(getattr(ours, name).grad, gradient, rtol=1e-11, atol=1e-11)


@LAW
@given(layers())
def test_to_torch_is_the_way_back(case):
    theirs, inputs, state, _ = case
    ours = RNN.from_torch(theirs)
    back = ours.to_torch()
    torch.testing.assert_close(ours(inputs, state)[0], back(inputs, state[None])[0])
    again = RNN.from_torch(back)
    assert all(
        torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters(), strict=True)
    )


@LAW
@given(layers(["tanh"]))
def test_a_layer_is_its_step_again_and_again(case):
    theirs, inputs, state, _ = case
    layer = RNN.from_torch(theirs)
    outputs, last = layer(inputs, state)
    for t in range(inputs.shape[1]):
        state = rnn_step(inputs[:, t], state, layer.W_xh, layer.W_hh, layer.b_h)
        torch.testing.assert_close(outputs[:, t], state)
    assert torch.equal(last, outputs[:, -1])


def test_gradients_are_finite_differences():
    with seeded(1):
        layer = RNN(2, 3).double()
        inputs = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
        state = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    mask = lengths_mask([4, 2])
    parameters = list(layer.parameters())

    def outputs(x, h, *weights):
        named = dict(zip(("W_xh", "W_hh", "b_h"), weights, strict=True))
        return torch.func.functional_call(layer, named, (x, h, mask))

    assert torch.autograd.gradcheck(outputs, (inputs, state, *parameters))


@LAW
@given(layers(["tanh"]), st.data())
def test_outputs_do_not_see_what_comes_later(case, data):
    theirs, inputs, state, _ = case
    layer = RNN.from_torch(theirs)
    t = data.draw(st.integers(0, inputs.shape[1] - 1))
    changed = inputs.clone()
    changed[:, t] += 1.0
    for mode in (True, False):
        layer.train(mode)
        a, b = layer(inputs, state)[0], layer(changed, state)[0]
        assert torch.equal(a[:, :t], b[:, :t])
        assert (a[:, t] != b[:, t]).any()


@LAW
@given(layers())
def test_a_sequence_alone_is_what_it_is_in_a_padded_batch(case):
    theirs, inputs, state, lengths = case
    layer = RNN.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    outputs, last = layer(inputs, state, mask)
    for row, length in enumerate(lengths.tolist()):
        alone, end = layer(inputs[row : row + 1, :length], state[row : row + 1])
        torch.testing.assert_close(outputs[row : row + 1, :length], alone)
        torch.testing.assert_close(last[row : row + 1], end)
        assert (outputs[row, length:] == 0).all()


@LAW
@given(layers(["tanh"]))
def test_what_padding_holds_changes_nothing_not_even_a_gradient(case):
    theirs, inputs, state, lengths = case
    layer = RNN.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    results = []
    for filling in (0.0, 1e3):
        x = inputs.masked_fill(~mask[:, :, None], filling).requires_grad_()
        outputs, last = layer(x, state, mask)
        layer.zero_grad()
        (outputs.sum() + last.square().sum()).backward()
        assert (x.grad[~mask] == 0).all()
        results.append([outputs, last, *(p.grad.clone() for p in layer.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@LAW
@given(layers(["tanh"]), st.data())
def test_reading_in_two_parts_is_reading_at_once(case, data):
    theirs, inputs, state, lengths = case
    layer = RNN.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    whole, last = layer(inputs, state, mask)
    cut = data.draw(st.integers(0, inputs.shape[1]))
    parts = []
    for part in (slice(None, cut), slice(cut, None)):
        if inputs[:, part].shape[1]:
            outputs, state = layer(inputs[:, part], state, mask[:, part])
            parts.append(outputs)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(state, last)


@LAW
@given(layers(["tanh"]))
def test_nothing_is_changed_by_a_call(case):
    theirs, inputs, state, lengths = case
    layer = RNN.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    before = copy.deepcopy((inputs, state, mask, layer.state_dict()))
    layer(inputs, state, mask)
    torch.testing.assert_close(
        (inputs, state, mask, dict(layer.state_dict())),
        (*before[:3], dict(before[3])),
        rtol=0,
        atol=0,
    )


def test_without_a_state_the_state_is_zero():
    with seeded(2):
        layer, inputs = RNN(2, 3), torch.randn(4, 2, 2)
    assert torch.equal(layer.initial_state(4), torch.zeros(4, 3))
    assert torch.equal(layer(inputs)[0], layer(inputs, torch.zeros(4, 3))[0])


def test_parameters_are_drawn_within_their_bounds_and_do_not_depend_on_length():
    with seeded(3):
        layer = RNN(20, 100)
    flat = torch.cat([p.flatten() for p in layer.parameters()])
    assert len(flat) == 20 * 100 + 100 * 100 + 100
    assert flat.abs().max() <= 0.1
    assert flat.abs().max() > 0.099
    assert flat.mean().abs() < 0.005
    for time in (1, 4, 400):
        assert layer(torch.zeros(1, time, 20))[0].shape == (1, time, 100)


def test_a_state_of_several_parts_is_kept_part_by_part():
    from typing import NamedTuple

    class Pair(NamedTuple):
        a: torch.Tensor
        b: torch.Tensor

    old, new = Pair(torch.zeros(2, 1), torch.zeros(2, 3)), Pair(torch.ones(2, 1), torch.ones(2, 3))
    found = keep(torch.tensor([[True], [False]]), new, old)
    assert found.a.tolist() == [[1], [0]]
    assert found.b.tolist() == [[1, 1, 1], [0, 0, 0]]
    outputs, last = scan(
        lambda x, s: Pair(s.a + x, s.b + 1),
        torch.tensor([[[1.0], [2.0]], [[5.0], [7.0]]]),
        old,
        lengths_mask([2, 1]),
    )
    assert outputs.tolist() == [[[1], [3]], [[5], [0]]]  # the first part is the output
    assert last.b[:, 0].tolist() == [2, 1]


def test_half_of_the_layers_runs_in_float32_and_another_in_float64():
    for dtype in (torch.float32, torch.float64):
        layer = RNN(2, 3).to(dtype)
        outputs, state = layer(torch.zeros(1, 2, 2, dtype=dtype))
        assert outputs.dtype == state.dtype == dtype


def test_a_learner_remembers_the_first_bit():
    with seeded(0):
        layer, readout = RNN(1, 8), nn.Linear(8, 1)
        bits = torch.randint(0, 2, (64, 6, 1)).float()
        optimiser = torch.optim.Adam([*layer.parameters(), *readout.parameters()], lr=0.02)
        for _ in range(150):
            loss = nn.functional.binary_cross_entropy_with_logits(
                readout(layer(bits)[1]), bits[:, 0]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert loss.item() < 0.05  # log 2 = 0.69 at the start


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RNN(0, 3), "input_size is 0 and hidden_size is 3, expected 1 or more"),
        (lambda: RNN(2, 3)(torch.zeros(1, 0, 2)), "no time step"),
        (
            # without the type check of the tests, which speaks first
            lambda: inspect.unwrap(scan)(
                None, torch.zeros(2, 4, 2), None, torch.ones(2, 3, dtype=torch.bool)
            ),
            r"the mask has the shape \(2, 3\), expected \(batch, time\) = \(2, 4\)",
        ),
        (lambda: RNN.from_torch(nn.RNN(2, 3, num_layers=2)), "one layer"),
        (lambda: RNN.from_torch(nn.RNN(2, 3, bidirectional=True)), "one direction"),
        (lambda: RNN.from_torch(nn.RNN(2, 3, bias=False)), "with biases"),
        (lambda: RNN(2, 3, activation=torch.sigmoid).to_torch(), "tanh and relu only"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(Exception, match=message):
        call()


def test_the_numpy_cell_of_the_page_is_the_same():
    rng = np.random.default_rng(0)
    W_xh, W_hh, b_h = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
    inputs, state = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    expected = np.tanh(np.hstack([inputs, state]) @ np.vstack([W_xh, W_hh]) + b_h)
    found = rnn_step(*(torch.from_numpy(a) for a in (inputs, state, W_xh, W_hh, b_h)))
    assert np.allclose(found.numpy(), expected, atol=1e-14)
