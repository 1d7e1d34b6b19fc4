"""Attention: by hand, against torch and slow loops, and the laws of scores and weights."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from softalign.attention import (
    AdditiveScore,
    DotScore,
    GeneralScore,
    additive_scores,
    attend,
    dot_scores,
    general_scores,
    scaled_dot_scores,
)

LAW = settings(derandomize=True, deadline=None, max_examples=60)
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SEEDS = st.integers(0, 2**31 - 1)
# Leading axes, tgt, src, size of a query, of a key, of a value, of the hidden layer. The sizes are
# unequal more often than not: a transposed matrix must not fit.
LEADS = st.sampled_from([(), (1,), (3,), (2, 3)])
SIZES = st.tuples(*[st.integers(1, 5)] * 6)


def random(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def random_mask(seed, *shape, visible=0.6):
    generator = torch.Generator().manual_seed(seed + 1000)
    return torch.rand(shape, generator=generator) < visible


def double(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def close(found, expected, tolerance=1e-12):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def problem(seed, lead, tgt, src, feature, scale=3.0):
    """Scores, values and a mask."""
    scores = scale * random(seed, *lead, tgt, src)
    return scores, random(seed + 1, *lead, src, feature), random_mask(seed, *lead, tgt, src)


def weights_of_a_score(seed, query_size, key_size, hidden):
    return (
        random(seed, query_size, hidden),
        random(seed + 1, key_size, hidden),
        random(seed + 2, hidden),
    )


# attend: by hand


def test_attend_by_hand():
    scores = double([0, math.log(3), 0], [math.log(2), 0, 0])
    values = double([1, 0], [0, 10], [5, 5])
    context, weights = attend(scores, values)
    close(weights, double([0.2, 0.6, 0.2], [0.5, 0.25, 0.25]))
    close(context, double([1.2, 7.0], [1.75, 3.75]))


def test_attend_with_a_mask_by_hand():
    scores = double([0, math.log(3), 9], [9, 9, 9])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    context, weights = attend(scores, double([4], [8], [1e6]), mask)
    close(weights[0], double(0.25, 0.75, 0))
    close(context[0], double(7))
    assert weights[0, 2] == 0
    assert weights[1].tolist() == [0, 0, 0]
    assert context[1].tolist() == [0]


def test_true_means_may_be_seen():
    _, weights = attend(double([1, 2]), double([0], [0]), torch.tensor([[False, True]]))
    assert weights.tolist() == [[0, 1]]


def test_the_softmax_runs_over_the_source():
    # three queries with the same two keys: columns do not sum to 1
    scores = double([0, 0], [0, 0], [0, math.log(9)])
    _, weights = attend(scores, double([1], [2]))
    close(weights, double([0.5, 0.5], [0.5, 0.5], [0.1, 0.9]))


# attend: a literal loop, and torch


def slow_attend(scores, values, mask):
    """One number after the other, for lists of lists."""
    contexts, rows = [], []
    for e, seen in zip(scores, mask, strict=True):
        exponentials = [math.exp(x) if may else 0.0 for x, may in zip(e, seen, strict=True)]
        total = sum(exponentials)
        rows.append([x / total if total else 0.0 for x in exponentials])
        contexts.append(
            [
                sum(a * value[k] for a, value in zip(rows[-1], values, strict=True))
                for k in range(len(values[0]))
            ]
        )
    return double(*contexts), double(*rows)


@given(SIZES, SEEDS)
@LAW
def test_attend_is_the_literal_loop(sizes, seed):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, (), tgt, src, feature)
    found = attend(scores, values, mask)
    expected = slow_attend(scores.tolist(), values.tolist(), mask.tolist())
    for ours, theirs in zip(found, expected, strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("lead", [(2,), (2, 3)])
def test_values_and_gradients_are_those_of_torch(lead, masked, scaled):
    score = scaled_dot_scores if scaled else dot_scores
    for seed in range(5):
        inputs = (random(seed, *lead, 4, 6), random(seed + 10, *lead, 5, 6), random(9, *lead, 5, 3))
        queries, keys, values = (tensor.requires_grad_() for tensor in inputs)
        mask = random_mask(seed, *lead, 4, 5) if masked else None
        if masked:
            mask[..., 0] |= ~mask.any(dim=-1)  # torch and we differ where nothing may be seen
        ours, _ = attend(score(queries, keys), values, mask)
        scale = None if scaled else 1.0
        theirs = scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale)
        close(ours, theirs, 1e-10)
        upstream = random(seed + 20, *ours.shape)
        for mine, torchs in zip(
            torch.autograd.grad(ours, inputs, upstream),
            torch.autograd.grad(theirs, inputs, upstream),
            strict=True,
        ):
            close(mine, torchs, 1e-10)


def test_torch_in_single_precision_to_a_millionth():
    queries, keys, values = (random(seed, 2, 7, 8).float() for seed in range(3))
    ours, _ = attend(scaled_dot_scores(queries, keys), values)
    close(ours, scaled_dot_product_attention(queries, keys, values), 1e-6)


@pytest.mark.parametrize("with_mask", [True, False])
def test_attend_has_the_gradients_of_finite_differences(with_mask):
    scores, values, mask = problem(3, (2,), 3, 4, 2, scale=1.0)
    mask[0, 0] = False  # a row with nothing to see among them
    mask = mask if with_mask else None
    inputs = (scores.requires_grad_(), values.requires_grad_())
    assert torch.autograd.gradcheck(lambda s, v: attend(s, v, mask), inputs)


# attend: laws


@given(LEADS, SIZES, SEEDS)
@LAW
def test_a_row_of_weights_is_a_distribution_or_nothing(lead, sizes, seed):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    context, weights = attend(scores, values, mask)
    assert context.shape == (*lead, tgt, feature)
    assert weights.shape == (*lead, tgt, src)
    assert (weights >= 0).all()
    assert (weights[~mask] == 0).all()
    assert (weights[mask] > 0).all()
    close(weights.sum(dim=-1), mask.any(dim=-1).double())
    assert (context[~mask.any(dim=-1)] == 0).all()


@given(LEADS, SIZES, SEEDS)
@LAW
def test_a_context_lies_among_the_values_that_may_be_seen(lead, sizes, seed):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    mask[..., 0] = True
    context, _ = attend(scores, values, mask)
    shown = values[..., None, :, :].expand(*lead, tgt, src, feature)
    low = shown.masked_fill(~mask[..., None], torch.inf).amin(dim=-2)
    high = shown.masked_fill(~mask[..., None], -torch.inf).amax(dim=-2)
    assert (context >= low - 1e-12).all()
    assert (context <= high + 1e-12).all()


@given(LEADS, SIZES, SEEDS, st.sampled_from([0.0, 1e4, -1e4, math.inf, math.nan]))
@LAW
def test_what_is_hidden_has_no_influence(lead, sizes, seed, poison):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    expected = attend(scores, values, mask)
    found = attend(scores.masked_fill(~mask, poison), values, mask)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours, theirs)
    nobody = ~mask.any(dim=-2)  # a value that no query sees
    expected = attend(scores, values.masked_fill(nobody[..., None], 1e6), mask)
    assert torch.equal(expected[0], found[0])


@given(LEADS, SIZES, SEEDS)
@LAW
def test_nothing_flows_back_to_what_is_hidden(lead, sizes, seed):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    scores.requires_grad_(), values.requires_grad_()
    context, weights = attend(scores, values, mask)
    (context.square().sum() + weights.square().sum()).backward()
    assert (scores.grad[~mask] == 0).all()
    assert (values.grad[~mask.any(dim=-2)] == 0).all()
    assert scores.grad.isfinite().all()
    assert values.grad.isfinite().all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_row_with_nothing_to_see_is_zero_there_and_back(dtype):
    scores = random(0, 2, 3).to(dtype).requires_grad_()
    values = random(1, 3, 2).to(dtype).requires_grad_()
    mask = torch.tensor([[True, False, True], [False, False, False]])
    context, weights = attend(scores, values, mask)
    assert context[1].tolist() == [0, 0]
    assert weights[1].tolist() == [0, 0, 0]
    grads = torch.autograd.grad(context[1].sum() + weights[1].square().sum(), (scores, values))
    for grad in grads:
        assert (grad == 0).all()


def test_a_row_of_scores_of_minus_infinity_is_a_row_with_nothing_to_see():
    scores = torch.full((2, 3), -torch.inf).double()
    scores[0, 1] = 2.0
    scores.requires_grad_()
    context, weights = attend(scores, random(1, 3, 2))
    assert weights.tolist() == [[0, 1, 0], [0, 0, 0]]
    (grad,) = torch.autograd.grad(context.sum() + weights.square().sum(), scores)
    assert (grad == 0).all()


@given(LEADS, SIZES, SEEDS)
@LAW
def test_the_order_of_the_source_does_not_matter(lead, sizes, seed):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    order = torch.randperm(src, generator=torch.Generator().manual_seed(seed))
    context, weights = attend(scores, values, mask)
    again, moved = attend(scores[..., order], values[..., order, :], mask[..., order])
    close(again, context)
    close(moved, weights[..., order])


@given(LEADS, SIZES, SEEDS, st.floats(-50, 50))
@LAW
def test_a_number_added_to_a_row_of_scores_changes_nothing(lead, sizes, seed, size):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, lead, tgt, src, feature)
    shift = size * random(seed + 5, *lead, tgt, 1)
    for ours, theirs in zip(
        attend(scores + shift, values, mask), attend(scores, values, mask), strict=True
    ):
        close(ours, theirs, 1e-10)


@given(SIZES, SEEDS, st.integers(1, 4))
@LAW
def test_a_batch_is_one_after_the_other(sizes, seed, batch):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, (batch,), tgt, src, feature)
    context, weights = attend(scores, values, mask)
    for b in range(batch):
        alone = attend(scores[b], values[b], mask[b])
        close(context[b], alone[0])
        close(weights[b], alone[1])
        for j in range(tgt):
            one, _ = attend(scores[b, j, None], values[b], mask[b, j, None])
            close(context[b, j], one[0])


@given(SIZES, SEEDS, st.integers(0, 3))
@LAW
def test_padding_changes_nothing(sizes, seed, more):
    tgt, src, feature = sizes[:3]
    scores, values, mask = problem(seed, (), tgt, src, feature)
    expected = attend(scores, values, mask)
    pad = torch.nn.functional.pad
    context, weights = attend(
        pad(scores, (0, more), value=7.0), pad(values, (0, 0, 0, more), value=9.0),
        pad(mask, (0, more), value=False),
    )  # fmt: skip
    close(context, expected[0])
    close(weights[..., :src], expected[1])
    assert (weights[..., src:] == 0).all()


SHAPES_OF_MASKS = [(5,), (1, 5), (4, 1), (4, 5), (3, 1, 5), (1, 4, 5), (3, 4, 5), ()]


@pytest.mark.parametrize("shape", SHAPES_OF_MASKS)
def test_masks_broadcast(shape):
    scores, values, _ = problem(1, (3,), 4, 5, 2)
    mask = random_mask(2, *shape)
    for ours, theirs in zip(
        attend(scores, values, mask), attend(scores, values, mask.expand(3, 4, 5)), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_no_mask_is_a_mask_that_hides_nothing():
    scores, values, mask = problem(1, (3,), 4, 5, 2)
    for ours, theirs in zip(
        attend(scores, values), attend(scores, values, torch.ones_like(mask)), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_values_are_shared_by_the_heads_or_the_batch():
    scores = random(0, 2, 3, 4, 5)
    for lead in [(), (3,), (1, 3), (2, 1), (1, 1)]:
        values = random(1, *lead, 5, 6)
        context, weights = attend(scores, values)
        close(context, attend(scores, values.expand(2, 3, 5, 6))[0])
        assert weights.shape == scores.shape


def test_no_source_at_all_gives_contexts_of_zero():
    scores, values = torch.zeros(2, 3, 0), torch.zeros(2, 0, 4)
    for mask in (None, torch.ones(2, 3, 0, dtype=torch.bool)):
        context, weights = attend(scores, values, mask)
        assert torch.equal(context, torch.zeros(2, 3, 4))
        assert weights.shape == (2, 3, 0)
    context, weights = attend(torch.zeros(0, 3), torch.zeros(3, 4))
    assert context.shape == (0, 4)


@pytest.mark.parametrize("dtype", FLOATS)
def test_all_floating_point_types(dtype):
    scores, values, mask = problem(1, (2,), 3, 5, 4)
    context, weights = attend(scores.to(dtype), values.to(dtype), mask)
    assert context.dtype == weights.dtype == dtype
    exact, _ = attend(scores.to(dtype).double(), values.to(dtype).double(), mask)
    close(context.double(), exact, 16 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [300.0, 1e4])
def test_large_scores(dtype, size):
    scores = torch.tensor([[size, 0, -size], [-size, -size, -size]], dtype=dtype).requires_grad_()
    values = torch.tensor([[1], [2], [3]], dtype=dtype)
    context, weights = attend(scores, values)
    close(weights[0].double(), double(1, 0, 0), 1e-100)
    close(weights[1].double(), torch.full((3,), 1 / 3).double(), 1e-2)
    context.sum().backward()
    assert scores.grad.isfinite().all()


def test_no_argument_is_changed():
    tensors = problem(1, (2,), 3, 4, 5)
    before = [tensor.clone() for tensor in tensors]
    attend(*tensors)
    queries, keys = random(2, 3, 4), random(3, 5, 4)
    weights = weights_of_a_score(4, 4, 4, 6)
    W = random(7, 4, 4)
    inputs = (queries, keys, W, *weights)
    copies = [tensor.clone() for tensor in inputs]
    dot_scores(queries, keys), scaled_dot_scores(queries, keys)
    general_scores(queries, keys, W), additive_scores(queries, keys, *weights)
    for tensor, copy in zip((*tensors, *inputs), (*before, *copies), strict=True):
        assert torch.equal(tensor, copy)


# attend: bad input


def plain(function):
    """The function as its users call it, without the checks of types that run in the tests."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


@pytest.mark.parametrize("mask", [torch.ones(2, 3), torch.ones(2, 3).long(), torch.zeros(3)])
def test_a_mask_that_is_not_boolean(mask):
    with pytest.raises(TypeError, match="expected bool: True = may be seen"):
        plain(attend)(torch.zeros(2, 3), torch.zeros(3, 1), mask)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 3), (2, 3, 3), (2, 2, 3)])
def test_a_mask_that_does_not_broadcast(shape):
    with pytest.raises(ValueError, match="does not broadcast to that of the scores"):
        attend(torch.zeros(2, 3), torch.zeros(3, 1), torch.ones(shape, dtype=torch.bool))


BAD = {
    "lengths": ((2, 3), (4, 1), r"\(2, 3\) and the values \(4, 1\), expected .* the same src"),
    "one value": ((2, 3), (3,), r"the values \(3,\)"),
    "one score": ((3,), (3, 1), r"the scores have shape \(3,\)"),
    "batches": ((2, 4, 3), (5, 3, 1), r"leading axes do not broadcast to those of the scores"),
    "more batches": ((4, 3), (5, 3, 1), r"leading axes do not broadcast to those of the scores"),
    "scores expand": ((1, 4, 3), (5, 3, 1), r"leading axes do not broadcast"),
}


@pytest.mark.parametrize("name", BAD)
def test_shapes_that_do_not_fit(name):
    scores, values, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        plain(attend)(torch.zeros(scores), torch.zeros(values))
    assert "\n" not in str(caught.value)


def test_types_that_do_not_fit():
    with pytest.raises(TypeError, match=r"type torch\.float32 and the values of type torch\.float"):
        plain(attend)(torch.zeros(2, 3), torch.zeros(3, 1).double())
    with pytest.raises(TypeError, match="expected floating-point numbers"):
        plain(attend)(torch.zeros(2, 3).long(), torch.zeros(3, 1).long())


# Scores: by hand, and literal loops


def test_scores_by_hand():
    queries, keys = double([1, 2]), double([3, 4], [0, 1], [-1, 0])
    close(dot_scores(queries, keys), double([11, 2, -1]))
    close(scaled_dot_scores(queries, keys), double([11, 2, -1]) / math.sqrt(2))
    W = double([1, 0], [0, 3])
    close(general_scores(queries, keys, W), double([3 + 24, 6, -1]))


def test_the_general_score_looks_from_the_query_to_the_key():
    # W moves the first component of a query to the second of a key: not the other way round
    W = double([0, 1], [0, 0])
    assert general_scores(double([1, 0]), double([0, 1]), W).item() == 1
    assert general_scores(double([0, 1]), double([1, 0]), W).item() == 0


def test_the_additive_score_by_hand():
    queries, keys = double([1.0]), double([2.0], [0.0])
    found = additive_scores(queries, keys, double([1, -1]), double([0.5, 1]), double(10, 1))
    expected = [10 * math.tanh(1 + 1) + math.tanh(-1 + 2), 10 * math.tanh(1) + math.tanh(-1)]
    close(found, double(expected))


def slow_scores(name, queries, keys, W, W_q, W_k, w_a):
    """One number after the other, for one query and one key: lists."""
    d_q, d_k, hidden = len(W_q), len(W_k), len(w_a)

    def dot(q, k):
        total = 0.0
        for a, b in zip(q, k, strict=True):
            total += a * b
        return total

    def general(q, k):
        return sum(q[a] * W[a][b] * k[b] for a in range(d_q) for b in range(d_k))

    def additive(q, k):
        total = 0.0
        for u in range(hidden):
            inner = sum(q[a] * W_q[a][u] for a in range(d_q))
            inner += sum(k[b] * W_k[b][u] for b in range(d_k))
            total += w_a[u] * math.tanh(inner)
        return total

    def scaled(q, k):
        return dot(q, k) / math.sqrt(len(k))

    score = {"dot": dot, "scaled": scaled, "general": general, "additive": additive}[name]
    return double(*[[score(q, k) for k in keys] for q in queries])


@given(SIZES, SEEDS)
@LAW
def test_scores_are_the_literal_loops(sizes, seed):
    tgt, src, d_q, d_k, _, hidden = sizes
    queries, keys, same = random(seed, tgt, d_q), random(seed + 1, src, d_k), random(9, tgt, d_k)
    W, weights = random(seed + 2, d_q, d_k), weights_of_a_score(seed + 3, d_q, d_k, hidden)
    lists = [tensor.tolist() for tensor in (keys, W, *weights)]
    for name, found, asked in (
        ("dot", dot_scores(same, keys), same),
        ("scaled", scaled_dot_scores(same, keys), same),
        ("general", general_scores(queries, keys, W), queries),
        ("additive", additive_scores(queries, keys, *weights), queries),
    ):
        assert found.shape == (tgt, src)
        close(found, slow_scores(name, asked.tolist(), *lists))


# Scores: laws


@given(SIZES, SEEDS)
@LAW
def test_the_general_score_contains_the_dot_product(sizes, seed):
    tgt, src, d_k = sizes[:3]
    queries, keys = random(seed, tgt, d_k), random(seed + 1, src, d_k)
    identity = torch.eye(d_k, dtype=torch.float64)
    close(general_scores(queries, keys, identity), dot_scores(queries, keys))
    close(
        general_scores(queries, keys, identity / math.sqrt(d_k)), scaled_dot_scores(queries, keys)
    )
    close(dot_scores(queries, keys), dot_scores(keys, queries).mT)


@given(st.integers(1, 3), SIZES, SEEDS)
@LAW
def test_scores_of_a_batch_are_one_after_the_other(batch, sizes, seed):
    tgt, src, d_q, d_k, _, hidden = sizes
    queries, keys = random(seed, batch, tgt, d_q), random(seed + 1, batch, src, d_k)
    W, weights = random(seed + 2, d_q, d_k), weights_of_a_score(seed + 3, d_q, d_k, hidden)
    together = (general_scores(queries, keys, W), additive_scores(queries, keys, *weights))
    for b in range(batch):
        for j in range(tgt):
            q, k = queries[b, j, None], keys[b]
            close(together[0][b, j], general_scores(q, k, W)[0])
            close(together[1][b, j], additive_scores(q, k, *weights)[0])
        if d_q == d_k:
            close(scaled_dot_scores(queries, keys)[b], scaled_dot_scores(queries[b], keys[b]))


@pytest.mark.parametrize("d_k", [1, 4, 64, 1024])
def test_scaled_scores_of_random_vectors_have_variance_one(d_k):
    queries, keys = random(0, 300, d_k), random(1, 300, d_k)
    assert scaled_dot_scores(queries, keys).var().item() == pytest.approx(1, rel=0.15)
    assert dot_scores(queries, keys).var().item() == pytest.approx(d_k, rel=0.15)


def linear_scores(queries, keys, W_q, W_k, w_a):
    """The additive score, but for its tanh."""
    return (queries @ W_q)[:, None] @ w_a + (keys @ W_k)[None] @ w_a


@given(SIZES, SEEDS)
@LAW
def test_without_the_tanh_the_weights_ignore_the_query(sizes, seed):
    _, src, d_q, d_k, feature, hidden = sizes
    assume(src > 1)
    keys, values = random(seed, src, d_k), random(seed + 1, src, feature)
    weights = weights_of_a_score(seed + 2, d_q, d_k, hidden)
    first, second = (random(seed + n, 1, d_q) for n in (7, 8))
    for score, ignores in ((linear_scores, True), (additive_scores, False)):
        rows = [attend(score(query, keys, *weights), values)[1] for query in (first, second)]
        assert torch.allclose(*rows, rtol=0, atol=1e-12) == ignores


@given(SIZES, SEEDS)
@LAW
def test_an_additive_score_is_odd_and_a_key_with_a_one_brings_a_bias(sizes, seed):
    tgt, src, d_q, d_k, _, hidden = sizes
    queries, keys = random(seed, tgt, d_q), random(seed + 1, src, d_k)
    W_q, W_k, w_a = weights_of_a_score(seed + 2, d_q, d_k, hidden)
    close(
        additive_scores(-queries, -keys, W_q, W_k, w_a),
        -additive_scores(queries, keys, W_q, W_k, w_a),
    )
    bias = random(seed + 6, 1, hidden)
    found = additive_scores(
        queries, torch.cat([keys, torch.ones(src, 1)], dim=1), W_q, torch.cat([W_k, bias]), w_a
    )
    close(found, torch.tanh((queries @ W_q)[:, None] + keys @ W_k + bias) @ w_a)


@given(SIZES, SEEDS, st.floats(1, 1e6))
@LAW
def test_an_additive_score_is_bounded_by_the_sizes_of_w_a(sizes, seed, scale):
    tgt, src, d_q, d_k, _, hidden = sizes
    weights = weights_of_a_score(seed + 2, d_q, d_k, hidden)
    scores = additive_scores(scale * random(seed, tgt, d_q), random(seed + 1, src, d_k), *weights)
    assert (scores.abs() <= weights[2].abs().sum() * (1 + 1e-12)).all()


def test_scores_have_the_gradients_of_finite_differences():
    queries, keys = random(0, 2, 3, 4).requires_grad_(), random(1, 2, 5, 4).requires_grad_()
    other = random(2, 2, 5, 3).requires_grad_()
    W = random(3, 4, 3).requires_grad_()
    weights = [tensor.requires_grad_() for tensor in weights_of_a_score(4, 4, 3, 6)]
    assert torch.autograd.gradcheck(dot_scores, (queries, keys))
    assert torch.autograd.gradcheck(scaled_dot_scores, (queries, keys))
    assert torch.autograd.gradcheck(general_scores, (queries, other, W))
    assert torch.autograd.gradcheck(additive_scores, (queries, other, *weights))


@pytest.mark.parametrize("dtype", FLOATS)
def test_scores_keep_the_type(dtype):
    queries, keys = random(0, 2, 4).to(dtype), random(1, 3, 4).to(dtype)
    weights = [tensor.to(dtype) for tensor in weights_of_a_score(2, 4, 4, 5)]
    for scores in (
        dot_scores(queries, keys),
        scaled_dot_scores(queries, keys),
        general_scores(queries, keys, random(6, 4, 4).to(dtype)),
        additive_scores(queries, keys, *weights),
    ):
        assert scores.dtype == dtype
        assert scores.isfinite().all()


def test_the_scale_is_taken_before_the_product():
    # 256 * 16 * 16 = 65536 is infinite in half precision; divided by 16 it is 4096
    long = torch.full((1, 256), 16.0, dtype=torch.float16)
    assert scaled_dot_scores(long, long).item() == 4096


def test_no_source_no_target_and_no_components():
    weights = weights_of_a_score(0, 2, 2, 3)
    for tgt, src in [(0, 3), (3, 0), (0, 0)]:
        queries, keys = random(0, tgt, 2), random(1, src, 2)
        assert scaled_dot_scores(queries, keys).shape == (tgt, src)
        assert general_scores(queries, keys, random(2, 2, 2)).shape == (tgt, src)
        assert additive_scores(queries, keys, *weights).shape == (tgt, src)
    nothing = torch.zeros(2, 0)
    assert torch.equal(dot_scores(nothing, nothing), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="the keys have no components"):
        scaled_dot_scores(nothing, nothing)


def test_sizes_that_do_not_fit():
    three, four = torch.zeros(2, 3), torch.zeros(2, 4)
    for function, weights in (
        (dot_scores, ()),
        (scaled_dot_scores, ()),
        (general_scores, (torch.zeros(4, 3),)),
        (additive_scores, (torch.zeros(4, 5), torch.zeros(3, 5), torch.zeros(5))),
    ):
        with pytest.raises(ValueError, match="the queries have 3 components and the keys 4"):
            plain(function)(three, four, *weights)


# Modules: parameters plus a call


@pytest.mark.parametrize("scaled", [True, False])
def test_the_dot_module_is_the_function(scaled):
    queries, keys = random(0, 2, 3, 4), random(1, 2, 5, 4)
    score = DotScore(scaled=scaled)
    function = scaled_dot_scores if scaled else dot_scores
    assert torch.equal(score(queries, score.project(keys)), function(queries, keys))
    assert list(score.parameters()) == []
    assert DotScore().scaled


@given(LEADS, SIZES, SEEDS)
@LAW
def test_modules_are_their_functions_also_with_unequal_sizes(lead, sizes, seed):
    tgt, src, d_q, d_k, _, hidden = sizes
    queries, keys = random(seed, *lead, tgt, d_q), random(seed + 1, *lead, src, d_k)
    general = GeneralScore(d_q, d_k).double()
    additive = AdditiveScore(d_q, d_k, hidden).double()
    close(general(queries, general.project(keys)), general_scores(queries, keys, general.W))
    close(
        additive(queries, additive.project(keys)),
        additive_scores(queries, keys, additive.W_q, additive.W_k, additive.w_a),
    )
    assert general.project(keys).shape == (*lead, src, d_q)
    assert additive.project(keys).shape == (*lead, src, hidden)


def test_a_projection_serves_one_query_after_the_other():
    queries, keys = random(0, 2, 3, 4), random(1, 2, 5, 6)
    for score in (GeneralScore(4, 6).double(), AdditiveScore(4, 6, 7).double()):
        projected = score.project(keys)
        steps = [score(queries[:, j, None], projected) for j in range(3)]
        close(torch.cat(steps, dim=1), score(queries, projected))


def test_parameters_of_the_modules():
    torch.manual_seed(0)
    general, additive = GeneralScore(40, 60), AdditiveScore(40, 60, 50)
    shapes = {name: tuple(p.shape) for name, p in additive.named_parameters()}
    assert {name: tuple(p.shape) for name, p in general.named_parameters()} == {"W": (40, 60)}
    assert shapes == {"W_q": (40, 50), "W_k": (60, 50), "w_a": (50,)}
    for tensor, fan in (
        (general.W, 40 + 60),
        (additive.W_q, 40 + 50),
        (additive.W_k, 60 + 50),
        (additive.w_a, 50 + 1),
    ):
        bound = math.sqrt(6 / fan)
        assert 0.9 * bound < tensor.abs().max() <= bound
        assert abs(tensor.mean()) < 0.2 * bound


@pytest.mark.parametrize("kind", ["general", "additive"])
def test_every_parameter_of_a_module_is_learnt(kind):
    torch.manual_seed(0)
    score = GeneralScore(4, 6) if kind == "general" else AdditiveScore(4, 6, 5)
    queries, keys, values = (random(n, 3, 5, d).float() for n, d in ((0, 4), (1, 6), (2, 2)))
    context, _ = attend(score(queries, score.project(keys)), values)
    context.square().sum().backward()
    for parameter in score.parameters():
        assert parameter.grad.norm() > 0


# It learns


def test_general_and_additive_learn_a_lookup_that_the_product_cannot():
    """The query is the key through a matrix that has no positive direction: a rotation by 90°."""
    keys = torch.nn.functional.normalize(random(0, 64, 6, 4).float(), dim=-1)
    values = torch.eye(6)
    turn = torch.kron(torch.eye(2), torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    target = torch.arange(64) % 6
    queries = (keys[torch.arange(64), target] @ turn)[:, None]
    share = {}
    for name in ("dot", "general", "additive"):
        torch.manual_seed(0)
        score = {
            "dot": DotScore,
            "general": lambda: GeneralScore(4, 4),
            "additive": lambda: AdditiveScore(4, 4, 32),
        }[name]()
        optimiser = torch.optim.Adam(score.parameters(), 0.03) if name != "dot" else None
        for _ in range(150 if optimiser else 1):
            context, weights = attend(score(queries, score.project(keys)), values)
            if optimiser:
                optimiser.zero_grad()
                loss = -(context[torch.arange(64), 0, target] + 1e-6).log().mean()
                loss.backward()
                optimiser.step()
        share[name] = (weights[:, 0].argmax(dim=-1) == target).float().mean().item()
    assert share["dot"] < 0.2
    assert share["general"] > 0.9
    assert share["additive"] > 0.9
