"""A phrase table and a language model as arrays, and back from arrays that nobody vouches for.

What is read is checked until no look-up can leave an array and no score can become NaN.

Page: your_own_text
"""

from __future__ import annotations

import numpy as np

from softalign.language_model import BEGIN, END, UNKNOWN, NGramModel
from softalign.language_model.model import Level
from softalign.phrases import FEATURES, PhraseTable
from softalign.systems.archives import (
    Arrays,
    get,
    lengths_of,
    pack_words,
    read_keys,
    read_words,
    require,
)

__all__ = ["pack_model", "pack_table", "read_model", "read_table"]


def pack_table(table: PhraseTable) -> dict[str, np.ndarray]:
    """Write a phrase table as arrays.

    Page: your_own_text
    """
    return {
        **pack_words("source", table.numbers),
        **pack_words("target", table.target_words),
        **{f"keys_{n}": keys for n, keys in enumerate(table.keys, start=1)},
        **{f"first_{n}": first for n, first in enumerate(table.first, start=1)},
        **{name: getattr(table, name) for name in ("tokens", "place", "length", "counts")},
        "features": table.features,
    }


def pack_model(model: NGramModel) -> dict[str, np.ndarray]:
    """Write an n-gram model as arrays.

    Page: your_own_text
    """
    arrays = pack_words("words", model.words)
    for n, level in enumerate(model.levels, start=1):
        arrays[f"keys_{n}"] = level.keys
        arrays[f"log_probs_{n}"] = level.log_probs
        arrays[f"log_weights_{n}"] = level.log_weights
    return {**arrays, "discounts": np.array(model.discounts, float).reshape(-1, 3)}


def read_table(arrays: Arrays) -> PhraseTable:
    """Make a phrase table of arrays that may hold anything.

    Raises
    ------
    Damage
        An array is missing, of another kind, or points to what is not there.

    Page: your_own_text
    """
    source, target = read_words(arrays, "source"), read_words(arrays, "target")
    tokens, place, length, counts = (
        get(arrays, name, "whole numbers") for name in ("tokens", "place", "length", "counts")
    )
    features = get(arrays, "features", "fractions", len(FEATURES))
    keys, first, rows, before = [], [], 1, 0
    for n in lengths_of(arrays):
        keys.append(read_keys(arrays, n, rows, len(source)))
        first.append(get(arrays, f"first_{n}", "whole numbers"))
        rows = len(keys[-1])
        require(
            rows > 0
            and len(first[-1]) == rows + 1
            and first[-1][0] == before
            and (first[-1][1:] >= first[-1][:-1]).all(),
            f"'first_{n}' does not divide the entries",
        )
        before = int(first[-1][-1])
    require(
        before == len(place) == len(length) == len(counts) == len(features) > 0,
        "the entries are not as many everywhere",
    )
    require(
        tokens.min(initial=0) >= 0 and tokens.max(initial=-1) < len(target),
        "'tokens' names words that are not there",
    )
    require(
        place.min() >= 0 and length.min() >= 1 and (length <= len(tokens) - place).all(),
        "a target phrase is not inside 'tokens'",
    )
    require(counts.min() >= 1, "'counts' holds a number below 1")
    require(np.isfinite(features).all(), "'features' holds a number that is not finite")
    numbers = {word: number for number, word in enumerate(source)}
    return PhraseTable(
        numbers, tuple(keys), tuple(first), target, tokens, place, length, features, counts
    )


def read_model(arrays: Arrays) -> NGramModel:
    """Make a language model of arrays that may hold anything.

    Raises
    ------
    Damage
        An array is missing, of another kind, points to what is not there, or holds no probability.

    Page: your_own_text
    """
    words = read_words(arrays, "words")
    require(words[:3] == (UNKNOWN, BEGIN, END), "does not begin with the special symbols")
    levels, rows = [], 1
    for n in lengths_of(arrays):
        keys = read_keys(arrays, n, rows, len(words))
        log_probs, log_weights = (
            get(arrays, f"{name}_{n}", "fractions") for name in ("log_probs", "log_weights")
        )
        rows = len(words) if n == 1 else len(keys)
        require(
            len(keys) == len(log_probs) == len(log_weights) == rows,
            f"the {n}-grams are not as many everywhere",
        )
        # a comparison with NaN is false; rounding may leave the logarithm of 1 above 0
        require((log_probs < 1e-6).all(), f"'log_probs_{n}' holds what is no probability")
        require((log_weights < np.inf).all(), f"'log_weights_{n}' holds what is no weight")
        levels.append(Level(keys, log_probs, log_weights))
    discounts = get(arrays, "discounts", "fractions", 3)
    require(
        len(discounts) in (0, len(levels)) and np.isfinite(discounts).all(),
        "'discounts' does not hold three for each length",
    )
    return NGramModel(words, tuple(levels), tuple(map(tuple, discounts.tolist())))
