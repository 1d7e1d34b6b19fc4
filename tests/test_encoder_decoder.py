"""The encoder-decoder: a slow transcription, the laws of padding, of causality and of a stepper."""

from __future__ import annotations

import copy
import itertools
import math
import re
from typing import NamedTuple

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from softalign.attention import AdditiveScore, DotScore, GeneralScore
from softalign.corpus import Pair
from softalign.encoder_decoder import (
    EncoderDecoder,
    FixedContext,
    SoftAttention,
    align,
    last_hidden,
    translation_batches,
    translation_loss,
    vocabularies,
)
from softalign.gru import GRU
from softalign.interfaces import Stepper, Translator
from softalign.lstm import LSTM, LSTMState
from softalign.masking import lengths_mask
from softalign.metrics import perplexity
from softalign.rnn import RNN
from softalign.search import force, greedy, translate
from softalign.stacks import Bidirectional, Stacked
from softalign.text import Vocabulary, pad
from softalign.training import fit, seeded, stepwise

LAW = settings(derandomize=True, deadline=None, max_examples=20)
CELLS = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
READERS = ("none", "fixed", "additive", "general", "dot", "unscaled", "current")
ATTENTIVE = READERS[2:]
SRC, TGT = (Vocabulary.from_training([list(words)]) for words in ("abcde", "pqrstu"))
src_sentences, tgt_sentences = (
    st.lists(st.sampled_from(words), min_size=0, max_size=5) for words in ("abcdeX", "pqrstuX")
)
pair_lists = st.lists(st.tuples(src_sentences, tgt_sentences), min_size=1, max_size=4)
seeds = st.integers(0, 10**6)


class Spec(NamedTuple):
    """What a model is made of."""

    cell: str = "gru"
    reader: str = "none"
    directions: int = 1
    depth: int = 1
    context_size: int | None = None
    reverse: bool = False
    dropout: float = 0.0
    seed: int = 0


EVERY = [
    Spec(cell, reader, directions, depth, context_size, reverse)
    for number, (cell, reader, directions, depth, context_size) in enumerate(
        itertools.product(CELLS, READERS, (1, 2), (1, 2), (None, 3))
    )
    for reverse in [number % 3 == 0]
]
specs = st.builds(
    Spec,
    st.sampled_from(sorted(CELLS)),
    st.sampled_from(READERS),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2]),
    st.sampled_from([None, 3]),
    st.booleans(),
    st.just(0.0),
    seeds,
)
attentive = specs.map(lambda spec: spec._replace(reader=ATTENTIVE[spec.seed % len(ATTENTIVE)]))


def layers(cell: str, sizes: list[int], directions: int) -> nn.Module:
    """One recurrent layer, or a stack of them."""
    made = []
    for number, (read, hidden) in enumerate(itertools.pairwise(sizes)):
        read = read if number == 0 else read * directions
        parts = [CELLS[cell](read, hidden) for _ in range(directions)]
        made.append(parts[0] if directions == 1 else Bidirectional(*parts))
    return made[0] if len(made) == 1 else Stacked(made)


def build(spec: Spec) -> EncoderDecoder:
    """A small model in float64, all its parameters drawn wide."""
    memory = 3 * spec.directions
    hidden = memory if spec.reader in ("dot", "unscaled", "general") else 5
    readers = {
        "none": lambda: None,
        "fixed": lambda: FixedContext(spec.context_size or memory),
        "additive": lambda: SoftAttention(AdditiveScore(hidden, memory, 4), memory),
        "general": lambda: SoftAttention(GeneralScore(hidden, memory), memory),
        "dot": lambda: SoftAttention(DotScore(), memory),
        "unscaled": lambda: SoftAttention(DotScore(scaled=False), memory),
        "current": lambda: SoftAttention(GeneralScore(hidden, memory), memory, query="current"),
    }
    with seeded(spec.seed):
        reader = readers[spec.reader]()
        fed = 0 if reader is None or reader.query == "current" else reader.output_size
        model = EncoderDecoder(
            SRC,
            TGT,
            layers(spec.cell, [2] + [3] * spec.depth, spec.directions),
            layers(spec.cell, [4 + fed] + [hidden] * spec.depth, 1),
            embedding_size=4,
            reader=reader,
            context_size=spec.context_size,
            reverse=spec.reverse,
            dropout=spec.dropout,
        ).double()
        for parameter in model.parameters():
            nn.init.normal_(parameter, std=0.7)
    return model


def source_ids(pairs) -> list[list[int]]:
    return [SRC.encode(source, eos=True) for source, _ in pairs]


def target_ids(pairs) -> list[list[int]]:
    return [TGT.encode(target, bos=True) for _, target in pairs]


def padded(sequences) -> tuple[torch.Tensor, torch.Tensor]:
    ids, lengths = pad(sequences)
    return torch.tensor(ids), lengths_mask(lengths, ids.shape[1])


def as_pairs(pairs) -> list[Pair]:
    """Pairs of the corpus's form; the second reference must not matter."""
    return [
        Pair(tuple(s), tuple(t), (tuple(t), ("p", "other")), frozenset(), frozenset(), ())
        for s, t in pairs
    ]


def flat(state) -> list[torch.Tensor]:
    """All tensors of a state."""
    if state is None:
        return []
    return [state] if isinstance(state, torch.Tensor) else [t for part in state for t in flat(part)]


def close(a, b) -> bool:
    a, b = (torch.as_tensor(numbers, dtype=torch.float64) for numbers in (a, b))
    return a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=1e-11)


# --- a slow transcription: one example, one step, one formula at a time ---------------------------


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def cell_step(layer, x, state):
    """One step of one example in numpy; a state is (hidden, cell or None)."""
    h, c = state
    w = {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}
    n = layer.output_size
    if isinstance(layer, RNN):
        return np.tanh(x @ w["W_xh"] + h @ w["W_hh"] + w["b_h"]), None
    blocks = [slice(k * n, (k + 1) * n) for k in range(4)]
    if isinstance(layer, GRU):
        from_x = [x @ w["W_xh"][:, b] + w["b_x"][b] for b in blocks[:3]]
        from_h = [h @ w["W_hh"][:, b] + w["b_h"][b] for b in blocks[:3]]
        r, u = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        return u * h + (1 - u) * np.tanh(from_x[2] + r * from_h[2]), None
    i, f, g, o = (x @ w["W_xh"][:, b] + h @ w["W_hh"][:, b] + w["b"][b] for b in blocks)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def read(layer, xs):
    """What an encoder puts out at each position, and what it remembers at its end."""
    if isinstance(layer, Stacked):
        for part in layer.layers:
            xs, last = read(part, xs)
        return xs, last
    if isinstance(layer, Bidirectional):
        ahead, last = read(layer.forward_layer, xs)
        turned, first = read(layer.backward_layer, xs[::-1])
        joined = [np.concatenate(two) for two in zip(ahead, turned[::-1], strict=True)]
        return joined, np.concatenate([last, first])
    state, found = (np.zeros(layer.output_size), np.zeros(layer.output_size)), []
    for x in xs:
        state = cell_step(layer, x, state)
        found.append(state[0])
    return found, state[0]


def score(reader, query, key):
    w = {name: parameter.detach().numpy() for name, parameter in reader.score.named_parameters()}
    if isinstance(reader.score, AdditiveScore):
        return np.tanh(query @ w["W_q"] + key @ w["W_k"]) @ w["w_a"]
    if isinstance(reader.score, GeneralScore):
        return query @ w["W"] @ key
    return query @ key / (math.sqrt(len(key)) if reader.score.scaled else 1)


def look(reader, query, memory, summary):
    """The context of one step, and its weights."""
    if isinstance(reader, FixedContext):
        return summary, None
    powers = np.exp([score(reader, query, key) for key in memory])
    weights = powers / powers.sum()
    return sum(weight * value for weight, value in zip(weights, memory, strict=True)), weights


def affine(layer, x):
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def slow(model, source, target):
    """Logits, states, contexts and weights of one example, by the formulas."""
    if model.reverse:
        source = source[::-1]
    embeddings = [e.weight.detach().numpy() for e in (model.src_embedding, model.tgt_embedding)]
    memory, summary = read(model.encoder, [embeddings[0][word] for word in source])
    if model.squeeze is not None:
        summary = np.tanh(affine(model.squeeze, summary))
    before = affine(model.initial, summary)
    stack = list(model.decoder.layers) if isinstance(model.decoder, Stacked) else [model.decoder]
    states = [(np.tanh(before), before)] * len(stack)
    rows = []
    for word in target:
        embedded, context, weights = embeddings[1][word], np.array([]), None
        x = embedded
        if model.reader is not None and model.reader.query == "previous":
            context, weights = look(model.reader, states[-1][0], memory, summary)
            x = np.concatenate([embedded, context])
        for number, layer in enumerate(stack):
            states = [*states[:number], cell_step(layer, x, states[number]), *states[number + 1 :]]
            x = states[number][0]
        if model.reader is not None and model.reader.query == "current":
            context, weights = look(model.reader, x, memory, summary)
        seen = np.tanh(affine(model.readout, np.concatenate([x, context, embedded])))
        rows.append((affine(model.output, seen), x, context, weights))
    return memory, summary, rows


def agrees_with_slow(spec, pairs) -> None:
    model = build(spec)
    sources, targets = source_ids(pairs), target_ids(pairs)
    src, mask = padded(sources)
    decoded = model(src, padded(targets)[0], mask)
    memory = model.encode(src, mask)
    for b, (source, target) in enumerate(zip(sources, targets, strict=True)):
        outputs, summary, rows = slow(model, source, target)
        assert close(memory.outputs[b, : len(source)], np.array(outputs))
        assert not memory.outputs[b, len(source) :].any()
        assert close(memory.summary[b], summary)
        for j, (logits, state, context, weights) in enumerate(rows):
            assert close(decoded.logits[b, j], logits)
            assert close(decoded.states[b, j], state)
            assert (decoded.contexts is None) == (spec.reader == "none")
            assert decoded.contexts is None or close(decoded.contexts[b, j], context)
            assert (decoded.weights is None) == (weights is None)
            if weights is not None:
                assert close(decoded.weights[b, j, : len(source)], weights)
                assert not decoded.weights[b, j, len(source) :].any()


FIXED_PAIRS = [(list("abc"), list("pqrs")), (list("e"), list("t")), (list("dcaab"), list("uu"))]


@pytest.mark.parametrize("spec", EVERY, ids=str)
def test_every_model_is_its_formulas(spec):
    agrees_with_slow(spec, FIXED_PAIRS)


@LAW
@given(specs, pair_lists)
def test_any_model_on_any_pairs_is_its_formulas(spec, pairs):
    agrees_with_slow(spec, pairs)


# --- by hand --------------------------------------------------------------------------------------


def fill(**values):
    """Set parameters to numbers."""
    with torch.no_grad():
        for parameter, value in values.values():
            parameter.copy_(torch.tensor(value, dtype=parameter.dtype).expand_as(parameter))


def by_hand(reader=None) -> EncoderDecoder:
    """One unit everywhere. The encoder adds up; of the decoder's cell the test says the weights."""
    add = RNN(1, 1, activation=lambda a: a)
    decoder = RNN(1 if reader is None else 2, 1, activation=lambda a: a)
    model = EncoderDecoder(SRC, TGT, add, decoder, embedding_size=1, reader=reader).double()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    fill(
        words=(model.src_embedding.weight, [[float(n)] for n in range(len(SRC))]),
        written=(model.tgt_embedding.weight, [[float(n)] for n in range(len(TGT))]),
        xh=(add.W_xh, 1.0),
        hh=(add.W_hh, 1.0),
        initial=(model.initial.weight, 0.1),
        output=(model.output.weight, [[float(n)] for n in range(len(TGT))]),
    )
    return model


def test_without_a_reader_by_hand():
    """Reads 4, 5, 2, which add up to 11; then <s> = 1 and the word 6."""
    model = by_hand()
    fill(
        cell=(model.decoder.W_hh, 1.0),
        word=(model.decoder.W_xh, 10.0),
        readout=(model.readout.weight, [[0.01, 0.02]]),
    )
    memory = model.encode(torch.tensor([[4, 5, 2]]))
    assert memory.outputs[0, :, 0].tolist() == [4.0, 9.0, 11.0]
    assert memory.summary.tolist() == [[11.0]]
    decoded = model(torch.tensor([[4, 5, 2]]), torch.tensor([[1, 6]]))
    start = 0.80049902  # tanh 1.1
    assert close(model.begin(memory), [[math.tanh(1.1)]])
    assert decoded.states[0, :, 0].tolist() == pytest.approx([start + 10, start + 70], abs=1e-8)
    # readouts: tanh(0.01 · 10.8005 + 0.02 · 1) and tanh(0.01 · 70.8005 + 0.02 · 6)
    assert decoded.logits[0, :, 1].tolist() == pytest.approx([0.12731041, 0.67940333], abs=1e-6)
    assert decoded.logits[0, 0, 3].item() == pytest.approx(3 * 0.12731041, abs=1e-6)
    assert decoded.contexts is None
    assert decoded.weights is None


def test_a_fixed_context_by_hand():
    """The cell's input is the word, then the context: 11 at every step."""
    model = by_hand(FixedContext(1))
    fill(
        word_and_context=(model.decoder.W_xh, [[1.0], [100.0]]),
        readout=(model.readout.weight, [[0.0, 0.05, 0.0]]),
    )
    decoded = model(torch.tensor([[4, 5, 2]]), torch.tensor([[1, 6]]))
    assert decoded.states[0, :, 0].tolist() == [1101.0, 1106.0]
    assert decoded.contexts[0, :, 0].tolist() == [11.0, 11.0]
    assert decoded.logits[0, :, 1].tolist() == pytest.approx([math.tanh(0.55)] * 2)


@pytest.mark.parametrize("query", ["previous", "current"])
def test_attention_by_hand(query):
    """States 0 and 2 log 3, asked by 1/2: scores 0 and log 3, weights 1/4 and 3/4."""
    reader = SoftAttention(DotScore(scaled=False), 1, query=query)
    add = RNN(1, 1, activation=lambda a: a)
    sizes = 2 if query == "previous" else 1
    decoder = RNN(sizes, 1, activation=lambda a: a)
    model = EncoderDecoder(SRC, TGT, add, decoder, embedding_size=1, reader=reader).double()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    fill(
        words=(model.src_embedding.weight, [[0.0]] * 4 + [[0.0]] + [[2 * math.log(3)]] * 4),
        xh=(add.W_xh, 1.0),
        initial=(model.initial.bias, math.atanh(0.5)),
        state=(decoder.b_h, 0.5),
    )
    decoded = model(torch.tensor([[4, 5]]), torch.tensor([[1, 6]]))
    assert close(decoded.weights[0], [[0.25, 0.75], [0.25, 0.75]])
    assert close(decoded.contexts[0], [[1.5 * math.log(3)]] * 2)
    fill(state=(decoder.b_h, 0.0))  # the state is 0 from the first step on: weights are equal
    decoded = model(torch.tensor([[4, 5]]), torch.tensor([[1, 6]]))
    first = [0.25, 0.75] if query == "previous" else [0.5, 0.5]
    assert close(decoded.weights[0], [first, [0.5, 0.5]])


def test_what_is_seen_of_a_state():
    hidden, cell = torch.ones(2, 3), torch.zeros(2, 3)
    assert last_hidden(hidden) is hidden
    assert last_hidden(LSTMState(hidden, cell)) is hidden
    assert last_hidden((cell, hidden)) is hidden
    outputs, state = Bidirectional(GRU(2, 3), LSTM(2, 4))(torch.randn(1, 5, 2))
    joined = torch.cat([outputs[:, -1, :3], outputs[:, 0, 3:]], dim=-1)
    assert torch.equal(last_hidden(state), joined)


def test_the_first_state_of_an_lstm_is_one_with_an_open_output_gate():
    model = build(Spec("lstm", depth=2))
    states = model.begin(model.encode(torch.tensor([[4, 5, 2]])))
    assert len(states) == 2
    for state in states:
        assert isinstance(state, LSTMState)
        assert close(state.hidden, state.cell.tanh())
    assert states[0].cell.abs().max() > 0.1


# --- the laws -------------------------------------------------------------------------------------


@LAW
@given(specs, pair_lists, st.integers(0, 4), seeds)
def test_a_pair_alone_gets_what_it_gets_in_a_padded_batch(spec, pairs, more, seed):
    model = build(spec)
    sources, targets = source_ids(pairs), target_ids(pairs)
    src, mask = padded(sources)
    tgt, written = padded(targets)
    rubbish = torch.randint(len(SRC), (len(pairs), more), generator=torch.manual_seed(seed))
    src = torch.cat([src, rubbish], dim=1)
    mask = torch.cat([mask, torch.zeros_like(rubbish, dtype=torch.bool)], dim=1)
    src = torch.where(mask, src, (src + 3) % len(SRC))  # what stands at padding must not matter
    tgt = torch.where(written, tgt, 5)
    memory, decoded = model.encode(src, mask), model(src, tgt, mask)
    for b, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone_src, alone_tgt = torch.tensor([source]), torch.tensor([target])
        alone, one = model.encode(alone_src), model(alone_src, alone_tgt)
        assert close(memory.outputs[b, : len(source)], alone.outputs[0])
        assert not memory.outputs[b, len(source) :].any()
        assert close(memory.summary[b], alone.summary[0])
        assert close(decoded.logits[b, : len(target)], one.logits[0])
        assert close(decoded.states[b, : len(target)], one.states[0])
        if one.weights is not None:
            assert close(decoded.weights[b, : len(target), : len(source)], one.weights[0])
        if one.contexts is not None:
            assert close(decoded.contexts[b, : len(target)], one.contexts[0])


@LAW
@given(specs, pair_lists, st.booleans(), st.data())
def test_a_target_token_changes_nothing_before_it(spec, pairs, training, data):
    model = build(spec).train(training)
    src, mask = padded(source_ids(pairs))
    tgt, _ = padded(target_ids(pairs))
    place = data.draw(st.integers(0, tgt.shape[1] - 1))
    changed = tgt.clone()
    changed[:, place] = (changed[:, place] + 1) % len(TGT)
    before, after = model(src, tgt, mask), model(src, changed, mask)
    for one, other in zip(before, after, strict=True):
        if one is not None:
            assert torch.equal(one[:, :place], other[:, :place])
    assert not close(before.logits[:, place], after.logits[:, place])


@LAW
@given(specs, pair_lists)
def test_every_source_word_reaches_every_logit(spec, pairs):
    """Also the first word, through one direction, and with a source that is turned round."""
    model = build(spec)
    src, mask = padded(source_ids(pairs))
    tgt, _ = padded(target_ids(pairs))
    embedded = []
    model.src_embedding.register_forward_hook(
        lambda module, args, output: embedded.append(output) or output
    )
    logits = model(src, tgt, mask).logits
    for j in {0, tgt.shape[1] - 1}:
        (grad,) = torch.autograd.grad(logits[:, j].square().sum(), embedded[0], retain_graph=True)
        reached = grad.abs().sum(-1) > 0
        assert torch.equal(reached, mask)


@LAW
@given(specs, pair_lists, seeds)
def test_step_by_step_is_all_at_once(spec, pairs, seed):
    model = build(spec)
    sources = source_ids(pairs)
    rows = len(sources)
    tgt = torch.randint(len(TGT), (rows, 5), generator=torch.manual_seed(seed))
    src, mask = padded(sources)
    expected = model(src, tgt, mask).logits.log_softmax(-1)
    state = model.start(sources)
    kept = [tensor.clone() for tensor in flat(state)]
    first = state
    for j in range(tgt.shape[1]):
        log_probs, state = model.step(tgt[:, j], state)
        assert log_probs.shape == (rows, len(TGT))
        assert close(log_probs, expected[:, j])
        assert close(log_probs.exp().sum(-1), torch.ones(rows).double())
    assert all(torch.equal(a, b) for a, b in zip(kept, flat(first), strict=True))
    memory = model.encode(src, mask)
    decoded = model.decode(memory, tgt, model.begin(memory))
    assert close(decoded.logits.log_softmax(-1), expected)


@LAW
@given(specs, pair_lists, seeds, st.data())
def test_rows_are_dropped_repeated_and_exchanged(spec, pairs, seed, data):
    model = build(spec)
    sources = source_ids(pairs)
    numbers = st.integers(0, len(sources) - 1)
    rows = data.draw(st.lists(numbers, min_size=1, max_size=6))
    draw = torch.manual_seed(seed)
    begun = torch.randint(len(TGT), (len(sources), 3), generator=draw)
    newest = torch.randint(len(TGT), (len(rows), 2), generator=draw)
    state = model.start(sources)
    for tokens in begun.unbind(1):
        _, state = model.step(tokens, state)
    before = [tensor.clone() for tensor in flat(state)]
    chosen = model.reorder(state, torch.tensor(rows))
    assert all(torch.equal(a, b) for a, b in zip(before, flat(state), strict=True))
    # of each source alone, made anew: no row of the batch can be taken for another
    fresh = model.start([sources[row] for row in rows])
    for tokens in begun[rows].unbind(1):
        _, fresh = model.step(tokens, fresh)
    for tokens in newest.unbind(1):
        ours, chosen = model.step(tokens, chosen)
        expected, fresh = model.step(tokens, fresh)
        assert close(ours, expected)


def test_no_rows_may_be_left():
    for reader in READERS:
        model = build(Spec("lstm", reader, depth=2))
        state = model.reorder(model.start([[4, 2]]), torch.tensor([], dtype=torch.int64))
        assert all(len(tensor) == 0 for tensor in flat(state))


@LAW
@given(attentive, pair_lists)
def test_weights_sum_to_one_and_are_zero_at_padding(spec, pairs):
    model = build(spec)
    src, mask = padded(source_ids(pairs))
    src, mask = nn.functional.pad(src, (0, 2)), nn.functional.pad(mask, (0, 2))
    tgt, _ = padded(target_ids(pairs))
    weights = model(src, tgt, mask).weights
    assert weights.shape == (len(pairs), tgt.shape[1], src.shape[1])
    assert close(weights.sum(-1), torch.ones(weights.shape[:2]).double())
    hidden = ~mask[:, None].expand_as(weights)
    assert not weights[hidden].any()
    assert (weights[~hidden] > 0).all()


@LAW
@given(specs, pair_lists)
def test_a_context_is_the_average_under_the_weights(spec, pairs):
    model = build(spec)
    src, mask = padded(source_ids(pairs))
    tgt, _ = padded(target_ids(pairs))
    memory, decoded = model.encode(src, mask), model(src, tgt, mask)
    if spec.reader == "fixed":
        assert torch.equal(decoded.contexts, memory.summary[:, None].expand_as(decoded.contexts))
    elif spec.reader != "none":
        averages = torch.einsum("bji,bih->bjh", decoded.weights, memory.outputs)
        assert close(decoded.contexts, averages)


@LAW
@given(specs, pair_lists)
def test_a_model_that_reverses_is_one_that_reads_the_reversed_source(spec, pairs):
    turning, plain = build(spec._replace(reverse=True)), build(spec._replace(reverse=False))
    sources = source_ids(pairs)
    src, mask = padded(sources)
    turned, _ = padded([ids[::-1] for ids in sources])
    tgt, _ = padded(target_ids(pairs))
    ours, theirs = turning(src, tgt, mask), plain(turned, tgt, mask)
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None and other is None) or torch.equal(one, other)
    assert torch.equal(turning.encode(src, mask).mask, mask)


@LAW
@given(specs, pair_lists)
def test_no_argument_is_changed(spec, pairs):
    model = build(spec).train()
    src, mask = padded(source_ids(pairs))
    tgt, _ = padded(target_ids(pairs))
    sources, tokens = source_ids(pairs), tgt[:, 0].clone()
    weights = copy.deepcopy(model.state_dict())
    memory = model.encode(src, mask)
    state = model.start(sources)
    given_ = [src, mask, tgt, tokens, *memory, *flat(state)]
    before = [tensor.clone() for tensor in given_]
    model(src, tgt, mask)
    model.decode(memory, tgt, model.begin(memory))
    model.step(tokens, state)
    model.reorder(state, torch.zeros(2, dtype=torch.int64))
    (batch,) = translation_batches(as_pairs(pairs), SRC, TGT, batch_size=9, seed=0)
    arrays = [array.copy() for array in vars(batch).values()]
    translation_loss(model, batch)
    assert all(torch.equal(a, b) for a, b in zip(before, given_, strict=True))
    assert sources == source_ids(pairs)
    assert all((a == b).all() for a, b in zip(arrays, vars(batch).values(), strict=True))
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_dropout_is_on_both_embeddings_and_on_the_readout_and_in_training_only():
    for reader in READERS:
        model = build(Spec("lstm", reader, directions=2, dropout=1.0))
        quiet = build(Spec("lstm", reader, directions=2))
        src, tgt = torch.tensor([[4, 5, 6, 2]]), torch.tensor([[1, 6, 5]])
        assert torch.equal(model.eval()(src, tgt).logits, quiet(src, tgt).logits)
        model.train()
        found = model(src, tgt)
        assert close(found.logits, model.output.bias.expand_as(found.logits))
        nn.init.zeros_(quiet.src_embedding.weight)
        expected = quiet.encode(src)
        assert close(model.encode(src).summary, expected.summary)
        nn.init.zeros_(quiet.tgt_embedding.weight)
        assert close(found.states, quiet(src, tgt).states)
    half = build(Spec(dropout=0.5)).train()
    with seeded(0):
        assert not torch.equal(half(src, tgt).logits, half(src, tgt).logits)


# --- batches and loss -----------------------------------------------------------------------------


def losses_by_formula(model, pairs) -> tuple[float, int]:
    """Minus log-probabilities of words and end symbols, one pair after the other."""
    total, count = 0.0, 0
    for source, target in pairs:
        *_, rows = slow(model, SRC.encode(source, eos=True), TGT.encode(target, bos=True))
        for (logits, *_), right in zip(rows, TGT.encode(target, eos=True), strict=True):
            total -= logits[right] - np.log(np.exp(logits).sum())
            count += 1
    return total, count


@LAW
@given(specs, pair_lists)
def test_the_loss_is_that_of_real_words_and_end_symbols(spec, pairs):
    model = build(spec)
    (batch,) = translation_batches(as_pairs(pairs), SRC, TGT, batch_size=9, seed=0)
    total, count = translation_loss(model, batch)
    expected, expected_count = losses_by_formula(model, pairs)
    assert count == expected_count == sum(len(target) + 1 for _, target in pairs)
    assert total.item() == pytest.approx(expected, abs=1e-9)


@LAW
@given(specs, pair_lists, seeds)
def test_the_loss_of_a_batch_is_the_sum_of_its_sentences_and_padding_plays_no_part(
    spec, pairs, seed
):
    model = build(spec)
    (batch,) = translation_batches(as_pairs(pairs), SRC, TGT, batch_size=9, seed=0)
    total, count = translation_loss(model, batch)
    single = [
        translation_loss(model, one)
        for one in translation_batches(as_pairs(pairs), SRC, TGT, batch_size=1, seed=0)
    ]
    assert close(total, sum(loss for loss, _ in single))
    assert count == sum(n for _, n in single)
    draw = np.random.default_rng(seed)
    other = copy.deepcopy(batch)
    for ids, lengths in ((other.src, other.src_lengths), (other.tgt, other.tgt_lengths)):
        for row, length in zip(ids, lengths, strict=True):
            row[length:] = draw.integers(0, 9, size=len(row) - length)
    again, counted = translation_loss(model, other)
    assert close(total, again)
    assert count == counted


@LAW
@given(specs, pair_lists)
def test_padding_gets_no_gradient(spec, pairs):
    model = build(spec)
    longer = [*pairs, (list("abcdeabc"), list("pq")), (list("a"), list("pqrstupq"))]
    (batch,) = translation_batches(as_pairs(longer), SRC, TGT, batch_size=9, seed=0)
    total, _ = translation_loss(model, batch)
    total.backward()
    assert not model.src_embedding.weight.grad[SRC.pad_id].any()
    assert not model.tgt_embedding.weight.grad[TGT.pad_id].any()
    assert model.src_embedding.weight.grad[SRC.eos_id].any()
    assert model.tgt_embedding.weight.grad[TGT.bos_id].any()
    assert not model.tgt_embedding.weight.grad[TGT.eos_id].any()  # the end is never read
    assert all(parameter.grad is not None for parameter in model.parameters())


@LAW
@given(specs, pair_lists)
def test_loss_perplexity_and_the_steps_of_a_search_tell_the_same(spec, pairs):
    model = build(spec)
    (batch,) = translation_batches(as_pairs(pairs), SRC, TGT, batch_size=9, seed=0)
    total, count = translation_loss(model, batch)
    found = force(model, source_ids(pairs), [TGT.encode(target, eos=True) for _, target in pairs])
    assert -sum(values.sum() for values in found) == pytest.approx(total.item(), abs=1e-9)
    assert sum(map(len, found)) == count
    expected = perplexity(float(np.concatenate(found).sum()), count)
    assert math.exp(total.item() / count) == pytest.approx(expected)


def test_smoothing_gives_nothing_to_padding_and_the_begin_symbol():
    model = build(Spec(reader="additive"))
    (batch,) = translation_batches(as_pairs(FIXED_PAIRS), SRC, TGT, batch_size=9, seed=0)
    plain, _ = translation_loss(model, batch)
    smooth, count = translation_loss(model, batch, smoothing=0.1)
    spread = 0.0
    for source, target in FIXED_PAIRS:
        *_, rows = slow(model, SRC.encode(source, eos=True), TGT.encode(target, bos=True))
        for logits, *_ in rows:
            log_probs = logits - np.log(np.exp(logits).sum())
            shared = [n for n in range(len(TGT)) if n not in (TGT.pad_id, TGT.bos_id)]
            spread -= log_probs[shared].mean()
    assert count == sum(len(target) + 1 for _, target in FIXED_PAIRS)
    assert smooth.item() == pytest.approx(0.9 * plain.item() + 0.1 * spread)


def test_batches_end_the_source_and_frame_the_first_reference():
    pairs = as_pairs(FIXED_PAIRS)
    batches = list(translation_batches(pairs, SRC, TGT, batch_size=2, seed=0))
    assert sorted(number for batch in batches for number in batch.index) == [0, 1, 2]
    for batch in batches:
        for b, number in enumerate(batch.index):
            source, target = FIXED_PAIRS[number]
            src, tgt = (
                [vocabulary.words[n] for n in ids[b]]
                for vocabulary, ids in ((SRC, batch.src), (TGT, batch.tgt))
            )
            assert src[: batch.src_lengths[b]] == [*source, "</s>"]
            assert set(src[batch.src_lengths[b] :]) <= {"<pad>"}
            assert tgt[: batch.tgt_lengths[b]] == ["<s>", *target, "</s>"]
            assert set(tgt[batch.tgt_lengths[b] :]) <= {"<pad>"}
    specials = SRC.pad_id, SRC.bos_id, SRC.eos_id, SRC.unk_id
    assert len(set(specials)) == 4


def test_epochs_differ_and_a_seed_gives_the_same_again():
    pairs = as_pairs([(list("abcde")[:n], ["p"]) for n in (1, 2, 3, 4, 5)] * 4)

    def order(seed, epoch):
        batches = translation_batches(pairs, SRC, TGT, batch_size=3, seed=seed, epoch=epoch)
        return [tuple(batch.index) for batch in batches]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_vocabularies_know_the_words_of_the_training_pairs_and_no_others():
    pairs = as_pairs([(list("aab"), list("pq")), (list("a"), list("p"))])
    src, tgt = vocabularies(pairs)
    assert src.words[4:] == ("a", "b")
    assert tgt.words[4:] == ("p", "q")
    assert tuple(map(len, vocabularies(pairs, min_count=2))) == (5, 5)
    unseen = as_pairs([(list("ac"), list("pr"))])
    (batch,) = translation_batches(unseen, src, tgt, batch_size=1, seed=0)
    assert batch.src.tolist() == [[src.encode(["a"])[0], src.unk_id, src.eos_id]]
    assert batch.tgt.tolist() == [[tgt.bos_id, tgt.encode(["p"])[0], tgt.unk_id, tgt.eos_id]]


# --- weights, search ------------------------------------------------------------------------------


@LAW
@given(attentive, pair_lists, st.integers(1, 5))
@example(Spec(reader="additive", reverse=True), FIXED_PAIRS, 1)
def test_align_gives_the_rows_of_forward_in_the_order_of_the_words(spec, pairs, batch_size):
    model = build(spec).train()
    sources, targets = ([list(side) for side in sides] for sides in zip(*pairs, strict=True))
    found = align(model, sources, targets, batch_size=batch_size)
    assert model.training
    plain = build(spec._replace(reverse=False))
    for weights, source, target in zip(found, sources, targets, strict=True):
        assert weights.shape == (len(target) + 1, len(source) + 1)
        assert np.allclose(weights.sum(-1), 1)
        ids = SRC.encode(source, eos=True)
        read_ = torch.tensor([ids[::-1] if spec.reverse else ids])
        rows = plain(read_, torch.tensor([TGT.encode(target, bos=True)])).weights[0].detach()
        rows = rows.flip(-1) if spec.reverse else rows
        assert np.allclose(weights, rows.numpy())


def test_align_is_quiet_about_dropout_and_takes_no_pairs():
    model = build(Spec(reader="general", dropout=0.5)).train()
    quiet = build(Spec(reader="general"))
    args = [list("abc")], [list("pq")]
    assert np.allclose(align(model, *args), align(quiet, *args))
    assert align(model, [], []) == []


def test_a_model_is_a_stepper_and_a_translator():
    for reader in READERS:
        model = build(Spec(reader=reader, seed=3))
        assert isinstance(model, Stepper)
        assert isinstance(model, Translator)
        assert (model.bos_id, model.eos_id) == (TGT.bos_id, TGT.eos_id)
        assert set(model.never) == {TGT.pad_id, TGT.bos_id, TGT.unk_id}


@LAW
@given(specs, src_sentences)
def test_greedy_search_takes_the_largest_logit_after_what_it_wrote(spec, source):
    model = build(spec)
    limit = 2 * len(source) + 10
    written = []
    while len(written) < limit and TGT.eos_id not in written:
        *_, rows = slow(model, SRC.encode(source, eos=True), [TGT.bos_id, *written])
        logits = rows[-1][0].copy()
        logits[[TGT.pad_id, TGT.bos_id, TGT.unk_id]] = -np.inf
        written.append(int(logits.argmax()))
    expected = TGT.decode(written)
    assert model.translate(source) == expected
    assert translate(model, [source, list("abc")])[0].words == expected
    (found,) = greedy(model, [SRC.encode(source, eos=True)], max_length=limit)
    assert list(found.ids) == written


# --- errors ---------------------------------------------------------------------------------------


def model_of(encoder=None, decoder=None, **options):
    return EncoderDecoder(
        SRC, TGT, encoder or GRU(2, 3), decoder or GRU(4, 5), embedding_size=4, **options
    )


def two_ways(size):
    return Bidirectional(GRU(size, 3), GRU(size, 3))


ERRORS = {
    "the decoder reads 6 components, expected 4": lambda: model_of(decoder=GRU(6, 5)),
    "the decoder reads 4 components, expected 7": lambda: model_of(reader=FixedContext(3)),
    "the decoder reads 9 components, expected 10": lambda: model_of(
        two_ways(2), GRU(9, 5), reader=FixedContext(6)
    ),
    "contexts have 4 components and what it reads has 3": lambda: model_of(
        decoder=GRU(8, 5), reader=FixedContext(4)
    ),
    "contexts have 3 components and what it reads has 7": lambda: model_of(
        decoder=GRU(7, 5), reader=FixedContext(3), context_size=7
    ),
    "contexts have 7 components and what it reads has 3": lambda: model_of(
        decoder=GRU(11, 5), reader=SoftAttention(GeneralScore(5, 7), 7), context_size=7
    ),
    "the decoder reads 7 components, expected 4": lambda: model_of(
        decoder=GRU(7, 5), reader=SoftAttention(GeneralScore(5, 3), 3, query="current")
    ),
    "the decoder is bidirectional": lambda: model_of(decoder=two_ways(4)),
    "query is 'next', expected 'previous' or 'current'": lambda: SoftAttention(
        DotScore(), 3, query="next"
    ),
    "the model has no attention": lambda: align(model_of(), [["a"]], [["p"]]),
    "2 targets for 1 sources": lambda: align(
        build(Spec(reader="general")), [["a"]], [["p"], ["p"]]
    ),
    "the mask has the shape": lambda: model_of().encode(
        torch.tensor([[4, 2]]), torch.ones(1, 3, dtype=torch.bool)
    ),
}


@pytest.fixture
def unchecked():
    """Types are not checked, as when a student runs the code."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("message", ERRORS)
def test_what_does_not_fit_is_said_in_one_plain_sentence(message):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        ERRORS[message]()
    text = str(error.value)
    assert "\n" not in text
    assert not text.endswith(".")


def test_a_model_without_attention_that_only_has_a_summary_cannot_align():
    model = build(Spec(reader="fixed"))
    with pytest.raises(ValueError, match="no attention"):
        align(model, [["a"]], [["p"]])


# --- it learns ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("reader", ["none", "additive"])
def test_a_small_model_learns_to_turn_a_sentence_round(reader):
    draw = np.random.default_rng(0)
    sides = []
    for _ in range(300):
        source = draw.choice(list("abc"), size=draw.integers(1, 4)).tolist()
        sides.append((source, [chr(ord(letter) + 15) for letter in source[::-1]]))  # a -> p
    train, test = sides[:240], sides[240:]
    with seeded(0):
        given_ = SoftAttention(AdditiveScore(32, 32, 32), 32) if reader == "additive" else None
        fed = 32 if given_ else 0
        model = EncoderDecoder(
            SRC, TGT, GRU(16, 32), GRU(16 + fed, 32), embedding_size=16, reader=given_
        )
    batch_of = stepwise(
        lambda epoch: translation_batches(
            as_pairs(train), SRC, TGT, batch_size=32, seed=0, epoch=epoch
        )
    )
    fit(
        model,
        batch_of,
        translation_loss,
        steps=300,
        learning_rate=0.02,
        clip=1.0,
        seed=0,
        progress=False,
    )
    found = translate(model, [source for source, _ in test])
    right = sum(one.words == target for one, (_, target) in zip(found, test, strict=True))
    assert right > 0.6 * len(test)
