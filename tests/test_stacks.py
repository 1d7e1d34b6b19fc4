"""Two directions, layers on layers, skips across time: against torch, and the laws of a layer."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.masking import lengths_mask
from softalign.rnn import RNN
from softalign.stacks import Bidirectional, SkipLayer, Stacked
from softalign.training import seeded

LAW = settings(derandomize=True, deadline=None, max_examples=30)
sizes = st.integers(1, 4)
seeds = st.integers(0, 10**6)
FORWARD_ONLY = ("rnn", "gru", "lstm", "stacked", "residual", "skip", "skip in a stack")
KINDS = (*FORWARD_ONLY, "both", "both stacked", "stack of both", "skip of both")


def build(kind: str, feature: int, hidden: int) -> nn.Module:
    """A layer of each kind, in float64."""
    simple = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
    if kind in simple:
        layer = simple[kind](feature, hidden)
    elif kind == "stacked":
        layer = Stacked([LSTM(feature, hidden), GRU(hidden, 3)])
    elif kind == "residual":
        wide = hidden + 2  # the normalisation of one or two features is nearly constant
        layers = [GRU(feature, wide), LSTM(wide, wide), RNN(wide, wide)]
        layer = Stacked(layers, residual=True, normalise=feature > 2)
        for bias in (p for norm in layer.norms for n, p in norm.named_parameters() if n == "bias"):
            nn.init.normal_(bias)  # otherwise zero stays zero at padding, whatever the code does
    elif kind == "skip":
        layer = SkipLayer(LSTM(feature, hidden), 3)
    elif kind == "skip in a stack":
        layer = Stacked([SkipLayer(GRU(feature, hidden), 2), GRU(hidden, hidden)], residual=True)
    elif kind == "both":
        layer = Bidirectional(LSTM(feature, hidden), GRU(feature, 3))
    elif kind == "both stacked":
        layer = Bidirectional(
            Stacked([LSTM(feature, 3), LSTM(3, hidden)]), SkipLayer(RNN(feature, hidden), 2)
        )
    elif kind == "stack of both":
        both = [Bidirectional(LSTM(n, hidden), LSTM(n, hidden)) for n in (feature, 2 * hidden)]
        layer = Stacked(both, residual=True)
    else:
        layer = SkipLayer(Bidirectional(GRU(feature, hidden), GRU(feature, hidden)), 2)
    return layer.double()


@st.composite
def cases(draw, kinds=KINDS):
    """What `made` needs; batch 1 and time 1 included."""
    batch, time, feature, hidden = draw(sizes), draw(st.integers(1, 7)), draw(sizes), draw(sizes)
    lengths = draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    return draw(st.sampled_from(kinds)), (batch, time, feature), hidden, lengths, draw(seeds)


def made(case):
    """A layer with inputs and lengths. (Not in the strategy: type checks draw random numbers.)"""
    kind, shape, hidden, lengths, seed = case
    with seeded(seed):
        layer = build(kind, shape[-1], hidden)
        inputs = torch.randn(*shape, dtype=torch.float64)
    return layer, inputs, torch.tensor(lengths)


def flat(state) -> list[torch.Tensor]:
    """All tensors of a state."""
    return [state] if isinstance(state, torch.Tensor) else [t for part in state for t in flat(part)]


def same(a, b) -> bool:
    """Whether two states hold the same numbers."""
    pairs = zip(flat(a), flat(b), strict=True)
    return all(torch.allclose(x, y, atol=1e-12) for x, y in pairs)


def drawn_like(state):
    """A state of the same form with drawn numbers."""
    if isinstance(state, torch.Tensor):
        return torch.randn_like(state)
    parts = [drawn_like(part) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


def row(state, b: int, batch: int):
    """The rows of sentence b in a state; a skip layer has several for each."""
    if isinstance(state, torch.Tensor):
        return state.unflatten(0, (batch, -1))[b]
    parts = [row(part, b, batch) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


def one_direction(layer: nn.LSTM, number: int, suffix: str = "") -> LSTM:
    """One layer and direction of a torch LSTM as ours."""
    feature = getattr(layer, f"weight_ih_l{number}").shape[1]
    single = nn.LSTM(feature, layer.hidden_size, batch_first=True).double()
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(single, f"{name}_l0").copy_(getattr(layer, f"{name}_l{number}{suffix}"))
    return LSTM.from_torch(single)


def from_torch(layer: nn.LSTM) -> Stacked:
    """A torch LSTM of any number of layers and directions as ours."""
    numbers = range(layer.num_layers)
    if not layer.bidirectional:
        return Stacked([one_direction(layer, n) for n in numbers]).double()
    both = [(one_direction(layer, n), one_direction(layer, n, "_reverse")) for n in numbers]
    return Stacked([Bidirectional(*pair) for pair in both]).double()


@LAW
@given(sizes, st.integers(1, 6), sizes, sizes, st.integers(1, 3), st.booleans(), seeds)
def test_a_stack_is_that_of_torch_forward_and_backward(
    batch, time, feature, hidden, depth, bidirectional, seed
):
    with seeded(seed):
        theirs = nn.LSTM(
            feature, hidden, num_layers=depth, bidirectional=bidirectional, batch_first=True
        ).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
    ours = from_torch(theirs)
    ours_in, theirs_in = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
    outputs, state = ours(ours_in)
    expected, (hidden_last, cell_last) = theirs(theirs_in)
    assert torch.allclose(outputs, expected, atol=1e-12)
    directions = [s for layer in state for s in (layer if bidirectional else (layer,))]
    assert torch.allclose(torch.stack([s.hidden for s in directions]), hidden_last, atol=1e-12)
    assert torch.allclose(torch.stack([s.cell for s in directions]), cell_last, atol=1e-12)
    weights = torch.arange(1.0, outputs.numel() + 1, dtype=torch.float64).reshape(outputs.shape)
    (outputs * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(ours_in.grad, theirs_in.grad, atol=1e-10)
    lowest = ours.layers[0].backward_layer if bidirectional else ours.layers[0]
    suffix = "_l0_reverse" if bidirectional else "_l0"
    grad = getattr(theirs, f"weight_hh{suffix}").grad
    assert torch.allclose(lowest.W_hh.grad, grad.T, atol=1e-10)


@LAW
@given(sizes, st.integers(1, 6), sizes, sizes, st.integers(1, 2), seeds, st.data())
def test_a_mask_does_what_packing_does_in_torch(batch, time, feature, hidden, depth, seed, data):
    with seeded(seed):
        theirs = nn.LSTM(
            feature, hidden, num_layers=depth, bidirectional=True, batch_first=True
        ).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
    lengths = data.draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    packed = nn.utils.rnn.pack_padded_sequence(
        inputs, torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    outputs, (hidden_last, _) = theirs(packed)
    expected, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True, total_length=time)
    found, state = from_torch(theirs)(inputs, None, lengths_mask(lengths, time))
    assert torch.allclose(found, expected, atol=1e-12)
    last = torch.stack([direction.hidden for layer in state for direction in layer])
    assert torch.allclose(last, hidden_last, atol=1e-12)


@LAW
@given(cases())
def test_a_sentence_alone_is_a_sentence_in_a_batch(case):
    layer, inputs, lengths = made(case)
    batch, time, _ = inputs.shape
    padded = inputs.clone()
    padded[~lengths_mask(lengths, time)] = 7.0  # whatever stands at padding
    outputs, state = layer(padded, None, lengths_mask(lengths, time))
    assert (outputs[~lengths_mask(lengths, time)] == 0).all()
    for b, length in enumerate(lengths.tolist()):
        alone, last = layer(inputs[b : b + 1, :length])
        assert torch.allclose(outputs[b, :length], alone[0], atol=1e-12)
        assert same(row(state, b, batch), last)


@LAW
@given(cases(), seeds)
def test_the_gradient_at_padding_is_exactly_zero(case, seed):
    layer, inputs, lengths = made(case)
    inputs.requires_grad_()
    mask = lengths_mask(lengths, inputs.shape[1])
    outputs, state = layer(inputs, None, mask)
    with seeded(seed):
        loss = (outputs * torch.randn_like(outputs)).sum()
    loss = loss + sum(part.sum() for part in flat(state))
    loss.backward()
    assert (inputs.grad[~mask] == 0).all()
    assert (inputs.grad[mask] != 0).any()


@LAW
@given(cases(FORWARD_ONLY), seeds, st.data())
def test_in_pieces_is_at_once_for_layers_that_read_forward(case, seed, data):
    layer, inputs, _ = made(case)
    with seeded(seed):
        state = drawn_like(layer.initial_state(len(inputs)))
    outputs, last = layer(inputs, state)
    cuts = sorted(data.draw(st.sets(st.integers(1, inputs.shape[1]))) | {0, inputs.shape[1]})
    pieces = []
    for begin, end in pairwise(cuts):
        piece, state = layer(inputs[:, begin:end], state)
        pieces.append(piece)
    assert torch.allclose(torch.cat(pieces, 1), outputs, atol=1e-12)
    assert same(state, last)


@LAW
@given(cases(FORWARD_ONLY), st.data())
def test_a_layer_that_reads_forward_does_not_see_the_future(case, data):
    layer, inputs, _ = made(case)
    outputs, _ = layer(inputs)
    t = data.draw(st.integers(0, inputs.shape[1] - 1))
    changed = inputs.clone()
    changed[:, t] += 1
    found, _ = layer(changed)
    assert torch.equal(found[:, :t], outputs[:, :t])
    assert (found[:, t] != outputs[:, t]).any()


@LAW
@given(cases(("both", "both stacked", "stack of both")))
def test_two_directions_see_the_whole_sentence(case):
    layer, inputs, _ = made(case)
    inputs.requires_grad_()
    outputs, _ = layer(inputs)
    for t in range(inputs.shape[1]):
        (grad,) = torch.autograd.grad(outputs[:, t].sum(), inputs, retain_graph=True)
        reach = 2 if any(isinstance(part, SkipLayer) for part in layer.modules()) else 1
        seen = [s for s in range(inputs.shape[1]) if s <= t or (s - t) % reach == 0]
        assert (grad[:, seen].abs().sum((0, 2)) > 0).all()


@LAW
@given(sizes, st.integers(1, 6), sizes, sizes, seeds)
def test_one_layer_both_ways_is_symmetric(batch, time, feature, hidden, seed):
    with seeded(seed):
        cell = GRU(feature, hidden).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
    both, _ = Bidirectional(cell, cell)(inputs)
    turned, _ = Bidirectional(cell, cell)(inputs.flip(1))
    left, right = both.split(hidden, dim=-1)
    assert torch.allclose(torch.cat([right, left], -1).flip(1), turned, atol=1e-12)


def test_a_state_goes_to_each_direction():
    layer = Bidirectional(RNN(1, 1), RNN(1, 1))
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
    state = layer.initial_state(1)._replace(forward=torch.tensor([[9.0]]))
    outputs, _ = layer(torch.zeros(1, 1, 1), state)
    forward, backward = outputs.flatten().tolist()
    assert forward > 0.999  # tanh(9 + 1)
    assert backward == pytest.approx(0.76159, abs=1e-4)  # tanh(0 + 1)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
@settings(LAW, max_examples=8)
@given(case=cases(("gru",)))
def test_residuals_and_normalisation_are_what_they_are_called(case, residual, normalise):
    _, inputs, lengths = made(case)
    feature = inputs.shape[-1]
    layers = [GRU(feature, feature).double() for _ in range(3)]
    stack = Stacked(layers, residual=residual, normalise=normalise).double()
    for number, norm in enumerate(stack.norms):
        for parameter in norm.parameters():
            nn.init.normal_(parameter, mean=float(number))
    mask = lengths_mask(lengths, inputs.shape[1])
    stream = inputs
    for number in range(4):
        read = stream
        if normalise:
            gain, bias = stack.norms[number].weight, stack.norms[number].bias
            read = nn.functional.layer_norm(stream, (feature,), gain, bias, eps=1e-5)
        if number == 3:
            stream = read
        else:
            outputs, _ = layers[number](read, None, mask)
            stream = outputs + stream if residual else outputs
    found, _ = stack(inputs, None, mask)
    assert torch.allclose(found[mask], stream[mask], atol=1e-12)


def test_the_bias_of_a_norm_does_not_show_at_padding():
    stack = Stacked([GRU(3, 3)], normalise=True)
    for norm in stack.norms:
        nn.init.ones_(norm.bias)
    mask = lengths_mask([4, 1])
    outputs, _ = stack(torch.ones(2, 4, 3), None, mask)
    assert (outputs[~mask] == 0).all()
    assert (outputs[mask] != 0).any()


def test_a_residual_needs_equal_sizes():
    wide = Stacked([RNN(2, 3), RNN(3, 2)], residual=True)
    plain = Stacked(list(wide.layers))
    inputs = torch.ones(1, 4, 2)
    assert torch.equal(wide(inputs)[0], plain(inputs)[0])


def test_dropout_is_between_the_layers_and_in_training_only():
    layer = Stacked([RNN(2, 64), RNN(64, 3)], dropout=0.5)
    inputs = torch.ones(1, 4, 2)
    layer.eval()
    still = layer(inputs)[0]
    assert torch.equal(still, layer(inputs)[0])
    assert torch.equal(still, Stacked(list(layer.layers))(inputs)[0])
    layer.train()
    with seeded(0):
        assert not torch.equal(layer(inputs)[0], layer(inputs)[0])
    lowest = Stacked([RNN(2, 3)], dropout=0.9)  # nothing lies between the layers of one
    assert torch.equal(lowest(inputs)[0], lowest.layers[0](inputs)[0])


@LAW
@given(sizes, st.integers(1, 9), sizes, sizes, st.integers(1, 4), seeds)
def test_a_skip_layer_reads_every_strand_on_its_own(batch, time, feature, hidden, skip, seed):
    with seeded(seed):
        cell = LSTM(feature, hidden).double()
        inputs = torch.randn(batch, time, feature, dtype=torch.float64)
    outputs, _ = SkipLayer(cell, skip)(inputs)
    for strand in range(min(skip, time)):
        assert torch.allclose(
            outputs[:, strand::skip], cell(inputs[:, strand::skip])[0], atol=1e-12
        )


@pytest.mark.parametrize("leading", range(5))
@pytest.mark.parametrize("trailing", range(3))
def test_a_skip_layer_may_be_padded_on_both_sides(leading, trailing):
    """As the backward direction is, with a state from before: strands keep their order."""
    with seeded(0):
        layer = SkipLayer(LSTM(2, 3), 3).double()
        inputs = torch.randn(1, leading + 4 + trailing, 2, dtype=torch.float64)
        state = drawn_like(layer.initial_state(1))
    mask = torch.zeros(1, inputs.shape[1], dtype=torch.bool)
    real = slice(leading, leading + 4)
    mask[:, real] = True
    outputs, last = layer(inputs, state, mask)
    alone, alone_last = layer(inputs[:, real], state)
    assert torch.allclose(outputs[:, real], alone, atol=1e-12)
    assert same(last, alone_last)


def test_a_skip_of_one_is_the_layer_itself():
    cell = GRU(2, 3)
    inputs, mask = torch.ones(2, 5, 2), lengths_mask([5, 2])
    found, last = SkipLayer(cell, 1)(inputs, None, mask)
    expected, expected_last = cell(inputs, None, mask)
    assert torch.equal(found, expected)
    assert torch.equal(last, expected_last)


def test_it_learns_across_directions_and_layers():
    """The label of a step is the sign of the *next* input: one direction cannot know it."""
    with seeded(0):
        layer = Stacked([Bidirectional(GRU(1, 8), GRU(1, 8)), GRU(16, 8)])
        model = nn.ModuleList([layer, nn.Linear(8, 1)])
        optimiser = torch.optim.Adam(model.parameters(), 0.05)
        for _ in range(40):
            inputs = torch.randn(64, 4, 1)
            logits = model[1](layer(inputs)[0])[:, :-1]
            label = (inputs[:, 1:] > 0).float()
            loss = nn.functional.binary_cross_entropy_with_logits(logits, label)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert loss < 0.35  # a coin costs 0.69


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bidirectional(RNN(2, 3), RNN(3, 3)), "inputs of size 2 and 3"),
        (lambda: Stacked([]), "no layers"),
        (lambda: Stacked([RNN(2, 3), RNN(2, 3)]), "layer 1 puts out 3 .* layer 2 reads 2"),
        (lambda: SkipLayer(RNN(2, 3), 0), "skip is 0"),
        (lambda: SkipLayer(RNN(2, 3), 2)(torch.ones(1, 0, 2)), "no time step"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()
