"""Backpropagation through time: by hand, against autograd and finite differences, and the laws."""

from __future__ import annotations

import math

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.bptt import (
    Gradients,
    Parameters,
    backward,
    by_lag,
    chunk_cuts,
    forward,
    initialise,
    jacobian,
    random_cuts,
    randomised_truncation,
    truncated,
)

LAW = settings(derandomize=True, deadline=None, max_examples=40)
SIZES = st.tuples(*[st.integers(1, 4)] * 3, st.integers(1, 3), st.integers(1, 6))
SEEDS = st.integers(0, 10_000)


def draw(sizes, seed, *, weighted=True):
    """A network, a batch and its trace; sizes are feature, hidden, vocab, batch, time."""
    feature, hidden, vocab, batch, time = sizes
    rng = np.random.default_rng(seed)
    net = initialise(rng, feature, hidden, vocab, scale=1.3)
    net = net._replace(b_h=rng.normal(size=hidden), b_y=rng.normal(size=vocab))
    trace = forward(
        net,
        rng.normal(size=(batch, time, feature)),
        rng.integers(vocab, size=(batch, time)),
        rng.normal(size=(batch, hidden)),
        rng.random((batch, time)) if weighted else None,
    )
    return net, trace


def autograd(net, trace, cut=lambda state, t: state):
    """The loss and its gradients by torch, in the order of `Gradients`; `cut` detaches."""
    leaves = [torch.tensor(array, requires_grad=True) for array in (*net, *trace[:1])]
    leaves.append(torch.tensor(trace.initial_state, requires_grad=True))
    W_xh, W_hh, b_h, W_hy, b_y, inputs, state = leaves
    loss = torch.zeros((), dtype=torch.float64)
    for t in range(inputs.shape[1]):
        state = torch.tanh(inputs[:, t] @ W_xh + cut(state, t) @ W_hh + b_h)
        labels = torch.tensor(trace.labels[:, t])
        losses = torch.nn.functional.cross_entropy(state @ W_hy + b_y, labels, reduction="none")
        loss = loss + (torch.tensor(trace.weights[:, t]) * losses).sum()
    return loss.item(), torch.autograd.grad(loss, leaves, materialize_grads=True)


def same(ours, theirs, tolerance=1e-10):
    """Whether all gradients agree."""
    for name, one, other in zip(Gradients._fields, ours, theirs, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), rtol=0, atol=tolerance, err_msg=name)


# -- by hand -----------------------------------------------------------------------------------


def two_steps():
    """States 0.5 and 0.25 by hand: tanh of (1/2 log 3) is 1/2, of (1/2 log 5/3) is 1/4."""
    a_1, a_2 = math.log(3) / 2, math.log(5 / 3) / 2
    one = np.ones((1, 1))
    net = Parameters(one, 2 * one, np.zeros(1), np.array([[1.0, -1.0]]), np.zeros(2))
    inputs = np.array([[[a_1 - 2.0], [a_2 - 1.0]]])  # the old states, 1 and 1/2, bring 2 and 1
    return net, forward(net, inputs, np.array([[0, 1]]), one)


def test_two_steps_by_hand():
    net, trace = two_steps()
    assert np.allclose(trace.states.ravel(), [0.5, 0.25])
    p_1, p_2 = 1 / (1 + math.exp(-1.0)), 1 / (1 + math.exp(-0.5))  # of word 0; logits +-h
    assert np.allclose(trace.probs[0, :, 0], [p_1, p_2])
    assert math.isclose(trace.loss, -math.log(p_1) - math.log(1 - p_2))
    from_1, from_2 = 2 * (p_1 - 1), 2 * p_2  # logits are h and -h
    a_2 = from_2 * (1 - 1 / 16)
    a_1 = (from_1 + 2 * a_2) * (1 - 1 / 4)
    found = backward(net, trace)
    assert math.isclose(found.W_hh.item(), a_1 * 1.0 + a_2 * 0.5)
    assert math.isclose(found.b_h.item(), a_1 + a_2)
    assert math.isclose(found.W_xh.item(), trace.inputs.ravel() @ [a_1, a_2])
    assert math.isclose(found.initial_state.item(), 2 * a_1)
    assert np.allclose(found.inputs.ravel(), [a_1, a_2])
    assert np.allclose(found.b_y, [p_1 - 1 + p_2, 1 - p_1 - p_2])
    assert np.allclose(by_lag(net, trace).ravel(), [from_1, from_2, 2 * a_2, 0])


def test_the_first_step_does_not_look_at_what_it_does_not_reach():
    """Weight on the first step only: nothing later has a gradient."""
    rng = np.random.default_rng(0)
    net = initialise(rng, 2, 3, 4)
    weights = np.array([[1.0, 0, 0]])
    trace = forward(net, rng.normal(size=(1, 3, 2)), np.array([[1, 2, 3]]), weights=weights)
    found = backward(net, trace)
    assert (found.inputs[:, 1:] == 0).all()
    assert np.abs(found.inputs[:, 0]).min() > 0


# -- oracle: autograd, finite differences ------------------------------------------------------


@LAW
@given(SIZES, SEEDS)
def test_forward_and_backward_are_torchs(sizes, seed):
    net, trace = draw(sizes, seed)
    loss, gradients = autograd(net, trace)
    assert math.isclose(trace.loss, loss, rel_tol=1e-12, abs_tol=1e-12)
    same(backward(net, trace), gradients)


@LAW
@given(SIZES, SEEDS, st.integers(1, 7))
def test_cut_pieces_are_torchs_with_detach(sizes, seed, k):
    net, trace = draw(sizes, seed)

    def cut(state, t):
        return state.detach() if t and t % k == 0 else state

    same(backward(net, trace, chunk_cuts(sizes[-1], k)), autograd(net, trace, cut)[1])


@LAW
@given(SIZES, SEEDS, st.integers(1, 7))
def test_truncated_is_the_sum_of_losses_that_look_back_on_k_steps(sizes, seed, k):
    """Slow and literal: for each step its own graph, cut k - 1 steps before it."""
    net, trace = draw(sizes, seed)
    total = [0.0] * 7
    for last in range(sizes[-1]):
        weights = np.where(np.arange(sizes[-1]) == last, trace.weights, 0)

        def cut(state, t, first=last - k + 1):
            return state.detach() if t == first and t > 0 else state

        one = autograd(net, trace._replace(weights=weights), cut)[1]
        total = [a + b.numpy() for a, b in zip(total, one, strict=True)]
    same(truncated(net, trace, k), total)


@LAW
@given(SIZES, SEEDS)
def test_backward_is_the_finite_difference(sizes, seed):
    net, trace = draw(sizes, seed)
    found = backward(net, trace)
    everything = [*net, trace.inputs, trace.initial_state]
    rng = np.random.default_rng(seed)
    for place, gradient in enumerate(found):
        direction = rng.normal(size=gradient.shape)
        values = []
        for sign in (1, -1):
            moved = list(everything)
            moved[place] = everything[place] + sign * 1e-5 * direction
            *weights, inputs, state = moved
            net_ = Parameters(*weights)
            values.append(forward(net_, inputs, trace.labels, state, trace.weights).loss)
        slope = (values[0] - values[1]) / 2e-5
        assert math.isclose(slope, (gradient * direction).sum(), rel_tol=1e-6, abs_tol=1e-8)


@LAW
@given(SIZES, SEEDS)
def test_the_jacobian_is_autograds_with_outputs_as_rows(sizes, seed):
    net, trace = draw(sizes, seed)
    W_xh, W_hh, b_h = (torch.tensor(array) for array in net[:3])
    inputs, before = torch.tensor(trace.inputs[0, -1]), torch.tensor(trace.previous_states[0, -1])

    def step(state):
        return torch.tanh(inputs @ W_xh + state @ W_hh + b_h)

    expected = torch.autograd.functional.jacobian(step, before).numpy()
    np.testing.assert_allclose(jacobian(net, trace.states[0, -1]), expected, atol=1e-12)
    assert jacobian(net, trace.states).shape == (*trace.states.shape, sizes[1])


# -- laws --------------------------------------------------------------------------------------


@LAW
@given(SIZES, SEEDS)
def test_the_lags_add_up_and_are_products_of_jacobians_in_order(sizes, seed):
    net, trace = draw(sizes, seed)
    shares, steps = by_lag(net, trace), sizes[-1]
    slope = 1 - trace.states**2
    full = backward(net, trace)
    assert np.allclose((shares.sum(axis=0) * slope) @ net.W_xh.T, full.inputs, atol=1e-12)
    jacobians = jacobian(net, trace.states)
    for lag in range(steps):
        for t in range(steps):
            expected = np.zeros_like(shares[0, :, 0])
            if t + lag < steps:
                expected = shares[0, :, t + lag]
                for later in range(t + lag, t, -1):  # latest next to the loss
                    expected = np.einsum("bk,bkl->bl", expected, jacobians[:, later])
            assert np.allclose(shares[lag, :, t], expected, atol=1e-12)
    assert np.array_equal(by_lag(net, trace, 1)[0], shares[0])


@LAW
@given(SIZES, SEEDS)
def test_total_times_total_counts_a_path_once_for_each_state_on_it(sizes, seed):
    """The page's law: reading both factors as total derivatives weighs a path of m steps m + 1."""
    net, trace = draw((*sizes[:3], 1, sizes[4]), seed)
    shares, slope = by_lag(net, trace), 1 - trace.states**2
    total = shares.sum(axis=0)[0]  # dL/dh_t, all later losses
    hidden = sizes[1]
    by_weight = np.zeros((hidden, hidden, hidden))  # dh_t/dW_hh, forwards
    twice = np.zeros((hidden, hidden))
    for t, before in enumerate(trace.previous_states[0]):
        immediate = np.einsum("i,kj->kij", before, np.diag(slope[0, t]))
        by_weight = immediate + np.tensordot(jacobian(net, trace.states[0, t]), by_weight, 1)
        twice += np.tensordot(total[t], by_weight, 1)
    counts = np.arange(1, sizes[4] + 1)[:, None, None, None]
    weighted = (counts * shares * slope).sum(axis=0)[0]
    assert np.allclose(twice, trace.previous_states[0].T @ weighted, atol=1e-10)


@LAW
@given(SIZES, SEEDS)
def test_a_batch_is_the_sum_of_its_examples(sizes, seed):
    net, trace = draw(sizes, seed)
    whole = backward(net, trace)
    rows = []
    for b in range(sizes[3]):
        one = slice(b, b + 1)
        alone = forward(
            net,
            trace.inputs[one],
            trace.labels[one],
            trace.initial_state[one],
            trace.weights[one],
        )
        rows.append(backward(net, alone))
    for name in Parameters._fields:
        assert np.allclose(getattr(whole, name), sum(getattr(row, name) for row in rows))
    for name in ("inputs", "initial_state"):
        assert np.allclose(getattr(whole, name), np.concatenate([getattr(r, name) for r in rows]))


@LAW
@given(SIZES, SEEDS)
def test_a_sentence_alone_is_the_same_sentence_padded(sizes, seed):
    net, trace = draw(sizes, seed)
    extra = ((0, 0), (0, 2))
    padded = forward(
        net,
        np.pad(trace.inputs, (*extra, (0, 0))),
        np.pad(trace.labels, extra),
        trace.initial_state,
        np.pad(trace.weights, extra),
    )
    found, expected = backward(net, padded), backward(net, trace)
    assert (found.inputs[:, -2:] == 0).all()
    same(found._replace(inputs=found.inputs[:, :-2]), expected, 1e-12)


@LAW
@given(SIZES, SEEDS)
def test_nothing_is_changed_and_truncation_reaches_the_whole(sizes, seed):
    net, trace = draw(sizes, seed)
    before = [array.copy() for array in (*net, *trace)]
    whole = backward(net, trace)
    same(truncated(net, trace, sizes[-1]), whole, 1e-12)
    same(truncated(net, trace, sizes[-1] + 3), whole, 1e-12)
    same(backward(net, trace, chunk_cuts(sizes[-1], sizes[-1])), whole, 1e-12)
    same(randomised_truncation(net, trace, 1.0, np.random.default_rng(0)), whole, 1e-12)
    for old, new in zip(before, (*net, *trace), strict=True):
        assert np.array_equal(old, new)


@pytest.mark.parametrize("keep_prob", [0.4, 0.8])
def test_randomised_truncation_is_unbiased_over_all_patterns_of_cuts(keep_prob):
    """No sampling: every pattern of cuts with its probability."""
    net, trace = draw((2, 3, 4, 2, 5), 1)
    expected = [0.0] * 7
    second = 0.0
    for pattern in range(2**4):
        kept = [1.0, *(pattern >> t & 1 for t in range(4))]
        prob = math.prod(keep_prob if bit else 1 - keep_prob for bit in kept[1:])
        keep = np.array([1.0, *(bit / keep_prob for bit in kept[1:])])
        one = backward(net, trace, keep)
        expected = [a + prob * b for a, b in zip(expected, one, strict=True)]
        second += prob * (one.W_hh**2).sum()
    whole = backward(net, trace)
    same(expected, whole, 1e-12)
    assert second > 1.01 * (whole.W_hh**2).sum()  # it varies


def test_random_cuts_are_drawn_with_their_probability():
    cuts = random_cuts(40_001, 0.8, np.random.default_rng(2))
    assert cuts[0] == 1
    assert set(cuts[1:].tolist()) == {0.0, 1.25}
    assert abs((cuts[1:] > 0).mean() - 0.8) < 0.01  # five standard errors
    assert abs(cuts[1:].mean() - 1) < 0.0125


def test_randomised_truncation_uses_these_cuts():
    net, trace = draw((2, 3, 4, 2, 9), 3)
    cuts = random_cuts(9, 0.6, np.random.default_rng(5))
    found = randomised_truncation(net, trace, 0.6, np.random.default_rng(5))
    same(found, backward(net, trace, cuts), 0)
    assert np.abs(found.W_hh - backward(net, trace).W_hh).max() > 0.01


def test_single_precision_stays_single():
    net, trace = draw((2, 3, 4, 2, 5), 0)
    net32 = Parameters(*(array.astype(np.float32) for array in net))
    half = [array.astype(np.float32) for array in (trace.inputs, trace.initial_state)]
    trace32 = forward(net32, half[0], trace.labels, half[1])
    found = [*backward(net32, trace32), *truncated(net32, trace32, 2)]
    found += randomised_truncation(net32, trace32, 0.5, np.random.default_rng(0))
    assert {array.dtype for array in found} == {np.dtype(np.float32)}
    assert forward(net32, half[0], trace.labels).initial_state.dtype == np.float32


def test_large_logits_do_not_overflow():
    net, trace = draw((2, 3, 4, 1, 3), 0)
    loud = net._replace(b_y=np.array([1e4, 0, 0, -1e4]))
    again = forward(loud, trace.inputs, trace.labels)
    assert np.isfinite(again.losses).all()
    assert np.allclose(again.probs.sum(axis=-1), 1)


# -- learns ------------------------------------------------------------------------------------


def test_it_learns_to_repeat_what_it_read_two_steps_ago():
    rng = np.random.default_rng(0)
    net = initialise(rng, 3, 16, 3)
    symbols = rng.integers(3, size=(64, 10))
    inputs = np.eye(3)[symbols]
    labels, weights = np.roll(symbols, 2, axis=1), np.ones((64, 10))
    weights[:, :2] = 0
    first = forward(net, inputs, labels, weights=weights).loss / weights.sum()
    for _ in range(400):
        gradients = backward(net, forward(net, inputs, labels, weights=weights))
        net = Parameters(*(p - g / 300 for p, g in zip(net, gradients[:5], strict=True)))
    last = forward(net, inputs, labels, weights=weights).loss / weights.sum()
    assert first > 1
    assert last < 0.1


# -- errors ------------------------------------------------------------------------------------


@pytest.fixture
def unchecked():
    """Shapes are checked by the module itself, as for a reader, not by the tests' import hook."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
def test_bad_arguments_are_explained():
    net, trace = draw((2, 3, 4, 2, 5), 0)
    inputs, labels = trace.inputs, trace.labels
    with pytest.raises(ValueError, match=r"inputs has shape \(2, 4, 2\), expected \(2, 5, 2\)"):
        forward(net, inputs[:, 1:], labels)
    with pytest.raises(ValueError, match=r"inputs has shape \(2, 5, 1\), expected \(2, 5, 2\)"):
        forward(net, inputs[..., :1], labels)
    with pytest.raises(ValueError, match="the labels go from 0 to 4, expected ids from 0 to 3"):
        forward(net, inputs, np.array([[0, 1, 2, 3, 4], [0, 1, 2, 3, 3]]))
    with pytest.raises(ValueError, match="the labels go from -1"):
        forward(net, inputs, labels * 0 - 1)
    with pytest.raises(ValueError, match="expected one step or more"):
        forward(net, inputs[:, :0], labels[:, :0])
    with pytest.raises(ValueError, match=r"state has shape \(1, 3\), expected \(2, 3\)"):
        forward(net, inputs, labels, np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"weights has shape \(2, 1\), expected \(2, 5\)"):
        forward(net, inputs, labels, weights=np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"b_h has shape \(4,\), expected \(3,\)"):
        forward(net._replace(b_h=np.zeros(4)), inputs, labels)
    with pytest.raises(ValueError, match="expected one number for each of 5 steps"):
        backward(net, trace, np.ones(4))
    for wrong in (0, 6):
        with pytest.raises(ValueError, match=f"lags is {wrong}, expected 1 to 5"):
            by_lag(net, trace, wrong)
    with pytest.raises(ValueError, match="k is 0, expected 1 step or more"):
        truncated(net, trace, 0)
    with pytest.raises(ValueError, match="k is -1, expected 1 step or more"):
        chunk_cuts(4, -1)
    for prob in (0.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="expected a number above 0 and at most 1"):
            random_cuts(4, prob, np.random.default_rng(0))
