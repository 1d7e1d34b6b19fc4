"""Numbers of chapter 5: encoder and decoder, search, the bottleneck."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from softalign import search


def q_ed_shifted_arrays() -> dict[str, float]:
    """The lines of the question."""
    tgt = np.array([[1, 7, 8, 9, 2], [1, 5, 6, 2, 0]])
    reads, labels = tgt[:, :-1], tgt[:, 1:]
    return {"count": int((labels != 0).sum()), "wrong_count": int((reads != 0).sum())}


def q_ed_end_makes_it_a_distribution() -> dict[str, float]:
    """The distribution of the length, summed far out."""
    shares = [0.8**words * 0.2 for words in range(400)]
    assert math.isclose(sum(shares), 1)
    return {"three": shares[3], "expected": sum(n * share for n, share in enumerate(shares))}


def q_ed_weight_of_a_word() -> dict[str, float]:
    """Torch's gradient of both means."""
    costs = [torch.full((2,), 1.0, dtype=torch.float64), torch.full((8,), 3.0, dtype=torch.float64)]
    for cost in costs:
        cost.requires_grad_()
    tokens = torch.cat(costs).mean().item()
    sentences = torch.stack([cost.mean() for cost in costs]).mean()
    sentences.backward()
    ratio = (costs[0].grad[0] / costs[1].grad[0]).item()
    return {"tokens": tokens, "sentences": sentences.item(), "ratio": ratio}


def q_ed_does_not_recover() -> dict[str, float]:
    """Step by step: the probability that all is right so far."""
    good, right = 1.0, 0.0
    for _ in range(10):
        right += good * 0.95 + (1 - good) * 0.6
        good *= 0.95
    return {"forced": 10 * 0.95, "free": right, "perfect": good}


class Counting:
    """A model with a flat distribution that never ends, and counts the scores it gives."""

    bos_id, eos_id, never = 1, 2, ()

    def __init__(self, vocab: int) -> None:
        self.vocab, self.asked = vocab, 0

    def start(self, sources: Sequence[Sequence[int]]) -> int:
        """One row a source."""
        return len(sources)

    def step(self, tokens: Tensor, state: int) -> tuple[Tensor, int]:
        """Flat, with the end out of reach."""
        self.asked += len(tokens) * self.vocab
        log_probs = torch.full((len(tokens), self.vocab), -math.log(self.vocab - 1))
        log_probs[:, self.eos_id] = -math.inf
        return log_probs, state

    def reorder(self, state: int, rows: Tensor) -> int:
        """Nothing to reorder."""
        return state


def q_search_scores_looked_at() -> dict[str, float]:
    """The library's searches, asked at a small size, scaled by the vocabulary."""
    asked = {}
    for name, run in (
        ("greedy", lambda model: search.greedy(model, [[4]], max_length=20)),
        ("beam", lambda model: search.beam(model, [[4]], size=5, max_length=20)),
    ):
        model = Counting(vocab=50)
        run(model)
        asked[name] = model.asked / 50 * 10_000
    return {**asked, "power": round(math.log10(10_000**20))}


class Tree:
    """A model given as a table from what was written to the probabilities of the next token."""

    bos_id, eos_id, never = 0, 1, ()

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]], vocab: int) -> None:
        self.table, self.vocab = table, vocab

    def start(self, sources: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """Nothing is written yet."""
        return [() for _ in sources]

    def step(
        self, tokens: Tensor, state: list[tuple[int, ...]]
    ) -> tuple[Tensor, list[tuple[int, ...]]]:
        """Look the next tokens up; what the table does not name ends."""
        written = [
            past if token == self.bos_id else (*past, token)
            for past, token in zip(state, tokens.tolist(), strict=True)
        ]
        probs = torch.zeros(len(written), self.vocab)
        for row, past in enumerate(written):
            for token, prob in self.table.get(past, {self.eos_id: 1.0}).items():
                probs[row, token] = prob
        return probs.log(), written

    def reorder(self, state: list[tuple[int, ...]], rows: Tensor) -> list[tuple[int, ...]]:
        """Take rows."""
        return [state[row] for row in rows.tolist()]


def q_search_wider_loses() -> dict[str, float]:
    """The tree of the answer: a 2, b 3, c 4, d 5, e 6, f 7, others from 8."""
    spread = dict.fromkeys(range(8, 18), 0.1)
    after_a = {5: 0.3, **dict.fromkeys(range(8, 15), 0.1)}
    table = {
        (): {2: 0.5, 3: 0.4, 4: 0.1},
        (2,): after_a,
        (3,): {6: 0.5, 7: 0.5},
        (3, 6): spread,
        (3, 7): spread,
    }
    assert all(math.isclose(sum(row.values()), 1) for row in table.values())
    model = Tree(table, vocab=18)
    greedy = search.greedy(model, [[0]], max_length=6)[0]
    beam = search.beam(model, [[0]], size=2, max_length=6)[0][0]
    return {"greedy": math.exp(greedy.log_prob), "beam": math.exp(beam.log_prob)}


def q_search_may_stop() -> dict[str, float]:
    """The bound; and the counterexample of the answer."""
    assert -3.3 / 3 < -2 / 2 < -3.3 / 7
    return {"bound": -6 / 10**1.0}


def q_search_sign_of_length() -> dict[str, float]:
    """Both formulas."""
    short, long = (-6.0, 3), (-8.0, 8)
    return {
        "program_short": short[0] * short[1],
        "program_long": long[0] * long[1],
        "right_short": short[0] / short[1],
        "right_long": long[0] / long[1],
    }


def q_search_peaked_and_flat() -> dict[str, float]:
    """The smallest number of words whose mass reaches the share, in exact hundredths."""

    def nucleus(hundredths: list[int]) -> int:
        return int(np.argmax(np.cumsum(sorted(hundredths, reverse=True)) >= 90)) + 1

    return {"nucleus_peaked": nucleus([91] + [1] * 9), "nucleus_flat": nucleus([1] * 100)}


def q_bn_room_is_not_the_limit() -> dict[str, float]:
    """Entropy of equal chances, and products."""
    sentence = 20 * -math.log2(1 / 2000)
    return {"sentence": sentence, "paper": 100 * 32, "usable": 100 * 2}


def q_bn_mean_lag() -> dict[str, float]:
    """Steps of reading and writing, counted for ten words."""
    size = 10
    reads = {word: size + 1 - word for word in range(1, size + 1)}
    backwards = [size + word - reads[word] for word in range(1, size + 1)]
    forwards = [size + word - word for word in range(1, size + 1)]
    assert np.mean(forwards) == np.mean(backwards)
    return {
        "mean_ten": float(np.mean(backwards)),
        "shortest": min(backwards),
        "longest": max(backwards),
    }
