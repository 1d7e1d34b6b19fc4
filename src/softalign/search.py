r"""Search: from a model that gives the next word's probability to a whole sentence.

A model says :math:`P(y_j\mid y_{<j},\mathbf x)`. The sentence that is likeliest under the product
of these cannot be found by trying all of them, there are :math:`|\mathcal V|^T`. `greedy` takes the
likeliest word at every step; `beam` keeps the k best beginnings; `exhaustive` does try them all,
where there are few; `sample` draws.

Each of them works on any `softalign.interfaces.Stepper` and knows no model. Scores are sums of
natural logarithms, so they are 0 or less. With a length exponent :math:`\alpha` a hypothesis of
:math:`\hat T` tokens, the end symbol counted, has the score :math:`\log P/\hat T^{\alpha}`:
dividing a negative number *raises* it, the more the longer the hypothesis is.

Page: 05_encoder_decoder/search
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from softalign.interfaces import Stepper

__all__ = [
    "Hypothesis",
    "Step",
    "Translation",
    "beam",
    "beam_steps",
    "evaluating",
    "exhaustive",
    "force",
    "greedy",
    "sample",
    "translate",
]

MOST_SEQUENCES = 2_000_000
"""Number of sequences beyond which `exhaustive` refuses to begin."""
Limits = int | Sequence[int]


class Hypothesis(NamedTuple):
    """A sentence, or the beginning of one.

    Attributes
    ----------
    ids : tuple of int
        Tokens, without the begin symbol; the end symbol is the last of a finished one.
    log_prob : float
        Natural logarithm of its probability, the end symbol's included where it is there.
    score : float
        What hypotheses are compared by: ``log_prob / len(ids) ** alpha``.
    finished : bool
        Whether it ends with the end symbol. One that does not was cut off at the length limit.

    Page: 05_encoder_decoder/search
    """

    ids: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool


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


class Translation(NamedTuple):
    """What `translate` found for a sentence.

    Attributes
    ----------
    words : list of str
        Without boundary symbols.
    log_prob : float
        Natural logarithm of its probability under the model.
    finished : bool
        False: no end symbol came before the length limit, and the translation is a piece.

    Page: 05_encoder_decoder/search
    """

    words: list[str]
    log_prob: float
    finished: bool


def _best_first(hypothesis: Hypothesis) -> tuple[float, tuple[int, ...]]:
    """Order hypotheses by score, equal ones by their token ids."""
    return -hypothesis.score, hypothesis.ids


@contextmanager
def evaluating(stepper: object) -> Iterator[None]:
    """Put a torch module into evaluation mode, and back, whatever happens; leave others alone.

    Page: 05_encoder_decoder/search
    """
    training = isinstance(stepper, nn.Module) and stepper.training
    if training:
        stepper.eval()
    try:
        yield
    finally:
        if training:
            stepper.train()


def _limits(max_length: Limits, sources: Sequence) -> list[int]:
    limits = [max_length] * len(sources) if isinstance(max_length, int) else list(max_length)
    if len(limits) != len(sources):
        raise ValueError(f"{len(limits)} length limits for {len(sources)} sources")
    if limits and min(limits) < 1:
        raise ValueError(f"a length limit is {min(limits)}, expected 1 or more")
    return limits


def _allowed(log_probs: Tensor, stepper: Stepper) -> Tensor:
    """Log-probabilities in double precision, minus infinity for what must not be written."""
    if torch.isnan(log_probs).any():
        raise ValueError("the model gives a log-probability that is not a number (NaN)")
    allowed = log_probs.double()
    if stepper.never:
        allowed = allowed.clone()
        allowed[:, list(stepper.never)] = -math.inf
    return allowed


@torch.no_grad()
def greedy(
    stepper: Stepper, sources: Sequence[Sequence[int]], *, max_length: Limits
) -> list[Hypothesis]:
    """Take the likeliest token at every step, the one with the smaller id among equals.

    Parameters
    ----------
    stepper : Stepper
        A torch module is put into evaluation mode for the call.
    sources : sequence of sequences of int
        Ids, as ``stepper.start`` takes them.
    max_length : int or sequence of int
        Largest number of tokens, the end symbol counted; one for all sources or one for each.

    Returns
    -------
    list of Hypothesis
        One for each source, with ``score = log_prob``.

    Raises
    ------
    ValueError
        A limit below 1, another number of limits than of sources, NaN from the model, a step at
        which no token may be written.

    Page: 05_encoder_decoder/search
    """
    limits = _limits(max_length, sources)
    written: list[list[int]] = [[] for _ in sources]
    log_prob = [0.0] * len(sources)
    open_rows = list(range(len(sources)))
    if not open_rows:
        return []
    with evaluating(stepper):
        state = stepper.start(sources)
        tokens = torch.full((len(sources),), stepper.bos_id)
        while open_rows:
            log_probs, state = stepper.step(tokens, state)
            allowed = _allowed(log_probs, stepper)
            best = allowed.amax(-1)
            # argmax promises no order among equals; the first True of a comparison is the smallest
            tokens = (allowed == best[:, None]).int().argmax(-1)
            stay = []
            for row, (number, token, value) in enumerate(
                zip(open_rows, tokens.tolist(), best.tolist(), strict=True)
            ):
                _must_be_possible(value)
                written[number].append(token)
                log_prob[number] += value
                if token != stepper.eos_id and len(written[number]) < limits[number]:
                    stay.append(row)
            if len(stay) < len(open_rows):
                rows = torch.tensor(stay, dtype=torch.int64)
                state, tokens = stepper.reorder(state, rows), tokens[rows.to(tokens.device)]
                open_rows = [open_rows[row] for row in stay]
    return [
        Hypothesis(tuple(ids), total, total, ids[-1] == stepper.eos_id)
        for ids, total in zip(written, log_prob, strict=True)
    ]


def _must_be_possible(value: float) -> None:
    if value == -math.inf:
        raise ValueError("no token may be written: all have probability 0 or are never written")


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
    beams = [_Beam(size, limit, alpha, n_best) for limit in _limits(max_length, sources)]
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
    (limit,) = _limits(max_length, [source])
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
        _must_be_possible(0.0 if candidates else -math.inf)
        candidates.sort(key=lambda candidate: _best_first(candidate[0]))
        kept, self.steps = candidates[: self.size], self.steps + 1
        outcomes = [h for h, row in kept if row >= 0 and (h.finished or self.steps == self.limit)]
        self.found = sorted([*self.found, *outcomes], key=_best_first)[: self.n_best]
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
            allowed = _allowed(log_probs, stepper)
            values, ids = (found.tolist() for found in _top(allowed, beams[0].size))
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
    _limits(max_length, [source])
    outcomes: list[Hypothesis] = []
    alive = [Hypothesis((), 0.0, 0.0, False)]
    with evaluating(stepper):
        state = stepper.start([source])
        tokens = torch.tensor([stepper.bos_id])
        for length in range(1, max_length + 1):
            log_probs, state = stepper.step(tokens, state)
            table = _allowed(log_probs, stepper)
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
    return sorted(outcomes, key=_best_first)[:n_best]


@torch.no_grad()
def sample(
    stepper: Stepper,
    sources: Sequence[Sequence[int]],
    *,
    max_length: Limits,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[Hypothesis]:
    r"""Draw each token from the model's distribution, or from its head.

    Parameters
    ----------
    stepper, sources, max_length
        As for `greedy`.
    temperature : float
        Log-probabilities are divided by it, more than 0: below 1 the likely tokens become likelier.
    top_k : int, optional
        Draw among the `top_k` likeliest tokens only.
    top_p : float
        Draw among the fewest likeliest tokens that together have this share of the probability
        (nucleus sampling, Holtzman et al. 2020), more than 0.
    seed : int
        Each source has its own random numbers, from the seed and its place: what is drawn for it
        does not depend on how many others there are.

    Returns
    -------
    list of Hypothesis
        ``log_prob`` is under the model, whatever was drawn from.

    Raises
    ------
    ValueError
        `temperature`, `top_k` or `top_p` out of range; otherwise as for `greedy`.

    Page: 05_encoder_decoder/search
    """
    if not (0 < temperature < math.inf and 0 < top_p <= 1 and (top_k is None or top_k >= 1)):
        raise ValueError(
            f"temperature is {temperature}, top_k is {top_k} and top_p is {top_p}; expected more "
            "than 0, 1 or more, and more than 0 up to 1"
        )
    limits = _limits(max_length, sources)
    draws = [np.random.default_rng([seed, number]) for number in range(len(sources))]
    written: list[list[int]] = [[] for _ in sources]
    log_prob = [0.0] * len(sources)
    rows = list(range(len(sources)))
    if not rows:
        return []
    with evaluating(stepper):
        state = stepper.start(sources)
        tokens = torch.full((len(sources),), stepper.bos_id)
        while rows:
            log_probs, state = stepper.step(tokens, state)
            allowed = _allowed(log_probs, stepper).cpu()
            order = allowed.sort(dim=-1, descending=True, stable=True)
            stay, newest = [], []
            for row, number in enumerate(rows):
                values, ids = order.values[row].numpy(), order.indices[row]
                _must_be_possible(float(values[0]))
                place = _draw(values, draws[number].random(), temperature, top_k, top_p)
                token = int(ids[place])
                written[number].append(token)
                log_prob[number] += float(values[place])
                if token != stepper.eos_id and len(written[number]) < limits[number]:
                    stay.append(row)
                    newest.append(token)
            rows = [rows[row] for row in stay]
            if rows:
                state = stepper.reorder(state, torch.tensor(stay, dtype=torch.int64))
                tokens = torch.tensor(newest, dtype=torch.int64)
    return [
        Hypothesis(tuple(ids), total, total, ids[-1] == stepper.eos_id)
        for ids, total in zip(written, log_prob, strict=True)
    ]


def _draw(
    log_probs: np.ndarray, uniform: float, temperature: float, top_k: int | None, top_p: float
) -> int:
    """Place drawn from log-probabilities that stand in falling order."""
    scaled = (log_probs - log_probs[0]) / temperature
    probs = np.exp(scaled)
    probs /= probs.sum()
    size = (
        int(np.searchsorted(probs.cumsum(), top_p * (1 - 1e-12))) + 1 if top_p < 1 else len(probs)
    )
    size = min(size, top_k or size, int((probs > 0).sum()))
    total = probs[:size].cumsum()
    return min(int(np.searchsorted(total, uniform * total[-1], side="right")), size - 1)


@torch.no_grad()
def force(
    stepper: Stepper, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> list[np.ndarray]:
    """Log-probabilities that the model gives to the tokens of given targets, one after the other.

    With them a *search error* is told from a *model error*: if the reference has a higher
    probability than what the search found, the search missed it; otherwise the model prefers
    something else.

    Parameters
    ----------
    stepper, sources
        As for `greedy`.
    targets : sequence of sequences of int
        One for each source, without the begin symbol; with the end symbol to count it.

    Returns
    -------
    list of float64 arrays of shape (tokens,)

    Raises
    ------
    ValueError
        Another number of targets than of sources, or an empty target.

    Page: 05_encoder_decoder/search
    """
    if len(targets) != len(sources):
        raise ValueError(f"{len(targets)} targets for {len(sources)} sources, expected as many")
    if not all(len(target) for target in targets):
        raise ValueError("a target is empty, expected at least its end symbol")
    found: list[list[float]] = [[] for _ in sources]
    rows = list(range(len(sources)))
    if not rows:
        return []
    with evaluating(stepper):
        state = stepper.start(sources)
        tokens = torch.full((len(sources),), stepper.bos_id)
        for place in range(max(map(len, targets))):
            log_probs, state = stepper.step(tokens, state)
            tokens = torch.tensor([targets[number][place] for number in rows], dtype=torch.int64)
            picked = log_probs.double().cpu().gather(-1, tokens[:, None])[:, 0].tolist()
            for number, value in zip(rows, picked, strict=True):
                found[number].append(value)
            stay = [row for row, number in enumerate(rows) if len(targets[number]) > place + 1]
            rows = [rows[row] for row in stay]
            if rows:
                chosen = torch.tensor(stay, dtype=torch.int64)
                state, tokens = stepper.reorder(state, chosen), tokens[chosen]
    return [np.array(values) for values in found]


def translate(
    model: Stepper,
    sentences: Sequence[Sequence[str]],
    *,
    size: int = 1,
    alpha: float = 1.0,
    max_length: Callable[[int], int] = lambda words: 2 * words + 10,
    batch_size: int = 64,
    progress: bool = False,
) -> list[Translation]:
    """Translate sentences with a model that knows its vocabularies.

    Parameters
    ----------
    model : Stepper with ``src_vocab`` and ``tgt_vocab``
        Two `softalign.text.Vocabulary`. Sources are given to ``model.start`` as their words' ids
        and the end symbol.
    sentences : sequence of sequences of str
        Source words, without boundary symbols.
    size : int
        Beam size; 1 is greedy search.
    alpha : float
        Length exponent of the beam.
    max_length : callable
        From the number of source words to the largest number of target tokens.
    batch_size : int
        Sentences at a time, those of like length together. The translations do not depend on it.
    progress : bool
        Show a bar.

    Returns
    -------
    list of Translation
        In the order of the sentences. A finished hypothesis is preferred to one that was cut off;
        where there is none, ``finished`` is False.

    Page: 05_encoder_decoder/search
    """
    found: list = [None] * len(sentences)
    order = sorted(range(len(sentences)), key=lambda number: (-len(sentences[number]), number))
    with tqdm(total=len(sentences), disable=not progress, unit="sentence", leave=False) as bar:
        for first in range(0, len(order), batch_size):
            numbers = order[first : first + batch_size]
            sources = [model.src_vocab.encode(sentences[n], eos=True) for n in numbers]
            limits = [max_length(len(sentences[n])) for n in numbers]
            for number, best in zip(
                numbers, _best(model, sources, limits, size, alpha), strict=True
            ):
                words = model.tgt_vocab.decode(best.ids)
                found[number] = Translation(words, best.log_prob, best.finished)
            bar.update(len(numbers))
    return found


def _best(
    model: Stepper, sources: Sequence[Sequence[int]], limits: list[int], size: int, alpha: float
) -> list[Hypothesis]:
    """The best hypothesis of each source, a finished one where there is any among the `size`."""
    if size == 1:
        return greedy(model, sources, max_length=limits)
    options = {"size": size, "alpha": alpha}
    best = [found[0] for found in beam(model, sources, max_length=limits, **options)]
    cut = [number for number, hypothesis in enumerate(best) if not hypothesis.finished]
    again = beam(
        model,
        [sources[number] for number in cut],
        max_length=[limits[number] for number in cut],
        n_best=size,
        **options,
    )
    for number, found in zip(cut, again, strict=True):
        best[number] = next((h for h in found if h.finished), found[0])
    return best
