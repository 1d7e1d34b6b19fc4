"""Seven hundred interface messages translated, with attention and without: real, and too few.

The messages are those of the installed Sphinx, so every machine that builds the book has them.
Both rows have the same pairs, vocabularies, batches, steps, learning rate and number of parameters
within 5 %. Every eighth message is held out; none that is held out has its Chinese or its English
among those trained on.

Page: 06_attention/attention_alignment
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from softalign.aligner import align as count_links
from softalign.corpus import Pair
from softalign.encoder_decoder import (
    EncoderDecoder,
    align,
    translation_batches,
    translation_loss,
    vocabularies,
)
from softalign.experiments import _translation as shared
from softalign.parallel import sphinx_messages
from softalign.runs import Experiment, Outcome
from softalign.text import Batch, Vocabulary, tokenise
from softalign.training import fit, stepwise, warm_up_then_decay

__all__ = ["EXPERIMENT", "batches", "build", "messages", "train"]

STEPS, WARM_UP, BATCH_SIZE, LEARNING_RATE = 1500, 150, 16, 0.005
SEEDS = (0, 1, 2)
EVERY = 8
ROWS: Mapping[str, Mapping[str, Any]] = {
    "fixed": {"reader": "fixed", "hidden_size": 69},
    "additive": {"reader": "additive", "hidden_size": 64},
}


@cache
def messages() -> dict[str, tuple[Pair, ...]]:
    """Return the messages to train on and to test on, as pairs of words without gold links.

    Chinese is cut into words by jieba; English is written small.

    Returns
    -------
    dict
        "train" and "test".

    Page: 06_attention/attention_alignment
    """
    pairs: list[Pair] = []
    for message in sphinx_messages()[0]:
        source = tuple(tokenise(message.source, "word"))
        target = tuple(tokenise(message.target.lower(), "word"))
        pairs.append(Pair(source, target, (target,), frozenset(), frozenset(), ()))
    held_out = pairs[::EVERY]
    sources, targets = {p.source for p in held_out}, {p.target for p in held_out}
    train = [p for p in pairs if p.source not in sources and p.target not in targets]
    return {"train": tuple(train), "test": tuple(held_out)}


@cache
def _known() -> tuple[Vocabulary, Vocabulary]:
    return vocabularies(messages()["train"])


def build(config: Mapping[str, Any]) -> EncoderDecoder:
    """Make the model of a row, with the weights of its seed.

    Page: 06_attention/attention_alignment
    """
    return shared.build(config, _known())


def batches(config: Mapping[str, Any]) -> Callable[[int], Batch]:
    """Make the function that gives the batch of each step of a row.

    Page: 06_attention/attention_alignment
    """
    return stepwise(
        lambda epoch: translation_batches(
            messages()["train"],
            *_known(),
            batch_size=config["batch_size"],
            seed=config["seed"],
            epoch=epoch,
        )
    )


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it on messages it has seen and on messages it has not.

    Page: 06_attention/attention_alignment
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
    pairs = messages()
    seen = {"seen": pairs["train"][:100], "unseen": pairs["test"]}
    metrics = shared.translation_measures(model, seen)
    if config["reader"] == "additive":
        metrics |= _shared_links(model)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


def _shared_links(model: EncoderDecoder) -> dict[str, float]:
    """Compare the links of the attention with those that counting finds in the same messages.

    There are no gold links here: agreement of two methods is not truth.
    """
    pairs = messages()["train"]
    counted = count_links([(pair.source, pair.target) for pair in pairs])
    weights = align(model, [pair.source for pair in pairs], [pair.target for pair in pairs])
    learnt = [shared.weights_to_links(rows) for rows in weights]
    both = sum(len(a & b) for a, b in zip(counted, learnt, strict=True))
    return {
        "attention_in_counted": both / sum(map(len, learnt)),
        "counted_in_attention": both / sum(map(len, counted)),
    }


EXPERIMENT = Experiment(
    "messages",
    {
        f"{name}, seed {seed}": {
            "cell": "gru",
            "directions": 2,
            "context_size": None,
            "reverse": False,
            "embedding_size": 48,
            "dropout": 0.2,
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
    "06_attention/attention_alignment",
)
