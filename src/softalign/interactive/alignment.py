"""Expectation maximisation of IBM Model 1, to be stepped through round by round."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.ibm import IBM1, Bitext, LexicalTable, check_pairs, index, normalise, train_ibm1
from softalign.interactive.figure import Interactive
from softalign.plotting import heat_map

__all__ = ["em_figure"]

MOST_PAIRS, MOST_WORDS, MOST_ROUNDS = 8, 10, 50
CHINESE = re.compile("[\u3400-\u9fff]")


def em_figure(
    pairs: Sequence[Sequence[Sequence[str]]],
    rounds: int = 12,
    *,
    null: bool = True,
    follow: str | None = None,
) -> Interactive:
    r"""Figure of Model 1 as it learns from a few sentence pairs: links, table and likelihood.

    The source is given and the target is generated, as in `index`. Each round shows the table
    :math:`\theta(y\mid x)`, the posterior of each link under it (E step), and, for one given word,
    what each pair adds to the expected counts, which over their sum are the next table (M step).

    Parameters
    ----------
    pairs : sequence of (source words, target words) or (source words, target words, pinyin)
        One to eight pairs, each side of one to ten words; pinyin has one entry a source word.
    rounds : int
        Rounds of EM, from 1 to 50. Round 0 is the even table.
    null : bool
        Does the figure open with NULL? A tick box of it changes between the two.
    follow : str, optional
        Source word whose counts are shown first; by default the first of the first pair.

    Returns
    -------
    Interactive
        Of the kind "em". Its data hold `given` (NULL first) and `generated`, the words, and two
        `runs`, the first without NULL and the second with it. A run has `tables` of shape
        (rounds + 1, given, generated), `posteriors`, for each round and pair an array of shape
        (tgt, src + 1) whose column 0 is NULL, and `log_likelihoods` (nats) and `perplexities`
        (per target word), of shape (rounds + 1,). Without NULL its row and columns are 0.

    Raises
    ------
    TypeError
        A side is one string instead of a sequence of words.
    ValueError
        Too few or too many pairs, words or rounds; pinyin of another length; an unknown `follow`.

    Examples
    --------
    >>> pairs = [(["买", "书"], ["buy", "books"]), (["书"], ["books"])]
    >>> figure = em_figure(pairs, rounds=1, null=False)
    >>> figure.data["runs"][0]["posteriors"][0][0].tolist()
    [[0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    >>> figure.data["runs"][0]["tables"][1].round(2).tolist()  # NULL, 买, 书
    [[0.0, 0.0], [0.5, 0.5], [0.25, 0.75]]

    Page: 01_smt/word_alignment
    """
    sides = _checked(pairs, rounds)
    bitext = index(sides)
    if follow is not None and follow not in bitext.given_words:
        raise ValueError(f"there is no source word {follow!r} to follow")
    sounds = {
        word: sound
        for pair in pairs
        for word, sound in zip(pair[0], pair[2] if len(pair) == 3 else (), strict=False)
    }
    runs = [_run(bitext, sides, rounds, with_null) for with_null in (False, True)]
    words = {word: _word(word, sounds.get(word, "")) for word in bitext.given_words}
    data = {
        "pairs": [
            {"source": [words[x] for x in source], "target": [_word(y) for y in target]}
            for source, target in sides
        ],
        "given": [{"text": "NULL", "pinyin": "", "lang": ""}, *words.values()],
        "generated": list(bitext.generated_words),
        "rounds": rounds,
        "null": bool(null),
        "follow": 1 if follow is None else 1 + bitext.given_words.index(follow),
        "runs": runs,
    }
    title = f"Model 1 learns from {_number_of(len(sides), 'sentence pair')}, round by round"
    return Interactive("em", title, _alternative(data), data, lambda: _draw(data))


def _checked(pairs: Any, rounds: int) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Source and target words of each pair, or a sentence about what is wrong."""
    if not 1 <= len(pairs) <= MOST_PAIRS:
        raise ValueError(f"there are {len(pairs)} pairs, expected 1 to {MOST_PAIRS}")
    if not 1 <= rounds <= MOST_ROUNDS:
        raise ValueError(f"there are {rounds} rounds, expected 1 to {MOST_ROUNDS}")
    check_pairs([tuple(pair[:2]) for pair in pairs])
    for number, (source, target, *pinyin) in enumerate(pairs, start=1):
        for side, name in ((source, "source"), (target, "target")):
            if not 1 <= len(side) <= MOST_WORDS:
                raise ValueError(
                    f"pair {number} has {len(side)} {name} words, expected 1 to {MOST_WORDS}"
                )
        if pinyin and len(pinyin[0]) != len(source):
            raise ValueError(
                f"pair {number} has {len(source)} source words but pinyin of {len(pinyin[0])}"
            )
    return [(tuple(pair[0]), tuple(pair[1])) for pair in pairs]


def _word(text: str, pinyin: str = "") -> dict[str, str]:
    return {"text": text, "pinyin": pinyin, "lang": "zh" if CHINESE.search(text) else ""}


def _number_of(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _run(bitext: Bitext, sides: Any, rounds: int, with_null: bool) -> dict[str, Any]:
    """Table, posteriors and likelihood before each round of EM and after the last."""
    # an entry of 0 stays 0: a start without NULL is EM without NULL
    start = LexicalTable(bitext, normalise(bitext, 1.0 * (with_null | (bitext.given > 0))))
    # the library divides by S + 1 positions, and without NULL there are S
    missing = sum(len(target) * math.log1p(1 / len(source)) for source, target in sides)
    tables, posteriors, log_likelihoods = [], [], []
    for _ in range(rounds + 1):
        model = IBM1(start)
        tables.append(start.matrix(bitext.given_words, bitext.generated_words).T)
        posteriors.append([model.posterior(*side) for side in sides])
        after = train_ibm1(bitext, 1, start=start)
        log_likelihoods.append(after.log_likelihoods[0] + (0.0 if with_null else missing))
        start = after.table
    tokens = sum(len(target) for _, target in sides)
    return {
        "tables": np.array(tables),
        "posteriors": posteriors,
        "log_likelihoods": np.array(log_likelihoods),
        "perplexities": np.exp(-np.array(log_likelihoods) / tokens),
    }


def _shown(data: dict[str, Any], at: int) -> tuple[np.ndarray, list[str], list[str], list[str]]:
    """Links of the first pair after a round as the figure opens, with the words and pinyin."""
    pair, null = data["pairs"][0], data["null"]
    columns = [data["given"][0]] * null + pair["source"]
    weights = data["runs"][null]["posteriors"][at][0][:, 0 if null else 1 :]
    rows = [word["text"] for word in pair["target"]]
    return weights, [c["text"] for c in columns], rows, [c["pinyin"] for c in columns]


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    parts = []
    for at, when in ((0, "at round 0"), (data["rounds"], f"after round {data['rounds']}")):
        weights, source, target, _ = _shown(data, at)
        best = ", ".join(
            f"{target[j]} from {source[i]} {weights[j, i]:.2f}"
            for j, i in enumerate(weights.argmax(axis=1))
        )
        height = data["runs"][data["null"]]["log_likelihoods"][at]
        sign = "−" if round(height, 2) < 0 else ""
        parts.append(f"{when} {best}, with a log-likelihood of {sign}{abs(height):.2f} nats")
    return f"The strongest links of pair 1: {'; '.join(parts)}."


def _draw(data: dict[str, Any]) -> Any:
    """Links of the first pair before and after learning, and the likelihood of each round."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.0), layout="constrained")
    for ax, at in zip(axes, (0, data["rounds"]), strict=False):
        weights, source, target, pinyin = _shown(data, at)
        heat_map(ax, weights, source, target, pinyin=pinyin)
        for (j, i), share in np.ndenumerate(weights):
            colour = "white" if share > 0.55 else "black"
            ax.text(i, j, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=9)
        ax.set_xlabel(f"round {at}")
    axes[2].plot(data["runs"][data["null"]]["log_likelihoods"], "o-", ms=4)
    axes[2].set(xlabel="round", ylabel="log-likelihood (nats)")
    return figure
