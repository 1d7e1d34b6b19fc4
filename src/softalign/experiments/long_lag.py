"""How far back can a recurrent layer learn to look? Two tasks, five lags, five layers.

*Adding*: two of many numbers are marked, and their sum is asked at the end; a value must be kept.
*Recall*: one of four symbols comes first, and is asked at the end; two bits must be kept. Rows of
one task have the same batches, steps and, within 5 %, number of parameters; they differ in the
layer and in how it begins: ``orthogonal`` is an RNN with orthogonal recurrent weights, ``lstm-b5``
an LSTM with a forget bias of 5 instead of 1. The learning rate of each is the best of 0.001, 0.003
and 0.01 on adding at lag 10, or on recall at lag 25, with a seed that is not stored.

Page: 03_bptt/gradients
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from softalign.gradient_flow import orthogonal
from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.rnn import RNN
from softalign.runs import Experiment, Outcome
from softalign.synthetic import Labelled, LastOutput, accuracy, adding, first_symbol
from softalign.training import cross_entropy, fit, seeded

__all__ = [
    "EXPERIMENT",
    "LAGS",
    "SEEDS",
    "batches",
    "build",
    "loss_of",
    "row",
    "share_right",
    "train",
]

LAGS, SEEDS = (5, 10, 25, 50, 100), (0, 1, 2)
SYMBOLS, DISTRACTORS, CLOSE = 4, 4, 0.1
TEST_STEP, TEST_SIZE = 10**6, 1000  # far beyond the steps of training
SIZES = {  # hidden units, for 4,353 to 4,513 parameters (adding) and 4,932 to 5,088 (recall)
    "adding": {"rnn": 64, "orthogonal": 64, "gru": 36, "lstm": 32},
    "recall": {"orthogonal": 64, "lstm": 31, "lstm-b5": 31},
}
RATES = {  # by an equal score, the middle one
    "adding": {"rnn": 0.01, "orthogonal": 0.01, "gru": 0.01, "lstm": 0.01},
    "recall": {"orthogonal": 0.003, "lstm": 0.01, "lstm-b5": 0.01},
}
FORGET = {"lstm": 1.0, "lstm-b5": 5.0}
STEPS = {"adding": 600, "recall": 500}
RECALL_LAGS = LAGS[2:4]


def _layer(name: str, features: int, hidden: int) -> nn.Module:
    if name == "gru":
        return GRU(features, hidden)
    if name in FORGET:
        return LSTM(features, hidden, forget_bias=FORGET[name])
    layer = RNN(features, hidden)
    if name == "orthogonal":
        with torch.no_grad():
            layer.W_hh.copy_(orthogonal(hidden))
    return layer


def build(config: Mapping[str, Any]) -> LastOutput:
    """Make the model of a row, with the weights of its seed.

    Page: 03_bptt/gradients
    """
    features, outputs = (2, 1) if config["task"] == "adding" else (SYMBOLS + DISTRACTORS, SYMBOLS)
    with seeded(config["seed"]):
        return LastOutput(_layer(config["layer"], features, config["hidden_size"]), outputs)


def _batch(config: Mapping[str, Any], step: int, size: int) -> Labelled:
    if config["task"] == "adding":
        return adding(step, length=config["lag"], seed=config["seed"], batch_size=size)
    return first_symbol(
        step,
        lag=config["lag"],
        seed=config["seed"],
        batch_size=size,
        symbols=SYMBOLS,
        distractors=DISTRACTORS,
    )


def batches(config: Mapping[str, Any]) -> Callable[[int], Labelled]:
    """Make the function that gives the batch of each step of a row.

    Page: 03_bptt/gradients
    """
    return lambda step: _batch(config, step, config["batch_size"])


def loss_of(model: nn.Module, batch: Labelled) -> tuple[Tensor, int]:
    """Squared error of a value, cross-entropy of a class: the sum over the batch, and its size.

    Page: 03_bptt/gradients
    """
    predicted = model(batch.inputs)
    if batch.labels.is_floating_point():
        return ((predicted[:, 0] - batch.labels) ** 2).sum(), len(batch.labels)
    return cross_entropy(predicted, batch.labels)


def share_right(model: nn.Module, config: Mapping[str, Any]) -> float:
    """Share of 1,000 new sequences that are answered rightly: the sum to 0.1, or the symbol.

    Page: 03_bptt/gradients
    """
    batch = _batch(config, TEST_STEP, TEST_SIZE)
    if config["task"] == "recall":
        return accuracy(model, batch)
    with torch.no_grad():
        errors = model(batch.inputs)[:, 0] - batch.labels
    return (errors.abs() < CLOSE).float().mean().item()


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row, and measure its accuracy on new sequences.

    Page: 03_bptt/gradients
    """
    model = build(config)
    history = fit(
        model,
        batches(config),
        loss_of,
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        clip=1.0,
        seed=config["seed"],
    )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    metrics = {"accuracy": share_right(model, config)}
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


def row(task: str, layer: str, lag: int, seed: int) -> str:
    """Name of a row.

    >>> row("adding", "rnn", 25, 0)
    'adding, rnn, lag 25, seed 0'

    Page: 03_bptt/gradients
    """
    return f"{task}, {layer}, lag {lag}, seed {seed}"


EXPERIMENT = Experiment(
    "long_lag",
    {
        row(task, layer, lag, seed): {
            "task": task,
            "layer": layer,
            "hidden_size": hidden,
            "lag": lag,
            "seed": seed,
            "steps": STEPS[task],
            "learning_rate": RATES[task][layer],
            "batch_size": 32,
        }
        for task, sizes in SIZES.items()
        for layer, hidden in sizes.items()
        for lag in (LAGS if task == "adding" else RECALL_LAGS)
        for seed in SEEDS
    },
    train,
    "03_bptt/gradients",
)
