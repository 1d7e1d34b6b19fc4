r"""IBM Model 2 with one parameter: generated words prefer given words near the diagonal.

Where Model 1 says 1 / (S + 1) for every position, this model says

.. math:: P(a_j=i\mid j,S,T)=\begin{cases}p_0&i=0\\(1-p_0)\,e^{-\lambda|i/S-j/T|}/Z_j&i>0\end{cases}

It is the reparameterisation of Dyer, Chahuneau and Smith (2013), "A simple, fast, and effective
reparameterization of IBM Model 2", NAACL, 644-648, section 2, equations 1-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from softalign.ibm.bitext import Bitext, Chunk, Group
from softalign.ibm.lexicon import LexicalTable, normalise, starting_table
from softalign.ibm.links import best_of_posterior

__all__ = ["IBM2", "Distances", "diagonal_prior", "e_step_ibm2", "train_ibm2"]

STEEPEST = 64.0


@dataclass(frozen=True)
class Distances:
    r"""What the M step needs to know of the links: how far from the diagonal they are expected.

    Attributes
    ----------
    total : float
        Expected sum of :math:`|i/S-j/T|` over the links that are not to NULL.
    shapes : int array of shape (kinds, 3)
        The different (S, j, T) of the generated words, j from 0.
    weights : array of shape (kinds,)
        Expected number of links, other than to NULL, from words of each kind.
    """

    total: float
    shapes: np.ndarray
    weights: np.ndarray


def diagonal_prior(
    given: int,
    position: Sequence[int] | np.ndarray,
    length: Sequence[int] | np.ndarray,
    *,
    diagonal: float,
    null_prob: float,
) -> Float[np.ndarray, "given_and_null columns"]:
    """Prior probability of each link of generated words, a column for each; row 0 is NULL.

    Parameters
    ----------
    given : int
        Number S of given words, at least 1.
    position, length : integers of shape (columns,)
        Position j of each generated word, from 0, and the length T of its sentence.
    diagonal : float
        Steepness, at least 0; 0 makes all positions equal.
    null_prob : float
        Probability of NULL.

    Examples
    --------
    >>> diagonal_prior(2, [0], [1], diagonal=0.0, null_prob=0.2)
    array([[0.2],
           [0.4],
           [0.4]])

    Page: 01_smt/word_alignment
    """
    weights = np.exp(-diagonal * _distance(given, np.asarray(position), np.asarray(length)))
    prior = np.empty((given + 1, weights.shape[1]))
    prior[0] = null_prob
    prior[1:] = (1 - null_prob) * weights / weights.sum(axis=0)
    return prior


def _distance(given: int, position: np.ndarray, length: np.ndarray) -> np.ndarray:
    i = np.arange(1, given + 1)[:, None]
    return np.abs(i / given - (position + 1) / length)


@dataclass(frozen=True)
class IBM2:
    """A trained Model 2.

    Attributes
    ----------
    table : LexicalTable
    diagonal : float
        Steepness of the prior.
    null_prob : float
    log_likelihoods : tuple of float
        Of the bitext (nats) before each iteration: it never falls.

    Page: 01_smt/word_alignment
    """

    table: LexicalTable
    diagonal: float
    null_prob: float
    log_likelihoods: tuple[float, ...] = ()

    def e_step(self, chunk: Chunk) -> tuple[Float[np.ndarray, " cells"], float]:
        """Posterior of every cell of a chunk, and the chunk's log-likelihood (nats)."""
        return e_step_ibm2(chunk, self.table.probs, self.diagonal, self.null_prob)[:2]

    def best(self, chunk: Chunk) -> Int[np.ndarray, " columns"]:
        """Most probable given position of every generated word, from 1; 0 is NULL."""
        return best_of_posterior(chunk, self.e_step(chunk)[0])

    def posterior(
        self, given: list[str] | tuple[str, ...], generated: list[str] | tuple[str, ...]
    ) -> Float[np.ndarray, "generated given_and_null"]:
        """Posterior of one sentence pair: rows sum to 1, column 0 is NULL.

        A generated word that no word of the sentence can produce is given to NULL.
        """
        size = len(generated)
        prior = diagonal_prior(
            len(given),
            range(size),
            [size] * size,
            diagonal=self.diagonal,
            null_prob=self.null_prob,
        )
        scores = self.table.matrix(given, generated) * prior.T
        scores[scores.sum(axis=1) == 0, 0] = 1.0
        return scores / scores.sum(axis=1, keepdims=True)


def e_step_ibm2(
    chunk: Chunk,
    probs: Float[np.ndarray, " entries"],
    diagonal: float,
    null_prob: float,
    out: Float[np.ndarray, " room"] | None = None,
) -> tuple[Float[np.ndarray, " cells"], float, Distances]:
    """Posterior of every cell under Model 2, the log-likelihood (nats), and the distances.

    `out` is memory for the result, at least as long as the chunk's cells.

    Page: 01_smt/word_alignment
    """
    cells = chunk.gather(probs, out)
    log_likelihood, distance, shapes, weights = 0.0, 0.0, [], []
    for group in chunk.groups:
        block = group.block(cells)
        position, length = group.of_columns(chunk.position), group.of_columns(chunk.length)
        block *= diagonal_prior(
            group.given, position, length, diagonal=diagonal, null_prob=null_prob
        )
        total = block.sum(axis=0)
        block /= total
        log_likelihood += np.log(total).sum()
        distance += np.einsum("ic,ic->", block[1:], _distance(group.given, position, length))
        found = _kinds(group, position, length, 1.0 - block[0])
        shapes.append(found[0])
        weights.append(found[1])
    distances = Distances(float(distance), np.concatenate(shapes), np.concatenate(weights))
    return cells, float(log_likelihood), distances


def _kinds(group: Group, position: np.ndarray, length: np.ndarray, weights: np.ndarray):
    """Sum the weights of columns that have the same position and length."""
    width = int(length.max()) + 1
    sums = np.bincount(position.astype(np.int64) * width + length, weights)
    (kinds,) = np.nonzero(sums)
    given = np.full(len(kinds), group.given)
    return np.stack([given, kinds // width, kinds % width], axis=1), sums[kinds]


def best_diagonal(distances: Distances, diagonal: float) -> float:
    """Return the steepness that maximises the expected log-likelihood, which is concave in it.

    The slope is the distance that the model expects minus the one that the posterior expects, and
    minus its own slope is a variance. Newton's steps, kept between bounds that close in.

    Page: 01_smt/word_alignment
    """
    low, high = 0.0, STEEPEST
    for _ in range(30):
        slope, variance = -distances.total, 0.0
        for given in np.unique(distances.shapes[:, 0]):
            here = distances.shapes[:, 0] == given
            _, position, length = distances.shapes[here].T
            distance = _distance(int(given), position, length)
            weights = np.exp(-diagonal * distance)
            weights /= weights.sum(axis=0)
            mean = (weights * distance).sum(axis=0)
            square = (weights * distance**2).sum(axis=0)
            slope += np.dot(distances.weights[here], mean)
            variance += np.dot(distances.weights[here], square - mean**2)
        low, high = (diagonal, high) if slope > 0 else (low, diagonal)
        step = diagonal + slope / max(variance, 1e-12)
        following = step if low < step < high else (low + high) / 2
        if abs(following - diagonal) < 1e-6:
            break
        diagonal = following
    return float(diagonal)


def train_ibm2(
    bitext: Bitext,
    iterations: int = 5,
    *,
    start: LexicalTable | None = None,
    diagonal: float = 4.0,
    null_prob: float = 0.08,
    progress: bool = False,
) -> IBM2:
    r"""Train Model 2 by expectation maximisation, the steepness :math:`\lambda` included.

    Parameters
    ----------
    bitext : Bitext
        From `index`.
    iterations : int
        How often table and steepness are made anew.
    start : LexicalTable
        Where to begin, usually the table of a Model 1; by default `uniform`.
    diagonal : float
        Steepness to begin with, between 0 and 64.
    null_prob : float
        Probability of a link to NULL, between 0 and 1; it is not trained.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    IBM2

    Raises
    ------
    ValueError
        `diagonal` or `null_prob` out of range.

    Notes
    -----
    Dyer, Chahuneau and Smith (2013), NAACL, 644-648. They normalise the tables with a Dirichlet
    prior by variational Bayes; here they are maximum-likelihood estimates.

    Examples
    --------
    >>> from softalign.ibm import index
    >>> bitext = index([(["a", "b"], ["A", "B"]), (["b", "c"], ["B", "C"])])
    >>> model = train_ibm2(bitext)
    >>> model.posterior(["a", "b"], ["A", "B"]).argmax(axis=1).tolist()
    [1, 2]

    Page: 01_smt/word_alignment
    """
    if not 0 <= diagonal <= STEEPEST:
        raise ValueError(f"diagonal is {diagonal}, expected a number from 0 to {STEEPEST:g}")
    if not 0 < null_prob < 1:
        raise ValueError(f"null_prob is {null_prob}, expected a number between 0 and 1")
    table = starting_table(bitext, start)
    seen, room = [], bitext.room()
    for _ in tqdm(range(iterations), "IBM 2", disable=not progress or None):
        counts = np.zeros_like(table.probs)
        total, parts = 0.0, []
        for chunk in bitext.chunks:
            posterior, log_likelihood, distances = e_step_ibm2(
                chunk, table.probs, diagonal, null_prob, room
            )
            chunk.add_to(counts, posterior)
            total += log_likelihood
            parts.append(distances)
        table = LexicalTable(bitext, normalise(bitext, counts))
        if parts:
            diagonal = best_diagonal(_merge(parts), diagonal)
        seen.append(total)
    return IBM2(table, diagonal, null_prob, tuple(seen))


def _merge(parts: list[Distances]) -> Distances:
    return Distances(
        sum(part.total for part in parts),
        np.concatenate([part.shapes for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )
