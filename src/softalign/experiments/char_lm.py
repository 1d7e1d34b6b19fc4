"""Character language models on NumPy's prose: six recurrent layers of one size of memory.

Each row has the same text, vocabulary, batches, steps, embedding and, within 5 %, number of
parameters; rows differ in the layer. The learning rate of each is the best of those tried on the
validation text with seed 0: 0.003, 0.006, 0.012, 0.024, and 0.048 for the LSTMs without
normalisation, for which 0.024 was best so far. Every tenth sentence is validation, the one after it
is test.

Page: 02_rnn/rnn
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from torch import nn

from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.metrics import bits_per_char
from softalign.prose import prose
from softalign.recurrent_lm import RecurrentLM, evaluate_lm, sentence_batches, sentence_loss
from softalign.rnn import RNN
from softalign.runs import Experiment, Outcome
from softalign.stacks import SkipLayer, Stacked
from softalign.text import Batch, Vocabulary
from softalign.training import fit, seeded, stepwise, warm_up_then_decay

__all__ = ["EXPERIMENT", "SPACE", "batches", "build", "characters", "layer", "train", "vocabulary"]

SPACE = "␣"
"""Stands for the space between two words: a token may not be white space."""

EMBEDDING, BATCH_SIZE, STEPS, WARM_UP = 64, 16, 400, 50
SEEDS = (0, 1, 2)
# hidden units such that every row has 98,000 to 99,000 parameters; learning rate by validation
ROWS = {
    "rnn": {"layer": "rnn", "hidden_size": 256, "learning_rate": 0.012},
    "gru": {"layer": "gru", "hidden_size": 142, "learning_rate": 0.012},
    "lstm": {"layer": "lstm", "hidden_size": 120, "learning_rate": 0.048},
    "stacked": {"layer": "stacked", "hidden_size": 77, "learning_rate": 0.048},
    "residual": {"layer": "residual", "hidden_size": 77, "learning_rate": 0.024},
    "skip": {"layer": "skip", "hidden_size": 77, "learning_rate": 0.048},
}


def _two(size: int, *, skip: int = 1, **options: bool) -> nn.Module:
    above = LSTM(size, size)
    return Stacked(
        [LSTM(EMBEDDING, size), SkipLayer(above, skip) if skip > 1 else above], **options
    )


LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "rnn": lambda size: RNN(EMBEDDING, size),
    "gru": lambda size: GRU(EMBEDDING, size),
    "lstm": lambda size: LSTM(EMBEDDING, size),
    "stacked": lambda size: _two(size),
    "residual": lambda size: _two(size, residual=True, normalise=True),
    "skip": lambda size: _two(size, skip=4),
}


@cache
def characters() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """NumPy's prose as characters, in three parts.

    Returns
    -------
    mapping from ``train``, ``validation`` and ``test`` to sentences
        Tuples of characters; the space between two words is `SPACE`.

    Page: 02_rnn/rnn
    """
    sentences = tuple(tuple(SPACE.join(sentence)) for sentence in prose())
    return {
        "train": tuple(s for number, s in enumerate(sentences) if number % 10 > 1),
        "validation": sentences[::10],
        "test": sentences[1::10],
    }


@cache
def vocabulary() -> Vocabulary:
    """Characters of the training part.

    Page: 02_rnn/rnn
    """
    return Vocabulary.from_training(characters()["train"])


def layer(config: Mapping[str, Any]) -> nn.Module:
    """Make the recurrent layer of a row, with weights drawn from torch's generator.

    Page: 04_lstm/variants
    """
    return LAYERS[config["layer"]](config["hidden_size"])


def build(config: Mapping[str, Any]) -> RecurrentLM:
    """Make the model of a row, with the weights of its seed.

    Page: 02_rnn/rnn
    """
    with seeded(config["seed"]):
        return RecurrentLM(len(vocabulary()), layer(config))


def batches(config: Mapping[str, Any]) -> Callable[[int], Batch]:
    """Make the function that gives the batch of each step of a row.

    Page: 02_rnn/rnn
    """
    return stepwise(
        lambda epoch: sentence_batches(
            characters()["train"],
            vocabulary(),
            batch_size=config["batch_size"],
            seed=config["seed"],
            epoch=epoch,
        )
    )


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row, and measure it on the validation and the test sentences.

    Page: 02_rnn/rnn
    """
    model = build(config)
    history = fit(
        model,
        batches(config),
        sentence_loss,
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        schedule=warm_up_then_decay(config["warm_up"], config["steps"]),
        clip=1.0,
        seed=config["seed"],
    )
    metrics = {}
    for part in ("validation", "test"):
        found = evaluate_lm(model, characters()[part], vocabulary())
        # a token is a character, so each prediction is one
        metrics[f"bits_per_char_{part}"] = bits_per_char(found.log_prob, found.predictions)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


EXPERIMENT = Experiment(
    "char_lm",
    {
        f"{name}, seed {seed}": {
            **row,
            "seed": seed,
            "steps": STEPS,
            "warm_up": WARM_UP,
            "batch_size": BATCH_SIZE,
        }
        for name, row in ROWS.items()
        for seed in SEEDS
    },
    train,
    "02_rnn/rnn",
)
