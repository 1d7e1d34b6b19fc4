"""IBM Models 1 and 2: on paper, literal transcriptions and nltk, the laws, the identities."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from alignment_cases import (
    FEW,
    LAW,
    MIXED,
    PAIRS,
    SEEDS,
    chunks_of,
    diagonal,
    em,
    expected_log_prior,
    highest,
    level,
    nonempty,
    per_sentence,
    same_tables,
    start_of,
    table_of,
    together,
)
from hypothesis import given
from hypothesis import strategies as st

from softalign.ibm import (
    IBM1,
    IBM2,
    LexicalTable,
    best_diagonal,
    check_pairs,
    diagonal_prior,
    e_step_ibm1,
    e_step_ibm2,
    from_rows,
    index,
    links_of,
    normalise,
    starting_table,
    train_ibm1,
    train_ibm2,
    uniform,
    viterbi_links,
)

F = Fraction
# 书 book, 看 read, 报 papers
THREE = [
    (["书"], ["book"]),
    (["看", "书"], ["read", "book"]),
    (["看", "报"], ["read", "papers"]),
]


def without_null(bitext):
    """Return the uniform table with nothing for NULL."""
    return LexicalTable(bitext, np.where(bitext.given == 0, 0.0, uniform(bitext).probs))


def random_table(bitext, seed):
    random = np.random.default_rng(seed)
    return LexicalTable(bitext, normalise(bitext, 0.05 + random.random(len(bitext.given))))


def likelihood(bitext, table):
    return sum(e_step_ibm1(chunk, table.probs)[1] for chunk in bitext.chunks)


def likelihood2(bitext, table, steepness, null_prob):
    return sum(e_step_ibm2(chunk, table.probs, steepness, null_prob)[1] for chunk in bitext.chunks)


def counts_of(bitext, model):
    """Expected counts of the table's entries."""
    counts = np.zeros(len(bitext.given))
    for chunk in bitext.chunks:
        chunk.add_to(counts, model.e_step(chunk)[0])
    return counts


# ------------------------------------------------------------------------------------ on paper


def test_one_iteration_of_model_1_on_paper():
    # Start: NULL and 看 meet three words (1/3 each), 书 and 报 two (1/2 each).
    # "book" of pair 1: 1/3 + 1/2 = 5/6, so 2/5 to NULL, 3/5 to 书.
    # Each word of pairs 2 and 3: 1/3 + 1/3 + 1/2 = 7/6, so 2/7, 2/7 and 3/7.
    # NULL: book 2/5 + 2/7 = 24/35, read 4/7 = 20/35, papers 2/7 = 10/35, in all 54/35.
    # 书: book 3/5 + 3/7 = 36/35, read 3/7 = 15/35, in all 51/35.
    model = train_ibm1(index(THREE), 1)
    expected = {
        None: {"book": F(4, 9), "read": F(10, 27), "papers": F(5, 27)},
        "书": {"book": F(12, 17), "read": F(5, 17)},
        "看": {"read": F(1, 2), "book": F(1, 4), "papers": F(1, 4)},
        "报": {"read": F(1, 2), "papers": F(1, 2)},
    }
    same_tables(table_of(model.table), expected, 1e-15)
    # a half, a ninth and a ninth: one over (S + 1) to the power T
    by_hand = math.log(F(1, 2) * F(5, 6)) + 2 * math.log(F(1, 9) * F(7, 6) ** 2)
    assert model.log_likelihoods == pytest.approx((by_hand,), abs=1e-14)


def test_two_iterations_of_model_1_on_paper_without_null():
    # First: book of pair 1 goes to 书. In pairs 2 and 3, 1/3 + 1/2 = 5/6: 2/5 and 3/5.
    #   书: book 8/5, read 3/5. 看: read 4/5, book 2/5, papers 2/5. 报: read 3/5, papers 3/5.
    # Second: read of pair 2: 1/2 + 3/11 = 17/22, so 看 11/17, 书 6/17; book: 1/4 + 8/11 = 43/44, so
    #   看 11/43, 书 32/43. Pair 3: read 1/2 and 1/2; papers 1/4 + 1/2, so 看 1/3, 报 2/3.
    #   书: book 1 + 32/43 = 75/43, read 6/17, in all 1533/731.
    #   看: read 11/17 + 1/2 = 39/34, book 11/43, papers 1/3, in all 7615/4386.
    #   报: read 1/2, papers 2/3.
    bitext = index(THREE)
    once = train_ibm1(bitext, 1, start=without_null(bitext))
    same_tables(
        table_of(once.table),
        {
            None: {"book": 0, "read": 0, "papers": 0},
            "书": {"book": F(8, 11), "read": F(3, 11)},
            "看": {"read": F(1, 2), "book": F(1, 4), "papers": F(1, 4)},
            "报": {"read": F(1, 2), "papers": F(1, 2)},
        },
        1e-15,
    )
    twice = train_ibm1(bitext, 2, start=without_null(bitext))
    same_tables(
        table_of(twice.table),
        {
            None: {"book": 0, "read": 0, "papers": 0},
            "书": {"book": F(425, 511), "read": F(86, 511)},
            "看": {"read": F(5031, 7615), "book": F(1122, 7615), "papers": F(1462, 7615)},
            "报": {"read": F(3, 7), "papers": F(4, 7)},
        },
        1e-15,
    )
    first = F(1, 2) * F(1, 2) * (F(1, 9) * F(5, 6) ** 2) ** 2
    second = F(1, 2) * F(8, 11) * F(1, 9) * F(17, 22) * F(43, 44) * F(1, 9) * 1 * F(3, 4)
    assert twice.log_likelihoods == pytest.approx((math.log(first), math.log(second)), abs=1e-14)


def test_the_prior_of_model_2_on_paper():
    # Two given words, two generated: the distances are 0 and 1/2, the weights 1 and 1/2.
    steep = 2 * math.log(2)
    prior = diagonal_prior(2, [0, 1], [2, 2], diagonal=steep, null_prob=0.1)
    assert prior == pytest.approx(np.array([[0.1, 0.1], [0.6, 0.3], [0.3, 0.6]]), abs=1e-15)
    # Three given words and the first of two: 1/6, 1/6, 1/2, so 1/2, 1/2, 1/8; and the sum is 9/8.
    prior = diagonal_prior(3, [0], [2], diagonal=6 * math.log(2), null_prob=0.1)
    assert prior[:, 0] == pytest.approx([0.1, 0.4, 0.4, 0.1], abs=1e-15)


def test_the_posterior_and_the_distance_of_model_2_on_paper():
    # The prior of the test before, P(V|a) = 1/3, P(V|b) = 2/3, P(V|NULL) = 1, V in both places.
    bitext = index([(["a", "b"], ["V", "V"])])
    (chunk,) = bitext.chunks
    probs = LexicalTable(bitext, np.array([1.0, F(1, 3), F(2, 3)], float)).probs
    cells, found, distances = e_step_ibm2(chunk, probs, 2 * math.log(2), 0.1)
    # 1/10 + 1/5 + 1/5 = 1/2, then 1/10 + 1/10 + 2/5 = 3/5
    expected = np.array([[1 / 5, 1 / 6], [2 / 5, 1 / 6], [2 / 5, 2 / 3]])
    assert chunk.groups[0].block(cells) == pytest.approx(expected, abs=1e-15)
    assert found == pytest.approx(math.log(1 / 2) + math.log(3 / 5), abs=1e-14)
    # half a sentence away: the second for the first word, the first for the second
    assert distances.total == pytest.approx(1 / 2 * (2 / 5 + 1 / 6), abs=1e-14)
    assert distances.shapes.tolist() == [[2, 0, 2], [2, 1, 2]]
    assert distances.weights == pytest.approx([4 / 5, 5 / 6], abs=1e-14)


# -------------------------------------------------------------------------------------- oracles


@FEW
@given(PAIRS, SEEDS)
def test_model_1_is_its_literal_transcription(pairs, seed):
    bitext = index(pairs)
    for theta in (start_of(pairs), start_of(pairs, np.random.default_rng(seed))):
        trained = IBM1(from_rows(bitext, theta))
        start, seen = trained.table, []
        for iterations in (1, 2, 3):
            theta, total, posteriors = em(pairs, theta, level)
            seen.append(total)
            for sentence, rows in per_sentence(bitext, trained).items():
                assert rows == pytest.approx(np.array(posteriors[sentence]), abs=1e-12)
            trained = train_ibm1(bitext, iterations, start=start)
            same_tables({x: row for x, row in table_of(trained.table).items() if row}, theta)
        assert trained.log_likelihoods == pytest.approx(seen, abs=1e-10)


@FEW
@given(PAIRS, SEEDS, st.floats(0, 20), st.floats(0.01, 0.9))
def test_model_2_is_its_literal_transcription(pairs, seed, steepness, null_prob):
    bitext = index(pairs)
    theta = start_of(pairs, np.random.default_rng(seed))
    model = IBM2(from_rows(bitext, theta), steepness, null_prob)
    after, total, posteriors = em(pairs, theta, diagonal(steepness, null_prob))
    for sentence, rows in per_sentence(bitext, model).items():
        assert rows == pytest.approx(np.array(posteriors[sentence]), abs=1e-12)
    trained = train_ibm2(bitext, 1, start=model.table, diagonal=steepness, null_prob=null_prob)
    assert trained.log_likelihoods == pytest.approx((total,), abs=1e-10)
    assert trained.null_prob == null_prob
    same_tables({x: row for x, row in table_of(trained.table).items() if row}, after)

    def objective(value):
        return expected_log_prior(pairs, posteriors, value)

    best = highest(objective, 0.0, 64.0)
    assert objective(trained.diagonal) >= objective(best) - 1e-9
    assert 0 <= trained.diagonal <= 64


def test_three_iterations_of_model_2_are_their_transcription():
    bitext, theta, steepness = index(MIXED), start_of(MIXED), 4.0
    seen, before = [], []
    for _ in range(3):
        before.append(steepness)
        theta, total, posteriors = em(MIXED, theta, diagonal(steepness, 0.08))
        seen.append(total)
        steepness = highest(
            lambda value, rows=posteriors: expected_log_prior(MIXED, rows, value), 0.0, 64.0
        )
    trained = train_ibm2(bitext, 3)
    assert trained.log_likelihoods == pytest.approx(seen, abs=1e-6)
    assert trained.diagonal == pytest.approx(steepness, abs=1e-4)
    assert min(abs(a - b) for a, b in zip(before, [*before[1:], steepness], strict=True)) > 0.1
    same_tables(table_of(trained.table), theta, 1e-5)


@pytest.mark.parametrize("begin", [0.0, 0.3, 4.0, 64.0])
@pytest.mark.parametrize("null_prob", [0.08, 0.6])
def test_the_best_steepness_is_where_a_fine_grid_finds_it(begin, null_prob):
    bitext = index(MIXED)
    table = train_ibm1(bitext, 3).table
    distances = []
    with chunks_of(10**9):
        (chunk,) = index(MIXED).chunks
    *_, distances = e_step_ibm2(chunk, table.probs, 2.0, null_prob)
    _, _, posteriors = em(MIXED, table_of(table), diagonal(2.0, null_prob))
    grid = np.linspace(0, 64, 6401)
    values = [expected_log_prior(MIXED, posteriors, value) for value in grid]
    best = float(grid[int(np.argmax(values))])
    assert 0 < best < 64
    assert best_diagonal(distances, begin) == pytest.approx(best, abs=0.01)
    peak = highest(lambda value: expected_log_prior(MIXED, posteriors, value), 0.0, 64.0)
    assert best_diagonal(distances, begin) == pytest.approx(peak, abs=1e-5)


def test_the_best_steepness_may_lie_on_the_border():
    straight = [(list("abcd"), list("UVWX"))] * 3
    crossed = [(list("abcd"), list("XWVU"))] * 3
    for pairs, low, high in ((straight, 63.9, 64.0), (crossed, 0.0, 1e-4)):
        # a table that knows the words, so that the posterior has no doubt
        bitext = index(pairs)
        words = dict(zip("abcd", "UVWX", strict=True))
        rows = {None: dict.fromkeys("UVWX", 1.0), **{x: {y: 1.0} for x, y in words.items()}}
        trained = train_ibm2(bitext, 1, start=from_rows(bitext, rows), null_prob=0.01)
        assert low <= trained.diagonal <= high


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_model_1_agrees_with_nltk(iterations):
    from nltk.translate import AlignedSent, IBMModel1

    # The mapping: nltk's table is translation_table[generated][given], None is NULL as here. It
    # starts with one number for all pairs of words, ours with one for each given word. And nltk
    # adds a word that stands twice in a sentence to its own sum twice, so each then counts a half.
    pairs = [pair for pair in nonempty(MIXED) if len(set(pair[1])) == len(pair[1])]
    bitext = index(pairs)
    level_table = LexicalTable(bitext, np.full(len(bitext.given), 1 / len(bitext.generated_words)))
    ours = train_ibm1(bitext, iterations, start=level_table).table
    corpus = [AlignedSent(generated, given) for given, generated in pairs]
    theirs = IBMModel1(corpus, iterations).translation_table
    met = together(pairs)
    assert sum(map(len, met.values())) == len(bitext.given) > 12
    for x, ys in met.items():
        for y in ys:
            assert ours[y, x] == pytest.approx(theirs[y][x], abs=1e-10)
    repeated = [(["a"], ["U", "U", "V"])]
    theirs = IBMModel1([AlignedSent(repeated[0][1], repeated[0][0])], 1).translation_table
    assert theirs["U"]["a"] == pytest.approx(1 / 2)
    bitext = index(repeated)
    assert train_ibm1(bitext, 1).table["U", "a"] == pytest.approx(2 / 3)


# ------------------------------------------------------------------------------------ the index


@LAW
@given(PAIRS, st.booleans(), st.sampled_from([1, 7, 10**6]))
def test_the_index_has_every_link_once(pairs, reverse, cells):
    with chunks_of(cells):
        bitext = index(pairs, reverse=reverse)
    assert len(bitext) == len(pairs)
    found = set()
    sizes = []
    for chunk in bitext.chunks:
        sizes.append(len(chunk.cells))
        entries = chunk.word_pairs[chunk.cells]
        assert (np.diff(chunk.word_pairs) > 0).all()
        for group in chunk.groups:
            block = group.block(entries)
            assert block.shape == (group.given + 1, group.columns)
            for name in ("sentence", "position", "length"):
                assert len(group.of_columns(getattr(chunk, name))) == group.columns
            sentences = group.of_columns(chunk.sentence)
            positions = group.of_columns(chunk.position)
            assert sorted(positions) == list(positions)
            for step, count in enumerate(group.steps):
                assert (positions == step).sum() == count
                # the sentences of one position are the first of the position before
                here, before = sentences[positions == step], sentences[positions == step - 1]
                assert step == 0 or (here == before[:count]).all()
            for column in range(group.columns):
                sentence, j = sentences[column], positions[column]
                source, target = pairs[sentence]
                given_side, generated_side = (target, source) if reverse else (source, target)
                assert len(given_side) == group.given
                assert group.of_columns(chunk.length)[column] == len(generated_side)
                for i, x in enumerate([None, *given_side]):
                    entry = block[i, column]
                    k = bitext.given[entry]
                    assert (None if k == 0 else bitext.given_words[k - 1]) == x
                    assert bitext.generated_words[bitext.generated[entry]] == generated_side[j]
                    assert (sentence, i, j) not in found
                    found.add((sentence, i, j))
    links = sum((len(pair[reverse]) + 1) * len(pair[not reverse]) for pair in nonempty(pairs))
    assert len(found) == links
    if sizes:
        assert len(bitext.room()) == max(sizes)
    order = list(zip(bitext.given.tolist(), bitext.generated.tolist(), strict=True))
    assert order == sorted(set(order))


def test_tiny_chunks_are_many_and_a_large_one_is_one():
    with chunks_of(1):
        assert len(index(MIXED).chunks) == len(nonempty(MIXED))
    with chunks_of(10**9):
        assert len(index(MIXED).chunks) == 1
    with chunks_of(10):
        forward, backward = index(MIXED), index(MIXED, reverse=True)
    assert 1 < len(forward.chunks) < len(nonempty(MIXED))
    for there, back in zip(forward.chunks, backward.chunks, strict=True):
        assert set(there.sentence) == set(back.sentence)


@LAW
@given(PAIRS)
def test_the_reverse_index_is_the_index_of_swapped_pairs(pairs):
    swapped = [(target, source) for source, target in pairs]
    reverse, plain = index(pairs, reverse=True), index(swapped)
    assert reverse.reverse
    assert not plain.reverse
    assert reverse.given_words == plain.given_words
    assert reverse.generated_words == plain.generated_words
    for train in (train_ibm1, train_ibm2):
        left, right = train(reverse, 2), train(plain, 2)
        same_tables(table_of(left.table), table_of(right.table))
        assert left.log_likelihoods == pytest.approx(right.log_likelihoods, abs=1e-9)
        back = [{(j, i) for i, j in links} for links in viterbi_links(right, plain)]
        # equal up to ties, which rounding may decide: compare the certain ones
        sure = [
            all(np.sort(row)[-1] > np.sort(row)[-2] + 1e-9 for row in rows)
            for _, rows in sorted(per_sentence(plain, right).items())
        ]
        numbers = sorted(per_sentence(plain, right))
        for number, certain in zip(numbers, sure, strict=True):
            assert not certain or viterbi_links(left, reverse)[number] == back[number]


# ----------------------------------------------------------------------------------------- laws


@LAW
@given(PAIRS, SEEDS)
def test_rows_and_posteriors_sum_to_1(pairs, seed):
    bitext = index(pairs)
    model1 = train_ibm1(bitext, 2, start=random_table(bitext, seed))
    for model in (model1, train_ibm2(bitext, 2, start=model1.table)):
        assert (model.table.probs >= 0).all()
        for row in table_of(model.table).values():
            assert not row or math.fsum(row.values()) == pytest.approx(1, abs=1e-12)
        for rows in per_sentence(bitext, model).values():
            assert rows.sum(axis=1) == pytest.approx(1, abs=1e-12)
    for given_length in (1, 3):
        prior = diagonal_prior(given_length, [0, 1, 2], [3, 3, 3], diagonal=5.0, null_prob=0.3)
        assert prior.sum(axis=0) == pytest.approx(1, abs=1e-15)


@LAW
@given(PAIRS, SEEDS, st.floats(0, 64), st.floats(0.01, 0.99))
def test_the_log_likelihood_never_falls(pairs, seed, steepness, null_prob):
    bitext = index(pairs)
    start = random_table(bitext, seed)
    for model in (
        train_ibm1(bitext, 8, start=start),
        train_ibm2(bitext, 8, start=start, diagonal=steepness, null_prob=null_prob),
    ):
        seen = np.array(model.log_likelihoods)
        assert len(seen) == 8
        assert (np.diff(seen) >= -1e-10 * (1 + abs(seen[0]))).all()


def test_the_log_likelihoods_are_those_before_each_iteration():
    bitext = index(MIXED)
    once, twice = train_ibm1(bitext, 1), train_ibm1(bitext, 2)
    assert once.log_likelihoods == (likelihood(bitext, uniform(bitext)),)
    assert twice.log_likelihoods == (*once.log_likelihoods, likelihood(bitext, once.table))
    assert train_ibm1(bitext, 0).log_likelihoods == ()
    assert len(train_ibm1(bitext).log_likelihoods) == 5
    assert len(train_ibm2(bitext).log_likelihoods) == 5
    assert train_ibm1(bitext, 0).table.probs == pytest.approx(uniform(bitext).probs)
    once, twice = train_ibm2(bitext, 1), train_ibm2(bitext, 2)
    assert twice.log_likelihoods == (
        likelihood2(bitext, uniform(bitext), 4.0, 0.08),
        likelihood2(bitext, once.table, once.diagonal, 0.08),
    )


@LAW
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(pairs, random):
    order = list(range(len(pairs)))
    random.shuffle(order)
    shuffled = [pairs[k] for k in order]
    for train in (train_ibm1, train_ibm2):
        left, right = train(index(pairs), 3), train(index(shuffled), 3)
        same_tables(table_of(left.table), table_of(right.table), 1e-6)
        assert left.log_likelihoods == pytest.approx(right.log_likelihoods, abs=1e-7)
        there, here = per_sentence(index(pairs), left), per_sentence(index(shuffled), right)
        assert {order[k] for k in here} == set(there)
        for k, rows in here.items():
            assert rows == pytest.approx(there[order[k]], abs=1e-5)


@LAW
@given(PAIRS, st.sampled_from([1, 3, 10, 10**9]))
def test_the_size_of_the_chunks_does_not_matter(pairs, cells):
    usual = index(pairs)
    with chunks_of(cells):
        other = index(pairs)
    assert usual.given.tolist() == other.given.tolist()
    assert usual.generated.tolist() == other.generated.tolist()
    for train in (train_ibm1, train_ibm2):
        left, right = train(usual, 3), train(other, 3)
        assert left.table.probs == pytest.approx(right.table.probs, abs=1e-6)
        assert left.log_likelihoods == pytest.approx(right.log_likelihoods, abs=1e-7)
        # one model read on both
        assert viterbi_links(left, usual) == viterbi_links(left, other)
        here, there = per_sentence(usual, left), per_sentence(other, left)
        assert here.keys() == there.keys()
        for sentence, rows in here.items():
            assert rows == pytest.approx(there[sentence], abs=1e-12)


@LAW
@given(PAIRS)
def test_the_names_of_the_words_do_not_matter(pairs):
    # the order of the alphabet is turned round too
    def rename(words):
        return [chr(200 - ord(word)) + "!" for word in words]

    renamed = [(rename(source), rename(target)) for source, target in pairs]
    left, right = train_ibm1(index(pairs), 3), train_ibm1(index(renamed), 3)
    expected = {
        x if x is None else rename([x])[0]: dict(zip(rename(row), row.values(), strict=True))
        for x, row in table_of(left.table).items()
    }
    same_tables(table_of(right.table), expected)
    assert viterbi_links(left, index(pairs)) == viterbi_links(right, index(renamed))


@LAW
@given(PAIRS, SEEDS)
def test_a_sentence_alone_is_the_same_sentence_in_the_corpus(pairs, seed):
    bitext = index(pairs)
    model1 = IBM1(random_table(bitext, seed))
    model2 = IBM2(model1.table, 3.0, 0.2)
    for model in (model1, model2):
        found = per_sentence(bitext, model)
        assert sorted(found) == [k for k, pair in enumerate(pairs) if pair[0] and pair[1]]
        for number, rows in found.items():
            assert model.posterior(*pairs[number]) == pytest.approx(rows, abs=1e-13)


@pytest.mark.parametrize("pairs", [[], [([], [])], [([], ["U"]), (["a"], [])]])
def test_pairs_without_words_have_no_links(pairs):
    for reverse in (False, True):
        bitext = index(pairs, reverse=reverse)
        assert bitext.chunks == ()
        assert len(bitext.given) == len(bitext.room()) == 0
        for train in (train_ibm1, train_ibm2):
            model = train(bitext, 2)
            assert model.log_likelihoods == (0.0, 0.0)
            assert viterbi_links(model, bitext) == [frozenset()] * len(pairs)
        assert uniform(bitext).row(None) == {}
        assert uniform(bitext)["U", "a"] == 0
        assert from_rows(bitext, {}).probs.shape == (0,)


def test_empty_pairs_change_nothing():
    for train in (train_ibm1, train_ibm2):
        left = train(index(nonempty(MIXED)), 3)
        right = train(index(MIXED), 3)
        assert left.log_likelihoods == right.log_likelihoods
        same_tables(table_of(left.table), table_of(right.table), 1e-15)
        links = viterbi_links(right, index(MIXED))
        assert [len(pair) for pair, (x, y) in zip(links, MIXED, strict=True) if not x or not y] == [
            0,
            0,
        ]


def test_a_sentence_with_an_empty_side_or_unknown_words():
    bitext = index(MIXED)
    table = train_ibm1(bitext).table
    for model in (IBM1(table), IBM2(table, 4.0, 0.08)):
        assert model.posterior([], ["U", "V"]).tolist() == [[1.0], [1.0]]
        assert model.posterior(["a", "b"], []).shape == (0, 3)
        found = model.posterior(["a", "unknown"], ["U", "unknown"])
        assert found[1].tolist() == [1, 0, 0]
        assert found[0, 1] > 0.5
        assert found[0, 2] == 0
        assert found[0].sum() == pytest.approx(1)


@LAW
@given(PAIRS, SEEDS, st.booleans())
def test_the_best_link_has_the_highest_posterior(pairs, seed, reverse):
    bitext = index(pairs, reverse=reverse)
    table = random_table(bitext, seed)
    for model in (IBM1(table), IBM2(table, 3.0, 0.2)):
        links = viterbi_links(model, bitext)
        posteriors = per_sentence(bitext, model)
        for number, found in enumerate(links):
            expected = set()
            for j, row in enumerate(posteriors.get(number, [])):
                # the first of the best, and NULL only if it is better than all
                i = 0 if row[0] > max(row[1:]) else 1 + row[1:].tolist().index(max(row[1:]))
                if i:
                    expected.add((j, i - 1) if reverse else (i - 1, j))
            assert found == expected


def test_ties_go_to_the_first_word_and_not_to_null():
    bitext = index([(["a", "a"], ["U", "U"])])
    level_model = IBM1(uniform(bitext))
    assert level_model.posterior(["a", "a"], ["U"])[0].tolist() == [1 / 3] * 3
    assert viterbi_links(level_model, bitext) == [{(0, 0), (0, 1)}]
    for chunk in bitext.chunks:
        assert level_model.best(chunk).tolist() == [1, 1]
        assert IBM2(uniform(bitext), 0.0, 0.9).best(chunk).tolist() == [0, 0]
    only_null = IBM2(uniform(bitext), 0.0, 0.9)
    assert viterbi_links(only_null, bitext) == [frozenset()]


def test_links_are_sorted_into_their_sentences():
    bitext = index([(["a"], ["U"]), ([], []), (["a", "b"], ["U", "V"])])
    parts = [
        (np.array([2, 0]), np.array([1, 0]), np.array([0, 0])),
        (np.array([2]), np.array([0]), np.array([1])),
    ]
    assert links_of(bitext, iter(parts)) == [{(0, 0)}, set(), {(1, 0), (0, 1)}]
    assert links_of(bitext, iter([])) == [frozenset()] * 3


def test_nothing_that_is_given_is_changed():
    pairs = [(list(source), list(target)) for source, target in MIXED]
    bitext = index(pairs)
    start = random_table(bitext, 1)
    before = start.probs.copy()
    shared = [(chunk.cells.copy(), chunk.word_pairs.copy()) for chunk in bitext.chunks]
    models = (train_ibm1(bitext, 2, start=start), train_ibm2(bitext, 2, start=start))
    for model in (IBM1(start), IBM2(start, 2.0, 0.1), *models):
        probs = model.table.probs.copy()
        viterbi_links(model, bitext)
        model.posterior(["a", "b"], ["U", "unknown"])
        for chunk in bitext.chunks:
            first, second = model.e_step(chunk)[0], model.e_step(chunk)[0]
            assert (first == second).all()
            model.best(chunk)
        assert (model.table.probs == probs).all()
    assert (start.probs == before).all()
    assert pairs == [(list(source), list(target)) for source, target in MIXED]
    for chunk, (cells, word_pairs) in zip(bitext.chunks, shared, strict=True):
        assert (chunk.cells == cells).all()
        assert (chunk.word_pairs == word_pairs).all()
    counts = np.ones(len(bitext.given))
    normalise(bitext, counts)
    assert (counts == 1).all()
    position, length = np.array([0, 1]), np.array([2, 2])
    diagonal_prior(2, position, length, diagonal=1.0, null_prob=0.1)
    assert position.tolist() == [0, 1]
    assert length.tolist() == [2, 2]


def test_the_e_steps_use_the_memory_that_they_are_lent():
    with chunks_of(20):
        bitext = index(MIXED)
    assert len(bitext.chunks) > 2
    room, table = bitext.room(), random_table(bitext, 3)
    for chunk in bitext.chunks:
        fresh, total = e_step_ibm1(chunk, table.probs)
        lent, again = e_step_ibm1(chunk, table.probs, room)
        assert np.shares_memory(lent, room)
        assert not np.shares_memory(fresh, room)
        assert (fresh == lent).all()
        assert total == again
        fresh, total, _ = e_step_ibm2(chunk, table.probs, 2.0, 0.2)
        lent, again, _ = e_step_ibm2(chunk, table.probs, 2.0, 0.2, room)
        assert np.shares_memory(lent, room)
        assert (fresh == lent).all()
        assert total == again


# ------------------------------------------------------------------------------------ the table


def test_the_table_looks_words_up():
    bitext = index(THREE)
    assert bitext.given_words == ("书", "看", "报")
    assert bitext.generated_words == ("book", "read", "papers")
    table = from_rows(
        bitext,
        {
            None: {"book": 1.0, "papers": 3.0},
            "书": {"book": 2.0, "read": 2.0},
            "看": {"read": 1.0},
            "报": {"papers": 9.0, "read": 1.0},
        },
    )
    assert table.row(None) == {"papers": 0.75, "book": 0.25, "read": 0.0}
    # most probable first, equal ones as they first occurred
    assert list(table.row(None)) == ["papers", "book", "read"]
    assert list(table.row("书")) == ["book", "read"]
    assert list(table.row("看")) == ["read", "book", "papers"]
    assert table.row("unknown") == {}
    assert table["papers", None] == 0.75
    assert table["papers", "报"] == 0.9
    assert table["papers", "书"] == 0
    assert table["unknown", "书"] == table["book", "unknown"] == table["unknown", "unknown"] == 0
    assert table["unknown", None] == 0
    matrix = table.matrix(["报", "unknown", "书"], ["read", "unknown", "papers"])
    expected = [[0, 0.1, 0, 0.5], [0, 0, 0, 0], [0.75, 0.9, 0, 0]]
    assert matrix == pytest.approx(np.array(expected))
    assert table.matrix([], ["papers"]).tolist() == [[0.75]]
    assert table.matrix(["书"], []).shape == (0, 2)


def test_a_large_vocabulary_does_not_overflow():
    # 2^32 pairs of words, more than 32 bits can count
    size = 2**16
    pairs = [([f"x{k}"], [f"y{k}"]) for k in range(size)]
    bitext = index(pairs)
    assert len(bitext.given) == 2 * size
    table = uniform(bitext)
    last = size - 1
    assert table[f"y{last}", f"x{last}"] == 1
    assert table[f"y{last - 1}", f"x{last}"] == table["y0", f"x{last}"] == 0
    assert table.row(f"x{last}") == {f"y{last}": 1}
    assert table["y7", None] == 1 / size


@LAW
@given(PAIRS, SEEDS)
def test_the_matrix_of_a_sentence_is_made_of_the_rows(pairs, seed):
    bitext = index(pairs)
    table = random_table(bitext, seed)
    rows = table_of(table)
    assert {x: set(row) for x, row in rows.items() if row} == {
        x: set(ys) for x, ys in together(pairs).items()
    }
    given_words, generated = ["d", "a", "?"], ["X", "U", "?", "Y"]
    matrix = table.matrix(given_words, generated)
    for j, y in enumerate(generated):
        for i, x in enumerate([None, *given_words]):
            assert matrix[j, i] == rows.get(x, {}).get(y, 0.0) == table[y, x]


def test_a_row_of_zeros_stays_a_row_of_zeros():
    bitext = index(THREE)
    counts = np.where(bitext.given == 2, 0.0, 2.0)
    found = normalise(bitext, counts)
    assert (found[bitext.given == 2] == 0).all()
    assert found[bitext.given == 1].tolist() == [0.5, 0.5]
    trained = train_ibm1(bitext, 5, start=without_null(bitext))
    assert set(trained.table.row(None).values()) == {0.0}


def test_a_zero_stays_a_zero():
    bitext = index(THREE)
    rows = {x: dict(row) for x, row in table_of(uniform(bitext)).items()}
    rows["看"]["papers"] = 0.0
    for train in (train_ibm1, train_ibm2):
        trained = train(bitext, 5, start=from_rows(bitext, rows))
        assert trained.table["papers", "看"] == 0
        assert trained.table["papers", "报"] > 0.5


# ----------------------------------------------------------------------------------- concavity


@LAW
@given(PAIRS, SEEDS, st.floats(0, 1))
def test_the_likelihood_of_model_1_is_concave_between_two_tables(pairs, seed, share):
    bitext = index(pairs)
    left, right = random_table(bitext, seed), random_table(bitext, seed + 1)
    between = LexicalTable(bitext, (1 - share) * left.probs + share * right.probs)
    chord = (1 - share) * likelihood(bitext, left) + share * likelihood(bitext, right)
    assert likelihood(bitext, between) >= chord - 1e-9


def test_all_starts_reach_one_likelihood_but_not_one_table():
    # a and b always stand together, so nothing tells which of them means U
    pairs = [(["a", "b"], ["U", "V"]), (["c"], ["W"]), (["a", "b", "c"], ["W", "U"])]
    bitext = index(pairs)
    models = [train_ibm1(bitext, 3000, start=random_table(bitext, seed)) for seed in range(3)]
    values = [likelihood(bitext, model.table) for model in models]
    assert max(values) - min(values) < 1e-6
    assert values[0] > likelihood(bitext, uniform(bitext)) + 1
    apart = np.abs(models[0].table.probs - models[1].table.probs).max()
    assert apart > 0.1
    # every table between two best ones is as good: the top of a concave function is flat
    halfway = LexicalTable(bitext, (models[0].table.probs + models[1].table.probs) / 2)
    assert likelihood(bitext, halfway) == pytest.approx(values[0], abs=1e-6)


# ---------------------------------------------------------------------------------- identities

FULL = [(["a", "b", "c"], ["U", "V"]), (["c", "a"], ["V", "U", "V"]), (["b"], ["U", "V"])]
"""Every given word meets every generated word, so that no entry of the table is zero."""


def softmax(scores):
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def test_the_posterior_of_model_1_is_a_softmax_over_positions():
    bitext = index(FULL)
    model = IBM1(random_table(bitext, 5))
    worst_axis = worst_score = 1.0
    for source, target in FULL:
        scores = np.log(model.table.matrix(source, target))
        found = model.posterior(source, target)
        assert found == pytest.approx(softmax(scores), abs=1e-12)
        # neither over the generated words, the other axis, nor of the probabilities
        worst_axis = min(worst_axis, np.abs(found - softmax(scores.T).T).max())
        worst_score = min(worst_score, np.abs(found - softmax(np.exp(scores))).max())
    assert worst_axis > 0.05
    assert worst_score > 0.02


def test_the_posterior_of_model_1_is_dot_product_attention_with_scale_1():
    import torch
    from torch.nn.functional import one_hot, scaled_dot_product_attention

    bitext = index(FULL)
    model = IBM1(random_table(bitext, 5))
    vocabulary = list(bitext.generated_words)

    def attend(source, target, table, **options):
        ids = torch.tensor([vocabulary.index(word) for word in target])
        queries = one_hot(ids, len(vocabulary)).double()
        # a key is a row of the table: what the given word would say
        keys = torch.from_numpy(np.log(table.matrix(source, vocabulary)).T)
        values = torch.eye(len(source) + 1, dtype=torch.float64)
        return scaled_dot_product_attention(queries, keys, values, **options).numpy()

    for source, target in FULL:
        found = model.posterior(source, target)
        assert attend(source, target, model.table, scale=1.0) == pytest.approx(found, abs=1e-12)
        # the default scale, one over the root of the width, is another model
        assert np.abs(attend(source, target, model.table) - found).max() > 0.02
    # a zero in the table: 0 times minus infinity is no number
    rows = {x: dict(row) for x, row in table_of(model.table).items()}
    rows["a"] = {"U": 1.0, "V": 0.0}
    table = from_rows(bitext, rows)
    with np.errstate(divide="ignore"):
        found = attend(["a", "b"], ["U"], table, scale=1.0)
    assert np.isnan(found).any()
    assert np.isfinite(IBM1(table).posterior(["a", "b"], ["U"])).all()


def test_the_diagonal_prior_is_a_bias_on_the_scores():
    bitext = index(FULL)
    steepness, null_prob = 3.0, 0.2
    model = IBM2(random_table(bitext, 6), steepness, null_prob)
    worst = 0.0
    for source, target in FULL:
        i = np.arange(1, len(source) + 1) / len(source)
        j = np.arange(1, len(target) + 1) / len(target)
        bias = -steepness * np.abs(i - j[:, None])
        scores = np.log(model.table.matrix(source, target))
        found = model.posterior(source, target)
        # without NULL: the bias is all there is
        real = found[:, 1:] / found[:, 1:].sum(axis=1, keepdims=True)
        assert softmax(scores[:, 1:] + bias) == pytest.approx(real, abs=1e-12)
        # with NULL its column needs the odds of NULL, and what the other columns were divided by
        log_sum = np.log(np.exp(bias).sum(axis=1))
        null = np.log(null_prob / (1 - null_prob)) + log_sum
        full = np.column_stack([null, bias])
        assert softmax(scores + full) == pytest.approx(found, abs=1e-12)
        full[:, 0] -= log_sum
        worst = max(worst, np.abs(softmax(scores + full) - found).max())
    assert worst > 0.05


def test_the_gradient_for_the_logarithms_is_the_expected_counts():
    import torch

    bitext = index(FULL)
    table = random_table(bitext, 7)
    counts = counts_of(bitext, IBM1(table))

    def log_likelihood(log_theta):
        place = {
            (x, y): k for k, (x, y) in enumerate(zip(bitext.given, bitext.generated, strict=True))
        }
        x_id = {None: 0, **{x: k for k, x in enumerate(bitext.given_words, 1)}}
        y_id = {y: k for k, y in enumerate(bitext.generated_words)}
        total = 0.0
        for source, target in FULL:
            for y in target:
                rows = torch.tensor([place[x_id[x], y_id[y]] for x in (None, *source)])
                total = total + torch.logsumexp(log_theta[rows], 0) - math.log(len(source) + 1)
        return total

    log_theta = torch.from_numpy(np.log(table.probs)).requires_grad_()
    value = log_likelihood(log_theta)
    assert value.item() == pytest.approx(likelihood(bitext, table), abs=1e-12)
    (gradient,) = torch.autograd.grad(value, log_theta)
    # with the logarithms as free parameters
    assert gradient.numpy() == pytest.approx(counts, abs=1e-12)
    # tied by a softmax in each row, they have another gradient: counts minus n theta
    (tied,) = torch.autograd.grad(
        log_likelihood(
            torch.cat([torch.log_softmax(log_theta[bitext.given == x], 0) for x in range(4)])
        ),
        log_theta,
    )
    totals = np.bincount(bitext.given, counts)[bitext.given]
    assert tied.numpy() == pytest.approx(counts - totals * table.probs, abs=1e-12)
    assert np.abs(tied.numpy() - counts).max() > 0.5
    # and the same by small differences, through the library's own likelihood
    step = 1e-6
    for entry in range(len(table.probs)):
        change = np.zeros_like(table.probs)
        change[entry] = step
        up = likelihood(bitext, LexicalTable(bitext, table.probs * np.exp(change)))
        down = likelihood(bitext, LexicalTable(bitext, table.probs * np.exp(-change)))
        assert (up - down) / (2 * step) == pytest.approx(counts[entry], abs=1e-6)


def test_an_iteration_of_em_is_a_step_along_the_gradient_for_the_logits():
    bitext = index(FULL)
    table = random_table(bitext, 8)
    counts = counts_of(bitext, IBM1(table))
    after = train_ibm1(bitext, 1, start=table).table.probs
    gradient = counts / table.probs  # with respect to the probabilities
    worst = 0.0
    for x in range(len(bitext.given_words) + 1):
        row = bitext.given == x
        theta, total = table.probs[row], counts[row].sum()
        jacobian = np.diag(theta) - np.outer(theta, theta)
        step = jacobian @ gradient[row] / total
        assert theta + step == pytest.approx(after[row], abs=1e-12)
        # the same step on the logits is not EM
        logits = softmax(np.log(theta) + step)
        worst = max(worst, np.abs(logits - after[row]).max())
    assert worst > 0.01


# ----------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("pair", [("ab", ["U"]), (["a"], "U"), (["a"],), (["a"], ["U"], ["x"])])
def test_a_pair_is_two_sequences_of_words(pair):
    pairs = [(["a"], ["U"]), pair]
    with pytest.raises(TypeError, match=r"^pair 2 is not \(source words, target words\)$"):
        check_pairs(pairs)
    if len(pair) == 2:  # beartype, which the tests switch on, has a word for the others
        with pytest.raises(TypeError, match=r"^pair 2 is not \(source words, target words\)$"):
            index(pairs)


def test_numbers_out_of_range_are_named():
    bitext = index(THREE)
    for value in (-0.1, 64.5, math.nan):
        with pytest.raises(ValueError, match=rf"^diagonal is {value}, expected .* from 0 to 64$"):
            train_ibm2(bitext, diagonal=value)
    for value in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match=rf"^null_prob is {value}, expected .* 0 and 1$"):
            train_ibm2(bitext, null_prob=value)


def test_a_table_needs_a_row_for_every_word():
    bitext = index(THREE)
    rows = table_of(uniform(bitext))
    for word, name in ((None, "'NULL'"), ("看", "'看'")):
        lacking = {x: row for x, row in rows.items() if x != word}
        with pytest.raises(ValueError, match=rf"^the row of {name} has no entry above 0$"):
            from_rows(bitext, lacking)
    with pytest.raises(
        ValueError, match=r"^the table has a negative entry, expected .* 0 or more$"
    ):
        from_rows(bitext, {**rows, "书": {"book": -1.0, "read": 2.0}})


def test_a_word_that_stands_only_beside_an_empty_side_needs_no_row():
    bitext = index([(["b"], []), (["a"], ["U"]), ([], ["V"])])
    assert bitext.given_words == ("b", "a")
    table = from_rows(bitext, {None: {"U": 1.0}, "a": {"U": 2.0}})
    assert table.row("a") == {"U": 1.0}
    assert table.row("b") == {}


def test_training_starts_from_a_table_of_the_same_pairs():
    bitext = index(THREE)
    assert (starting_table(bitext, None).probs == uniform(bitext).probs).all()
    again = uniform(index(list(THREE)))
    assert starting_table(bitext, again) is again
    for pairs in (
        THREE[:2],
        # the same entries, other words
        [(["x" if word == "书" else word for word in x], y) for x, y in THREE],
        [(x, ["y" if word == "read" else word for word in y]) for x, y in THREE],
        [(y, x) for x, y in THREE],
        [(["书"], ["book", "read", "papers"])],
    ):
        other = uniform(index(pairs))
        for train in (train_ibm1, train_ibm2):
            with pytest.raises(
                ValueError, match=r"^start is the table of another bitext, expected"
            ):
                train(bitext, start=other)


# ---------------------------------------------------------------------------------------- learns


def test_both_models_learn_the_links_of_the_corpus():
    from softalign.corpus import load
    from softalign.metrics import aer

    train = load().train[:1000]
    sure, possible = [pair.sure for pair in train], [pair.possible for pair in train]

    def error(model, bitext):
        return aer(viterbi_links(model, bitext), sure, possible).aer

    # measured: uniform 0.909, Model 1 0.233, Model 2 0.230; the other way 0.916, 0.220 and 0.218
    for reverse, bounds in ((False, (0.245, 0.24)), (True, (0.23, 0.23))):
        bitext = index([(pair.source, pair.target) for pair in train], reverse=reverse)
        assert error(IBM1(uniform(bitext)), bitext) > 0.8
        first = train_ibm1(bitext)
        assert error(first, bitext) < bounds[0]
        assert error(train_ibm2(bitext, start=first.table), bitext) < bounds[1]
