r"""IBM Model 1: every generated word picks a given word, all positions equally likely.

.. math:: P(\mathbf y\mid\mathbf x)=\frac{1}{(S+1)^T}\prod_{j=1}^T\sum_{i=0}^S\theta(y_j\mid x_i)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from softalign.ibm.bitext import Bitext, Chunk
from softalign.ibm.lexicon import LexicalTable, normalise, starting_table
from softalign.ibm.links import best_of_posterior

__all__ = ["IBM1", "e_step_ibm1", "train_ibm1"]


@dataclass(frozen=True)
class IBM1:
    """A trained Model 1.

    Attributes
    ----------
    table : LexicalTable
    log_likelihoods : tuple of float
        Of the bitext (nats) under the table before each iteration: it never falls.

    Page: 01_smt/word_alignment
    """

    table: LexicalTable
    log_likelihoods: tuple[float, ...] = ()

    def e_step(self, chunk: Chunk) -> tuple[Float[np.ndarray, " cells"], float]:
        """Posterior of every cell of a chunk, and the chunk's log-likelihood (nats)."""
        return e_step_ibm1(chunk, self.table.probs)

    def best(self, chunk: Chunk) -> Int[np.ndarray, " columns"]:
        """Most probable given position of every generated word, from 1; 0 is NULL."""
        return best_of_posterior(chunk, self.e_step(chunk)[0])

    def posterior(
        self, given: list[str] | tuple[str, ...], generated: list[str] | tuple[str, ...]
    ) -> Float[np.ndarray, "generated given_and_null"]:
        """Posterior of one sentence pair: rows sum to 1, column 0 is NULL.

        A generated word that no word of the sentence can produce is given to NULL.
        """
        scores = self.table.matrix(given, generated)
        scores[scores.sum(axis=1) == 0, 0] = 1.0
        return scores / scores.sum(axis=1, keepdims=True)


def e_step_ibm1(
    chunk: Chunk,
    probs: Float[np.ndarray, " entries"],
    out: Float[np.ndarray, " room"] | None = None,
) -> tuple[Float[np.ndarray, " cells"], float]:
    """Posterior of every cell under Model 1, and the log-likelihood (nats).

    `out` is memory for the result, at least as long as the chunk's cells.

    Page: 01_smt/word_alignment
    """
    cells = chunk.gather(probs, out)
    log_likelihood = 0.0
    for group in chunk.groups:
        block = group.block(cells)
        total = block.sum(axis=0)
        block /= total
        log_likelihood += np.log(total).sum() - len(total) * np.log(group.given + 1)
    return cells, float(log_likelihood)


def train_ibm1(
    bitext: Bitext,
    iterations: int = 5,
    *,
    start: LexicalTable | None = None,
    progress: bool = False,
) -> IBM1:
    r"""Train Model 1 by expectation maximisation.

    Each iteration adds up the posteriors of all cells (E step) and divides each row of the sums by
    its total (M step).

    Parameters
    ----------
    bitext : Bitext
        From `index`.
    iterations : int
        How often the table is made anew; 0 returns the start.
    start : LexicalTable
        Where to begin; by default `uniform`. The likelihood is concave, so the start decides which
        of several best tables is found, not how good it is. An entry of 0 stays 0.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    IBM1

    Notes
    -----
    Brown, Della Pietra, Della Pietra and Mercer (1993), "The mathematics of statistical machine
    translation", Computational Linguistics 19(2), 263-311, section 4.1, equations 10, 13-17.

    Examples
    --------
    >>> from softalign.ibm import index
    >>> bitext = index([(["书"], ["book"]), (["看", "书"], ["read", "book"])])
    >>> model = train_ibm1(bitext, iterations=20)
    >>> round(model.table["book", "书"], 2)
    0.98

    Page: 01_smt/word_alignment
    """
    table = starting_table(bitext, start)
    seen, room = [], bitext.room()
    for _ in tqdm(range(iterations), "IBM 1", disable=not progress or None):
        counts = np.zeros_like(table.probs)
        total = 0.0
        for chunk in bitext.chunks:
            posterior, log_likelihood = e_step_ibm1(chunk, table.probs, room)
            chunk.add_to(counts, posterior)
            total += log_likelihood
        table = LexicalTable(bitext, normalise(bitext, counts))
        seen.append(total)
    return IBM1(table, tuple(seen))
