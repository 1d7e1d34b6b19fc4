"""Set 4, encoder–decoder, beam search, BLEU: questions, hidden checks, variants of the warm-up."""

from collections import Counter
from itertools import combinations

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, tensor

INFO = {
    "title": "Encoder–decoder, beam search, BLEU",
    "chapters": "1 (evaluation) and 5",
    "hours": 3.0,
    "pages": [
        "01_smt/evaluation",
        "05_encoder_decoder/encoder_decoder",
        "05_encoder_decoder/search",
        "05_encoder_decoder/bottleneck",
    ],
    "goals": [
        "Take the summary of a padded batch, and shift its targets for teacher forcing.",
        "Compute BLEU of a corpus with several references, on paper and in code.",
        "Write a beam search in which every state follows its hypothesis.",
        "Read a table of beam sizes through the two factors of BLEU, and say what it leaves open.",
        "Plan measurements that tell the search, the model, the training and the metric apart.",
    ],
    "tools": (
        "Allowed: torch, numpy and the standard library, the book and your notes; not allowed in "
        "the answers: the book's library `softalign` and any other implementation of BLEU."
    ),
}

# --- warm-up ------------------------------------------------------------------------------------

NOUNS = ("cat", "dog", "boy", "girl", "fox", "bird", "king", "nurse")
VERBS = ("saw", "heard", "met", "found", "liked", "drew")
PLACES = ("river", "house", "school", "tree", "gate", "lake")


def _pair(hypothesis, references, how="best"):
    """The precisions of orders 1 and 2; `how` names the way of clipping."""
    shares = []
    for n in (1, 2):
        mine, *theirs = (
            Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            for words in (hypothesis, *references)
        )
        most = {
            "best": lambda gram, t=theirs: max(c[gram] for c in t),
            "sum": lambda gram, t=theirs: sum(c[gram] for c in t),
            "free": lambda gram, t=theirs: 99 * any(c[gram] for c in t),
            "distinct": lambda gram, t=theirs: any(c[gram] for c in t),
        }[how]
        if how == "distinct":
            mine = Counter(set(mine))
        shares.append(sum(min(mine[gram], most(gram)) for gram in mine) / mine.total())
    return shares


def variant(number):
    """An example of the warm-up, drawn again until the usual mistakes show in its numbers."""
    rng = np.random.default_rng(number)
    while True:
        first, second = (str(noun) for noun in rng.choice(NOUNS, 2, replace=False))
        verb, place = str(rng.choice(VERBS)), str(rng.choice(PLACES))
        near, core = ["near", "the", place], ["the", first, verb, "the", second]
        long = [*near, *core, "."] if rng.random() < 0.5 else [*core, *near, "."]
        if rng.random() < 0.5:
            long.insert(-1, "again")
        if rng.random() < 0.5:
            long.insert(long.index(first), "old")
        references = [[*core, "."], long]
        hypothesis = list(long)
        for _ in range(int(rng.integers(2, 6))):
            del hypothesis[int(rng.integers(len(hypothesis) - 1))]
        for word in (first, str(rng.choice(["the", second]))):
            if word in hypothesis:
                hypothesis.insert(hypothesis.index(word), word)
        if rng.random() < 0.7 and first in hypothesis:
            hypothesis.insert(hypothesis.index(first), first)
        length, sizes = len(hypothesis), [len(reference) for reference in references]
        if not 6 <= length < sizes[1] or abs(sizes[0] - length) <= sizes[1] - length:
            continue
        best = _pair(hypothesis, references)
        others = [_pair(hypothesis, references, how) for how in ("sum", "free", "distinct")]
        others.append(_pair(hypothesis, references[:1]))
        found = [best, *others]
        apart = [
            max(abs(a - b) for a, b in zip(one, two, strict=True))
            for one, two in combinations(found, 2)
        ]
        if min(apart) > 0.01 and min(best) > 0 and length <= 10:
            break
    return {
        "hypothesis": " ".join(hypothesis),
        "reference_a": " ".join(references[0]),
        "reference_b": " ".join(references[1]),
    }


def one_number(answer, which):
    """The driver of the warm-up: one of its three numbers."""
    numbers = answer()
    return float(numbers[which]) if len(numbers) == 3 else None


WARM_UP = Question(
    "warm_up_bleu",
    [
        Check(
            "words",
            1,
            "Count each word of the hypothesis, clip the count at that of the one reference "
            "that has most of it, and divide by the number of words of the hypothesis.",
            lambda rng: [Case((0,))],
        ),
        Check(
            "pairs",
            1,
            "Pairs are counted like words: neighbours in the hypothesis, clipped, over the "
            "number of pairs of the hypothesis.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "brevity penalty",
            1,
            "The brevity penalty compares the hypothesis with the reference whose length is "
            "nearest.",
            lambda rng: [Case((2,))],
        ),
    ],
    driver=one_number,
    rtol=0.0,
    atol=1e-3,
)

# --- the summary of a padded batch --------------------------------------------------------------


def states_of(rng, lengths, src, hidden, filler=None):
    """Arguments of `summary`: states, with numbers (or `filler`) in the padding, and lengths."""
    states = tensor(rng, len(lengths), src, 2 * hidden)
    lengths = torch.tensor(lengths)
    if filler is not None:
        states[torch.arange(src) >= lengths[:, None]] = filler
    return states, lengths


def some_lengths(rng, batch, src):
    """Lengths that differ, the longest of them `src`."""
    return [src, *(int(n) for n in rng.integers(1, src, size=batch - 1))]


SUMMARY = Question(
    "summary",
    [
        Check(
            "two directions",
            0.5,
            "Two directions read from two ends: each half has its last state at another place, "
            "and the order of the halves stays.",
            lambda rng: [
                Case(states_of(rng, [5, 5, 5], 5, 3)),
                Case(states_of(rng, [4, 4], 4, 2)),
                Case(states_of(rng, [6], 6, 1)),
            ],
        ),
        Check(
            "unequal lengths",
            0.5,
            "Each sentence has its own last word; what comes after it is padding, whatever "
            "stands there.",
            lambda rng: [
                Case(states_of(rng, some_lengths(rng, 4, 7), 7, 3)),
                Case(states_of(rng, [2, 6, 4, 3], 6, 2, filler=0.0)),
                Case(states_of(rng, [3, 1, 2], 5, 2)),
                Case(states_of(rng, [1], 3, 2)),
            ],
        ),
        Check(
            "NaN in the padding",
            0.5,
            "A NaN in the padding has reached the summary: 0 times NaN is NaN. Select, do not "
            "multiply.",
            lambda rng: [
                Case(states_of(rng, some_lengths(rng, 3, 5), 5, 2, filler=float("nan"))),
                Case(states_of(rng, [1, 3, 2], 4, 3, filler=float("nan"))),
            ],
        ),
        Check(
            "gradients",
            0.5,
            "The gradient must go back into the states that the summary was taken from, and into "
            "no others.",
            lambda rng: [Case(states_of(rng, some_lengths(rng, 3, 5), 5, 2), grad=[0])],
        ),
    ],
)

# --- teacher forcing ----------------------------------------------------------------------------


def targets_of(rng, lengths, tgt, ids, filler="pad"):
    """Arguments of `teacher_forcing`; ids are those of the three symbols."""
    words = [n for n in range(3, 20) if n not in ids]
    targets = torch.tensor(rng.choice(words, size=(len(lengths), tgt)), dtype=torch.int64)
    lengths = torch.tensor(lengths)
    if filler == "pad":
        targets[torch.arange(tgt) >= lengths[:, None]] = ids[2]
    return targets, lengths, *ids


def what_counts(answer, targets, lengths, bos_id, eos_id, pad_id):
    """The driver of teacher forcing: what is read where nothing is predicted does not count."""
    import torch

    inputs, labels = answer(targets, lengths, bos_id, eos_id, pad_id)
    inputs, labels = torch.as_tensor(inputs), torch.as_tensor(labels)
    if inputs.shape == labels.shape:
        inputs = torch.where(labels == pad_id, torch.full_like(inputs, -1), inputs)
    return inputs, labels


FORCING = Question(
    "teacher_forcing",
    [
        Check(
            "equal lengths",
            1,
            "The labels are the words and then the end symbol; the inputs are the same, one "
            "place later, behind the begin symbol.",
            lambda rng: [
                Case(targets_of(rng, [4, 4, 4], 4, (1, 2, 0))),
                Case(targets_of(rng, [1, 1], 1, (1, 2, 0))),
                Case(targets_of(rng, [5], 5, (1, 2, 0))),
            ],
        ),
        Check(
            "unequal lengths",
            1,
            "The end symbol stands right behind the last word of *its* sentence, and padding "
            "follows.",
            lambda rng: [
                Case(targets_of(rng, some_lengths(rng, 4, 6), 6, (1, 2, 0))),
                Case(targets_of(rng, [2, 5, 3, 4], 5, (1, 2, 0))),
                Case(targets_of(rng, [1, 3, 2], 5, (1, 2, 0))),
            ],
        ),
        Check(
            "other symbols, other padding",
            0.5,
            "The three ids are arguments, and only the lengths say where a sentence ends: do not "
            "look for the padding.",
            lambda rng: [
                Case(targets_of(rng, some_lengths(rng, 4, 6), 6, (7, 4, 11))),
                Case(targets_of(rng, some_lengths(rng, 4, 6), 6, (1, 2, 0), filler="words")),
                Case(targets_of(rng, [2, 1, 3], 4, (0, 1, 2), filler="words")),
            ],
        ),
        Check(
            "empty sentences and purity",
            0.5,
            "An empty sentence still has one prediction, its end; and the caller's targets must "
            "stay as they are.",
            lambda rng: [
                Case(targets_of(rng, [0, 3, 2], 3, (1, 2, 0))),
                Case(targets_of(rng, [0], 2, (1, 2, 0))),
                Case(targets_of(rng, [3, 1, 0], 4, (1, 2, 0), filler="words"), unchanged=True),
            ],
        ),
    ],
    driver=what_counts,
)

# --- BLEU ---------------------------------------------------------------------------------------

WORDS = ("a", "ab", "b", "ba", "c", "Ab", "the", "of")


def drawn(rng, length):
    """A sentence of so many words."""
    return [str(word) for word in rng.choice(WORDS, size=length)]


def spoilt(rng, words, replace=0.12, drop=0.05, double=0.05):
    """A sentence with some words replaced, dropped or doubled; its first five stay as they are."""
    found = list(words[:5])
    for word in words[5:]:
        chance = rng.random()
        if chance < drop:
            continue
        found.append(str(rng.choice(WORDS)) if chance < drop + replace else word)
        if chance > 1 - double:
            found.append(word)
    return found


def corpus_of(rng, size, low=1, high=1, shortest=7, longest=14, **how):
    """Arguments of `corpus_bleu`: hypotheses, and `low` to `high` references for each of them."""
    hypotheses, references = [], []
    for _ in range(size):
        count = int(rng.integers(low, high + 1))
        mine = [drawn(rng, int(rng.integers(shortest, longest))) for _ in range(count)]
        hypotheses.append(spoilt(rng, mine[int(rng.integers(count))], **how))
        references.append(mine)
    return hypotheses, references


def other_lengths(rng, *several):
    """Hypotheses of 8 words, the first far too short; the others have these references."""
    hypotheses, references = [], []
    for lengths in ((15,), *several):
        mine = [drawn(rng, length) for length in lengths]
        hypotheses.append(max(mine, key=len)[:8])
        references.append(mine)
    return hypotheses, references


def glued(rng):
    """Two sentences that differ in where one of two words ends."""
    before, after = drawn(rng, 4), drawn(rng, 5)
    return [[*before, "a", "ba", *after]], [[[*before, "ab", "a", *after]]]


def stutters(rng):
    """Two references share words with a hypothesis that repeats them too often."""
    one, two = drawn(rng, 8), drawn(rng, 9)
    return [[*one[:5], *one[2:5], *one[2:5], *two[:6], *two[1:6]]], [[one, two]]


BLEU = Question(
    "corpus_bleu",
    [
        Check(
            "one sentence, one reference",
            1,
            "100 times the brevity penalty times the geometric mean of the four precisions.",
            lambda rng: [
                *(Case(corpus_of(rng, 1)) for _ in range(4)),
                Case(glued(rng)),
                Case(corpus_of(rng, 1, shortest=10, longest=12, drop=0.5)),
                Case(corpus_of(rng, 1, shortest=6, longest=8, drop=0.0, double=1.0)),
            ],
        ),
        Check(
            "clipping",
            1,
            "A word or n-gram is credited at most as often as it stands in the *one* reference "
            "that has most of it.",
            lambda rng: (
                [Case(stutters(rng)) for _ in range(3)]
                + [Case(corpus_of(rng, 1, double=0.6, drop=0.0))]
            ),
        ),
        Check(
            "a corpus",
            1,
            "Matches, n-grams and lengths are added up over the corpus first; then BLEU divides "
            "once.",
            lambda rng: [
                *(Case(corpus_of(rng, 5)) for _ in range(3)),
                Case(corpus_of(rng, 3, shortest=8, longest=16, drop=0.4)),
                Case(
                    tuple(
                        map(
                            list.__add__, corpus_of(rng, 2, drop=0.6), corpus_of(rng, 2, double=0.6)
                        )
                    )
                ),
            ],
        ),
        Check(
            "several references",
            1,
            "An n-gram may be found in any of the references of its own sentence; sentences may "
            "have different numbers of them.",
            lambda rng: [
                *(Case(corpus_of(rng, 4, 1, 4)) for _ in range(3)),
                Case(corpus_of(rng, 1, 2, 2, drop=0.3)),
            ],
        ),
        Check(
            "brevity",
            1,
            "Each sentence brings the length of its nearest reference, the shorter of two "
            "equally near ones, and the penalty is taken once, of the two sums; it never "
            "exceeds 1.",
            lambda rng: [
                Case(other_lengths(rng, (10, 6), (6, 10))),
                Case(other_lengths(rng, (11, 7))),
                Case(other_lengths(rng, (5, 10, 16))),
                Case(other_lengths(rng, (12, 9, 7), (4, 9))),
                Case(corpus_of(rng, 4, 2, 3, drop=0.0, double=0.7)),
            ],
        ),
        Check(
            "nothing said, nothing found",
            1,
            "A hypothesis without words is a bad translation whose reference still counts; and "
            "if any of the four orders has no match in the whole corpus, BLEU is 0.",
            lambda rng: [
                Case((([], *corpus_of(rng, 1)[0]), ([drawn(rng, 6)], [drawn(rng, 9)]))),
                Case(([[], drawn(rng, 0)], [[drawn(rng, 6)], [drawn(rng, 4)]])),
                Case(([["a", "b", "c"]], [[["a", "b", "c"]]])),
                Case(([["a", "b", "a", "of", "c", "c"]], [[["a", "b", "the", "ab", "c", "c"]]])),
                Case(([["of", "of", "of", "of"]], [[["a", "b", "c", "the"], ["c"]]])),
                Case(with_an_empty_one(rng)),
            ],
        ),
    ],
    rtol=0.0,
    atol=1e-4,
)


def with_an_empty_one(rng):
    """A corpus in which one hypothesis is empty and one is too short for a 4-gram."""
    hypotheses, references = corpus_of(rng, 3, 1, 2)
    return [*hypotheses, [], ["a", "b"]], [*references, [drawn(rng, 7)], [["a", "b", "c"]]]


# --- beam search --------------------------------------------------------------------------------


def search_with_a_table(answer, log_probs, follow, bos_id, eos_id, k, max_length, alpha):
    """The driver of the beam search: a decoder whose state is the number of a row of a table.

    Node 0 has read the source only; node 1 is where a row goes that has read the end symbol.
    """
    import torch

    def step(tokens, states):
        nodes = follow[states[:, 0], torch.as_tensor(tokens)]
        return log_probs[nodes].clone(), nodes[:, None].clone()

    state = torch.zeros(1, 1, dtype=torch.int64)
    return answer(step, state, bos_id, eos_id, k, max_length, alpha)


def decoder(rng, words=4, nodes=12, end=None, sharp=0.6):
    """A random decoder: log-probabilities (nodes, vocab), next nodes (nodes, vocab), two ids.

    `end` is the expected probability of the end symbol, where it is not like that of a word.
    """
    vocab = words + 2
    bos_id, eos_id = (int(n) for n in rng.permutation(vocab)[:2])
    others = [n for n in range(vocab) if n not in (bos_id, eos_id)]
    probs = np.zeros((nodes, vocab))
    for node in range(nodes):
        share = rng.dirichlet([sharp] * (words + 1))
        if end is not None:
            share[0] = np.clip(end * rng.uniform(0.4, 1.6), 0.01, 0.95)
            share[1:] *= (1 - share[0]) / share[1:].sum()
        probs[node, eos_id], probs[node, others] = share[0], share[1:]
    probs[1] = 0.0  # after the end: a word that costs nothing, for ever
    probs[1, others[0]] = 1.0
    follow = rng.integers(2, nodes, size=(nodes, vocab))
    follow[:, eos_id] = 1
    follow[1] = 1
    follow[0, eos_id] = 3
    follow[0, bos_id] = 2
    return _table(probs), torch.from_numpy(follow), bos_id, eos_id


def _table(probs):
    return torch.from_numpy(np.log(np.maximum(probs, 1e-300))).masked_fill(
        torch.from_numpy(probs == 0), -torch.inf
    )


def tree(rows, words):
    """A decoder from {beginning: {word: probability, or its logarithm}}; "." is the end symbol."""
    vocab = ["<s>", ".", *words]
    nodes = {beginning: number for number, beginning in enumerate(rows, 2)}
    rest = len(nodes) + 2  # whatever has no row ends
    log_probs = np.full((rest + 1, len(vocab)), -np.inf)
    follow = np.full(log_probs.shape, rest)
    for beginning, row in rows.items():
        for word, share in row.items():
            log_probs[nodes[beginning], vocab.index(word)] = share if share < 0 else np.log(share)
        for word in words:
            follow[nodes[beginning], vocab.index(word)] = nodes.get(beginning + word, rest)
    log_probs[0, 1] = log_probs[rest, 1] = log_probs[1, 2] = 0.0
    follow[:, 1] = follow[1] = 1
    follow[0, 0] = 2
    return torch.from_numpy(log_probs), torch.from_numpy(follow), 0, 1


def searches(rng, count, *, k, limit, alpha, **how):
    """Searches on random decoders; each setting is drawn from its choices."""
    return [
        Case(
            (
                *decoder(rng, **how),
                int(rng.choice(k)),
                int(rng.choice(limit)),
                float(rng.choice(alpha)),
            )
        )
        for _ in range(count)
    ]


def equals(rng):
    """Decoders on which many hypotheses have exactly the same score: whole steps of a quarter."""
    found = [Case((*tree(EQUAL_ENDS, "ab"), k, 3, 0.0)) for k in (1, 2, 3)]
    for _ in range(16):
        log_probs, follow, bos_id, eos_id = decoder(rng, words=3, nodes=7)
        coarse = -torch.from_numpy(rng.integers(5, 8, size=tuple(log_probs.shape)) / 4.0)
        coarse = coarse.masked_fill(log_probs == -torch.inf, -torch.inf)
        coarse[1] = log_probs[1]
        k, limit = int(rng.integers(1, 4)), int(rng.integers(2, 5))
        found.append(Case((coarse, follow, bos_id, eos_id, k, limit, 0.0)))
    return found


# Two ends with the same score; the parent of the one that comes first in order stands second.
EQUAL_ENDS = {
    "": {"a": -1.25, "b": -1.0},
    "a": {".": -1.25},
    "b": {".": -1.5},
}
# The empty sentence is finished first and holds a place, until a longer one is likelier.
TWO_ENDS = {
    "": {".": 0.3, "a": 0.4, "b": 0.3},
    "a": {".": 0.2, "a": 0.8},
    "aa": {".": 0.9, "b": 0.1},
    "b": {".": 0.5, "b": 0.5},
}
# The empty sentence is finished at once; with an exponent, "a." has the higher score.
FULL = {
    "": {".": 0.5, "a": 0.3, "b": 0.2},
    "b": {".": 0.9, "a": 0.1},
}
# A beam of 2 drops the good end of "aa", as a beam of 1 does not.
WIDER_IS_WORSE = {
    "": {"a": 0.5, "b": 0.45, "c": 0.05},
    "a": {"a": 0.4, "b": 0.3, "c": 0.3},
    "b": {"a": 0.5, "b": 0.5},
    "ba": {".": 0.25, "a": 0.25, "b": 0.25, "c": 0.25},
    "bb": {".": 0.2, "a": 0.3, "b": 0.25, "c": 0.25},
}
# The empty sentence is finished first, and pushed out by two beginnings that end badly.
PUSHED_OUT = {
    "": {".": 0.3, "a": 0.7},
    "a": {"a": 0.5, "b": 0.5},
    "aa": {".": 0.3, "a": 0.3, "b": 0.4},
    "ab": {".": 0.35, "a": 0.35, "b": 0.3},
}

BEAM = Question(
    "beam_search",
    [
        Check(
            "a beam of one",
            1,
            "With k = 1 and no exponent the search takes the likeliest token at every step, "
            "adds up the log-probabilities, and stops at the end symbol, which belongs to the "
            "tokens.",
            lambda rng: searches(rng, 8, k=[1], limit=[12], alpha=[0.0], end=0.3),
        ),
        Check(
            "more than one beginning",
            1,
            "The k best of *all* continuations are kept, and each takes the state of the row "
            "that it came from.",
            lambda rng: (
                [Case((*tree(WIDER_IS_WORSE, "abc"), k, 4, 0.0)) for k in (1, 2, 3)]
                + searches(rng, 12, k=[2, 3], limit=[7], alpha=[0.0], end=0.2)
                + searches(rng, 6, k=[4], limit=[6], alpha=[0.0], nodes=20)
            ),
        ),
        Check(
            "finished hypotheses",
            1,
            "A finished hypothesis is one of the k: it grows no more, it takes a place from the "
            "others, and a better one can take that place from it.",
            lambda rng: (
                [Case((*tree(TWO_ENDS, "ab"), k, 5, 0.0)) for k in (1, 2, 3)]
                + [Case((*tree(PUSHED_OUT, "ab"), 2, 5, 0.0)), Case((*tree(FULL, "ab"), 1, 5, 1.0))]
                + searches(rng, 16, k=[2, 3], limit=[6, 9], alpha=[0.0], end=0.35)
            ),
        ),
        Check(
            "the exponent",
            1.5,
            "The score is log P divided by the number of tokens, the end symbol counted, to the "
            "power of the exponent; it decides at every step, and may rise as a hypothesis "
            "grows.",
            lambda rng: [
                Case((*tree(FULL, "ab"), 2, 5, 1.0)),
                *searches(rng, 14, k=[2, 3, 4], limit=[8], alpha=[0.5, 1.0, 1.5], end=0.3),
                *searches(rng, 6, k=[2, 3], limit=[8], alpha=[1.0], end=0.15),
            ],
        ),
        Check(
            "the limit",
            1,
            "After `max_length` tokens nothing grows any more: what is cut off is compared by "
            "its score like the finished ones.",
            lambda rng: (
                searches(rng, 8, k=[1, 2, 3], limit=[1, 2, 3], alpha=[0.0, 1.0], end=0.2)
                + searches(rng, 4, k=[3], limit=[5], alpha=[0.7], end=0.05)
            ),
        ),
        Check(
            "a huge beam",
            0.5,
            "If nothing is ever dropped, the result is the best of all hypotheses up to the limit.",
            lambda rng: searches(rng, 6, k=[200], limit=[3, 4], alpha=[0.0, 1.0], words=3, end=0.3),
        ),
        Check(
            "equal scores",
            1,
            "Of hypotheses with equal scores, the one whose list of tokens comes first in "
            "Python's order stands first: at every step, and at the end.",
            equals,
        ),
    ],
    driver=search_with_a_table,
    seconds=20.0,
)

QUESTIONS = [WARM_UP, SUMMARY, FORCING, BLEU, BEAM]
