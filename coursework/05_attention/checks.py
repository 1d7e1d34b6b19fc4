"""Set 5, attention: the questions, their hidden checks, and what differs between variants."""

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, pick, tensor

INFO = {
    "title": "Attention",
    "chapters": "6",
    "hours": 3.0,
    "pages": ["06_attention/pooling", "06_attention/scoring", "06_attention/attention_alignment"],
    "goals": [
        "Write a masked softmax that no input breaks, its gradient included.",
        "Score queries and keys by a small network and by a scaled product, for padded batches.",
        "Read links off a batch of weights and measure them against gold links.",
        "Tell where a network looks from what its answer depends on.",
        "Say what a link is before its word is known and after, as a softmax.",
    ],
    "tools": (
        "Allowed: torch (autograd included), numpy and the standard library, the book and your "
        "notes; not allowed in the answers: the book's library `softalign`."
    ),
}


def variant(number):
    """Numbers of the warm-up, drawn again until no two mistakes give the same answer."""
    rng = np.random.default_rng(number)
    while True:
        odds = rng.choice(np.arange(2, 7), 3, replace=False).astype(float)
        values = rng.choice(np.arange(0, 13), 3, replace=False).astype(float)
        alpha, seen = odds / odds.sum(), odds * [1, 0, 1]
        scores = np.log(odds)
        ctx, part = alpha @ values, seen @ values / seen.sum()
        twice = np.exp(alpha) / np.exp(alpha).sum()
        # each list: the right answer, then those of the planted mistakes
        firsts = [ctx, scores @ values / scores.sum(), twice @ values, values.mean()]
        firsts += [odds @ values, values[odds.argmax()]]
        cut, zero = alpha * [1, 0, 1], odds * [1, 0, 1] + [0, 1, 0]
        seconds = [part, cut @ values, zero @ values / zero.sum(), ctx, values[[0, 2]].mean()]
        seconds += [values[1], scores[[0, 2]] @ values[[0, 2]] / scores[[0, 2]].sum()]
        thirds = [alpha[0] * (values[0] - ctx), values[0] - ctx, alpha[0] * values[0]]
        thirds += [alpha[0] * (1 - alpha[0]), alpha[0] * (1 - alpha[0]) * values[0]]
        thirds += [alpha[0] * (ctx - values[0]), alpha[0] * (values[0] - part)]
        if all(np.diff(np.sort(a)).min() > 0.02 for a in (firsts, seconds, thirds)):
            break
    return {
        "odds_a": int(odds[0]),
        "odds_b": int(odds[1]),
        "odds_c": int(odds[2]),
        "value_a": int(values[0]),
        "value_b": int(values[1]),
        "value_c": int(values[2]),
    }


# --- the warm-up ----------------------------------------------------------------------------------


WARM_UP = Question(
    "warm_up_weights",
    [
        Check(
            "the context",
            1,
            "A softmax over logarithms gives back the numbers, divided by their sum. The context "
            "is the average of the values under these weights.",
            lambda rng: [Case((0,))],
        ),
        Check(
            "a hidden place",
            1,
            "A hidden place is taken out of the sum, so the two others share all the weight.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "the slope",
            1,
            "A score that rises moves the context towards the value of its place, in proportion "
            "to the weight that the place has.",
            lambda rng: [Case((2,))],
        ),
    ],
    driver=pick,
    rtol=1e-6,
    atol=2e-3,
)


# --- masked_softmax -------------------------------------------------------------------------------


def some(rng, *shape):
    """A mask in which every row sees something and, if it has two places, hides something."""
    mask = torch.from_numpy(rng.random(shape) < 0.6)
    mask[..., 0] = True
    if shape[-1] > 1:
        mask[..., -1] = False
    return mask


def masked(rng, *shape, scale=1.0):
    """Scores, and a mask of their shape in which every row sees something."""
    return tensor(rng, *shape, scale=scale), some(rng, *shape)


def loud(rng, *shape, by, scale=1.0):
    """The same; the hidden scores are larger than the others by about `by`."""
    scores, mask = masked(rng, *shape, scale=scale)
    return scores + by * ~mask, mask


def blind(rng, *shape, scale=1.0):
    """Scores and a mask; the second row of each matrix sees nothing."""
    scores, mask = masked(rng, *shape, scale=scale)
    mask[..., 1, :] = False
    return scores, mask


MASKED_SOFTMAX = Question(
    "masked_softmax",
    [
        Check(
            "no mask",
            0.5,
            "Without a mask every place may be seen: the result is the ordinary softmax over the "
            "last axis.",
            lambda rng: [
                Case((tensor(rng, 3, 5),)),
                Case((tensor(rng, 2, 3, 4), None)),
                Case((tensor(rng, 4, 4, scale=3.0), None)),
                Case((tensor(rng, 6),)),
            ],
        ),
        Check(
            "the mask hides",
            1,
            "True means 'may be seen': the other places get weight 0, and the weights of a row "
            "still sum to 1.",
            lambda rng: [
                Case(masked(rng, 4, 6, scale=2.0)),
                Case(masked(rng, 2, 3, 5)),
                Case(masked(rng, 5)),
            ],
        ),
        Check(
            "masks of fewer rows",
            1,
            "A mask of shape (batch, 1, src), (tgt, src) or (src,) serves many rows: let it "
            "broadcast, and do not guess what its axes mean.",
            lambda rng: [
                Case((tensor(rng, 2, 3, 4), some(rng, 2, 1, 4))),
                Case((tensor(rng, 2, 3, 4), some(rng, 3, 4))),
                Case((tensor(rng, 3, 4), some(rng, 4))),
                Case((tensor(rng, 2, 2, 3, 4), some(rng, 2, 1, 1, 4))),
                Case((tensor(rng, 3, 4), torch.tensor([[True], [False], [True]]))),
            ],
        ),
        Check(
            "large scores",
            1,
            "exp(300) is infinite in single precision and exp(-300) is 0: subtract the largest "
            "score that may be seen first, and fill with nothing that a score can reach.",
            lambda rng: [
                Case(masked(rng, 3, 5, scale=300.0)),
                Case((tensor(rng, 3, 5) - 2e4, None)),
                Case((tensor(rng, 3, 5) - 3e4, some(rng, 3, 5))),
                Case((tensor(rng, 3, 5) + 3e4, some(rng, 3, 5))),
                Case(loud(rng, 3, 6, by=18.0)),
                Case(loud(rng, 3, 6, by=400.0)),
            ],
        ),
        Check(
            "a row that sees nothing",
            1,
            "A row in which nothing may be seen gets weights of exactly zero, and no NaN.",
            lambda rng: [
                Case(blind(rng, 2, 3)),
                Case(blind(rng, 2, 3, 4, scale=2.0)),
                Case((tensor(rng, 3, 4), torch.zeros(4, dtype=torch.bool))),
                Case((tensor(rng, 2, 3, 2), torch.tensor([[[True, False]], [[False, False]]]))),
            ],
        ),
        Check(
            "gradients",
            1,
            "The gradient of the scores must be finite, and zero where nothing may be "
            "seen: a NaN that is repaired behind the softmax comes back on the way back.",
            lambda rng: [
                Case(masked(rng, 3, 4), grad=[0]),
                Case((tensor(rng, 3, 4),), grad=[0]),
                Case(blind(rng, 3, 4), grad=[0]),
                Case(loud(rng, 3, 4, by=300.0), grad=[0]),
                Case((tensor(rng, 2, 3), torch.zeros(3, dtype=torch.bool)), grad=[0]),
            ],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs the scores and the mask: do not write into them.",
            lambda rng: [
                Case(masked(rng, 3, 4), unchanged=True),
                Case(blind(rng, 3, 4), unchanged=True),
            ],
        ),
    ],
    rtol=4e-3,  # exp(e - logsumexp) of scores of 30 000 is no better in single precision
)


# --- additive_scores ------------------------------------------------------------------------------


def network(rng, batch, tgt, src, d_q, d_k, hidden, size=1.0):
    """Arguments of `additive_scores`."""
    return (
        tensor(rng, batch, tgt, d_q),
        tensor(rng, batch, src, d_k),
        tensor(rng, d_q, hidden, scale=size * d_q**-0.5),
        tensor(rng, d_k, hidden, scale=size * d_k**-0.5),
        tensor(rng, hidden, scale=size),
        tensor(rng, hidden),
    )


ADDITIVE = Question(
    "additive_scores",
    [
        Check(
            "one query, one key",
            1,
            "The score of one query and one key: two products and the bias are added, the tanh is "
            "taken of the sum, and w_a makes a number of it.",
            lambda rng: [
                Case(network(rng, 1, 1, 1, 1, 1, 1)),
                Case(network(rng, 1, 1, 1, 3, 2, 4)),
                Case(network(rng, 1, 1, 1, 3, 3, 5, size=2.0)),
            ],
        ),
        Check(
            "all queries, all keys",
            1.5,
            "Row j, column i of each example holds the score of query j and key i of that example: "
            "put in an axis for src at the queries and one for tgt at the keys.",
            lambda rng: [
                Case(network(rng, 3, 2, 5, 3, 4, 6)),
                Case(network(rng, 2, 4, 4, 3, 3, 3)),
                Case(network(rng, 1, 3, 6, 2, 5, 6)),
                Case(network(rng, 3, 3, 3, 3, 3, 3)),
            ],
        ),
        Check(
            "sizes that differ",
            0.5,
            "Query, key and hidden layer have sizes of their own, and any of them may be 1.",
            lambda rng: [
                Case(network(rng, 2, 1, 4, 6, 1, 2)),
                Case(network(rng, 1, 5, 1, 1, 4, 7)),
                Case(network(rng, 2, 2, 3, 2, 3, 1)),
            ],
        ),
        Check(
            "gradients",
            1,
            "The gradient must reach all six tensors: nothing may be taken out of the graph.",
            lambda rng: [
                Case(network(rng, 2, 3, 4, 3, 2, 5), grad=[0, 1, 2, 3, 4, 5], unchanged=True)
            ],
        ),
    ],
    rtol=1e-3,
    atol=1e-4,
)


# --- scaled_dot_attention -------------------------------------------------------------------------


def lookup(rng, tgt, src, lengths, d_k, d_v, size=1.5, padding=None):
    """Arguments of `scaled_dot_attention`; `padding` is what stands behind the sentences."""
    batch = len(lengths)
    queries, keys = (tensor(rng, batch, n, d_k, scale=size) for n in (tgt, src))
    values = tensor(rng, batch, src, d_v)
    if padding is not None:
        for b, length in enumerate(lengths):
            keys[b, length:], values[b, length:] = padding, padding
    return queries, keys, values, torch.tensor(lengths)


SCALED_DOT = Question(
    "scaled_dot_attention",
    [
        Check(
            "one full sentence",
            1,
            "Product, division by the root of the number of components of a key, softmax over the "
            "source, average of the values. Contexts come first, weights second.",
            lambda rng: [
                Case(lookup(rng, 3, 5, [5], 4, 4)),
                Case(lookup(rng, 1, 3, [3], 9, 2)),
                Case(lookup(rng, 4, 4, [4], 2, 7)),
                Case(lookup(rng, 2, 6, [6], 16, 1)),
                Case(lookup(rng, 3, 3, [3], 1, 3)),
            ],
        ),
        Check(
            "sentences of unequal lengths",
            1.5,
            "Each sentence sees its own first lengths[b] places, with every query, and gets what "
            "it would get alone.",
            lambda rng: [
                Case(lookup(rng, 2, 5, [3, 5, 1], 4, 3)),
                Case(lookup(rng, 3, 6, [2, 4, 5], 3, 5)),
                Case(lookup(rng, 3, 4, [2, 2], 5, 2)),
                Case(lookup(rng, 4, 4, [1, 3, 2, 4], 4, 4), unchanged=True),
            ],
        ),
        Check(
            "a sentence of length 0",
            1,
            "A sentence of length 0 shows nothing: weights and contexts of exactly 0, and no NaN.",
            lambda rng: [
                Case(lookup(rng, 2, 4, [3, 0], 4, 3)),
                Case(lookup(rng, 1, 2, [0], 2, 2)),
            ],
        ),
        Check(
            "anything in the padding",
            0.5,
            "0 times NaN is NaN: a weight of 0 does not keep out what stands in the padding.",
            lambda rng: [
                Case(lookup(rng, 2, 4, [3, 1], 4, 3, padding=torch.nan), unchanged=True),
                Case(lookup(rng, 2, 4, [2, 0, 4], 3, 2, padding=torch.inf), unchanged=True),
            ],
        ),
        Check(
            "gradients",
            1,
            "The gradient must reach queries, keys and values, be 0 at padding and finite "
            "everywhere: on the way back the gradient of a product is multiplied by the other "
            "factor, and that may be NaN in the padding.",
            lambda rng: [
                Case(lookup(rng, 2, 4, [4, 2], 4, 3), grad=[0, 1, 2]),
                Case(lookup(rng, 2, 3, [0, 2], 3, 2), grad=[0, 1, 2]),
                Case(lookup(rng, 2, 4, [3, 1, 0], 3, 2, padding=torch.nan), grad=[0, 1, 2]),
            ],
        ),
    ],
    rtol=1e-3,
    atol=1e-4,
)


# --- attention_error_rate -------------------------------------------------------------------------


def maps(rng, sizes, *, extra=(1, 1), end=0.15, noise=0.45):
    """Arguments of `attention_error_rate` for sentences of `sizes`, pairs of source and target.

    The padding holds larger numbers than any weight. A word looks at the end symbol with the
    probability `end`; the row of the end symbol looks at a word.
    """
    src, tgt = (max(n) + more for n, more in zip(zip(*sizes, strict=True), extra, strict=True))
    weights = torch.from_numpy(1 + rng.random((len(sizes), tgt, src)))
    sure, possible = [], []
    for b, (S, T) in enumerate(sizes):
        rows = rng.dirichlet(np.full(S + 1, 0.5), T + 1)
        for j, row in enumerate(rows):
            best = S if j < T and rng.random() < end else int(rng.integers(max(S, 1)))
            top = row.argmax()
            row[[top, best]] = row[[best, top]]
        weights[b, : T + 1, : S + 1] = torch.from_numpy(rows)
        looked = [(int(row.argmax()), j) for j, row in enumerate(rows[:T]) if row.argmax() < S]
        links = [(i, j) for i in range(S) for j in range(T)]
        good = [link for link in looked if rng.random() > noise]
        good += [link for link in links if link not in looked and rng.random() < 0.15]
        more = [link for link in links if link not in good and rng.random() < 0.12]
        more += [link for link in looked if link not in good + more and rng.random() < 0.5]
        sure.append(good)
        possible.append([*more, *good])
    counts = [torch.tensor([size[side] for size in sizes]) for side in (0, 1)]
    return weights.float(), *counts, sure, possible


def written(rows, S, T, sure, possible):
    """Arguments for one sentence, from its rows in eighths."""
    weights = torch.tensor([rows], dtype=torch.float32) / 8
    return weights, torch.tensor([S]), torch.tensor([T]), [sure], [possible]


def level(rng):
    """Two words share the largest weight; which of them is sure differs."""
    first, second = sorted(int(i) for i in rng.choice(4, 2, replace=False))
    row = [0] * 5
    row[first] = row[second] = 4
    other = [1, 1, 1, 1, 4]
    return [Case(written([row, other], 4, 1, [(i, 0)], [(i, 0)])) for i in (first, second)]


ERROR_RATE = Question(
    "attention_error_rate",
    [
        Check(
            "one sentence",
            1,
            "Each English word is linked to the Chinese word with the largest weight in its row, "
            "as (i, j). AER is 1 - (|A and S| + |A and P|) / (|A| + |S|), and P holds S.",
            lambda rng: [
                Case(maps(rng, [(5, 4)], extra=(1, 1), end=0.0)),
                Case(maps(rng, [(4, 6)], extra=(1, 1), end=0.0)),
                Case(maps(rng, [(6, 6)], extra=(1, 1), end=0.0)),
            ],
        ),
        Check(
            "end symbols and padding",
            1,
            "The end symbol's row is no English word. A word whose largest weight lies on the end "
            "symbol has no link. What stands behind the end symbols is no weight at all.",
            lambda rng: [
                Case(maps(rng, [(6, 5)], extra=(1, 1), end=0.4)),
                Case(maps(rng, [(4, 5)], extra=(3, 2), end=0.3)),
                Case(maps(rng, [(3, 3), (7, 5), (5, 8)], extra=(2, 2), end=0.3)),
            ],
        ),
        Check(
            "all sentences together",
            1,
            "Add up the counts of all sentences, and divide once.",
            lambda rng: [
                Case(maps(rng, [(2, 2), (8, 9), (4, 3), (6, 7)], noise=0.3), unchanged=True),
                Case(maps(rng, [(9, 8), (1, 1), (5, 6)], noise=0.7), unchanged=True),
                Case(maps(rng, [(3, 4), (6, 0), (5, 5)]), unchanged=True),
            ],
        ),
        Check(
            "ties and empty cases",
            1,
            "Of equal weights the first counts, and a word comes before the end symbol. A row of "
            "zeros is no link. Nothing proposed and nothing sure is no error.",
            lambda rng: [
                *level(rng),
                Case(written([[0, 4, 4], [1, 1, 6]], 2, 1, [(1, 0)], [(1, 0)])),
                Case(written([[0, 4, 4], [1, 1, 6]], 2, 1, [], [])),
                Case(written([[0, 0, 0], [2, 6, 0], [1, 1, 6]], 2, 2, [(1, 1)], [(1, 1)])),
                Case(written([[0, 0, 0], [0, 0, 0]], 2, 1, [(0, 0)], [(0, 0), (1, 0)])),
                Case(written([[0, 0, 8], [1, 1, 6]], 2, 1, [], [])),
                Case(written([[0, 0, 8], [1, 1, 6]], 2, 1, [], [(1, 0)])),
                Case(written([[1, 1, 6], [8, 0, 0]], 2, 1, [(1, 0)], [(1, 0)])),
                Case(written([[1, 6, 1], [0, 0, 8]], 2, 1, [], [])),
            ],
        ),
    ],
)

QUESTIONS = [WARM_UP, MASKED_SOFTMAX, ADDITIVE, SCALED_DOT, ERROR_RATE]
