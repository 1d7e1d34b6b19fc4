"""The statistical systems of chapter 1 on all splits of the running task, and on real messages.

"word for word" takes for each word its likeliest English by the linked words, in the order of the
Chinese. "phrase-based" is tuned: phrases, language model, reordering. Both read off the links of
two HMMs trained by agreement, on the training pairs and, for the error rate of the links, the test
pairs. The seed is that of the tuning's starts; nothing else is drawn. Steps are EM iterations.

Page: 07_transformer/scoreboard
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from softalign.aligner import align
from softalign.corpus import Pair
from softalign.experiments import messages
from softalign.experiments._translation import EDGES, corpus
from softalign.ibm import index, train_ibm1
from softalign.interfaces import Translator
from softalign.language_model import train as train_language_model
from softalign.metrics import (
    aer,
    bleu_statistics,
    by_bucket,
    chrf,
    exact_match_statistics,
)
from softalign.phrases import build_table
from softalign.runs import Experiment, Outcome
from softalign.stack_decoder import FEATURES, UNTUNED, StackDecoder, tune

__all__ = ["EXPERIMENT", "build", "measures", "train"]

SEEDS = (0, 1, 2)
EM_STEPS = 5
TUNED_ON = 150
"""Validation pairs that the weights are tuned on; of the messages, the last of the training."""


@cache
def _pairs(text: str) -> tuple[tuple[Pair, ...], tuple[Pair, ...], dict[str, Sequence[Pair]]]:
    """Pairs to train on, pairs to tune on, pairs to test on."""
    if text == "messages":
        parts = messages.messages()
        train_on, tune_on = parts["train"][:-80], parts["train"][-80:]
        return train_on, tune_on, {"seen": parts["train"][:100], "unseen": parts["test"]}
    data = corpus()
    splits = ("validation", "test", "novel", "deep", "long")
    return data.train, data.validation[:TUNED_ON], {name: getattr(data, name) for name in splits}


@cache
def _links(text: str) -> tuple[list, list]:
    """Links of the training pairs, and of the test pairs where there are gold ones."""
    train_on, _, splits = _pairs(text)
    more = splits.get("test", ())
    links = align([(pair.source, pair.target) for pair in (*train_on, *more)])
    return links[: len(train_on)], links[len(train_on) :]


def build(config: Mapping[str, Any]) -> StackDecoder:
    """Train the system of a row.

    Page: 07_transformer/scoreboard
    """
    train_on, tune_on, _ = _pairs(config["text"])
    links, _ = _links(config["text"])
    pairs = [(pair.source, pair.target) for pair in train_on]
    english = train_language_model([pair.target for pair in train_on], config["order"])
    if config["system"] == "word for word":
        alone = {**dict.fromkeys(FEATURES, 0.0), "phrase_direct": 1.0, "copied": -10.0}
        table = build_table(pairs, links, max_length=1)
        return StackDecoder(table, english, alone, beam=10, max_options=10, distortion_limit=0)
    table = build_table(pairs, links)
    plain = StackDecoder(table, english, UNTUNED, beam=10, max_options=10, distortion_limit=10)
    sources = [pair.source for pair in tune_on]
    references = [pair.references for pair in tune_on]
    tuned, _ = tune(
        plain, sources, references, rounds=3, n=50, starts=1, seed=config["seed"], progress=False
    )
    return tuned


def measures(system: Translator, splits: Mapping[str, Sequence[Pair]]) -> dict[str, float]:
    """Translate, and score each split as a whole, and the test and long pairs by length.

    Returns
    -------
    dict
        As `softalign.experiments.translation` has them, without perplexities.

    Page: 07_transformer/scoreboard
    """
    found: dict[str, float] = {}
    said = {name: [system.translate(p.source) for p in part] for name, part in splits.items()}
    for name, pairs in splits.items():
        references = [pair.references for pair in pairs]
        found[f"bleu_{name}"] = bleu_statistics(said[name], references).value
        found[f"chrf_{name}"] = chrf(said[name], references).value
        found[f"exact_{name}"] = exact_match_statistics(said[name], references).value
    names = [name for name in ("test", "long") if name in splits]
    if names:
        pairs = [pair for name in names for pair in splits[name]]
        words = [sentence for name in names for sentence in said[name]]
        counted = exact_match_statistics(words, [pair.references for pair in pairs])
        for bucket in by_bucket(counted, [len(p.source) for p in pairs], EDGES, resamples=300):
            if bucket.score is not None:
                found[f"exact_{bucket.label}"] = bucket.score.value
    return found


def train(config: Mapping[str, Any]) -> Outcome:
    """Train and measure the system of a row.

    Page: 07_transformer/scoreboard
    """
    train_on, _, splits = _pairs(config["text"])
    _links.cache_clear()  # the seconds of every row are those of the whole way
    begin = time.process_time()
    system = build(config)
    seconds = time.process_time() - begin
    metrics = measures(system, splits)
    if "test" in splits:
        gold = [pair.sure for pair in splits["test"]], [pair.possible for pair in splits["test"]]
        metrics["aer"] = aer(_links(config["text"])[1], *gold).aer
    bitext = index([(pair.source, pair.target) for pair in train_on])
    counts = sum(len(pair.target) for pair in train_on)
    losses = [-total / counts for total in train_ibm1(bitext, EM_STEPS).log_likelihoods]
    size = len(system.table)
    return Outcome(losses[:EM_STEPS], metrics, size, EM_STEPS, seconds)


EXPERIMENT = Experiment(
    "statistical",
    {
        f"{system}, {text}, seed {seed}": {
            "system": system,
            "text": text,
            "order": 7 if text == "corpus" else 3,
            "seed": seed,
        }
        for seed in SEEDS
        for text in ("corpus", "messages")
        for system in ("word for word", "phrase-based")
    },
    train,
    "07_transformer/scoreboard",
)
