"""Metrics: by hand, against slow literal transcriptions of the papers, and as laws."""

import math
import re
import subprocess
import sys
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.metrics import (
    Score,
    Statistics,
    aer,
    aer_statistics,
    approximate_randomisation,
    bits_per_char,
    bleu,
    bleu_statistics,
    bootstrap,
    by_bucket,
    chrf,
    chrf_statistics,
    exact_match,
    exact_match_statistics,
    paired_bootstrap,
    perplexity,
    perplexity_statistics,
    resample,
)

LAW = settings(derandomize=True, deadline=None, max_examples=60)
WORD = st.sampled_from(["a", "b", "c", "dd", "eee"])
SENTENCE = st.lists(WORD, min_size=1, max_size=9)
SAID = st.lists(WORD, max_size=9)
ACCEPTED = st.lists(SENTENCE, min_size=1, max_size=4)
CORPUS = st.lists(st.tuples(SAID, ACCEPTED), min_size=1, max_size=6)
LINKS = st.frozensets(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=5)
# predicted, sure, possible; the sure links are made possible in `gold`
LINKED = st.lists(st.tuples(LINKS, LINKS, LINKS), min_size=1, max_size=4)


def words(*lines):
    return [line.split() for line in lines]


# ------------------------------------------------------------------------------ by hand

HYPOTHESES = words("the cat sat on the mat", "the dog saw the the bird")
REFERENCES = [
    words("the cat is on the mat", "a cat sat on the red mat"),
    words(
        "the dog saw the bird in a tree",
        "the dog watched the bird over there",
        "one dog saw a bird fly past it now",
    ),
]


def test_bleu_by_hand_to_four_decimals():
    # Sentence 1 (6 words). 1-grams: the, cat, on, the, mat are in the first reference (which has
    #   "the" twice), sat in the second: 6/6. 2-grams: "the cat" "on the" "the mat" in the first,
    #   "cat sat" "sat on" in the second: 5/5. 3-grams: "the cat sat" in neither; "cat sat on" and
    #   "sat on the" in the second, "on the mat" in the first: 3/4. 4-grams: "cat sat on the": 1/3.
    #   Nearest length of 6 and 7 is 6.
    # Sentence 2 (6 words). 1-grams: "the" is said 3 times; the first reference has it twice, the
    #   second twice, the third never: 2 count, not 3 and not 4; dog, saw, bird: 5/6.
    #   2-grams: "the dog" "dog saw" "saw the" "the bird", not "the the": 4/5.
    #   3-grams: "the dog saw" "dog saw the": 2/4. 4-grams: "the dog saw the": 1/3.
    #   Nearest length of 8, 7 and 9 is 7.
    # Corpus: 11/12, 9/10, 5/8, 2/6; their product is 495/2880 = 0.171875,
    #   its square root 0.4145781, and again 0.6438774.
    # Lengths: 12 words for 6 + 7 = 13, so the brevity penalty is exp(1 - 13/12) = 0.9200444.
    # 100 * 0.9200444 * 0.6438774 = 59.2396.
    score = bleu(HYPOTHESES, REFERENCES)
    assert score.value == pytest.approx(59.2396, abs=5e-5)
    assert score.detail == "precisions 91.7/90.0/62.5/33.3, brevity penalty 0.920, 12 words for 13"


def test_chrf_by_hand():
    # "abc" for "abcd": orders 1 to 3 have P = 1 and R = 3/4, 2/3, 1/2, mean 23/36; order 4 has no
    # n-gram in the hypothesis and is left out. 5 * 23/36 / (4 + 23/36) = 115/167.
    assert chrf(words("abc"), [words("abcd")]).value == pytest.approx(100 * 115 / 167)
    # Against "abc" alone it is perfect, and the best reference decides; spaces do not count.
    assert chrf(words("abc"), [words("abcd", "a bc")]).value == 100.0


def test_exact_match_by_hand():
    said = words("a dog", "two dogs", "a dog", "")
    accepted = [words("the dog", "a dog"), words("two dog"), words("a dogs"), words("a")]
    assert exact_match(said, accepted) == 0.25
    assert exact_match([("a", "dog")], [(["a", "dog"],)]) == 1.0  # tuples and lists are alike


def test_perplexity_and_bits_by_hand():
    # Probabilities 1/2, 1/4, 1/8: product 2**-6, so 2 bits a word and perplexity 2**2.
    total = math.log(1 / 2) + math.log(1 / 4) + math.log(1 / 8)
    assert perplexity(total, 3) == pytest.approx(4)
    assert bits_per_char(total, 12) == pytest.approx(0.5)
    assert perplexity(0.0, 5) == 1.0
    assert perplexity(1e-15, 1) == 1.0  # a rounding above 0 is not an error
    assert str(bits_per_char(0.0, 5)) == "0.0"  # not -0.0
    assert perplexity(-math.inf, 3) == math.inf
    assert bits_per_char(-math.inf, 3) == math.inf
    assert perplexity(-1e6, 1) == math.inf


def test_aer_by_hand():
    # Sentence 1: 4 proposed, (0, 0) and (1, 1) sure, (2, 1) possible, (3, 3) wrong; 3 sure links.
    # Sentence 2: 1 proposed, which is sure; 1 sure link.
    predicted = [{(0, 0), (1, 1), (2, 1), (3, 3)}, {(0, 1)}]
    sure = [{(0, 0), (1, 1), (3, 2)}, {(0, 1)}]
    possible = [sure[0] | {(2, 1), (2, 2)}, {(0, 1), (1, 1)}]
    score = aer(predicted, sure, possible)
    assert score.precision == 4 / 5
    assert score.recall == 3 / 4
    assert score.aer == pytest.approx(1 - (3 + 4) / (5 + 4))
    assert (score.predicted, score.sure, score.sure_found, score.possible_found) == (5, 4, 3, 4)
    # counts are summed over sentences: the mean of 1 - 5/7 and 0 would be another number
    assert score.aer != pytest.approx((1 - 5 / 7) / 2)
    assert str(score) == "AER 0.2222 (precision 0.8000, recall 0.7500)"
    assert float(score) == score.aer


def test_aer_of_nothing():
    some, none = [{(0, 0)}], [set()]
    silent = aer(none, some, some)  # nothing proposed: nothing wrong, everything missed
    assert (silent.aer, silent.precision, silent.recall) == (1.0, 1.0, 0.0)
    loud = aer(some, none, none)  # nothing to find
    assert (loud.aer, loud.precision, loud.recall) == (1.0, 0.0, 1.0)
    quiet = aer(none, none, some)
    assert (quiet.aer, quiet.precision, quiet.recall) == (0.0, 1.0, 1.0)
    optional = aer(some, none, some)  # only a possible link, and it was proposed
    assert (optional.aer, optional.precision, optional.recall) == (0.0, 1.0, 1.0)
    assert aer([[(0, 0), (0, 0)]], some, some).predicted == 1  # twice is once


# ------------------------------------------------------------------------------ oracles


def ngrams(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def slow_bleu(hypotheses, references):
    """Papineni et al. (2002), equations of section 2, written down literally."""
    c = sum(map(len, hypotheses))
    r = 0
    for said, accepted in zip(hypotheses, references, strict=True):
        r += min((abs(len(one) - len(said)), len(one)) for one in accepted)[1]
    product = 1.0
    for n in range(1, 5):
        clipped = possible = 0
        for said, accepted in zip(hypotheses, references, strict=True):
            for ngram, count in ngrams(said, n).items():
                possible += count
                clipped += min(count, max(ngrams(one, n)[ngram] for one in accepted))
        product *= clipped / possible if possible else 0.0
    if product == 0:
        return 0.0
    return 100 * (1 if c > r else math.exp(1 - r / c)) * product**0.25


def slow_chrf(hypotheses, references):
    """Popović (2015), equation 1; averages over the orders that exist; the best reference."""

    def value(counts):
        used = [(h, r, m) for h, r, m in counts if h and r]
        if not used:
            return 0.0
        precision = sum(m / h for h, r, m in used) / len(used)
        recall = sum(m / r for h, r, m in used) / len(used)
        return 500 * precision * recall / (4 * precision + recall) if precision + recall else 0.0

    def triples(said, one):
        for n in range(1, 7):
            h, r = ngrams("".join(said), n), ngrams("".join(one), n)
            # sacrebleu: n-grams said are not held against a reference too short to have any
            yield (h.total() if r else 0, r.total(), (h & r).total())

    totals = [[0, 0, 0] for _ in range(6)]
    for said, accepted in zip(hypotheses, references, strict=True):
        shortest_first = sorted(map(" ".join, accepted), key=lambda line: (len(line), line))
        best = max((list(triples(said, line.split())) for line in shortest_first), key=value)
        totals = [
            [a + b for a, b in zip(x, y, strict=True)] for x, y in zip(totals, best, strict=True)
        ]
    return value(totals)


@LAW
@given(CORPUS)
def test_bleu_equals_the_paper(corpus):
    said, accepted = zip(*corpus, strict=True)
    assert bleu(said, accepted, smooth="none").value == pytest.approx(slow_bleu(said, accepted))


@LAW
@given(CORPUS)
def test_chrf_equals_the_paper(corpus):
    said, accepted = zip(*corpus, strict=True)
    assert chrf(said, accepted).value == pytest.approx(slow_chrf(said, accepted))


def gold(linked):
    predicted, sure, more = zip(*linked, strict=True)
    return predicted, sure, [s | p for s, p in zip(sure, more, strict=True)]


@LAW
@given(LINKED)
def test_aer_equals_the_paper(linked):
    """Och and Ney (2003), section 5.1, one link at a time."""
    predicted, sure, possible = gold(linked)
    links = [(n, link) for n, sentence in enumerate(predicted) for link in sentence]
    gold_links = [(n, link) for n, sentence in enumerate(sure) for link in sentence]
    right = sum(link in possible[n] for n, link in links)
    found = sum(link in predicted[n] for n, link in gold_links)
    score = aer(predicted, sure, possible)
    if links:
        assert score.precision == right / len(links)
    if gold_links:
        assert score.recall == found / len(gold_links)
    if links or gold_links:
        assert score.aer == pytest.approx(1 - (found + right) / (len(links) + len(gold_links)))


# ------------------------------------------------------------------------------ laws


@LAW
@given(LINKED)
def test_aer_is_an_error_rate(linked):
    predicted, sure, possible = gold(linked)
    score = aer(predicted, sure, possible)
    assert 0 <= score.aer <= 1
    perfect = all(s <= a <= p for a, s, p in zip(predicted, sure, possible, strict=True))
    assert (score.aer == 0) == perfect
    assert (score.precision == 1 == score.recall) == perfect
    assert aer(predicted[::-1], sure[::-1], possible[::-1]) == score
    assert aer(sure, sure, possible).aer == 0 == aer(possible, sure, possible).aer


@LAW
@given(LINKED)
def test_aer_with_one_kind_of_gold_links_is_one_minus_f1(linked):
    predicted, sure, _ = gold(linked)
    score = aer(predicted, sure, sure)
    p, r = score.precision, score.recall
    if score.sure_found:
        assert score.aer == pytest.approx(1 - 2 * p * r / (p + r))


@LAW
@given(CORPUS)
def test_the_references_are_a_set(corpus):
    said, accepted = zip(*corpus, strict=True)
    shuffled = [[*reversed(one), one[0]] for one in accepted]  # other order, one of them twice
    assert bleu(said, shuffled) == bleu(said, accepted)
    assert chrf(said, shuffled) == chrf(said, accepted)
    assert exact_match(said, shuffled) == exact_match(said, accepted)


@LAW
@given(st.lists(ACCEPTED, min_size=1, max_size=6))
def test_saying_the_last_reference_is_perfect(accepted):
    said = [one[-1] for one in accepted]
    assert exact_match(said, accepted) == 1.0
    assert chrf(said, accepted).value == 100.0
    if max(map(len, said)) >= 4:  # else there is no 4-gram, and BLEU is 0 by definition
        assert bleu(said, accepted).value == 100.0


def test_a_missing_reference_is_not_an_empty_one():
    # One sentence with two references beside one with a single, longer reference: were the gap
    # filled with "", the second sentence's nearest length would be 0 and nothing penalised.
    said = words("a b c d e", "a b c d")
    accepted = [words("a b c d e", "a b c d e f"), words("a b c d e f g h i")]
    assert bleu(said, accepted).value == pytest.approx(100 * math.exp(1 - 14 / 9))


def test_the_signature_says_what_was_done():
    signature = bleu(HYPOTHESES, REFERENCES).signature
    assert re.fullmatch(
        r"nrefs:var\|case:mixed\|eff:no\|tok:none\|smooth:exp\|version:[\d.]+", signature
    )
    assert "nrefs:2|" in bleu(HYPOTHESES, [one[:2] for one in REFERENCES]).signature
    assert "smooth:none|" in bleu(HYPOTHESES, REFERENCES, smooth="none").signature
    assert chrf(HYPOTHESES, REFERENCES).signature.startswith(
        "nrefs:var|case:mixed|eff:yes|nc:6|nw:0"
    )


def test_score_reads_nicely_and_is_frozen():
    score = bleu(HYPOTHESES, REFERENCES)
    assert str(score) == f"BLEU 59.24 [{score.signature}]"
    assert float(score) == score.value
    with pytest.raises(AttributeError):
        score.value = 100.0
    assert score == Score("BLEU", score.value, score.signature, score.detail)


def test_words_are_not_tokenised_again_and_nothing_is_logged(caplog):
    # sacrebleu's default tokeniser would split "n't" and "3.5"; and it warns about " ." at the end
    # of 100 lines, unless it is told that the words were separated on purpose.
    said = words("do n't pay $3.5 .") * 120
    assert bleu(said, [[one] for one in said]).detail.endswith("600 words for 600")
    assert caplog.records == []


def test_an_empty_hypothesis_is_a_bad_translation_not_an_error():
    accepted = [words("a b c d e"), words("a b c d e")]
    assert bleu([[], []], accepted).value == 0.0
    assert chrf([[], []], accepted).value == 0.0
    assert exact_match([[], []], accepted) == 0.0
    assert bleu(words("a b c d e", ""), accepted).value == pytest.approx(100 * math.exp(-1))


def test_arguments_are_not_changed():
    said = [["a", "b"], ["c"]]
    accepted = [[["a", "b"]], [["c"], ["c", "d"]]]
    for metric in (bleu, chrf, exact_match):
        metric(said, accepted)
    assert said == [["a", "b"], ["c"]]
    assert accepted == [[["a", "b"]], [["c"], ["c", "d"]]]


# ------------------------------------------------------------------------------ resampling

# Two systems and the references of forty sentences: the second repeats a word now and then.
RNG = np.random.default_rng(5)
TEXT = [[f"w{n}" for n in RNG.integers(9, size=RNG.integers(4, 15))] for _ in range(40)]
ONE = [[w if RNG.random() < 0.8 else "x" for w in words] for words in TEXT]
TWO = [[w if RNG.random() < 0.9 else "y" for w in words] for words in ONE]
GOLD = [[words] for words in TEXT]


def share(hits):
    return Statistics("share", tuple((int(hit), 1) for hit in hits), lambda s: s[0] / s[1])


@LAW
@given(CORPUS, LINKED, st.data())
def test_statistics_give_the_score_of_any_selection(corpus, linked, data):
    said, accepted = zip(*corpus, strict=True)
    metrics = [
        (bleu_statistics(said, accepted), lambda h, r: bleu(h, r).value),
        (
            bleu_statistics(said, accepted, smooth="none"),
            lambda h, r: bleu(h, r, smooth="none").value,
        ),
        (chrf_statistics(said, accepted), lambda h, r: chrf(h, r).value),
        (exact_match_statistics(said, accepted), exact_match),
    ]
    numbers = st.lists(st.integers(0, len(corpus) - 1), min_size=1, max_size=8)
    chosen = data.draw(numbers)
    for statistics, score in metrics:
        assert statistics.value == score(said, accepted)  # to the last bit
        part = statistics.select(chosen)
        assert part.value == score([said[k] for k in chosen], [accepted[k] for k in chosen])
        assert statistics.select(reversed(range(len(corpus)))).value == statistics.value
    predicted, sure, possible = gold(linked)
    statistics = aer_statistics(predicted, sure, possible)
    assert statistics.value == aer(predicted, sure, possible).aer


def test_statistics_of_perplexity():
    statistics = perplexity_statistics([-3.0, -1.5, 0.0], [2, 1, 1])
    assert statistics.value == perplexity(-4.5, 4)
    assert statistics.select([1]).value == perplexity(-1.5, 1)
    with pytest.raises(ValueError, match="2 log-probabilities but 1 counts, expected as many"):
        perplexity_statistics([-1.0, -2.0], [1])
    with pytest.raises(ValueError, match="count is 0, expected at least 1"):
        perplexity_statistics([-1.0, -2.0], [1, 0])


def test_a_resample_is_a_corpus_of_drawn_sentences():
    """The slow way: draw sentences, score their words again."""
    rng = np.random.default_rng(3)
    slow = []
    for _ in range(20):
        drawn = rng.integers(len(ONE), size=len(ONE))
        slow.append(bleu([ONE[k] for k in drawn], [GOLD[k] for k in drawn]).value)
    assert resample(bleu_statistics(ONE, GOLD), resamples=20, seed=3) == slow


@pytest.mark.parametrize("name", ["BLEU", "chrF"])
def test_sacrebleu_draws_the_same_and_agrees(name):
    from sacrebleu.metrics import BLEU, CHRF
    from sacrebleu.significance import PairedTest

    metric = {"BLEU": BLEU(tokenize="none", force=True), "chrF": CHRF()}[name]
    lines = [[" ".join(words) for words in system] for system in (ONE, TWO, TEXT)]
    systems = [("one", lines[0]), ("two", lines[1])]
    found = PairedTest(systems, {name: metric}, [lines[2]], test_type="bs", n_samples=200)()
    two = list(found[1].values())[-1][1]  # the first are the names of the systems
    count = {"BLEU": bleu_statistics, "chrF": chrf_statistics}[name]
    ours = [
        np.array(resample(count(system, GOLD), resamples=200, seed=12345)) for system in (ONE, TWO)
    ]
    in_order = np.sort(ours[1])
    assert two.score == pytest.approx(count(TWO, GOLD).value)
    assert two.mean == pytest.approx(ours[1].mean(), rel=1e-6)  # sacrebleu counts in float32
    assert two.ci == pytest.approx((in_order[194] - in_order[5]) / 2, rel=1e-6)
    interval = bootstrap(count(TWO, GOLD), resamples=200, seed=12345)
    assert (interval.high - interval.low) / 2 == pytest.approx(two.ci, rel=0.05)
    difference = count(ONE, GOLD).value - count(TWO, GOLD).value
    far = abs(ours[1] - ours[0])
    assert two.p_value == ((far - far.mean() > difference).sum() + 1) / 201
    # ours counts signed differences in both directions, around the true one
    comparison = paired_bootstrap(count(ONE, GOLD), count(TWO, GOLD), resamples=200, seed=12345)
    assert comparison.difference.value == pytest.approx(difference)
    assert comparison.wins == ((ours[0] > ours[1]) + (ours[0] == ours[1]) / 2).mean()
    assert abs(comparison.p_value - two.p_value) < 0.02


def test_paired_bootstrap_against_all_resamples():
    one, two = share([1, 0, 1, 1]), share([0, 1, 0, 1])
    gains = np.array([1, -1, 1, 0])
    differences = np.array([gains[list(drawn)].mean() for drawn in product(range(4), repeat=4)])
    comparison = paired_bootstrap(one, two, resamples=4000, seed=1)
    assert comparison.difference.value == 0.25
    wins = (differences > 0).mean() + (differences == 0).mean() / 2
    assert comparison.wins == pytest.approx(wins, abs=0.03)
    far = (abs(differences - 0.25) >= 0.25).mean()
    assert comparison.p_value == pytest.approx(far, abs=0.03)
    ends = np.quantile(differences, [0.025, 0.975])
    assert [comparison.difference.low, comparison.difference.high] == pytest.approx(ends, abs=1e-9)


def test_approximate_randomisation_against_all_exchanges():
    said, other, accepted = ONE[:8], TWO[:8], GOLD[:8]
    true = abs(bleu(said, accepted).value - bleu(other, accepted).value)
    far = []
    for exchanged in product([False, True], repeat=8):
        mixed = zip(said, other, exchanged, strict=True)
        left, right = zip(*[(b, a) if swap else (a, b) for a, b, swap in mixed], strict=True)
        far.append(abs(bleu(left, accepted).value - bleu(right, accepted).value) >= true - 1e-9)
    one, two = (bleu_statistics(system, accepted) for system in (said, other))
    p = approximate_randomisation(one, two, trials=4000)
    assert p == pytest.approx(np.mean(far), abs=0.03)
    assert 0.02 < np.mean(far) < 0.9  # else the test says little


def test_interval_covers_and_tests_do_not_cry_wolf():
    """200 test sets of 60 sentences from a large population: the interval should miss 5 %."""
    rng = np.random.default_rng(0)
    population = bleu_statistics(ONE, GOLD)
    covered = rejected = 0
    for seed in range(200):
        sample = population.select(rng.integers(40, size=60).tolist())
        interval = bootstrap(sample, resamples=200, seed=seed)
        covered += interval.low <= population.value <= interval.high
        first, second = (share(rng.random(60) < 0.5) for _ in range(2))  # equally good
        rejected += approximate_randomisation(first, second, trials=99, seed=seed) <= 0.05
    assert 0.90 <= covered / 200 <= 0.98
    assert 0.01 <= rejected / 200 <= 0.09


def test_pairing_sees_what_single_intervals_hide():
    # Half of the sentences are hard for both; the second system misses four more.
    one = share([1, 0] * 100)
    two = share([0, 0] * 4 + [1, 0] * 96)
    assert bootstrap(two).high > one.value > two.value > bootstrap(one).low
    comparison = paired_bootstrap(one, two)
    assert comparison.difference.low > 0
    assert comparison.wins > 0.95
    assert comparison.p_value < 0.1


@LAW
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_laws_of_comparisons(hits):
    one, two = (share(column) for column in zip(*hits, strict=True))
    there, back = (paired_bootstrap(*pair, resamples=40) for pair in ((one, two), (two, one)))
    assert there.difference.value == -back.difference.value
    assert there.wins == pytest.approx(1 - back.wins)
    assert there.p_value == back.p_value
    assert 0 < there.p_value <= 1
    assert there.difference.low <= there.difference.high
    p = approximate_randomisation(one, two, trials=20)
    assert p == approximate_randomisation(two, one, trials=20)
    assert 1 / 21 <= p <= 1
    same = paired_bootstrap(one, one, resamples=20)
    assert (same.difference.value, same.wins, same.p_value) == (0, 0.5, 1)
    assert approximate_randomisation(one, one, trials=20) == 1
    narrow, wide = (bootstrap(one, resamples=40, level=level) for level in (0.5, 0.9))
    assert wide.low <= narrow.low <= narrow.high <= wide.high
    assert bootstrap(one, resamples=40) == bootstrap(one, resamples=40)


def test_no_p_value_is_zero_and_no_score_above_its_best():
    right, wrong = share([1] * 60), share([0] * 60)
    assert approximate_randomisation(right, wrong, trials=9) == 1 / 10
    assert paired_bootstrap(right, wrong, resamples=9).p_value == 1 / 10
    assert bleu_statistics(TEXT, GOLD).value == 100.0 == chrf_statistics(TEXT, GOLD).value


def test_the_seed_is_the_only_chance():
    statistics = bleu_statistics(ONE, GOLD)
    assert resample(statistics, resamples=9, seed=1) == resample(statistics, resamples=9, seed=1)
    assert resample(statistics, resamples=9, seed=1) != resample(statistics, resamples=9, seed=2)
    few, more = (resample(statistics, resamples=n, seed=1) for n in (9, 12))
    assert few == more[:9]


@LAW
@given(CORPUS, SENTENCE)
def test_one_more_reference_never_lowers_exact_match(corpus, reference):
    said, accepted = zip(*corpus, strict=True)
    more = [[*one, reference] for one in accepted]
    assert exact_match(said, more) >= exact_match(said, accepted)


def test_buckets_hold_every_sentence_once():
    statistics = bleu_statistics(ONE, GOLD)
    lengths = [len(words) for words in TEXT]
    buckets = by_bucket(statistics, lengths, (3, 6, 10), resamples=30)
    assert [bucket.label for bucket in buckets] == ["1-3", "4-6", "7-10", "11+"]
    assert sum(bucket.sentences for bucket in buckets) == 40
    assert buckets[0].score is None  # no sentence has fewer than four words
    short = [k for k in range(40) if 4 <= lengths[k] <= 6]
    assert buckets[1].sentences == len(short)
    assert buckets[1].score.value == bleu([ONE[k] for k in short], [GOLD[k] for k in short]).value
    assert buckets[1].score == bootstrap(statistics.select(short), resamples=30)
    assert by_bucket(statistics, lengths, ())[0].score == bootstrap(statistics)
    assert str(buckets[0]) == "1-3: - (0 sentences)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: bootstrap(s, resamples=0), "resamples is 0, expected at least 1"),
        (lambda s: bootstrap(s, level=1.0), "the level is 1.0, expected a share between 0 and 1"),
        (lambda s: approximate_randomisation(s, s, trials=0), "trials is 0, expected at least 1"),
        (lambda s: paired_bootstrap(s, s.select([0])), "2 sentences, the second 1, expected the"),
        (
            lambda s: approximate_randomisation(s, chrf_statistics([["a"]] * 2, [[["a"]]] * 2)),
            "cannot compare share with chrF, expected one metric",
        ),
        (lambda s: by_bucket(s, [1], (2,)), "1 lengths for 2 sentences"),
        (lambda s: by_bucket(s, [1, 0], (2,)), "a length is 0, expected at least 1"),
        (lambda s: by_bucket(s, [1, 1], (4, 4)), "the edges are [4, 4], expected numbers that ri"),
        (lambda s: by_bucket(s, [1, 1], (0, 4)), "the edges are [0, 4], expected numbers that ri"),
        (lambda s: s.select([]), "there are no sentences, expected at least one"),
        (
            lambda s: Statistics("share", ((1, 1), (1,)), s.score),
            "the row of sentence 2 has 1 numbers, expected 2 as in the first",
        ),
    ],
)
def test_bad_calls_of_the_resamplers_are_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(share([1, 0]))


# ------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("metric", [bleu, chrf, exact_match])
@pytest.mark.parametrize(
    ("said", "accepted", "error", "message"),
    [
        ([], [], ValueError, "there are no sentences"),
        ([["a"]], [[["a"]], [["b"]]], ValueError, "1 hypotheses but references for 2 sentences"),
        ([["a"], ["b"]], [[["a"]], []], ValueError, "sentence 2 has no reference"),
        ([["a"]], [[["a"], []]], ValueError, "reference 2 of sentence 1 has no words"),
        ([["a b"]], [[["a"]]], ValueError, "hypothesis 1 contains 'a b', expected words without"),
        ([["a"]], [[["a", ""]]], ValueError, "reference 1 of sentence 1 contains ''"),
        (["a b"], [[["a"]]], TypeError, "hypothesis 1 is one string"),
        ([["a"]], [["a", "b"]], TypeError, "references of sentence 1 are not a sequence of word"),
        ([["a"]], ["a"], TypeError, "references of sentence 1 are not a sequence of word"),
        ("a", [[["a"]]], TypeError, "are one string"),
    ],
)
def test_bad_input_is_named(metric, said, accepted, error, message):
    with pytest.raises(error, match=re.escape(message)):
        metric(said, accepted)


def test_a_number_is_not_a_word():
    with pytest.raises(TypeError):  # from our check, or from beartype's, which runs in the tests
        exact_match([[3]], [[["a"]]])


@pytest.mark.parametrize(
    ("links", "message"),
    [
        (([], [], []), "there are no sentences"),
        (([set()], [set()], []), "predicted links for 1 sentences, sure links for 1, possible lin"),
        (([set()], [set(), set()], [set(), set()]), "predicted links for 1 sentences, sure links"),
        (([set()], [{(1, 2), (0, 1)}], [{(1, 2)}]), "sure link (0, 1) of sentence 1 is not among"),
        (([{(0, 1)}, {(-1, 1)}], [set()] * 2, [set()] * 2), "predicted link (-1, 1) of sentence 2"),
        (([set()], [set()], [{(0, 1, 2)}]), "possible link (0, 1, 2) of sentence 1, expected a p"),
        (([set()], [{("a", 1)}], [set()]), "sure link ('a', 1) of sentence 1"),
        (([{(0.5, 1)}], [set()], [set()]), "predicted link (0.5, 1) of sentence 1"),
    ],
)
def test_bad_links_are_named(links, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        aer(*links)


def test_importing_the_metrics_imports_nothing_slow():
    code = (
        "import sys, softalign.metrics;"
        "sys.exit(bool({'numpy', 'sacrebleu', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_unknown_smoothing_is_refused():
    with pytest.raises(ValueError, match="smooth is 'floor', expected 'exp' or 'none'"):
        bleu([["a"]], [[["a"]]], smooth="floor")


@pytest.mark.parametrize(
    ("total", "count", "message"),
    [
        (-1.0, 0, "expected at least 1"),
        (-1.0, -3, "expected at least 1"),
        (0.5, 2, "is 0.5, expected at most 0"),
        (math.nan, 2, "is nan, expected at most 0"),
    ],
)
def test_bad_averages_are_refused(total, count, message):
    with pytest.raises(ValueError, match=message):
        perplexity(total, count)
    with pytest.raises(ValueError, match=message):
        bits_per_char(total, count)
