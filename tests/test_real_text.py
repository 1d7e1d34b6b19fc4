"""The Transformer on interface messages: nothing of what is held out is used, and it does learn."""

from __future__ import annotations

import math

import pytest
import torch

from softalign import runs
from softalign.encoder_decoder import translation_loss
from softalign.experiments import messages, real_text
from softalign.experiments.real_text import EXPERIMENT, batches, build
from softalign.positions import RotaryPositions, SinusoidalPositions
from softalign.search import translate
from softalign.training import Diverged, fit, warm_up_then_decay

NAMES = tuple(real_text.ROWS)


def row(name="transformer", seed=0, **changes):
    return {**EXPERIMENT.rows[f"{name}, seed {seed}"], **changes}


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module")
def models():
    return {name: build(row(name)) for name in NAMES}


@pytest.fixture
def few(monkeypatch):
    """Sixty short messages to train on and five to test on."""
    parts = messages.messages()
    small = {
        "train": tuple(sorted(parts["train"], key=lambda pair: len(pair.source))[:60]),
        "test": tuple(sorted(parts["test"], key=lambda pair: len(pair.source))[:5]),
    }
    known = real_text.vocabularies(small["train"])
    monkeypatch.setattr(messages, "messages", lambda: small)
    monkeypatch.setattr(messages, "_known", lambda: known)
    return small


# --- the model ------------------------------------------------------------------------------------


def test_words_of_held_out_messages_are_unknown_to_both_sides(models):
    parts = messages.messages()
    for model in models.values():
        for side, vocab in (("source", model.src_vocab), ("target", model.tgt_vocab)):
            trained = {word for pair in parts["train"] for word in getattr(pair, side)}
            assert set(vocab.words[4:]) == trained
            new = {word for pair in parts["test"] for word in getattr(pair, side)} - trained
            assert len(new) > 20
            assert {vocab.encode([word])[0] for word in new} == {vocab.unk_id}


def test_a_model_has_the_shape_that_the_row_says(models):
    kinds = {"transformer": SinusoidalPositions, "transformer, rotary": RotaryPositions}
    for name, model in models.items():
        config = row(name)
        assert len(model.encoder) == len(model.decoder) == config["n_layers"] == 2
        assert model.src_embedding.weight.shape[1] == config["d_model"] == 56
        assert model.encoder[0].attention.n_heads == config["n_heads"] == 4
        assert isinstance(model.encoder_norm, torch.nn.LayerNorm)
        assert model.output.weight is model.tgt_embedding.weight
        assert type(model.src_positions) is type(model.tgt_positions) is kinds[name]
        assert model.dropout.p == config["dropout"] == 0.2


def test_positions_cost_no_parameters_and_the_sizes_are_those_of_the_recurrent_rows(models):
    sizes = {parameters(model) for model in models.values()}
    for other in messages.EXPERIMENT.rows.values():
        sizes.add(parameters(messages.build(other)))
    assert max(sizes) <= 1.01 * min(sizes)
    stored = {stored.parameters for stored in runs.stored("real_text").values()}
    assert stored == {parameters(models["transformer"])}


def test_a_row_begins_the_same_every_time_and_seeds_differ():
    losses = []
    for seed in (0, 0, 1):
        torch.manual_seed(17)  # what was drawn before does not matter
        model = build(row(seed=seed)).eval()
        total, count = translation_loss(model, batches(row(seed=0))(0))
        losses.append(total.item() / count)
    assert losses[0] == losses[1] != losses[2]


def test_before_training_all_words_are_about_as_likely(models):
    for model in models.values():
        total, count = translation_loss(model.eval(), batches(row())(0))
        assert abs(total.item() / count - math.log(len(model.tgt_vocab))) < 1.5


def test_positions_are_the_only_difference_between_the_rows(models):
    plain, rotary = (models[name].state_dict() for name in NAMES)
    assert plain.keys() == rotary.keys()
    assert all(torch.equal(plain[key], rotary[key]) for key in plain)
    batch = batches(row())(0)
    losses = [translation_loss(model.eval(), batch)[0].item() for model in models.values()]
    assert losses[0] != losses[1]


# --- the batches ----------------------------------------------------------------------------------


def test_batches_hold_training_messages_only():
    parts = messages.messages()
    give, vocab = batches(row()), build(row()).src_vocab
    for step in (0, 7, 100):
        batch = give(step)
        assert len(batch.index) <= row()["batch_size"] == 16
        for number, ids in zip(batch.index, batch.src, strict=True):
            assert tuple(vocab.decode(ids)) == parts["train"][number].source


# --- training -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_short_training_learns_sixty_messages(few, name):
    """Two hundred steps: most of the messages are known by heart."""
    config = row(name, steps=200, warm_up=20, dropout=0.0)
    model = build(config)
    history = fit(
        model,
        batches(config),
        translation_loss,
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        schedule=warm_up_then_decay(config["warm_up"], config["steps"]),
        clip=1.0,
        seed=config["seed"],
        progress=False,
    )
    assert history.losses[-1] < 0.1 * history.losses[0]
    known = [outcome.words for outcome in translate(model, [p.source for p in few["train"]])]
    right = sum(tuple(w) == p.target for w, p in zip(known, few["train"], strict=True))
    assert right > 45


def test_a_row_reports_its_training_and_both_kinds_of_messages(few):
    outcome = real_text.train(row(steps=6, warm_up=2))
    assert len(outcome.losses) == outcome.steps == 6
    assert outcome.parameters == parameters(build(row()))
    names = {"bleu", "chrf", "exact", "unfinished", "perplexity"}
    assert set(outcome.metrics) == {f"{x}_{part}" for x in names for part in ("seen", "unseen")}
    assert outcome.metrics["perplexity_unseen"] > 1


def test_training_depends_on_the_seed_and_on_nothing_else(few):
    losses = [real_text.train(row(seed=seed, steps=4, warm_up=2)).losses for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("seed", [0, 2])
def test_dropout_is_drawn_with_the_seed_of_the_row(few, monkeypatch, seed):
    """The stored losses of a row are those of one call of `fit`, dropout included."""
    config = row(seed=seed, steps=3, warm_up=1, dropout=0.5)
    monkeypatch.setattr(real_text.shared, "translation_measures", lambda *_: {})
    expected = fit(
        build(config),
        batches(config),
        translation_loss,
        steps=3,
        learning_rate=config["learning_rate"],
        schedule=warm_up_then_decay(1, 3),
        clip=1.0,
        seed=seed,
        progress=False,
    )
    assert real_text.train(config).losses == expected.losses


def test_what_is_called_seen_was_trained_on_and_what_is_called_unseen_was_not(few, monkeypatch):
    looked_at = {}
    monkeypatch.setattr(
        real_text.shared, "translation_measures", lambda _, splits: looked_at.update(splits) or {}
    )
    real_text.train(row(steps=2, warm_up=1))
    assert looked_at == {"seen": few["train"], "unseen": few["test"]}


def test_the_learning_rate_warms_up_before_it_decays(few):
    """With no warm-up the first step is a whole one; a longer one takes a smaller first step."""
    ends = {}
    for warm_up in (1, 4):
        outcome = real_text.train(row(steps=5, warm_up=warm_up, dropout=0.0))
        ends[warm_up] = outcome.losses
    assert ends[1][0] == ends[4][0]
    assert ends[1][1] < ends[4][1]


def test_a_loss_that_is_no_number_stops_the_training(few, monkeypatch):
    def broken(model, batch):
        total, count = translation_loss(model, batch)
        return total * float("nan"), count

    monkeypatch.setattr(real_text, "translation_loss", broken)
    with pytest.raises(Diverged):
        real_text.train(row(steps=3, warm_up=1))


# --- what is stored -------------------------------------------------------------------------------


def test_stored_rows_know_what_they_have_seen_and_fail_on_what_they_have_not():
    for stored in runs.stored("real_text").values():
        assert stored.steps == messages.STEPS
        assert stored.metrics["bleu_seen"] > 2.5 * stored.metrics["bleu_unseen"]
        assert stored.metrics["perplexity_seen"] < 2 < 100 < stored.metrics["perplexity_unseen"]
        assert not any("aer" in name for name in stored.metrics)  # there are no gold links
