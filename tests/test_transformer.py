"""The whole Transformer: equal to torch's, its laws in training and evaluation, and that it learns.

Heads are tested by test_multi_head.py, positions by test_positions.py, the cache by
test_transformer_cache.py.
"""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from softalign.encoder_decoder import translation_loss
from softalign.interfaces import Stepper, Translator
from softalign.masking import causal_mask, lengths_mask
from softalign.positions import KINDS, Positions, make_positions
from softalign.search import greedy
from softalign.text import Batch, Vocabulary, pad
from softalign.training import fit, seeded
from softalign.transformer import (
    DecoderLayer,
    EncoderLayer,
    MultiHeadAttention,
    PositionwiseNetwork,
    Sublayer,
    Transformer,
    cross_weights,
)

LAW = settings(derandomize=True, deadline=None, max_examples=10)
SRC, TGT = (Vocabulary.from_training([list(words)]) for words in ("abcdef", "pqrs"))
SEEDS = st.integers(0, 10_000)
SHAPES = st.fixed_dictionaries(
    {
        "positions": st.sampled_from(KINDS),
        "norm": st.sampled_from(["pre", "post", "none"]),
        "n_layers": st.integers(1, 2),
        "scaled": st.booleans(),
        "residual": st.booleans(),
        "tied": st.booleans(),
    }
)
SIZES = {"d_model": 8, "n_heads": 2, "d_ff": 12, "n_layers": 2}


def tiny(seed=0, **options):
    """A small model in double precision, no parameter of which is 0 or 1."""
    with seeded(seed):
        model = Transformer(SRC, TGT, **{**SIZES, **options}).double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def batch(seed, src_lengths=(5, 2, 4), tgt=4):
    """Ids of sources with padding behind, of targets, and the mask of the sources."""
    generator = torch.Generator().manual_seed(seed)
    src = torch.randint(4, len(SRC), (len(src_lengths), max(src_lengths)), generator=generator)
    mask = lengths_mask(torch.tensor(src_lengths))
    words = torch.randint(4, len(TGT), (len(src_lengths), tgt), generator=generator)
    words[:, 0] = TGT.bos_id
    return src.masked_fill(~mask, SRC.pad_id), words, mask


def close(found, expected, tolerance=1e-9):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


# --- the parts, by hand ---------------------------------------------------------------------------


def test_position_wise_network_by_hand():
    network = PositionwiseNetwork(2, 3)
    with torch.no_grad():
        network.W_1.copy_(torch.tensor([[1.0, 0, -1], [0, 2, 1]]))
        network.b_1.copy_(torch.tensor([0.0, -1, 0.5]))
        network.W_2.copy_(torch.tensor([[1.0, 2], [3, 4], [5, 6]]))
        network.b_2.copy_(torch.tensor([0.25, -0.25]))
    # (1, 2): hidden (1, 3, 1.5); (1, 0): hidden (1, 0, 0), two units are cut off
    found = network(torch.tensor([[[1.0, 2], [1, 0]]]))
    close(found, torch.tensor([[[17.75, 22.75], [1.25, 1.75]]]), 1e-6)


@given(SEEDS)
@LAW
def test_position_wise_network_does_the_same_at_each_position_alone(seed):
    with seeded(seed):
        network, inputs = PositionwiseNetwork(3, 5).double(), torch.randn(2, 4, 3).double()
        torch.nn.init.normal_(network.b_1)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    close(network(inputs[:, order]), network(inputs)[:, order])
    changed = inputs.clone()
    changed[:, 2] += 1
    where = (network(changed) != network(inputs)).any(dim=-1)
    assert where.tolist() == [[False, False, True, False]] * 2


@pytest.mark.parametrize("norm", ["pre", "post", "none"])
@pytest.mark.parametrize("residual", [True, False])
def test_a_sublayer_is_its_formula(norm, residual):
    with seeded(1):
        around, x = Sublayer(4, norm=norm, residual=residual), torch.randn(2, 3, 4)
        if norm != "none":
            nn.init.normal_(around.norm.weight)
            nn.init.normal_(around.norm.bias)

    def normalised(vector):
        if norm == "none":
            return vector
        mean = vector.mean(-1, keepdim=True)
        variance = ((vector - mean) ** 2).mean(-1, keepdim=True)  # divided by 4, not by 3
        return (vector - mean) / (variance + 1e-5).sqrt() * around.norm.weight + around.norm.bias

    def f(vector):
        return vector.cumsum(-1) - 2

    kept = x if residual else 0
    expected = {
        "pre": lambda: kept + f(normalised(x)),
        "post": lambda: normalised(kept + f(x)),
        "none": lambda: kept + f(x),
    }[norm]()
    close(around(x, f), expected, 1e-5)


def test_dropout_falls_on_what_is_added_in_training_only():
    around = Sublayer(1000, norm="none", dropout=0.25)
    x = torch.full((1, 1, 1000), 5.0)
    with seeded(0):
        found = around(x, torch.ones_like)[0, 0]
    dropped = (found == 5).float().mean()
    assert 0.2 < dropped < 0.3
    close(found[found != 5].unique(), torch.tensor([5 + 1 / 0.75]))
    assert (around.eval()(x, torch.ones_like) == 6).all()


def test_dropout_reaches_embeddings_and_every_sublayer():
    model = tiny(dropout=0.9)
    parts = [model.dropout, *(m.dropout for m in model.modules() if isinstance(m, Sublayer))]
    assert [part.p for part in parts] == [0.9] * (1 + 2 * 2 + 2 * 3)
    src, tgt, mask = batch(0)
    still = model.eval()(src, tgt, mask).logits
    close(model(src, tgt, mask).logits, still, 0)
    model.train()
    assert not torch.equal(model(src, tgt, mask).logits, model(src, tgt, mask).logits)
    for part in parts:
        part.p = 0.0
    close(model(src, tgt, mask).logits, still)
    for part in parts:  # each of them alone
        part.p = 0.9
        assert not torch.allclose(model(src, tgt, mask).logits, still)
        part.p = 0.0


# --- equal to torch -------------------------------------------------------------------------------


def copied_attention(ours, theirs):
    with torch.no_grad():
        ours.W_qkv.copy_(theirs.in_proj_weight.T)
        ours.b_qkv.copy_(theirs.in_proj_bias)
        ours.W_o.copy_(theirs.out_proj.weight.T)
        ours.b_o.copy_(theirs.out_proj.bias)


def copied_layer(ours, theirs, *, decoder):
    copied_attention(ours.attention, theirs.self_attn)
    norms = [ours.around_attention.norm, ours.around_network.norm]
    if decoder:
        copied_attention(ours.cross_attention, theirs.multihead_attn)
        norms.insert(1, ours.around_cross.norm)
    with torch.no_grad():
        ours.network.W_1.copy_(theirs.linear1.weight.T)
        ours.network.b_1.copy_(theirs.linear1.bias)
        ours.network.W_2.copy_(theirs.linear2.weight.T)
        ours.network.b_2.copy_(theirs.linear2.bias)
    for number, norm in enumerate(norms, start=1):
        norm.load_state_dict(getattr(theirs, f"norm{number}").state_dict())


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("training", [True, False])
def test_outputs_and_gradients_are_those_of_torch(norm, training):
    with seeded(0):
        theirs = nn.Transformer(8, 2, 2, 2, 12, 0.0, batch_first=True, norm_first=norm == "pre")
        for parameter in theirs.parameters():  # biases are 0 and gains 1 at first
            nn.init.normal_(parameter, std=0.5)
    theirs = theirs.double()
    ours = tiny(norm=norm, positions="none")
    for one, other in zip(ours.encoder, theirs.encoder.layers, strict=True):
        copied_layer(one, other, decoder=False)
    for one, other in zip(ours.decoder, theirs.decoder.layers, strict=True):
        copied_layer(one, other, decoder=True)
    if norm == "pre":
        ours.encoder_norm.load_state_dict(theirs.encoder.norm.state_dict())
        ours.decoder_norm.load_state_dict(theirs.decoder.norm.state_dict())
    else:  # torch normalises once more behind the last layer, which the paper does not
        theirs.encoder.norm = theirs.decoder.norm = None
    ours.train(training), theirs.train(training)
    src, tgt, mask = batch(3)
    found = ours(src, tgt, mask).states
    expected = theirs(
        ours.src_embedding(src) * math.sqrt(8),
        ours.tgt_embedding(tgt) * math.sqrt(8),
        tgt_mask=~causal_mask(4),
        src_key_padding_mask=~mask,
        memory_key_padding_mask=~mask,
    )
    close(found, expected)
    with seeded(9):
        weighting = torch.randn_like(found)
    tables = (ours.src_embedding.weight, ours.tgt_embedding.weight)
    mine = torch.autograd.grad(
        (found * weighting).sum(),
        [*tables, ours.encoder[0].attention.W_qkv, ours.decoder[1].network.W_1],
    )
    torchs = torch.autograd.grad(
        (expected * weighting).sum(),
        [
            *tables,
            theirs.encoder.layers[0].self_attn.in_proj_weight,
            theirs.decoder.layers[1].linear1.weight,
        ],
    )
    for one, other in zip(mine, [*torchs[:2], torchs[2].T, torchs[3].T], strict=True):
        close(one, other, 1e-8)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("residual", [True, False])
def test_a_whole_model_by_its_parts(norm, residual):
    """One layer each, put together here from the parts, in the order of the paper's figure."""
    model = tiny(n_layers=1, positions="sinusoidal", norm=norm, residual=residual)
    src, tgt, mask = batch(5)
    seen = mask[:, None, None]

    def embed(ids, table):
        places = torch.arange(ids.shape[1])[:, None] / 10000 ** (torch.arange(0, 8, 2) / 8)
        wave = torch.stack([places.sin(), places.cos()], dim=-1).flatten(1)
        return table.weight[ids] * math.sqrt(8) + wave

    def ln(part, vector):
        return functional.layer_norm(vector, (8,), part.weight, part.bias)

    def framed(around, vector, f):
        kept = vector if residual else 0
        if norm == "pre":
            return kept + f(ln(around.norm, vector))
        return ln(around.norm, kept + f(vector))

    encoder, decoder = model.encoder[0], model.decoder[0]
    x = embed(src, model.src_embedding)
    x = framed(encoder.around_attention, x, lambda z: encoder.attention(z, None, seen).outputs)
    x = framed(encoder.around_network, x, encoder.network)
    x = ln(model.encoder_norm, x) if norm == "pre" else x
    future = causal_mask(4)
    y = embed(tgt, model.tgt_embedding)
    y = framed(decoder.around_attention, y, lambda z: decoder.attention(z, None, future).outputs)
    y = framed(decoder.around_cross, y, lambda z: decoder.cross_attention(z, x, seen).outputs)
    y = framed(decoder.around_network, y, decoder.network)
    y = ln(model.decoder_norm, y) if norm == "pre" else y
    found = model(src, tgt, mask)
    close(model.encode(src, mask).outputs, x, 1e-6)
    close(found.states, y, 1e-6)
    close(found.logits, y @ model.tgt_embedding.weight.T + model.output.bias, 1e-6)


def test_scores_that_are_not_scaled_are_those_of_queries_as_much_larger():
    """All three attentions are told so: with queries divided by the root, nothing is to be seen."""
    plain, bare = tiny(scaled=True, positions="none"), tiny(scaled=False, positions="none")
    given_ = batch(2)
    assert not torch.allclose(plain(*given_).logits, bare(*given_).logits)
    with torch.no_grad():
        for part in bare.modules():
            if isinstance(part, MultiHeadAttention):
                part.W_qkv[:, :8] /= math.sqrt(4)  # heads of 4 components
                part.b_qkv[:8] /= math.sqrt(4)
    close(plain(*given_).logits, bare(*given_).logits)


# --- laws, in training and in evaluation ----------------------------------------------------------


@given(SEEDS, SHAPES, st.booleans(), st.booleans(), st.integers(0, 3))
@LAW
def test_nobody_sees_the_future_in_training_and_in_evaluation(
    seed, shape, training, weights, place
):
    model = tiny(seed, **shape).train(training)
    src, tgt, mask = batch(seed)
    other = tgt.clone()
    other[:, place] = 4 + (tgt[:, place] - 3) % (len(TGT) - 4)
    assert (other[:, place] != tgt[:, place]).all()
    encoded = model.encode(src, mask)
    one, two = (model.decode(encoded, words, weights=weights).logits for words in (tgt, other))
    assert torch.equal(one[:, :place], two[:, :place])
    if model.decoder[0].around_attention.residual:  # else a mixture of equals may hide it
        assert (one[:, place] != two[:, place]).any()


@given(SEEDS, SHAPES, st.booleans())
@LAW
def test_a_padded_pair_gets_in_a_batch_what_it_gets_alone(seed, shape, weights):
    model = tiny(seed, **shape)
    src, tgt, mask = batch(seed)
    read = model.encode(src, mask, weights=weights)
    found = model.decode(read, tgt, weights=weights)
    for row, length in enumerate(mask.sum(1).tolist()):
        alone = model.encode(src[row : row + 1, :length], weights=weights)
        close(read.outputs[row : row + 1, :length], alone.outputs)
        close(found.logits[row : row + 1], model.decode(alone, tgt[row : row + 1]).logits)
        padded = functional.pad(tgt[row : row + 1], (0, 2), value=TGT.pad_id)
        close(model.decode(alone, padded).logits[:, :4], found.logits[row : row + 1])


@given(SEEDS, SHAPES)
@LAW
def test_what_stands_in_padding_does_not_matter(seed, shape):
    model = tiny(seed, **shape)
    src, tgt, mask = batch(seed)
    other = src.masked_fill(~mask, 5)
    assert torch.equal(model(src, tgt, mask).logits, model(other, tgt, mask).logits)
    assert not torch.equal(model(src, tgt).logits, model(other, tgt).logits)


@given(SEEDS, SHAPES)
@LAW
def test_fused_attention_and_explicit_weights_give_the_same(seed, shape):
    model = tiny(seed, **shape)
    src, tgt, mask = batch(seed)
    read, shown = model.encode(src, mask), model.encode(src, mask, weights=True)
    close(read.outputs, shown.outputs)
    assert read.weights is None
    fused, explicit = model.decode(read, tgt), model.decode(read, tgt, weights=True)
    close(fused.logits, explicit.logits)
    assert fused.self_weights is None
    assert fused.cross_weights is None
    for kept, size in ((shown.weights, 5), (explicit.cross_weights, 5)):
        assert len(kept) == shape["n_layers"]
        for table in kept:
            close(table.sum(-1), torch.ones_like(table[..., 0]))
            assert (table * ~mask[:, None, None]).abs().max() == 0
            assert table.shape[-1] == size
    for table in explicit.self_weights:
        assert (table.triu(1) == 0).all()
        close(table.sum(-1), torch.ones_like(table[..., 0]))


@given(SEEDS)
@LAW
def test_without_positions_the_encoder_is_equivariant_and_with_them_not(seed):
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    src, tgt, _ = batch(seed, (5, 5))
    bag = tiny(seed, positions="none")
    close(bag.encode(src[:, order]).outputs, bag.encode(src).outputs[:, order])
    close(bag(src[:, order], tgt).logits, bag(src, tgt).logits)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_each_kind_of_positions_reaches_encoder_and_decoder(kind):
    model, bag = tiny(positions=kind), tiny(positions="none")
    bag.load_state_dict(model.state_dict(), strict=False)
    src, tgt, _ = batch(0, (5, 5))
    turned = model.encode(src.roll(1, 1)).outputs.roll(-1, 1)  # a linear bias knows no direction
    assert not torch.allclose(turned, model.encode(src).outputs)
    encoded = model.encode(src)
    there = model.decode(encoded, tgt).logits
    assert not torch.allclose(there[:, 1:], bag.decode(encoded, tgt).logits[:, 1:])


@pytest.mark.parametrize("positions", ["learned", "learned bias"])
def test_the_source_is_read_and_each_parameter_matters(positions):
    model = tiny(positions=positions, max_length=5)
    src, tgt, mask = batch(0)
    before = model(src, tgt, mask).logits
    assert not torch.allclose(model(src.flip(0), tgt, mask.flip(0)).logits, before)
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            parameter.mul_(1.5)
            moved = not torch.allclose(model(src, tgt, mask).logits, before, atol=1e-7)
            parameter.div_(1.5)
        assert moved, name


def test_another_mask_lets_the_decoder_see_what_it_is_to_write():
    model = tiny()
    src, tgt, mask = batch(0)
    encoded, everything = model.encode(src, mask), torch.ones(4, 4, dtype=torch.bool)
    other = tgt.clone()
    other[:, 3] = 4 + (tgt[:, 3] - 3) % (len(TGT) - 4)
    one, two = (model.decode(encoded, words, everything).logits for words in (tgt, other))
    assert (one[:, 0] != two[:, 0]).any()
    causal = model.decode(encoded, tgt, causal_mask(4)).logits
    assert torch.equal(causal, model.decode(encoded, tgt).logits)


def test_nothing_that_is_given_is_changed():
    model = tiny()
    given_ = batch(0)
    kept = [part.clone() for part in given_]
    encoded = model.encode(given_[0], given_[2])
    outputs = encoded.outputs.clone()
    model.decode(encoded, given_[1], weights=True).logits.sum().backward()
    assert all(torch.equal(one, other) for one, other in zip(given_, kept, strict=True))
    assert torch.equal(encoded.outputs, outputs)


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("norm", "norms"), [("pre", 12), ("post", 10), ("none", 0)])
def test_number_of_parameters(tied, norm, norms):
    model = Transformer(SRC, TGT, **SIZES, tied=tied, norm=norm)
    d, d_ff, src, tgt = 8, 12, len(SRC), len(TGT)
    attention, network = 4 * (d * d + d), d * d_ff + d_ff + d_ff * d + d
    expected = 2 * (attention + network) + 2 * (2 * attention + network) + norms * 2 * d
    expected += src * d + (1 if tied else 2) * tgt * d + tgt
    assert sum(p.numel() for p in model.parameters()) == expected


def test_a_tied_output_is_the_target_embedding():
    model = tiny(tied=True)
    assert model.output.weight is model.tgt_embedding.weight
    assert tiny(tied=False).output.weight is not tiny(tied=False).tgt_embedding.weight


def test_parameters_begin_as_they_should():
    sizes = {"d_model": 256, "n_heads": 4, "d_ff": 300, "n_layers": 1}
    with seeded(0):
        model = Transformer(SRC, TGT, **sizes)
        untied = Transformer(SRC, TGT, **sizes, tied=False)
    for table in (model.src_embedding, model.tgt_embedding, untied.tgt_embedding):
        assert table.weight.detach().std().item() == pytest.approx(1 / 16, rel=0.06)
    assert model.output.bias.eq(0).all()
    network = model.encoder[0].network
    for W, inputs_and_outputs in (
        (network.W_1, 556),
        (network.W_2, 556),
        (untied.output.weight, 256 + len(TGT)),
    ):
        limit = math.sqrt(6 / inputs_and_outputs)
        assert 0.97 * limit < W.detach().abs().max() <= limit
    assert network.b_1.eq(0).all()
    assert network.b_2.eq(0).all()


def without_layers(**options):
    """A model in which the layers add nothing."""
    model = tiny(n_layers=1, norm="none", **options)
    for layer in (model.encoder[0], model.decoder[0]):
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    return model


def test_embeddings_are_multiplied_by_the_root_of_their_size():
    model = without_layers(positions="none")
    src, tgt, _ = batch(0)
    close(model.encode(src).outputs, math.sqrt(8) * model.src_embedding(src))
    close(model(src, tgt).states, math.sqrt(8) * model.tgt_embedding(tgt))


def test_dropout_falls_on_embedding_and_position_together():
    model = without_layers(positions="sinusoidal", dropout=0.5)
    src, tgt, _ = batch(0)
    whole = model.eval()(src, tgt).states
    with seeded(0):
        found = model.train()(src, tgt).states
    assert 0.3 < (found == 0).double().mean() < 0.7
    close(found, torch.where(found == 0, 0, 2 * whole))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"n_layers": 0}, "n_layers is 0, expected 1 or more"),
        ({"n_heads": 3}, "8 components cannot be divided among 3 heads"),
        ({"positions": "circular"}, "there are no positions 'circular'"),
    ],
)
def test_what_does_not_fit_is_said(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        Transformer(SRC, TGT, **{**SIZES, **options})


def test_a_norm_that_there_is_not_is_said_where_no_types_are_checked():
    """While the tests run, jaxtyping is faster; a user does not have it."""
    program = "from softalign.transformer import Sublayer; Sublayer(8, norm='after')"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = found.stderr.strip().splitlines()[-1]
    assert last == "ValueError: norm is 'after', expected 'pre', 'post' or 'none'"


def test_a_sentence_beyond_the_learned_positions_is_refused():
    model = tiny(positions="learned", max_length=4)
    src, tgt, mask = batch(0)
    with pytest.raises(ValueError, match="4"):
        model(src, tgt, mask)
    close(model(src[:, :4], tgt, mask[:, :4]).logits, model(src[:, :4], tgt, mask[:, :4]).logits)


# --- devices and precision ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [True, False])
def test_nothing_is_made_on_another_device(kind, weights):
    model = Transformer(SRC, TGT, **SIZES, positions=kind).to("meta")
    src, tgt, mask = (part.to("meta") for part in batch(0))
    found = model(src, tgt, mask, weights=weights)
    assert found.logits.device.type == "meta"
    assert found.logits.shape == (3, 4, len(TGT))
    assert model(src, tgt).logits.device.type == "meta"


def test_offsets_are_counted_on_the_device_of_the_sentence():
    """A bias would be carried over from another one, at every call."""
    counted = []

    class Spy(Positions):
        def bias(self, tgt, src):
            counted.extend([tgt.device.type, src.device.type])

    model = Transformer(SRC, TGT, **SIZES, positions="none")
    model.src_positions, model.tgt_positions = Spy(), Spy()
    src, tgt, mask = (part.to("meta") for part in batch(0))
    model.to("meta")(src, tgt, mask)
    assert counted == 4 * ["meta"]


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_by_autocast(kind):
    model = tiny(positions=kind).float()
    src, tgt, mask = batch(0)
    exact = model(src, tgt, mask).logits
    with torch.autocast("cpu", torch.bfloat16):
        fused, explicit = (model(src, tgt, mask, weights=w).logits for w in (False, True))
        fused.float().sum().backward()
    assert fused.dtype == explicit.dtype == torch.bfloat16
    assert 0 < (fused.float() - exact).abs().max() < 0.05 * exact.abs().max()
    close(fused.float(), explicit.float(), 0.05 * exact.abs().max().item())
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


# --- weights of the cross-attention ---------------------------------------------------------------


WORDS = ["abcf", "d", "efab", "c"], ["pq", "rspq", "s", ""]


def test_cross_weights_are_those_of_one_pass_over_each_pair():
    model = tiny(dropout=0.5).train()
    sources, targets = ([list(words) for words in side] for side in WORDS)
    found = cross_weights(model, sources, targets)
    assert model.training
    model.eval()
    for source, target, table in zip(sources, targets, found, strict=True):
        src = torch.tensor([SRC.encode(source, eos=True)])
        tgt = torch.tensor([TGT.encode(target, bos=True)])
        shown = model(src, tgt, weights=True).cross_weights
        assert table.shape == (2, 2, len(target) + 1, len(source) + 1)
        close(torch.as_tensor(table), torch.cat(shown).detach())
        close(torch.as_tensor(table.sum(-1)), torch.ones(table.shape[:-1]).double())
    for size in (1, 2, 7):
        again = cross_weights(model, sources, targets, batch_size=size)
        assert not model.training
        for one, other in zip(found, again, strict=True):
            close(torch.as_tensor(one), torch.as_tensor(other))


def test_cross_weights_of_nothing_and_of_sides_that_do_not_fit():
    model = tiny()
    assert cross_weights(model, [], []) == []
    with pytest.raises(ValueError, match="1 targets for 2 sources, expected as many"):
        cross_weights(model, [["a"], ["b"]], [["p"]])


# --- interfaces and learning ----------------------------------------------------------------------


def test_it_is_a_stepper_and_a_translator():
    model = tiny()
    assert isinstance(model, Stepper)
    assert isinstance(model, Translator)
    assert (model.bos_id, model.eos_id) == (TGT.bos_id, TGT.eos_id)
    assert set(model.never) == {TGT.pad_id, TGT.bos_id, TGT.unk_id}


def test_it_learns_a_handful_of_sentences_and_writes_them():
    """Sources that differ in their order only; a bag of words could not do it."""
    pairs = [("abc", "pqr"), ("cba", "rs"), ("bac", "sqp"), ("ab", "r"), ("ba", "qq")]
    sources = [SRC.encode(list(source), eos=True) for source, _ in pairs]
    targets = [TGT.encode(list(target), bos=True, eos=True) for _, target in pairs]
    (src, src_lengths), (tgt, tgt_lengths) = pad(sources), pad(targets)
    index = np.arange(len(pairs))
    one = Batch(src, src_lengths, tgt, tgt_lengths, index)

    def learnt(positions, steps):
        with seeded(0):
            model = Transformer(
                SRC, TGT, d_model=16, n_heads=2, d_ff=32, n_layers=1, positions=positions
            )
        history = fit(
            model,
            lambda step: one,
            translation_loss,
            steps=steps,
            learning_rate=0.02,
            seed=0,
            progress=False,
        )
        written = [TGT.decode(found.ids) for found in greedy(model, sources, max_length=6)]
        return history.losses, written

    losses, written = learnt("sinusoidal", 80)
    assert losses[0] > 1.5
    assert losses[-1] < 0.02
    assert written == [list(target) for _, target in pairs]
    _, bag = learnt("none", 20)
    assert bag[0] == bag[1] == bag[2]
    with seeded(0):
        model = Transformer(SRC, TGT, d_model=16, n_heads=2, d_ff=32, n_layers=1)
    assert [TGT.decode(h.ids) for h in greedy(model, sources, max_length=6)] != written


def test_layers_stand_alone():
    """A layer can be used outside the model, and its mask is the book's."""
    with seeded(0):
        encoder, decoder = EncoderLayer(8, 2, 12), DecoderLayer(8, 2, 12)
        inputs, memory = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    positions = make_positions("none", d_model=8, n_heads=2)
    stream, shown = encoder(inputs, None, positions, weights=True)
    assert stream.shape == (2, 3, 8)
    assert shown.shape == (2, 2, 3, 3)
    mask = lengths_mask(torch.tensor([5, 2]))[:, None, None]
    kept = decoder.cross_attention.keys_values(memory)
    read = decoder(inputs, causal_mask(3), kept, mask, positions, weights=True)
    assert read.cross_weights.shape == (2, 2, 3, 5)
    assert (read.cross_weights[1, :, :, 2:] == 0).all()
    assert (read.self_weights.triu(1) == 0).all()
    assert read.cache.keys.shape == (2, 2, 3, 4)
