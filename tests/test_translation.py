"""The experiment of the translators: what is compared is comparable, and every measure is right."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from softalign.attention import AdditiveScore, GeneralScore
from softalign.corpus import Pair
from softalign.encoder_decoder import (
    EncoderDecoder,
    FixedContext,
    Memory,
    SoftAttention,
    translation_loss,
)
from softalign.experiments import _translation as shared
from softalign.experiments import translation
from softalign.experiments._translation import (
    alignment_measures,
    gradient_by_lag,
    linear_probe,
    memory_measures,
    model_perplexity,
    translation_measures,
    weights_to_links,
)
from softalign.experiments.translation import EXPERIMENT
from softalign.gru import GRU
from softalign.stacks import Bidirectional
from softalign.text import Vocabulary
from softalign.training import seeded

NAMES = [name.removesuffix(", seed 0") for name in EXPERIMENT.rows if name.endswith(", seed 0")]
SRC, TGT = (Vocabulary.from_training([list(words)]) for words in ("abcdefgh", "pqrstuvw"))


def row(name):
    return EXPERIMENT.rows[f"{name}, seed 0"]


def pair(source, target, links=None):
    """A pair of words of one letter, linked one by one if nothing else is said."""
    if links is None:
        links = {(k, k) for k in range(min(len(source), len(target)))}
    links = frozenset(links)
    return Pair(tuple(source), tuple(target), (tuple(target),), links, links, ())


def tiny(reader="none", *, hidden=3, directions=1, reverse=False, seed=0):
    with seeded(seed):
        layers = [GRU(4, hidden) for _ in range(directions)]
        encoder = layers[0] if directions == 1 else Bidirectional(*layers)
        memory = encoder.output_size
        given = {
            "none": lambda: None,
            "fixed": lambda: FixedContext(memory),
            "additive": lambda: SoftAttention(AdditiveScore(hidden, memory, 5), memory),
        }[reader]()
        decoder = GRU(4 + (memory if given else 0), hidden)
        model = EncoderDecoder(
            SRC, TGT, encoder, decoder, embedding_size=4, reader=given, reverse=reverse
        )
    with torch.no_grad():  # small weights make small numbers, in which a fault could hide
        for parameter in model.parameters():
            parameter.mul_(2)
    return model.double()


# --- the rows -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models():
    return {name: translation.build(row(name)) for name in NAMES}


def test_every_row_has_the_same_number_of_parameters_within_one_per_cent(models):
    sizes = [sum(p.numel() for p in model.parameters()) for model in models.values()]
    assert max(sizes) <= 1.01 * min(sizes)
    assert min(sizes) >= 453_000
    assert max(sizes) <= 458_000  # as the module says


def test_every_row_is_there_with_three_seeds_that_differ_in_nothing_else():
    assert len(EXPERIMENT.rows) == 3 * len(NAMES)
    for name in NAMES:
        configs = [dict(EXPERIMENT.rows[f"{name}, seed {seed}"]) for seed in range(3)]
        assert [config.pop("seed") for config in configs] == [0, 1, 2]
        assert configs[0] == configs[1] == configs[2]


@pytest.mark.parametrize(
    ("first", "second", "factor"),
    [
        ("rnn, one", "gru, one", {"cell"}),
        ("gru, one", "lstm, one", {"cell"}),
        ("rnn, two", "gru, two", {"cell"}),
        ("gru, two", "lstm, two", {"cell"}),
        ("rnn, one", "rnn, two", {"directions"}),
        ("gru, one", "gru, two", {"directions"}),
        ("lstm, one", "lstm, two", {"directions"}),
        ("gru, two", "gru, two, fixed", {"reader"}),
        ("lstm, one", "lstm, one, reversed", {"reverse"}),
        ("gru, two, fixed", "gru, two, fixed, 16", {"context_size"}),
        ("gru, two, fixed", "gru, two, fixed, 64", {"context_size"}),
        ("gru, two, fixed", "gru, two, additive", {"reader"}),
        ("gru, two, fixed", "gru, two, fixed, 3000 steps", {"steps", "warm_up"}),
        ("gru, two, additive", "gru, two, additive, 3000 steps", {"steps", "warm_up"}),
        ("gru, two, luong", "gru, two, luong, 3000 steps", {"steps", "warm_up"}),
        ("gru, two, additive", "rnn, two, additive", {"cell"}),
        ("gru, two, additive", "lstm, two, additive", {"cell"}),
        ("gru, two, additive", "gru, one, additive", {"directions"}),
        ("gru, two, additive", "gru, two, general", {"reader"}),
        ("gru, two, general", "gru, two, luong", {"reader"}),
    ],
)
def test_rows_that_are_compared_differ_in_one_thing_and_their_width(first, second, factor):
    """The width makes up for it, such that the number of parameters stays."""
    one, other = row(first), row(second)
    assert one.keys() == other.keys()
    assert {key for key in one if one[key] != other[key]} - {"hidden_size"} == factor


def test_twice_the_steps_begin_like_once_and_have_the_same_width():
    once, twice = row("gru, two, fixed"), row("gru, two, fixed, 3000 steps")
    assert once["hidden_size"] == twice["hidden_size"]
    assert twice["warm_up"] / twice["steps"] == once["warm_up"] / once["steps"]


def test_a_configuration_becomes_the_model_that_it_names(models):
    for name, model in models.items():
        config = row(name)
        assert isinstance(model.encoder, Bidirectional) == (config["directions"] == 2)
        part = model.encoder.forward_layer if config["directions"] == 2 else model.encoder
        assert type(part) is type(model.decoder) is shared.CELLS[config["cell"]]
        assert model.reverse == ("reversed" in name)
        assert model.decoder.output_size == config["hidden_size"]
    assert models["gru, two"].reader is None
    assert isinstance(models["gru, two, fixed"].reader, FixedContext)
    for name, size in (("gru, two, fixed", 206), (", 16", 16), (", 64", 64)):
        model = models[name if name.startswith("gru") else "gru, two, fixed" + name]
        assert model.initial.in_features == model.reader.output_size == size
    for kind, score, query in (
        ("additive", AdditiveScore, "previous"),
        ("general", GeneralScore, "previous"),
        ("luong", GeneralScore, "current"),
    ):
        reader = models[f"gru, two, {kind}"].reader
        assert isinstance(reader, SoftAttention)
        assert isinstance(reader.score, score)
        assert reader.query == query


def test_a_row_begins_the_same_every_time_and_seeds_differ():
    losses = []
    for seed in (0, 0, 1):
        config = EXPERIMENT.rows[f"rnn, one, seed {seed}"]
        torch.manual_seed(17)  # what was drawn before does not matter
        total, count = translation_loss(translation.build(config), translation.batches(config)(0))
        losses.append(total.item() / count)
    assert losses[0] == losses[1] != losses[2]
    assert abs(losses[0] - math.log(len(shared.known()[1]))) < 0.3


def test_the_batches_are_those_of_the_training_pairs():
    config = row("gru, two")
    first = translation.batches(config)(0)
    assert len(first.index) == config["batch_size"]
    pairs, (src_vocab, tgt_vocab) = shared.corpus().train, shared.known()
    for number, src, tgt in zip(first.index, first.src, first.tgt, strict=True):
        assert src_vocab.decode(src) == list(pairs[number].source)
        assert tgt_vocab.decode(tgt) == list(pairs[number].target)
    assert len(shared.known()[0]) == 4 + len({w for p in pairs for w in p.source})


# --- translations ---------------------------------------------------------------------------------


class Oracle(EncoderDecoder):
    """Writes the reference of every pair that it was given, word for word, and is sure of it."""

    never = ()

    def __init__(self, pairs, said=None):
        nn.Module.__init__(self)
        self.src_vocab, self.tgt_vocab = SRC, TGT
        self.bos_id, self.eos_id = TGT.bos_id, TGT.eos_id
        self.output = nn.Linear(1, 1)  # its device is asked for
        self.reply = {
            tuple(SRC.encode(p.source, eos=True)): TGT.encode((said or {}).get(p, p.target))
            for p in pairs
        }

    def _log_probs(self, source, place):
        real = tuple(token for token in source if token != SRC.pad_id)
        written = [*self.reply[real], self.eos_id]
        scores = torch.full((len(TGT),), -50.0)
        scores[written[place] if place < len(written) else self.eos_id] = 50.0
        return scores.log_softmax(-1)

    def forward(self, src, tgt, mask=None):
        rows = [[self._log_probs(s.tolist(), j) for j in range(tgt.shape[1])] for s in src]

        class Found:
            logits = torch.stack([torch.stack(r) for r in rows])

        return Found

    def start(self, sources):
        return [(tuple(source), 0) for source in sources]

    def step(self, tokens, state):
        found = torch.stack([self._log_probs(source, place) for source, place in state])
        return found, [(source, place + 1) for source, place in state]

    def reorder(self, state, rows):
        return [state[k] for k in rows.tolist()]


SHORT = [pair("ab", "pqrst"), pair("cd", "qrstu"), pair("abc", "rstuv")]
LONG = [pair("abcdefgh" * 6, "pqrstuvw" * 5), pair("hgfedcba" * 6, "wvutsrqp" * 5)]


def test_a_translator_that_returns_the_reference_gets_every_mark_there_is():
    found = translation_measures(Oracle(SHORT + LONG), {"test": SHORT, "long": LONG, "deep": SHORT})
    for split in ("test", "long", "deep"):
        assert found[f"bleu_{split}"] == pytest.approx(100)
        assert found[f"chrf_{split}"] == pytest.approx(100)
        assert found[f"exact_{split}"] == 1
        assert found[f"unfinished_{split}"] == 0
        assert found[f"perplexity_{split}"] == pytest.approx(1)
    for label in ("1-8", "41+"):
        for end in ("", "_low", "_high"):
            assert found[f"exact_{label}{end}"] == 1
            assert found[f"bleu_{label}{end}"] == pytest.approx(100)
    assert not [key for key in found if "9-16" in key]  # no such sentence: left out, not 0


def test_sentences_are_counted_in_the_bucket_of_their_source():
    wrong = LONG[0]  # said wrongly; its target has 40 words, its source 48
    found = translation_measures(
        Oracle(SHORT + LONG, {wrong: ("p",)}), {"test": SHORT, "long": LONG, "novel": [wrong]}
    )
    assert found["exact_1-8"] == 1
    assert found["exact_41+"] == 0.5
    assert (found["exact_41+_low"], found["exact_41+_high"]) == (0, 1)
    assert "exact_33-40" not in found
    assert found["exact_long"] == 0.5
    assert found["exact_novel"] == 0


def test_the_edges_are_counted_in_chinese_words_without_the_end_symbol():
    eight, nine = pair("abcdefgh", "pqrst"), pair("abcdefgha", "qrstu")
    found = translation_measures(Oracle([eight, nine], {nine: ("p",)}), {"test": [eight, nine]})
    assert (found["exact_1-8"], found["exact_9-16"]) == (1, 0)


def test_without_test_and_long_pairs_there_are_no_buckets():
    found = translation_measures(Oracle(SHORT), {"validation": SHORT})
    assert {key.split("_")[1] for key in found} == {"validation"}


def test_a_translation_that_never_ends_is_unfinished():
    oracle = Oracle(SHORT)
    oracle.reply[tuple(SRC.encode(SHORT[0].source, eos=True))] = TGT.encode(["p"] * 500)
    found = translation_measures(oracle, {"test": SHORT})
    assert found["unfinished_test"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("reader", ["none", "additive"])
def test_the_perplexity_is_that_of_the_loss_counted_pair_by_pair(reader):
    model = tiny(reader)
    pairs = [pair("abc", "pq"), pair("a", "rstuv"), pair("fgh", "p"), pair("bb", "")]
    total, count = 0.0, 0
    for one in pairs:
        src = torch.tensor([SRC.encode(one.source, eos=True)])
        tgt = TGT.encode(one.target, bos=True, eos=True)
        log_probs = model(src, torch.tensor([tgt[:-1]])).logits[0].log_softmax(-1)
        total += sum(log_probs[j, word].item() for j, word in enumerate(tgt[1:]))
        count += len(one.target) + 1
    assert model_perplexity(model, pairs) == pytest.approx(math.exp(-total / count))


def test_measures_leave_the_model_in_training_and_without_gradients():
    model = tiny("fixed")
    model.train()
    model_perplexity(model, SHORT)
    translation_measures(model, {"test": SHORT})
    memory_measures(model, {"train": LONG, "test": LONG})
    gradient_by_lag(model, SHORT)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.src_embedding._forward_hooks


# --- probes ---------------------------------------------------------------------------------------


def test_a_probe_finds_the_label_that_a_linear_map_of_the_vector_gives():
    rng = np.random.default_rng(0)
    true, bias = rng.normal(size=(12, 5)), rng.normal(size=5)
    inputs = rng.normal(size=(3000, 12))
    labels = (inputs @ true + bias).argmax(1)
    weights = linear_probe(inputs[:2000], labels[:2000], 5)
    assert weights.shape == (13, 5)
    guessed = (np.hstack([inputs[2000:], np.ones((1000, 1))]) @ weights).argmax(1)
    assert (guessed == labels[2000:]).mean() > 0.75  # of 5 labels


def test_a_probe_of_vectors_that_spell_the_label_makes_no_mistake():
    labels = np.arange(60) % 6
    weights = linear_probe(np.eye(6)[labels], labels, 6)
    assert ((np.hstack([np.eye(6), np.ones((6, 1))]) @ weights).argmax(1) == np.arange(6)).all()


def test_a_probe_of_noise_only_guesses():
    rng = np.random.default_rng(1)
    labels = rng.choice(4, size=4000, p=[0.7, 0.1, 0.1, 0.1])
    inputs = rng.normal(size=(4000, 10))
    weights = linear_probe(inputs[:3000], labels[:3000], 4)
    guessed = (np.hstack([inputs[3000:], np.ones((1000, 1))]) @ weights).argmax(1)
    assert (guessed == 0).all()  # the bias alone decides: the most frequent label


@pytest.mark.parametrize("ridge", [0.1, 1.0, 30.0])
def test_a_probe_is_the_least_squares_of_the_one_hot_labels_with_ridge_rows_added(ridge):
    rng = np.random.default_rng(2)
    inputs, labels = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    joined = np.vstack([np.hstack([inputs, np.ones((40, 1))]), np.sqrt(ridge) * np.eye(4)])
    goal = np.vstack([np.eye(4)[labels], np.zeros((4, 4))])
    expected = np.linalg.lstsq(joined, goal, rcond=None)[0]
    np.testing.assert_allclose(linear_probe(inputs, labels, 4, ridge=ridge), expected, atol=1e-10)


class Telling(EncoderDecoder):
    """Its summary spells the source word at a place; its contexts are what a function says."""

    def __init__(self, place, contexts=None):
        nn.Module.__init__(self)
        self.src_vocab, self.tgt_vocab = SRC, TGT
        self.place, self.contexts = place, contexts
        self.initial = nn.Linear(len(SRC), 1)
        self.reader = None if contexts is None else contexts

    def encode(self, src, mask):
        place = min(self.place, src.shape[1] - 1)
        return Memory(torch.zeros(*src.shape, 1), mask, torch.eye(len(SRC))[src[:, place]])

    def begin(self, memory):
        return memory.summary

    def decode(self, memory, tgt, state):
        class Found:
            contexts = self.contexts(state, tgt)

        return Found


def some_pairs(number=300, low=2, high=9, seed=0):
    """Words drawn one by one, all lengths from 16 words on among them: every place is there."""
    rng = np.random.default_rng(seed)
    lengths = [16, 17, *rng.integers(low, high, size=number - 2)]
    odds = [0.3] + [0.1] * 7
    drawn = [rng.choice(list("abcdefgh"), size=length, p=odds).tolist() for length in lengths]
    return [pair(source, ["p"] * len(source)) for source in drawn]


@pytest.mark.parametrize("place", [1, 2, 4, 8])
def test_the_probe_reads_the_place_in_the_summary_and_guesses_elsewhere(place):
    data = {name: some_pairs(300, 9, 18, seed=k) for k, name in enumerate(("train", "test"))}
    found = memory_measures(Telling(place - 1), data)
    for probed in (1, 2, 4, 8):
        accuracy, guess = found[f"probe_at_{probed}"], found[f"probe_at_{probed}_guess"]
        if probed == place:
            assert accuracy == 1
            assert guess < 0.5
        else:
            assert abs(accuracy - guess) < 0.12  # 300 sentences: one standard deviation is 0.026
    assert "probe_linked" not in found
    assert "context_variance" not in found  # there is no reader


def test_the_guess_is_the_most_frequent_word_of_the_training_pairs():
    train = [pair("aab" + "c" * 13, "p")] * 3 + [pair("b" * 16, "p")] * 2
    test = [pair("b" * 16, "p")] * 3 + [pair("a" * 16, "p")]
    found = memory_measures(Telling(0), {"train": train, "test": test})
    assert found["probe_at_1_guess"] == 0.25  # a: three of five in training, one of four in test
    assert found["probe_at_16_guess"] == 0  # c


def test_only_sentences_that_have_the_place_are_asked():
    test = [pair("ab", "p"), pair("cdef" * 4, "p"), pair("ab", "p")]  # one has a fourth word
    found = memory_measures(Telling(3), {"train": some_pairs(200, 16, 18), "test": test})
    assert found["probe_at_4"] == 1


class Noise(Telling):
    """Its summary is drawn anew for each sentence: there is nothing to read."""

    def __init__(self):
        super().__init__(0)
        self.initial = nn.Linear(150, 1)

    def encode(self, src, mask):
        rows = [np.random.default_rng(row).normal(size=150) for row in src.tolist()]
        return Memory(torch.zeros(*src.shape, 1), mask, torch.tensor(np.array(rows)))


def test_a_probe_is_judged_on_sentences_that_it_was_not_fitted_on():
    data = {name: some_pairs(100, 9, 18, seed=k) for k, name in enumerate(("train", "test"))}
    found = memory_measures(Noise(), data)
    assert found["probe_at_1"] < 0.4  # fitted on the test sentences: 1
    swapped = {"train": data["test"], "test": data["test"]}
    assert memory_measures(Noise(), swapped)["probe_at_1"] > 0.9


def test_what_the_reader_gives_at_a_step_is_held_against_the_word_linked_to_that_step():
    """The context at step j spells the source word j; links lead to it, or past it by one."""

    def following(state, tgt):  # contexts of shape (batch, tgt, vocabulary)
        return torch.eye(len(SRC))[tgt]

    ids = {SRC.encode([s])[0]: t for s, t in zip("abcdefgh", "pqrstuvw", strict=True)}
    said = {t: s for s, t in zip("abcdefgh", "pqrstuvw", strict=True)}
    assert len(ids) == len(said) == 8

    def linked(shift):
        rng, found = np.random.default_rng(3), []
        for _ in range(120):
            target = rng.choice(list("pqrstuvw"), size=16).tolist()
            source = [said[word] for word in target]
            links = {(i, i + shift) for i in range(16) if 0 <= i + shift < 16}
            found.append(pair(source, target, links))
        return {"train": found[:80], "test": found[80:]}

    # the context of step j was made from <s> y_1 … y_{j-1}: it spells the word before
    assert memory_measures(Telling(0, following), linked(1))["probe_linked"] == 1
    assert memory_measures(Telling(0, following), linked(0))["probe_linked"] < 0.4


def test_the_variance_of_the_contexts_is_split_between_and_within_sentences():
    def counting(state, tgt):  # sentences a: 0, 2, 0, 2 …; sentences b: 4, 6, 4, 6 …
        first = 4.0 * state[:, SRC.encode(["b"])[0], None, None]
        return first + torch.arange(tgt.shape[1])[None, :, None] % 2 * 2

    data = [pair("a" * 16, "pqpq"), pair("b" * 16, "pqpq")]
    found = memory_measures(Telling(0, counting), {"train": data, "test": data})
    # within: 1 around each sentence's mean; in all: (9 + 1 + 1 + 9) / 4 around 3
    assert found["context_variance"] == pytest.approx(1 / 5)


def test_contexts_that_are_fixed_do_not_vary_within_a_sentence_and_attention_does():
    data = {name: some_pairs(40, 3, 18, seed=k) for k, name in enumerate(("train", "test"))}
    assert memory_measures(tiny("fixed"), data)["context_variance"] == pytest.approx(0, abs=1e-20)
    assert memory_measures(tiny("additive"), data)["context_variance"] > 0.001


# --- weights and links ----------------------------------------------------------------------------

WEIGHTS = np.array(
    [  # x1   x2   x3   end
        [0.7, 0.1, 0.1, 0.1],  # y1
        [0.1, 0.1, 0.2, 0.6],  # y2
        [0.1, 0.6, 0.2, 0.1],  # y3
        [0.1, 0.1, 0.5, 0.3],  # end
    ]
)


def test_each_target_word_is_linked_to_its_largest_weight_unless_it_is_the_end():
    assert weights_to_links(WEIGHTS) == {(0, 0), (1, 2)}


def test_a_shift_takes_the_weights_of_the_row_before_or_after():
    assert weights_to_links(WEIGHTS, shift=1) == {(1, 1), (2, 2)}  # the end's row is y3's
    assert weights_to_links(WEIGHTS, shift=-1) == {(0, 1)}  # y1 has no row before, y3's is the end
    assert weights_to_links(WEIGHTS, shift=4) == weights_to_links(WEIGHTS, shift=-3) == set()


def test_the_end_symbol_is_no_target_word():
    assert weights_to_links(np.array([[0.9, 0.1]])) == set()


def test_weights_are_held_against_the_gold_links(monkeypatch):
    monkeypatch.setattr(shared, "align", lambda model, sources, targets: [WEIGHTS])
    found = alignment_measures(tiny("additive"), [pair("abc", "pqr", {(0, 0), (1, 2)})])
    assert found["aer"] == 0
    # {(1, 1), (2, 2)} and {(0, 1)}: none of them is gold
    assert found["aer_shift_+1"] == found["aer_shift_-1"] == 1
    rows = WEIGHTS[:3]  # target words only
    assert found["weight_on_end"] == pytest.approx((0.1 + 0.6 + 0.1) / 3)
    assert found["entropy"] == pytest.approx(float(-(rows * np.log(rows)).sum(1).mean()))


def test_a_weight_of_zero_adds_nothing_to_the_entropy(monkeypatch):
    monkeypatch.setattr(shared, "align", lambda model, sources, targets: [np.eye(3)])
    assert alignment_measures(tiny("additive"), [pair("ab", "pq")])["entropy"] == 0


# --- gradients ------------------------------------------------------------------------------------


def log_prob(model, one, j):
    src = torch.tensor([SRC.encode(one.source, eos=True)])
    tgt = torch.tensor([TGT.encode(one.target, bos=True)])
    word = TGT.encode(one.target)[j]
    return float(model(src, tgt).logits[0].log_softmax(-1)[j, word])


def finite_difference(model, one, i, j, delta=1e-5):
    """Norm of the slope of log P(y_j) in the embedding of x_i, a word that occurs once."""
    weight = model.src_embedding.weight
    (row,) = SRC.encode([one.source[i]])
    slopes = []
    for k in range(weight.shape[1]):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[row, k] += sign * delta
                values.append(log_prob(model, one, j))
                weight[row, k] -= sign * delta
        slopes.append((values[0] - values[1]) / (2 * delta))
    return float(np.linalg.norm(slopes))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("reader", "directions"), [("none", 1), ("fixed", 2), ("additive", 1)])
def test_the_gradient_is_the_finite_difference_at_the_linked_word(reader, directions, reverse):
    model = tiny(reader, directions=directions, reverse=reverse)
    one = pair("abcde", "pqr", {(1, 0), (4, 0), (0, 2)})
    slopes = [finite_difference(model, one, i, j) for i, j in sorted(one.sure)]
    assert len({round(slope, 6) for slope in slopes}) == 3  # a wrong place would show
    found = gradient_by_lag(model, [one] * 20, every=1)
    assert list(found) == ["gradient_lag_1-10"]
    assert found["gradient_lag_1-10"] == pytest.approx(np.mean(slopes), rel=1e-5)


def test_lags_are_grouped_by_the_steps_from_reading_to_writing():
    model = tiny("none")
    one = pair("abcde", "pqrs", {(4, 0), (3, 0), (0, 3)})  # lags 1, 2 and 8
    slopes = {lag: finite_difference(model, one, *link) for lag, link in LAGS.items()}
    found = gradient_by_lag(model, [one] * 20, every=1, width=2)
    assert list(found) == ["gradient_lag_1-2", "gradient_lag_7-8"]
    near = (slopes[1] + slopes[2]) / 2
    assert found["gradient_lag_1-2"] == pytest.approx(near, rel=1e-5)
    assert found["gradient_lag_7-8"] == pytest.approx(slopes[8], rel=1e-5)


LAGS = {1: (4, 0), 2: (3, 0), 8: (0, 3)}


def test_groups_of_few_links_are_left_out_and_links_may_be_thinned():
    model, one = tiny("none"), pair("abcd", "pqrs")
    assert gradient_by_lag(model, [one] * 4, every=1) == {}  # 16 links
    assert list(gradient_by_lag(model, [one] * 5, every=1)) == ["gradient_lag_1-10"]  # 20
    assert gradient_by_lag(model, [one] * 19) == {}  # every fourth: one a sentence
    assert list(gradient_by_lag(model, [one] * 20)) == ["gradient_lag_1-10"]


# --- the whole ------------------------------------------------------------------------------------


def test_a_row_is_trained_and_measured_as_the_module_says(monkeypatch):
    """On a hundredth of the corpus, for three steps: which metrics are there, and which not."""
    whole = shared.corpus()
    few = whole._replace(
        **{name: getattr(whole, name)[:40] for name in ("validation", "test", "novel", "deep")},
        train=whole.train[:200],
        long=whole.long[:4],
    )
    monkeypatch.setattr(shared, "corpus", lambda: few)
    for name in ("gru, two, fixed", "gru, two, luong", "rnn, one"):
        config = {**row(name), "steps": 3, "warm_up": 1, "hidden_size": 8, "context_size": None}
        outcome = translation.train(config)
        assert len(outcome.losses) == outcome.steps == 3
        kinds = Counter(key.split("_")[0] for key in outcome.metrics)
        for kind in ("bleu", "exact"):
            assert kinds[kind] >= 5 + 3
        for kind in ("chrf", "perplexity", "unfinished"):
            assert kinds[kind] == 5
        assert ("aer" in outcome.metrics) == ("luong" in name)
        assert ("context_variance" in outcome.metrics) == (name != "rnn, one")
        assert all(math.isfinite(value) for value in outcome.metrics.values())
