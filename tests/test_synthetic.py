"""Made-up tasks: what is asked is what the docstring says, and a batch depends on its step only."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.lstm import LSTM
from softalign.rnn import RNN
from softalign.synthetic import Labelled, LastOutput, accuracy, adding, first_symbol, rule_change
from softalign.training import cross_entropy, fit, seeded

laws = settings(derandomize=True, deadline=None, max_examples=30)
steps, seeds, sizes = st.integers(0, 10**5), st.integers(0, 1000), st.integers(1, 6)
TASKS = {
    "first_symbol": lambda step, seed, **more: first_symbol(step, lag=3, seed=seed, **more),
    "adding": lambda step, seed, **more: adding(step, length=5, seed=seed, **more),
    "rule_change": lambda step, seed, **more: rule_change(step, length=6, seed=seed, **more),
}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_batch_is_a_function_of_seed_and_step(task):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = task(7, 3)
    task(8, 3)
    again = task(7, 3)
    assert all(map(torch.equal, first, again))
    assert torch.equal(torch.get_rng_state(), state)  # torch's own generator is not touched
    for other in (task(8, 3), task(7, 4)):
        assert not torch.equal(first.inputs, other.inputs)
        assert not torch.equal(first.labels, other.labels)
    assert len(first.inputs) == len(first.labels) == 32


@laws
@given(steps, seeds, sizes, sizes, st.integers(2, 5), sizes)
def test_the_first_symbol_is_the_label_and_no_other_symbol_comes(
    step, seed, lag, batch, symbols, distractors
):
    inputs, labels = first_symbol(
        step,
        lag=lag,
        seed=seed,
        batch_size=batch,
        symbols=symbols,
        distractors=distractors,
    )
    assert inputs.shape == (batch, lag + 1, symbols + distractors)
    assert torch.equal(inputs.sum(-1), torch.ones(batch, lag + 1))  # one-hot
    ids = inputs.argmax(-1)
    assert torch.equal(ids[:, 0], labels)
    assert int(labels.max()) < symbols
    assert (ids[:, 1:] >= symbols).all()


def test_symbols_and_distractors_are_drawn_evenly_and_apart():
    inputs, labels = first_symbol(0, lag=2, seed=1, batch_size=8000, symbols=2, distractors=3)
    ids = inputs.argmax(-1)
    assert abs(float(labels.float().mean()) - 1 / 2) < 0.03
    for distractor in (2, 3, 4):
        seen = (ids[:, 1] == distractor).float()
        assert abs(float(seen.mean()) - 1 / 3) < 0.03
        assert abs(float(seen[labels == 1].mean()) - 1 / 3) < 0.04  # tells nothing


@laws
@given(steps, seeds, st.integers(2, 9), sizes)
def test_adding_adds_one_marked_number_of_each_half(step, seed, length, batch):
    (numbers, marks), labels = (
        (x := adding(step, length=length, seed=seed, batch_size=batch))[0].unbind(-1),
        x.labels,
    )
    assert numbers.shape == (batch, length)
    assert 0 <= float(numbers.min()) <= float(numbers.max()) < 1
    assert set(marks.unique().tolist()) <= {0.0, 1.0}
    half = length // 2
    assert torch.equal(marks[:, :half].sum(1), torch.ones(batch))
    assert torch.equal(marks[:, half:].sum(1), torch.ones(batch))
    assert torch.allclose(labels, (numbers * marks).sum(1))


def test_adding_has_the_mean_and_the_variance_that_the_docstring_says():
    inputs, labels = adding(0, length=4, seed=2, batch_size=20_000)
    assert float(labels.mean()) == pytest.approx(1, abs=0.01)
    assert float(labels.var()) == pytest.approx(1 / 6, abs=0.005)
    places = inputs[..., 1].mean(0)
    assert torch.allclose(places, torch.full((4,), 0.5), atol=0.02)  # every place may be marked


@laws
@given(steps, seeds, st.integers(2, 9), sizes, st.integers(2, 6))
def test_the_rule_changes_half_way(step, seed, length, batch, symbols):
    inputs, labels = rule_change(step, length=length, seed=seed, batch_size=batch, symbols=symbols)
    ids = inputs.argmax(-1)
    assert inputs.shape == (batch, length, symbols)
    half = length // 2
    assert torch.equal(labels[:, :half], ids[:, :half])
    assert torch.equal(labels[:, half:], symbols - 1 - ids[:, half:])


def test_numbers_out_of_range_are_named():
    with pytest.raises(ValueError, match="lag is 0"):
        first_symbol(0, lag=0, seed=0)
    with pytest.raises(ValueError, match="symbols 1"):
        first_symbol(0, lag=1, seed=0, symbols=1)
    with pytest.raises(ValueError, match="length is 1"):
        adding(0, length=1, seed=0)
    with pytest.raises(ValueError, match="length is 1"):
        rule_change(0, length=1, seed=0)
    for task in TASKS.values():
        with pytest.raises(ValueError, match="step is -1"):
            task(-1, 0)
        with pytest.raises(ValueError, match="batch_size"):
            task(0, 0, batch_size=0)


def test_the_last_output_is_read():
    with seeded(0):
        model = LastOutput(LSTM(3, 4), 2)
        inputs = torch.randn(5, 6, 3)
    outputs, state = model.layer(inputs)
    assert torch.equal(model(inputs), model.readout(outputs[:, -1]))
    assert torch.allclose(outputs[:, -1], state.hidden)


def test_accuracy_by_hand():
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0], [1.0, 2.0]])
    batch = Labelled(logits, torch.tensor([0, 1, 1, 1]))
    assert accuracy(torch.nn.Identity(), batch) == 0.75


def test_a_network_learns_to_recall_over_a_few_steps():
    with seeded(0):
        model = LastOutput(RNN(8, 16), 4)
    fit(
        model,
        lambda step: first_symbol(step, lag=3, seed=0),
        lambda model, batch: cross_entropy(model(batch.inputs), batch.labels),
        steps=150,
        learning_rate=1e-2,
        seed=0,
        progress=False,
    )
    assert accuracy(model, first_symbol(10**5, lag=3, seed=0, batch_size=500)) == 1
