"""Stack decoding: a beam search that translates any uncovered source span next.

Koehn (2004), "Pharaoh: a beam search decoder for phrase-based statistical machine translation
models", AMTA, pages 115-124.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nlargest
from operator import attrgetter

from softalign.stack_decoder.model import Problem, Step

__all__ = ["Hypothesis", "SearchGraph", "future_costs", "search"]

FINISHED = -1


class Hypothesis:
    """A partial translation: what matters for its continuations, its score, and where it came from.

    Attributes
    ----------
    score : float
        Of the derivation so far.
    total : float
        `score` plus the estimate of what is still to come.
    coverage : int
        Bit i is set if source word i is translated.
    last : int
        Source position after the phrase translated last.
    state : int
        State of the language model; -1 after the sentence's end.
    begin : int
        First source position of the last phrase.
    option : Option or None
        The last phrase's translation; None at the beginning.
    previous : Hypothesis or None
        What the last phrase was added to.
    rivals : list of Hypothesis or None
        Hypotheses that were recombined with this one, because they scored less.

    Page: 01_smt/decoding
    """

    __slots__ = (
        "begin",
        "coverage",
        "last",
        "option",
        "previous",
        "rivals",
        "score",
        "state",
        "total",
    )

    def __init__(self, score, total, coverage, last, state, begin, option, previous):
        self.score = score
        self.total = total
        self.coverage = coverage
        self.last = last
        self.state = state
        self.begin = begin
        self.option = option
        self.previous = previous
        self.rivals = None

    def steps(self) -> tuple[Step, ...]:
        """Return the phrases so far, in the order of the target."""
        steps, here = [], self
        while here.previous is not None:
            steps.append(Step(here.begin, here.last, here.option.target))
            here = here.previous
        return tuple(reversed(steps))


@dataclass(frozen=True, eq=False)
class SearchGraph:
    """All that a search has kept.

    Attributes
    ----------
    problem : Problem
    stacks : list of lists of Hypothesis
        By the number of covered words, best total first; the last one holds the one finished
        hypothesis, with all its rivals.
    created, recombined, pruned : int
        How many hypotheses were scored by the language model, were recombined with another, and
        were thrown away by beam or threshold afterwards.

    Page: 01_smt/decoding
    """

    problem: Problem = field(repr=False)
    stacks: list[list[Hypothesis]] = field(repr=False)
    created: int
    recombined: int
    pruned: int


def future_costs(problem: Problem) -> dict[tuple[int, int], float]:
    """Estimate how well each span can be translated at best, without its surroundings.

    The best of the span's own options and of all ways to cut it in two; the language model is asked
    without history, and jumps are free.

    Returns
    -------
    dict from (begin, end) to float
        An estimated score, not a bound: with its true history a word may be likelier.

    Page: 01_smt/decoding
    """
    best = {}
    for size in range(1, len(problem.source) + 1):
        for begin in range(len(problem.source) - size + 1):
            end = begin + size
            options = problem.options.get((begin, end))
            own = options[0].estimate if options else -math.inf
            cuts = (best[begin, k] + best[k, end] for k in range(begin + 1, end))
            best[begin, end] = max(own, *cuts) if size > 1 else own
    return best


def search(
    problem: Problem,
    *,
    beam: int | None = 20,
    threshold: float = math.inf,
    recombine: bool = True,
    use_future: bool = True,
) -> SearchGraph:
    """Translate by stack decoding.

    Parameters
    ----------
    problem : Problem
        From `pose`.
    beam : int, optional
        How many hypotheses of a stack are expanded; None for all.
    threshold : float
        How much less than the best total of its stack a hypothesis may have.
    recombine : bool
        Keep only the best of hypotheses with the same coverage, last position and state.
    use_future : bool
        Compare hypotheses by score plus future cost, or by the score alone.

    Returns
    -------
    SearchGraph

    Page: 01_smt/decoding
    """
    if beam is not None and beam < 1:
        raise ValueError(f"beam is {beam}, expected at least 1, or None")
    length = len(problem.source)
    moves = _Moves(problem, use_future)
    walk, end_of, free = problem.states.walk, problem.states.end, problem.language_weight
    full = (1 << length) - 1
    start = Hypothesis(0.0, 0.0, 0, 0, problem.states.begin, 0, None, None)
    if not length:  # nothing to translate: only the end of the sentence is said
        start.score = start.total = free * end_of(start.state)
    stacks: list[dict] = [{} for _ in range(length + 1)]
    stacks[0][0] = start
    best = [start.total, *[-math.inf] * length]
    spoken: dict[int, dict] = {}  # state -> numbers of a phrase -> what walk says
    created = recombined = pruned = 0
    kept = []
    for covered, stack in enumerate(stacks):
        survivors = list(stack.values())
        if beam is not None and len(survivors) > beam:
            survivors = nlargest(beam, survivors, key=attrgetter("total"))
        else:
            survivors.sort(key=attrgetter("total"), reverse=True)
        survivors = [h for h in survivors if h.total >= best[covered] - threshold]
        pruned += len(stack) - len(survivors)
        kept.append(survivors)
        for hypothesis in survivors:
            score, state = hypothesis.score, hypothesis.state
            known = spoken.setdefault(state, {})
            for begin, end, coverage, jump, future, options in moves[hypothesis]:
                size = covered + end - begin
                goal, bound, finished = stacks[size], best[size] - threshold, coverage == full
                base = score + jump
                reach = bound - base - future
                for option in options:
                    if option[1] < reach:
                        break
                    numbers = option[2]
                    found = known.get(numbers)
                    if found is None:
                        found = known[numbers] = walk(state, numbers)
                    created += 1
                    language, after = found
                    if finished:
                        language, after = language + end_of(after), FINISHED
                    new = base + option[0] + free * language
                    total = new + future
                    if total < bound:
                        pruned += 1
                        continue
                    key = (coverage, end, after) if recombine else created
                    if finished and recombine:
                        key = FINISHED
                    old = goal.get(key)
                    if old is None or new > old.score:
                        better = Hypothesis(
                            new, total, coverage, end, after, begin, option, hypothesis
                        )
                        goal[key] = better
                        if old is not None:
                            better.rivals, old.rivals = [*(old.rivals or ()), old], None
                            recombined += 1
                        if total > best[size]:
                            best[size], bound = total, total - threshold
                            reach = bound - base - future
                    else:
                        rival = Hypothesis(
                            new, total, coverage, end, after, begin, option, hypothesis
                        )
                        recombined += 1
                        if old.rivals is None:
                            old.rivals = [rival]
                        else:
                            old.rivals.append(rival)
    return SearchGraph(problem, kept, created, recombined, pruned)


class _Moves(dict):
    """For each hypothesis what may come next, worked out once for each coverage and position."""

    def __init__(self, problem: Problem, use_future: bool) -> None:
        self.problem = problem
        self.costs = future_costs(problem) if use_future else None
        self.futures: dict[int, float] = {}
        self.longest = max((end - begin for begin, end in problem.options), default=0)

    def __getitem__(self, hypothesis: Hypothesis) -> list[tuple]:
        key = hypothesis.coverage, hypothesis.last
        found = self.get(key)
        if found is None:
            found = self[key] = list(self._find(*key))
        return found

    def _find(self, coverage: int, last: int) -> Iterator[tuple]:
        """Yield what `Problem.permits` permits, without asking it for each span."""
        problem, length = self.problem, len(self.problem.source)
        limit = length if problem.distortion_limit is None else problem.distortion_limit
        gap = (~coverage & (coverage + 1)).bit_length() - 1
        for begin in range(max(gap, last - limit), min(length, last + limit + 1)):
            furthest = min(begin + self.longest, length if begin == gap else gap + limit, length)
            jump = -problem.distortion_weight * abs(begin - last)
            filled = coverage
            for end in range(begin + 1, furthest + 1):
                bit = 1 << (end - 1)
                if coverage & bit:
                    break
                filled |= bit
                options = problem.options.get((begin, end))
                if options is not None:
                    yield begin, end, filled, jump, self.future(filled), options

    def future(self, coverage: int) -> float:
        """Sum of the future costs of the gaps."""
        if self.costs is None:
            return 0.0
        total = self.futures.get(coverage)
        if total is None:
            total, gaps = 0.0, ((1 << len(self.problem.source)) - 1) & ~coverage
            while gaps:
                begin = (gaps & -gaps).bit_length() - 1
                run = gaps >> begin
                end = begin + (~run & (run + 1)).bit_length() - 1
                total += self.costs[begin, end]
                gaps = gaps >> end << end
            self.futures[coverage] = total
        return total
