"""Numbers of chapter 1: rules, the noisy channel, n-grams, alignment, evaluation, phrases."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np

from softalign.language_model import train
from softalign.metrics import aer, bits_per_char, bleu_statistics, perplexity
from softalign.phrases import lexical_weight


def q_rules_chart_cells() -> dict[str, float]:
    """Spans and their cuts, listed."""
    spans = [(i, j) for i in range(8) for j in range(i + 1, 9)]
    cuts = [k for i, j in spans for k in range(i + 1, j)]
    assert len(cuts) == (8**3 - 8) / 6
    return {"spans": len(spans), "cuts": len(cuts)}


def q_noisy_stutter() -> dict[str, float]:
    """Model 1 without NULL, over all links."""
    theta = {("他", "he"): 1, ("看", "reads"): 0.5, ("书", "reads"): 0.5, ("书", "books"): 1}
    chinese = ("他", "看", "书")

    def channel(*english: str) -> float:
        paths = itertools.product(english, repeat=len(chinese))
        products = (
            math.prod(theta.get(pair, 0) for pair in zip(chinese, path, strict=True))
            for path in paths
        )
        return sum(products) / len(english) ** len(chinese)

    return {
        "whole": channel("he", "reads", "books"),
        "other_order": channel("books", "he", "reads"),
        "without_object": channel("he", "reads"),
    }


def q_lm_likeliest_table() -> dict[str, float]:
    """No other row of a thousand makes the text likelier than the library's."""
    text = [["u", w] for w in "aaaabbc"]
    model = train(text, order=2, smoothing="maximum_likelihood")
    best = sum(model.log_prob(w, ["u"]) for _, w in text)
    rows = np.random.default_rng(0).dirichlet([4.0, 2.0, 1.0], size=1000)
    others = np.log(rows) @ [4, 2, 1]
    return {"residual": max(0.0, float(others.max() - best))}


def q_lm_what_is_left() -> dict[str, float]:
    """What discounting takes from the counts, added up."""

    def left(followers: int) -> float:
        counts = [20 - followers + 1] + [1] * (followers - 1)
        assert (sum(counts), len(counts)) == (20, followers)
        return sum(count - max(count - 0.75, 0) for count in counts) / 20

    return {"few": left(2), "many": left(16)}


def q_lm_two_units() -> dict[str, float]:
    """The library's measures on a text of a thousand words."""
    words, chars = 1000, 5000
    a, b = -words * math.log(64), -words * 1.5 * math.log(16)
    assert math.isclose(perplexity(b, 1500), 16)
    return {
        "a": bits_per_char(a, chars),
        "b": bits_per_char(b, chars),
        "b_per_word": perplexity(b, words),
    }


def q_lm_missing_mass() -> dict[str, float]:
    """Both versions of the function."""
    seen, D = {"a": 3, "b": 1, "c": 0}, 0.5
    weight = D * 2 / 4
    wrong = [(n - D) / 4 if n else weight / 3 for n in seen.values()]
    right = [max(n - D, 0) / 4 + weight / 3 for n in seen.values()]
    assert math.isclose(sum(right), 1)
    return {"sum": sum(wrong)}


def q_lm_floor() -> dict[str, float]:
    """Entropy in bits; perplexity by the library, on a text with exactly these shares."""
    p = np.array([0.5, 0.25, 0.125, 0.125])
    bits = float(-(p * np.log2(p)).sum())
    floor = perplexity(float(8 * (p * np.log(p)).sum()), 8)
    return {"floor": floor, "excess": 2 - bits}


def q_wa_sum_of_products() -> dict[str, float]:
    """Terms on either side; and the two sides at a small size."""
    theta = np.random.default_rng(0).random((3, 4))
    paths = itertools.product(range(3), repeat=4)
    left = sum(math.prod(theta[i, j] for j, i in enumerate(path)) for path in paths)
    assert math.isclose(left, math.prod(theta.sum(0)))
    return {"exponent": 20 * math.log10(21), "added": 20 * 21}


def q_wa_hmm_paths() -> dict[str, float]:
    """All paths of the HMM."""
    start, move = [0.5, 0.5], [[0.25, 0.75], [0.5, 0.5]]
    first, second = [0.5, 0.5], [0.1, 0.4]
    paths = {
        (i, k): start[i] * first[i] * move[i][k] * second[k] for i in range(2) for k in range(2)
    }
    total = sum(paths.values())
    return {
        "first": (paths[0, 0] + paths[0, 1]) / total,
        "second": (paths[0, 1] + paths[1, 1]) / total,
        "model1": first[0] / sum(first),
    }


def q_wa_three_sets() -> dict[str, float]:
    """The library's error rate."""
    sure, more = {(0, 0), (1, 1), (3, 2)}, {(2, 1)}
    forward, backward = {(0, 0), (1, 1), (2, 1), (0, 2)}, {(0, 0), (1, 1), (3, 2)}

    def rate(links: set) -> float:
        return float(aer([links], [sure], [sure | more]))

    return {
        "forward": rate(forward),
        "intersection": rate(forward & backward),
        "union": rate(forward | backward),
    }


def q_eval_sums_first() -> dict[str, float]:
    """Sums and means."""
    matches, words = np.array([1, 9]), np.array([2, 10])
    return {
        "corpus": float(matches.sum() / words.sum()),
        "mean": float((matches / words).mean()),
    }


def q_eval_f_beta() -> dict[str, float]:
    """As a weighted harmonic mean, recall with four times the weight."""

    def f2(precision: float, recall: float) -> float:
        return (1 + 4) / (1 / precision + 4 / recall)

    return {"a": f2(0.8, 0.5), "b": f2(0.5, 0.8)}


def q_eval_how_many_more() -> dict[str, float]:
    """The width at that number of sentences must be the one asked for."""
    sentences = 500 * (1.6 / 0.5) ** 2
    assert math.isclose(1.6 * math.sqrt(500 / sentences), 0.5)
    return {"sentences": sentences}


def q_eval_pairing_pays() -> dict[str, float]:
    """From the covariance matrix."""
    difference = np.array([1.0, -1.0])

    def variance(covariance: float) -> float:
        return float(difference @ np.array([[1, covariance], [covariance, 1]]) @ difference)

    same, separate = variance(0.9), variance(0)
    return {
        "same": math.sqrt(same),
        "separate": math.sqrt(separate),
        "factor": separate / same,
    }


def q_eval_unclipped() -> dict[str, float]:
    """The function of the question, and the library's counts of unigrams."""
    hypothesis, reference = ["the"] * 4, ["the", "cat", "is", "on", "the", "mat"]
    known = {(word,) for word in reference}
    returned = sum((word,) in known for word in hypothesis) / len(hypothesis)
    (row,) = bleu_statistics([hypothesis], [[reference]]).rows
    clipped = (Counter(hypothesis) & Counter(reference)).total()
    assert clipped == row[2]
    return {"returned": returned, "right": row[2] / row[6]}


def q_dec_lexical_weight() -> dict[str, float]:
    """The library's weight."""
    table = {"图书馆": {"library": 0.8}, "里": {"in": 0.6, "library": 0.1}, "NULL": {"the": 0.3}}
    source, target = ["图书馆", "里"], ["in", "the", "library"]

    def weight(links: set) -> float:
        return math.exp(lexical_weight(source, target, links, table))

    return {"lex": weight({(1, 0), (0, 2)}), "two_links": weight({(1, 0), (0, 2), (1, 2)})}


def q_dec_cheapest_cut() -> dict[str, float]:
    """All ways of cutting."""
    scores = {(0, 1): -1.0, (1, 2): -1.5, (2, 3): -1.0, (0, 2): -1.8, (1, 3): -2.2, (0, 3): -3.4}
    ways = []
    for inner in (places for n in range(3) for places in itertools.combinations((1, 2), n)):
        borders = (0, *inner, 3)
        ways.append(sum(scores[span] for span in itertools.pairwise(borders)))
    return {"best": max(ways), "cuts": len(ways)}


def q_dec_easy_words_first() -> dict[str, float]:
    """Score so far and estimate of the rest."""
    a, b = -3 + -9, -5 + -4
    assert -3 > -5
    assert b > a
    return {"a": a, "b": b}


def q_dec_break_even_bonus() -> dict[str, float]:
    """The bonus at which both have the same score."""
    bonus = (-7.0 - -8.2) / (7 - 5)
    assert math.isclose(-7.0 + 5 * bonus, -8.2 + 7 * bonus)
    return {"bonus": bonus}
