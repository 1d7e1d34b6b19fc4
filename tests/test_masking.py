"""Masks: by hand, against torch, and the laws (one convention, nothing leaks, nothing mutated)."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.masking import causal_mask, lengths_mask, masked_softmax

LAW = settings(derandomize=True, deadline=None, max_examples=60)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# A row of weights sums to 1 to within a few units in the last place of its type.
CLOSE = {dtype: 8 * torch.finfo(dtype).eps for dtype in FLOATS}
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 7))
SEEDS = st.integers(0, 2**31 - 1)


def drawn(shape, seed, dtype=torch.float64, visible=0.6):
    """Scores between about -30 and 30, and a mask, of these shapes."""
    generator = torch.Generator().manual_seed(seed)
    scores = 10 * torch.randn(shape, generator=generator, dtype=torch.float64)
    mask = torch.rand(shape, generator=generator) < visible
    return scores.to(dtype), mask


# lengths_mask


def test_lengths_by_hand():
    mask = lengths_mask(torch.tensor([3, 1, 0]))
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[True, True, True], [True, False, False], [False, False, False]]
    assert lengths_mask([1], size=3).tolist() == [[True, False, False]]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 4))
@LAW
def test_a_row_of_the_mask_is_true_as_often_as_it_is_long_and_then_false(lengths, more):
    size = max(lengths) + more
    mask = lengths_mask(lengths, size)
    assert mask.shape == (len(lengths), size)
    assert mask.sum(dim=1).tolist() == lengths
    for row, length in zip(mask.tolist(), lengths, strict=True):
        assert row == [True] * length + [False] * (size - length)


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_lengths_come_in_any_kind(kind):
    expected = torch.tensor([[True, True], [True, False]])
    assert torch.equal(lengths_mask(kind([2, 1])), expected)
    assert torch.equal(lengths_mask(kind([2, 1]), 2), expected)


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64, torch.uint8])
def test_lengths_have_any_integer_type(dtype):
    assert torch.equal(
        lengths_mask(torch.tensor([2, 200], dtype=dtype)).sum(1).to(dtype),
        torch.tensor([2, 200], dtype=dtype),
    )


def test_an_array_that_may_not_be_written_to_is_read():
    lengths = np.array([2, 1])
    lengths.flags.writeable = False
    assert lengths_mask(lengths).sum() == 3


def test_no_rows_and_no_places():
    assert lengths_mask([]).shape == (0, 0)
    assert lengths_mask([], 4).shape == (0, 4)
    assert lengths_mask([0, 0]).shape == (2, 0)


@pytest.mark.parametrize("lengths", [np.array([1.0, 2.0]), torch.tensor([True, False])])
def test_lengths_that_are_not_whole_numbers(lengths):
    with pytest.raises(TypeError, match="expected whole numbers"):
        lengths_mask(lengths)


@pytest.mark.parametrize(
    ("lengths", "size", "words"),
    [
        ([2, -1], None, "a length is -1, expected 0 or more"),
        ([2, 5], 4, "a length is 5, expected at most the size, 4"),
        (np.array([[2, 1]]), None, r"shape \(1, 2\), expected \(batch,\)"),
        (torch.tensor(3), None, r"shape \(\), expected \(batch,\)"),
        ([], -1, "the size"),
        ([1, 0], 0, "a length is 1, expected at most the size, 0"),
    ],
)
def test_lengths_that_make_no_sense(lengths, size, words):
    with pytest.raises(ValueError, match=words):
        lengths_mask(lengths, size)


# causal_mask


def test_causal_by_hand():
    assert causal_mask(2).tolist() == [[True, False], [True, True]]
    assert causal_mask(1).tolist() == [[True]]
    assert causal_mask(0).shape == (0, 0)
    with pytest.raises(ValueError, match="the size is -1"):
        causal_mask(-1)


@given(st.integers(1, 12))
@LAW
def test_a_place_sees_itself_and_what_is_before_it(size):
    mask = causal_mask(size)
    assert mask.dtype == torch.bool
    for t in range(size):
        for other in range(size):
            assert mask[t, other] == (other <= t)


def test_a_causal_mask_goes_where_it_is_asked_to():
    assert causal_mask(2, device="meta").device.type == "meta"
    assert causal_mask(2, device="cpu").device.type == "cpu"


@given(st.integers(1, 4), st.integers(1, 6), SEEDS)
@LAW
def test_masks_combine_and_no_weight_goes_ahead_or_to_padding(batch, size, seed):
    scores, _ = drawn((batch, size, size), seed)
    lengths = torch.randint(1, size + 1, (batch,), generator=torch.Generator().manual_seed(seed))
    real = lengths_mask(lengths, size)
    weights = masked_softmax(scores, real[:, None, :] & causal_mask(size))
    for b in range(batch):
        for t in range(size):
            last = min(t + 1, int(lengths[b]))
            assert torch.all(weights[b, t, last:] == 0)
            assert torch.allclose(weights[b, t, :last], torch.softmax(scores[b, t, :last], 0))


# masked_softmax: by hand


def test_softmax_by_hand():
    scores = torch.tensor([[0.0, math.log(3), 50.0]])
    mask = torch.tensor([[True, True, False]])
    weights = masked_softmax(scores, mask)
    assert torch.allclose(weights, torch.tensor([[0.25, 0.75, 0.0]]))
    assert weights[0, 2] == 0


def test_one_visible_place_has_weight_one_and_no_gradient():
    scores = torch.tensor([3.0, -8.0, 2.0], requires_grad=True)
    weights = masked_softmax(scores, torch.tensor([False, True, False]))
    assert weights.tolist() == [0.0, 1.0, 0.0]
    weights[1].backward()
    assert scores.grad.tolist() == [0.0, 0.0, 0.0]


def test_true_means_may_be_seen_as_in_the_attention_of_torch():
    scores, mask = drawn((3, 5), 0)
    mask[:, 0] = True
    values = torch.eye(5, dtype=torch.float64)
    attend = torch.nn.functional.scaled_dot_product_attention
    theirs = attend(scores, torch.eye(5, dtype=torch.float64), values, attn_mask=mask, scale=1.0)
    assert torch.allclose(masked_softmax(scores, mask), theirs)


# masked_softmax: the laws


@given(SHAPES, SEEDS, st.sampled_from(FLOATS))
@LAW
def test_weights_are_zero_where_hidden_and_rows_sum_to_one_or_to_nothing(shape, seed, dtype):
    scores, mask = drawn(shape, seed, dtype)
    weights = masked_softmax(scores, mask)
    assert weights.dtype == dtype
    assert weights.shape == scores.shape
    assert torch.isfinite(weights).all()
    assert torch.all(weights[~mask] == 0)
    assert torch.all(weights >= 0)
    sums = weights.double().sum(dim=-1)
    some = mask.any(dim=-1)
    assert torch.all((sums - 1)[some].abs() <= CLOSE[dtype])
    assert torch.all(sums[~some] == 0)


@given(SHAPES, SEEDS)
@LAW
def test_a_row_is_the_softmax_of_what_it_sees(shape, seed):
    scores, mask = drawn(shape, seed)
    weights = masked_softmax(scores, mask)
    for row, seen, score in zip(
        weights.flatten(0, 1), mask.flatten(0, 1), scores.flatten(0, 1), strict=True
    ):
        assert torch.allclose(row[seen], torch.softmax(score[seen], dim=0), atol=1e-12)


@given(SHAPES, SEEDS, st.sampled_from(FLOATS))
@LAW
def test_without_a_mask_and_with_one_that_hides_nothing_it_is_the_softmax(shape, seed, dtype):
    scores, _ = drawn(shape, seed, dtype)
    expected = torch.softmax(scores, dim=-1)
    assert torch.equal(masked_softmax(scores), expected)
    assert torch.equal(masked_softmax(scores, torch.tensor(True)), expected)


@given(SHAPES, SEEDS, st.sampled_from(FLOATS))
@LAW
def test_an_empty_row_has_weights_and_gradient_of_exactly_zero(shape, seed, dtype):
    scores, mask = drawn(shape, seed, dtype)
    mask[0] = False
    scores.requires_grad_()
    weights = masked_softmax(scores, mask)
    # a loss whose derivative is large, and not the same for every place
    (weights * torch.arange(1, weights.numel() + 1).reshape(shape)).sum().backward()
    assert torch.all(weights[0] == 0)
    assert torch.all(scores.grad[0] == 0)
    assert torch.isfinite(scores.grad).all()
    assert torch.all(scores.grad[~mask] == 0)


@given(SHAPES, SEEDS, st.sampled_from([math.nan, math.inf, -math.inf, 1e300]))
@LAW
def test_what_a_hidden_place_holds_has_no_influence(shape, seed, value):
    scores, mask = drawn(shape, seed)
    changed = scores.masked_fill(~mask, value).requires_grad_()
    weights = masked_softmax(changed, mask)
    assert torch.equal(weights, masked_softmax(scores, mask))
    (weights**2).sum().backward()
    assert torch.all(changed.grad[~mask] == 0)
    assert torch.isfinite(changed.grad).all()


def test_an_empty_row_makes_no_nan_on_the_way_either():
    """torch's search for NaN inside the backward pass finds none."""
    scores = torch.zeros(2, 3, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):
        masked_softmax(scores, lengths_mask([2, 0], 3)).square().sum().backward()
    assert torch.isfinite(scores.grad).all()


def test_what_comes_back_to_a_hidden_place_has_no_influence():
    scores, mask = drawn((2, 3, 4), 1)
    mask[0, 0] = False
    scores.requires_grad_()
    masked_softmax(scores, mask).backward(torch.where(mask, 1.5, math.nan).double())
    assert torch.isfinite(scores.grad).all()
    assert torch.all(scores.grad[~mask] == 0)


@given(SHAPES, SEEDS)
@LAW
def test_nothing_is_mutated(shape, seed):
    scores, mask = drawn(shape, seed)
    scores_before, mask_before = scores.clone(), mask.clone()
    weights = masked_softmax(scores, mask)
    weights.fill_(7.0)  # the result shares no memory with the arguments
    assert torch.equal(scores, scores_before)
    assert torch.equal(mask, mask_before)
    weights = masked_softmax(scores)
    weights.fill_(7.0)
    assert torch.equal(scores, scores_before)


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(seed):
    scores, mask = drawn((2, 3, 4), seed)
    scores = (scores / 10).requires_grad_()
    mask[0, 0] = False
    assert torch.autograd.gradcheck(lambda s: masked_softmax(s, mask), scores)
    assert torch.autograd.gradgradcheck(lambda s: masked_softmax(s, mask), scores)


@given(SHAPES, SEEDS, st.floats(-1e3, 1e3))
@LAW
def test_a_number_added_to_every_score_changes_nothing(shape, seed, shift):
    scores, mask = drawn(shape, seed)
    weights = masked_softmax(scores + shift, mask)
    assert torch.allclose(weights, masked_softmax(scores, mask), atol=1e-10)


# masked_softmax: numbers at the edge


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_scores_of_a_type_do_not_overflow(dtype):
    large = torch.finfo(dtype).max
    scores = torch.tensor([[large, large, -large], [-large, -large, large]], dtype=dtype)
    mask = torch.tensor([[True, True, True], [True, True, False]])
    expected = [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    assert masked_softmax(scores, mask).tolist() == expected


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_hidden_place_gets_nothing_even_beside_the_lowest_score(dtype):
    """With -1e9 for minus infinity, a visible score of -1e9 would share its weight."""
    scores = torch.tensor([torch.finfo(dtype).min, 0.0, 0.0], dtype=dtype)
    mask = torch.tensor([True, False, False])
    assert masked_softmax(scores, mask).tolist() == [1.0, 0.0, 0.0]


def test_minus_infinity_means_hidden_with_and_without_a_mask():
    scores = torch.tensor([[0.0, -math.inf], [-math.inf, -math.inf]], requires_grad=True)
    for mask in (None, torch.tensor(True)):
        scores.grad = None
        weights = masked_softmax(scores, mask)
        assert weights.tolist() == [[1.0, 0.0], [0.0, 0.0]]
        (weights * torch.tensor([3.0, 5.0])).sum().backward()
        assert scores.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_visible_nan_or_infinity_is_not_hushed_up():
    scores = torch.tensor([[math.nan, 1.0], [math.inf, 1.0], [1.0, 1.0]])
    weights = masked_softmax(scores, torch.tensor(True))
    assert torch.isnan(weights[0]).all()
    assert torch.isnan(weights[1]).any()  # infinity minus infinity
    assert weights[2].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4), (2, 0, 0)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_size_zero(shape, dtype):
    scores = torch.zeros(shape, dtype=dtype, requires_grad=True)
    for mask in (None, torch.ones(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)):
        weights = masked_softmax(scores, mask)
        assert weights.shape == shape
        assert weights.dtype == dtype
        weights.sum().backward()
        assert scores.grad.shape == shape


# masked_softmax: shapes and bad input


def test_a_mask_broadcasts_over_rows_and_heads():
    scores, _ = drawn((2, 3, 4, 5), 3)
    mask = lengths_mask([5, 2])[:, None, None, :]
    weights = masked_softmax(scores, mask)
    assert torch.equal(weights, masked_softmax(scores, mask.expand(2, 3, 4, 5)))
    assert torch.all(weights[1, :, :, 2:] == 0)
    assert torch.all(weights[0] > 0)
    per_row = torch.tensor([[True], [False], [True], [True]])
    assert torch.all(masked_softmax(scores, per_row)[:, :, 1] == 0)


@pytest.mark.parametrize("shape", [(3, 5), (4, 1, 2), (2, 3, 4, 1), (1, 3, 4), (2, 3, 0)])
def test_a_mask_that_does_not_fit(shape):
    scores = torch.zeros(3, 4)
    with pytest.raises(ValueError, match=r"does not broadcast to that of the scores, \(3, 4\)"):
        masked_softmax(scores, torch.ones(shape, dtype=torch.bool))


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint8])
def test_a_mask_that_is_not_boolean(dtype):
    """A mask of 0 and -inf, or of 1 and 0, is a bias or a number: neither says what True means."""
    with pytest.raises(TypeError, match="expected bool: True = may be seen"):
        masked_softmax(torch.zeros(2, 3), torch.ones(2, 3, dtype=dtype))


def test_scores_that_are_not_numbers_with_a_fraction():
    with pytest.raises(TypeError, match="expected floating-point numbers"):
        masked_softmax(torch.zeros(2, 3, dtype=torch.int64))


def test_scores_without_an_axis():
    unchecked = inspect.unwrap(masked_softmax)  # as it runs outside the tests
    with pytest.raises(ValueError, match="expected at least one axis"):
        unchecked(torch.tensor(1.0))
