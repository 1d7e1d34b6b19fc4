"""Alignment error rate: proposed links against sure and possible gold links.

Page: 01_smt/evaluation
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from numbers import Integral

Links = Collection[tuple]


@dataclass(frozen=True)
class AlignmentScore:
    """Alignment error rate of a corpus, with the counts that it is made of.

    Attributes
    ----------
    aer, precision, recall : float
        Between 0 and 1. Low error and high precision and recall are good.
    predicted, sure : int
        Number of links proposed, and of sure gold links.
    sure_found, possible_found : int
        Number of proposed links that are sure, and that are possible (the sure ones among them).

    Examples
    --------
    >>> print(AlignmentScore(1 / 6, 0.75, 1.0, predicted=4, sure=2, sure_found=2, possible_found=3))
    AER 0.1667 (precision 0.7500, recall 1.0000)

    Page: 01_smt/evaluation
    """

    aer: float
    precision: float
    recall: float
    predicted: int
    sure: int
    sure_found: int
    possible_found: int

    def __str__(self) -> str:
        """Error rate, precision and recall to four decimals."""
        return f"AER {self.aer:.4f} (precision {self.precision:.4f}, recall {self.recall:.4f})"

    def __float__(self) -> float:
        """Return the error rate."""
        return self.aer


def aer(
    predicted: Sequence[Links], sure: Sequence[Links], possible: Sequence[Links]
) -> AlignmentScore:
    """Alignment error rate of a corpus, with precision and recall.

    With A the proposed, S the sure and P the possible links (S within P), each counted over all
    sentences together, precision is ``|A & P| / |A|``, recall ``|A & S| / |S|`` and the error rate
    ``1 - (|A & S| + |A & P|) / (|A| + |S|)``. A link that is possible but not sure is never
    missed and never wrong.

    A share of nothing is 1: where no link is proposed, none is wrong (precision 1), and where none
    is sure, none is missed (recall 1). No proposed and no sure link give the error 0; no proposed
    link where there are sure ones gives the error 1. So the error is 0 exactly if precision and
    recall are 1, that is, if every sentence has S within A and A within P.

    Parameters
    ----------
    predicted : sequence of collections of (int, int)
        For each sentence the proposed links ``(i, j)`` of source and target position, from 0. It
        may be empty. A link that stands twice counts once. A link to NULL is left out.
    sure, possible : sequence of collections of (int, int)
        For each sentence the gold links.

    Returns
    -------
    AlignmentScore
        Error rate, precision, recall and the counts.

    Raises
    ------
    ValueError
        No sentences, unequal numbers of sentences, a sure link that is not possible, a link that is
        not a pair of numbers from 0.

    Notes
    -----
    Och and Ney (2003), "A systematic comparison of various statistical alignment models",
    Computational Linguistics 29(1), pages 19-51, section 5.1.

    Examples
    --------
    >>> sure, possible = [{(0, 0), (1, 1)}], [{(0, 0), (1, 1), (2, 1)}]
    >>> print(aer([{(0, 0), (2, 1), (2, 2)}], sure, possible))  # 1 - (1 + 2) / (3 + 2)
    AER 0.4000 (precision 0.6667, recall 0.5000)

    Page: 01_smt/evaluation
    """
    rows = _count(predicted, sure, possible)
    return _score(*map(sum, zip(*rows, strict=True)))


def _score(sure_found: int, possible_found: int, predicted: int, sure: int) -> AlignmentScore:
    """Turn the four counts into the three shares."""
    whole = predicted + sure
    return AlignmentScore(
        aer=1 - (sure_found + possible_found) / whole if whole else 0.0,
        precision=possible_found / predicted if predicted else 1.0,
        recall=sure_found / sure if sure else 1.0,
        predicted=predicted,
        sure=sure,
        sure_found=sure_found,
        possible_found=possible_found,
    )


def _count(
    predicted: Sequence[Links], sure: Sequence[Links], possible: Sequence[Links]
) -> list[tuple[int, int, int, int]]:
    """For each sentence ``|A & S|, |A & P|, |A|, |S|``; raise if the links are not as expected."""
    if not len(predicted) == len(sure) == len(possible):
        raise ValueError(
            f"predicted links for {len(predicted)} sentences, sure links for {len(sure)}, possible "
            f"links for {len(possible)}, expected the same number"
        )
    if len(predicted) == 0:
        raise ValueError("there are no sentences, expected at least one")
    rows = []
    for number, sentence in enumerate(zip(predicted, sure, possible, strict=True), start=1):
        names = ("predicted", "sure", "possible")
        a, s, p = (_as_set(*named, number) for named in zip(sentence, names, strict=True))
        if not s <= p:
            raise ValueError(
                f"the sure link {min(s - p)} of sentence {number} is not among the possible links"
            )
        rows.append((len(a & s), len(a & p), len(a), len(s)))
    return rows


def _as_set(links: Links, name: str, number: int) -> set[tuple]:
    """Return the links as a set of pairs of numbers from 0."""
    found = set(links)
    for link in found:
        whole = isinstance(link, tuple) and all(isinstance(place, Integral) for place in link)
        if not (whole and len(link) == 2 and min(link) >= 0):
            raise ValueError(
                f"{name} link {link!r} of sentence {number}, "
                "expected a pair (i, j) of positions from 0"
            )
    return found
