r"""The log-linear model: features, weights, and the ways in which a sentence may be translated.

A translation by phrases is a *derivation*: the source is cut into phrases, each is replaced by one
of its *options*, and the options are written down in some order. Its score is

.. math:: \sum_k \omega_k F_k(\mathbf x, \mathbf y),

and all features are sums over the phrases, or over the words, of the derivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from softalign.phrases import FEATURES as PHRASE_FEATURES
from softalign.phrases import PhraseTable
from softalign.stack_decoder.states import States

__all__ = [
    "FEATURES",
    "NOISY_CHANNEL",
    "UNTUNED",
    "Option",
    "Problem",
    "Step",
    "Translation",
    "features_of",
    "pose",
    "weight_vector",
]

FEATURES = (*PHRASE_FEATURES, "language_model", "words", "phrases", "distortion", "copied")
"""Names of the features, in the order of every array: the four of the phrase table; the language
model's log-probability, the sentence's end included; the number of target words; the number of
phrases; minus the number of words jumped over; the number of words that the table does not know."""

_rest = {"language_model": 0.25, "words": 0.4, "phrases": 0.0, "distortion": 0.1, "copied": -10.0}
UNTUNED = {**dict.fromkeys(PHRASE_FEATURES, 0.15), **_rest}
"""Weights to start from."""
NOISY_CHANNEL = {**dict.fromkeys(FEATURES, 0.0), "phrase_inverse": 1.0, "language_model": 1.0}
NOISY_CHANNEL["copied"] = -10.0
"""The weights 1 and 1 of the decision rule: :math:`P(x \\mid y)` by phrases, times :math:`P(y)`."""

Words = Sequence[str]


class Option(NamedTuple):
    """One way to translate one span of the source.

    Attributes
    ----------
    score : float
        Weighted features that do not depend on the rest of the translation: all but the language
        model and the distortion.
    estimate : float
        `score` plus the weighted language model, asked without history.
    numbers : tuple of int
        The target words, as the language model's `States` number them.
    target : tuple of str
        The target words.
    features : tuple of floats
        Features in the order of `FEATURES`; language model and distortion are 0.
    """

    score: float
    estimate: float
    numbers: tuple[int, ...]
    target: tuple[str, ...]
    features: tuple[float, ...]


class Step(NamedTuple):
    """One phrase of a derivation: `target` translates the source words `begin` to ``end - 1``."""

    begin: int
    end: int
    target: tuple[str, ...]


class Translation(NamedTuple):
    """A derivation and what it is worth.

    Attributes
    ----------
    words : tuple of str
        The target sentence.
    score : float
        Sum of features times weights.
    features : tuple of floats
        In the order of `FEATURES`.
    steps : tuple of Step
        The phrases in the order of the target.
    """

    words: tuple[str, ...]
    score: float
    features: tuple[float, ...]
    steps: tuple[Step, ...]


def weight_vector(weights: Mapping[str, float]) -> Float[np.ndarray, "features"]:
    """Put weights into the order of `FEATURES`.

    Raises
    ------
    ValueError
        A name is missing or unknown.

    Page: 01_smt/decoding
    """
    if set(weights) != set(FEATURES):
        missing, unknown = set(FEATURES) - set(weights), set(weights) - set(FEATURES)
        raise ValueError(
            f"the weights lack {sorted(missing)} and have {sorted(unknown)} too much; "
            f"expected one for each of {', '.join(FEATURES)}"
        )
    return np.array([weights[name] for name in FEATURES], float)


@dataclass(frozen=True, eq=False)
class Problem:
    """What a search has to solve: a source sentence with its options, and the rules of the game.

    Attributes
    ----------
    source : tuple of str
    options : dict from (begin, end) to list of Option
        For each span that can be translated, the best options first.
    states : States
        Of the language model.
    language_weight, distortion_weight : float
    distortion_limit : int or None
        Longest jump, in source words; 0 forbids reordering, None allows all.

    Page: 01_smt/decoding
    """

    source: tuple[str, ...]
    options: dict[tuple[int, int], list[Option]]
    states: States = field(repr=False)
    language_weight: float
    distortion_weight: float
    distortion_limit: int | None

    def permits(self, coverage: int, last: int, begin: int, end: int) -> bool:
        """Whether the span may be translated next.

        It must be uncovered, its jump must not be longer than the limit, and from its end the
        first gap it leaves must be within the limit: so the search can always come back.

        Parameters
        ----------
        coverage : int
            Bit i is set if source word i is translated.
        last : int
            Source position after the phrase translated last; 0 at the beginning.
        begin, end : int
            The span.

        Page: 01_smt/decoding
        """
        span = (1 << end) - (1 << begin)
        if coverage & span:
            return False
        if self.distortion_limit is None:
            return True
        filled = coverage | span
        gap = (~filled & (filled + 1)).bit_length() - 1
        return abs(begin - last) <= self.distortion_limit and (
            gap >= begin or end - gap <= self.distortion_limit
        )


def pose(
    source: Words,
    table: PhraseTable,
    states: States,
    weights: Float[np.ndarray, "features"],
    *,
    max_options: int = 20,
    distortion_limit: int | None = 4,
    spoken: dict[int, tuple] | None = None,
) -> Problem:
    """Collect the options of a sentence.

    Parameters
    ----------
    source : sequence of str
    table : PhraseTable
    states : States
        Of the language model.
    weights : float array [features]
        From `weight_vector`.
    max_options : int
        How many options a span may have; those with the best estimates stay, and equally good ones
        are ordered by their words.
    distortion_limit : int, optional
        Longest jump; None for no limit.
    spoken : dict, optional
        What is known about the words of an entry of the table; filled here, and worth keeping for
        the next sentence with the same table and states.

    Returns
    -------
    Problem
        A source word that has no option of its own gets one: itself, with the feature ``copied``.

    Page: 01_smt/decoding
    """
    if isinstance(source, str):
        raise TypeError("the source is one string; split it into a sequence of words")
    if max_options < 1:
        raise ValueError(f"max_options is {max_options}, expected at least 1")
    if distortion_limit is not None and distortion_limit < 0:
        raise ValueError(f"distortion_limit is {distortion_limit}, expected 0 or more, or None")
    source = tuple(source)
    spoken = {} if spoken is None else spoken
    spans = table.match(source)
    language, words, phrases, copied = (
        float(weights[FEATURES.index(name)])
        for name in ("language_model", "words", "phrases", "copied")
    )
    of_table = weights[: len(PHRASE_FEATURES)]
    options = {}
    for span, entries in spans.items():
        rows = table.features[entries.start : entries.stop]
        scores = rows @ of_table + words * table.length[entries.start : entries.stop] + phrases
        here = []
        for entry, score in zip(entries, scores.tolist(), strict=True):
            if entry not in spoken:
                spoken[entry] = _speak(table, entry, states)
            here.append((-score - language * spoken[entry].log_prob, score, spoken[entry]))
        here.sort(key=lambda one: (one[0], one[2].target))
        options[span] = [
            Option(score, -minus, known.numbers, known.target, known.features)
            for minus, score, known in here[:max_options]
        ]
    for place, word in enumerate(source):
        if (place, place + 1) not in options:
            number = states.number(word)
            score = words + phrases + copied
            estimate = score + language * states.step(states.free, number)[0]
            features = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0)
            options[place, place + 1] = [Option(score, estimate, (number,), (word,), features)]
    distortion = float(weights[FEATURES.index("distortion")])
    return Problem(source, options, states, language, distortion, distortion_limit)


class _Spoken(NamedTuple):
    """What does not change with the weights: an entry's words, and what is known about them."""

    target: tuple[str, ...]
    numbers: tuple[int, ...]
    log_prob: float
    features: tuple[float, ...]


def _speak(table: PhraseTable, entry: int, states: States) -> _Spoken:
    target = table.target(entry)
    numbers = tuple(map(states.number, target))
    features = (*table.features[entry].tolist(), 0.0, float(len(target)), 1.0, 0.0, 0.0)
    return _Spoken(target, numbers, states.walk(states.free, numbers)[0], features)


def features_of(steps: Sequence[Step], problem: Problem) -> Float[np.ndarray, "features"]:
    """Compute all features of a derivation from scratch.

    Parameters
    ----------
    steps : sequence of Step
        The phrases in the order of the target.
    problem : Problem
        Its options must hold the phrases.

    Raises
    ------
    ValueError
        A phrase is not among the options, or the phrases do not cover each source word once.

    Page: 01_smt/decoding
    """
    total = np.zeros(len(FEATURES))
    covered, last, words = [], 0, []
    for begin, end, target in steps:
        options = {option.target: option for option in problem.options.get((begin, end), ())}
        if target not in options:
            raise ValueError(
                f"{' '.join(target)!r} is no option for source words {begin}-{end - 1}"
            )
        total += options[target].features
        total[FEATURES.index("distortion")] -= abs(begin - last)
        covered, last, words = [*covered, *range(begin, end)], end, [*words, *target]
    if sorted(covered) != list(range(len(problem.source))):
        raise ValueError(f"the phrases cover the words {sorted(covered)}, expected each word once")
    total[FEATURES.index("language_model")] = problem.states.model.sentence_log_prob(words)
    return total
