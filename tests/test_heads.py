"""What the experiments measure of heads: divergence, alignment, and what is lost without them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.corpus import Pair
from softalign.experiments import _heads, transformer
from softalign.experiments._heads import (
    alignment_of_heads,
    divergence,
    heads_of,
    pruning,
    without,
)
from softalign.experiments._translation import model_perplexity
from softalign.search import translate
from softalign.text import Vocabulary
from softalign.training import seeded
from softalign.transformer import Transformer, cross_weights

LAW = settings(derandomize=True, deadline=None, max_examples=30)
SRC, TGT = (Vocabulary.from_training([list(words)]) for words in ("abcdefgh", "pqrstuvw"))
SHAPES = [
    ("encoder", "attention"),
    ("decoder", "attention"),
    ("decoder", "cross_attention"),
]


def pair(source, target, sure, possible=None):
    sure = frozenset(sure)
    possible = sure if possible is None else frozenset(possible) | sure
    return Pair(tuple(source), tuple(target), (tuple(target),), sure, possible, ())


PAIRS = [
    pair("abcd", "pqr", {(0, 0), (2, 1), (3, 2)}),
    pair("hg", "wv", {(1, 0), (0, 1)}),
    pair("fea", "stup", {(0, 0), (1, 1), (1, 2), (2, 3)}),
    pair("b", "q", {(0, 0)}),
]


def tiny(*, n_heads=2, n_layers=2, seed=0):
    with seeded(seed):
        model = Transformer(SRC, TGT, d_model=8, n_heads=n_heads, d_ff=6, n_layers=n_layers)
        with torch.no_grad():  # small weights make small numbers, in which a fault could hide
            for parameter in model.parameters():
                parameter.add_(0.4 * torch.randn_like(parameter))
            model.output.bias[TGT.eos_id] -= 4  # sentences with words
    return model


def entropy(p):
    p = p[p > 0]
    return -(p * np.log(p)).sum()


# --- divergence -----------------------------------------------------------------------------------


def test_divergence_by_hand():
    one, half = [[1.0, 0.0]], [[0.5, 0.5]]
    by_hand = math.log(4 / 3) / 2 + (math.log(2 / 3) / 2 + math.log(2) / 2) / 2
    assert divergence([np.array([one, half])]) == pytest.approx(by_hand)
    # three heads: three pairs, of which one is a pair of equals
    assert divergence([np.array([one, half, half])]) == pytest.approx(2 * by_hand / 3)
    # two sentences of one and two positions: the mean is over positions
    two = np.array([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
    expected = (by_hand + math.log(2) + 0) / 3
    assert divergence([np.array([one, half]), two]) == pytest.approx(expected)


@given(st.integers(0, 2**31 - 1), st.integers(2, 4), st.integers(1, 3), st.integers(1, 5))
@LAW
def test_divergence_is_entropy_of_the_middle_minus_mean_entropy(seed, heads, tgt, src):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(src, 0.3), (heads, tgt))
    rows[rows < 1e-3] = 0  # places without weight, and some with little
    rows = rows / rows.sum(-1, keepdims=True)
    found = []
    for a in range(heads):
        for b in range(a):
            for j in range(tgt):
                p, q = rows[a, j], rows[b, j]
                found.append(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2)
    value = divergence([rows])
    assert value == pytest.approx(np.mean(found), abs=1e-12)
    assert -1e-12 <= value <= math.log(2) + 1e-12
    assert divergence([rows[::-1]]) == pytest.approx(value, abs=1e-12)  # heads have no order


# --- alignment ------------------------------------------------------------------------------------


def links_to_weights(links, words, places, sharp=0.8):
    """Weights of a head whose largest one lies on the given links, row by row."""
    weights = np.full((words, places), (1 - sharp) / (places - 1)) if places > 1 else None
    if weights is None:
        return np.ones((words, 1))
    for i, j in links:
        weights[j] = (1 - sharp) / (places - 1)
        weights[j, i] = sharp
    return weights


@pytest.fixture
def rigged(monkeypatch):
    """A model that looks where it is told to.

    Head 1 of layer 1 looks at the gold link in the row that writes the word, head 2 in the row
    after it. Both heads of layer 2 look at the end symbol.
    """

    def shown(model, sources, targets):
        found = []
        for source, target in zip(sources, targets, strict=True):
            gold = next(p for p in PAIRS if p.source == source)
            words, places = len(target) + 1, len(source) + 1
            end = links_to_weights([(places - 1, j) for j in range(words)], words, places)
            right = links_to_weights([*gold.sure, (places - 1, words - 1)], words, places)
            late = links_to_weights(
                [(places - 1, 0), *((i, j + 1) for i, j in gold.sure)], words, places
            )
            found.append(np.array([[right, late], [end, end]]))
        return found

    monkeypatch.setattr(_heads, "cross_weights", shown)


def test_alignment_of_a_rigged_model(rigged):
    found = alignment_of_heads(tiny(), PAIRS, PAIRS)
    assert found["aer_layer_1_head_1"] == 0
    assert found["aer_layer_1_head_2"] > 0.5
    # all words on the end symbol: no links at all
    assert found["aer_layer_2"] == found["aer_layer_2_head_1"] == 1
    assert found["aer"] == 0
    assert found["aer_shift_+1"] == 0
    assert found["divergence_layer_2"] == pytest.approx(0, abs=1e-12)
    assert 0.1 < found["divergence_layer_1"] < math.log(2)
    rows = [4 + 1, 2 + 1, 3 + 1, 1 + 1]  # places of each sentence
    words = [3 + 1, 2 + 1, 4 + 1, 1 + 1]
    entropies = [entropy(np.array([0.8] + [0.2 / (n - 1)] * (n - 1))) for n in rows]
    expected = np.average(entropies, weights=words)
    assert found["entropy_layer_2"] == pytest.approx(expected)
    assert found["entropy_layer_1"] == pytest.approx(expected)
    parts = {f"aer_layer_{k}" for k in (1, 2)}
    parts |= {f"aer_layer_{k}_head_{h}" for k in (1, 2) for h in (1, 2)}
    parts |= {f"{name}_layer_{k}" for name in ("divergence", "entropy") for k in (1, 2)}
    assert set(found) == parts | {"aer", "aer_shift_+1"}


def test_the_head_is_chosen_on_validation_and_judged_on_test(monkeypatch):
    """Head 1 is right on validation and wrong on test, head 2 the other way round."""
    validation, test = PAIRS[:1], PAIRS[1:2]

    def shown(model, sources, targets):
        found = []
        for source, target in zip(sources, targets, strict=True):
            gold = next(p for p in PAIRS if p.source == source)
            words, places = len(target) + 1, len(source) + 1
            right = links_to_weights([*gold.sure, (places - 1, words - 1)], words, places)
            end = links_to_weights([(places - 1, j) for j in range(words)], words, places, 0.95)
            heads = [right, end] if source == validation[0].source else [end, right]
            found.append(np.array([heads]))
        return found

    monkeypatch.setattr(_heads, "cross_weights", shown)
    found = alignment_of_heads(tiny(), validation, test)
    assert found["aer_layer_1_head_1"] == 1
    assert found["aer_layer_1_head_2"] == 0
    assert found["aer"] == 1


def test_the_mean_of_a_layers_heads_can_align_where_no_head_does(monkeypatch):
    """Each head has the right link second, behind a wrong one that is not the other's."""
    gold = pair("abc", "p", {(1, 0)})
    heads = np.array([[[[0.5, 0.4, 0.1, 0.0]] * 2, [[0.0, 0.4, 0.5, 0.1]] * 2]])
    monkeypatch.setattr(_heads, "cross_weights", lambda model, sources, targets: [heads])
    found = alignment_of_heads(tiny(), [gold], [gold])
    assert found["aer_layer_1_head_1"] == found["aer_layer_1_head_2"] == 1
    assert found["aer_layer_1"] == found["aer"] == 0
    assert found["aer_shift_+1"] == 0
    assert found["entropy_layer_1"] == pytest.approx(entropy(heads[0, 0, 0]))


LATE = [
    # one head, and only in the row that has read the word; the other looks at the end symbol
    [[[0.1, 0.1, 0.1, 0.7], [0.1, 0.7, 0.1, 0.1]], [[0.0, 0.0, 0.1, 0.9]] * 2],
    # the mean of the heads, likewise; none of them alone
    [
        [[0.1, 0.1, 0.1, 0.7], [0.5, 0.4, 0.1, 0.0]],
        [[0.1, 0.1, 0.1, 0.7], [0.0, 0.4, 0.5, 0.1]],
    ],
]


@pytest.mark.parametrize("heads", LATE, ids=["one head", "mean"])
def test_heads_and_their_mean_are_also_judged_by_the_row_that_has_read_the_word(monkeypatch, heads):
    gold = pair("abc", "p", {(1, 0)})
    weights = [np.array([heads])]
    monkeypatch.setattr(_heads, "cross_weights", lambda model, sources, targets: weights)
    found = alignment_of_heads(tiny(), [gold], [gold])
    assert found["aer"] == found["aer_layer_1"] == 1
    assert found["aer_layer_1_head_1"] == found["aer_layer_1_head_2"] == 1
    assert found["aer_shift_+1"] == 0


def test_one_head_has_no_divergence_and_no_name_of_its_own():
    found = alignment_of_heads(tiny(n_heads=1), PAIRS, PAIRS)
    assert set(found) == {
        *(f"{name}_layer_{k}" for name in ("aer", "entropy") for k in (1, 2)),
        "aer",
        "aer_shift_+1",
    }


def test_alignment_of_a_real_model_is_that_of_its_weights():
    model = tiny()
    found = alignment_of_heads(model, PAIRS[:1], PAIRS)
    weights = cross_weights(model, [p.source for p in PAIRS], [p.target for p in PAIRS])
    for layer in (0, 1):
        rows = [w[layer] for w in weights]
        assert found[f"divergence_layer_{layer + 1}"] == pytest.approx(divergence(rows))
        flat = [entropy(row) for w in rows for head in w for row in head]
        assert found[f"entropy_layer_{layer + 1}"] == pytest.approx(np.mean(flat))
        for head in (0, 1):
            right = linked = gold = 0
            for p, w in zip(PAIRS, rows, strict=True):
                best = w[head][:-1].argmax(1)
                links = {(int(i), j) for j, i in enumerate(best) if i < len(p.source)}
                right += len(links & p.sure)
                linked, gold = linked + len(links), gold + len(p.sure)
            expected = 1 - 2 * right / (linked + gold)
            assert found[f"aer_layer_{layer + 1}_head_{head + 1}"] == pytest.approx(expected)


# --- weights of all heads -------------------------------------------------------------------------


def test_cross_weights_are_those_of_each_pair_alone_in_the_order_of_the_pairs():
    model = tiny().train()
    sources, targets = [p.source for p in PAIRS], [p.target for p in PAIRS]
    found = cross_weights(model, sources, targets, batch_size=3)
    assert model.training  # put back
    for p, weights in zip(PAIRS, found, strict=True):
        src = torch.tensor([SRC.encode(p.source, eos=True)])
        tgt = torch.tensor([TGT.encode(p.target, bos=True)])
        shown = model(src, tgt, weights=True).cross_weights
        expected = torch.stack(shown)[:, 0].detach().double().numpy()
        assert weights.shape == (2, 2, len(p.target) + 1, len(p.source) + 1)
        np.testing.assert_allclose(weights, expected, atol=1e-6)
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-6)


def test_cross_weights_of_nothing_and_of_unequal_numbers():
    assert cross_weights(tiny(), [], []) == []
    with pytest.raises(ValueError, match="1 targets for 2 sources, expected as many"):
        cross_weights(tiny(), [["a"], ["b"]], [["p"]])


def test_cross_weights_leave_dropout_out():
    with seeded(0):
        model = Transformer(SRC, TGT, d_model=8, n_heads=2, d_ff=6, n_layers=1, dropout=0.5)
    first, second = (cross_weights(model.train(), [["a", "b"]], [["p"]]) for _ in range(2))
    assert np.array_equal(first[0], second[0])


# --- pruning --------------------------------------------------------------------------------------


def test_names_of_the_heads():
    found = list(heads_of(tiny(n_heads=2, n_layers=3)))
    assert found == [
        (side, layer, name, head)
        for side, name in SHAPES
        for layer in range(3)
        for head in range(2)
    ]


def zeroed(model, heads):
    """The model with the bands of W_o of these heads set to zero, in place."""
    with torch.no_grad():
        for side, layer, name, head in heads:
            attention = getattr(getattr(model, side)[layer], name)
            size = attention.d_v
            attention.W_o[head * size : (head + 1) * size] = 0
    return model


def logits(model):
    src = torch.tensor([SRC.encode(list(words), eos=True) for words in ("abcd", "hgfe")])
    tgt = torch.tensor([TGT.encode(list(words), bos=True) for words in ("pqr", "wvu")])
    with torch.no_grad():
        return model.eval()(src, tgt).logits


@given(st.data())
@settings(LAW, max_examples=15)
def test_without_heads_is_the_model_with_their_outputs_set_to_zero(data):
    model = tiny()
    names = list(heads_of(model))
    gone = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=8, unique=True))
    before = logits(model)
    pruned = without(model, gone)
    assert torch.equal(logits(model), before)  # a copy was pruned
    torch.testing.assert_close(logits(pruned), logits(zeroed(model, gone)), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(logits(pruned), before, atol=1e-4)
    left = [head for head in names if head not in gone]
    whole = {head[:3] for head in left}
    counted = [head for head in heads_of(pruned) if head[:3] in whole]
    assert len(counted) == len(left)


def test_an_attention_without_any_head_gives_its_bias():
    model = tiny()
    gone = [head for head in heads_of(model) if head[:3] == ("decoder", 1, "cross_attention")]
    attention = without(model, gone).decoder[1].cross_attention
    outputs = attention(torch.randn(2, 3, 8), torch.randn(2, 4, 8)).outputs
    assert torch.equal(outputs, attention.b_o.expand(2, 3, 8))
    assert attention.b_o.abs().sum() > 0
    assert (model.decoder[1].cross_attention.W_o != 0).any()


def test_pruning_measures_each_head_and_then_the_cheapest_together(monkeypatch):
    monkeypatch.setattr(_heads, "STEPS", (2, 5, 12, 40))
    model = tiny()
    validation, test = PAIRS[:3], PAIRS
    # references that the smaller models can hit: what the model without two heads says
    names = list(heads_of(model))
    costs = {head: model_perplexity(zeroed(tiny(), [head]), validation) for head in names}
    order = sorted(names, key=costs.get)
    smaller = zeroed(tiny(), order[:2])
    said = [found.words for found in translate(smaller, [p.source for p in test])]
    answers = [
        Pair(p.source, p.target, (tuple(words),), p.sure, p.possible, ())
        for p, words in zip(test, said, strict=True)
    ]
    found = pruning(model, validation, answers)
    for side, layer, name, head in names:
        value = found[f"without_{side}_{layer + 1}_{name}_{head + 1}"]
        assert value == pytest.approx(costs[side, layer, name, head], rel=1e-5)
    assert found["exact_without_2"] == 1
    other = zeroed(tiny(), order[:5])
    now = [one.words for one in translate(other, [p.source for p in test])]
    share = np.mean([tuple(a) == tuple(b) for a, b in zip(now, said, strict=True)])
    assert found["exact_without_5"] == pytest.approx(share)
    assert share < 1
    # 12 heads are all there are: nothing to measure
    assert set(found) == {
        *(f"without_{s}_{k + 1}_{n}_{h + 1}" for s, k, n, h in names),
        "exact_without_2",
        "exact_without_5",
    }


# --- what the stored runs promise the page --------------------------------------------------------


def test_rows_with_other_numbers_of_heads_differ_in_nothing_else():
    rows = transformer.EXPERIMENT.rows
    for seed in (0, 1, 2):
        plain = rows[f"plain, seed {seed}"]
        for name, count in (("1 head", 1), ("8 heads", 8)):
            assert rows[f"{name}, seed {seed}"] == {**plain, "n_heads": count}
