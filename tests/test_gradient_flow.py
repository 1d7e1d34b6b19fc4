"""Gradients through time: by hand, against autograd and torch, and the laws of norms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.gradient_flow import (
    angle,
    bound,
    clip_by_norm,
    clip_by_value,
    identity,
    jacobians,
    norms_by_lag,
    orthogonal,
    products,
    singular_values,
    spectral_radius,
    with_radius,
)
from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.rnn import RNN

DOUBLE = torch.float64
laws = settings(derandomize=True, deadline=None, max_examples=25)
small = st.integers(1, 5)
seeds = st.integers(0, 10**6)


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def layer_of(kind, features: int, hidden: int, seed: int) -> nn.Module:
    """A layer with weights large enough for every slope of tanh to matter."""
    layer = kind(features, hidden).double()
    with torch.no_grad():
        for k, parameter in enumerate(layer.parameters()):
            parameter.copy_(random(seed + k, *parameter.shape))
    return layer


# --- spectral radius and singular values -------------------------------------------------------


def test_radius_and_norm_of_a_shear_are_worlds_apart():
    shear = torch.tensor([[0.9, 5.0], [0.0, 0.9]], dtype=DOUBLE)
    assert float(spectral_radius(shear)) == pytest.approx(0.9)
    # the singular values have the product |det| = 0.81, their squares the sum 0.81 + 25 + 0.81
    first, second = singular_values(shear).tolist()
    assert first * second == pytest.approx(0.81)
    assert first**2 + second**2 == pytest.approx(26.62)
    assert first == pytest.approx(5.157, abs=1e-3)


def test_radius_of_complex_and_negative_eigenvalues_is_their_absolute_value():
    turn = torch.tensor([[0.0, -2.0], [2.0, 0.0]])  # eigenvalues 2i and -2i
    assert float(spectral_radius(turn)) == pytest.approx(2.0)
    assert float(spectral_radius(torch.diag(torch.tensor([1.0, -3.0])))) == pytest.approx(3.0)


def test_radius_and_singular_values_of_a_stack():
    stack = random(0, 2, 3, 4, 4)
    radii, values = spectral_radius(stack), singular_values(stack)
    assert radii.shape == (2, 3)
    assert values.shape == (2, 3, 4)
    assert torch.allclose(radii[1, 2], spectral_radius(stack[1, 2]))
    assert torch.allclose(values[1, 2], singular_values(stack[1, 2]))


@laws
@given(small, seeds)
def test_the_radius_is_between_nothing_and_the_norm_and_is_the_limit_of_powers(size, seed):
    matrix = random(seed, size, size)
    radius, norm = float(spectral_radius(matrix)), float(singular_values(matrix)[0])
    assert 0 <= radius <= norm * (1 + 1e-12)
    scaled = matrix / radius
    power = singular_values(torch.linalg.matrix_power(scaled, 400))[0]
    assert float(power) ** (1 / 400) == pytest.approx(1, abs=0.05)  # Gelfand


@laws
@given(small, small, seeds)
def test_no_vector_is_stretched_by_more_than_the_first_singular_value(rows, columns, seed):
    matrix = random(seed, rows, columns)
    values = singular_values(matrix)
    assert torch.equal(values, values.sort(descending=True).values)
    vectors = random(seed + 1, columns, 50)
    stretched = (matrix @ vectors).norm(dim=0) / vectors.norm(dim=0)
    assert (stretched <= values[0] * (1 + 1e-12)).all()


# --- Jacobians ---------------------------------------------------------------------------------


def test_jacobian_of_one_unit_by_hand():
    layer = RNN(1, 1).double()
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), (2.0, 0.5, 0.1), strict=True):
            parameter.fill_(value)
    found = jacobians(layer, torch.tensor([[[0.3], [-0.2]]], dtype=DOUBLE))
    first = math.tanh(0.3 * 2 + 0.1)
    second = math.tanh(-0.2 * 2 + 0.5 * first + 0.1)
    expected = [(1 - first**2) * 0.5, (1 - second**2) * 0.5]
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-14)
    assert not found.requires_grad


@laws
@given(small, small, small, small, seeds, st.sampled_from([torch.tanh, torch.relu, torch.sin]))
def test_jacobians_and_products_equal_autograd(batch, time, features, hidden, seed, activation):
    layer = layer_of(lambda f, h: RNN(f, h, activation=activation), features, hidden, seed)
    inputs, start = random(seed + 7, batch, time, features), random(seed + 8, batch, hidden)
    steps = jacobians(layer, inputs, start)
    together = products(steps)
    assert steps.shape == (batch, time, hidden, hidden)
    assert together.shape == (batch, time + 1, hidden, hidden)
    for b in range(batch):
        state = start[b : b + 1]
        for t in range(time):
            row = inputs[b : b + 1, t : t + 1]
            one = torch.autograd.functional.jacobian(lambda h, row=row: layer(row, h)[1], state)
            assert torch.allclose(steps[b, t], one[0, :, 0], atol=1e-10)
            rest = inputs[b : b + 1, t:]
            many = torch.autograd.functional.jacobian(lambda h, rest=rest: layer(rest, h)[1], state)
            assert torch.allclose(together[b, time - t], many[0, :, 0], rtol=1e-10, atol=1e-10)
            state = layer(row, state)[1].detach()
    assert torch.equal(together[:, 0], torch.eye(hidden, dtype=DOUBLE).expand(batch, -1, -1))


def test_jacobians_start_from_zeros_if_not_told_otherwise():
    layer, inputs = layer_of(RNN, 2, 3, 0), random(1, 2, 4, 2)
    with_zeros = jacobians(layer, inputs, torch.zeros(2, 3, dtype=DOUBLE))
    assert torch.equal(jacobians(layer, inputs), with_zeros)


def test_jacobians_leave_the_layer_and_the_inputs_alone():
    layer, inputs = layer_of(RNN, 2, 3, 0), random(1, 2, 4, 2)
    before = inputs.clone()
    with torch.no_grad():
        jacobians(layer, inputs)  # works where gradients are switched off, too
    assert torch.equal(inputs, before)
    assert not inputs.requires_grad
    assert all(parameter.grad is None for parameter in layer.parameters())


@laws
@given(small, small, small, seeds)
def test_no_product_is_longer_than_its_bound(batch, time, hidden, seed):
    steps = random(seed, batch, time, hidden, hidden)
    norms, limits = singular_values(products(steps))[..., 0], bound(steps)
    assert limits.shape == norms.shape == (batch, time + 1)
    assert (norms <= limits * (1 + 1e-10)).all()
    assert (limits[:, 0] == 1).all()
    if hidden == 1:  # numbers: nothing is lost
        assert torch.allclose(norms, limits)


def test_the_bound_is_reached_by_rotations_and_takes_the_last_steps_first():
    turns = torch.stack([scale * orthogonal(4, dtype=DOUBLE) for scale in (5.0, 3.0, 0.5)])[None]
    assert bound(turns)[0].tolist() == pytest.approx([1, 0.5, 1.5, 7.5])
    assert singular_values(products(turns))[0, :, 0].tolist() == pytest.approx([1, 0.5, 1.5, 7.5])


# --- norms by lag ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_norms_by_lag_equal_the_whole_jacobian(kind):
    layer, inputs = layer_of(kind, 2, 3, 3), random(4, 2, 5, 2)
    found = norms_by_lag(layer, inputs)
    assert found.shape == (2, 5)
    for b in range(2):
        full = torch.autograd.functional.jacobian(
            lambda x: layer(x[None])[0][0, -1], inputs[b]
        )  # hidden, time, feature
        for lag in range(5):
            expected = torch.linalg.matrix_norm(full[:, 4 - lag], ord=2)
            assert float(found[b, lag]) == pytest.approx(float(expected), rel=1e-10)
    assert all(parameter.grad is None for parameter in layer.parameters())
    assert not inputs.requires_grad


def test_norms_by_lag_of_an_rnn_are_the_jacobians_times_the_way_in():
    layer, inputs = layer_of(RNN, 3, 4, 9), random(5, 2, 6, 3)
    steps = jacobians(layer, inputs)
    outputs = layer(inputs)[0].detach()
    way_in = (1 - outputs**2)[..., None] * layer.W_xh.detach().T  # batch, time, hidden, feature
    expected = torch.linalg.matrix_norm(products(steps)[:, :-1] @ way_in.flip(1), ord=2)
    with torch.no_grad():
        assert torch.allclose(norms_by_lag(layer, inputs), expected, rtol=1e-10)


# --- clipping ----------------------------------------------------------------------------------


@laws
@given(st.lists(st.tuples(small, small), min_size=1, max_size=4), st.floats(0.01, 100), seeds)
def test_clipping_by_norm_is_torchs_and_keeps_the_direction(shapes, limit, seed):
    gradients = [random(seed + k, *shape) for k, shape in enumerate(shapes)]
    before = [gradient.clone() for gradient in gradients]
    clipped, norm = clip_by_norm(gradients, limit)
    parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    assert float(nn.utils.clip_grad_norm_(parameters, limit)) == pytest.approx(float(norm))
    for ours, parameter in zip(clipped, parameters, strict=True):
        assert torch.allclose(ours, parameter.grad, rtol=1e-4)  # torch adds 1e-6 to the norm
    after = math.sqrt(sum(float((g**2).sum()) for g in clipped))
    assert after == pytest.approx(min(float(norm), limit))
    assert angle(clipped, gradients) < 1e-6
    assert all(map(torch.equal, gradients, before))


def test_a_short_gradient_passes_as_it_is():
    gradients = [torch.tensor([0.3, -0.4])]
    clipped, norm = clip_by_norm(gradients, 0.5)
    assert torch.equal(clipped[0], gradients[0])
    assert float(norm) == pytest.approx(0.5)
    zero, nothing = clip_by_norm([torch.zeros(3)], 1.0)
    assert float(nothing) == 0
    assert torch.equal(zero[0], torch.zeros(3))


def test_the_norm_does_not_overflow_on_the_way():
    clipped, norm = clip_by_norm([torch.tensor([3e30]), torch.tensor([4e30])], 1.0)
    assert float(norm) == pytest.approx(5e30)
    assert torch.cat(clipped).tolist() == pytest.approx([0.6, 0.8])


def test_clipping_by_value_cuts_and_turns():
    gradients = [torch.tensor([3.0, 40.0]), torch.tensor([[-0.5], [-7.0]])]
    clipped = clip_by_value(gradients, 1.0)
    assert clipped[0].tolist() == [1, 1]
    assert clipped[1].tolist() == [[-0.5], [-1.0]]
    assert gradients[0].tolist() == [3, 40]
    turned = angle([torch.tensor([3.0, 40.0])], [torch.tensor([1.0, 1.0])])
    assert turned == pytest.approx(math.degrees(math.atan2(40, 3)) - 45, abs=1e-4)


def test_clipping_says_what_is_wrong():
    one = [torch.ones(2)]
    with pytest.raises(ValueError, match="no gradients"):
        clip_by_norm([], 1.0)
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="max_norm is"):
            clip_by_norm(one, wrong)
        with pytest.raises(ValueError, match="limit is"):
            clip_by_value(one, wrong)
    for broken in (math.nan, math.inf):
        with pytest.raises(ValueError, match="expected a finite gradient"):
            clip_by_norm([torch.tensor([1.0, broken])], 1.0)


def test_angles_by_hand():
    right, up = [torch.tensor([2.0]), torch.tensor([0.0])], [torch.zeros(1), torch.tensor([9.0])]
    assert angle(right, up) == pytest.approx(90)
    assert angle(right, [-g for g in right]) == pytest.approx(180)
    assert angle(right, right) == 0
    tiny = [torch.tensor([1.0, 0.0], dtype=DOUBLE)], [torch.tensor([1.0, 1e-9], dtype=DOUBLE)]
    assert angle(*tiny) == pytest.approx(math.degrees(1e-9), rel=1e-6)
    with pytest.raises(ValueError, match="is zero"):
        angle(right, [torch.zeros(1), torch.zeros(1)])


# --- initialisers ------------------------------------------------------------------------------


@laws
@given(st.integers(1, 12), seeds)
def test_orthogonal_matrices_keep_lengths(size, seed):
    matrix = orthogonal(size, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    assert torch.allclose(matrix @ matrix.T, torch.eye(size, dtype=DOUBLE), atol=1e-12)
    assert torch.allclose(singular_values(matrix), torch.ones(size, dtype=DOUBLE))
    again = orthogonal(size, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    assert torch.equal(matrix, again)


def test_orthogonal_is_uniform_reflections_as_often_as_rotations():
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([orthogonal(2, generator=generator) for _ in range(2000)])
    # of a uniform draw every entry has mean 0, variance 1/2; half of them are reflections
    assert float(draws.mean(0).abs().max()) < 0.07
    assert float((draws**2).mean(0).sub(0.5).abs().max()) < 0.05
    assert abs(float((torch.linalg.det(draws) > 0).float().mean()) - 0.5) < 0.05


def test_identity_by_hand():
    assert identity(3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert identity(2, 0.5, dtype=DOUBLE).tolist() == [[0.5, 0], [0, 0.5]]
    assert identity(1, dtype=DOUBLE).dtype == DOUBLE


@laws
@given(st.integers(1, 8), st.floats(0, 3, allow_subnormal=False), seeds)
def test_with_radius_gives_the_radius_and_keeps_the_direction(size, radius, seed):
    matrix = random(seed, size, size)
    scaled = with_radius(matrix, radius)
    assert float(spectral_radius(scaled)) == pytest.approx(radius, rel=1e-9)
    if radius > 1e-9:
        assert angle([scaled], [matrix]) < 1e-6


def test_with_radius_says_what_is_wrong():
    with pytest.raises(ValueError, match="eigenvalues of the matrix are 0"):
        with_radius(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), 1.0)
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueError, match="radius is"):
            with_radius(torch.eye(2), wrong)
