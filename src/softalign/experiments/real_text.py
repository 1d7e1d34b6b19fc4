"""Seven hundred interface messages translated by a Transformer: real, and too few.

Messages, batches, steps, dropout and, within 1 %, the number of parameters are those of the
recurrent models of `softalign.experiments.messages`.

Page: 07_transformer/scoreboard
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from softalign.encoder_decoder import translation_loss, vocabularies
from softalign.experiments import _translation as shared
from softalign.experiments import messages
from softalign.experiments import transformer as on_corpus
from softalign.runs import Experiment, Outcome
from softalign.training import fit, warm_up_then_decay
from softalign.transformer import Transformer

__all__ = ["EXPERIMENT", "batches", "build", "train"]

ROWS: Mapping[str, Mapping[str, Any]] = {
    "transformer": {"positions": "sinusoidal"},
    "transformer, rotary": {"positions": "rotary"},
}
batches = messages.batches


def build(config: Mapping[str, Any]) -> Transformer:
    """Make the model of a row, with the weights of its seed.

    Page: 07_transformer/scoreboard
    """
    return on_corpus.shaped(config, vocabularies(messages.messages()["train"]))


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it on messages it has seen and on messages it has not.

    Page: 07_transformer/scoreboard
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
    pairs = messages.messages()
    seen = {"seen": pairs["train"][:100], "unseen": pairs["test"]}
    metrics = shared.translation_measures(model, seen)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


EXPERIMENT = Experiment(
    "real_text",
    {
        f"{name}, seed {seed}": {
            "d_model": 56,
            "n_heads": 4,
            "d_ff": 160,
            "n_layers": 2,
            "norm": "pre",
            "scaled": True,
            "residual": True,
            "dropout": 0.2,
            **row,
            "seed": seed,
            "steps": messages.STEPS,
            "warm_up": messages.WARM_UP,
            "batch_size": messages.BATCH_SIZE,
            "learning_rate": on_corpus.LEARNING_RATE,
        }
        for name, row in ROWS.items()
        for seed in messages.SEEDS
    },
    train,
    "07_transformer/scoreboard",
)
