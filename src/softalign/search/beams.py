"""Searches that compare hypotheses: beam search and the search through all sentences.

Page: 05_encoder_decoder/search
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from softalign.interfaces import Stepper
from softalign.search.hypotheses import (
    Hypothesis,
    Limits,
    allowed,
    best_first,
    evaluating,
    limits_of,
    must_be_possible,
)

MOST_SEQUENCES = 2_000_000
"""Number of sequences beyond which `exhaustive` refuses to begin."""


class Step(NamedTuple):
    """One step of a beam search on one source.

    Attributes
    ----------
    kept, dropped : lists of Hypothesis
        Candidates of this step, best first; finished ones of the steps before among them.

    Page: 05_encoder_decoder/search
    """

    kept: list[Hypothesis]
    dropped: list[Hypothesis]


def beam(
    stepper: Stepper,
    sources: Sequence[Sequence[int]],
    *,
    size: int,
    max_length: Limits,
    alpha: float = 0.0,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    r"""Keep the `size` best hypotheses at every step.

    A finished hypothesis keeps its place among them as long as no better one takes it. The search
    for a source ends when all that are kept are finished, when no unfinished one can still
    overtake, or at the length limit.

    Parameters
    ----------
    stepper, sources, max_length
        As for `greedy`.
    size : int
        Number of hypotheses kept, :math:`k`. With 1 the result is that of `greedy`, with
        :math:`|\mathcal V|^{\hat T-1}` and a limit of :math:`\hat T` that of `exhaustive`. A wider
        beam may find a *worse* hypothesis than a narrow one.
    alpha : float
        Length exponent, 0 or more: with 0 log-probabilities are compared as they are.
    n_best : int
        How many to return for each source, at most `size`.

    Returns
    -------
    list of lists of Hypothesis
        Best first, at least one for each source. One that was cut off at the limit is there too, at
        the place of its score, with ``finished = False``.

    Raises
    ------
    ValueError
        As for `greedy`; `size`, `alpha` or `n_best` out of range.

    Notes
    -----
    Graves, "Sequence transduction with recurrent neural networks" (2012), section 2.5. The length
    exponent follows Wu et al., "Google's neural machine translation system" (2016), equation 14, in
    its simpler form.

    Page: 05_encoder_decoder/search
    """
    beams = [_Beam(size, limit, alpha, n_best) for limit in limits_of(max_length, sources)]
    for _ in _grow(stepper, sources, beams):
        pass
    return [b.found for b in beams]


def beam_steps(
    stepper: Stepper,
    source: Sequence[int],
    *,
    size: int,
    max_length: int,
    alpha: float = 0.0,
) -> list[Step]:
    """What a beam search keeps and drops at each step, for one source.

    Parameters
    ----------
    stepper, size, max_length, alpha
        As for `beam`.
    source : sequence of int

    Returns
    -------
    list of Step
        One for each step. Candidates that cannot be among the best `size` do not appear: of each
        hypothesis only its `size` best continuations are looked at.

    Page: 05_encoder_decoder/search
    """
    (limit,) = limits_of(max_length, [source])
    return [steps[0] for steps in _grow(stepper, [source], [_Beam(size, limit, alpha, 1)])]


class _Beam:
    """The hypotheses kept of one source, and the outcomes found so far."""

    def __init__(self, size: int, limit: int, alpha: float, n_best: int) -> None:
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best is {n_best} and size is {size}, expected 1 <= n_best <= size")
        if not 0 <= alpha < math.inf:
            raise ValueError(f"alpha is {alpha}, expected 0 or more")
        self.size, self.limit, self.alpha, self.n_best = size, limit, alpha, n_best
        self.kept = [Hypothesis((), 0.0, 0.0, False)]
        self.found: list[Hypothesis] = []
        self.steps = 0

    @property
    def alive(self) -> list[Hypothesis]:
        """The unfinished hypotheses that are kept."""
        return [hypothesis for hypothesis in self.kept if not hypothesis.finished]

    def grow(
        self, values: Sequence[Sequence[float]], tokens: Sequence[Sequence[int]], eos_id: int
    ) -> tuple[Step, list[int]]:
        """Write one more token; return the step, and of each one alive then the row it came from.

        `values` and `tokens` have a row for each hypothesis that is alive now: log-probabilities of
        its likeliest continuations, and their ids.
        """
        candidates = [(hypothesis, -1) for hypothesis in self.kept if hypothesis.finished]
        for row, parent in enumerate(self.alive):
            for value, token in zip(values[row], tokens[row], strict=True):
                if value > -math.inf:
                    ids, log_prob = (*parent.ids, token), parent.log_prob + value
                    score = log_prob / len(ids) ** self.alpha
                    candidates.append((Hypothesis(ids, log_prob, score, token == eos_id), row))
        must_be_possible(0.0 if candidates else -math.inf)
        candidates.sort(key=lambda candidate: best_first(candidate[0]))
        kept, self.steps = candidates[: self.size], self.steps + 1
        outcomes = [h for h, row in kept if row >= 0 and (h.finished or self.steps == self.limit)]
        self.found = sorted([*self.found, *outcomes], key=best_first)[: self.n_best]
        self.kept = [hypothesis for hypothesis, _ in kept]
        dropped = [hypothesis for hypothesis, _ in candidates[self.size :]]
        return Step(self.kept, dropped), [row for h, row in kept if not h.finished]

    @property
    def open(self) -> bool:
        """Whether another step could change what is found."""
        if self.steps == self.limit or not self.alive:
            return False
        # log-probabilities only fall, and no length divides them by more than the limit does
        highest = max(h.log_prob for h in self.alive) / self.limit**self.alpha
        return len(self.found) < self.n_best or highest >= self.found[-1].score


@torch.no_grad()
def _grow(
    stepper: Stepper, sources: Sequence[Sequence[int]], beams: Sequence[_Beam]
) -> Iterator[dict[int, Step]]:
    """Let all beams grow until none is open; yield the step of each one that was."""
    if not sources:
        return
    open_beams = list(enumerate(beams))
    with evaluating(stepper):
        state = stepper.start(sources)
        tokens = torch.full((len(sources),), stepper.bos_id)
        while open_beams:
            log_probs, state = stepper.step(tokens, state)
            table = allowed(log_probs, stepper)
            values, ids = (found.tolist() for found in _top(table, beams[0].size))
            steps, still, rows, newest, first = {}, [], [], [], 0
            for number, kept in open_beams:
                last = first + len(kept.alive)
                step, parents = kept.grow(values[first:last], ids[first:last], stepper.eos_id)
                steps[number] = step
                if kept.open:
                    still.append((number, kept))
                    rows += [first + parent for parent in parents]
                    newest += [hypothesis.ids[-1] for hypothesis in kept.alive]
                first = last
            yield steps
            open_beams = still
            if still:
                state = stepper.reorder(state, torch.tensor(rows, dtype=torch.int64))
                tokens = torch.tensor(newest, dtype=torch.int64)


def _top(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest of each row and their places, the smaller place first among equals."""
    size = scores.shape[-1]
    values, places = scores.topk(min(count + 1, size))
    tied = count < size and bool((values[:, -1] == values[:, -2]).any())
    if tied:  # topk promises no order among equals, and here one of them has to go
        values, places = scores.sort(dim=-1, descending=True, stable=True)
    return values[:, :count], places[:, :count]


@torch.no_grad()
def exhaustive(
    stepper: Stepper,
    source: Sequence[int],
    *,
    max_length: int,
    alpha: float = 0.0,
    n_best: int | None = 1,
) -> list[Hypothesis]:
    """Look at every sentence there is, and every one that is cut off at the limit.

    Parameters
    ----------
    stepper, max_length, alpha
        As for `beam`.
    source : sequence of int
        One source.
    n_best : int or None
        How many to return; None for all of them.

    Returns
    -------
    list of Hypothesis
        Best first. Over all of them the probabilities sum to 1, less what the model gives to the
        ids that are never written.

    Raises
    ------
    ValueError
        More than two million sequences.

    Page: 05_encoder_decoder/search
    """
    limits_of(max_length, [source])
    outcomes: list[Hypothesis] = []
    alive = [Hypothesis((), 0.0, 0.0, False)]
    with evaluating(stepper):
        state = stepper.start([source])
        tokens = torch.tensor([stepper.bos_id])
        for length in range(1, max_length + 1):
            log_probs, state = stepper.step(tokens, state)
            table = allowed(log_probs, stepper)
            if len(outcomes) + table.numel() > MOST_SEQUENCES:
                raise ValueError(
                    f"there are more than {MOST_SEQUENCES:,} sequences of up to {max_length} "
                    "tokens: a smaller vocabulary or limit, or beam search, is needed"
                )
            new, rows = [], []
            for row, (hypothesis, values) in enumerate(zip(alive, table.tolist(), strict=True)):
                for token, value in enumerate(values):
                    if value == -math.inf:
                        continue
                    ids, log_prob = (*hypothesis.ids, token), hypothesis.log_prob + value
                    grown = Hypothesis(
                        ids, log_prob, log_prob / length**alpha, token == stepper.eos_id
                    )
                    if grown.finished or length == max_length:
                        outcomes.append(grown)
                    else:
                        new.append(grown)
                        rows.append(row)
            if not new:
                break
            alive = new
            state = stepper.reorder(state, torch.tensor(rows, dtype=torch.int64))
            tokens = torch.tensor([hypothesis.ids[-1] for hypothesis in alive])
    return sorted(outcomes, key=best_first)[:n_best]
