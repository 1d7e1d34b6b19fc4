"""Pooling by closeness: by hand, against a slow transcription, laws, and learning the bandwidth."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.attention import attend
from softalign.pooling import KERNELS, fit_bandwidth, log_kernel, nadaraya_watson

LAW = settings(derandomize=True, deadline=None, max_examples=40)
COMPACT = KERNELS[1:]
kernels = st.sampled_from(KERNELS)
widths = st.floats(0.05, 20.0)


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def random(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@st.composite
def problems(draw):
    """Queries, keys and values in float64: vectors, a batch or none; some points coincide."""
    batch = draw(st.sampled_from([(), (2,)]))
    tgt, src = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    feature, size = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    seed = draw(st.integers(0, 10**6))
    points = random(seed, *batch, tgt + src, feature)
    if draw(st.booleans()):
        points[..., tgt, :] = points[..., 0, :]  # a key on a query
    return points[..., :tgt, :], points[..., tgt:, :], random(seed + 1, *batch, src, size)


def slow_kernel(u, kernel):
    if kernel == "gaussian":
        return math.exp(-u * u / 2)
    if kernel == "boxcar":
        return 1.0 if u <= 1 else 0.0
    if u >= 1:
        return 0.0
    return 1 - u if kernel == "triangular" else 1 - u * u


def slow_row(query, keys, values, kernel, bandwidth, left_out=None):
    """One query, in plain Python: the quotient of sums as it is printed in every textbook."""
    closeness = []
    for i, key in enumerate(keys):
        distance = math.sqrt(sum((q - k) ** 2 for q, k in zip(query, key, strict=True)))
        closeness.append(0.0 if i == left_out else slow_kernel(distance / bandwidth, kernel))
    total = sum(closeness)
    if total == 0:
        return [0.0] * len(values[0]), [0.0] * len(keys)
    row = [one / total for one in closeness]
    return [
        sum(w * value[c] for w, value in zip(row, values, strict=True))
        for c in range(len(values[0]))
    ], row


# By hand


HAND = {
    ("gaussian", 2.0): [1 / (2 + math.e), math.e / (2 + math.e), 1 / (2 + math.e)],
    ("boxcar", 4.0): [1 / 3, 1 / 3, 1 / 3],
    ("boxcar", 3.0): [1 / 3, 1 / 3, 1 / 3],  # the edge belongs to the boxcar
    ("boxcar", 2.0): [0, 1, 0],
    ("triangular", 4.0): [1 / 5, 3 / 5, 1 / 5],
    ("triangular", 3.0): [0, 1, 0],  # and not to the others
    ("epanechnikov", 4.0): [7 / 29, 15 / 29, 7 / 29],
    ("epanechnikov", 3.0): [0, 1, 0],
    ("triangular", 0.5): [0, 0, 0],
}


@pytest.mark.parametrize(("kernel", "bandwidth"), HAND)
def test_three_readings_by_hand(kernel, bandwidth):
    keys, values = double(8, 10, 14), double(10, 14, 20)
    found, weights = nadaraya_watson(double(11), keys, values, kernel=kernel, bandwidth=bandwidth)
    expected = double(*HAND[kernel, bandwidth])
    torch.testing.assert_close(weights, expected[None])
    torch.testing.assert_close(found, (expected @ values)[None])


def test_kernels_by_hand():
    u = double(-0.5, 0, 0.5, 1, 1.5, 2)
    found = {kernel: log_kernel(u, kernel).exp().tolist() for kernel in KERNELS}
    bell = [math.exp(-(x**2) / 2) for x in u.tolist()]
    assert found["gaussian"] == pytest.approx(bell)
    assert found["boxcar"] == [1, 1, 1, 1, 0, 0]
    assert found["triangular"] == pytest.approx([0.5, 1, 0.5, 0, 0, 0])
    assert found["epanechnikov"] == pytest.approx([0.75, 1, 0.75, 0, 0, 0])


def test_vectors_by_hand():
    # distances 5 and 0; the triangular kernel of bandwidth 10 gives 1/2 and 1
    keys, values = double([3, 4], [0, 0]), double([6, 0], [0, 3])
    found, weights = nadaraya_watson(
        double([0, 0]), keys, values, kernel="triangular", bandwidth=10.0
    )
    torch.testing.assert_close(weights, double([1 / 3, 2 / 3]))
    torch.testing.assert_close(found, double([2, 2]))


def test_leaving_one_out_by_hand():
    keys, values = double(0, 1, 3), double(10, 20, 40)
    options = {"kernel": "triangular", "bandwidth": 4.0, "leave_one_out": True}
    found, weights = nadaraya_watson(keys, keys, values, **options)
    # closeness 3/4 of 0 and 1, 1/4 of 0 and 3, 1/2 of 1 and 3
    expected = double([0, 3 / 4, 1 / 4], [3 / 5, 0, 2 / 5], [1 / 3, 2 / 3, 0])
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(found, double(25, 22, 50 / 3))


def test_leaving_one_out_leaves_one_out_and_not_its_twin():
    keys = double(0, 0, 9)
    _, weights = nadaraya_watson(keys, keys, keys, kernel="boxcar", bandwidth=1, leave_one_out=True)
    assert weights.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


# Against a slow transcription


@LAW
@given(problems(), kernels, widths)
def test_the_quotient_of_sums(problem, kernel, bandwidth):
    queries, keys, values = problem
    found, weights = nadaraya_watson(queries, keys, values, kernel=kernel, bandwidth=bandwidth)
    assert weights.shape == (*queries.shape[:-1], keys.shape[-2])
    assert found.shape == (*queries.shape[:-1], values.shape[-1])
    lead = range(len(queries)) if queries.ndim == 3 else [...]
    for b in lead:
        for j, query in enumerate(queries[b].tolist()):
            row = slow_row(query, keys[b].tolist(), values[b].tolist(), kernel, bandwidth)
            if sum(row[1]) == 0 and kernel == "gaussian":
                continue  # the quotient is 0/0 in floating point, the softmax is not
            torch.testing.assert_close(found[b][j], double(*row[0]))
            torch.testing.assert_close(weights[b][j], double(*row[1]))


@LAW
@given(problems(), kernels, widths)
def test_leaving_one_out_is_predicting_from_the_others(problem, kernel, bandwidth):
    _, keys, values = problem
    options = {"kernel": kernel, "bandwidth": bandwidth}
    found, weights = nadaraya_watson(keys, keys, values, **options, leave_one_out=True)
    assert (weights.diagonal(dim1=-2, dim2=-1) == 0).all()
    for i in range(keys.shape[-2]):
        others = [k for k in range(keys.shape[-2]) if k != i]
        alone, _ = nadaraya_watson(
            keys[..., [i], :], keys[..., others, :], values[..., others, :], **options
        )
        torch.testing.assert_close(found[..., [i], :], alone)


@LAW
@given(problems(), widths)
def test_the_gaussian_is_a_softmax(problem, bandwidth):
    queries, keys, values = problem
    squares = (queries[..., :, None, :] - keys[..., None, :, :]).square().sum(-1)
    found = nadaraya_watson(queries, keys, values, bandwidth=bandwidth)
    expected = attend(-squares / (2 * bandwidth**2), values)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_far_from_all_keys_the_nearest_has_the_weight():
    # every kernel value underflows: as a quotient this is 0/0
    found, weights = nadaraya_watson(double(90), double(8, 10, 14), double(1, 2, 3))
    assert found.item() == pytest.approx(3)
    assert weights.sum() == 1


# Laws


@LAW
@given(problems(), kernels, widths)
def test_weights_are_an_average_or_nothing(problem, kernel, bandwidth):
    queries, keys, values = problem
    found, weights = nadaraya_watson(queries, keys, values, kernel=kernel, bandwidth=bandwidth)
    sums = weights.sum(dim=-1)
    distances = torch.cdist(queries, keys, compute_mode="donot_use_mm_for_euclid_dist")
    reach = math.inf if kernel == "gaussian" else bandwidth
    seen = (distances < reach * (1 - 1e-9)).any(dim=-1)
    hidden = (distances > reach * (1 + 1e-9)).all(dim=-1)
    assert (weights >= 0).all()
    torch.testing.assert_close(sums[seen], torch.ones_like(sums[seen]))
    assert (weights[hidden] == 0).all()
    assert (found[hidden] == 0).all()
    assert (weights[distances > reach * (1 + 1e-9)] == 0).all()
    low, high = values.amin(dim=-2, keepdim=True), values.amax(dim=-2, keepdim=True)
    within = (found >= low - 1e-9) & (found <= high + 1e-9)
    assert within[seen].all()


@LAW
@given(problems(), kernels, widths, st.integers(0, 99))
def test_the_order_of_the_keys_does_not_matter(problem, kernel, bandwidth, seed):
    queries, keys, values = problem
    order = torch.randperm(keys.shape[-2], generator=torch.Generator().manual_seed(seed))
    options = {"kernel": kernel, "bandwidth": bandwidth}
    found, weights = nadaraya_watson(queries, keys, values, **options)
    again, turned = nadaraya_watson(queries, keys[..., order, :], values[..., order, :], **options)
    torch.testing.assert_close(again, found)
    torch.testing.assert_close(turned, weights[..., order])


@LAW
@given(problems(), kernels, st.sampled_from([0.25, 0.5, 2.0, 8.0]), widths)
def test_only_distances_in_bandwidths_matter(problem, kernel, scale, bandwidth):
    """Powers of two are exact, so that no point crosses the edge of a kernel by rounding."""
    queries, keys, values = problem
    _, weights = nadaraya_watson(queries, keys, values, kernel=kernel, bandwidth=bandwidth)
    _, scaled = nadaraya_watson(
        scale * queries, scale * keys, values, kernel=kernel, bandwidth=scale * bandwidth
    )
    torch.testing.assert_close(scaled, weights)


@LAW
@given(problems(), widths, st.floats(-5, 5))
def test_a_shift_of_all_points_changes_nothing(problem, bandwidth, shift):
    queries, keys, values = problem
    _, weights = nadaraya_watson(queries, keys, values, bandwidth=bandwidth)
    _, shifted = nadaraya_watson(queries + shift, keys + shift, values, bandwidth=bandwidth)
    # a score is a squared distance over a squared bandwidth: so is its rounding error
    torch.testing.assert_close(shifted, weights, rtol=0, atol=1e-10)


@LAW
@given(problems(), kernels, widths)
def test_a_shift_of_all_values_shifts_what_was_seen(problem, kernel, bandwidth):
    queries, keys, values = problem
    options = {"kernel": kernel, "bandwidth": bandwidth}
    found, weights = nadaraya_watson(queries, keys, values, **options)
    shifted, _ = nadaraya_watson(queries, keys, values + 7, **options)
    torch.testing.assert_close(shifted, found + 7 * weights.sum(dim=-1, keepdim=True))


@LAW
@given(problems(), kernels)
def test_a_wide_kernel_is_the_average(problem, kernel):
    queries, keys, values = problem
    mean = values.mean(dim=-2, keepdim=True).expand(*queries.shape[:-1], -1)
    for bandwidth in (1e9, math.inf):
        found, _ = nadaraya_watson(queries, keys, values, kernel=kernel, bandwidth=bandwidth)
        torch.testing.assert_close(found, mean, rtol=0, atol=1e-7)


@LAW
@given(problems())
def test_a_narrow_gaussian_is_the_nearest_neighbour(problem):
    queries, keys, values = problem
    distances = torch.cdist(queries, keys, compute_mode="donot_use_mm_for_euclid_dist")
    found, weights = nadaraya_watson(queries, keys, values, bandwidth=1e-6)
    nearest = distances.argmin(dim=-1)
    torch.testing.assert_close(
        weights, torch.nn.functional.one_hot(nearest, keys.shape[-2]).double()
    )
    picked = nearest[..., None].expand(*nearest.shape, values.shape[-1])
    torch.testing.assert_close(found, values.gather(-2, picked))


@LAW
@given(problems(), kernels, widths, st.booleans())
def test_no_nan_in_values_or_gradients(problem, kernel, bandwidth, leave_one_out):
    queries, keys, values = problem
    if leave_one_out:
        queries = keys
    leaves = [tensor.clone().requires_grad_() for tensor in (queries, keys, values)]
    width = double(bandwidth)[0].requires_grad_()
    found, weights = nadaraya_watson(
        *leaves, kernel=kernel, bandwidth=width, leave_one_out=leave_one_out
    )
    (found.sum() + weights.square().sum()).backward()
    assert found.isfinite().all()
    assert weights.isfinite().all()
    for leaf in (*leaves, width):
        assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("kernel", COMPACT)
def test_an_empty_row_has_no_gradient(kernel):
    keys = double(0, 1, 50).requires_grad_()
    values = double(1, 2, 3).requires_grad_()
    width = double(0.5)[0].requires_grad_()
    found, weights = nadaraya_watson(double(20), keys, values, kernel=kernel, bandwidth=width)
    assert (found.item(), weights.tolist()) == (0, [[0, 0, 0]])
    grads = torch.autograd.grad(found.sum(), (keys, values, width))
    assert all((grad == 0).all() for grad in grads)


@pytest.mark.parametrize("kernel", COMPACT)
def test_at_the_edge_of_a_kernel_the_gradient_is_finite(kernel):
    keys = double(0, 1, 1.5).requires_grad_()
    found, _ = nadaraya_watson(double(1), keys, keys, kernel=kernel, bandwidth=1)
    (grad,) = torch.autograd.grad(found.sum(), keys)
    assert grad.isfinite().all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_gradients_are_those_of_finite_differences(kernel):
    queries, keys, values = random(1, 3, 2), random(2, 5, 2), random(3, 5, 2)
    inputs = [tensor.requires_grad_() for tensor in (queries, keys, values, double(2.0)[0])]

    def pooled(queries, keys, values, bandwidth):
        return nadaraya_watson(queries, keys, values, kernel=kernel, bandwidth=bandwidth)[0]

    assert torch.autograd.gradcheck(pooled, inputs)


def test_points_on_a_line_are_vectors_of_one_component():
    x, y, ask = random(0, 7), random(1, 7), random(2, 4)
    found, weights = nadaraya_watson(ask, x, y)
    column, same = nadaraya_watson(ask[:, None], x[:, None], y[:, None])
    assert found.shape == (4,)
    assert torch.equal(found, column[:, 0])
    assert torch.equal(weights, same)
    mixed, _ = nadaraya_watson(ask, x, torch.stack([y, 2 * y], dim=1))
    torch.testing.assert_close(mixed[:, 1], 2 * found)


def test_leading_axes_broadcast():
    queries, keys, values = random(0, 3, 2), random(1, 4, 5, 2), random(2, 4, 5, 1)
    found, weights = nadaraya_watson(queries, keys, values)
    assert found.shape == (4, 3, 1)
    for b in range(4):
        alone, row = nadaraya_watson(queries, keys[b], values[b])
        torch.testing.assert_close(found[b], alone)
        torch.testing.assert_close(weights[b], row)


def test_no_argument_is_changed_and_the_type_stays():
    for dtype in (torch.float32, torch.float64):
        tensors = [random(seed, 6).to(dtype) for seed in range(2)]
        before = [tensor.clone() for tensor in tensors]
        found, weights = nadaraya_watson(tensors[0], *tensors, kernel="triangular")
        assert found.dtype == weights.dtype == dtype
        assert all(torch.equal(*both) for both in zip(tensors, before, strict=True))
    for kernel in KERNELS:
        u = double(-2, -0.5, 0.5)
        log_kernel(u, kernel)
        assert u.tolist() == [-2, -0.5, 0.5]


def test_no_keys_at_all_is_an_empty_row():
    found, weights = nadaraya_watson(double(1, 2), torch.zeros(0).double(), torch.zeros(0).double())
    assert found.tolist() == [0, 0]
    assert weights.shape == (2, 0)


# Learning the bandwidth


def readings(seed, points=40):
    generator = torch.Generator().manual_seed(seed)
    x = 6 * torch.rand(points, generator=generator, dtype=torch.float64)
    noise = torch.randn(points, generator=generator, dtype=torch.float64)
    return x, torch.sin(2 * x) + 0.3 * noise


def error(x, y, bandwidth, **options):
    predictions, _ = nadaraya_watson(x, x, y, bandwidth=bandwidth, **options)
    return (predictions - y).square().mean().item()


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_finds_a_valley_of_the_error_with_one_left_out(seed):
    x, y = readings(seed)
    fit = fit_bandwidth(x, y, start=1.0, steps=300, lr=1.0)
    here = error(x, y, fit.bandwidth, leave_one_out=True)
    assert fit.losses[-1] == pytest.approx(here, rel=1e-12)
    assert fit.losses[0] == pytest.approx(error(x, y, 1.0, leave_one_out=True), rel=1e-12)
    for nudge in (0.9, 1.1):
        assert here < error(x, y, nudge * fit.bandwidth, leave_one_out=True)
    assert fit.losses[-1] < 0.6 * fit.losses[0]
    assert len(fit.losses) == len(fit.bandwidths) == 301


@pytest.mark.parametrize("seed", range(4))
def test_with_the_point_left_in_the_bandwidth_collapses(seed):
    x, y = readings(seed)
    honest = fit_bandwidth(x, y, start=1.0, steps=300, lr=1.0)
    buggy = fit_bandwidth(x, y, start=1.0, steps=300, lr=1.0, leave_one_out=False)
    assert buggy.bandwidth < 0.3 * honest.bandwidth
    assert buggy.losses[-1] < 0.5 * honest.losses[-1]
    grid = torch.linspace(0.3, 5.7, 200, dtype=torch.float64)
    for_new = {}
    for name, fit in (("honest", honest), ("buggy", buggy)):
        predictions, _ = nadaraya_watson(grid, x, y, bandwidth=fit.bandwidth)
        for_new[name] = (predictions - torch.sin(2 * grid)).square().mean()
    assert for_new["buggy"] > for_new["honest"]


def test_a_step_is_gradient_descent_on_the_logarithm():
    x, y = readings(0)
    fit = fit_bandwidth(x, y, start=0.7, steps=1, lr=0.2)
    up, down = (error(x, y, 0.7 * math.exp(s), leave_one_out=True) for s in (1e-5, -1e-5))
    slope = (up - down) / 2e-5
    assert math.log(fit.bandwidth / 0.7) == pytest.approx(-0.2 * slope, rel=1e-6)


def test_the_fit_is_deterministic_and_takes_vectors():
    x, y = random(0, 30, 2), random(1, 30, 3)
    first, second = (fit_bandwidth(x, y, steps=5) for _ in range(2))
    assert first == second
    assert fit_bandwidth(x, y, steps=0).bandwidths == pytest.approx((1.0,))
    column = fit_bandwidth(x[:, :1], y[:, :1], steps=5)
    assert column.losses == pytest.approx(fit_bandwidth(x[:, 0], y[:, 0], steps=5).losses)


# Bad input


ONE, TWO = torch.zeros(3), torch.zeros(3, 2)
BAD = {
    "bandwidth 0": (ONE, ONE, ONE, {"bandwidth": 0.0}, "the bandwidth is 0.0"),
    "bandwidth below 0": (ONE, ONE, ONE, {"bandwidth": -1}, "the bandwidth is -1.0"),
    "bandwidth NaN": (ONE, ONE, ONE, {"bandwidth": math.nan}, "the bandwidth is nan"),
    "bandwidth tensor": (ONE, ONE, ONE, {"bandwidth": torch.tensor(0.0)}, "the bandwidth is 0.0"),
    "kernel": (ONE, ONE, ONE, {"kernel": "gauss"}, "no kernel 'gauss', expected one of gaussian"),
    "a line and a plane": (ONE, TWO, ONE, {}, r"shape \(3,\) and the keys \(3, 2\)"),
    "components": (TWO, torch.zeros(3, 1), ONE, {}, r"\(3, 2\) and the keys \(3, 1\)"),
    "a single number": (torch.tensor(1.0), ONE, ONE, {}, r"the queries have shape \(\)"),
    "values on a line": (ONE, ONE, torch.zeros(4), {}, r"shape \(4,\), expected one .* 3 keys"),
    "values": (TWO, TWO, torch.zeros(4, 1), {}, r"shape \(4, 1\), expected one .* 3 keys"),
    "one value": (ONE, ONE, torch.tensor(1.0), {}, r"the values have shape \(\)"),
    "leading axes": (torch.zeros(2, 3, 1), torch.zeros(4, 3, 1), ONE, {}, "do not broadcast"),
    "leave out whom?": (ONE + 1, ONE, ONE, {"leave_one_out": True}, "the queries are the keys"),
    "leave out which?": (ONE[:2], ONE, ONE, {"leave_one_out": True}, "the queries are the keys"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_plain_sentence(name):
    *tensors, options, message = BAD[name]
    with pytest.raises(ValueError, match=message) as caught:
        nadaraya_watson(*tensors, **options)
    assert "\n" not in str(caught.value)


def test_types_that_do_not_fit():
    with pytest.raises(TypeError, match="expected one floating-point type"):
        nadaraya_watson(ONE, ONE, ONE.double())
    with pytest.raises(TypeError, match="expected one floating-point type"):
        nadaraya_watson(ONE.long(), ONE.long(), ONE.long())


def test_the_fit_refuses_what_cannot_be_fitted():
    x, y = readings(0)
    with pytest.raises(ValueError, match=r"the bandwidth is 0\.0"):
        fit_bandwidth(x, y, start=0)
    with pytest.raises(ValueError, match="a rate above 0"):
        fit_bandwidth(x, y, lr=0.0)
    with pytest.raises(ValueError, match="0 or more steps"):
        fit_bandwidth(x, y, steps=-1)
    with pytest.raises(ValueError, match="at least two"):
        fit_bandwidth(x[:1], y[:1])
    with pytest.raises(FloatingPointError, match="try a learning rate below"):
        fit_bandwidth(x, 1e4 * y, lr=10.0)
