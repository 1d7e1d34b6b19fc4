"""The cache of the Transformer: every way of writing gives what one pass over all words gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.interfaces import Stepper
from softalign.positions import KINDS
from softalign.search import beam, exhaustive, force, greedy, sample
from softalign.text import Vocabulary
from softalign.training import seeded
from softalign.transformer import Recomputing, Transformer

LAW = settings(derandomize=True, deadline=None, max_examples=8)
SRC, TGT = (Vocabulary.from_training([list(words)]) for words in ("abcdef", "pqrs"))
SEEDS = st.integers(0, 10_000)
SENTENCE = st.lists(st.integers(4, len(SRC) - 1), min_size=1, max_size=5)
TOKENS = st.lists(st.integers(4, len(TGT) - 1), min_size=1, max_size=5)
SHAPES = st.fixed_dictionaries(
    {
        "positions": st.sampled_from(KINDS),
        "norm": st.sampled_from(["pre", "post", "none"]),
        "n_layers": st.integers(1, 2),
        "scaled": st.booleans(),
    }
)


def tiny(seed=0, **options):
    """A small model in double precision, no weight of which is 0."""
    sizes = {"d_model": 8, "n_heads": 2, "d_ff": 12, "n_layers": 2, **options}
    with seeded(seed):
        model = Transformer(SRC, TGT, **sizes).double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


def close(found, expected, tolerance=1e-8):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@torch.no_grad()
def alone(model, source, tokens):
    """Log-probabilities after each token, by one pass over one pair, without padding."""
    logits = model(torch.tensor([source]), torch.tensor([tokens])).logits
    return logits[0].log_softmax(-1)


class Slow:
    """A stepper whose state is what was read: each row is translated alone, and all of it anew."""

    def __init__(self, model):
        self.model, self.bos_id, self.eos_id = model, model.bos_id, model.eos_id
        self.never, self.known = model.never, {}

    def newest(self, source, read):
        row = tuple(source), tuple(read)
        if row not in self.known:
            self.known[row] = alone(self.model, source, read)[-1]
        return self.known[row]

    def start(self, sources):
        return [(list(source), []) for source in sources]

    def step(self, tokens, state):
        after = [
            (source, [*read, token])
            for (source, read), token in zip(state, tokens.tolist(), strict=True)
        ]
        return torch.stack([self.newest(*row) for row in after]), after

    def reorder(self, state, rows):
        return [state[row] for row in rows.tolist()]


class Counting:
    """A stepper that writes down how many rows each step has."""

    def __init__(self, inner):
        self.inner, self.rows = inner, []
        self.bos_id, self.eos_id, self.never = inner.bos_id, inner.eos_id, inner.never
        self.start, self.reorder = inner.start, inner.reorder

    def step(self, tokens, state):
        self.rows.append(len(tokens))
        return self.inner.step(tokens, state)


def tensors(state):
    """All tensors of a state, one after the other."""
    if isinstance(state, torch.Tensor):
        yield state
    elif isinstance(state, tuple):
        for part in state:
            yield from tensors(part)


# --- a step is a pass -----------------------------------------------------------------------------


@given(SEEDS, SHAPES, st.lists(SENTENCE, min_size=1, max_size=3), st.integers(1, 6))
@LAW
def test_steps_give_what_one_pass_over_each_pair_alone_gives(seed, shape, sources, length):
    model = tiny(seed, **shape)
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, len(TGT), (len(sources), length), generator=generator)
    expected = torch.stack(
        [alone(model, s, row.tolist()) for s, row in zip(sources, tokens, strict=True)]
    )
    for stepper in (model, Recomputing(model)):
        state = stepper.start(sources)
        for place in range(length):
            with torch.no_grad():
                log_probs, state = stepper.step(tokens[:, place], state)
            close(log_probs, expected[:, place])


@given(SEEDS, SHAPES, st.lists(st.integers(1, 3), min_size=1, max_size=4))
@LAW
def test_any_cut_of_the_words_gives_the_same_logits_and_caches(seed, shape, cuts):
    model = tiny(seed, **shape)
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, len(TGT), (2, sum(cuts)), generator=generator)
    start = model.start([[4, 5, 6], [7]])
    with torch.no_grad():
        whole, after = model._decode(tokens, start, None, False)
        state, logits = start, []
        for part in tokens.split(cuts, dim=1):
            decoded, state = model._decode(part, state, None, False)
            logits.append(decoded.logits)
    close(torch.cat(logits, dim=1), whole.logits)
    assert state.place == after.place == sum(cuts)
    for mine, theirs in zip(tensors(state.caches), tensors(after.caches), strict=True):
        close(mine, theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_longer_than_the_tables_of_positions(kind):
    model = tiny(positions=kind, n_layers=1)
    tokens = torch.randint(1, len(TGT), (1, 66), generator=torch.Generator().manual_seed(0))
    expected = alone(tiny(positions=kind, n_layers=1), [4, 5], tokens[0].tolist())
    state = model.start([[4, 5]])
    with torch.no_grad():
        for place in range(66):
            log_probs, state = model.step(tokens[:, place], state)
            close(log_probs[0], expected[place])


def test_learned_positions_end_in_the_middle_of_a_sentence():
    model = tiny(positions="learned", max_length=3)
    state = model.start([[4]])
    for _ in range(3):
        _, state = model.step(torch.tensor([4]), state)
    with pytest.raises(ValueError, match="4 positions and there are vectors for 3"):
        model.step(torch.tensor([4]), state)


def test_the_first_layers_cache_by_hand():
    """Keys and values of the normalised embeddings, here with nothing else between."""
    model = tiny(positions="none", n_layers=1)
    layer, tokens = model.decoder[0], torch.tensor([[1, 5, 4]])
    with torch.no_grad():
        embedded = model.tgt_embedding.weight[tokens] * math.sqrt(8)
        inputs = layer.around_attention.norm(embedded)
        projected = inputs @ layer.attention.W_qkv + layer.attention.b_qkv
        state = model.start([[4, 5]])
        for column in tokens.T:
            _, state = model.step(column, state)
    keys, values = state.caches[0]
    for found, first in ((keys, 8), (values, 16)):
        for head in range(2):
            begin = first + 4 * head
            close(found[0, head], projected[0, :, begin : begin + 4])


def test_each_layer_has_a_cache_and_a_memory_of_its_own():
    model = tiny()
    state = model.start([[4, 5, 6]])
    _, state = model.step(torch.tensor([1]), state)
    assert len(state.caches) == len(state.memories) == 2
    assert not torch.allclose(state.caches[0].keys, state.caches[1].keys)
    assert not torch.allclose(state.memories[0].keys, state.memories[1].keys)


def test_the_memories_by_hand():
    """Keys and values that each layer's cross-attention makes of what the encoder leaves."""
    model = tiny()
    state = model.start([[4, 5, 6], [7, 8]])
    with torch.no_grad():
        outputs = model.encode(torch.tensor([[4, 5, 6]])).outputs
        for layer, memory in zip(model.decoder, state.memories, strict=True):
            projected = outputs @ layer.cross_attention.W_qkv + layer.cross_attention.b_qkv
            for found, first in ((memory.keys, 8), (memory.values, 16)):
                for head in range(2):
                    begin = first + 4 * head
                    close(found[0, head], projected[0, :, begin : begin + 4])
    assert state.mask[:, 0, 0].tolist() == [[True] * 3, [True, True, False]]


def test_each_layer_reads_its_own_memory_and_its_own_cache():
    """The layers one after the other, by hand."""
    model = tiny(2, positions="none")
    tokens = torch.tensor([[1, 4, 6]])
    with torch.no_grad():
        encoded = model.encode(torch.tensor([[4, 5, 6]]))
        stream = model.tgt_embedding.weight[tokens] * math.sqrt(8)
        seen, source = torch.ones(3, 3).tril().bool(), torch.ones(1, 1, 1, 3).bool()
        for layer in model.decoder:
            memory = layer.cross_attention.keys_values(encoded.outputs)
            stream = layer(stream, seen, memory, source, model.tgt_positions).stream
        expected = model.output(model.decoder_norm(stream)).log_softmax(-1)
        state = model.start([[4, 5, 6]])
        for place, token in enumerate(tokens[0]):
            log_probs, state = model.step(token[None], state)
            close(log_probs[0], expected[0, place])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_never_changes_while_words_arrive(kind):
    model = tiny(positions=kind)
    state = model.start([[4, 5, 6], [5]])
    for place, token in enumerate((1, 4, 5, 6)):
        before = state
        _, state = model.step(torch.tensor([token, 4]), state)
        for old, new in zip(tensors(before.caches), tensors(state.caches), strict=place > 0):
            assert torch.equal(new[:, :, :place], old)


def test_bytes_of_the_cache():
    model = tiny(n_layers=2).float()
    state = model.start([[4, 5, 6], [5]])
    assert state.caches == ()
    for _ in range(3):
        _, state = model.step(torch.tensor([4, 5]), state)
    kept = sum(part.numel() * part.element_size() for part in tensors(state.caches))
    assert kept == 2 * 2 * 8 * 4 * 2 * 3  # K and V, layers, d_model, bytes, rows, tokens


def test_padding_of_a_source_is_not_seen():
    model = tiny()
    for value in (0, 4):  # whatever stands there
        source = torch.tensor([[5, 6, value, value]])
        encoded = model.encode(source, torch.tensor([[True, True, False, False]]))
        with torch.no_grad():
            found = model.decode(encoded, torch.tensor([[1, 4]])).logits.log_softmax(-1)
        close(found[0], alone(model, [5, 6], [1, 4]))


# --- purity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_state_that_is_given_stays_as_it_was(kind, wrapped):
    model = tiny(positions=kind)
    stepper = Recomputing(model) if wrapped else model
    state = stepper.start([[4, 5, 6], [5]])
    with torch.no_grad():
        for tokens in ([1, 1], [4, 5], [6, 4]):
            before = [part.clone() for part in tensors(state)]
            first, after = stepper.step(torch.tensor(tokens), state)
            stepper.reorder(state, torch.tensor([1, 1, 0]))
            again, _ = stepper.step(torch.tensor(tokens), state)
            assert torch.equal(first, again)
            for old, now in zip(before, tensors(state), strict=True):
                assert torch.equal(old, now)
            state = after


def test_two_futures_of_one_state_do_not_meet():
    model = tiny()
    _, state = model.step(torch.tensor([1]), model.start([[4, 5]]))
    _, left = model.step(torch.tensor([4]), state)
    right_first, right = model.step(torch.tensor([5]), state)
    found, _ = model.step(torch.tensor([6]), left)
    close(right_first[0], alone(model, [4, 5], [1, 5])[-1])
    close(found[0], alone(model, [4, 5], [1, 4, 6])[-1])
    found, _ = model.step(torch.tensor([6]), right)
    close(found[0], alone(model, [4, 5], [1, 5, 6])[-1])


# --- reorder --------------------------------------------------------------------------------------


@given(SEEDS, SHAPES, st.lists(SENTENCE, min_size=1, max_size=3), st.data())
@LAW
def test_rows_that_are_dropped_repeated_and_exchanged_are_as_if_written_alone(
    seed, shape, sources, data
):
    model = tiny(seed, **shape)
    slow = Slow(model)
    for stepper in (model, Recomputing(model)):
        state = stepper.start(sources)
        histories = slow.start(sources)
        for _ in range(data.draw(st.integers(1, 3))):
            size = len(histories)
            count = data.draw(st.integers(1, 4))
            rows = torch.tensor(
                data.draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count))
            )
            state, histories = stepper.reorder(state, rows), slow.reorder(histories, rows)
            tokens = torch.tensor(
                data.draw(st.lists(st.integers(1, len(TGT) - 1), min_size=count, max_size=count))
            )
            with torch.no_grad():
                log_probs, state = stepper.step(tokens, state)
            expected, histories = slow.step(tokens, histories)
            close(log_probs, expected)


@pytest.mark.parametrize("rows", [[1, 0, 2], [2, 2, 2], [0, 2], [1], [0, 0, 1, 1, 2, 2]])
def test_reorder_twice_is_reorder_once(rows):
    model = tiny()
    state = model.start([[4, 5, 6], [5], [6, 7]])
    _, state = model.step(torch.tensor([1, 4, 5]), state)
    picked = torch.tensor(rows)
    back = torch.arange(len(rows) - 1, -1, -1)
    twice = model.reorder(model.reorder(state, picked), back)
    once = model.reorder(state, picked[back])
    assert twice.place == once.place == 1
    for mine, theirs in zip(tensors(twice), tensors(once), strict=True):
        assert torch.equal(mine, theirs)
    assert once.origin.tolist() == rows[::-1]


def test_sources_stay_in_place_while_a_beam_is_reordered_among_itself():
    model = tiny()
    state = model.reorder(model.start([[4, 5, 6], [5]]), torch.tensor([0, 0, 1]))
    _, state = model.step(torch.tensor([4, 5, 6]), state)
    among = model.reorder(state, torch.tensor([1, 0, 2]))
    assert among.memories is state.memories
    assert among.mask is state.mask
    assert torch.equal(among.caches[0].keys, state.caches[0].keys[[1, 0, 2]])
    across = model.reorder(state, torch.tensor([2, 0, 1]))
    assert torch.equal(across.memories[1].values, state.memories[1].values[[2, 0, 1]])
    assert torch.equal(across.mask, state.mask[[2, 0, 1]])
    assert across.origin.tolist() == [1, 0, 0]


def test_the_beginning_can_be_reordered():
    model = tiny()
    state = model.reorder(model.start([[4, 5, 6], [5]]), torch.tensor([1, 1, 0]))
    assert state.caches == ()
    found, _ = model.step(torch.tensor([1, 4, 1]), state)
    close(found[0], alone(model, [5], [1])[-1])
    close(found[1], alone(model, [5], [4])[-1])
    close(found[2], alone(model, [4, 5, 6], [1])[-1])


# --- searches -------------------------------------------------------------------------------------


def agree(found, expected):
    assert [h.ids for h in found] == [h.ids for h in expected]
    assert [h.finished for h in found] == [h.finished for h in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.log_prob == pytest.approx(theirs.log_prob, abs=1e-8)


SOURCES = [[4, 5, 6, 7, 8], [5], [6, 7], [9, 4, 4]]
LIMITS = [7, 2, 5, 4]


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(KINDS)))
def test_greedy_and_beam_find_the_same_with_cache_without_and_by_passes_over_each_alone(kind, seed):
    model = tiny(seed, positions=kind)
    slow = Slow(model)
    for stepper in (model, Recomputing(model)):
        agree(greedy(stepper, SOURCES, max_length=LIMITS), greedy(slow, SOURCES, max_length=LIMITS))
        options = {"size": 3, "alpha": 0.6, "n_best": 2, "max_length": LIMITS}
        found, expected = (beam(s, SOURCES, **options) for s in (stepper, slow))
        for mine, theirs in zip(found, expected, strict=True):
            agree(mine, theirs)


def test_a_sentence_gets_in_a_batch_what_it_gets_alone():
    for seed in range(2):
        model = tiny(seed)
        together = beam(model, SOURCES, size=3, max_length=LIMITS)
        for source, limit, found in zip(SOURCES, LIMITS, together, strict=True):
            agree(found, beam(model, [source], size=3, max_length=limit)[0])
            agree([found[0]], beam(Recomputing(model), [source], size=3, max_length=limit)[0])


def test_exhaustive_search_and_drawing():
    model = tiny(3)
    slow = Slow(model)
    for stepper in (model, Recomputing(model)):
        agree(
            exhaustive(stepper, [4, 5], max_length=3, n_best=None),
            exhaustive(slow, [4, 5], max_length=3, n_best=None),
        )
        agree(
            sample(stepper, SOURCES, max_length=6, seed=1),
            sample(slow, SOURCES, max_length=6, seed=1),
        )


def test_a_wide_beam_is_exhaustive_search():
    model = tiny(1)
    best = exhaustive(model, [4, 5, 6], max_length=3)
    agree(beam(model, [[4, 5, 6]], size=len(TGT) ** 2, max_length=3)[0], best)


def test_sentences_that_are_done_are_no_longer_computed():
    dropped = 0
    for seed in range(3):
        model = tiny(seed)
        for stepper in (model, Recomputing(model)):
            counting = Counting(stepper)
            lengths = [len(h.ids) for h in greedy(counting, SOURCES, max_length=9)]
            expected = [sum(n > step for n in lengths) for step in range(max(lengths))]
            assert counting.rows == expected
            dropped += min(lengths) < max(lengths)
    assert dropped  # in some of them sentences ended at different steps


@given(SEEDS, SHAPES, st.lists(st.tuples(SENTENCE, TOKENS), min_size=1, max_size=3))
@LAW
def test_forced_words_have_the_log_probabilities_of_the_forward_pass(seed, shape, pairs):
    model = tiny(seed, **shape)
    sources, targets = [s for s, _ in pairs], [[*t, TGT.eos_id] for _, t in pairs]
    for stepper in (model, Recomputing(model)):
        counting = Counting(stepper)
        found = force(counting, sources, targets)
        assert sum(counting.rows) == sum(map(len, targets))
        for source, target, values in zip(sources, targets, found, strict=True):
            rows = alone(model, source, [TGT.bos_id, *target[:-1]])
            expected = rows.gather(1, torch.tensor(target)[:, None])[:, 0].numpy()
            assert np.allclose(values, expected, atol=1e-8)


# --- without the cache ----------------------------------------------------------------------------


def test_recomputing_is_a_stepper_that_knows_what_the_model_knows():
    model = tiny()
    stepper = Recomputing(model)
    assert isinstance(stepper, Stepper)
    assert (stepper.bos_id, stepper.eos_id, stepper.never) == (
        model.bos_id,
        model.eos_id,
        model.never,
    )
    assert stepper.src_vocab is model.src_vocab
    assert stepper.tgt_vocab is model.tgt_vocab


def test_recomputing_keeps_words_and_no_cache_and_reads_all_of_them_again(monkeypatch):
    model = tiny()
    stepper, read = Recomputing(model), []
    layer = model.decoder[0]
    forward = layer.forward

    def spy(stream, *rest, **options):
        read.append(stream.shape[1])
        return forward(stream, *rest, **options)

    monkeypatch.setattr(layer, "forward", spy)
    state = stepper.start([[4, 5], [6]])
    for token in (1, 4, 5):
        _, state = stepper.step(torch.tensor([token, token]), state)
    assert read == [1, 2, 3]
    remembered, written = state
    assert remembered.caches == ()
    assert remembered.place == 0
    assert written.tolist() == [[1, 4, 5]] * 2
    read.clear()
    state = model.start([[4, 5], [6]])
    for token in (1, 4, 5):
        _, state = model.step(torch.tensor([token, token]), state)
    assert read == [1, 1, 1]


# --- a trained model ------------------------------------------------------------------------------


def test_a_model_that_has_learnt_to_copy_writes_the_same_with_cache_and_without():
    """The words p q r s stand for a b c d."""
    steps = 200
    with seeded(0):
        model = Transformer(SRC, TGT, d_model=32, n_heads=4, d_ff=64, n_layers=1)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for step in range(steps):
            words = torch.randint(4, 8, (16, 4))
            src = torch.cat([words, torch.full((16, 1), 2)], dim=1)
            tgt = torch.cat([torch.full((16, 1), 1), words], dim=1)
            logits = model(src, tgt).logits
            loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), src)
            optimiser.param_groups[0]["lr"] = 0.01 * (1 - step / steps)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    assert loss.item() < 0.2
    sources = [[4, 5, 6, 7, 2], [7, 7, 4, 5, 2]]
    for stepper in (model, Recomputing(model)):
        for found in (
            greedy(stepper, sources, max_length=9),
            [hypotheses[0] for hypotheses in beam(stepper, sources, size=4, max_length=9)],
        ):
            assert [list(h.ids) for h in found] == sources
