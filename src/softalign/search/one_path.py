"""Searches that follow one hypothesis of each source: greedy, drawn, given.

Page: 05_encoder_decoder/search
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from softalign.interfaces import Stepper
from softalign.search.hypotheses import (
    Hypothesis,
    Limits,
    allowed,
    evaluating,
    limits_of,
    must_be_possible,
)


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
    limits = limits_of(max_length, sources)
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
            table = allowed(log_probs, stepper)
            best = table.amax(-1)
            # argmax promises no order among equals; the first True of a comparison is the smallest
            tokens = (table == best[:, None]).int().argmax(-1)
            stay = []
            for row, (number, token, value) in enumerate(
                zip(open_rows, tokens.tolist(), best.tolist(), strict=True)
            ):
                must_be_possible(value)
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
    limits = limits_of(max_length, sources)
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
            table = allowed(log_probs, stepper).cpu()
            order = table.sort(dim=-1, descending=True, stable=True)
            stay, newest = [], []
            for row, number in enumerate(rows):
                values, ids = order.values[row].numpy(), order.indices[row]
                must_be_possible(float(values[0]))
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
