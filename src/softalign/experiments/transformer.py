"""The running task translated by Transformers that differ from one of them in one thing.

The rows have the same corpus, vocabularies, batches, number of steps, learning rate and search
(greedy) as those of `softalign.experiments.translation` have among each other, the same layers and
sizes, and within 1 % the same number of parameters, which is that of the recurrent models within
1 %; only learned positions bring along a table, of 9 %. The learning rate is the best of 0.003,
0.004 and 0.006 by the validation pairs. Test pairs are looked at once, after the last step.

Page: 07_transformer/ablations
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from softalign.encoder_decoder import translation_loss
from softalign.experiments import _heads, translation
from softalign.experiments import _translation as shared
from softalign.runs import Experiment, Outcome
from softalign.training import Diverged, fit, seeded, warm_up_then_decay
from softalign.transformer import Transformer

__all__ = ["EXPERIMENT", "batches", "build", "loss_of", "train"]

STEPS, WARM_UP, BATCH_SIZE, LEARNING_RATE = 1500, 150, 32, 0.004
SEEDS = (0, 1, 2)
PLAIN: Mapping[str, Any] = {
    "d_model": 80,
    "n_heads": 4,
    "d_ff": 232,
    "n_layers": 2,
    "positions": "sinusoidal",
    "norm": "pre",
    "scaled": True,
    "residual": True,
    "smoothing": 0.0,
    "steps": STEPS,
    "warm_up": WARM_UP,
    "batch_size": BATCH_SIZE,
    "learning_rate": LEARNING_RATE,
}
ROWS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "rotary": {"positions": "rotary"},
    "rotary, 3000 steps": {"positions": "rotary", "steps": 2 * STEPS, "warm_up": 2 * WARM_UP},
    "learned positions": {"positions": "learned"},
    "linear bias": {"positions": "linear bias"},
    "learned bias": {"positions": "learned bias"},
    "no positions": {"positions": "none"},
    "not scaled": {"scaled": False},
    "no residual": {"residual": False},
    "post-norm": {"norm": "post"},
    "no norm": {"norm": "none"},
    "1 head": {"n_heads": 1},
    "8 heads": {"n_heads": 8},
    "no warm-up": {"warm_up": 0},
    "post-norm, no warm-up": {"norm": "post", "warm_up": 0},
    "label smoothing": {"smoothing": 0.1},
}
batches = translation.batches


def build(config: Mapping[str, Any]) -> Transformer:
    """Make the model of a row, with the weights of its seed.

    Page: 07_transformer/transformer
    """
    return shaped(config, shared.known())


def shaped(config: Mapping[str, Any], known: tuple) -> Transformer:
    """Make the model of a configuration for a pair of vocabularies.

    Page: 07_transformer/transformer
    """
    names = ("d_model", "n_heads", "d_ff", "n_layers", "positions", "norm", "scaled", "residual")
    options = {name: config[name] for name in names}
    with seeded(config["seed"]):
        return Transformer(*known, dropout=config.get("dropout", 0.0), **options)


def loss_of(config: Mapping[str, Any]) -> Callable[..., tuple[torch.Tensor, int]]:
    """Make the loss of a row.

    Page: 07_transformer/transformer
    """
    return lambda model, batch: translation_loss(model, batch, smoothing=config["smoothing"])


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it.

    A row that diverges is measured with the last weights that had a finite loss.

    Page: 07_transformer/ablations
    """
    model = build(config)
    try:
        history = fit(
            model,
            batches(config),
            loss_of(config),
            steps=config["steps"],
            learning_rate=config["learning_rate"],
            schedule=warm_up_then_decay(config["warm_up"], config["steps"]),
            clip=1.0,
            seed=config["seed"],
        )
    except Diverged as stop:
        history = stop.history
    corpus = shared.corpus()
    splits = ("validation", "test", "novel", "deep", "long")
    metrics = shared.translation_measures(model, {name: getattr(corpus, name) for name in splits})
    metrics |= _heads.alignment_of_heads(model, corpus.validation, corpus.test)
    if all(config[name] == value for name, value in PLAIN.items()):
        metrics |= _heads.pruning(model, corpus.validation, corpus.test)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    steps = len(history.losses)
    return Outcome(history.losses, metrics, parameters, steps, history.seconds)


EXPERIMENT = Experiment(
    "transformer",
    {
        f"{name}, seed {seed}": {**PLAIN, **row, "seed": seed}
        for seed in SEEDS
        for name, row in ROWS.items()
    },
    train,
    "07_transformer/ablations",
)
