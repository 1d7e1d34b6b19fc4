"""The running task translated: what the decoder is told of the source, and how.

All rows have the same corpus, vocabularies, batches, steps, schedule, learning rate, embedding,
search (greedy) and, within 5 %, number of parameters. Rows that a page compares differ in one
thing: the cell; the directions of the encoder; what the decoder is told of the source (the summary
as its initial state only, at every step too, or an average made anew by attention); the size of the
summary; the order of reading; the score of the attention; the number of steps. The learning rate is
the better of 0.005 and 0.01 by the validation pairs, one for all. Test pairs are looked at once,
after the last step.

Page: 05_encoder_decoder/bottleneck
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from softalign.encoder_decoder import EncoderDecoder, translation_batches, translation_loss
from softalign.experiments import _translation as shared
from softalign.runs import Experiment, Outcome
from softalign.text import Batch
from softalign.training import fit, stepwise, warm_up_then_decay

__all__ = ["EXPERIMENT", "batches", "build", "train"]

BATCH_SIZE, STEPS, WARM_UP, LEARNING_RATE = 32, 1500, 150, 0.005
SEEDS = (0, 1, 2)
# hidden units of the decoder and of each direction, such that every row has 453,000 to 458,000
# parameters
ROWS: Mapping[str, Mapping[str, Any]] = {
    "gru, two, fixed": {"cell": "gru", "reader": "fixed", "hidden_size": 103},
    "gru, two, additive": {"cell": "gru", "reader": "additive", "hidden_size": 96},
    "lstm, two": {"cell": "lstm", "hidden_size": 110},
    "gru, two": {"cell": "gru", "hidden_size": 127},
    "rnn, two": {"cell": "rnn", "hidden_size": 204},
    "lstm, one": {"cell": "lstm", "directions": 1, "hidden_size": 141},
    "gru, one": {"cell": "gru", "directions": 1, "hidden_size": 163},
    "rnn, one": {"cell": "rnn", "directions": 1, "hidden_size": 264},
    "lstm, one, reversed": {
        "cell": "lstm",
        "directions": 1,
        "reverse": True,
        "hidden_size": 141,
    },
    "gru, two, fixed, 16": {
        "cell": "gru",
        "reader": "fixed",
        "context_size": 16,
        "hidden_size": 133,
    },
    "gru, two, fixed, 64": {
        "cell": "gru",
        "reader": "fixed",
        "context_size": 64,
        "hidden_size": 121,
    },
    "rnn, two, additive": {"cell": "rnn", "reader": "additive", "hidden_size": 143},
    "lstm, two, additive": {"cell": "lstm", "reader": "additive", "hidden_size": 85},
    "gru, two, general": {"cell": "gru", "reader": "general", "hidden_size": 98},
    "gru, two, luong": {"cell": "gru", "reader": "luong", "hidden_size": 115},
    "gru, one, additive": {
        "cell": "gru",
        "directions": 1,
        "reader": "additive",
        "hidden_size": 127,
    },
}
LONGER = ("gru, two, fixed", "gru, two, additive", "gru, two, luong")
"""Rows that are also trained for twice the steps."""


def build(config: Mapping[str, Any]) -> EncoderDecoder:
    """Make the model of a row, with the weights of its seed.

    Page: 05_encoder_decoder/bottleneck
    """
    return shared.build(config, shared.known())


def batches(config: Mapping[str, Any]) -> Callable[[int], Batch]:
    """Make the function that gives the batch of each step of a row.

    Page: 05_encoder_decoder/bottleneck
    """
    return stepwise(
        lambda epoch: translation_batches(
            shared.corpus().train,
            *shared.known(),
            batch_size=config["batch_size"],
            seed=config["seed"],
            epoch=epoch,
        )
    )


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it.

    Page: 05_encoder_decoder/bottleneck
    """
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
    )
    corpus = shared.corpus()
    splits = ("validation", "test", "novel", "deep", "long")
    metrics = shared.translation_measures(model, {name: getattr(corpus, name) for name in splits})
    probes = {"train": corpus.train[:5000], "test": corpus.test}
    metrics |= shared.memory_measures(model, probes)
    metrics |= shared.gradient_by_lag(model, corpus.test[:200])
    if config["reader"] not in ("none", "fixed"):
        metrics |= shared.alignment_measures(model, corpus.test)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


def _rows() -> dict[str, dict[str, Any]]:
    plain = {
        "directions": 2,
        "reader": "none",
        "context_size": None,
        "reverse": False,
        "embedding_size": 64,
        "dropout": 0.0,
        "steps": STEPS,
        "warm_up": WARM_UP,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
    }
    twice = {
        f"{name}, {2 * STEPS} steps": {**ROWS[name], "steps": 2 * STEPS, "warm_up": 2 * WARM_UP}
        for name in LONGER
    }
    return {
        f"{name}, seed {seed}": {**plain, **row, "seed": seed}
        for seed in SEEDS
        for name, row in {**ROWS, **twice}.items()
    }


EXPERIMENT = Experiment("translation", _rows(), train, "05_encoder_decoder/bottleneck")
