"""Forward-backward, Viterbi and expectation maximisation for the HMM of word alignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from tqdm import tqdm

from softalign.hmm.jumps import WIDEST, Jumps, best_jump, merge, transitions, widths
from softalign.ibm import Bitext, Chunk, Group, LexicalTable, normalise, starting_table

__all__ = ["HMM", "e_step_hmm", "forward_backward", "level_jump", "train_hmm", "viterbi"]

TINY = 1e-100  # far from the smallest number, so that 1 / TINY times anything here is still one


def forward_backward(
    group: Group,
    emissions: Float[np.ndarray, "given_and_null columns"],
    jump: Float[np.ndarray, " widths"],
    null_prob: float,
) -> tuple[
    Float[np.ndarray, "given_and_null columns"], float, Float[np.ndarray, "given_and_null given"]
]:
    r"""Posterior of every cell of a group of sentences, log-likelihood, and expected jumps.

    The forward numbers of column j are divided by their sum, which is the probability of word j
    after the words before it. So nothing underflows, and the logarithms of the sums add up to the
    log-likelihood.

    Parameters
    ----------
    group : Group
        Sentences with the same number S of given words; its columns are sorted by position.
    emissions : array of shape (S + 1, columns)
        :math:`\theta(y_j\mid x_i)`; row 0 is NULL. Above 0.
    jump : array of shape (2 WIDEST + 1,)
        :math:`\pi`, up to a factor.
    null_prob : float
        Probability :math:`p_0` of NULL.

    Returns
    -------
    posterior : array of shape (S + 1, columns)
    log_likelihood : float
        In nats.
    jumps : array of shape (S + 1, S)
        Expected number of jumps from each position (row 0: the start) to each.

    Notes
    -----
    Rabiner (1989), "A tutorial on hidden Markov models and selected applications in speech
    recognition", Proceedings of the IEEE 77(2), 257-286, sections III.A and V.A (scaling).

    Page: 01_smt/word_alignment
    """
    slices = _slices(group)
    move = transitions(group.given, jump)
    start, move = move[:1], move[1:]
    real, null = (1 - null_prob) * emissions[1:], null_prob * emissions[:1]

    # forward: at[i] came from given word i, passed[i] came from NULL while the place was i
    at, passed = np.empty_like(real), np.empty_like(real)
    scale = np.empty(emissions.shape[1])
    for now, last in slices:
        if last is None:
            reached = before = np.repeat(start.T, group.steps[0], axis=1)
        else:
            before = at[:, last] + passed[:, last]
            reached = move.T @ before
        np.multiply(reached, real[:, now], out=at[:, now])
        np.multiply(before, null[:, now], out=passed[:, now])
        scale[now] = at[:, now].sum(axis=0) + passed[:, now].sum(axis=0)
        at[:, now] /= scale[now]
        passed[:, now] /= scale[now]

    # backward: rest[i] is the probability of the words after j from place i, divided by `scale`
    rest = np.ones_like(real)
    jumps = np.zeros((group.given + 1, group.given))
    for now, last in reversed(slices):
        after = rest[:, now] / scale[now]
        arrive, stay = real[:, now] * after, null[:, now] * after
        if last is None:
            jumps[0] = start[0] * (arrive + stay).sum(axis=1)
        else:
            jumps[1:] += (at[:, last] + passed[:, last]) @ arrive.T
            rest[:, last] = move @ arrive + stay
    jumps[1:] *= move

    del real  # the largest arrays of all: make room before the next one
    posterior = np.empty_like(emissions)
    posterior[0] = np.einsum("ic,ic->c", passed, rest)
    np.multiply(at, rest, out=posterior[1:])
    return posterior, float(np.log(scale).sum()), jumps


def _slices(group: Group) -> list[tuple[slice, slice | None]]:
    """For every position: its columns, and those of the same sentences one position before."""
    ends = np.cumsum(group.steps).tolist()
    starts = [0, *ends[:-1]]
    before = [None, *(slice(a, a + n) for a, n in zip(starts, group.steps[1:], strict=False))]
    return list(zip(map(slice, starts, ends), before, strict=True))


def viterbi(
    group: Group,
    emissions: Float[np.ndarray, "given_and_null columns"],
    jump: Float[np.ndarray, " widths"],
    null_prob: float,
) -> Int[np.ndarray, " columns"]:
    """Given position, from 1, of every column on its sentence's most probable path; 0 is NULL.

    Of equally probable paths, the one whose last places come first is taken, and NULL only if it is
    strictly better.

    Parameters
    ----------
    group, emissions, jump, null_prob
        As for `forward_backward`.

    Page: 01_smt/word_alignment
    """
    slices = _slices(group)
    size = group.given
    with np.errstate(divide="ignore"):
        move = np.log(transitions(size, jump))
        real = np.log((1 - null_prob) * emissions[1:])
        null = np.log(null_prob * emissions[:1])
    # best[i]: the best path that is at place i; origin[i]: where it was; silent[i]: came from NULL
    best = np.empty_like(real)
    origin = np.zeros(real.shape, np.int64)
    silent = np.empty(real.shape, bool)
    for now, last in slices:
        if last is None:
            stayed = np.repeat(move[:1].T, group.steps[0], axis=1)
            reached = stayed
        else:
            stayed = best[:, last]
            # one place at a time: all at once would need (S, S, columns) numbers
            reached = np.empty_like(stayed)
            for i in range(size):
                ways = stayed + move[1:, i, None]
                origin[i, now] = ways.argmax(axis=0)
                reached[i] = np.take_along_axis(ways, origin[i, now][None], axis=0)[0]
        speak, pause = reached + real[:, now], stayed + null[:, now]
        silent[:, now] = pause > speak
        best[:, now] = np.maximum(speak, pause)

    found = np.empty(real.shape[1], np.int64)
    place = np.empty(real.shape[1], np.int64)
    for step in range(len(slices) - 1, -1, -1):
        columns = np.arange(slices[step][0].start, slices[step][0].stop)
        here = best[:, columns].argmax(axis=0)  # where a sentence ends here
        if step + 1 < len(slices):
            following = slices[step + 1][0]
            then = place[following]
            kept = silent[then, np.arange(following.start, following.stop)]
            came = origin[then, np.arange(following.start, following.stop)]
            here[: len(then)] = np.where(kept, then, came)
        place[columns] = here
        found[columns] = np.where(silent[here, columns], 0, here + 1)
    return found


def e_step_hmm(
    chunk: Chunk,
    probs: Float[np.ndarray, " entries"],
    jump: Float[np.ndarray, " widths"],
    null_prob: float,
    out: Float[np.ndarray, " room"] | None = None,
) -> tuple[Float[np.ndarray, " cells"], float, Jumps]:
    """Posterior of every cell under the HMM, the log-likelihood (nats), and the expected jumps.

    `out` is memory for the result, at least as long as the chunk's cells.

    Page: 01_smt/word_alignment
    """
    cells = chunk.gather(probs, out)
    np.maximum(cells, TINY, out=cells)  # a sentence that became impossible stays a number
    total, made = 0.0, np.zeros(2 * WIDEST + 1)
    departures: dict[int, np.ndarray] = {}
    for group in chunk.groups:
        block = group.block(cells)
        posterior, log_likelihood, jumps = forward_backward(group, block, jump, null_prob)
        block[:] = posterior
        total += log_likelihood
        made += np.bincount(widths(group.given).ravel(), jumps.ravel(), minlength=len(made))
        departures[group.given] = jumps.sum(axis=1)
    return cells, total, Jumps(made, departures)


@dataclass(frozen=True)
class HMM:
    """A trained HMM.

    Attributes
    ----------
    table : LexicalTable
    jump : array of shape (2 WIDEST + 1,)
        Probability of each jump width, from -WIDEST to WIDEST; sums to 1.
    null_prob : float
    log_likelihoods : tuple of float
        Of the bitext (nats) before each iteration. It never falls, unless the model was trained by
        agreement, which maximises something else.

    Page: 01_smt/word_alignment
    """

    table: LexicalTable
    jump: Float[np.ndarray, " widths"]
    null_prob: float
    log_likelihoods: tuple[float, ...] = ()

    def e_step(self, chunk: Chunk) -> tuple[Float[np.ndarray, " cells"], float]:
        """Posterior of every cell of a chunk, and the chunk's log-likelihood (nats)."""
        return e_step_hmm(chunk, self.table.probs, self.jump, self.null_prob)[:2]

    def best(self, chunk: Chunk) -> Int[np.ndarray, " columns"]:
        """Given position, from 1, of every generated word on the best path; 0 is NULL."""
        cells = np.maximum(chunk.gather(self.table.probs), TINY)
        return np.concatenate(
            [
                viterbi(group, group.block(cells), self.jump, self.null_prob)
                for group in chunk.groups
            ]
        )

    def posterior(
        self, given: list[str] | tuple[str, ...], generated: list[str] | tuple[str, ...]
    ) -> Float[np.ndarray, "generated given_and_null"]:
        """Posterior of one sentence pair: rows sum to 1, column 0 is NULL."""
        if not (given and generated):
            return np.eye(1, len(given) + 1).repeat(len(generated), axis=0)
        group = Group(len(given), 0, 0, (1,) * len(generated))
        emissions = np.maximum(self.table.matrix(given, generated).T, TINY)
        return forward_backward(group, emissions, self.jump, self.null_prob)[0].T


def level_jump() -> Float[np.ndarray, " widths"]:
    """Jump probabilities that are all the same, to begin with.

    Page: 01_smt/word_alignment
    """
    return np.full(2 * WIDEST + 1, 1.0 / (2 * WIDEST + 1))


def train_hmm(
    bitext: Bitext,
    iterations: int = 5,
    *,
    start: LexicalTable | None = None,
    null_prob: float = 0.3,
    progress: bool = False,
) -> HMM:
    r"""Train the HMM by expectation maximisation.

    Parameters
    ----------
    bitext : Bitext
        From `softalign.ibm.index`.
    iterations : int
        How often table and jump probabilities are made anew.
    start : LexicalTable
        Where to begin, usually the table of a Model 1; by default `uniform`. Unlike Model 1's, the
        likelihood is not concave: the start matters.
    null_prob : float
        Probability :math:`p_0` of NULL, between 0 and 1; it is not trained.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    HMM

    Raises
    ------
    ValueError
        `null_prob` is not between 0 and 1.

    Notes
    -----
    Vogel, Ney and Tillmann (1996), "HMM-based word alignment in statistical translation", COLING,
    836-841, equations 6 and 7; NULL as in Och and Ney (2003), Computational Linguistics 29(1),
    19-51, section 2.1.2.

    Examples
    --------
    >>> from softalign.ibm import index
    >>> bitext = index([(["a", "b"], ["A", "B"]), (["b", "c"], ["B", "C"])])
    >>> train_hmm(bitext, 10).posterior(["a", "b"], ["A", "B"]).argmax(axis=1).tolist()
    [1, 2]

    Page: 01_smt/word_alignment
    """
    if not 0 < null_prob < 1:
        raise ValueError(f"null_prob is {null_prob}, expected a number between 0 and 1")
    table, jump = starting_table(bitext, start), level_jump()
    seen, room = [], bitext.room()
    for _ in tqdm(range(iterations), "HMM", disable=not progress or None):
        counts = np.zeros_like(table.probs)
        total, parts = 0.0, []
        for chunk in bitext.chunks:
            posterior, log_likelihood, jumps = e_step_hmm(chunk, table.probs, jump, null_prob, room)
            chunk.add_to(counts, posterior)
            total += log_likelihood
            parts.append(jumps)
        table = LexicalTable(bitext, normalise(bitext, counts))
        jump = best_jump(merge(parts), jump)
        seen.append(total)
    return HMM(table, jump, null_prob, tuple(seen))
