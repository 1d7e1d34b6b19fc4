"""Sentence pairs to align, and slow literal transcriptions of what the aligners compute.

Everything here is dicts, lists and loops over words: nothing of softalign is used but the names of
its results. Positions of given words count from 1, and 0 is NULL, as in the papers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

LAW = settings(derandomize=True, deadline=None, max_examples=25)
FEW = settings(derandomize=True, deadline=None, max_examples=10)
SOURCES = st.lists(st.sampled_from("abcd"), max_size=4)
TARGETS = st.lists(st.sampled_from("UVWXY"), max_size=4)
PAIRS = st.lists(st.tuples(SOURCES, TARGETS), min_size=1, max_size=6)
"""Repeated words and empty sides included."""
SMALL = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
        st.lists(st.sampled_from("UVW"), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=4,
)
"""So short that all alignments of a sentence can be listed."""
SEEDS = st.integers(0, 10_000)

# A corpus with sentences of many lengths, both sides longer, and words that repeat.
MIXED = [
    (["a"], ["U"]),
    (["a", "b"], ["U", "V"]),
    (["b", "a", "c"], ["V", "W"]),
    (["c"], ["W", "U", "W"]),
    ([], ["U"]),
    (["a", "b", "c", "a"], ["U", "X", "V", "U", "Y"]),
    (["d", "c"], ["X"]),
    (["d"], []),
    (["b", "d", "b"], ["V", "X", "V", "Y"]),
    (["a", "b"], ["V", "U"]),
]


def nonempty(pairs):
    return [pair for pair in pairs if pair[0] and pair[1]]


@contextmanager
def chunks_of(cells):
    """Bitexts that are indexed inside have chunks of about so many cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("softalign.ibm.bitext.CELLS_PER_CHUNK", cells)
        yield


def table_of(table) -> dict:
    """All rows of a lexical table; None is NULL."""
    return {given: table.row(given) for given in (None, *table.bitext.given_words)}


def together(pairs) -> dict:
    """Generated words that each given word meets, in the order of the text."""
    met: dict = defaultdict(dict)
    for given, generated in nonempty(pairs):
        for x in (None, *given):
            for y in generated:
                met[x][y] = True
    return met


def start_of(pairs, random=None) -> dict:
    """Return a table with equal entries, or with random ones."""
    rows = {
        x: {y: 1.0 if random is None else 0.05 + random.random() for y in ys}
        for x, ys in together(pairs).items()
    }
    return {x: divided(row) for x, row in rows.items()}


def divided(row: dict) -> dict:
    total = sum(row.values())
    return {y: value / total for y, value in row.items()}


def per_sentence(bitext, model) -> dict:
    """Posteriors of all sentences as lists ``[j][i]``, from the model's E step on the chunks."""
    found: dict = defaultdict(dict)
    for chunk in bitext.chunks:
        posterior, _ = model.e_step(chunk)
        for group in chunk.groups:
            block = group.block(posterior)
            places = zip(
                group.of_columns(chunk.sentence), group.of_columns(chunk.position), strict=True
            )
            for column, (sentence, position) in enumerate(places):
                found[int(sentence)][int(position)] = block[:, column].tolist()
    return {
        sentence: np.array([rows[j] for j in range(len(rows))]) for sentence, rows in found.items()
    }


def same_tables(left: dict, right: dict, tolerance: float = 1e-9) -> None:
    """Assert that two tables have the same rows, and these the same entries."""
    assert left.keys() == right.keys()
    for given, row in left.items():
        assert row.keys() == right[given].keys(), given
        for word, value in row.items():
            assert value == pytest.approx(right[given][word], abs=tolerance, rel=tolerance), (
                given,
                word,
            )


# ------------------------------------------------------------------------------ IBM Models 1 and 2


def em(pairs, theta: dict, prior) -> tuple[dict, float, list]:
    """One iteration of EM for Model 1 or 2: the new table, the log-likelihood, the posteriors.

    ``prior(i, j, S, T)`` is the probability of position i (0 is NULL) for word j (from 1).
    """
    counts: dict = defaultdict(lambda: defaultdict(float))
    log_likelihood, posteriors = 0.0, []
    for given, generated in pairs:
        if not given or not generated:
            posteriors.append(None)
            continue
        words, rows = [None, *given], []
        for j, y in enumerate(generated, 1):
            scores = [
                theta[x].get(y, 0.0) * prior(i, j, len(given), len(generated))
                for i, x in enumerate(words)
            ]
            total = sum(scores)
            log_likelihood += math.log(total)
            rows.append([score / total for score in scores])
            for x, share in zip(words, rows[-1], strict=True):
                counts[x][y] += share
        posteriors.append(rows)
    return {x: divided(row) for x, row in counts.items()}, log_likelihood, posteriors


def level(i, j, size, length):
    """Model 1: every position is as probable as the others."""
    return 1 / (size + 1)


def diagonal(steepness, null_prob):
    """Model 2: Dyer, Chahuneau and Smith (2013), equation 2 with the NULL of equation 1."""

    def prior(i, j, size, length):
        if i == 0:
            return null_prob
        weights = [math.exp(-steepness * abs(k / size - j / length)) for k in range(1, size + 1)]
        return (1 - null_prob) * weights[i - 1] / sum(weights)

    return prior


def expected_log_prior(pairs, posteriors, steepness) -> float:
    """Return the part of the expected log-likelihood that depends on Model 2's steepness."""
    total, prior = 0.0, diagonal(steepness, 0.5)
    for (given, generated), rows in zip(pairs, posteriors, strict=True):
        for j, row in enumerate(rows or [], 1):
            for i in range(1, len(given) + 1):
                total += row[i] * math.log(prior(i, j, len(given), len(generated)))
    return total


def highest(function, low, high):
    """Where a function with one peak is highest: golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(80):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (left, high) if function(left) < function(right) else (low, right)
    return (low + high) / 2


# --------------------------------------------------------------------------------------- the HMM


def moves(size, jump, widest=10):
    """P(i | i'): first index the place before (0 is the start), second the place minus 1."""
    rows = []
    for before in range(size + 1):
        weights = [jump[max(-widest, min(widest, i - before)) + widest] for i in range(1, size + 1)]
        rows.append([weight / sum(weights) for weight in weights])
    return rows


def paths(given, generated, theta, jump, null_prob):
    """All paths with their probability: for each word the place, and whether NULL produced it."""
    move = moves(len(given), jump)
    found = [((), 1.0)]
    for j, y in enumerate(generated):
        longer = []
        for path, prob in found:
            before = path[-1][0] if path else 0
            for i, x in enumerate(given, 1):
                step = move[before][i - 1]
                speaks = prob * step * (1 - null_prob) * theta[x].get(y, 0.0)
                longer.append(((*path, (i, False)), speaks))
                # NULL stays where it is; at the start it must first go somewhere
                stays = step if j == 0 else float(i == before)
                pause = prob * stays * null_prob * theta[None].get(y, 0.0)
                if pause:
                    longer.append(((*path, (i, True)), pause))
        found = longer
    return found


def listed(given, generated, theta, jump, null_prob, widest=10):
    """Posterior, likelihood, expected jumps by width and departures, by listing all paths."""
    every = paths(given, generated, theta, jump, null_prob)
    total = sum(prob for _, prob in every)
    posterior = np.zeros((len(generated), len(given) + 1))
    made, departures = np.zeros(2 * widest + 1), np.zeros(len(given) + 1)
    for path, prob in every:
        before = 0
        for j, (place, null) in enumerate(path):
            posterior[j, 0 if null else place] += prob / total
            if not null or j == 0:  # a jump, even if NULL then speaks
                made[max(-widest, min(widest, place - before)) + widest] += prob / total
                departures[before] += prob / total
            before = place
    return posterior, total, made, departures


def expected_log_jumps(made, departures: dict, jump, widest=10) -> float:
    """Return the expected log-likelihood of the jumps."""
    total = float(np.dot(made, np.log(jump)))
    for size, left in departures.items():
        for before in range(size + 1):
            sums = sum(
                jump[max(-widest, min(widest, i - before)) + widest] for i in range(1, size + 1)
            )
            total -= left[before] * math.log(sums)
    return total


def jumps_after(made, departures: dict, jump, widest=10):
    """Three updates of Hunter (2004), written out."""
    for _ in range(3):
        pressure = np.zeros(2 * widest + 1)
        for size, left in departures.items():
            for before in range(size + 1):
                at = [max(-widest, min(widest, i - before)) + widest for i in range(1, size + 1)]
                sums = sum(jump[k] for k in at)
                for k in at:
                    pressure[k] += left[before] / sums
        new = [n / p if p else 0.0 for n, p in zip(made, pressure, strict=True)]
        new = [max(value / sum(new), 1e-12) for value in new]
        jump = np.array(new)
    return jump / jump.sum()
