"""Attention with several heads: by hand, against torch and a loop over heads, and its laws."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.masking import causal_mask, lengths_mask
from softalign.positions import make_positions
from softalign.transformer import (
    KeysValues,
    MultiHeadAttention,
    join_heads,
    prune_heads,
    split_heads,
)

LAW = settings(derandomize=True, deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**31 - 1)
# batch, tgt, src, heads, d_k, d_v: unequal more often than not
SIZES = st.tuples(*[st.integers(1, 4)] * 6)


def random(seed, *shape):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def random_mask(seed, *shape):
    """True = may be seen; at least one place in each row."""
    generator = torch.Generator().manual_seed(seed + 1000)
    mask = torch.rand(shape, generator=generator) < 0.5
    mask[..., 0] |= ~mask.any(dim=-1)
    return mask


def close(found, expected, tolerance=1e-10):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def made(seed, d_model, n_heads, **options):
    """Attention whose parameters, the biases included, are random and not small."""
    attention = MultiHeadAttention(d_model, n_heads, **options).double()
    with torch.no_grad():
        for number, parameter in enumerate(attention.parameters()):
            parameter.copy_(0.7 * random(seed + number, *parameter.shape))
    return attention


def of_head(attention, h):
    """The weights and biases of one head: queries, keys, values."""
    found, first = [], 0
    for size in (attention.d_k, attention.d_k, attention.d_v):
        place = slice(first + h * size, first + (h + 1) * size)
        found.append((attention.W_qkv[:, place], attention.b_qkv[place]))
        first += attention.n_heads * size
    return found


def slow(attention, inputs, memory, mask=None, bias=None):
    """A loop over the heads, as the page writes it; outputs and weights."""
    total, shown = attention.b_o, []
    for h in range(attention.n_heads):
        (W_q, b_q), (W_k, b_k), (W_v, b_v) = of_head(attention, h)
        q, k, v = inputs @ W_q + b_q, memory @ W_k + b_k, memory @ W_v + b_v
        scores = q @ k.mT
        if attention.scaled:
            scores = scores / math.sqrt(attention.d_k)
        if bias is not None:
            scores = scores + bias[h]
        if mask is not None:
            scores = scores.masked_fill(~mask[:, h], -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        shown.append(weights)
        band = attention.W_o[h * attention.d_v : (h + 1) * attention.d_v]
        total = total + weights @ v @ band
    return total, torch.stack(shown, dim=1)


# Splitting and joining


def test_split_and_join_by_hand():
    joined = torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12.0]]])
    heads = split_heads(joined, 2)
    assert heads[0, 0].tolist() == [[1, 2], [5, 6], [9, 10]]
    assert heads[0, 1].tolist() == [[3, 4], [7, 8], [11, 12]]
    assert torch.equal(join_heads(heads), joined)


@given(SIZES, SEEDS)
@LAW
def test_a_head_has_its_features_of_every_position(sizes, seed):
    batch, time, _, n_heads, size, _ = sizes
    joined = random(seed, batch, time, n_heads * size)
    heads = split_heads(joined, n_heads)
    assert heads.shape == (batch, n_heads, time, size)
    for h in range(n_heads):
        assert torch.equal(heads[:, h], joined[..., h * size : (h + 1) * size])
    assert torch.equal(join_heads(heads), joined)


@pytest.mark.parametrize("n_heads", [0, -1, 3, 5])
def test_features_that_cannot_be_divided(n_heads):
    with pytest.raises(ValueError, match=rf"4 features cannot be divided among {n_heads} heads"):
        split_heads(torch.zeros(1, 2, 4), n_heads)


# Against a loop, and torch


@given(SIZES, SEEDS, st.booleans(), st.booleans())
@LAW
def test_attention_is_the_loop_over_the_heads(sizes, seed, scaled, with_bias):
    batch, tgt, src, n_heads, d_k, d_v = sizes
    attention = made(seed, 5, n_heads, d_k=d_k, d_v=d_v, scaled=scaled)
    inputs, memory = random(seed, batch, tgt, 5), random(seed + 1, batch, src, 5)
    mask = random_mask(seed, batch, n_heads, tgt, src)
    bias = random(seed + 2, n_heads, tgt, src) if with_bias else None
    outputs, weights = slow(attention, inputs, memory, mask, bias)
    shown = attention(inputs, memory, mask, bias, weights=True)
    close(shown.outputs, outputs)
    close(shown.weights, weights)
    fused = attention(inputs, memory, mask, bias)
    assert fused.weights is None
    close(fused.outputs, outputs)


@pytest.mark.parametrize("weights", [True, False])
def test_without_mask_and_bias_and_without_memory(weights):
    attention = made(3, 6, 2)
    inputs = random(1, 2, 5, 6)
    expected, _ = slow(attention, inputs, inputs)
    close(attention(inputs, weights=weights).outputs, expected)
    close(attention(inputs, inputs, weights=weights).outputs, expected)


def torchs(attention):
    """`nn.MultiheadAttention` with the same weights."""
    theirs = nn.MultiheadAttention(
        attention.W_o.shape[1], attention.n_heads, batch_first=True, dtype=torch.float64
    )
    with torch.no_grad():
        theirs.in_proj_weight.copy_(attention.W_qkv.T)
        theirs.in_proj_bias.copy_(attention.b_qkv)
        theirs.out_proj.weight.copy_(attention.W_o.T)
        theirs.out_proj.bias.copy_(attention.b_o)
    return theirs


@pytest.mark.parametrize("kind", ["none", "padding", "causal", "each", "bias"])
@pytest.mark.parametrize("weights", [True, False])
def test_outputs_weights_and_gradients_are_those_of_torch(kind, weights):
    attention = made(7, 12, 3)
    theirs = torchs(attention)
    inputs, memory = random(1, 2, 5, 12), random(2, 2, 5, 12)
    lengths, each = lengths_mask([5, 3]), random_mask(4, 2, 5, 5)
    bias = random(5, 5, 5)
    ours_mask, ours_bias, options = {
        "none": (None, None, {}),
        "padding": (lengths[:, None, None], None, {"key_padding_mask": ~lengths}),
        "causal": (causal_mask(5), None, {"attn_mask": ~causal_mask(5)}),
        "each": (each[:, None], None, {"attn_mask": ~each.repeat_interleave(3, dim=0)}),
        "bias": (None, bias, {"attn_mask": bias}),
    }[kind]
    sides = [[t.clone().requires_grad_() for t in (inputs, memory)] for _ in range(2)]
    ours = attention(*sides[0], ours_mask, ours_bias, weights=weights)
    x, m = sides[1]
    outputs, shown = theirs(x, m, m, average_attn_weights=False, **options)
    close(ours.outputs, outputs)
    if weights:
        close(ours.weights, shown)
    upstream = random(9, *outputs.shape)
    mine = torch.autograd.grad(ours.outputs, (*sides[0], *attention.parameters()), upstream)
    names = [name for name, _ in attention.named_parameters()]
    other = {
        "W_qkv": theirs.in_proj_weight,
        "b_qkv": theirs.in_proj_bias,
        "W_o": theirs.out_proj.weight,
        "b_o": theirs.out_proj.bias,
    }
    expected = torch.autograd.grad(outputs, (x, m, *(other[name] for name in names)), upstream)
    for name, a, b in zip(["inputs", "memory", *names], mine, expected, strict=True):
        close(a, b.T if name.startswith("W") else b)


def test_the_scores_are_divided_by_the_root_of_a_heads_size():
    # one query, two keys; all of a head's four components are 1 for the first key, else 0
    attention = MultiHeadAttention(8, 2).double()
    with torch.no_grad():
        attention.W_qkv.zero_()
        attention.W_qkv[0, :16] = 1  # queries and keys of both heads copy the first component
    inputs = torch.zeros(1, 2, 8, dtype=torch.float64)
    inputs[0, 0, 0] = 1
    weights = attention(inputs, weights=True).weights
    first = math.exp(4 / math.sqrt(4))
    close(weights[0, :, 0, 0], torch.full((2,), first / (first + 1), dtype=torch.float64))
    plain = MultiHeadAttention(8, 2, scaled=False).double()
    plain.load_state_dict(attention.state_dict())
    weights, first = plain(inputs, weights=True).weights, math.exp(4)
    close(weights[0, :, 0, 0], torch.full((2,), first / (first + 1), dtype=torch.float64))


# Laws


@given(SIZES, SEEDS, st.booleans())
@LAW
def test_the_order_of_the_heads_does_not_matter(sizes, seed, weights):
    batch, tgt, src, n_heads, d_k, d_v = sizes
    attention = made(seed, 4, n_heads, d_k=d_k, d_v=d_v)
    order = torch.randperm(n_heads, generator=torch.Generator().manual_seed(seed)).tolist()
    inputs, memory = random(seed, batch, tgt, 4), random(seed + 1, batch, src, 4)
    mask = random_mask(seed, batch, 1, tgt, src)
    before = attention(inputs, memory, mask, weights=weights)
    after = prune_heads(attention, order)(inputs, memory, mask, weights=weights)
    close(after.outputs, before.outputs)
    if weights:
        close(after.weights, before.weights[:, order])


@given(SIZES, SEEDS, st.booleans())
@LAW
def test_a_batch_is_one_after_the_other_and_padding_changes_nothing(sizes, seed, weights):
    batch, tgt, src, n_heads, d_k, d_v = sizes
    attention = made(seed, 4, n_heads, d_k=d_k, d_v=d_v)
    inputs, memory = random(seed, batch, tgt, 4), random(seed + 1, batch, src + 2, 4)
    mask = lengths_mask([src] * batch, src + 2)[:, None, None]
    together = attention(inputs, memory, mask, weights=weights).outputs
    for b in range(batch):
        alone = attention(inputs[b, None], memory[b, None, :src], weights=weights).outputs
        close(together[b], alone[0])
        for j in range(tgt):
            one = attention(inputs[b, None, j, None], memory[b, None, :src], weights=weights)
            close(together[b, j], one.outputs[0, 0])


@pytest.mark.parametrize("weights", [True, False])
def test_nobody_sees_the_future(weights):
    attention = made(1, 6, 3)
    inputs = random(2, 2, 5, 6)
    for place in range(1, 5):
        changed = inputs.clone()
        changed[:, place:] += 1
        first, second = (
            attention(x, None, causal_mask(5), weights=weights).outputs for x in (inputs, changed)
        )
        assert torch.equal(first[:, :place], second[:, :place])
        assert ((first - second)[:, place:].abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("weights", [True, False])
def test_a_row_with_nothing_to_see_gives_the_bias_alone(weights, with_bias):
    attention = made(1, 6, 2)
    inputs, memory = random(2, 2, 3, 6).requires_grad_(), random(3, 2, 4, 6).requires_grad_()
    mask = torch.ones(2, 1, 3, 4, dtype=torch.bool)
    mask[1, :, 2] = False
    bias = random(4, 2, 3, 4) if with_bias else None
    found = attention(inputs, memory, mask, bias, weights=weights)
    assert torch.equal(found.outputs[1, 2], attention.b_o)
    if weights:
        assert (found.weights[1, :, 2] == 0).all()
    parts = (inputs, memory, attention.W_qkv, attention.b_qkv, attention.W_o, attention.b_o)
    *gone, last = torch.autograd.grad(found.outputs[1, 2].sum(), parts, retain_graph=True)
    for gradient in gone:
        assert (gradient == 0).all()
    assert (last == 1).all()
    for gradient in torch.autograd.grad(found.outputs.sum(), parts):
        assert gradient.isfinite().all()


@given(SEEDS)
@LAW
def test_masks_and_biases_broadcast(seed):
    attention = made(seed, 6, 2)
    inputs, memory = random(seed, 3, 4, 6), random(seed + 1, 3, 5, 6)
    for shape in ((5,), (4, 5), (2, 1, 5), (3, 1, 1, 5), (3, 1, 4, 5), (1, 2, 4, 5)):
        mask = random_mask(seed, *shape)
        full = mask.expand(3, 2, 4, 5)
        bias = random(seed + 2, 2, 4, 5)
        for weights in (True, False):
            ours = attention(inputs, memory, mask, bias, weights=weights).outputs
            close(ours, attention(inputs, memory, full, bias, weights=weights).outputs)
            close(ours, slow(attention, inputs, memory, full, bias)[0])


def test_three_steps_are_the_call_and_nothing_is_changed():
    attention = made(5, 6, 3, d_k=2, d_v=4)
    inputs, memory, mask = random(1, 2, 4, 6), random(2, 2, 5, 6), random_mask(3, 2, 1, 4, 5)
    bias = random(4, 3, 4, 5)
    copies = [t.clone() for t in (inputs, memory, mask, bias, *attention.parameters())]
    queries, seen = attention.queries(inputs), attention.keys_values(memory)
    assert queries.shape == (2, 3, 4, 2)
    assert isinstance(seen, KeysValues)
    assert seen.keys.shape == (2, 3, 5, 2)
    assert seen.values.shape == (2, 3, 5, 4)
    steps = attention.attend(queries, seen, mask, bias)
    assert torch.equal(steps.outputs, attention(inputs, memory, mask, bias).outputs)
    attention(inputs, memory, mask, bias, weights=True)
    together, kept = attention.queries_keys_values(inputs)
    close(together, queries)
    close(kept.keys, attention.keys_values(inputs).keys)
    close(kept.values, attention.keys_values(inputs).values)
    for tensor, copy in zip(
        (inputs, memory, mask, bias, *attention.parameters()), copies, strict=True
    ):
        assert torch.equal(tensor, copy)


def test_positions_turn_queries_and_keys_and_not_values():
    attention = made(5, 8, 2)
    rotary = make_positions("rotary", d_model=8, n_heads=2, max_length=16).double()
    inputs = random(1, 2, 5, 8)
    queries, seen = attention.queries_keys_values(inputs)
    turned = KeysValues(rotary.turn(seen.keys), seen.values)
    expected = attention.attend(rotary.turn(queries), turned).outputs
    for weights in (True, False):
        found = attention(inputs, positions=rotary, weights=weights).outputs
        close(found, expected)
    assert not torch.allclose(expected, attention(inputs).outputs, atol=1e-3)


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("with_bias", [True, False])
def test_half_precision_by_autocast(weights, with_bias):
    attention = made(5, 8, 2).float()
    inputs, mask = random(1, 2, 5, 8).float(), random_mask(2, 2, 1, 5, 5)
    bias = random(3, 2, 5, 5).float() if with_bias else None
    exact = attention(inputs, None, mask, bias).outputs
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attention(inputs, None, mask, bias, weights=weights)
    assert found.outputs.dtype == torch.bfloat16
    assert not weights or found.weights.dtype == torch.bfloat16
    torch.testing.assert_close(found.outputs.float(), exact, rtol=0.1, atol=0.15)
    found.outputs.float().sum().backward()
    assert attention.W_qkv.grad.isfinite().all()


@pytest.mark.parametrize("weights", [True, False])
def test_a_bias_of_another_type(weights):
    attention, inputs, bias = made(5, 8, 2), random(1, 2, 5, 8), random(3, 2, 5, 5).bfloat16()
    found = attention(inputs, None, None, bias, weights=weights).outputs
    close(found, attention(inputs, None, None, bias.double()).outputs)


def test_values_of_another_type():
    attention, inputs = made(5, 8, 2), random(1, 2, 5, 8)
    queries, seen = attention.queries_keys_values(inputs)
    mixed = seen._replace(values=seen.values.float())
    found = attention.attend(queries, mixed, weights=True).outputs
    close(found, attention(inputs).outputs, 1e-5)


# Parameters


def test_parameters_have_their_sizes_and_begin_as_they_should():
    torch.manual_seed(0)
    attention = MultiHeadAttention(40, 4, d_k=30, d_v=5)
    shapes = {name: tuple(p.shape) for name, p in attention.named_parameters()}
    assert shapes == {"W_qkv": (40, 260), "b_qkv": (260,), "W_o": (20, 40), "b_o": (40,)}
    assert (attention.b_qkv == 0).all()
    assert (attention.b_o == 0).all()
    W_q, W_k, W_v = attention.W_qkv.detach().split([120, 120, 20], dim=1)
    for part, fan in ((W_q, 160), (W_k, 160), (W_v, 60), (attention.W_o.detach(), 60)):
        bound = math.sqrt(6 / fan)
        assert 0.97 * bound < part.abs().max() <= bound
        assert abs(part.mean()) < 0.1 * bound


@pytest.mark.parametrize("n_heads", [1, 2, 8, 16])
def test_the_number_of_heads_does_not_change_the_number_of_parameters(n_heads):
    attention = MultiHeadAttention(16, n_heads)
    assert sum(p.numel() for p in attention.parameters()) == 4 * 16**2 + 4 * 16
    assert attention.d_k == attention.d_v == 16 // n_heads
    assert attention.scaled


def test_heads_that_do_not_fit():
    for n_heads, options in ((3, {}), (0, {}), (-2, {}), (3, {"d_k": 2}), (3, {"d_v": 2})):
        with pytest.raises(ValueError, match=f"8 components cannot be divided among {n_heads}"):
            MultiHeadAttention(8, n_heads, **options)
    attention = MultiHeadAttention(8, 3, d_k=2, d_v=5)
    assert (attention.d_k, attention.d_v) == (2, 5)
    assert MultiHeadAttention(8, 2, d_k=3).d_v == 4


# Pruning


@given(SIZES, SEEDS, st.data())
@LAW
def test_a_pruned_head_is_one_whose_band_of_the_output_weights_is_zero(sizes, seed, data):
    batch, tgt, src, n_heads, d_k, d_v = sizes
    attention = made(seed, 4, n_heads, d_k=d_k, d_v=d_v, scaled=data.draw(st.booleans()))
    kept = data.draw(
        st.lists(st.integers(0, n_heads - 1), min_size=1, max_size=n_heads, unique=True)
    )
    before = [p.clone() for p in attention.parameters()]
    pruned = prune_heads(attention, kept)
    for parameter, copy in zip(attention.parameters(), before, strict=True):
        assert torch.equal(parameter, copy)  # the original is left as it is
    inputs, memory = random(seed, batch, tgt, 4), random(seed + 1, batch, src, 4)
    shown = attention(inputs, memory, weights=True).weights
    with torch.no_grad():
        for h in set(range(n_heads)) - set(kept):
            attention.W_o[h * d_v : (h + 1) * d_v] = 0
    close(pruned(inputs, memory).outputs, attention(inputs, memory).outputs)
    close(pruned(inputs, memory, weights=True).weights, shown[:, kept])
    assert pruned.n_heads == len(kept)
    assert pruned.scaled == attention.scaled
    size = sum(p.numel() for p in pruned.parameters())
    assert size == len(kept) * (2 * d_k + d_v) * 5 + len(kept) * d_v * 4 + 4


def test_a_pruned_attention_shares_nothing_and_keeps_type_and_mode():
    attention = made(1, 6, 3).eval()
    pruned = prune_heads(attention, [2, 0])
    assert not pruned.training
    assert prune_heads(attention.train(), [1]).training
    assert pruned.W_o.dtype == torch.float64
    assert all(p.requires_grad for p in pruned.parameters())
    before = attention.b_o.clone()
    with torch.no_grad():
        for parameter in pruned.parameters():
            parameter.add_(1)
    assert torch.equal(attention.b_o, before)
    pruned(random(1, 1, 2, 6)).outputs.sum().backward()
    assert pruned.W_qkv.grad.abs().sum() > 0
    assert attention.W_qkv.grad is None


@pytest.mark.parametrize("kept", [[], [0, 0], [3], [-1], [0, 1, 2, 3], [1, 2, 1]])
def test_heads_to_keep_that_there_are_not(kept):
    with pytest.raises(ValueError, match=r"expected one or more of 0 to 2, none twice"):
        prune_heads(MultiHeadAttention(6, 3), kept)


# It learns


@pytest.mark.parametrize("n_heads", [1, 2])
def test_two_heads_learn_to_subtract_two_places_and_one_does_not(n_heads):
    """Six places, one marked A and one marked B, four numbers each: return A's minus B's."""
    torch.manual_seed(0)
    attention = MultiHeadAttention(8, n_heads)
    optimiser = torch.optim.Adam(attention.parameters(), lr=0.02)
    rows, losses = torch.arange(64), []
    for _ in range(250):
        inputs = torch.zeros(64, 6, 8)
        inputs[..., :4] = torch.randn(64, 6, 4)
        a = torch.randint(6, (64,))
        b = (a + torch.randint(1, 6, (64,))) % 6
        inputs[rows, a, 4] = inputs[rows, b, 5] = 1
        wanted = inputs[rows, a, :4] - inputs[rows, b, :4]
        found = attention(torch.zeros(64, 1, 8), inputs).outputs[:, 0, :4]
        loss = (found - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    final = sum(losses[-20:]) / 20
    assert final < 0.05 if n_heads == 2 else final > 0.7
