"""Word-for-word translation in context: three cells, one direction and two.

All rows have the same corpus, vocabularies, batches, steps, schedule, size of embedding and, within
5 %, number of parameters. They differ in the cell and in the directions. The learning rate is the
best of 0.005, 0.01, 0.02 by the validation pairs, for each cell the same. Test pairs are looked at
once, after the last step.

Page: 04_lstm/variants
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from torch import nn

from softalign.corpus import Corpus, Pair, load
from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.rnn import RNN
from softalign.runs import Experiment, Outcome
from softalign.stacks import Bidirectional
from softalign.tagger import (
    MostFrequent,
    Settled,
    Tagger,
    accuracy,
    gold_labels,
    settled,
    share_right,
    tag,
    tagging_batches,
    tagging_loss,
    vocabularies,
)
from softalign.text import Batch, Vocabulary
from softalign.training import fit, seeded, stepwise, warm_up_then_decay

__all__ = ["EXPERIMENT", "GROUPS", "baseline", "batches", "build", "group_of", "measure", "train"]

EMBEDDING, BATCH_SIZE, STEPS, WARM_UP, LEARNING_RATE = 32, 32, 1000, 50, 0.02
SEEDS = (0, 1, 2)
CELLS: Mapping[str, Callable[[int, int], nn.Module]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
# hidden units of each direction, such that every row has 148,000 to 152,000 parameters
ROWS = {
    "rnn, one": {"cell": "rnn", "directions": 1, "hidden_size": 102},
    "gru, one": {"cell": "gru", "directions": 1, "hidden_size": 86},
    "lstm, one": {"cell": "lstm", "directions": 1, "hidden_size": 81},
    "rnn, two": {"cell": "rnn", "directions": 2, "hidden_size": 53},
    "gru, two": {"cell": "gru", "directions": 2, "hidden_size": 46},
    "lstm, two": {"cell": "lstm", "directions": 2, "hidden_size": 44},
}
SPLITS = ("test", "novel", "long")
GROUPS = ("left_near", "left_far", "right_near", "right_far")


@cache
def _corpus() -> Corpus:
    return load()


@cache
def _vocabularies() -> tuple[Vocabulary, Vocabulary]:
    return vocabularies(_corpus().train)


def build(config: Mapping[str, Any]) -> Tagger:
    """Make the model of a row, with the weights of its seed.

    Page: 04_lstm/variants
    """
    cell, size = CELLS[config["cell"]], config["hidden_size"]
    with seeded(config["seed"]):
        layers = [cell(EMBEDDING, size) for _ in range(config["directions"])]
        layer = layers[0] if len(layers) == 1 else Bidirectional(*layers)
        return Tagger(*_vocabularies(), layer)


def batches(config: Mapping[str, Any]) -> Callable[[int], Batch]:
    """Make the function that gives the batch of each step of a row.

    Page: 04_lstm/variants
    """
    return stepwise(
        lambda epoch: tagging_batches(
            _corpus().train,
            *_vocabularies(),
            batch_size=config["batch_size"],
            seed=config["seed"],
            epoch=epoch,
        )
    )


def group_of(place: Settled) -> str:
    """Say on which side of an ambiguous word, and how far, stands what settles it.

    Page: 04_lstm/variants
    """
    side = "right" if place.distance > 0 else "left"
    return f"{side}_{'far' if place.far else 'near'}"


def measure(
    tagged: Callable[[Sequence[Sequence[str]]], Sequence[Sequence[str]]],
) -> dict[str, float]:
    """Measure a tagger on the validation, test, novel and long pairs.

    Parameters
    ----------
    tagged : callable
        From sentences to their labels.

    Returns
    -------
    dict
        ``accuracy_SPLIT``: share of the words whose label is right. ``right_far`` and so on: share
        of the ambiguous words of the test, novel and long pairs whose reading is right, for those
        settled far to the right; ``at_-3``: for those settled three words to the left (8 stands for
        eight and more).

    Page: 04_lstm/variants
    """
    found: dict[str, float] = {}
    pairs: list[Pair] = []
    labels: list[Sequence[str]] = []
    for split in ("validation", *SPLITS):
        part = list(getattr(_corpus(), split))
        named = tagged([pair.source for pair in part])
        found[f"accuracy_{split}"] = accuracy(named, [gold_labels(pair) for pair in part])
        if split in SPLITS:
            pairs += part
            labels += named
    places: dict[str, list[Settled]] = {}
    for place in settled(pairs):
        places.setdefault(group_of(place), []).append(place)
        places.setdefault(f"at_{max(-8, min(8, place.distance))}", []).append(place)
    distances = [f"at_{distance}" for distance in range(-8, 9) if f"at_{distance}" in places]
    return found | {name: share_right(labels, places[name]) for name in (*GROUPS, *distances)}


def baseline() -> dict[str, float]:
    """Measure the most frequent label of each Chinese word: counted, without context.

    Page: 04_lstm/variants
    """
    return measure(MostFrequent.from_training(_corpus().train).tag)


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it.

    Page: 04_lstm/variants
    """
    model = build(config)
    history = fit(
        model,
        batches(config),
        tagging_loss,
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        schedule=warm_up_then_decay(config["warm_up"], config["steps"]),
        clip=1.0,
        seed=config["seed"],
    )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    metrics = measure(lambda sentences: tag(model, sentences))
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


EXPERIMENT = Experiment(
    "tagging",
    {
        f"{name}, seed {seed}": {
            **row,
            "seed": seed,
            "steps": STEPS,
            "warm_up": WARM_UP,
            "batch_size": BATCH_SIZE,
            "learning_rate": LEARNING_RATE,
        }
        for name, row in ROWS.items()
        for seed in SEEDS
    },
    train,
    "04_lstm/variants",
)
