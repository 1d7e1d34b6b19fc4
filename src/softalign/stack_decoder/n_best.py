"""Reading translations out of a search graph, the best first."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from operator import add

from softalign.stack_decoder.model import FEATURES, Problem, Step, Translation
from softalign.stack_decoder.search import Hypothesis, SearchGraph

__all__ = ["derivations", "n_best"]

LANGUAGE, DISTORTION = FEATURES.index("language_model"), FEATURES.index("distortion")


def derivations(graph: SearchGraph) -> Iterator[Translation]:
    """Yield all derivations that a search has kept, the best first.

    The graph is read backwards from its end. The score of a hypothesis is that of the best way to
    reach it, so score plus what already follows it is exactly the best that can come of it: the
    heap gives whole derivations in order, and none is built that is not asked for.

    Yields
    ------
    Translation
        Two derivations may have the same words.

    Page: 01_smt/decoding
    """
    for score, path in _paths(graph):
        yield _read(path, score, graph.problem)


def n_best(graph: SearchGraph, n: int) -> list[Translation]:
    """Return the best derivation of each of the `n` best different target sentences.

    At most 5 n derivations are looked at: many differ in nothing but their phrases. So there may be
    fewer than `n`.

    Page: 01_smt/decoding
    """
    found: dict[tuple, Translation] = {}
    for score, path in islice(_paths(graph), 5 * n):
        words = tuple(word for way in path for word in way.option.target)
        if words not in found:
            found[words] = _read(path, score, graph.problem)
            if len(found) == n:
                break
    return list(found.values())


def _paths(graph: SearchGraph) -> Iterator[tuple[float, list[Hypothesis]]]:
    """Yield the score of each derivation, and the hypotheses that its phrases led to."""
    sorted_ways: dict[int, list[Hypothesis]] = {}

    def ways(hypothesis: Hypothesis) -> list[Hypothesis]:
        """Return the hypothesis and its rivals, best first."""
        found = sorted_ways.get(id(hypothesis))
        if found is None:
            found = [hypothesis, *(hypothesis.rivals or ())]
            found.sort(key=lambda way: -way.score)
            sorted_ways[id(hypothesis)] = found
        return found

    heap: list[tuple] = []  # minus the score, a running number, where, which way, what follows
    for finished in graph.stacks[-1]:
        if finished.previous is None:  # the source is empty
            yield finished.score, []
        else:
            heappush(heap, (-finished.score, len(heap), finished, 0, 0.0, None))
    pushed = len(heap)
    while heap:
        minus, _, node, which, after, tail = heappop(heap)
        while node.previous is not None:
            choices = ways(node)
            if which + 1 < len(choices):
                pushed += 1
                score = choices[which + 1].score + after
                heappush(heap, (-score, pushed, node, which + 1, after, tail))
            way, which = choices[which], 0
            tail, node = (way, tail), way.previous
            after += way.score - node.score
        path = []
        while tail is not None:
            way, tail = tail
            path.append(way)
        yield -minus, path


def _read(path: list[Hypothesis], score: float, problem: Problem) -> Translation:
    """Add up the features along a derivation."""
    features = [0.0] * len(FEATURES)
    words, jumps, last = [], 0, 0
    for way in path:
        features = list(map(add, features, way.option.features))
        words += way.option.numbers
        jumps += abs(way.begin - last)
        last = way.last
    language, state = problem.states.walk(problem.states.begin, words)
    features[LANGUAGE] = language + problem.states.end(state)
    features[DISTORTION] = -float(jumps)
    target = tuple(word for way in path for word in way.option.target)
    steps = tuple(Step(way.begin, way.last, way.option.target) for way in path)
    return Translation(target, score, tuple(features), steps)
