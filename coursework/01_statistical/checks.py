"""Set 1, statistical translation: the questions, their hidden checks, and what differs between
variants.
"""

from itertools import pairwise

import numpy as np
import torch

from softalign_course.spec import Case, Check, Question, pick

INFO = {
    "title": "Language models and IBM Model 1",
    "chapters": "1",
    "hours": 3.0,
    "pages": ["01_smt/language_model", "01_smt/word_alignment", "01_smt/evaluation"],
    "goals": [
        "Compute a posterior, a likelihood and a new entry of Model 1 on paper.",
        "Write the alignment error rate, a Kneser-Ney bigram model and a round of EM from scratch.",
        "Judge a training by its likelihood, by new text and by gold links.",
        "Explain from the likelihood why rare words collect links that are not theirs.",
        "Plan a measurement before something is printed.",
    ],
    "tools": (
        "Allowed: torch, numpy and the standard library, the book and your notes; not allowed in "
        "the answers: the book's library `softalign`."
    ),
}


def variant(number):
    """A table for the warm-up, drawn again until no two mistakes give the same answer."""
    rng = np.random.default_rng(number)
    while True:
        tenths = rng.integers(1, 8, (3, 2))
        table = tenths / 10
        if (tenths.sum(axis=1) > 9).any():
            continue
        sums, own = table.sum(axis=0), table[2]
        post = table / sums
        part = post[2]
        # each list: the right answer, then those of the planted mistakes
        firsts = [part[1], own[1] / table[1:, 1].sum(), own[1] / own.sum(), own[1]]
        firsts += [part[1] / 3, 1 / 3, part[0]]
        whole = np.prod(sums / 3)
        seconds = [whole, sums.prod(), sums.prod() / 4, table[1:].sum(axis=0).prod() / 4]
        seconds += [sums.sum() / 3, np.prod(table.max(axis=0) / 3), sums.prod() / 3]
        seconds += [table[1, 0] * table[2, 1], table[1:].sum(axis=0).prod() / 9]
        thirds = [part[1] / part.sum(), part[1], part[1] / 2, part[1] * own.sum() / part.sum()]
        thirds += [own[1] / own.sum(), post[2, 1] / post[1:, 1].sum(), own[1]]
        without = own / table[1:].sum(axis=0)
        thirds += [without[1] / without.sum(), part[0] / part.sum()]
        clear = min(np.diff(np.sort(a)).min() for a in (firsts, thirds)) > 0.012
        if clear and np.diff(np.sort(seconds)).min() > 0.006 and whole > 0.02:
            break
    names = [f"{x}_{y}" for x in ("null", "mai", "shu") for y in ("buy", "books")]
    return {name: f"0.{n}" for name, n in zip(names, tenths.ravel(), strict=True)}


# --- the warm-up ----------------------------------------------------------------------------------


WARM_UP = Question(
    "warm_up_posterior",
    [
        Check(
            "the posterior",
            1,
            "All three positions were equally likely before, so Bayes' rule divides the entry by "
            "the sum of its column, NULL included.",
            lambda rng: [Case((0,))],
        ),
        Check(
            "the sentence",
            1,
            "The sum over the nine alignments is a product of two sums, and each of the two words "
            "picks one of three positions.",
            lambda rng: [Case((1,))],
        ),
        Check(
            "the new entry",
            1,
            "The expected counts of the row are the posteriors of its two links; the M step "
            "divides the row by its sum.",
            lambda rng: [Case((2,))],
        ),
    ],
    driver=pick,
    rtol=1e-6,
    atol=1.1e-3,
)


# --- alignment_error_rate -------------------------------------------------------------------------


def corpus(rng, sizes, *, written="both", twice=False):
    """Arguments of `alignment_error_rate` for sentence pairs of `sizes`.

    `written` says whether a sure link stands in the list of the possible ones, too: ``both``,
    ``once``, or ``some``. With `twice`, links are repeated in all lists.
    """
    lists = [], [], []
    for S, T in sizes:
        places = [(i, j) for i in range(S) for j in range(T)]
        places = [places[k] for k in rng.permutation(len(places))]
        n = max(1, len(places) // 4)
        sure, more, none = places[: n + 1], places[n + 1 : 2 * n + 1], places[2 * n + 1 :]
        proposed = sure[: max(1, len(sure) // 2)] + more[: len(more) // 2 + 1] + none[:n]
        listed = {"both": sure, "once": [], "some": sure[:: 2 - len(sure) % 2]}[written]
        found = [proposed, sure, [*more, *listed]]
        if twice:
            found = [links + links[: len(links) // 2 + 1] for links in found]
        for where, links in zip(lists, found, strict=True):
            where.append([links[k] for k in rng.permutation(len(links))])
    return lists


def sizes(rng, number):
    """Lengths of sentence pairs; no two pairs are equally long."""
    return [(int(rng.integers(3, 5)) + k, int(rng.integers(3, 5)) + k) for k in range(number)]


ERROR_RATE = Question(
    "alignment_error_rate",
    [
        Check(
            "one sentence pair",
            1,
            "AER is 1 - (|A and S| + |A and P|) / (|A| + |S|): a proposed link is right if it is "
            "possible, and a sure one is missed if it was not proposed.",
            lambda rng: [Case(tuple(corpus(rng, sizes(rng, 3)[2:]))) for _ in range(3)],
        ),
        Check(
            "a sure link is possible",
            1,
            "A sure link is possible, whether or not it stands in the second list as well.",
            lambda rng: [
                Case(tuple(corpus(rng, sizes(rng, 2)[1:], written="once"))),
                Case(tuple(corpus(rng, sizes(rng, 3)[2:], written="some"))),
                Case(([[(0, 0), (1, 0)]], [[(0, 0)]], [[]])),
            ],
        ),
        Check(
            "all pairs together",
            1,
            "Count all sentence pairs first, each for itself, and divide once. A link of one pair "
            "is not a link of another.",
            lambda rng: [
                Case(tuple(corpus(rng, sizes(rng, 3), written="both")), unchanged=True),
                Case(tuple(corpus(rng, sizes(rng, 5), written="some")), unchanged=True),
                Case(([[(0, 0)], []], [[(0, 0)], [(1, 1), (2, 2)]], [[], [(0, 1)]])),
                Case(([[(0, 0), (1, 1)], [(2, 0)]], [[(0, 0), (1, 1)], []], [[], [(0, 0)]])),
                Case(([[(0, 1)], [(2, 2)]], [[(2, 2)], [(2, 2)]], [[(2, 2)], [(2, 2)]])),
            ],
        ),
        Check(
            "twice, or not at all",
            1,
            "A link that stands twice is one link. Where nothing is proposed and nothing is sure, "
            "nothing is wrong.",
            lambda rng: [
                Case(tuple(corpus(rng, sizes(rng, 2), written="some", twice=True))),
                Case(([[(0, 0), (0, 0), (1, 0)]], [[(0, 0)]], [[(0, 0)]])),
                Case(([[(0, 0), (1, 0)]], [[(0, 0), (0, 0)]], [[]])),
                Case(([[], []], [[], []], [[(0, 0)], []])),
                Case(([], [], [])),
                Case(([[], []], [[(0, 0)], []], [[], []])),
                Case(([[(0, 0)], []], [[], []], [[], []])),
                Case(([[(0, 0)]], [[]], [[(0, 0)]])),
            ],
        ),
    ],
)


# --- bigram_prob ----------------------------------------------------------------------------------

WORDS = ["the", "a", "dog", "cat", "runs", "sleeps"]


def text(rng, number=7):
    """Sentences in which words have favourites, one of them empty, one of them twice."""
    favourite = {w: WORDS[int(rng.integers(6))] for w in WORDS}
    sentences = []
    for k in range(number):
        word, sentence = WORDS[k % 6], []
        for _ in range(int(rng.integers(2, 6))):
            sentence.append(word)
            word = favourite[word] if rng.random() < 0.5 else WORDS[int(rng.integers(6))]
        sentences.append(sentence)
    sentences.append(["san", "francisco"])
    sentences.append(["san", "francisco", sentences[0][0]])
    sentences.append(["san", "francisco"])
    sentences.insert(2, [])
    sentences.append(list(sentences[0]))
    return sentences


def asked(rng, kind, number):
    """Cases of one kind, each from sentences of its own."""
    cases = []
    while len(cases) < number:
        sentences = text(rng)
        discount = float(rng.choice([0.3, 0.4, 0.6, 0.7, 0.85]))
        padded = [["<s>", *s, "</s>"] for s in sentences]
        seen = sorted({pair for s in padded for pair in pairwise(s)})
        heard = sorted({w for _, w in seen} - {"</s>"})
        if kind == "seen":
            inside = [p for p in seen if p[0] != "<s>" and p[1] != "</s>"]
            u, w = inside[int(rng.integers(len(inside)))]
        elif kind == "new":
            pairs = [(u, w) for u in heard for w in heard if (u, w) not in seen]
            u, w = pairs[int(rng.integers(len(pairs)))]
        elif kind == "first":
            u, w = "<s>", heard[int(rng.integers(len(heard)))]
        elif kind == "last":
            u, w = heard[int(rng.integers(len(heard)))], "</s>"
        elif kind == "after nothing":
            u, w = ["</s>", "town"][len(cases) % 2], heard[int(rng.integers(len(heard)))]
        elif kind == "unknown":
            u, w = heard[int(rng.integers(len(heard)))], ["town", "<unk>"][len(cases) % 2]
        else:
            u, w = "town", "city"
        cases.append(Case((sentences, u, w, discount), unchanged=True))
    return cases


BIGRAM = Question(
    "bigram_prob",
    [
        Check(
            "a pair that was seen",
            1,
            "What is left of the count is divided by the count of the history; the share of the "
            "single word comes on top, weighted by what was taken from the history's words.",
            lambda rng: [
                Case(([["a", "b"]], "a", "b", 0.5)),
                Case(([["a", "b"], ["a", "c"]], "a", "b", 0.4)),
                *asked(rng, "seen", 4),
            ],
        ),
        Check(
            "company",
            1.5,
            "Where the pair is new, the single word decides: by the number of different words "
            "before it, discounted and mixed with the uniform distribution.",
            lambda rng: [
                *asked(rng, "new", 5),
                Case((text(rng), "dog", "francisco", 0.6)),
                Case(([["a", "b"], ["a", "b"], ["c"]], "c", "b", 0.4)),
            ],
        ),
        Check(
            "beginnings and ends",
            1,
            "<s> is a history and company like any word, </s> is predicted like any word, and a "
            "sentence ends where it ends.",
            lambda rng: [
                *asked(rng, "first", 2),
                *asked(rng, "last", 2),
                Case((text(rng), "<s>", "</s>", 0.4)),
                Case(([[]], "<s>", "</s>", 0.5)),
                Case(([[], []], "<s>", "</s>", 0.3)),
            ],
        ),
        Check(
            "a history after which nothing was seen",
            0.75,
            "A history that nothing followed has nothing to say: the single word decides alone.",
            lambda rng: [
                *asked(rng, "after nothing", 4),
                Case((text(rng), "town", "</s>", 0.4)),
            ],
        ),
        Check(
            "an unknown word",
            0.75,
            "A word outside the vocabulary gets what <unk> gets: its share of the uniform "
            "distribution, through both levels.",
            lambda rng: [*asked(rng, "unknown", 4), *asked(rng, "both unknown", 2)],
        ),
    ],
    rtol=2e-5,
    atol=1e-6,
)


# --- em_step --------------------------------------------------------------------------------------


def table(rng, given, generated):
    """A table without zeros whose rows sum to 1."""
    rows = 0.05 + rng.dirichlet(np.full(generated, 0.7), given)
    return torch.from_numpy(rows / rows.sum(axis=1, keepdims=True)).float()


def some(rng, fewest, most, number):
    """Different numbers from `fewest` to `most`, in any order."""
    return [int(n) for n in rng.permutation(np.arange(fewest, most + 1))[:number]]


def pairs(rng, given, generated, lengths):
    """Sentence pairs without a word that stands twice in a sentence."""
    return [
        (some(rng, 1, given - 1, source), some(rng, 0, generated - 1, target))
        for source, target in lengths
    ]


def one_pair(rng, given, generated, source, target):
    """Arguments with one pair."""
    return table(rng, given, generated), pairs(rng, given, generated, [(source, target)])


def with_zeros(rng):
    """A table with zeros: NULL explains nothing, word 2 nothing that stands with it."""
    theta = table(rng, 4, 5)
    theta[0] = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0])
    theta[2] = torch.tensor([0.0, 0.0, 0.0, 0.4, 0.6])
    theta[1, 1] += theta[1, 0]
    theta[1, 0] = 0.0
    return theta, [([1, 2], [1, 2]), ([2, 3], [0, 1]), ([3, 1], [2, 0])]


EM_STEP = Question(
    "em_step",
    [
        Check(
            "one pair",
            1.5,
            "The posterior divides an entry by the sum over the positions of the pair, NULL "
            "included; the M step divides a row by its sum; each word of the likelihood is an "
            "average over S + 1 positions.",
            lambda rng: [
                Case(one_pair(rng, 2, 3, 1, 3)),
                Case(one_pair(rng, 3, 3, 2, 3)),
                Case(one_pair(rng, 4, 3, 3, 2)),
            ],
        ),
        Check(
            "several pairs",
            2,
            "The counts of all pairs are added up under the old table, and divided once; the "
            "log-likelihood is a sum over all pairs.",
            lambda rng: [
                Case((table(rng, 5, 4), pairs(rng, 5, 4, [(2, 3), (4, 2), (1, 4), (3, 3)]))),
                Case((table(rng, 4, 6), pairs(rng, 4, 6, [(3, 5), (3, 6), (2, 1)]))),
                Case((table(rng, 3, 3), pairs(rng, 3, 3, [(2, 3), (2, 2), (1, 3), (2, 1)]))),
            ],
        ),
        Check(
            "words that stand twice",
            1,
            "Positions choose and are chosen, not words: a word that stands twice is two of them, "
            "on either side.",
            lambda rng: [
                Case((table(rng, 3, 3), [([1, 1, 2], [0, 1, 2])])),
                Case((table(rng, 3, 4), [([1, 2], [3, 3, 0]), ([2], [1, 3, 2])])),
                Case((table(rng, 4, 4), [([3, 1, 3], [2, 2, 1, 0]), ([2, 3], [0, 2, 0])])),
            ],
        ),
        Check(
            "a row without a count",
            1,
            "A row that gets no count stays as it was, and an entry of 0 stays 0.",
            lambda rng: [
                Case((table(rng, 5, 3), [([1, 3], [0, 2]), ([3], [1])])),
                Case(with_zeros(rng)),
            ],
        ),
        Check(
            "empty sentences",
            1,
            "Without a Chinese word there is still NULL to come from; without an English word, "
            "or without a pair, there is nothing to count.",
            lambda rng: [
                Case((table(rng, 3, 3), [([], [0, 2]), ([1, 2], [1, 0])])),
                Case((table(rng, 3, 3), [([1, 2], []), ([2], [1, 0]), ([], [])])),
                Case((table(rng, 2, 3), [])),
            ],
        ),
        Check(
            "purity",
            0.5,
            "The caller still needs the table and the pairs: do not write into them.",
            lambda rng: [
                Case((table(rng, 3, 4), pairs(rng, 3, 4, [(2, 3), (1, 2)])), unchanged=True),
                Case((table(rng, 4, 3), [([1, 2], [0, 0, 1])]), unchanged=True),
            ],
        ),
    ],
    rtol=1e-4,
    atol=1e-5,
)

QUESTIONS = [WARM_UP, ERROR_RATE, BIGRAM, EM_STEP]
