"""Checks of the equations on language models, phrases and scores."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from registry.checks.basics import distribution
from registry.checks.sides import Sides, check
from softalign import language_model, metrics, phrases, stack_decoder
from softalign.language_model import counts as counting

WORDS = tuple("abcde")


def random_text(rng: Generator, sentences: int = 60) -> list[list[str]]:
    """Sentences of two to six words, some of the words far more frequent than others."""
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    rare = [["f", "g"], ["g", "a"], ["h", "b"], ["k", "k"]]
    return rare + [list(rng.choice(WORDS, rng.integers(2, 7), p=share)) for _ in range(sentences)]


def pair_counts(rng: Generator) -> np.ndarray:
    """How often each word followed each other: some pairs never, every word sometime."""
    counts = rng.poisson(1.5, size=(6, 5)) * rng.integers(1, 8, size=(6, 1))
    counts[np.arange(5), np.arange(5)] += 1
    counts[5, 0] += 1
    return counts


# --- language models ------------------------------------------------------------------------------


@check("eq-lm-mle")
def likeliest(rng: Generator) -> Iterator[Sides]:
    """What another model loses is a weighted sum of divergences, and never negative."""
    counts = rng.integers(1, 9, size=(4, 5)) * rng.integers(1, 5, size=(4, 1))
    best, other = counts / counts.sum(axis=1, keepdims=True), distribution(rng, 4, 5)
    loss = (counts * np.log(best / other)).sum()
    each = (best * np.log(best / other)).sum(axis=1)
    yield Sides(loss, counts.sum(axis=1) @ each, slip=each.sum())
    yield Sides(0.0, loss, slip=-loss, relation="<=")
    text = random_text(rng)
    model = language_model.train(text, 1, "maximum_likelihood")
    words = [w for s in text for w in (*s, "</s>")]
    found = [math.exp(model.log_prob(w, [])) for w in WORDS]
    shares = np.array([words.count(w) for w in WORDS])
    yield Sides(found, shares / len(words), slip=shares / (len(words) - len(text)))


@check("eq-lm-perplexity")
def perplexity(rng: Generator) -> Iterator[Sides]:
    """The inverse geometric mean of the probabilities is the library's perplexity."""
    p = rng.uniform(0.01, 0.9, size=12)
    left = metrics.perplexity(float(np.log(p).sum()), len(p))
    yield Sides(left, p.prod() ** (-1 / len(p)), slip=1 / p.mean())


@check("eq-lm-lambda")
def what_was_taken(rng: Generator) -> Iterator[Sides]:
    """With the weight of the equation every row sums to 1; the library's rows do, too."""
    counts, shorter, D = pair_counts(rng), distribution(rng, 5), rng.uniform(0.2, 0.9)
    kept = np.maximum(counts - D, 0) / counts.sum(axis=1, keepdims=True)
    weight = D * (counts > 0).sum(axis=1) / counts.sum(axis=1)
    sums = (kept + weight[:, None] * shorter).sum(axis=1)
    yield Sides(np.ones(6), sums, slip=(kept + D * shorter).sum(axis=1))
    text = random_text(rng)
    model = language_model.train(text, 2, "absolute")
    after = [y for s in text for x, y in zip(s, [*s[1:], "</s>"], strict=True) if x == "a"]
    pairs = {}
    for s in text:
        for x, y in zip(["<s>", *s], [*s, "</s>"], strict=True):
            pairs[x, y] = pairs.get((x, y), 0) + 1
    ones, twos = (sum(c == r for c in pairs.values()) for r in (1, 2))
    D = ones / (ones + 2 * twos)
    weight = D * len(set(after)) / len(after)
    lower = math.exp(model.log_prob("</s>", ["never seen"]))
    right = max(after.count("</s>") - D, 0) / len(after) + weight * lower
    wrong = max(after.count("</s>") - D, 0) / len(after) + D * lower
    yield Sides(math.exp(model.log_prob("</s>", ["a"])), right, slip=wrong)


@check("eq-lm-marginal")
def company(rng: Generator) -> Iterator[Sides]:
    """Continuation counts, and no frequencies, give every word its own frequency back."""
    counts, D = pair_counts(rng), rng.uniform(0.2, 0.9)

    def averaged(q: np.ndarray) -> np.ndarray:
        taken = D * (counts > 0).sum(axis=1, keepdims=True)
        return (np.maximum(counts - D, 0) + taken * q).sum(axis=0)

    by_company = (counts > 0).sum(axis=0) / (counts > 0).sum()
    by_frequency = counts.sum(axis=0) / counts.sum()
    yield Sides(counts.sum(axis=0), averaged(by_company), slip=averaged(by_frequency))
    tables = language_model.count_ngrams(*encoded(random_text(rng)))
    pairs = tables[1]
    left = language_model.continuation_counts(tables)[0]
    right = np.bincount(pairs.suffix, minlength=len(left))
    yield Sides(left, right, slip=np.bincount(pairs.suffix, pairs.counts, minlength=len(left)))


def encoded(text: list[list[str]]) -> tuple:
    """Arguments of `count_ngrams` for pairs: ids, places in the sentences, order, size."""
    vocabulary = counting.vocabulary(text)
    numbers = {word: number for number, word in enumerate(vocabulary)}
    return (*counting.encode(text, numbers), 2, len(vocabulary))


# --- rules, phrases, scores -----------------------------------------------------------------------


@check("eq-rules-trees")
def trees(rng: Generator) -> Iterator[Sides]:
    """Binary trees over S words, counted by splitting, against the formula."""
    size = int(rng.integers(3, 20))
    count = [0, 1]
    for n in range(2, size + 1):
        count.append(sum(count[k] * count[n - k] for k in range(1, n)))
    wrong = math.comb(2 * size, size) // (size + 1)  # for S splits instead of S words
    yield Sides(count[size], math.comb(2 * size - 2, size - 1) / size, slip=wrong)


@check("eq-dec-lexical")
def lexical(rng: Generator) -> Iterator[Sides]:
    """The library's lexical weight of a phrase with a word that is linked to nothing."""
    y = ["in", "the", "library"]
    table = {x: dict(zip(y, rng.random(3), strict=True)) for x in ("at", "house", "NULL")}
    links = {(0, 0), (1, 2)}
    left = math.exp(phrases.lexical_weight(["at", "house"], y, links, table))
    linked = table["at"]["in"] * table["house"]["library"]
    yield Sides(left, linked * table["NULL"]["the"], slip=linked)


@check("eq-dec-channel")
def channel_weights(rng: Generator) -> Iterator[Sides]:
    """With the weights of the noisy channel, the library's score is the channel's."""
    model = language_model.train(random_text(rng), 2, "add_k", k=0.1)
    source, target = ["x", "y", "z"], [["a"], ["b", "c"]]
    numbers = -rng.exponential(size=(2, 4))
    entries = [(["x"], target[0], numbers[0]), (["y", "z"], target[1], numbers[1])]
    table = phrases.PhraseTable.from_entries([(x, y, list(f)) for x, y, f in entries])
    weights = stack_decoder.weight_vector(stack_decoder.NOISY_CHANNEL)
    problem = stack_decoder.pose(source, table, stack_decoder.States(model), weights)
    steps = (stack_decoder.Step(0, 1, ("a",)), stack_decoder.Step(1, 3, ("b", "c")))
    language = model.sentence_log_prob(["a", "b", "c"])
    left = stack_decoder.features_of(steps, problem) @ weights
    direct, inverse = numbers[:, 0].sum(), numbers[:, 1].sum()
    yield Sides(left, inverse + language, slip=direct + language, rtol=1e-6)


@check("eq-eval-noise")
def spoilt(rng: Generator) -> Iterator[Sides]:
    """The library's BLEU of sentences in which a share of the words was replaced."""
    right = [[f"w{n}" for n in rng.integers(10_000, size=20)] for _ in range(250)]
    for q in (0.1, 0.3):
        found = [[w if rng.random() > q else "other" for w in s] for s in right]
        bleu = metrics.bleu(found, [[s] for s in right]).value / 100
        yield Sides(bleu, (1 - q) ** 2.5, slip=1 - q, atol=0.03)


@check("eq-eval-f1")
def harmonic(rng: Generator) -> Iterator[Sides]:
    """If all gold links are sure, AER is one minus the F-measure."""
    links = [(i, j) for i in range(6) for j in range(6)]
    gold, guess = ({links[n] for n in rng.choice(36, size, replace=False)} for size in (15, 24))
    left = metrics.aer([guess], [gold], [gold])
    m, sizes = len(gold & guess), len(gold) + len(guess)
    precision, recall = m / len(guess), m / len(gold)
    f = 2 * precision * recall / (precision + recall)
    mean = (precision + recall) / 2
    yield Sides(left.aer, 1 - 2 * m / sizes, slip=1 - m / sizes)
    yield Sides(left.aer, 1 - f, slip=1 - mean)


@check("eq-eval-paired")
def paired(rng: Generator) -> Iterator[Sides]:
    """The variance of a difference of two systems on the same sentences."""
    a = rng.normal(size=200)
    b = a + rng.normal(size=200) / 2
    both = np.mean((a - a.mean()) * (b - b.mean()))
    yield Sides((a - b).var(), a.var() + b.var() - 2 * both, slip=a.var() + b.var())
