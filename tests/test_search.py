"""Search: cases by hand, brute force, a slow beam without early stopping, laws of drawn tables."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from softalign import language_model
from softalign.interfaces import Stepper
from softalign.search import (
    Hypothesis,
    beam,
    beam_steps,
    beams,
    evaluating,
    exhaustive,
    force,
    greedy,
    sample,
    translate,
)
from softalign.text import EOS, Vocabulary

LAW = settings(derandomize=True, deadline=None, max_examples=60)
ALPHAS = (0.0, 0.3, 1.0, 2.0)


# --- steppers -------------------------------------------------------------------------------------


class Nodes:
    """A stepper whose log-probabilities are a function of the source and what was written.

    Every beginning has a number, and the state is a tensor of these.
    """

    def __init__(
        self,
        row_of: Callable[[tuple, tuple], Sequence[float]],
        *,
        eos_id: int = 0,
        bos_id: int = 9,
        never: tuple[int, ...] = (),
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.row_of, self.dtype = row_of, dtype
        self.eos_id, self.bos_id, self.never = eos_id, bos_id, never
        self.names: list[tuple[tuple, tuple | None]] = []
        self.numbers: dict[tuple[tuple, tuple | None], int] = {}
        self.rows: dict[int, list[float]] = {}
        self.steps = self.stepped = 0

    def number(self, source: tuple, written: tuple | None) -> int:
        name = (source, written)
        if name not in self.numbers:
            self.numbers[name] = len(self.names)
            self.names.append(name)
            if written is not None:
                self.rows[self.numbers[name]] = list(self.row_of(source, written))
        return self.numbers[name]

    def start(self, sources):
        return self.packed([self.number(tuple(source), None) for source in sources])

    def step(self, tokens, state):
        numbers = self.unpacked(state)
        assert tokens.dtype == torch.int64
        assert tokens.shape == (len(numbers),)
        assert len(numbers) > 0, "nobody asked anything"
        self.steps, self.stepped = self.steps + 1, self.stepped + len(numbers)
        found = []
        for node, token in zip(numbers, tokens.tolist(), strict=True):
            source, written = self.names[node]
            assert (token == self.bos_id) if written is None else True
            found.append(self.number(source, () if written is None else (*written, token)))
        table = torch.tensor([self.rows[node] for node in found], dtype=self.dtype)
        return table, self.packed(found)

    def reorder(self, state, rows):
        numbers = self.unpacked(state)
        assert rows.dtype == torch.int64
        assert rows.ndim == 1
        assert all(0 <= row < len(numbers) for row in rows.tolist())
        return self.packed([numbers[row] for row in rows.tolist()])

    def packed(self, numbers):
        return torch.tensor(numbers, dtype=torch.int64)

    def unpacked(self, state):
        return state.tolist()


class Pairs(Nodes):
    """The same with another kind of state: what was read and written, as tuples."""

    def packed(self, numbers):
        return tuple(self.names[number] for number in numbers), len(numbers)

    def unpacked(self, state):
        names, count = state
        assert len(names) == count
        return [self.numbers[name] for name in names]


class Words:
    """A language model of the statistical half as a stepper: the state is what was written."""

    def __init__(self, model, words):
        self.model, self.words = model, [EOS, *words]
        self.eos_id, self.bos_id, self.never = 0, -1, ()

    def start(self, sources):
        return [None] * len(sources)

    def step(self, tokens, state):
        state = [
            () if written is None else (*written, self.words[token])
            for written, token in zip(state, tokens.tolist(), strict=True)
        ]
        rows = [[self.model.log_prob(word, written) for word in self.words] for written in state]
        return torch.tensor(rows), state

    def reorder(self, state, rows):
        return [state[row] for row in rows.tolist()]


def tree(probs: dict[str, dict[str, float]], words: str = "/abc") -> Nodes:
    """From probabilities after each beginning, words as letters; unnamed beginnings are uniform."""

    def row_of(source, written):
        after = probs.get("".join(words[token] for token in written))
        even = dict.fromkeys(words, 1 / len(words))
        after = even if after is None else after
        return [math.log(after[word]) if word in after else -math.inf for word in words]

    return Nodes(row_of)


def spell(found: Hypothesis, words: str = "/abc") -> str:
    return "".join(words[token] for token in found.ids)


def random_rows(seed: int, size: int, grid: float = 0.0, scale: float = 1.5) -> Callable:
    """Log-probabilities drawn for every beginning; on a grid they tie, and do not sum to 1."""

    def row_of(source, written):
        draws = np.random.default_rng([seed, *source, 99, *written])
        logits = draws.normal(size=size) * scale
        if grid:
            return np.round(-np.abs(logits) / grid) * grid
        return logits - np.log(np.exp(logits).sum())

    return row_of


@st.composite
def tables(draw, most: int = 4, grids=(0.0, 0.5, 1.0)) -> Nodes:
    """A random stepper: two to four ids, any of them the end, some never written."""
    size = draw(st.integers(2, most))
    eos_id = draw(st.integers(0, size - 1))
    others = [token for token in range(size) if token != eos_id]
    never = draw(st.lists(st.sampled_from(others), unique=True, max_size=size - 2))
    rows = random_rows(draw(st.integers(0, 10**6)), size, draw(st.sampled_from(grids)))
    kind = draw(st.sampled_from([Nodes, Pairs]))
    return kind(rows, eos_id=eos_id, bos_id=draw(st.integers(0, size)), never=tuple(never))


limits, seeds, alphas = st.integers(1, 4), st.integers(0, 10**4), st.sampled_from(ALPHAS)
batches = st.lists(
    st.tuples(st.lists(st.integers(0, 2), max_size=2), limits), min_size=1, max_size=5
)


def writable(stepper: Nodes) -> list[int]:
    return [t for t in range(len(stepper.row_of((), ()))) if t not in stepper.never]


def log_prob_of(stepper: Nodes, source: Sequence[int], ids: tuple) -> float:
    rows = (stepper.row_of(tuple(source), ids[:place]) for place in range(len(ids)))
    return sum((float(row[token]) for row, token in zip(rows, ids, strict=True)), start=0.0)


def order(found: Hypothesis):
    return -found.score, found.ids


def brute_force(stepper: Nodes, source, limit: int, alpha: float) -> list[Hypothesis]:
    """Every sequence there is."""
    found = []
    for length in range(1, limit + 1):
        for ids in itertools.product(writable(stepper), repeat=length):
            finished = ids[-1] == stepper.eos_id
            if stepper.eos_id in ids[:-1] or not (finished or length == limit):
                continue
            log_prob = log_prob_of(stepper, source, ids)
            found.append(Hypothesis(ids, log_prob, log_prob / length**alpha, finished))
    return sorted(found, key=order)


def slow_beam(stepper: Nodes, source, size: int, limit: int, alpha: float):
    """Beam search as it is told: no early stop, no batch; all that was found, and every step."""
    kept, found, steps = [Hypothesis((), 0.0, 0.0, False)], [], []
    for length in range(1, limit + 1):
        new = []
        for parent in kept:
            for token in [] if parent.finished else writable(stepper):
                ids = (*parent.ids, token)
                log_prob = log_prob_of(stepper, source, ids)
                score = log_prob / length**alpha
                new.append(Hypothesis(ids, log_prob, score, token == stepper.eos_id))
        ranked = sorted([*(h for h in kept if h.finished), *new], key=order)
        kept = ranked[:size]
        found += [h for h in kept if h in new and (h.finished or length == limit)]
        steps.append((kept, ranked[size:]))
        if all(h.finished for h in kept):
            break
    return sorted(found, key=order), steps


def ids_of(found) -> list[tuple]:
    return [hypothesis.ids for hypothesis in found]


# --- by hand --------------------------------------------------------------------------------------

# greedy takes a, after which nothing is likely; the best begins with b
TRAP = {"": {"a": 0.6, "b": 0.4}, "a": {"/": 0.4, "a": 0.3, "b": 0.3}, "b": {"/": 0.9, "a": 0.1}}
# a beam of two follows both children of b, which end badly, and drops aa, which ends well
WORSE = {
    "": {"a": 0.5, "b": 0.45, "c": 0.05},
    "a": {"a": 0.4, "b": 0.3, "c": 0.3},
    "b": {"a": 0.5, "b": 0.5},
    "aa": {"/": 1.0},
}
# a short sentence and a longer one that is a little less likely
LENGTHS = {"": {"/": 0.3, "a": 0.7}, "a": {"a": 0.6, "b": 0.4}, "aa": {"/": 0.6, "b": 0.4}}


def test_greedy_is_not_best():
    model = tree(TRAP)
    (taken,) = greedy(model, [[]], max_length=5)
    assert spell(taken) == "a/"
    assert taken.log_prob == pytest.approx(math.log(0.6 * 0.4))
    assert taken.score == taken.log_prob
    assert taken.finished
    ((best,),) = beam(model, [[]], size=2, max_length=5)
    assert spell(best) == "b/"
    assert best.log_prob == pytest.approx(math.log(0.36))
    assert exhaustive(model, [], max_length=5) == [best]


def test_a_wider_beam_may_score_worse():
    model = tree(WORSE)
    narrow, wide, wider = (beam(model, [[]], size=size, max_length=3)[0][0] for size in (1, 2, 3))
    assert spell(narrow) == spell(wider) == "aa/"
    assert narrow.log_prob == pytest.approx(math.log(0.2))
    assert spell(wide) == "ba/"
    assert wide.log_prob == pytest.approx(math.log(0.225 / 4))
    assert wide.score < narrow.score


def test_the_length_exponent_flips_the_choice_and_counts_the_end_symbol():
    model = tree(LENGTHS)
    short, long = math.log(0.3), math.log(0.7 * 0.6 * 0.6)
    assert short > long
    for alpha in (0.0, 0.1):
        ((best,),) = beam(model, [[]], size=3, max_length=3, alpha=alpha)
        assert spell(best) == "/"
        assert best.score == pytest.approx(short)
    for alpha in (0.5, 1.0):
        ((best,),) = beam(model, [[]], size=3, max_length=3, alpha=alpha)
        assert spell(best) == "aa/"
        assert best.log_prob == pytest.approx(long)
        assert best.score == pytest.approx(long / 3**alpha)
        assert exhaustive(model, [], max_length=3, alpha=alpha) == [best]


def test_a_finished_hypothesis_keeps_its_place_among_the_kept():
    # a/ is second best after two steps; were it taken out, ab would have its place and win
    model = tree(
        {
            "": {"a": 0.9, "b": 0.1},
            "a": {"a": 0.4, "/": 0.35, "b": 0.25},
            "aa": {"a": 0.5, "b": 0.5},
            "ab": {"/": 1.0},
        }
    )
    steps = beam_steps(model, [], size=2, max_length=4)
    assert [spell(h) for h in steps[1].kept] == ["aa", "a/"]
    assert [spell(h) for h in steps[1].dropped] == ["b/", "ba"]
    ((best,),) = beam(model, [[]], size=2, max_length=4)
    assert spell(best) == "a/"
    assert spell(exhaustive(model, [], max_length=4)[0]) == "a/"
    assert "ab/" not in map(spell, beam(model, [[]], size=2, max_length=4, n_best=2)[0])


def test_a_finished_hypothesis_that_lost_its_place_is_not_forgotten():
    # b/ leads by its score per token only until longer ones push it out, and they end badly
    model = tree(
        {
            "": {"/": 0.5, "a": 0.5},
            "a": {"b": 1.0},
            "ab": {"a": 0.5, "b": 0.5},
            "aba": {"/": 0.001, "a": 0.999},
            "abb": {"/": 0.001, "a": 0.999},
            "abaa": {"/": 0.001, "a": 0.001},
            "abba": {"/": 0.001, "a": 0.001},
        }
    )
    steps = beam_steps(model, [], size=2, max_length=5, alpha=1.0)
    assert "/" in [spell(h) for h in steps[1].kept]
    assert "/" not in [spell(h) for h in steps[2].kept]
    ((best,),) = beam(model, [[]], size=2, max_length=5, alpha=1.0)
    assert spell(best) == "/"


def test_ties_go_to_the_smaller_id():
    model = tree({})
    assert greedy(model, [[]], max_length=3)[0].ids == (0,)
    kept = beam_steps(model, [], size=2, max_length=2)[0].kept
    assert ids_of(kept) == [(0,), (1,)]
    even = tree({"": {"a": 0.5, "c": 0.5}})
    assert spell(greedy(even, [[]], max_length=1)[0]) == "a"
    assert spell(beam(even, [[]], size=1, max_length=1)[0][0]) == "a"
    found = exhaustive(even, [], max_length=1, n_best=None)
    assert [spell(h) for h in found] == ["a", "c"]
    best = exhaustive(tree({"": {"a": 0.5, "b": 0.5}}), [], max_length=2, n_best=None)
    assert ids_of(best) == sorted(ids_of(best))


def test_a_large_vocabulary_of_equals_is_cut_by_id():
    # topk alone returns equals in no order, which shows only in long rows
    model = Nodes(lambda source, written: [-1.0] * 5000, eos_id=4999)
    (step,) = beam_steps(model, [], size=3, max_length=1)
    assert ids_of(step.kept) == [(0,), (1,), (2,)]
    assert greedy(model, [[]], max_length=1)[0].ids == (0,)


def test_the_kept_and_the_dropped_of_the_trap():
    first, second = beam_steps(tree(TRAP), [], size=2, max_length=5)[:2]
    assert [spell(h) for h in first.kept] == ["a", "b"]
    assert first.dropped == []
    assert [spell(h) for h in second.kept] == ["b/", "a/"]
    assert [spell(h) for h in second.dropped] == ["aa", "ba"]
    assert [h.finished for h in second.kept] == [True, True]


def test_the_search_stops_when_nothing_can_overtake():
    model = tree({"": {"/": 0.9, "a": 0.1}})
    assert spell(beam(model, [[]], size=2, max_length=50)[0][0]) == "/"
    assert model.steps == 1
    # with an exponent the unfinished one may still become better, until it no longer can: five
    # tokens have 9 log 1/2, and no length up to the limit divides it by more than 8; without an
    # exponent the two are equal after one token, and ids might decide
    for alpha, steps in [(0.0, 2), (1.0, 5)]:
        model = tree({"a" * n: {"a": 0.25} for n in range(1, 9)} | {"": {"/": 0.5, "a": 0.5}})
        assert spell(beam(model, [[]], size=2, max_length=8, alpha=alpha)[0][0]) == "/"
        assert model.steps == steps
    # and all kept are finished
    model = tree(TRAP)
    beam(model, [[]], size=2, max_length=50, n_best=2)
    assert model.steps == 2


def test_what_has_no_end_symbol_at_the_limit_is_flagged():
    model = tree({"": {"a": 1.0}, "a": {"b": 1.0}, "ab": {"/": 0.4, "c": 0.6}, "abc": {"/": 1.0}})
    for limit, expected in [(1, "a"), (2, "ab"), (3, "abc"), (4, "abc/"), (9, "abc/")]:
        searches = [
            greedy(model, [[]], max_length=limit)[0],
            sample(model, [[]], max_length=limit, top_k=1)[0],
            beam(model, [[]], size=1, max_length=limit)[0][0],
            beam(model, [[]], size=4, max_length=limit)[0][0],
            exhaustive(model, [], max_length=limit)[0],
        ]
        for found in searches:
            assert spell(found) == expected
            assert found.finished == expected.endswith("/")


def test_forced_by_hand():
    model = tree(TRAP)
    found = force(model, [[], []], [[1, 0], [2]])
    assert [len(row) for row in found] == [2, 1]
    assert np.allclose(np.exp(found[0]), [0.6, 0.4])
    assert np.allclose(np.exp(found[1]), [0.4])


def test_an_n_gram_model_is_searched_as_well():
    text = ["the cat sleeps", "the cat reads", "the cat sleeps", "a dog sleeps", "the dog reads"]
    model = language_model.train([line.split() for line in text], order=2, smoothing="add_k")
    stepper = Words(model, sorted({word for line in text for word in line.split()}))
    assert isinstance(stepper, Stepper)
    (written,) = greedy(stepper, [[]], max_length=8)
    assert [stepper.words[token] for token in written.ids] == ["the", "cat", "sleeps", EOS]
    sentence = [stepper.words[token] for token in written.ids[:-1]]
    assert written.log_prob == pytest.approx(model.sentence_log_prob(sentence))
    assert force(stepper, [[]], [written.ids])[0].sum() == pytest.approx(written.log_prob)
    best = exhaustive(stepper, [], max_length=4)[0]
    assert best == beam(stepper, [[]], size=50, max_length=4)[0][0]


# --- laws -----------------------------------------------------------------------------------------


@given(tables(most=5), batches, alphas)
@LAW
def test_a_beam_of_one_is_greedy(stepper, batch, alpha):
    sources, longest = [list(part) for part in zip(*batch, strict=True)]
    ours = greedy(stepper, sources, max_length=longest)
    found = beam(stepper, sources, size=1, max_length=longest, alpha=alpha)
    for taken, (kept,) in zip(ours, found, strict=True):
        assert kept == taken._replace(score=taken.log_prob / len(taken.ids) ** alpha)


@given(tables(), limits, alphas)
@LAW
def test_exhaustive_search_is_brute_force(stepper, limit, alpha):
    found = exhaustive(stepper, [1], max_length=limit, alpha=alpha, n_best=None)
    assert found == brute_force(stepper, [1], limit, alpha)
    assert exhaustive(stepper, [1], max_length=limit, alpha=alpha) == found[:1]
    assert exhaustive(stepper, [1], max_length=limit, alpha=alpha, n_best=3) == found[:3]


@given(tables(), limits, alphas, st.integers(1, 5))
@LAW
def test_a_beam_that_keeps_all_is_exhaustive(stepper, limit, alpha, n_best):
    size = len(writable(stepper)) ** (limit - 1)
    n_best = min(n_best, size)
    (found,) = beam(stepper, [[1]], size=size, max_length=limit, alpha=alpha, n_best=n_best)
    assert found == exhaustive(stepper, [1], max_length=limit, alpha=alpha, n_best=n_best)


@given(tables(most=5), st.integers(1, 6), st.integers(1, 6), alphas, st.integers(1, 6))
@settings(LAW, max_examples=200)
def test_stopping_early_changes_nothing(stepper, limit, size, alpha, n_best):
    n_best = min(n_best, size)
    ours, _ = slow_beam(stepper, [2], size, limit, alpha)
    (found,) = beam(stepper, [[2]], size=size, max_length=limit, alpha=alpha, n_best=n_best)
    assert found == ours[:n_best]


@given(tables(most=5), st.integers(1, 5), st.integers(1, 4), alphas)
@LAW
def test_the_steps_are_those_of_the_slow_beam(stepper, limit, size, alpha):
    _, slow = slow_beam(stepper, [], size, limit, alpha)
    steps = beam_steps(stepper, [], size=size, max_length=limit, alpha=alpha)
    assert len(steps) <= len(slow)
    for step, (kept, dropped) in zip(steps, slow, strict=False):
        assert step.kept == kept
        assert len(step.kept) <= size
        places = [dropped.index(h) for h in step.dropped]
        assert places == sorted(places)
        # those that do not appear are not among the `size` best children of their parent
        for missing in set(dropped) - set(step.dropped):
            children = [h for h in kept + dropped if h.ids[:-1] == missing.ids[:-1]]
            assert sorted(children, key=order).index(missing) >= size
    best = beam(stepper, [[]], size=size, max_length=limit, alpha=alpha)[0][0]
    ended = [h for step in steps for h in step.kept if h.finished or len(h.ids) == limit]
    assert best == min(ended, key=order)


@given(tables(), batches, st.integers(1, 4), alphas, seeds)
@LAW
def test_a_source_gets_the_same_alone_and_among_others(stepper, batch, size, alpha, seed):
    sources, longest = [list(part) for part in zip(*batch, strict=True)]
    taken = greedy(stepper, sources, max_length=longest)
    found = beam(stepper, sources, size=size, max_length=longest, alpha=alpha, n_best=size)
    forced = force(stepper, sources, [h.ids for h in taken])
    for number, (source, limit) in enumerate(batch):
        assert [taken[number]] == greedy(stepper, [source], max_length=limit)
        alone = beam(stepper, [source], size=size, max_length=limit, alpha=alpha, n_best=size)
        assert [found[number]] == alone
        assert np.array_equal(forced[number], force(stepper, [source], [taken[number].ids])[0])
    drawn = sample(stepper, sources, max_length=longest, seed=seed)
    for count in range(1, len(sources)):
        first = sample(stepper, sources[:count], max_length=longest[:count], seed=seed)
        assert first == drawn[:count]
    # nor on what the others are, and when they end
    others = [[2, 2, 2] for _ in sources]
    for number, source in enumerate(sources):
        mixed = [*others[:number], source, *others[number + 1 :]]
        again = sample(stepper, mixed, max_length=longest, seed=seed)
        assert again[number] == drawn[number]


@given(tables(), batches, st.integers(1, 4), alphas, seeds)
@LAW
def test_every_hypothesis_is_what_it_says(stepper, batch, size, alpha, seed):
    sources, longest = [list(part) for part in zip(*batch, strict=True)]
    found = beam(stepper, sources, size=size, max_length=longest, alpha=alpha, n_best=size)
    taken = greedy(stepper, sources, max_length=longest)
    drawn = sample(stepper, sources, max_length=longest, seed=seed)
    lists = [
        *zip(sources, longest, found, strict=True),
        *zip(sources, longest, ([one] for one in taken), strict=True),
        *zip(sources, longest, ([one] for one in drawn), strict=True),
        (sources[0], 3, exhaustive(stepper, sources[0], max_length=3, alpha=alpha, n_best=None)),
    ]
    for source, limit, hypotheses in lists:
        assert hypotheses
        forced = force(stepper, [source] * len(hypotheses), ids_of(hypotheses))
        for one, values in zip(hypotheses, forced, strict=True):
            assert one.log_prob == pytest.approx(values.sum(), abs=1e-12)
            assert not set(one.ids) & set(stepper.never)
            assert stepper.eos_id not in one.ids[:-1]
            assert one.finished == (one.ids[-1] == stepper.eos_id)
            assert one.finished or len(one.ids) == limit
            assert len(one.ids) <= limit
        assert hypotheses == sorted(hypotheses, key=order)
        assert len(set(ids_of(hypotheses))) == len(hypotheses)
    for hypotheses in found:
        assert len(hypotheses) <= size
        for one in hypotheses:
            assert one.score == one.log_prob / len(one.ids) ** alpha


@given(tables(), limits, st.integers(1, 4))
@LAW
def test_dividing_by_the_length_relieves_the_long(stepper, limit, size):
    """The score of every hypothesis rises with the exponent, and the lengths chosen do not fall."""
    lists = [
        {h.ids: h for h in exhaustive(stepper, [], max_length=limit, alpha=alpha, n_best=None)}
        for alpha in ALPHAS
    ]
    for less, more in itertools.pairwise(lists):
        for ids, one in less.items():
            relief = more[ids].score - one.score
            assert relief >= 0
            assert relief > 0 or len(ids) == 1 or one.log_prob == 0
    best = [min(found.values(), key=order) for found in lists]
    for before, after in itertools.pairwise(best):
        assert len(before.ids) <= len(after.ids) or before.score == after.score


@given(tables(grids=(0.0,)), limits)
@LAW
def test_all_probabilities_sum_to_one_less_what_is_never_written(stepper, limit):
    def lost(written: tuple, left: int) -> float:
        probs = np.exp(stepper.row_of((), written))
        here = sum(probs[token] for token in stepper.never)
        if left == 1:
            return here
        on = [token for token in writable(stepper) if token != stepper.eos_id]
        return here + sum(probs[token] * lost((*written, token), left - 1) for token in on)

    found = exhaustive(stepper, [], max_length=limit, n_best=None)
    total = sum(math.exp(h.log_prob) for h in found)
    assert total == pytest.approx(1 - lost((), limit))


@given(tables(), st.integers(1, 4), limits, alphas)
@LAW
def test_n_best_is_a_prefix(stepper, size, limit, alpha):
    (all_of_them,) = beam(stepper, [[0]], size=size, max_length=limit, alpha=alpha, n_best=size)
    for n_best in range(1, size + 1):
        (some,) = beam(stepper, [[0]], size=size, max_length=limit, alpha=alpha, n_best=n_best)
        assert some == all_of_them[:n_best]


def test_only_open_rows_are_stepped():
    """A sentence that has ended costs nothing more."""

    def row_of(source, written):
        ended = len(written) + 1 >= source[0]
        return [0.0, -math.inf] if ended else [-math.inf, 0.0]

    sources = [[1], [5], [2]]
    for search in (
        lambda model: greedy(model, sources, max_length=9),
        lambda model: sample(model, sources, max_length=9),
        lambda model: [h for (h,) in beam(model, sources, size=3, max_length=9)],
        lambda model: force(model, sources, [[0], [1, 1, 1, 1, 0], [1, 0]]),
    ):
        model = Nodes(row_of)
        found = search(model)
        assert [len(getattr(h, "ids", h)) for h in found] == [1, 5, 2]
        assert (model.steps, model.stepped) == (5, 1 + 5 + 2)


# --- drawing --------------------------------------------------------------------------------------

FIVE = [0.4, 0.25, 0.2, 0.1, 0.05]


def drawn_first(count: int = 2500, probs: Sequence[float] = FIVE, **options) -> np.ndarray:
    """Frequencies of the first token."""
    model = Nodes(lambda source, written: np.log(probs), eos_id=len(probs) - 1)
    found = sample(model, [[]] * count, max_length=1, **options)
    counts = Counter(h.ids[0] for h in found)
    return np.array([counts[token] for token in range(len(probs))]) / count


def agrees(seen: np.ndarray, expected, count: int = 2500) -> bool:
    """Whether frequencies are within four standard deviations of what is expected."""
    expected = np.asarray(expected)
    return bool((np.abs(seen - expected) <= 4 * np.sqrt(expected * (1 - expected) / count)).all())


def test_sentences_are_drawn_as_often_as_they_are_likely():
    stepper = Nodes(random_rows(5, 3), eos_id=0)
    everything = exhaustive(stepper, [7], max_length=3, n_best=None)
    likely = {h.ids: math.exp(h.log_prob) for h in everything}
    count = 4000
    found = Counter(ids_of(sample(stepper, [[7]] * count, max_length=3, seed=1)))
    assert set(found) <= set(likely)
    squares = sum((found[ids] - count * p) ** 2 / (count * p) for ids, p in likely.items())
    freedom = len(likely) - 1
    assert freedom >= 10
    assert squares < freedom + 4 * math.sqrt(2 * freedom)


def test_temperature_sharpens_below_one_and_flattens_above():
    for temperature in (0.5, 1.0, 2.0):
        powers = np.array(FIVE) ** (1 / temperature)
        assert agrees(drawn_first(temperature=temperature), powers / powers.sum())
    assert drawn_first(temperature=0.5)[0] > drawn_first()[0] > drawn_first(temperature=2.0)[0]
    assert drawn_first(50, temperature=1e-6).tolist() == [1, 0, 0, 0, 0]
    assert agrees(drawn_first(temperature=1e6), [0.2] * 5)


def test_top_k_draws_among_the_head():
    for size in range(1, 6):
        head = np.array(FIVE) * (np.arange(5) < size)
        assert agrees(drawn_first(top_k=size), head / head.sum())
    assert agrees(drawn_first(top_k=99), FIVE)
    unsorted = [0.05, 0.4, 0.1, 0.25, 0.2]
    assert agrees(drawn_first(probs=unsorted, top_k=2), [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0])


@pytest.mark.parametrize(
    ("share", "size"),
    [(0.01, 1), (0.39, 1), (0.4, 1), (0.41, 2), (0.65, 2), (0.66, 3), (0.94, 4), (0.96, 5)],
)
def test_top_p_draws_among_the_fewest_that_have_the_share(share, size):
    head = np.array(FIVE) * (np.arange(5) < size)
    assert agrees(drawn_first(top_p=share), head / head.sum())


def test_cuts_join_and_temperature_comes_first():
    seen = drawn_first(300, top_k=2, top_p=0.9)
    assert (seen > 0).tolist() == [True, True, False, False, False]
    seen = drawn_first(300, top_k=4, top_p=0.5)
    assert (seen > 0).tolist() == [True, True, False, False, False]
    # at temperature 1/2 the first has 0.4² of 0.275 = 0.58 of the probability
    seen = drawn_first(300, temperature=0.5, top_p=0.55)
    assert (seen > 0).tolist() == [True, False, False, False, False]


@given(tables(most=5), batches, seeds)
@LAW
def test_cold_or_narrow_sampling_is_greedy(stepper, batch, seed):
    sources, longest = [list(part) for part in zip(*batch, strict=True)]
    taken = greedy(stepper, sources, max_length=longest)
    assert sample(stepper, sources, max_length=longest, top_k=1, seed=seed) == taken
    assert sample(stepper, sources, max_length=longest, top_p=1e-9, seed=seed) == taken
    plain = Nodes(random_rows(seed, 4))
    taken = greedy(plain, sources, max_length=longest)
    assert sample(plain, sources, max_length=longest, temperature=1e-9, seed=seed) == taken


def test_the_log_probability_is_the_model_s_whatever_was_drawn_from():
    model = Nodes(lambda source, written: np.log(FIVE), eos_id=4)
    for options in ({"temperature": 3.0}, {"top_k": 2}, {"top_p": 0.5}):
        for found in sample(model, [[]] * 20, max_length=1, **options):
            assert found.log_prob == pytest.approx(math.log(FIVE[found.ids[0]]))
            assert found.score == found.log_prob


def test_seeds_and_places_draw_differently():
    model = Nodes(random_rows(0, 4))
    sources = [[1]] * 30
    one, again, other = (sample(model, sources, max_length=4, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert ids_of(one) != ids_of(other)
    assert len(set(ids_of(one))) > 5
    assert ids_of(one)[1:] != ids_of(other)[:-1]


# --- translate ------------------------------------------------------------------------------------

SRC = Vocabulary.from_training([list("abcde")])
TGT = Vocabulary.from_training([list("pqr")])


def translator(row_of: Callable) -> Nodes:
    """A stepper with vocabularies: the special symbols 0 to 3, then words."""
    model = Nodes(row_of, eos_id=TGT.eos_id, bos_id=TGT.bos_id, never=(0, 1, 3))
    model.src_vocab, model.tgt_vocab = SRC, TGT
    return model


sentences = st.lists(st.lists(st.sampled_from("abcdeX"), max_size=4), max_size=7)


@given(sentences, seeds, st.integers(1, 3), st.integers(1, 8), alphas)
@LAW
def test_translations_keep_their_order_and_do_not_depend_on_the_batch(
    batch, seed, size, batch_size, alpha
):
    model = translator(random_rows(seed, 7))
    options = {"size": size, "alpha": alpha, "max_length": lambda words: words + 2}
    found = translate(model, batch, batch_size=batch_size, **options)
    assert len(found) == len(batch)
    for words, one in zip(batch, found, strict=True):
        assert translate(model, [words], **options) == [one]
        source, limit = SRC.encode(words, eos=True), len(words) + 2
        (best,) = beam(model, [source], size=size, max_length=limit, alpha=alpha, n_best=size)
        chosen = next((h for h in best if h.finished), best[0])
        if size == 1:
            (chosen,) = greedy(model, [source], max_length=limit)
        assert one.words == TGT.decode(chosen.ids)
        assert (one.log_prob, one.finished) == (chosen.log_prob, chosen.finished)


def test_sources_are_encoded_with_their_end_and_words_come_out():
    seen = []

    def row_of(source, written):
        seen.append(source)
        return [-math.inf] * 2 + ([0.0, *[-math.inf] * 4] if written else [-9.0] * 4 + [0.0])

    (found,) = translate(translator(row_of), [["b", "a"]])
    assert seen[0] == (*SRC.encode(["b", "a"]), SRC.eos_id)
    assert found.words == ["r"]
    assert found.finished


def test_nothing_to_translate():
    model = translator(random_rows(0, 7))
    assert translate(model, []) == []
    assert translate(model, [], size=3) == []
    (found,) = translate(model, [[]], size=2)
    assert isinstance(found.words, list)


def test_a_finished_translation_is_preferred_to_a_piece():
    # p is likeliest, and never ends; the piece has the better score
    def row_of(source, written):
        low = [-math.inf] * 7
        first = TGT.encode(["p", "q"])
        if not written:
            for token, value in zip(first, (0.6, 0.4), strict=True):
                low[token] = math.log(value)
        else:
            low[first[0] if written[-1] == first[0] else TGT.eos_id] = 0.0
        return low

    model = translator(row_of)
    options = {"max_length": lambda words: 5, "alpha": 0.0}
    source = SRC.encode(["a"], eos=True)
    assert not beam(model, [source], size=2, max_length=5)[0][0].finished
    cut, whole = (
        translate(model, [["a"]], **options)[0],
        translate(model, [["a"]], size=2, **options)[0],
    )
    assert (cut.words, cut.finished) == (["p"] * 5, False)
    assert (whole.words, whole.finished) == (["q"], True)
    assert whole.log_prob == pytest.approx(math.log(0.4))


def test_where_nothing_ends_the_best_piece_is_flagged():
    def row_of(source, written):
        return [math.log(p) if p else -math.inf for p in (0, 0, 0, 0, 0.5, 0.3, 0.2)]

    found = translate(translator(row_of), [["a"], ["b", "c"]], size=2)
    assert [one.finished for one in found] == [False, False]
    assert [one.words for one in found] == [["p"] * 12, ["p"] * 14]


def test_the_limit_grows_with_the_source_and_the_bar_is_quiet(capsys):
    model = translator(lambda source, written: [-math.inf] * 4 + [0.0, -1.0, -2.0])
    found = translate(model, [list("ab"), [], list("abc")])
    assert [len(one.words) for one in found] == [14, 10, 16]
    translate(model, [["a"]])
    assert capsys.readouterr() == ("", "")


# --- what can go wrong ----------------------------------------------------------------------------


def test_no_sources_are_no_hypotheses():
    model = tree(TRAP)
    assert greedy(model, [], max_length=3) == []
    assert sample(model, [], max_length=3) == []
    assert beam(model, [], size=2, max_length=3) == []
    assert force(model, [], []) == []
    assert model.steps == 0


SEARCHES = {
    "greedy": lambda model, **options: greedy(model, [[]], **{"max_length": 3, **options}),
    "sample": lambda model, **options: sample(model, [[]], **{"max_length": 3, **options}),
    "beam": lambda model, **options: beam(model, [[]], **{"size": 2, "max_length": 3, **options}),
    "steps": lambda model, **options: beam_steps(
        model, [], **{"size": 2, "max_length": 3, **options}
    ),
    "exhaustive": lambda model, **options: exhaustive(model, [], **{"max_length": 3, **options}),
}
each_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


@each_search
def test_a_limit_below_one_is_an_error(search):
    with pytest.raises(ValueError, match="a length limit is 0, expected 1 or more"):
        search(tree(TRAP), max_length=0)


@pytest.mark.parametrize("name", ["greedy", "sample", "beam"])
def test_limits_are_as_many_as_sources(name):
    with pytest.raises(ValueError, match="2 length limits for 1 sources"):
        SEARCHES[name](tree(TRAP), max_length=[3, 3])


@each_search
def test_not_a_number_is_an_error(search):
    with pytest.raises(ValueError, match=re.escape("not a number (NaN)")):
        search(Nodes(lambda source, written: [math.nan, -1.0]))


@pytest.mark.parametrize("name", ["greedy", "sample", "beam", "steps"])
def test_no_way_on_is_an_error(name):
    with pytest.raises(ValueError, match="no token may be written"):
        SEARCHES[name](tree({"": {"a": 1.0}, "a": {}}))
    stuck = Nodes(lambda source, written: [-1.0, -1.0], never=(0, 1))
    with pytest.raises(ValueError, match="no token may be written"):
        SEARCHES[name](stuck)


def test_a_dead_end_is_no_error_where_another_way_leads_on():
    model = tree({"": {"a": 0.6, "b": 0.4}, "a": {}, "b": {"/": 1.0}})
    assert spell(beam(model, [[]], size=2, max_length=4)[0][0]) == "b/"
    assert [spell(h) for h in exhaustive(model, [], max_length=4, n_best=None)] == ["b/"]


@pytest.mark.parametrize(
    "options",
    [
        *({"size": 0}, {"n_best": 0}, {"size": 2, "n_best": 3}),
        *({"alpha": alpha} for alpha in (-0.1, math.inf, math.nan)),
    ],
)
def test_numbers_out_of_range_of_a_beam(options):
    with pytest.raises(ValueError, match="expected"):
        SEARCHES["beam"](tree(TRAP), **options)


@pytest.mark.parametrize(
    "options",
    [
        *({"temperature": value} for value in (0.0, -1.0, math.inf, math.nan)),
        *({"top_p": value} for value in (0.0, 1.01, math.nan)),
        {"top_k": 0},
    ],
)
def test_numbers_out_of_range_of_a_draw(options):
    with pytest.raises(ValueError, match=r"temperature is .* expected"):
        SEARCHES["sample"](tree(TRAP), **options)


def test_targets_that_cannot_be_forced():
    with pytest.raises(ValueError, match="1 targets for 2 sources"):
        force(tree(TRAP), [[], []], [[0]])
    with pytest.raises(ValueError, match="a target is empty"):
        force(tree(TRAP), [[], []], [[0], []])


def test_exhaustive_search_refuses_what_would_not_end(monkeypatch):
    model = Nodes(lambda source, written: [-1.0] * 3)
    monkeypatch.setattr(beams, "MOST_SEQUENCES", 30)
    assert len(exhaustive(model, [], max_length=3, n_best=None)) == 1 + 2 + 12
    with pytest.raises(ValueError, match="more than 30 sequences of up to 6"):
        exhaustive(model, [], max_length=6)
    assert model.steps <= 7


def test_log_probabilities_are_added_in_double_precision():
    rows = random_rows(3, 4)
    model = Nodes(rows, eos_id=3, dtype=torch.float32)
    (found,) = beam(model, [[]], size=3, max_length=6)[0]
    exact = sum(
        float(np.float32(rows((), found.ids[:place])[token]))
        for place, token in enumerate(found.ids)
    )
    assert found.log_prob == pytest.approx(exact, abs=1e-14)


# --- evaluation mode ------------------------------------------------------------------------------


class Moody(nn.Module):
    """A torch module as a stepper, which notes its mode at every step, and may fail."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.layer, self.fails = nn.Dropout(0.5), fails
        self.eos_id, self.bos_id, self.never = TGT.eos_id, TGT.bos_id, ()
        self.src_vocab, self.tgt_vocab = SRC, TGT
        self.weight = nn.Parameter(torch.linspace(-3, -1, 7))
        self.modes: list[bool] = []

    def start(self, sources):
        self.modes += [self.training, self.layer.training]
        return torch.zeros(len(sources))

    def step(self, tokens, state):
        self.modes += [self.training, self.layer.training]
        found = self.layer(self.weight.expand(len(tokens), -1))
        if self.fails:
            raise RuntimeError("out of order")
        return found, state

    def reorder(self, state, rows):
        return state[rows]


MODES = {
    **SEARCHES,
    "force": lambda model: force(model, [[], []], [[4, 2], [5]]),
    "translate": lambda model: translate(model, [["a"]]),
    "translate, beam": lambda model: translate(model, [["a"]], size=2),
}


@pytest.mark.parametrize("search", MODES.values(), ids=MODES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_evaluation_mode_and_back_whatever_happens(search, training, fails):
    model = Moody(fails).train(training)
    if fails:
        with pytest.raises(RuntimeError, match="out of order"):
            search(model)
    else:
        search(model)
    assert model.modes
    assert not any(model.modes)
    assert model.training is training
    assert model.layer.training is training


def test_no_search_keeps_gradients():
    """In a Python of its own: the hook that checks shapes here hides a generator from torch."""
    script = """
import torch
from softalign.search import beam, exhaustive, force, greedy, sample

class Model:
    bos_id, eos_id, never = 1, 0, ()

    def start(self, sources):
        return 0

    def step(self, tokens, state):
        print(torch.is_grad_enabled())
        return torch.zeros(len(tokens), 3) - 1, state

    def reorder(self, state, rows):
        return state

for search in (greedy, sample):
    search(Model(), [[1]], max_length=1)
beam(Model(), [[1]], size=2, max_length=1)
exhaustive(Model(), [1], max_length=1)
force(Model(), [[1]], [[0]])
print(torch.is_grad_enabled())
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"] * 5 + ["True"]


def test_what_is_no_torch_module_is_left_alone():
    other = SimpleNamespace(training=True)
    with evaluating(other):
        assert other.training


# --- a check of the checks ------------------------------------------------------------------------


@given(tables(), limits)
@example(tree(TRAP), 3)
@LAW
def test_no_search_beats_exhaustive(stepper, limit):
    best = exhaustive(stepper, [], max_length=limit)[0].score
    for size in (1, 2, 3):
        assert beam(stepper, [[]], size=size, max_length=limit)[0][0].score <= best
    assert greedy(stepper, [[]], max_length=limit)[0].score <= best
