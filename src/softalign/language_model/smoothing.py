r"""From counts to probabilities.

Every method takes something from the counts of a context and gives it to the distribution one word
shorter:

.. math:: P(w \mid u) = \frac{\mathrm{kept}(uw)}{Z(u)} + \lambda(u) P(w \mid u'),
   \qquad \lambda(u) = \frac{\mathrm{given}(u)}{Z(u)},
   \qquad Z(u) = \sum_w \mathrm{kept}(uw) + \mathrm{given}(u),

where :math:`u'` is the history `u` without its first word, and under the single words lies the
uniform distribution. Whatever is kept and given, the probabilities sum to 1. A history that was
never seen keeps and gives nothing: it passes the shorter history's distribution on.

Page: 01_smt/language_model
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from softalign.language_model.counts import BEGIN_ID, NGrams

__all__ = ["SMOOTHINGS", "continuation_counts", "discounts", "interpolate", "smooth"]

SMOOTHINGS = (
    "maximum_likelihood",
    "add_k",
    "absolute",
    "kneser_ney",
    "modified_kneser_ney",
)
# What stands in where a discount cannot be estimated: kenlm's --discount_fallback for the modified
# form, and the customary 3/4 for a single discount.
FALLBACK_ONE = (0.75, 0.75, 0.75)
FALLBACK_THREE = (0.5, 1.0, 1.5)


def continuation_counts(tables: Sequence[NGrams]) -> list[Int[np.ndarray, "..."]]:
    """Count, for each n-gram, the different words before it.

    The longest n-grams keep their plain counts, and so do n-grams that begin with ``<s>``: nothing
    can stand before them.

    Notes
    -----
    Kneser and Ney (1995), "Improved backing-off for m-gram language modeling", ICASSP, volume 1,
    pages 181-184; Chen and Goodman (1999), Computer Speech & Language 13, section 3.

    Page: 01_smt/language_model
    """
    counts = []
    for table, longer in pairwise(tables):
        before = np.bincount(longer.suffix, minlength=len(table.keys))
        counts.append(np.where(table.begins, table.counts, before))
    return [*counts, tables[-1].counts]


def discounts(counts: Int[np.ndarray, "rows"], *, modified: bool) -> tuple[float, ...] | None:
    r"""Estimate what to take from counts of 1, of 2, and of 3 or more.

    With :math:`n_r` the number of n-grams that have the count r, and :math:`Y = n_1/(n_1+2n_2)`,
    the single discount is :math:`Y`, the three are :math:`r - (r+1)\,Y\,n_{r+1}/n_r` for r = 1, 2,
    3.

    Parameters
    ----------
    counts : int array [rows]
        Counts of the n-grams of one length.
    modified : bool
        Three discounts instead of one.

    Returns
    -------
    tuple of three floats, or None
        None if one of the :math:`n_r` in the formulas is 0, or a discount is not between 0 and the
        count it is taken from.

    Notes
    -----
    Ney, Essen and Kneser (1994), Computer Speech & Language 8, pages 1-38 (one); Chen and Goodman
    (1999), Computer Speech & Language 13, section 3 (three).

    Examples
    --------
    >>> counts = np.array([1, 1, 1, 1, 2, 2, 3, 4])  # n_1..n_4 = 4, 2, 1, 1 and Y = 1/2
    >>> discounts(counts, modified=False)
    (0.5, 0.5, 0.5)
    >>> discounts(counts, modified=True)
    (0.5, 1.25, 1.0)

    Page: 01_smt/language_model
    """
    n = [int(np.sum(counts == r)) for r in range(5)]
    if not all(n[1:] if modified else n[1:3]):
        return None
    y = n[1] / (n[1] + 2 * n[2])
    if not modified:
        return y, y, y
    three = tuple(r - (r + 1) * y * n[r + 1] / n[r] for r in (1, 2, 3))
    return three if all(0 < d <= r for r, d in enumerate(three, 1)) else None


def interpolate(
    table: NGrams,
    kept: Float[np.ndarray, "rows"],
    given: Float[np.ndarray, "contexts"],
    lower: Float[np.ndarray, "contexts"],
) -> tuple[Float[np.ndarray, "rows"], Float[np.ndarray, "contexts"]]:
    """Mix what is kept of the counts with the distribution one word shorter.

    Parameters
    ----------
    table : NGrams
        N-grams of one length.
    kept : float array [rows]
        What is left of the count of each n-gram.
    given : float array [contexts]
        What each context gives to the shorter one.
    lower : float array [contexts]
        Probabilities of the n-grams one shorter.

    Returns
    -------
    probabilities : float array [rows]
        Of the last word of each n-gram after its context.
    weights : float array [contexts]
        Share of each context that goes to the shorter one; 1 for a context that was never seen.

    Page: 01_smt/language_model
    """
    total = np.bincount(table.context, kept, minlength=len(given)) + given
    seen = total > 0
    weights = np.divide(given, total, out=np.ones(len(given)), where=seen)
    share = np.divide(
        kept, total[table.context], out=np.zeros(len(kept)), where=seen[table.context]
    )
    return share + weights[table.context] * lower[table.suffix], weights


def smooth(
    tables: Sequence[NGrams], smoothing: str, k: float | int
) -> tuple[list[Float[np.ndarray, "..."]], list[Float[np.ndarray, "..."]], list[tuple]]:
    """Turn counted n-grams into probabilities and back-off weights.

    Parameters
    ----------
    tables : sequence of NGrams
        Lengths 1 to n, as `count_ngrams` returns them.
    smoothing : str
        One of `SMOOTHINGS`.
    k : float
        What ``"add_k"`` adds to each count.

    Returns
    -------
    probabilities : list of float arrays [rows]
        For each length, the probability of the last word of each n-gram after its context.
    weights : list of float arrays [rows]
        For each length from 0 to n - 1, the weight of the shorter distribution after that context.
    used : list of tuples of three floats
        Discounts of counts 1, 2, 3 or more for each length; empty for methods without discounts.

    Warns
    -----
    UserWarning
        Once a call, if fixed discounts stand in for some lengths.

    Page: 01_smt/language_model
    """
    size = len(tables[0].keys) - 1  # all but <s> can be predicted
    plain = [table.counts for table in tables]
    counts = continuation_counts(tables) if smoothing.endswith("kneser_ney") else plain
    used, fixed = [], []
    lower, probabilities, weights = np.array([1 / size]), [], []
    for length, (table, count) in enumerate(zip(tables, counts, strict=True), start=1):
        given = np.zeros(len(lower))
        kept = count.astype(float)
        if smoothing == "add_k":
            # The textbook's formula mixes with the uniform distribution, whatever the length.
            full = table.begins | (length == len(tables))
            kept[~full] = 0
            given[table.context[full]] = k * size
        elif smoothing != "maximum_likelihood":
            modified = smoothing == "modified_kneser_ney"
            found = discounts(count, modified=modified)
            if found is None:
                fixed.append(length)
                found = FALLBACK_THREE if modified else FALLBACK_ONE
            used.append(found)
            taken = np.array([0, *found])[np.minimum(count, 3)]
            kept -= taken
            given += np.bincount(table.context, taken, minlength=len(lower))
        lower, weight = interpolate(table, kept, given, lower)
        if length == 1:
            lower[BEGIN_ID] = 0
        probabilities.append(lower)
        weights.append(weight)
    if fixed:
        values = sorted(set(FALLBACK_THREE if smoothing.startswith("modified") else FALLBACK_ONE))
        warnings.warn(
            f"discounts of the lengths {fixed} cannot be estimated from their counts of counts; "
            f"fixed ones stand in: {', '.join(map(str, values))}",
            stacklevel=3,
        )
    return probabilities, weights, used
