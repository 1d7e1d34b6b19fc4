"""Symmetrisation: cases on paper, a literal transcription, and the laws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.symmetrise import METHODS, grow_diag_final_and, intersection, union

LAW = settings(derandomize=True, deadline=None, max_examples=120)
LINKS = st.frozensets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=9)

# Each case: forward links, backward links, what grow-diag-final-and makes of them.
BY_HAND = {
    "nothing": (set(), set(), set()),
    "both agree": ({(0, 0), (1, 1)}, {(0, 0), (1, 1)}, {(0, 0), (1, 1)}),
    # (1, 1) is in. (1, 2) lies beside it and word 2 is free.
    "beside": ({(1, 1), (1, 2)}, {(1, 1)}, {(1, 1), (1, 2)}),
    # Each of the eight neighbours is one.
    **{
        f"neighbour {i} {j}": ({(1, 1)}, {(1, 1), (i, j)}, {(1, 1), (i, j)})
        for i in (0, 1, 2)
        for j in (0, 1, 2)
    },
    # (1, 3) is two away: it may not grow, and source word 1 has a link, so it is not final either.
    "too far": ({(1, 1), (1, 3)}, {(1, 1)}, {(1, 1)}),
    "too far below": ({(1, 1)}, {(1, 1), (3, 1)}, {(1, 1)}),
    "a knight's move": ({(1, 1), (2, 3)}, {(1, 1)}, {(1, 1), (2, 3)}),  # final: both are free
    # (0, 0) and (1, 1) are in; (0, 1) touches both, but both its words have links.
    "both words taken": ({(0, 0), (1, 1), (0, 1)}, {(0, 0), (1, 1)}, {(0, 0), (1, 1)}),
    # (2, 2) is in. In the first round (0, 1) touches nothing; (1, 1) joins. Then (0, 1) does touch:
    # its target word is taken, its source word is free. Final-and would not have let it in.
    "second round": ({(2, 2), (1, 1)}, {(2, 2), (0, 1)}, {(2, 2), (1, 1), (0, 1)}),
    # Visited by source position: (2, 1) joins in the first round; in the second (1, 0), while
    # source word 1 is free, and then (1, 2). By target position (1, 2) would come first, in the
    # first round, and (1, 0) never.
    "order of visits": (
        {(1, 2), (2, 1), (3, 0)},
        {(1, 0), (3, 0)},
        {(1, 0), (1, 2), (2, 1), (3, 0)},
    ),
    # (0, 0) first, and then neither (0, 1) nor (1, 0) brings anything new.
    "corner first": ({(1, 1), (0, 0), (0, 1)}, {(1, 1), (1, 0)}, {(1, 1), (0, 0)}),
    # Nothing agrees: only final-and. The forward link comes first and takes source word 0.
    "forward first": ({(0, 3)}, {(0, 1), (2, 1)}, {(0, 3), (2, 1)}),
    # Within a direction by source, then by target.
    "final in order": ({(0, 2), (0, 0), (1, 0), (3, 3)}, set(), {(0, 0), (3, 3)}),
    # "And": one free word is not enough for the last step.
    "final and": ({(0, 0), (5, 0)}, {(0, 0), (0, 5)}, {(0, 0)}),
    # The last step does not grow: (1, 1) joins as the free link it is, (1, 2) beside it does not.
    "final does not grow": ({(1, 1), (1, 2)}, {(4, 4)}, {(1, 1), (4, 4)}),
}


def transcription(forward, backward, size=6):
    """Read the docstring word by word: every round visits every place of the grid."""
    links = {link for link in forward if link in backward}

    def source_taken(i):
        return any((i, j) in links for j in range(size))

    def target_taken(j):
        return any((i, j) in links for i in range(size))

    def touches(i, j):
        return any((a, b) in links for a in range(i - 1, i + 2) for b in range(j - 1, j + 2))

    places = [(i, j) for i in range(size) for j in range(size)]
    before = None
    while before != len(links):
        before = len(links)
        for i, j in places:
            wanted = (i, j) in forward or (i, j) in backward
            free = not source_taken(i) or not target_taken(j)
            if wanted and free and touches(i, j):
                links.add((i, j))
    for direction in (forward, backward):
        for i, j in places:
            if (i, j) in direction and not source_taken(i) and not target_taken(j):
                links.add((i, j))
    return links


@pytest.mark.parametrize("case", BY_HAND)
def test_grow_diag_final_and_by_hand(case):
    forward, backward, expected = BY_HAND[case]
    assert grow_diag_final_and(forward, backward) == expected


def test_the_others_by_hand():
    forward, backward = {(0, 0), (1, 1), (2, 0)}, {(1, 1), (2, 0), (1, 2)}
    assert intersection(forward, backward) == {(1, 1), (2, 0)}
    assert union(forward, backward) == {(0, 0), (1, 1), (2, 0), (1, 2)}


@LAW
@given(LINKS, LINKS)
def test_grow_diag_final_and_is_its_literal_transcription(forward, backward):
    assert grow_diag_final_and(forward, backward) == transcription(forward, backward)


@LAW
@given(LINKS, LINKS)
def test_every_method_stays_between_intersection_and_union(forward, backward):
    both, either = intersection(forward, backward), union(forward, backward)
    assert both == {link for link in either if link in forward and link in backward}
    assert len(both) + len(either) == len(forward) + len(backward)
    for method in METHODS.values():
        found = method(forward, backward)
        assert isinstance(found, frozenset)
        assert both <= found <= either
        assert method(forward, forward) == forward


@LAW
@given(LINKS, LINKS)
def test_each_link_of_the_union_is_in_or_has_a_taken_word(forward, backward):
    found = grow_diag_final_and(forward, backward)
    sources, targets = {i for i, _ in found}, {j for _, j in found}
    for i, j in union(forward, backward):
        assert (i, j) in found or i in sources or j in targets


@LAW
@given(LINKS, LINKS)
def test_links_moved_together_stay_together(forward, backward):
    def moved(links):
        return {(i + 3, j + 7) for i, j in links}

    for method in METHODS.values():
        assert moved(method(forward, backward)) == method(moved(forward), moved(backward))


@LAW
@given(LINKS, LINKS)
def test_where_both_directions_have_all_words_their_order_does_not_matter(forward, backward):
    # only the last step asks which direction a link came from
    assert intersection(forward, backward) == intersection(backward, forward)
    assert union(forward, backward) == union(backward, forward)
    one = grow_diag_final_and(forward, backward)
    other = grow_diag_final_and(backward, forward)
    assert one == other or intersection(forward, backward) != union(forward, backward)


def test_nothing_that_is_given_is_changed():
    forward, backward = {(0, 0), (0, 1), (3, 3)}, {(0, 0), (2, 4)}
    for method in METHODS.values():
        method(forward, backward)
        assert forward == {(0, 0), (0, 1), (3, 3)}
        assert backward == {(0, 0), (2, 4)}


def test_methods_have_the_names_of_the_command():
    assert dict(METHODS) == {
        "grow-diag-final-and": grow_diag_final_and,
        "intersection": intersection,
        "union": union,
    }
    with pytest.raises(TypeError, match="does not support item assignment"):
        METHODS["mine"] = union
