"""The experiments with Transformers: rows that can be compared, and configurations that arrive."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from softalign.encoder_decoder import translation_loss
from softalign.experiments import _heads, messages, real_text, translation
from softalign.experiments import _translation as shared
from softalign.experiments import transformer as experiment
from softalign.experiments.transformer import EXPERIMENT, ROWS, SEEDS
from softalign.positions import (
    LearnedBias,
    LearnedPositions,
    LinearBias,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
)
from softalign.search import translate
from softalign.training import Diverged, History, warm_up_then_decay
from softalign.training.loss import cross_entropy

NAMES = tuple(ROWS)


def row(name, seed=0):
    return EXPERIMENT.rows[f"{name}, seed {seed}"]


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.fixture(scope="module")
def models():
    return {name: experiment.build(row(name)) for name in NAMES}


@pytest.fixture
def unmeasured(monkeypatch):
    """Nothing is measured: for tests of what comes before."""
    monkeypatch.setattr(_heads, "alignment_of_heads", lambda *_: {})
    monkeypatch.setattr(shared, "translation_measures", lambda model, splits: {"seen": 1.0})


@pytest.fixture
def few(monkeypatch):
    """A little of the corpus, its shortest test sentences, with the vocabularies of the whole."""
    shared.known()
    whole = shared.corpus()
    splits = ("validation", "test", "novel", "deep", "long")
    part = whole._replace(
        train=whole.train[:100],
        **{name: sorted(getattr(whole, name), key=lambda p: len(p.source))[:3] for name in splits},
    )
    monkeypatch.setattr(shared, "corpus", lambda: part)
    return part


# --- the rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "than", "change"),
    [
        ("rotary", "plain", {"positions": "rotary"}),
        ("rotary, 3000 steps", "rotary", {"steps": 3000, "warm_up": 300}),
        ("learned positions", "plain", {"positions": "learned"}),
        ("linear bias", "plain", {"positions": "linear bias"}),
        ("learned bias", "plain", {"positions": "learned bias"}),
        ("no positions", "plain", {"positions": "none"}),
        ("not scaled", "plain", {"scaled": False}),
        ("no residual", "plain", {"residual": False}),
        ("post-norm", "plain", {"norm": "post"}),
        ("no norm", "plain", {"norm": "none"}),
        ("1 head", "plain", {"n_heads": 1}),
        ("8 heads", "plain", {"n_heads": 8}),
        ("no warm-up", "plain", {"warm_up": 0}),
        ("post-norm, no warm-up", "post-norm", {"warm_up": 0}),
        ("post-norm, no warm-up", "no warm-up", {"norm": "post"}),
        ("label smoothing", "plain", {"smoothing": 0.1}),
    ],
)
def test_a_row_differs_in_what_its_name_says_and_in_nothing_else(name, than, change):
    for seed in SEEDS:
        one, other = row(name, seed), row(than, seed)
        assert one.keys() == other.keys()
        assert {key: one[key] for key in one if one[key] != other[key]} == change


def test_the_plain_row_is_the_one_the_page_describes():
    assert dict(row("plain")) == {
        "d_model": 80,
        "n_heads": 4,
        "d_ff": 232,
        "n_layers": 2,
        "positions": "sinusoidal",
        "norm": "pre",
        "scaled": True,
        "residual": True,
        "smoothing": 0.0,
        "steps": 1500,
        "warm_up": 150,
        "batch_size": 32,
        "learning_rate": 0.004,
        "seed": 0,
    }


def test_every_row_is_there_with_three_seeds_that_differ_in_nothing_else():
    assert len(EXPERIMENT.rows) == 3 * len(NAMES)
    for name in NAMES:
        configs = [dict(row(name, seed)) for seed in range(3)]
        assert [config.pop("seed") for config in configs] == [0, 1, 2]
        assert configs[0] == configs[1] == configs[2]


def test_rows_have_the_number_of_parameters_of_the_plain_one_within_one_per_cent(models):
    plain = parameters(models["plain"])
    for name, model in models.items():
        extra = 2 * 256 * 80 if name == "learned positions" else 0  # the tables of both sides
        assert abs(parameters(model) - extra - plain) <= 0.01 * plain, name
    assert parameters(models["learned positions"]) == plain + 2 * 256 * 80


def test_the_recurrent_models_have_as_many_parameters_within_one_per_cent(models):
    plain = parameters(models["plain"])
    for name in ("gru, two, fixed", "gru, two, additive", "lstm, two", "gru, two, luong"):
        recurrent = translation.build(translation.EXPERIMENT.rows[f"{name}, seed 0"])
        assert abs(parameters(recurrent) - plain) <= 0.01 * plain, name


def test_steps_batches_and_their_size_are_those_of_the_recurrent_models(few):
    ours, theirs = row("plain", 1), translation.EXPERIMENT.rows["gru, two, additive, seed 1"]
    for key in ("steps", "warm_up", "batch_size"):
        assert ours[key] == theirs[key]
    assert experiment.batches is translation.batches
    one, other = (experiment.batches(row("plain", seed))(0) for seed in (1, 2))
    assert len(one.index) == len(other.index) == 32
    assert not np.array_equal(one.index, other.index)


# --- the configuration reaches the model ----------------------------------------------------------


def test_sizes_arrive(models):
    for name, model in models.items():
        config = row(name)
        assert len(model.encoder) == len(model.decoder) == config["n_layers"]
        assert model.src_embedding.weight.shape[1] == config["d_model"]
        assert model.output.weight is model.tgt_embedding.weight
        assert model.dropout.p == 0
        for layer in (*model.encoder, *model.decoder):
            assert layer.network.W_1.shape == (config["d_model"], config["d_ff"])
            for part in layer.modules():
                if hasattr(part, "n_heads"):
                    assert part.n_heads == config["n_heads"]
                    assert part.scaled == config["scaled"]
                if hasattr(part, "residual"):
                    assert part.residual == config["residual"]
                    assert part.place == config["norm"]
                    kind = nn.Identity if config["norm"] == "none" else nn.LayerNorm
                    assert type(part.norm) is kind
        last = nn.LayerNorm if config["norm"] == "pre" else nn.Identity
        assert type(model.encoder_norm) is type(model.decoder_norm) is last


def test_positions_arrive_on_both_sides(models):
    kinds = {
        "plain": SinusoidalPositions,
        "rotary": RotaryPositions,
        "learned positions": LearnedPositions,
        "linear bias": LinearBias,
        "learned bias": LearnedBias,
        "no positions": Positions,
    }
    for name, kind in kinds.items():
        assert type(models[name].src_positions) is type(models[name].tgt_positions) is kind
    assert models["rotary"].src_positions.head_dim == 20


def test_other_sizes_arrive_too():
    config = {**row("plain"), "d_model": 24, "d_ff": 7, "n_layers": 3, "n_heads": 2, "dropout": 0.3}
    model = experiment.build(config)
    assert len(model.encoder) == len(model.decoder) == 3
    assert model.encoder[2].network.W_1.shape == (24, 7)
    assert model.decoder[0].cross_attention.n_heads == 2
    assert model.dropout.p == model.decoder[1].around_cross.dropout.p == 0.3


def test_a_model_begins_the_same_every_time_and_seeds_differ():
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(17 + len(drawn))  # what was drawn before does not matter
        before = torch.get_rng_state()
        drawn.append(experiment.build(row("plain", seed)).src_embedding.weight)
        assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_smoothing_reaches_the_loss_and_padding_gets_none_of_it(few):
    config = row("plain")
    model = experiment.build(config)
    with torch.no_grad():  # a model that is right about the end: then smoothing counts
        model.output.bias[model.eos_id] = 10
    batch = experiment.batches(config)(3)
    plain, count = experiment.loss_of(config)(model, batch)
    smoothed, same = experiment.loss_of(row("label smoothing"))(model, batch)
    assert count == same == int((batch.tgt_lengths - 1).sum())
    assert plain.item() == translation_loss(model, batch)[0].item()
    mask = torch.arange(batch.src.shape[1]) < torch.as_tensor(batch.src_lengths)[:, None]
    with torch.no_grad():
        logits = model(torch.as_tensor(batch.src), torch.as_tensor(batch.tgt[:, :-1]), mask).logits
    labels = torch.as_tensor(batch.tgt[:, 1:])
    counted = torch.arange(labels.shape[1]) < torch.as_tensor(batch.tgt_lengths - 1)[:, None]
    excluded = model.tgt_vocab.pad_id, model.tgt_vocab.bos_id
    expected, _ = cross_entropy(logits, labels, counted, smoothing=0.1, excluded=excluded)
    assert smoothed.item() == pytest.approx(expected.item(), rel=1e-5)
    assert abs(smoothed.item() - plain.item()) > 1e-3 * plain.item()


# --- training -------------------------------------------------------------------------------------


def test_what_is_trained_is_what_the_configuration_says(monkeypatch, few, unmeasured):
    """Model, batches, loss, steps, learning rate, schedule and seed, as `fit` gets them."""
    seen = []

    def spy(model, batch_of, loss_of, **options):
        seen.append((model, batch_of, loss_of, options))
        return History((5.0, 4.0), (1.0, 1.0), (), 2, 2, 0.25)

    monkeypatch.setattr(experiment, "fit", spy)
    config = {**row("label smoothing", 2), "steps": 9, "warm_up": 3, "learning_rate": 0.125}
    config |= {"d_model": 8, "d_ff": 4, "n_layers": 1}
    outcome = experiment.train(config)
    ((model, batch_of, loss_of, options),) = seen
    assert options.pop("schedule")(1) == warm_up_then_decay(3, 9)(1) != 1
    assert options == {"steps": 9, "learning_rate": 0.125, "clip": 1.0, "seed": 2}
    assert torch.equal(model.src_embedding.weight, experiment.build(config).src_embedding.weight)
    batch = batch_of(1)
    assert np.array_equal(batch.tgt, experiment.batches(config)(1).tgt)
    expected, _ = translation_loss(model, batch, smoothing=0.1)
    assert loss_of(model, batch)[0].item() == expected.item()
    assert outcome.losses == (5.0, 4.0)
    assert outcome.steps == 2
    assert outcome.seconds == 0.25
    assert outcome.parameters == parameters(model)


def test_a_row_that_diverges_is_measured(monkeypatch, few, unmeasured):
    def diverge(model, *_, **__):
        raise Diverged("no", 2, History((7.0, 9.0), (1.0, 1.0), (), 2, 2, 0.5))

    monkeypatch.setattr(experiment, "fit", diverge)
    outcome = experiment.train({**row("no norm"), "d_model": 8, "d_ff": 4, "n_layers": 1})
    assert outcome.losses == (7.0, 9.0)
    assert outcome.steps == 2
    assert outcome.metrics == {"seen": 1.0}


def test_a_row_is_trained_and_measured_as_the_module_says(few):
    """For three steps: which metrics there are, and that they are of the trained model."""
    for name in ("1 head", "post-norm"):
        config = {**row(name), "steps": 3, "warm_up": 1, "d_model": 8, "d_ff": 4, "n_layers": 1}
        outcome = experiment.train(config)
        assert len(outcome.losses) == outcome.steps == 3
        assert all(math.isfinite(value) for value in outcome.metrics.values())
        for split in ("validation", "test", "novel", "deep", "long"):
            for metric in ("bleu", "chrf", "exact", "perplexity", "unfinished"):
                assert f"{metric}_{split}" in outcome.metrics
        for key in ("aer", "aer_layer_1", "aer_shift_+1", "entropy_layer_1"):
            assert key in outcome.metrics
        assert ("divergence_layer_1" in outcome.metrics) == (name == "post-norm")
        assert not any("without" in key for key in outcome.metrics)


def test_only_the_plain_rows_lose_their_heads(monkeypatch, few, unmeasured):
    monkeypatch.setattr(experiment, "fit", lambda *_, **__: History((1.0,), (1.0,), (), 1, 1, 0.0))
    looked = []

    def pruning(model, validation, test):
        looked.append((validation, test))
        return {"pruned": 1.0}

    monkeypatch.setattr(_heads, "pruning", pruning)
    for name in NAMES:
        assert ("pruned" in experiment.train(row(name, 1)).metrics) == (name == "plain")
    assert looked == [(few.validation, few.test)]


def test_each_split_is_measured_under_its_own_name(monkeypatch, few):
    monkeypatch.setattr(experiment, "fit", lambda *_, **__: History((1.0,), (1.0,), (), 1, 1, 0.0))
    seen = {}
    monkeypatch.setattr(
        _heads, "alignment_of_heads", lambda model, *pairs: {"aer": seen.update(pairs=pairs) or 0.0}
    )
    monkeypatch.setattr(
        shared, "translation_measures", lambda model, splits: seen.update(splits) or {}
    )
    assert experiment.train(row("rotary")).metrics == {"aer": 0.0}
    assert seen.pop("pairs") == (few.validation, few.test)
    assert seen == {
        name: getattr(few, name) for name in ("validation", "test", "novel", "deep", "long")
    }


# --- real text ------------------------------------------------------------------------------------


def test_real_rows_differ_in_positions_and_seed_only():
    rows = real_text.EXPERIMENT.rows
    free = {"positions", "seed"}
    rest = [{k: v for k, v in config.items() if k not in free} for config in rows.values()]
    assert all(config == rest[0] for config in rest)
    assert {name: (c["positions"], c["seed"]) for name, c in rows.items()} == {
        f"{name}, seed {seed}": (positions, seed)
        for name, positions in (("transformer", "sinusoidal"), ("transformer, rotary", "rotary"))
        for seed in range(3)
    }


def test_steps_batches_and_dropout_are_those_of_the_recurrent_models_on_messages():
    assert real_text.batches is messages.batches
    ours = real_text.EXPERIMENT.rows["transformer, seed 1"]
    theirs = messages.EXPERIMENT.rows["additive, seed 1"]
    for key in ("steps", "warm_up", "batch_size", "dropout"):
        assert ours[key] == theirs[key]
    assert ours["learning_rate"] == row("plain")["learning_rate"]


def test_the_models_of_real_text_know_the_messages_and_have_the_size_of_the_recurrent_ones():
    recurrent = messages.build(messages.EXPERIMENT.rows["additive, seed 0"])
    for name in real_text.ROWS:
        config = real_text.EXPERIMENT.rows[f"{name}, seed 0"]
        model = real_text.build(config)
        assert model.src_vocab.words == recurrent.src_vocab.words
        assert model.tgt_vocab.words == recurrent.tgt_vocab.words
        assert abs(parameters(model) - parameters(recurrent)) <= 0.01 * parameters(recurrent)
        assert model.dropout.p == 0.2
        assert model.encoder[0].around_attention.dropout.p == 0.2
        kind = {"sinusoidal": SinusoidalPositions, "rotary": RotaryPositions}[config["positions"]]
        assert type(model.src_positions) is kind


def test_a_real_row_is_trained_and_measured_on_seen_and_unseen_messages(monkeypatch):
    parts = messages.messages()
    small = {"train": parts["train"][:120], "test": parts["test"][:7]}
    monkeypatch.setattr(messages, "messages", lambda: small)
    monkeypatch.setattr(messages, "_known", lambda: real_text.vocabularies(small["train"]))
    seen = {}
    measure = shared.translation_measures
    monkeypatch.setattr(
        shared,
        "translation_measures",
        lambda model, splits: seen.update(splits) or measure(model, splits),
    )
    config = {**real_text.EXPERIMENT.rows["transformer, seed 0"], "steps": 3, "warm_up": 1}
    config |= {"d_model": 8, "d_ff": 4, "n_layers": 1}
    outcome = real_text.train(config)
    assert len(outcome.losses) == outcome.steps == 3
    assert seen == {"seen": small["train"][:100], "unseen": small["test"]}
    for part in ("seen", "unseen"):
        for metric in ("bleu", "chrf", "exact", "perplexity"):
            assert math.isfinite(outcome.metrics[f"{metric}_{part}"])
    assert outcome.parameters == parameters(real_text.build(config))


def test_what_is_trained_on_real_text_is_what_the_configuration_says(monkeypatch):
    seen = []

    def spy(model, batch_of, loss_of, **options):
        seen.append((model, batch_of, loss_of, options))
        return History((5.0,), (1.0,), (), 1, 1, 0.25)

    monkeypatch.setattr(real_text, "fit", spy)
    monkeypatch.setattr(shared, "translation_measures", lambda model, splits: {})
    config = {**real_text.EXPERIMENT.rows["transformer, seed 2"], "steps": 9, "warm_up": 3}
    real_text.train(config)
    ((model, batch_of, loss_of, options),) = seen
    assert options.pop("schedule")(1) == warm_up_then_decay(3, 9)(1)
    assert options == {"steps": 9, "learning_rate": 0.004, "clip": 1.0, "seed": 2}
    assert np.array_equal(batch_of(2).src, messages.batches(config)(2).src)
    assert loss_of is translation_loss
    assert torch.equal(model.output.weight, real_text.build(config).output.weight)


def test_a_short_training_learns(few):
    """Twenty-five steps on a hundred pairs: the loss falls by a nat."""
    config = {**row("plain"), "steps": 25, "warm_up": 5, "d_model": 32, "d_ff": 32, "n_layers": 1}
    model = experiment.build(config)
    history = experiment.fit(
        model,
        experiment.batches(config),
        experiment.loss_of(config),
        steps=25,
        learning_rate=0.01,
        schedule=warm_up_then_decay(5, 25),
        seed=0,
        progress=False,
    )
    assert history.losses[0] - min(history.losses[-5:]) > 1
    assert all(found.words is not None for found in translate(model, [["她", "忙"]]))
