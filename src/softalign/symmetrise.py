"""One set of links from two: where the two directions of a model differ, somebody must decide.

A model that gives every target word one source word cannot link one target word to two source
words; its reverse cannot do the opposite. Each heuristic of this module takes the links of both.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from types import MappingProxyType

__all__ = ["METHODS", "grow_diag_final_and", "intersection", "union"]

Link = tuple[int, int]
Links = frozenset[Link]
NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def intersection(forward: Set[Link], backward: Set[Link]) -> Links:
    """Links that both directions have: few, and nearly all of them right.

    Examples
    --------
    >>> sorted(intersection({(0, 0), (1, 1)}, {(1, 1), (1, 2)}))
    [(1, 1)]

    Page: 01_smt/word_alignment
    """
    return frozenset(forward) & frozenset(backward)


def union(forward: Set[Link], backward: Set[Link]) -> Links:
    """Links that one of the directions has: many, and some of them wrong.

    Examples
    --------
    >>> sorted(union({(0, 0), (1, 1)}, {(1, 1), (1, 2)}))
    [(0, 0), (1, 1), (1, 2)]

    Page: 01_smt/word_alignment
    """
    return frozenset(forward) | frozenset(backward)


def grow_diag_final_and(forward: Set[Link], backward: Set[Link]) -> Links:
    """Begin with the intersection and let it grow towards the union.

    *Grow-diag*: a link of the union joins if it touches a link that is in already, also at a
    corner, and if its source word or its target word has no link yet; again, until none joins.
    *Final-and*: then a link of either direction joins if neither of its two words has a link.

    Candidates are visited by source position, then target position; of the two directions, the
    forward links come first in the last step.

    Parameters
    ----------
    forward, backward : sets of (i, j)
        Links of one sentence pair from both directions, source position first in both.

    Returns
    -------
    frozenset of (i, j)
        Between the intersection and the union.

    Notes
    -----
    Koehn, Och and Marcu (2003), "Statistical phrase-based translation", NAACL, 48-54, section 4.5;
    Koehn et al. (2005), "Edinburgh system description for the 2005 IWSLT speech translation
    evaluation", IWSLT, figure 1.

    Examples
    --------
    >>> sorted(grow_diag_final_and({(0, 0), (0, 1), (3, 3)}, {(0, 0), (2, 4)}))
    [(0, 0), (0, 1), (2, 4), (3, 3)]

    Page: 01_smt/word_alignment
    """
    forward, backward = frozenset(forward), frozenset(backward)
    links = set(forward & backward)
    sources, targets = {i for i, _ in links}, {j for _, j in links}

    def join(i: int, j: int) -> None:
        links.add((i, j))
        sources.add(i)
        targets.add(j)

    waiting = sorted((forward | backward) - links)
    grew = True
    while grew:
        grew = False
        for i, j in waiting:
            if (i, j) in links or (i in sources and j in targets):
                continue
            if any((i + down, j + right) in links for down, right in NEIGHBOURS):
                join(i, j)
                grew = True
    for direction in (forward, backward):
        for i, j in sorted(direction):
            if i not in sources and j not in targets:
                join(i, j)
    return frozenset(links)


METHODS: MappingProxyType[str, Callable[[Set[Link], Set[Link]], Links]] = MappingProxyType(
    {
        "grow-diag-final-and": grow_diag_final_and,
        "intersection": intersection,
        "union": union,
    }
)
"""The heuristics by name; the names of the command ``softalign align``."""
