"""Phrase extraction and tables: by hand, the corpus version against the plain one, laws."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.phrases import (
    FEATURES,
    PhraseTable,
    build_table,
    extract_phrases,
    lexical_table,
    lexical_weight,
)

LAW = settings(derandomize=True, deadline=None, max_examples=40)

# Koehn, Och and Marcu's example in small: words 1 and 2 change places, target word 1 has no link.
#   source: a b c      links a-A, b-C, c-B' (target: A x C B)
HAND_LINKS = {(0, 0), (1, 3), (2, 2)}
HAND_PAIRS = [
    (0, 1, 0, 1),  # a = A
    (0, 1, 0, 2),  # a = A x: the word without a link may follow
    (0, 3, 0, 4),  # all = all
    (1, 2, 3, 4),  # b = B
    (1, 3, 1, 4),  # b c = x C B
    (1, 3, 2, 4),  # b c = C B
    (2, 3, 1, 3),  # c = x C
    (2, 3, 2, 3),  # c = C
]


@st.composite
def corpora(draw):
    """A few sentence pairs over few words, and any links between them."""
    pairs, links = [], []
    for _ in range(draw(st.integers(1, 4))):
        source = tuple(draw(st.lists(st.sampled_from("abc"), max_size=6)))
        target = tuple(draw(st.lists(st.sampled_from("ABC"), max_size=6)))
        cells = [(i, j) for i in range(len(source)) for j in range(len(target))]
        pairs.append((source, target))
        links.append(frozenset(draw(st.lists(st.sampled_from(cells), max_size=7)) if cells else ()))
    return pairs, links


def by_definition(links, rows, columns, longest):
    """All spans, tested one by one."""
    found = []
    for i in range(rows):
        for k in range(i + 1, min(rows, i + longest) + 1):
            for j in range(columns):
                for m in range(j + 1, min(columns, j + longest) + 1):
                    inside = [(i <= a < k, j <= b < m) for a, b in links]
                    if (True, True) in inside and all(a == b for a, b in inside):
                        found.append((i, k, j, m))
    return found


def counted(pairs, links, longest):
    """Phrase pairs with their counts, sentence by sentence."""
    counts = Counter()
    for (source, target), found in zip(pairs, links, strict=True):
        for i, k, j, m in extract_phrases(found, len(source), len(target), longest):
            counts[source[i:k], target[j:m]] += 1
    return counts


def contents(table):
    return {(p.source, p.target): p for phrase in table.phrases() for p in table.get(phrase)}


def test_extraction_by_hand():
    assert extract_phrases(HAND_LINKS, 3, 4) == HAND_PAIRS


def test_no_link_no_phrase_and_a_word_with_a_partner_outside_blocks_the_span():
    assert extract_phrases(set(), 2, 2) == []
    # a is linked to both ends, b to the middle: only the whole is consistent with a inside
    assert extract_phrases({(0, 0), (0, 2), (1, 1)}, 2, 3) == [(0, 2, 0, 3), (1, 2, 1, 2)]


def test_the_length_counts_on_both_sides():
    links = {(0, 0), (0, 1), (0, 2)}
    assert extract_phrases(links, 1, 3, 2) == []
    assert extract_phrases(links, 1, 3, 3) == [(0, 1, 0, 3)]
    assert extract_phrases({(i, i) for i in range(3)}, 3, 3, 1) == [
        (0, 1, 0, 1),
        (1, 2, 1, 2),
        (2, 3, 2, 3),
    ]


@LAW
@given(corpora(), st.integers(1, 6))
def test_extraction_is_the_definition(corpus, longest):
    for (source, target), links in zip(*corpus, strict=True):
        size = len(source), len(target)
        assert extract_phrases(links, *size, longest) == by_definition(links, *size, longest)


@LAW
@given(corpora(), st.integers(1, 6))
def test_the_table_counts_what_the_plain_extraction_finds(corpus, longest):
    counts = counted(*corpus, longest)
    if not counts:
        with pytest.raises(ValueError, match="not one phrase pair"):
            build_table(*corpus, max_length=longest)
        return
    table = build_table(*corpus, max_length=longest, keep=None)
    found = contents(table)
    assert {key: pair.count for key, pair in found.items()} == counts
    assert len(table) == len(counts)


@LAW
@given(corpora())
def test_relative_frequencies_are_those_of_the_counts(corpus):
    counts = counted(*corpus, 7)
    if not counts:
        return
    given_x, given_y = Counter(), Counter()
    for (x, y), n in counts.items():
        given_x[x] += n
        given_y[y] += n
    for (x, y), pair in contents(build_table(*corpus, keep=None)).items():
        direct, inverse = pair.features[:2]
        assert math.isclose(math.exp(direct), counts[x, y] / given_x[x])
        assert math.isclose(math.exp(inverse), counts[x, y] / given_y[y])


@LAW
@given(corpora())
def test_lexical_weights_are_the_largest_over_all_places(corpus):
    pairs, links = corpus
    turned = [(y, x) for x, y in pairs], [{(j, i) for i, j in found} for found in links]
    there, back = lexical_table(pairs, links), lexical_table(*turned)
    best: dict = {}
    for (source, target), found in zip(pairs, links, strict=True):
        for i, k, j, m in extract_phrases(found, len(source), len(target)):
            inner = {(a - i, b - j) for a, b in found if i <= a < k and j <= b < m}
            outer = {(b, a) for a, b in inner}
            both = (
                lexical_weight(source[i:k], target[j:m], inner, there),
                lexical_weight(target[j:m], source[i:k], outer, back),
            )
            key = source[i:k], target[j:m]
            best[key] = tuple(map(max, best.get(key, both), both))
    if best:
        for key, pair in contents(build_table(pairs, links, keep=None)).items():
            assert np.allclose(pair.features[2:], best[key], atol=1e-12)


def test_lexical_table_by_hand():
    # b is linked once to B and once to C; x has no link in one of two sentences
    pairs = [(("a", "b"), ("A", "B")), (("b",), ("C", "x"))]
    table = lexical_table(pairs, [{(0, 0), (1, 1)}, {(0, 0)}])
    assert table == {"a": {"A": 1.0}, "b": {"B": 0.5, "C": 0.5}, "NULL": {"x": 1.0}}


def test_lexical_weight_by_hand():
    table = {"a": {"A": 0.5, "B": 0.2}, "b": {"B": 0.4}, "NULL": {"x": 0.1}}
    # A from a; B from a and b, the mean of 0.2 and 0.4; x from NULL
    value = lexical_weight(("a", "b"), ("A", "B", "x"), {(0, 0), (0, 1), (1, 1)}, table)
    assert math.isclose(math.exp(value), 0.5 * 0.3 * 0.1)
    assert lexical_weight(("a",), ("C",), {(0, 0)}, table) == -math.inf


def test_of_several_link_sets_the_best_lexical_weight_counts():
    # "a b" = "A B" twice, with other links; b makes B in one of two, a makes B in one of three
    pairs = [(("a", "b"), ("A", "B"))] * 2
    links = [{(0, 0), (1, 1)}, {(0, 0), (0, 1), (1, 1)}]
    theta = lexical_table(pairs, links)
    assert theta["a"] == {"A": 2 / 3, "B": 1 / 3}
    assert theta["b"] == {"B": 1.0}
    (pair,) = build_table(pairs, links).get(["a", "b"])
    # the first set gives 2/3 * 1, the second 2/3 * (1/3 + 1) / 2
    assert math.isclose(math.exp(pair.features[2]), 2 / 3)
    # backwards: A makes a, always; B makes b in two of three: 1 * 2/3, or (1 + 1/3) / 2 * 2/3
    assert math.isclose(math.exp(pair.features[3]), 2 / 3)


@LAW
@given(corpora())
def test_rows_of_a_lexical_table_sum_to_one(corpus):
    for row in lexical_table(*corpus).values():
        assert math.isclose(sum(row.values()), 1)


def test_a_table_by_hand():
    pairs = [(("ein", "Hund"), ("a", "dog")), (("ein",), ("one",)), (("ein",), ("a",))]
    table = build_table(pairs, [{(0, 0), (1, 1)}, {(0, 0)}, {(0, 0)}])
    first, second = table.get(["ein"])
    assert (first.target, first.count) == (("a",), 2)
    assert second.target == ("one",)
    direct, inverse, lexical, back = map(math.exp, first.features)
    assert math.isclose(direct, 2 / 3)
    assert math.isclose(inverse, 1)
    assert math.isclose(lexical, 2 / 3)
    assert math.isclose(back, 1)
    (whole,) = table.get(["ein", "Hund"])
    assert math.isclose(math.exp(whole.features[FEATURES.index("lexical_direct")]), 2 / 3)


def test_keep_drops_the_rare_ones_and_leaves_the_numbers_of_the_others():
    pairs = [(("a",), (y,)) for y in "BBBCCD"]
    links = [{(0, 0)}] * 6
    full, kept = build_table(pairs, links, keep=None), build_table(pairs, links, keep=2)
    assert [pair.target for pair in kept.get("a")] == [("B",), ("C",)]
    assert kept.get("a") == full.get("a")[:2]
    assert len(build_table(pairs, links, keep=1)) == 1


def test_match_finds_every_span_that_the_table_has_and_no_other():
    pairs = [(tuple("abc"), tuple("ABC"))]
    table = build_table(pairs, [{(0, 0), (1, 1), (2, 2)}])
    sentence = tuple("xabcabx")
    spans = set(table.match(sentence))
    known = set(table.phrases())
    all_spans = {(i, k) for i in range(7) for k in range(i + 1, 8)}
    assert spans == {(i, k) for i, k in all_spans if sentence[i:k] in known}
    assert (1, 4) in spans
    assert table.match([]) == {}
    assert table.match(["x"]) == {}


def test_a_longer_phrase_is_found_where_its_beginning_is_no_phrase():
    # a alone has no consistent translation, a b has
    table = build_table([(("a", "b"), ("A",))], [{(0, 0), (1, 0)}])
    assert list(table.match(["a", "b"])) == [(0, 2)]


@LAW
@given(corpora())
def test_entries_written_by_hand_give_the_same_table(corpus):
    if not counted(*corpus, 7):
        return
    table = build_table(*corpus, keep=None)
    entries = [(p.source, p.target, p.features) for p in contents(table).values()]
    again = PhraseTable.from_entries(entries[::-1])
    assert {k: p.features for k, p in contents(again).items()} == {
        k: p.features for k, p in contents(table).items()
    }


def test_entries_of_a_source_phrase_lie_side_by_side():
    pairs = [(tuple("ab"), tuple("AB")), (tuple("ba"), tuple("XY")), (tuple("a"), tuple("Z"))]
    table = build_table(pairs, [{(0, 0), (1, 1)}, {(0, 0), (1, 1)}, {(0, 0)}])
    ranges = sorted(
        (r.start, r.stop)
        for phrase in table.phrases()
        for r in [table.match(phrase)[0, len(phrase)]]
    )
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(table)
    assert all(one[1] == other[0] for one, other in pairwise(ranges))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: extract_phrases({(2, 0)}, 2, 2), "link 2-0 points outside a pair of 2 and 2"),
        (lambda: extract_phrases({(0, -1)}, 2, 2), "link 0--1 points outside"),
        (lambda: build_table([("a", "b")], [{(0, 0)}]), "one string"),
        (lambda: build_table([(["a"], ["b"])], []), "links for 0 sentence pairs, expected 1"),
        (
            lambda: build_table([(["a"], ["b"])] * 2, [{(0, 0)}, {(0, 1)}]),
            "link 0-1 of sentence pair 2 points outside its 1 and 1 words",
        ),
        (lambda: build_table([(["a"], ["b"])], [set()]), "not one phrase pair"),
        (lambda: build_table([(["a"], ["b"])], [{(0, 0)}], max_length=0), "expected at least 1"),
        (lambda: PhraseTable.from_entries([]), "no phrase pairs"),
        (lambda: PhraseTable.from_entries([(["a"], [], [0] * 4)]), "a side without words"),
        (lambda: PhraseTable.from_entries([(["a"], ["b"], [0] * 3)]), "3 features, expected 4"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()
