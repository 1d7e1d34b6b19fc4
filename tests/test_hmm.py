"""The HMM and training by agreement: by hand, against the list of all paths, and the laws."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from alignment_cases import (
    FEW,
    LAW,
    MIXED,
    PAIRS,
    SEEDS,
    SMALL,
    chunks_of,
    divided,
    expected_log_jumps,
    jumps_after,
    listed,
    moves,
    nonempty,
    paths,
    per_sentence,
    same_tables,
    start_of,
    table_of,
)
from hypothesis import given
from hypothesis import strategies as st

from softalign.hmm import (
    HMM,
    WIDEST,
    Jumps,
    agreed_links,
    agreement,
    best_jump,
    crossing,
    e_step_hmm,
    forward_backward,
    level_jump,
    train_by_agreement,
    train_hmm,
    transitions,
    viterbi,
    widths,
)
from softalign.hmm.jumps import merge
from softalign.ibm import (
    Group,
    LexicalTable,
    from_rows,
    index,
    normalise,
    train_ibm1,
    uniform,
    viterbi_links,
)

SIZE = 2 * WIDEST + 1
NULLS = st.floats(0.01, 0.95)
LENGTHS = st.integers(1, 4)


def random_table(bitext, seed):
    random = np.random.default_rng(seed)
    return LexicalTable(bitext, normalise(bitext, 0.05 + random.random(len(bitext.given))))


def random_jump(seed):
    weights = 0.02 + np.random.default_rng(seed).random(SIZE) ** 3
    return weights / weights.sum()


def jump_of(**by_width):
    """Jump probabilities by hand: names like ``back1``, ``stay``, ``on2``; the rest are level."""
    jump = np.full(SIZE, 1e-3)
    for name, value in by_width.items():
        width = 0 if name == "stay" else int(name[-1]) * (-1 if name.startswith("back") else 1)
        jump[width + WIDEST] = value
    return jump


def case(size, length, seed):
    """Return a sentence with random emissions, as a group and as words and a table of dicts."""
    emissions = 0.02 + np.random.default_rng(seed).random((size + 1, length))
    group = Group(size, 0, 0, (1,) * length)
    source, target = [f"x{i}" for i in range(1, size + 1)], [f"y{j}" for j in range(length)]
    theta = {
        x: dict(zip(target, map(float, row), strict=True))
        for x, row in zip([None, *source], emissions, strict=True)
    }
    return group, emissions, source, target, theta


def likelihood(bitext, model):
    return sum(model.e_step(chunk)[1] for chunk in bitext.chunks)


# ------------------------------------------------------------------------------------- by hand


def test_two_words_by_hand():
    # Two given, two generated words. Weights of the jumps -1, 0, 1, 2: 1, 2, 4, 4.
    jump = jump_of(back1=1.0, stay=2.0, on1=4.0, on2=4.0)
    # From the start: 4 to 4. From 1: stay 2, on 4. From 2: back 1, stay 2.
    expected = np.array([[1 / 2, 1 / 2], [1 / 3, 2 / 3], [1 / 3, 2 / 3]])
    assert transitions(2, jump) == pytest.approx(expected, abs=1e-15)
    # p0 = 1/5. Columns: V, W. Rows: NULL, a, b.
    emissions = np.array([[1 / 2, 1 / 4], [3 / 4, 1 / 8], [1 / 4, 1 / 2]])
    # V: from a 1/2 * 4/5 * 3/4 = 3/10, from b 1/2 * 4/5 * 1/4 = 1/10; from NULL at either place
    #   1/2 * 1/5 * 1/2 = 1/20. So at place a 7/20, at b 3/20, together 1/2.
    # W from a place: speaking, (1/3 * 1/8 + 2/3 * 1/2) * 4/5 = 3/8 * 4/5 = 3/10 from either place;
    #   NULL 1/5 * 1/4 = 1/20. So 7/20 whatever the place, and the sentence has 1/2 * 7/20 = 7/40.
    group = Group(2, 0, 0, (1, 1))
    posterior, total, jumps = forward_backward(group, emissions, jump, 0.2)
    assert total == pytest.approx(math.log(7 / 40), abs=1e-14)
    # V: 3/5 a, 1/5 b, 1/5 NULL. W: a 1/3 * 1/8 * 4/5 = 1/30 of 7/20 is 2/21, b 4/15 is 16/21,
    #   NULL 1/20 is 1/7.
    expected = np.array([[1 / 5, 1 / 7], [3 / 5, 2 / 21], [1 / 5, 16 / 21]])
    assert posterior == pytest.approx(expected, abs=1e-14)
    # The start goes to a with 7/10, to b with 3/10, NULL or not; from each then as W.
    expected = [[7 / 10, 3 / 10], [7 / 10 * 2 / 21, 7 / 10 * 16 / 21], [2 / 70, 3 / 10 * 16 / 21]]
    assert jumps == pytest.approx(np.array(expected), abs=1e-14)
    # The best path: V from a, W from b.
    assert viterbi(group, emissions, jump, 0.2).tolist() == [1, 2]


def test_widths_by_hand():
    assert (widths(3) - WIDEST).tolist() == [[1, 2, 3], [0, 1, 2], [-1, 0, 1], [-2, -1, 0]]
    wide = widths(13)
    assert wide.shape == (14, 13)
    # jumps of 10, 11 and 12 share the last entry, those of -10 and less the first
    assert wide[1].tolist() == [10, *range(11, 21), 20, 20]
    assert wide[13].tolist() == [0, 0, 0, *range(1, 11)]
    assert WIDEST == 10


def test_a_word_of_null_stays_where_it_is():
    # Place 3 speaks, NULL says two words, and the next jump is made from 3.
    jump = jump_of(on1=1.0)
    emissions = np.full((5, 4), 1e-6)
    emissions[3, 0] = emissions[0, 1] = emissions[0, 2] = 1.0
    emissions[[1, 2, 4], 3] = 0.5
    group = Group(4, 0, 0, (1,) * 4)
    posterior, _, jumps = forward_backward(group, emissions, jump, 0.3)
    assert posterior.argmax(axis=0).tolist() == [3, 0, 0, 4]
    assert viterbi(group, emissions, jump, 0.3).tolist() == [3, 0, 0, 4]
    assert jumps.sum() == pytest.approx(2, abs=0.01)
    assert jumps[3, 3] > 0.9


def test_ties_go_to_the_first_places_and_not_to_null():
    group, flat = Group(3, 0, 0, (1, 1)), np.ones((4, 2))
    assert viterbi(group, flat, level_jump(), 0.1).tolist() == [1, 1]
    # at 1/4 NULL, which stays, is as good as one of three places: then the places speak
    assert viterbi(group, flat, level_jump(), 0.25).tolist() == [1, 1]
    assert viterbi(group, flat, level_jump(), 0.6).tolist() == [0, 0]


# --------------------------------------------------------------------- against all paths, listed


@LAW
@given(LENGTHS, LENGTHS, SEEDS, NULLS)
def test_forward_backward_and_viterbi_are_the_list_of_all_paths(size, length, seed, null_prob):
    group, emissions, source, target, theta = case(size, length, seed)
    jump = random_jump(seed)
    expected, total, made, departures = listed(source, target, theta, jump, null_prob)
    posterior, log_likelihood, jumps = forward_backward(group, emissions, jump, null_prob)
    assert pytest.approx(expected, abs=1e-12) == posterior.T
    assert log_likelihood == pytest.approx(math.log(total), abs=1e-11)
    assert jumps.sum(axis=1) == pytest.approx(departures, abs=1e-12)
    by_width = np.bincount(widths(size).ravel(), jumps.ravel(), minlength=SIZE)
    assert by_width == pytest.approx(made, abs=1e-12)

    every = paths(source, target, theta, jump, null_prob)
    best, _ = max(every, key=lambda item: item[1])
    found = viterbi(group, emissions, jump, null_prob)
    assert found.tolist() == [0 if null else place for place, null in best]
    # so it is at least as probable as any other path, also any that is drawn by chance


@pytest.mark.parametrize("size", [11, 13])
def test_wide_jumps_against_all_paths(size):
    group, emissions, source, target, theta = case(size, 3, size)
    jump = random_jump(size)
    expected, total, made, departures = listed(source, target, theta, jump, 0.2)
    posterior, log_likelihood, jumps = forward_backward(group, emissions, jump, 0.2)
    assert pytest.approx(expected, abs=1e-12) == posterior.T
    assert log_likelihood == pytest.approx(math.log(total), abs=1e-11)
    by_width = np.bincount(widths(size).ravel(), jumps.ravel(), minlength=SIZE)
    assert by_width == pytest.approx(made, abs=1e-12)
    assert jumps.sum(axis=1) == pytest.approx(departures, abs=1e-12)
    best, _ = max(paths(source, target, theta, jump, 0.2), key=lambda item: item[1])
    assert viterbi(group, emissions, jump, 0.2).tolist() == [0 if n else i for i, n in best]


@LAW
@given(LENGTHS, st.lists(st.integers(1, 6), min_size=1, max_size=6), SEEDS, NULLS)
def test_a_group_is_its_sentences_one_by_one(size, lengths, seed, null_prob):
    lengths = sorted(lengths, reverse=True)
    steps = tuple(sum(length > j for length in lengths) for j in range(lengths[0]))
    group = Group(size, 0, 0, steps)
    emissions = 0.02 + np.random.default_rng(seed).random((size + 1, sum(lengths)))
    jump = random_jump(seed)
    posterior, log_likelihood, jumps = forward_backward(group, emissions, jump, null_prob)
    found = viterbi(group, emissions, jump, null_prob)
    apart = np.zeros_like(jumps)
    for number, length in enumerate(lengths):
        columns = [sum(steps[:j]) + number for j in range(length)]
        alone = Group(size, 0, 0, (1,) * length)
        rows, value, moved = forward_backward(alone, emissions[:, columns], jump, null_prob)
        assert posterior[:, columns] == pytest.approx(rows, abs=1e-12)
        log_likelihood -= value
        apart += moved
        best = viterbi(alone, emissions[:, columns], jump, null_prob)
        assert found[columns].tolist() == best.tolist()
    assert log_likelihood == pytest.approx(0, abs=1e-10)
    assert jumps == pytest.approx(apart, abs=1e-11)


@FEW
@given(SMALL, SEEDS, NULLS)
def test_sentences_of_a_group_do_not_touch_each_other(pairs, seed, null_prob):
    bitext = index(pairs)
    theta = start_of(pairs, np.random.default_rng(seed))
    model = HMM(from_rows(bitext, theta), random_jump(seed), null_prob)
    found, log_likelihood = per_sentence(bitext, model), 0.0
    best, made, left = {}, np.zeros(SIZE), {}
    gathered = merge(
        [e_step_hmm(c, model.table.probs, model.jump, null_prob)[2] for c in bitext.chunks]
    )
    for chunk in bitext.chunks:
        for sentence, j, i in zip(chunk.sentence, chunk.position, model.best(chunk), strict=True):
            best[int(sentence), int(j)] = int(i)
    for number, (source, target) in enumerate(pairs):
        expected, total, here, departures = listed(source, target, theta, model.jump, null_prob)
        made += here
        left[len(source)] = left.get(len(source), 0.0) + departures
        assert found[number] == pytest.approx(expected, abs=1e-12)
        log_likelihood += math.log(total)
        every = paths(source, target, theta, model.jump, null_prob)
        path = [best[number, j] for j in range(len(target))]
        highest = max(prob for _, prob in every)
        probable = max(
            prob for steps, prob in every if [0 if null else i for i, null in steps] == path
        )
        assert probable == pytest.approx(highest, rel=1e-12)
    assert likelihood(bitext, model) == pytest.approx(log_likelihood, abs=1e-10)
    assert gathered.made == pytest.approx(made, abs=1e-11)
    assert gathered.departures.keys() == left.keys()
    for size, departures in left.items():
        assert gathered.departures[size] == pytest.approx(departures, abs=1e-11)


@FEW
@given(SMALL, SEEDS, NULLS)
def test_training_is_its_literal_transcription(pairs, seed, null_prob):
    theta = start_of(pairs, np.random.default_rng(seed))
    bitext, jump, seen = index(pairs), np.full(SIZE, 1 / SIZE), []
    start = from_rows(bitext, theta)
    for _ in range(2):
        counts = defaultdict(lambda: defaultdict(float))
        made, left, total = np.zeros(SIZE), {}, 0.0
        for source, target in pairs:
            posterior, likelihood_, here, departures = listed(
                source, target, theta, jump, null_prob
            )
            total += math.log(likelihood_)
            made += here
            left[len(source)] = left.get(len(source), 0.0) + departures
            for j, y in enumerate(target):
                for i, x in enumerate([None, *source]):
                    counts[x][y] += posterior[j, i]
        seen.append(total)
        theta = {x: divided(row) for x, row in counts.items()}
        jump = jumps_after(made, left, jump)
    trained = train_hmm(bitext, 2, start=start, null_prob=null_prob)
    assert trained.log_likelihoods == pytest.approx(seen, abs=1e-9)
    assert trained.null_prob == null_prob
    assert trained.jump == pytest.approx(jump, abs=1e-9)
    same_tables(table_of(trained.table), theta, 1e-8)


def test_the_defaults_of_training():
    bitext = index(MIXED)
    left = train_hmm(bitext)
    right = train_hmm(bitext, 5, start=uniform(bitext), null_prob=0.3)
    assert len(left.log_likelihoods) == 5
    assert left.log_likelihoods == right.log_likelihoods
    assert (level_jump() == 1 / SIZE).all()
    assert len(level_jump()) == SIZE
    none = train_hmm(bitext, 0)
    assert (none.jump == level_jump()).all()
    assert (none.table.probs == uniform(bitext).probs).all()
    assert likelihood(bitext, none) == pytest.approx(left.log_likelihoods[0], abs=1e-12)
    once = train_hmm(bitext, 1)
    assert likelihood(bitext, once) == pytest.approx(left.log_likelihoods[1], abs=1e-12)


# ----------------------------------------------------------------------------------- the M step


def expected_jumps(seed, sizes=(1, 2, 4, 12)):
    """Return jumps that sentences of several lengths are expected to make."""
    made, departures = np.zeros(SIZE), {}
    for size in sizes:
        group, emissions, *_ = case(size, 5, seed + size)
        _, _, jumps = forward_backward(group, emissions, random_jump(seed), 0.3)
        made += np.bincount(widths(size).ravel(), jumps.ravel(), minlength=SIZE)
        departures[size] = jumps.sum(axis=1)
    return Jumps(made, departures)


@LAW
@given(SEEDS)
def test_the_m_step_of_the_jumps_never_lowers_their_likelihood(seed):
    jumps, jump = expected_jumps(seed), random_jump(seed + 1)
    found = best_jump(jumps, jump)
    assert found.sum() == pytest.approx(1, abs=1e-14)
    assert (found > 0).all()
    before = expected_log_jumps(jumps.made, jumps.departures, jump)
    after = expected_log_jumps(jumps.made, jumps.departures, found)
    assert after >= before
    assert found == pytest.approx(jumps_after(jumps.made, jumps.departures, jump), abs=1e-12)


def test_the_m_step_of_the_jumps_ends_where_no_other_jumps_are_better():
    # Newton's method on the logarithms, with derivatives by differences, knows nothing of the
    # update; the objective is concave in them, so what it finds is the best there is.
    sizes = (2, 3)
    jumps = expected_jumps(3, sizes)
    used = np.flatnonzero(jumps.made > 0)
    assert len(used) == 6  # from -2 to 3

    def objective(logits):
        jump = np.full(SIZE, 1e-300)
        jump[used] = np.exp(np.append(logits, 0.0))
        return expected_log_jumps(jumps.made[used], {}, jump[used]) + expected_log_jumps(
            np.zeros(SIZE), jumps.departures, jump
        )

    point, step = np.zeros(len(used) - 1), 1e-3
    unit = np.eye(len(point)) * step
    for _ in range(30):
        gradient = np.array([objective(point + u) - objective(point - u) for u in unit])
        hessian = np.array(
            [
                [
                    objective(point + u + v)
                    - objective(point + u - v)
                    - objective(point - u + v)
                    + objective(point - u - v)
                    for v in unit
                ]
                for u in unit
            ]
        )
        point = point - np.linalg.solve(hessian / 4 / step**2, gradient / 2 / step)
    best = np.exp(np.append(point, 0.0))
    jump = level_jump()
    for _ in range(300):
        jump = best_jump(jumps, jump)
    assert jump[used] == pytest.approx(best / best.sum(), abs=1e-5)
    assert np.abs(best / best.sum() - 1 / len(used)).max() > 0.05


def test_no_jump_becomes_impossible():
    jumps = Jumps(np.eye(SIZE)[WIDEST + 1] * 3.0, {2: np.array([1.0, 2.0, 0.0])})
    found = best_jump(jumps, level_jump())
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1)
    assert found[WIDEST + 1] > 0.999
    nothing = Jumps(np.zeros(SIZE), {})
    assert (best_jump(nothing, random_jump(1)) == random_jump(1)).all()


def test_expected_jumps_add_up():
    parts = [expected_jumps(1, (1, 2)), expected_jumps(2, (2, 4)), expected_jumps(3, (4,))]
    before = [part.departures[max(part.departures)].copy() for part in parts]
    total = merge(parts)
    assert total.made == pytest.approx(sum(part.made for part in parts))
    assert sorted(total.departures) == [1, 2, 4]
    assert total.departures[1] == pytest.approx(parts[0].departures[1])
    assert total.departures[2] == pytest.approx(parts[0].departures[2] + parts[1].departures[2])
    assert total.departures[4] == pytest.approx(parts[1].departures[4] + parts[2].departures[4])
    for part, departures in zip(parts, before, strict=True):
        assert (part.departures[max(part.departures)] == departures).all()
    assert merge([]).made.tolist() == [0.0] * SIZE
    assert merge([]).departures == {}


# ----------------------------------------------------------------------------------------- laws


@LAW
@given(st.integers(1, 15), SEEDS)
def test_transitions_are_distributions(size, seed):
    found = transitions(size, random_jump(seed))
    assert found.shape == (size + 1, size)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-14)
    assert found == pytest.approx(np.array(moves(size, random_jump(seed))), abs=1e-14)
    # only the ratios of the jumps count
    assert transitions(size, 7 * random_jump(seed)) == pytest.approx(found, abs=1e-14)


@LAW
@given(PAIRS, SEEDS, NULLS)
def test_columns_sum_to_1_and_the_log_likelihood_never_falls(pairs, seed, null_prob):
    bitext = index(pairs)
    start = random_table(bitext, seed)
    trained = train_hmm(bitext, 6, start=start, null_prob=null_prob)
    seen = np.array([*trained.log_likelihoods, likelihood(bitext, trained)])
    assert (np.diff(seen) >= -1e-10 * (1 + abs(seen[0]))).all()
    assert trained.jump.sum() == pytest.approx(1, abs=1e-12)
    for row in table_of(trained.table).values():
        assert not row or math.fsum(row.values()) == pytest.approx(1, abs=1e-12)
    for model in (HMM(start, random_jump(seed), null_prob), trained):
        for rows in per_sentence(bitext, model).values():
            assert rows.sum(axis=1) == pytest.approx(1, abs=1e-11)
            assert (rows >= 0).all()


@LAW
@given(PAIRS, SEEDS, st.sampled_from([1, 4, 15, 10**9]), st.randoms(use_true_random=False))
def test_neither_chunks_nor_the_order_of_the_pairs_matter(pairs, seed, cells, random):
    order = list(range(len(pairs)))
    random.shuffle(order)
    theta = start_of(pairs, np.random.default_rng(seed))
    usual = index(pairs)
    with chunks_of(cells):
        other = index([pairs[k] for k in order])
    left = train_hmm(usual, 2, start=from_rows(usual, theta))
    right = train_hmm(other, 2, start=from_rows(other, theta))
    assert left.log_likelihoods == pytest.approx(right.log_likelihoods, abs=1e-9)
    assert left.jump == pytest.approx(right.jump, abs=1e-9)
    same_tables(table_of(left.table), table_of(right.table), 1e-8)
    here, there = per_sentence(usual, left), per_sentence(other, right)
    for k, rows in there.items():
        assert rows == pytest.approx(here[order[k]], abs=1e-8)


@LAW
@given(PAIRS, SEEDS)
def test_a_sentence_alone_is_the_same_sentence_in_the_corpus(pairs, seed):
    bitext = index(pairs)
    model = HMM(random_table(bitext, seed), random_jump(seed), 0.3)
    found = per_sentence(bitext, model)
    assert sorted(found) == [k for k, pair in enumerate(pairs) if pair[0] and pair[1]]
    for number, rows in found.items():
        assert model.posterior(*pairs[number]) == pytest.approx(rows, abs=1e-12)


@LAW
@given(PAIRS, SEEDS)
def test_the_reverse_index_is_the_index_of_swapped_pairs(pairs, seed):
    swapped = [(target, source) for source, target in pairs]
    theta = start_of(swapped, np.random.default_rng(seed))
    reverse, plain = index(pairs, reverse=True), index(swapped)
    left = HMM(from_rows(reverse, theta), random_jump(seed), 0.3)
    right = HMM(from_rows(plain, theta), random_jump(seed), 0.3)
    here, there = per_sentence(reverse, left), per_sentence(plain, right)
    assert here.keys() == there.keys()
    for number, rows in here.items():
        assert rows == pytest.approx(there[number], abs=1e-12)
    links = viterbi_links(left, reverse)
    assert links == [{(j, i) for i, j in found} for found in viterbi_links(right, plain)]
    for (source, target), found in zip(pairs, links, strict=True):
        assert all(0 <= i < len(source) and 0 <= j < len(target) for i, j in found)


def test_without_jumps_and_with_one_given_word_it_is_model_1():
    # level jumps and p0 = 1 / (S + 1) make all positions equal, for S = 1
    pairs = [(["a"], ["U", "V", "U"]), (["b"], ["V"])]
    bitext = index(pairs)
    table = random_table(bitext, 4)
    left, right = HMM(table, level_jump(), 0.5), train_ibm1(bitext, 0, start=table)
    for number, rows in per_sentence(bitext, left).items():
        assert rows == pytest.approx(per_sentence(bitext, right)[number], abs=1e-14)
    assert likelihood(bitext, left) == pytest.approx(
        sum(right.e_step(chunk)[1] for chunk in bitext.chunks), abs=1e-13
    )


def test_long_sentences_do_not_underflow():
    words = [f"w{k % 50}" for k in range(400)]
    bitext = index([(words, words)])
    model = train_hmm(bitext, 2)
    assert all(np.isfinite(model.log_likelihoods))
    assert model.log_likelihoods[0] < -1000
    (rows,) = per_sentence(bitext, model).values()
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("pairs", [[], [([], [])], [([], ["U"]), (["a"], [])]])
def test_pairs_without_words_have_no_links(pairs):
    bitexts = index(pairs), index(pairs, reverse=True)
    model = train_hmm(bitexts[0], 2)
    assert model.log_likelihoods == (0.0, 0.0)
    assert (model.jump == level_jump()).all()
    assert viterbi_links(model, bitexts[0]) == [frozenset()] * len(pairs)
    models = train_by_agreement(*bitexts, 2)
    assert agreed_links(models, bitexts) == [frozenset()] * len(pairs)


def test_a_sentence_with_an_empty_side_or_unknown_words():
    bitexts = index(MIXED), index(MIXED, reverse=True)
    models = train_by_agreement(*bitexts)
    model = train_hmm(bitexts[0])
    assert model.posterior([], ["U", "V"]).tolist() == [[1.0], [1.0]]
    assert model.posterior(["a", "b"], []).shape == (0, 3)
    assert agreement(models, [], ["U"]).shape == (1, 0)
    assert agreement(models, ["a"], []).shape == (0, 1)
    source = [*"abcab", "unknown", *"dc"]
    target = ["U", "unknown", "V", "X", "unknown", "unknown", "W", "unknown"]
    found = model.posterior(source, target)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-9)
    assert np.isfinite(agreement(models, source, target)).all()


def test_a_sentence_that_the_table_calls_impossible_stays_a_number():
    bitext = index([(["a", "b"], ["U", "V"]), (["a"], ["V"])])
    probs = np.where(bitext.generated == 0, 0.0, 1.0)
    model = HMM(LexicalTable(bitext, probs), random_jump(2), 0.2)
    for chunk in bitext.chunks:
        posterior, total = model.e_step(chunk)
        assert np.isfinite(posterior).all()
        assert np.isfinite(total)
        for group in chunk.groups:
            assert group.block(posterior).sum(axis=0) == pytest.approx(1)
        assert set(model.best(chunk)) <= {0, 1, 2}


def test_nothing_that_is_given_is_changed():
    bitexts = index(MIXED), index(MIXED, reverse=True)
    starts = random_table(bitexts[0], 1), random_table(bitexts[1], 2)
    jump = random_jump(3)
    kept = [starts[0].probs.copy(), starts[1].probs.copy(), jump.copy()]
    cells = [[chunk.cells.copy() for chunk in bitext.chunks] for bitext in bitexts]
    model = HMM(starts[0], jump, 0.2)
    for chunk in bitexts[0].chunks:
        first, second = model.e_step(chunk)[0], model.e_step(chunk)[0]
        assert (first == second).all()
        model.best(chunk)
    model.posterior(["a", "b"], ["U", "V"])
    train_hmm(bitexts[0], 2, start=starts[0])
    models = train_by_agreement(*bitexts, 2, start=starts)
    tables = [model.table.probs.copy() for model in models]
    agreed_links(models, bitexts)
    agreement(models, ["a", "b"], ["U", "V"])
    assert all((m.table.probs == probs).all() for m, probs in zip(models, tables, strict=True))
    now = [starts[0].probs, starts[1].probs, jump]
    assert all((a == b).all() for a, b in zip(kept, now, strict=True))
    for bitext, before in zip(bitexts, cells, strict=True):
        for chunk, old in zip(bitext.chunks, before, strict=True):
            assert (chunk.cells == old).all()
    group, emissions, *_ = case(3, 3, 4)
    copy = emissions.copy()
    forward_backward(group, emissions, jump, 0.2)
    viterbi(group, emissions, jump, 0.2)
    assert (emissions == copy).all()
    jumps = expected_jumps(5)
    made, left = jumps.made.copy(), jumps.departures[4].copy()
    best_jump(jumps, jump)
    assert (jumps.made == made).all()
    assert (jumps.departures[4] == left).all()
    assert (jump == kept[2]).all()


def test_the_e_step_uses_the_memory_that_it_is_lent():
    with chunks_of(20):
        bitext = index(MIXED)
    room, table, jump = bitext.room(), random_table(bitext, 3), random_jump(1)
    assert len(bitext.chunks) > 2
    for chunk in bitext.chunks:
        fresh, total, jumps = e_step_hmm(chunk, table.probs, jump, 0.2)
        lent, again, same = e_step_hmm(chunk, table.probs, jump, 0.2, room)
        assert np.shares_memory(lent, room)
        assert (fresh == lent).all()
        assert total == again
        assert (jumps.made == same.made).all()


# ------------------------------------------------------------------------------------ agreement


@LAW
@given(PAIRS, st.sampled_from([1, 12, 10**9]))
def test_crossing_is_a_dictionary(pairs, cells):
    with chunks_of(cells):
        forward, backward = index(pairs), index(pairs, reverse=True)
    for there, back in zip(forward.chunks, backward.chunks, strict=True):
        place_of = {}
        for group in back.groups:
            numbers = group.block(np.arange(len(back.cells)))
            for column in range(group.columns):
                sentence = group.of_columns(back.sentence)[column]
                i = group.of_columns(back.position)[column]
                for j in range(group.given):
                    place_of[sentence, i, j] = numbers[j + 1, column]
        links = {}
        for group in there.groups:
            numbers = group.block(np.arange(len(there.cells)))
            for column in range(group.columns):
                sentence = group.of_columns(there.sentence)[column]
                j = group.of_columns(there.position)[column]
                links |= {numbers[0, column]: None}
                for i in range(group.given):
                    links[numbers[i + 1, column]] = (sentence, i, j)
        real, place = crossing(there, back)
        assert real.tolist() == [links[k] is not None for k in range(len(there.cells))]
        expected = [place_of[links[k]] for k in range(len(there.cells)) if links[k] is not None]
        assert place.tolist() == expected
        assert len(set(expected)) == len(expected)


@FEW
@given(SMALL, SEEDS, NULLS, st.sampled_from([0.0, 0.01, 0.5]), st.sampled_from([1, 10**9]))
def test_training_by_agreement_is_its_literal_transcription(
    pairs, seed, null_prob, smoothing, cells
):
    random = np.random.default_rng(seed)
    swapped = [(target, source) for source, target in pairs]
    thetas = [start_of(pairs, random), start_of(swapped, random)]
    jumps, seen = [np.full(SIZE, 1 / SIZE)] * 2, [[], []]
    with chunks_of(cells):
        bitexts = index(pairs), index(pairs, reverse=True)
    starts = tuple(from_rows(b, theta) for b, theta in zip(bitexts, thetas, strict=True))
    for _ in range(2):
        counts = [
            {x: dict.fromkeys(row, smoothing) for x, row in theta.items()} for theta in thetas
        ]
        made, left = [np.zeros(SIZE), np.zeros(SIZE)], [{}, {}]
        totals = [0.0, 0.0]
        for source, target in pairs:
            posteriors = []
            for k, (one, other) in enumerate(((source, target), (target, source))):
                posterior, total, here, departures = listed(
                    one, other, thetas[k], jumps[k], null_prob
                )
                posteriors.append(posterior)
                totals[k] += math.log(total)
                made[k] += here
                left[k][len(one)] = left[k].get(len(one), 0.0) + departures
            for j, y in enumerate(target, 1):
                counts[0][None][y] += posteriors[0][j - 1, 0]
                for i, x in enumerate(source, 1):
                    both = posteriors[0][j - 1, i] * posteriors[1][i - 1, j]
                    counts[0][x][y] += both
                    counts[1][y][x] += both
            for i, x in enumerate(source, 1):
                counts[1][None][x] += posteriors[1][i - 1, 0]
        thetas = [{x: divided(row) for x, row in part.items()} for part in counts]
        jumps = [jumps_after(made[k], left[k], jumps[k]) for k in (0, 1)]
        for k in (0, 1):
            seen[k].append(totals[k])
    models = train_by_agreement(*bitexts, 2, start=starts, null_prob=null_prob, smoothing=smoothing)
    for k, model in enumerate(models):
        same_tables(table_of(model.table), thetas[k], 1e-8)
        assert model.jump == pytest.approx(jumps[k], abs=1e-9)
        assert model.log_likelihoods == pytest.approx(seen[k], abs=1e-9)
        assert model.null_prob == null_prob


@LAW
@given(PAIRS, SEEDS, st.floats(0, 0.99), st.sampled_from([1, 10, 10**9]))
def test_agreed_links_are_those_over_the_threshold(pairs, seed, threshold, cells):
    with chunks_of(cells):
        bitexts = index(pairs), index(pairs, reverse=True)
    models = tuple(
        HMM(random_table(bitext, seed + k), random_jump(seed + k), 0.1 + 0.3 * k)
        for k, bitext in enumerate(bitexts)
    )
    there, back = (per_sentence(b, m) for b, m in zip(bitexts, models, strict=True))
    found = agreed_links(models, bitexts, threshold)
    assert len(found) == len(pairs)
    for number, links in enumerate(found):
        source, target = pairs[number]
        if not source or not target:
            assert links == frozenset()
            continue
        both = agreement(models, source, target)
        assert both.shape == (len(target), len(source))
        for j in range(len(target)):
            for i in range(len(source)):
                product = there[number][j, i + 1] * back[number][i, j + 1]
                assert both[j, i] == pytest.approx(math.sqrt(product), abs=1e-12)
                if abs(math.sqrt(product) - threshold) > 1e-9:
                    assert ((i, j) in links) == (math.sqrt(product) > threshold)
    everything = agreed_links(models, bitexts, 0.0)
    assert all(few <= many for few, many in zip(found, everything, strict=True))


def test_a_link_at_the_threshold_is_not_over_it():
    bitexts = index([(["a"], ["U"])]), index([(["a"], ["U"])], reverse=True)
    models = tuple(HMM(uniform(bitext), level_jump(), 0.5) for bitext in bitexts)
    assert agreement(models, ["a"], ["U"]).tolist() == [[0.5]]
    assert agreed_links(models, bitexts, 0.5) == [frozenset()]
    assert agreed_links(models, bitexts, 0.49) == [{(0, 0)}]


def test_the_defaults_of_agreement():
    bitexts = index(MIXED), index(MIXED, reverse=True)
    left = train_by_agreement(*bitexts)
    right = train_by_agreement(
        *bitexts, 5, start=(uniform(bitexts[0]), None), null_prob=0.3, smoothing=1e-3
    )
    for a, b in zip(left, right, strict=True):
        assert (a.table.probs == b.table.probs).all()
        assert (a.jump == b.jump).all()
        assert len(a.log_likelihoods) == 5
    assert agreed_links(left, bitexts) == agreed_links(left, bitexts, 0.3)
    assert agreed_links(left, bitexts, 0.3) != agreed_links(left, bitexts, 0.1)
    assert agreed_links(left, bitexts, 0.3) != agreed_links(left, bitexts, 0.8)
    none = train_by_agreement(*bitexts, 0)
    assert [model.log_likelihoods for model in none] == [(), ()]
    assert (none[1].table.probs == uniform(bitexts[1]).probs).all()


@FEW
@given(PAIRS)
def test_agreement_treats_both_sides_alike(pairs):
    swapped = [(target, source) for source, target in pairs]
    left = train_by_agreement(index(pairs), index(pairs, reverse=True), 2)
    right = train_by_agreement(index(swapped), index(swapped, reverse=True), 2)
    for a, b in zip(left, reversed(right), strict=True):
        same_tables(table_of(a.table), table_of(b.table), 1e-9)
        assert a.jump == pytest.approx(b.jump, abs=1e-9)
    for source, target in nonempty(pairs):
        here, there = agreement(left, source, target), agreement(right, target, source)
        assert here == pytest.approx(there.T, abs=1e-8)


# ------------------------------------------------------------------------------------- bad input


def test_numbers_out_of_range_are_named():
    bitexts = index(MIXED), index(MIXED, reverse=True)
    for value in (0.0, 1.0, -0.5, math.nan):
        message = rf"^null_prob is {value}, expected a number between 0 and 1$"
        with pytest.raises(ValueError, match=message):
            train_hmm(bitexts[0], null_prob=value)
        with pytest.raises(ValueError, match=message):
            train_by_agreement(*bitexts, null_prob=value)
    with pytest.raises(ValueError, match=r"^smoothing is -1.0, expected a number of 0 or more$"):
        train_by_agreement(*bitexts, smoothing=-1.0)
    models = train_by_agreement(*bitexts, 1)
    for value in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match=rf"^threshold is {value}, expected .* to below 1$"):
            agreed_links(models, bitexts, value)


def test_agreement_needs_both_directions_of_the_same_pairs():
    forward, backward = index(MIXED), index(MIXED, reverse=True)
    models = train_by_agreement(forward, backward, 1)
    swapped = [(y, x) for x, y in MIXED]
    for sides in (
        (backward, forward),
        (forward, index(swapped)),
        (index(swapped, reverse=True), backward),
        (forward, forward),
        (backward, backward),
        (forward, index(MIXED[:3], reverse=True)),
        (forward, index([(["q"], y) for _, y in MIXED], reverse=True)),
        (forward, index([(x, ["q"]) for x, _ in MIXED], reverse=True)),
    ):
        message = r"^expected index\(pairs\) and index\(pairs, reverse=True\) of the same pairs"
        with pytest.raises(ValueError, match=message):
            train_by_agreement(*sides)
        with pytest.raises(ValueError, match=message):
            agreed_links(models, sides)


def test_training_starts_from_tables_of_the_same_pairs():
    forward, backward = index(MIXED), index(MIXED, reverse=True)
    message = r"^start is the table of another bitext, expected one of the same pairs$"
    with pytest.raises(ValueError, match=message):
        train_hmm(forward, start=uniform(backward))
    with pytest.raises(ValueError, match=message):
        train_by_agreement(forward, backward, start=(uniform(backward), uniform(forward)))


# ---------------------------------------------------------------------------------------- learns


def test_the_hmm_learns_the_links_of_the_corpus_and_more_by_agreement():
    from softalign.corpus import load
    from softalign.metrics import aer

    train = load().train[:1000]
    pairs = [(pair.source, pair.target) for pair in train]
    sure, possible = [pair.sure for pair in train], [pair.possible for pair in train]
    bitexts = index(pairs), index(pairs, reverse=True)
    starts = tuple(train_ibm1(bitext).table for bitext in bitexts)
    agreed = train_by_agreement(*bitexts, start=starts)
    # measured: Model 1 0.233 and 0.220, the HMM 0.203 and 0.198, by agreement 0.122 and 0.119
    for bitext, start, model in zip(bitexts, starts, agreed, strict=True):
        models = (train_ibm1(bitext, 0, start=start), train_hmm(bitext, start=start), model)
        first, alone, together = (
            aer(viterbi_links(model, bitext), sure, possible).aer for model in models
        )
        assert alone < first - 0.01
        assert together < alone - 0.05
    # measured: 0.105
    assert aer(agreed_links(agreed, bitexts), sure, possible).aer < 0.115
