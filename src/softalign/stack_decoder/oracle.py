"""Slow searches that make no mistake, and what they say about the fast one.

A translation can be wrong for two reasons. The search did not find what the model likes best (a
*search error*), or the model likes something better than the right translation (a *model error*).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from softalign.stack_decoder.model import FEATURES, Problem, Step, Translation, features_of

__all__ = ["all_derivations", "diagnose", "exhaustive", "force"]

LANGUAGE = FEATURES.index("language_model")
Words = Sequence[str]


def all_derivations(problem: Problem) -> Iterator[tuple[Step, ...]]:
    """Yield every derivation: all segmentations, all options, all permitted orders.

    Their number grows exponentially: for a handful of words only.

    Page: 01_smt/decoding
    """
    length = len(problem.source)

    def extend(coverage: int, last: int, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
        if coverage == (1 << length) - 1:
            yield steps
        for (begin, end), options in problem.options.items():
            if problem.permits(coverage, last, begin, end):
                filled = coverage | ((1 << end) - (1 << begin))
                for option in options:
                    yield from extend(filled, end, (*steps, Step(begin, end, option.target)))

    return extend(0, 0, ())


def exhaustive(
    problem: Problem, weights: Float[np.ndarray, "features"], *, most: int = 1_000_000
) -> Translation:
    """Score every derivation from scratch and return the best; of equally good ones the first.

    Parameters
    ----------
    problem : Problem
    weights : float array [features]
        The weights that the problem was posed with.
    most : int
        How many derivations may be looked at.

    Raises
    ------
    ValueError
        There are more than `most` derivations.

    Page: 01_smt/decoding
    """
    best = None
    for number, steps in enumerate(all_derivations(problem), start=1):
        if number > most:
            raise ValueError(f"there are more than {most} derivations; take a shorter sentence")
        features = features_of(steps, problem)
        score = float(features @ weights)
        if best is None or score > best.score:
            words = tuple(word for step in steps for word in step.target)
            best = Translation(words, score, tuple(features.tolist()), steps)
    return best


def force(
    problem: Problem, target: Words, weights: Float[np.ndarray, "features"]
) -> Translation | None:
    """Return the best derivation of a given target sentence, or None if there is none.

    Exact: nothing is pruned. The language model says the same of all derivations of one sentence,
    so the best is found without it; what has been covered, where the last phrase ended and how many
    target words are there is all that matters.

    Parameters
    ----------
    problem : Problem
    target : sequence of str
    weights : float array [features]
        The weights that the problem was posed with.

    Page: 01_smt/decoding
    """
    target, length = tuple(target), len(problem.source)
    fitting = {
        span: [(o, size) for o in options if (size := len(o.target)) <= len(target)]
        for span, options in problem.options.items()
    }
    # by number of covered words: (coverage, last, target words) -> score, steps
    stacks: list[dict] = [{} for _ in range(length + 1)]
    stacks[0][0, 0, 0] = 0.0, ()
    for stack in stacks[:-1]:
        for (coverage, last, done), (score, steps) in stack.items():
            for (begin, end), options in fitting.items():
                here = [(o, size) for o, size in options if o.target == target[done : done + size]]
                if not here or not problem.permits(coverage, last, begin, end):
                    continue
                filled = coverage | ((1 << end) - (1 << begin))
                jump = -problem.distortion_weight * abs(begin - last)
                for option, size in here:
                    key, new = (filled, end, done + size), score + jump + option.score
                    goal = stacks[filled.bit_count()]
                    if key not in goal or new > goal[key][0]:
                        goal[key] = new, (*steps, Step(begin, end, option.target))
    ends = [found for (_, _, done), found in stacks[-1].items() if done == len(target)]
    if not ends:
        return None
    _, steps = max(ends, key=lambda end: end[0])
    features = features_of(steps, problem)
    return Translation(target, float(features @ weights), tuple(features.tolist()), steps)


def diagnose(
    problem: Problem,
    found: Translation,
    references: Sequence[Words],
    weights: Float[np.ndarray, "features"],
) -> str:
    """Say why a translation is not one of the references.

    Returns
    -------
    str
        ``"right"``: it is one. ``"unreachable"``: no derivation gives a reference, because a phrase
        is missing or an order is not permitted. ``"search error"``: a reference has a higher score
        than what was found, so the search has missed it. ``"model error"``: the references that can
        be reached have lower scores.

    Page: 01_smt/decoding
    """
    if tuple(found.words) in {tuple(reference) for reference in references}:
        return "right"
    forced = [force(problem, reference, weights) for reference in references]
    scores = [one.score for one in forced if one is not None]
    if not scores:
        return "unreachable"
    return "search error" if max(scores) > found.score + 1e-9 else "model error"
