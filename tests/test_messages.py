"""The experiment on interface messages: nothing leaks, sizes are equal, links are counted right."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch

from softalign.corpus import Pair
from softalign.encoder_decoder import FixedContext, SoftAttention, translation_loss
from softalign.experiments import messages as experiment
from softalign.experiments.messages import EVERY, EXPERIMENT, batches, build, messages
from softalign.parallel import sphinx_messages
from softalign.stacks import Bidirectional


@pytest.fixture(scope="module")
def parts():
    return messages()


@pytest.fixture(scope="module")
def models():
    return {name: build(EXPERIMENT.rows[f"{name}, seed 0"]) for name in ("fixed", "additive")}


# --- the pairs ------------------------------------------------------------------------------------


def test_no_message_that_is_held_out_is_trained_on_in_either_language(parts):
    for side in ("source", "target"):
        held_out = {getattr(pair, side) for pair in parts["test"]}
        assert not held_out & {getattr(pair, side) for pair in parts["train"]}


def test_every_eighth_message_is_held_out_and_the_others_are_kept_unless_they_leak(parts):
    everything = sphinx_messages()[0]
    assert len(parts["test"]) == len(everything[::EVERY])
    left_out = len(everything) - len(parts["test"]) - len(parts["train"])
    assert 0 <= left_out <= 20  # messages that repeat one that is held out
    assert len(parts["train"]) > 6 * len(parts["test"])


def test_the_pairs_are_words_without_gold_links(parts):
    for pair in (*parts["train"], *parts["test"]):
        assert pair.source
        assert pair.target == tuple(word.lower() for word in pair.target)
        assert pair.references == (pair.target,)
        assert not pair.sure
        assert not pair.possible
        assert not any(" " in word or not word for word in (*pair.source, *pair.target))


def test_the_vocabularies_are_those_of_the_training_messages(parts, models):
    for model in models.values():
        assert set(model.src_vocab.words[4:]) == {w for p in parts["train"] for w in p.source}
        assert set(model.tgt_vocab.words[4:]) == {w for p in parts["train"] for w in p.target}
        unseen = {w for p in parts["test"] for w in p.source} - set(model.src_vocab.words)
        assert unseen  # real text: the held-out messages have words of their own


# --- the rows -------------------------------------------------------------------------------------


def test_rows_differ_in_the_reader_its_size_and_the_seed_only():
    free = {"reader", "hidden_size", "seed"}
    rest = [{k: v for k, v in c.items() if k not in free} for c in EXPERIMENT.rows.values()]
    assert all(row == rest[0] for row in rest)
    names = {name.split(",")[0] for name in EXPERIMENT.rows}
    assert {(name, seed) for name in names for seed in range(3)} == {
        (config["reader"], config["seed"]) for config in EXPERIMENT.rows.values()
    }


def test_both_models_have_the_same_number_of_parameters_within_five_per_cent(models):
    sizes = [sum(p.numel() for p in model.parameters()) for model in models.values()]
    assert max(sizes) <= 1.05 * min(sizes)


def test_a_configuration_becomes_the_model_that_it_names(models):
    for name, kind in (("fixed", FixedContext), ("additive", SoftAttention)):
        model, config = models[name], EXPERIMENT.rows[f"{name}, seed 0"]
        assert isinstance(model.reader, kind)
        assert isinstance(model.encoder, Bidirectional)
        assert model.decoder.output_size == config["hidden_size"]
        assert model.dropout.p == config["dropout"] == 0.2
        assert not model.reverse
    assert models["additive"].reader.query == "previous"


def test_a_row_begins_the_same_every_time_and_seeds_differ():
    losses = []
    for seed in (0, 0, 1):
        config = EXPERIMENT.rows[f"additive, seed {seed}"]
        torch.manual_seed(17)  # what was drawn before does not matter
        model = build(config).eval()
        total, count = translation_loss(model, batches(config)(0))
        losses.append(total.item() / count)
    assert losses[0] == losses[1] != losses[2]
    assert abs(losses[0] - math.log(len(model.tgt_vocab))) < 0.3


def test_both_rows_read_the_same_batches_of_the_training_messages(parts, models):
    fixed, additive = (
        batches(EXPERIMENT.rows[f"{name}, seed 1"])(5) for name in ("fixed", "additive")
    )
    assert np.array_equal(fixed.src, additive.src)
    assert np.array_equal(fixed.tgt, additive.tgt)
    assert len(fixed.index) == EXPERIMENT.rows["fixed, seed 1"]["batch_size"]
    model = models["fixed"]
    for number, src, tgt in zip(fixed.index, fixed.src, fixed.tgt, strict=True):
        assert tuple(model.src_vocab.decode(src)) == parts["train"][number].source
        assert tuple(model.tgt_vocab.decode(tgt)) == parts["train"][number].target


def test_an_epoch_shows_every_training_message_once(parts):
    config = EXPERIMENT.rows["fixed, seed 0"]
    give = batches(config)
    steps = math.ceil(len(parts["train"]) / config["batch_size"])
    seen = [number for step in range(steps) for number in give(step).index]
    assert sorted(seen) == list(range(len(parts["train"])))


# --- the measures ---------------------------------------------------------------------------------


def test_training_looks_at_a_hundred_messages_it_has_seen_and_at_all_that_it_has_not(
    monkeypatch, parts
):
    looked_at = {}

    def measures(model, splits):
        looked_at.update(splits)
        return {"bleu_seen": 1.0}

    monkeypatch.setattr(experiment.shared, "translation_measures", measures)
    config = {**EXPERIMENT.rows["fixed, seed 0"], "steps": 2, "warm_up": 1}
    outcome = experiment.train(config)
    assert looked_at == {"seen": parts["train"][:100], "unseen": parts["test"]}
    assert outcome.metrics == {"bleu_seen": 1.0}  # and no links, for there is no attention
    assert len(outcome.losses) == outcome.steps == 2
    assert outcome.parameters == sum(p.numel() for p in build(config).parameters())


def test_shared_links_are_counted_as_by_hand(monkeypatch, models):
    """Three attention links, four counted links, two in both."""
    pair = Pair(("甲", "乙"), ("a", "b", "c"), (("a", "b", "c"),), frozenset(), frozenset(), ())
    rows = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.7, 0.2], [0.0, 0.0, 1.0]])
    monkeypatch.setattr(experiment, "messages", lambda: {"train": (pair,)})
    monkeypatch.setattr(experiment, "count_links", lambda pairs: [{(0, 0), (0, 1), (1, 1), (0, 2)}])
    monkeypatch.setattr(experiment, "align", lambda model, sources, targets: [rows])
    found = experiment._shared_links(models["additive"])
    assert found == {"attention_in_counted": 2 / 3, "counted_in_attention": 2 / 4}


def test_a_word_whose_weight_lies_on_the_end_symbol_proposes_no_link(monkeypatch, models):
    pair = Pair(("甲",), ("a", "b"), (("a", "b"),), frozenset(), frozenset(), ())
    rows = np.array([[0.3, 0.7], [0.9, 0.1], [0.0, 1.0]])
    monkeypatch.setattr(experiment, "messages", lambda: {"train": (pair,)})
    monkeypatch.setattr(experiment, "count_links", lambda pairs: [{(0, 0), (0, 1)}])
    monkeypatch.setattr(experiment, "align", lambda model, sources, targets: [rows])
    found = experiment._shared_links(models["additive"])
    assert found == {"attention_in_counted": 1.0, "counted_in_attention": 0.5}


def test_links_are_shared_over_all_messages_together_not_averaged(monkeypatch, models):
    short = Pair(("甲",), ("a",), (("a",),), frozenset(), frozenset(), ())
    long = Pair(("甲", "乙", "丙"), ("a", "b", "c"), (("a", "b", "c"),), *[frozenset()] * 2, ())
    sharp = [np.array([[0.9, 0.1], [0.1, 0.9]]), np.eye(4)]
    monkeypatch.setattr(experiment, "messages", lambda: {"train": (short, long)})
    monkeypatch.setattr(experiment, "count_links", lambda pairs: [{(0, 0)}, {(1, 0)}])
    monkeypatch.setattr(experiment, "align", lambda model, sources, targets: sharp)
    found = experiment._shared_links(models["additive"])
    assert found == {"attention_in_counted": 1 / 4, "counted_in_attention": 1 / 2}


def test_what_makes_a_row_stale_is_what_it_is_trained_with():
    """Every number of the module's head is in the configuration, and so in the digest."""
    config = EXPERIMENT.rows["additive, seed 2"]
    for key in ("steps", "warm_up", "batch_size", "learning_rate"):
        assert config[key] == getattr(experiment, key.upper())
    assert all(isinstance(value, int | float | str | bool | None) for value in config.values())
    used = inspect.getsource(experiment.train) + inspect.getsource(experiment.batches)
    for key in ("steps", "warm_up", "batch_size", "learning_rate", "seed"):
        assert f'config["{key}"]' in used
