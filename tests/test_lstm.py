"""The LSTM: by hand, against torch, the laws of every layer, and what its gates do."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.lstm import LSTM, Gates, LSTMState, lstm_gates, lstm_step
from softalign.masking import lengths_mask
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=40)
sizes = st.integers(1, 5)
NAMES = {"W_xh": "weight_ih_l0", "W_hh": "weight_hh_l0", "b": "bias_ih_l0"}


@st.composite
def layers(draw):
    """A torch layer in float64, inputs, an initial state, lengths: shapes drawn, 1 included."""
    batch, time, feature, hidden = (draw(sizes) for _ in range(4))
    with seeded(draw(st.integers(0, 10**6))):
        theirs = nn.LSTM(feature, hidden, batch_first=True).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
        state = LSTMState(*torch.randn(2, batch, hidden, dtype=torch.float64))
    lengths = draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    return theirs, inputs, state, torch.tensor(lengths)


def one_unit(*biases: float) -> LSTM:
    """A layer of one unit that reads nothing: gates and candidate are given by four biases."""
    layer = LSTM(1, 1)
    with torch.no_grad():
        layer.W_xh.zero_()
        layer.W_hh.zero_()
        layer.b.copy_(torch.tensor(biases))
    return layer.double()


def test_two_steps_by_hand():
    # sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4, tanh(log 3) = 4/5
    three = math.log(3)
    first = lstm_gates(torch.tensor([[three, three, three, three]]), torch.zeros(1, 1))
    assert [part.item() for part in first[:4]] == pytest.approx([0.75, 0.75, 0.8, 0.75])
    assert first.cell.item() == pytest.approx(0.6)
    assert first.hidden.item() == pytest.approx(0.75 * math.tanh(0.6))
    second = lstm_gates(torch.tensor([[-three, three, -three, -three]]), first.cell)
    assert second.cell.item() == pytest.approx(0.75 * 0.6 - 0.25 * 0.8)
    assert second.hidden.item() == pytest.approx(0.25 * math.tanh(0.25))


@pytest.mark.parametrize(
    ("gate", "place"), [("input", 0), ("forget", 1), ("candidate", 2), ("output", 3)]
)
def test_each_gate_reads_its_own_columns(gate, place):
    joined = torch.zeros(1, 8)
    joined[0, 2 * place + 1] = 2.0
    found = lstm_gates(joined, torch.zeros(1, 2))
    at_zero = {"input": 0.5, "forget": 0.5, "candidate": 0.0, "output": 0.5}
    for name, value in at_zero.items():
        first, second = getattr(found, name)[0].tolist()
        assert first == value
        assert (second != value) == (name == gate)


def test_a_step_by_hand_has_inputs_as_rows_of_the_weights():
    # two inputs, one unit; only the candidate reads: 1 * 0.5 + 2 * 0.25 + 3 * (-1) + 1 = -1
    W_xh = torch.tensor([[0.0, 0, 0.5, 0], [0.0, 0, 0.25, 0]])
    W_hh, b = torch.tensor([[0.0, 0, -1, 0]]), torch.tensor([0.0, 0, 1, 0])
    state = LSTMState(torch.tensor([[3.0]]), torch.tensor([[10.0]]))
    found = lstm_step(torch.tensor([[1.0, 2.0]]), state, W_xh, W_hh, b)
    assert found.cell.item() == pytest.approx(5 + math.tanh(-1) / 2)
    assert found.hidden.item() == pytest.approx(math.tanh(5 + math.tanh(-1) / 2) / 2)


def run(layer, inputs, state):
    """Outputs, last state, gradients of inputs and initial state, under uneven weights."""
    x, h, c = (tensor.clone().requires_grad_() for tensor in (inputs, *state))
    ours = isinstance(layer, LSTM)
    outputs, last = layer(x, LSTMState(h, c) if ours else (h[None], c[None]))
    last = [part.reshape(h.shape) for part in last]
    weights = torch.arange(1.0, outputs.numel() + 1, dtype=outputs.dtype).view_as(outputs)
    ((outputs * weights).sum() + 2 * last[0].sum() - 3 * (last[1] ** 2).sum()).backward()
    return [outputs, *last, x.grad, h.grad, c.grad]


@LAW
@given(layers())
def test_a_layer_is_that_of_torch_forward_and_backward(case):
    theirs, inputs, state, _ = case
    ours = LSTM.from_torch(theirs)
    for a, b in zip(run(ours, inputs, state), run(theirs, inputs, state), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    for name, theirs_name in NAMES.items():
        gradient = getattr(theirs, theirs_name).grad
        gradient = gradient.T if gradient.ndim == 2 else gradient
        torch.testing.assert_close(getattr(ours, name).grad, gradient, rtol=1e-10, atol=1e-10)


def test_a_layer_is_that_of_torch_in_single_precision_and_from_zeros():
    with seeded(0):
        theirs, inputs = nn.LSTM(7, 6, batch_first=True), torch.randn(3, 9, 7)
    ours = LSTM.from_torch(theirs)
    outputs, last = ours(inputs)
    expected, (hidden, cell) = theirs(inputs)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, LSTMState(hidden[0], cell[0]))
    assert outputs.dtype == torch.float32


@LAW
@given(layers())
def test_to_torch_is_the_way_back(case):
    theirs, inputs, state, _ = case
    ours = LSTM.from_torch(theirs)
    back = ours.to_torch()
    expected, (hidden, cell) = back(inputs, (state.hidden[None], state.cell[None]))
    outputs, last = ours(inputs, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, LSTMState(hidden[0], cell[0]))
    again = LSTM.from_torch(back)
    for a, b in zip(ours.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_copies_share_no_memory():
    theirs = nn.LSTM(2, 3)
    ours = LSTM.from_torch(theirs)
    back = ours.to_torch()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.zero_()
    assert all(parameter.abs().sum() > 0 for parameter in theirs.parameters())
    assert back.weight_hh_l0.abs().sum() > 0


@LAW
@given(layers())
def test_a_layer_is_its_step_again_and_again_and_its_gates(case):
    theirs, inputs, state, _ = case
    layer = LSTM.from_torch(theirs)
    outputs, last = layer(inputs, state)
    gates = layer.gates(inputs, state)
    for t in range(inputs.shape[1]):
        joined = inputs[:, t] @ layer.W_xh + state.hidden @ layer.W_hh + layer.b
        expected = lstm_gates(joined, state.cell)
        for found, part in zip(gates, expected, strict=True):
            torch.testing.assert_close(found[:, t], part)
        state = lstm_step(inputs[:, t], state, layer.W_xh, layer.W_hh, layer.b)
        torch.testing.assert_close(outputs[:, t], state.hidden)
    torch.testing.assert_close(last, state)
    torch.testing.assert_close(outputs, gates.hidden)


@LAW
@given(layers())
def test_gates_and_states_stay_in_their_ranges(case):
    theirs, inputs, state, _ = case
    gates = LSTM.from_torch(theirs).gates(3 * inputs, state)
    for gate in (gates.input, gates.forget, gates.output):
        assert ((gate > 0) & (gate < 1)).all()
    assert (gates.candidate.abs() < 1).all()
    assert (gates.hidden.abs() < gates.output).all()
    steps = 1 + torch.arange(inputs.shape[1])[:, None]  # at most 1 more with every step
    assert (gates.cell.abs() < state.cell.abs()[:, None] + steps).all()


def test_gradients_are_finite_differences():
    with seeded(1):
        layer = LSTM(2, 3).double()
        inputs = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
        state = torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True)
    mask = lengths_mask([4, 2])

    def everything(x, state, *weights):
        named = dict(zip(("W_xh", "W_hh", "b"), weights, strict=True))
        outputs, last = torch.func.functional_call(layer, named, (x, LSTMState(*state), mask))
        return outputs, *last

    assert torch.autograd.gradcheck(everything, (inputs, state, *layer.parameters()))


@LAW
@given(layers(), st.data())
def test_outputs_do_not_see_what_comes_later(case, data):
    theirs, inputs, state, _ = case
    layer = LSTM.from_torch(theirs)
    t = data.draw(st.integers(0, inputs.shape[1] - 1))
    changed = inputs.clone()
    changed[:, t] += 1.0
    for mode in (True, False):
        layer.train(mode)
        before, after = layer(inputs, state)[0], layer(changed, state)[0]
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t], after[:, t])


@LAW
@given(layers())
def test_a_sequence_alone_is_the_same_in_a_padded_batch(case):
    theirs, inputs, state, lengths = case
    layer = LSTM.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    outputs, last = layer(inputs, state, mask)
    gates = layer.gates(inputs, state, mask)
    for row, length in enumerate(lengths.tolist()):
        one = LSTMState(state.hidden[row, None], state.cell[row, None])
        alone, alone_last = layer(inputs[row, None, :length], one)
        torch.testing.assert_close(outputs[row, :length], alone[0])
        assert (outputs[row, length:] == 0).all()
        torch.testing.assert_close(last.hidden[row], alone_last.hidden[0])
        torch.testing.assert_close(last.cell[row], alone_last.cell[0])
        inside = layer.gates(inputs[row, None, :length], one)
        for found, part in zip(gates, inside, strict=True):
            torch.testing.assert_close(found[row, :length], part[0])
        torch.testing.assert_close(gates.cell[row, -1], alone_last.cell[0])
        torch.testing.assert_close(gates.hidden[row, -1], alone_last.hidden[0])


@LAW
@given(layers(), st.data())
def test_padding_in_the_middle_is_as_if_it_were_not_there(case, data):
    theirs, inputs, state, _ = case
    layer = LSTM.from_torch(theirs)
    batch, time, _ = inputs.shape
    seen = torch.tensor(data.draw(st.lists(st.booleans(), min_size=time, max_size=time)))
    outputs, last = layer(inputs, state, seen.expand(batch, time))
    gates = layer.gates(inputs, state, seen.expand(batch, time))
    if not seen.any():
        assert (outputs == 0).all()
        assert torch.equal(last.cell, state.cell)
        return
    short, short_last = layer(inputs[:, seen], state)
    torch.testing.assert_close(outputs[:, seen], short)
    torch.testing.assert_close(last, short_last)
    torch.testing.assert_close(gates.forget[:, seen], layer.gates(inputs[:, seen], state).forget)


def test_padding_gets_no_gradient_and_its_values_do_not_matter():
    with seeded(2):
        layer, inputs = LSTM(3, 4), torch.randn(2, 5, 3, requires_grad=True)
    mask = lengths_mask([5, 2])
    layer(inputs, mask=mask)[0].sum().backward()
    assert (inputs.grad[1, 2:] == 0).all()
    assert (inputs.grad[1, :2] != 0).any()
    other = torch.where(mask[:, :, None], inputs.detach(), torch.tensor(1e30))
    for a, b in zip(layer(inputs, mask=mask)[1], layer(other, mask=mask)[1], strict=True):
        assert torch.equal(a, b)


@LAW
@given(layers())
def test_nothing_that_was_given_is_changed(case):
    theirs, inputs, state, lengths = case
    layer = LSTM.from_torch(theirs)
    mask = lengths_mask(lengths, inputs.shape[1])
    given_ = (inputs, *state, mask, *layer.parameters())
    before = copy.deepcopy([tensor.detach() for tensor in given_])
    layer(inputs, state, mask)[0].sum().backward()
    layer.gates(inputs, state, mask)
    lstm_step(inputs[:, 0], state, *(parameter.detach() for parameter in layer.parameters()))
    for tensor, copied in zip(given_, before, strict=True):
        assert torch.equal(tensor, copied)
    assert vars(layer).keys() == vars(LSTM(1, 1)).keys()  # no result is left on the layer


@pytest.mark.parametrize("candidate", [-20.0, 0.0, 20.0])
def test_at_the_limit_forget_1_and_input_0_the_cell_is_kept_whatever_comes(candidate):
    layer = one_unit(-1000.0, 1000.0, candidate, 0.0)  # in float64 exactly 0 and 1
    state = LSTMState(*torch.tensor([[[0.3]], [[-0.7]]], dtype=torch.float64))
    gates = layer.gates(torch.ones(1, 200, 1, dtype=torch.float64), state)
    assert (gates.cell == -0.7).all()
    assert torch.allclose(gates.hidden, 0.5 * torch.tanh(torch.tensor(-0.7).double()))


def test_at_the_limit_forget_0_and_input_1_only_the_candidate_counts():
    layer = one_unit(1000.0, -1000.0, 0.5, 1000.0)
    state = LSTMState(*torch.tensor([[[0.3]], [[99.0]]], dtype=torch.float64))
    outputs, last = layer(torch.ones(1, 3, 1, dtype=torch.float64), state)
    assert last.cell.item() == pytest.approx(math.tanh(0.5), abs=1e-15)
    assert outputs[0, :, 0].tolist() == pytest.approx([math.tanh(math.tanh(0.5))] * 3, abs=1e-15)


def test_a_closed_output_gate_hides_the_cell_and_does_not_touch_it():
    open_, closed = one_unit(1.0, 2.0, 0.5, 1000.0), one_unit(1.0, 2.0, 0.5, -1000.0)
    inputs = torch.ones(1, 6, 1, dtype=torch.float64)
    assert torch.equal(open_.gates(inputs).cell, closed.gates(inputs).cell)
    assert (closed(inputs)[0] == 0).all()
    assert (open_(inputs)[0] > 0).all()


@LAW
@given(layers())
def test_along_the_cell_the_gradient_is_the_product_of_forget_gates(case):
    theirs, inputs, state, _ = case
    layer = LSTM.from_torch(theirs)
    first = state.cell.clone().requires_grad_()
    cell, kept, hidden = first, torch.ones_like(first), state.hidden
    for row in inputs.unbind(1):  # the hidden state is cut off: only the cell's own path is left
        joined = row @ layer.W_xh + hidden.detach() @ layer.W_hh + layer.b
        gates = lstm_gates(joined, cell)
        cell, hidden, kept = gates.cell, gates.hidden, kept * gates.forget
    (gradient,) = torch.autograd.grad(cell.sum(), first)
    torch.testing.assert_close(gradient, kept.detach(), rtol=1e-12, atol=1e-12)
    assert (gradient < 1).all()


def test_the_forget_bias_is_added_to_the_forget_gate_alone():
    with seeded(3):
        without = LSTM(2, 50, forget_bias=0.0)
    with seeded(3):
        with_bias = LSTM(2, 50, forget_bias=2.0)
    difference = (with_bias.b - without.b).detach()
    expected = torch.zeros(4, 50)
    expected[1] = 2.0
    torch.testing.assert_close(difference, expected.flatten())
    assert torch.equal(with_bias.W_xh, without.W_xh)
    assert without.b[50:100].std() > 0.01  # added to what was drawn, not put in its place
    with seeded(3):
        assert torch.equal(LSTM(2, 50).b[50:100], without.b[50:100] + 1)


def test_the_weights_are_drawn_as_in_torch():
    with seeded(4):
        layer = LSTM(30, 100, forget_bias=0.0)
    for parameter in layer.parameters():
        assert parameter.abs().max() <= 0.1
        assert parameter.abs().max() > 0.09
        assert abs(parameter.mean().item()) < 0.02
    assert layer.input_size == 30
    assert layer.output_size == 100
    assert sum(p.numel() for p in layer.parameters()) == 4 * 100 * (30 + 100 + 1)


def test_the_initial_state_is_zero_and_the_default():
    layer = LSTM(2, 3).double()
    state = layer.initial_state(4)
    assert isinstance(state, LSTMState)
    for part in state:
        assert part.shape == (4, 3)
        assert part.dtype == torch.float64
        assert (part == 0).all()
    inputs = torch.ones(4, 2, 2, dtype=torch.float64)
    assert torch.equal(layer(inputs)[0], layer(inputs, state)[0])
    assert isinstance(layer.gates(inputs), Gates)


@pytest.mark.parametrize("sizes_", [(0, 3), (3, 0), (-1, 2)])
def test_a_size_below_one_is_refused(sizes_):
    with pytest.raises(ValueError, match="expected 1 or more"):
        LSTM(*sizes_)


def test_a_sequence_without_time_steps_is_refused():
    layer = LSTM(2, 3)
    for call in (layer, layer.gates):
        with pytest.raises(ValueError, match="no time step"):
            call(torch.zeros(4, 0, 2))


@pytest.mark.parametrize(
    "options", [{"num_layers": 2}, {"bidirectional": True}, {"bias": False}, {"proj_size": 1}]
)
def test_a_torch_layer_of_another_kind_is_refused(options):
    with pytest.raises(ValueError, match="one layer, one direction, with biases, no projection"):
        LSTM.from_torch(nn.LSTM(2, 3, **options))


def test_a_unit_set_by_hand_counts():
    """The cell adds 1 for one symbol and takes 1 for the other; an RNN's state could not."""
    layer = LSTM(2, 1)
    with torch.no_grad():
        layer.W_hh.zero_()
        layer.W_xh.copy_(torch.tensor([[0.0, 0, 100, 0], [0.0, 0, -100, 0]]))
        layer.b.copy_(torch.tensor([100.0, 100, 0, 100]))
    symbols = np.random.default_rng(0).integers(0, 2, size=(1, 300))
    gates = layer.gates(nn.functional.one_hot(torch.from_numpy(symbols), 2).float())
    assert gates.cell[0, :, 0].tolist() == np.cumsum(1 - 2 * symbols[0]).tolist()


def test_it_learns_what_lies_twenty_steps_back():
    from softalign.synthetic import LastOutput, accuracy, first_symbol

    with seeded(0):
        model = LastOutput(LSTM(8, 24, forget_bias=2.0), 4)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(120):
        batch = first_symbol(step, lag=20, seed=0)
        loss = nn.functional.cross_entropy(model(batch.inputs), batch.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert accuracy(model, first_symbol(0, lag=20, seed=1, batch_size=200)) > 0.95


def test_it_runs_on_another_device():
    layer = LSTM(2, 3).to("meta")
    outputs, last = layer(torch.empty(4, 5, 2, device="meta"))
    assert outputs.shape == (4, 5, 3)
    assert {part.device.type for part in (outputs, *last)} == {"meta"}
