"""Models and weights for the figures of attention and of beam search: small, but of the library."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from softalign.attention import AdditiveScore, attend
from softalign.corpus import RECURRING
from softalign.interactive.attention import Attended

END = "</s>"
# The model of the page: greedy search loses "the film" at the first step.
FILM = {
    (): {"a": 0.5, "the": 0.4, "that": 0.1},
    ("a",): {"film": 0.4, "book": 0.35, "story": 0.25},
    ("the",): {"film": 0.85, "book": 0.15},
    ("that",): {"film": 1.0},
    ("a", "film"): {END: 0.6, "show": 0.4},
    ("the", "film"): {END: 0.9, "show": 0.1},
}


class Tree:
    """A table of probabilities as a stepper; what is not in the table is followed by the end."""

    bos_id, eos_id, never = 0, 1, (0,)

    def __init__(self, tree):
        words = {word for row in tree.values() for word in row} - {END}
        self.tree, self.words = tree, ["<s>", END, *sorted(words)]

    def start(self, sources):
        return [()] * len(sources)

    def step(self, tokens, state):
        pairs = zip(state, tokens.tolist(), strict=True)
        state = [(*written, self.words[token]) for written, token in pairs]
        rows = [self.tree.get(written[1:], {END: 1.0}) for written in state]
        probs = [[row.get(word, 0.0) for word in self.words] for row in rows]
        return torch.tensor(probs, dtype=torch.float64).log(), state

    def reorder(self, state, rows):
        return [state[row] for row in rows]


def random_tree(seed, depth=4):
    """Probabilities of every sentence of three words and an end."""
    words = (END, "a", "b", "c")
    draws = np.random.default_rng(seed)
    starts = [start for n in range(depth) for start in product(words[1:], repeat=n)]
    return {start: dict(zip(words, draws.dirichlet([0.5] * 4), strict=True)) for start in starts}


def attention_weights(pair, heads, seed):
    """Weights of untrained additive attention with its end symbols, of shape (heads, tgt, src)."""
    torch.manual_seed(seed)
    tgt, src = len(pair.target) + 1, len(pair.source) + 1
    queries, keys = torch.randn(tgt, 8), torch.randn(src, 8)
    scores = (AdditiveScore(8, 8, 16) for _ in range(heads))
    # sharper than they are untrained, so that rows differ in how many places they look at
    return torch.stack([attend(6 * s(queries, s.project(keys)), keys)[1] for s in scores])


PAIRS = RECURRING[:2]
WEIGHTS = [attention_weights(pair, 2, seed) for seed, pair in enumerate(PAIRS)]


def attended():
    """Two sentences of the corpus with gold links, and one without."""
    bare = Attended(["我", "走"], ["I", "go"], torch.tensor([[[0.5, 0.5], [0.25, 0.75]]] * 2))
    pairs = zip(PAIRS, WEIGHTS, strict=True)
    return [*(Attended.of(pair, weights) for pair, weights in pairs), bare]
