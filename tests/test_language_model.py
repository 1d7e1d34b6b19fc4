"""n-gram models: by hand, against a literal transcription, against kenlm, and the laws."""

from __future__ import annotations

import math
import time
import warnings
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.interfaces import LanguageModel
from softalign.language_model import (
    BEGIN,
    END,
    SMOOTHINGS,
    UNKNOWN,
    discounts,
    evaluate,
    read_arpa,
    train,
    write_arpa,
)
from softalign.metrics import perplexity

LAW = settings(derandomize=True, deadline=None, max_examples=40)
WORDS = st.sampled_from("abcde")
SENTENCES = st.lists(st.lists(WORDS, max_size=6), min_size=1, max_size=12)
# Words of the vocabulary, words outside it, the end of the sentence.
ASKED = [*"abcdez", END, UNKNOWN]
HISTORIES = st.lists(st.sampled_from("abcdez"), max_size=7)
SMOOTHED = [name for name in SMOOTHINGS if name != "maximum_likelihood"]

# Ten words. Single words: the 2, dog 1, runs 3, cat 2, a 1, sleeps 1, and </s> 4: 14 predictions.
# Pairs: <s> the 2, <s> a 1, <s> runs 1, the dog 1, the cat 1, dog runs 1, cat runs 1, cat sleeps 1,
# a cat 1, runs </s> 3, sleeps </s> 1: eleven pairs, nine of them once, one twice, one three times.
# Eight outcomes: six words, </s> and <unk>.
TEN_WORDS = [
    ["the", "dog", "runs"],
    ["the", "cat", "runs"],
    ["a", "cat", "sleeps"],
    ["runs"],
]


def quietly(*arguments, **options):
    """Train on a corpus too small for its discounts, without the warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return train(*arguments, **options)


def prob(model, word, *history):
    return math.exp(model.log_prob(word, history))


# --- by hand ------------------------------------------------------------------------------------


def test_maximum_likelihood_by_hand():
    model = train(TEN_WORDS, 2, "maximum_likelihood")
    assert prob(model, "the") == pytest.approx(2 / 4)  # after <s>: two of four sentences
    assert prob(model, "cat", "the") == pytest.approx(1 / 2)
    assert prob(model, END, "runs") == pytest.approx(3 / 3)
    assert prob(model, "sleeps", "dog") == 0
    # 2/4 * 1/2 * 1/2 * 3/3 = 1/8: four predictions, so the perplexity is the fourth root of 8.
    assert model.sentence_log_prob(["the", "cat", "runs"]) == pytest.approx(math.log(1 / 8))
    assert evaluate(model, [["the", "cat", "runs"]]).perplexity == pytest.approx(8**0.25)
    unigrams = train(TEN_WORDS, 1, "maximum_likelihood")
    assert prob(unigrams, "runs", "dog") == pytest.approx(3 / 14)


def test_add_k_by_hand():
    model = train(TEN_WORDS, 2, "add_k", k=1)
    assert prob(model, "cat", "the") == pytest.approx((1 + 1) / (2 + 8))
    assert prob(model, "sleeps", "dog") == pytest.approx((0 + 1) / (1 + 8))
    assert prob(model, "sleeps", "the", "zebra") == pytest.approx(1 / 8)  # nothing was counted
    half = train(TEN_WORDS, 2, "add_k", k=0.5)
    assert prob(half, "cat", "the") == pytest.approx((1 + 0.5) / (2 + 4))
    unigrams = train(TEN_WORDS, 1, "add_k", k=1)
    assert prob(unigrams, "runs") == pytest.approx((3 + 1) / (14 + 8))
    assert prob(unigrams, "zebra") == pytest.approx(1 / 22)


def test_absolute_discounting_by_hand():
    model = train(TEN_WORDS, 2, "absolute")
    # Single words: n_1 = 3 (dog, a, sleeps), n_2 = 2 (the, cat): 3 / (3 + 4).
    # Pairs: n_1 = 9, n_2 = 1: 9 / (9 + 2).
    assert model.discounts == ((3 / 7,) * 3, (9 / 11,) * 3)
    # P(runs) = (3 - 3/7) / 14 + (7 kinds * 3/7 / 14) * 1/8
    runs = Fraction(18, 7) / 14 + Fraction(3, 14) / 8
    # P(runs | dog) = (1 - 9/11) / 1 + 9/11 P(runs)
    expected = Fraction(2, 11) + Fraction(9, 11) * runs
    assert prob(model, "runs", "dog") == pytest.approx(float(expected))
    # P(runs | the) = (two kinds * 9/11 / 2) P(runs)
    assert prob(model, "runs", "the") == pytest.approx(float(Fraction(9, 11) * runs))


def test_kneser_ney_by_hand():
    model = train(TEN_WORDS, 2, "kneser_ney")
    # Different words before: the 1, a 1, dog 1, sleeps 1, cat 2 (the, a), </s> 2 (runs, sleeps),
    # runs 3 (<s>, dog, cat): 11 in all. n_1 = 4, n_2 = 2: discount 4 / (4 + 4) = 1/2.
    assert model.discounts == ((1 / 2,) * 3, (9 / 11,) * 3)
    # The rest for the uniform distribution: 7 kinds * 1/2 / 11 = 7/22, times 1/8 is 7/176.
    # P(runs) = 2.5/11 + 7/176 = 47/176, P(sleeps) = 0.5/11 + 7/176 = 15/176,
    # P(</s>) = 1.5/11 + 7/176 = 31/176.
    # P(runs | dog) = (1 - 9/11) / 1 + 9/11 * 47/176 = 775/1936
    assert prob(model, "runs", "dog") == pytest.approx(775 / 1936)
    # P(sleeps | the) = (2 kinds * 9/11 / 2) * 15/176
    assert prob(model, "sleeps", "the") == pytest.approx(135 / 1936)
    # P(</s> | runs) = (3 - 9/11) / 3 + (1 kind * 9/11 / 3) * 31/176
    assert prob(model, END, "runs") == pytest.approx(24 / 33 + 9 / 33 * 31 / 176)
    # An unseen history leaves the question to single words; <unk> has the uniform share alone.
    assert prob(model, "runs", "zebra") == pytest.approx(47 / 176)
    assert prob(model, "zebra", "zebra") == pytest.approx(7 / 176)


def test_the_three_discounts_by_hand():
    # n_1..n_4 = 6, 3, 2, 1; Y = 6/12; D_1 = 1 - 2 Y 3/6, D_2 = 2 - 3 Y 2/3, D_3+ = 3 - 4 Y 1/2
    counts = np.array([1] * 6 + [2] * 3 + [3] * 2 + [4] + [9, 0, 0])
    assert discounts(counts, modified=True) == pytest.approx((1 / 2, 1, 2))
    assert discounts(counts, modified=False) == pytest.approx((1 / 2,) * 3)


# --- a slow literal transcription of Chen & Goodman (1999) ---------------------------------------


class Literal:
    """Chen and Goodman's formulas, term by term, over dictionaries of tuples.

    Interpolated absolute discounting and Kneser-Ney (their section 2), modified Kneser-Ney (section
    3). One <s> before each sentence, and nothing can stand before it.
    """

    def __init__(self, sentences, order, smoothing):
        self.order, self.smoothing = order, smoothing
        self.vocabulary = {word for sentence in sentences for word in sentence} | {END, UNKNOWN}
        raw = Counter()
        before = defaultdict(set)
        for sentence in sentences:
            padded = (BEGIN, *sentence, END)
            for end in range(1, len(padded)):
                for start in range(max(0, end - order + 1), end + 1):
                    ngram = padded[start : end + 1]
                    raw[ngram] += 1
                    if start > 0:
                        before[ngram].add(padded[start - 1])
        self.count = Counter()
        for ngram, count in raw.items():
            lower = len(ngram) < order and ngram[0] != BEGIN
            continues = smoothing.endswith("kneser_ney") and lower
            self.count[ngram] = len(before[ngram]) if continues else count
        self.followers = defaultdict(list)
        for ngram in self.count:
            self.followers[ngram[:-1]].append(ngram)
        self.discounts = [self.estimate(length) for length in range(1, order + 1)]

    def estimate(self, length):
        n = Counter(c for ngram, c in self.count.items() if len(ngram) == length)
        if self.smoothing == "modified_kneser_ney":
            if not (n[1] and n[2] and n[3] and n[4]):
                return [0.5, 1.0, 1.5]
            y = n[1] / (n[1] + 2 * n[2])
            d = [1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]]
            return d if 0 < d[0] <= 1 and 0 < d[1] <= 2 and 0 < d[2] <= 3 else [0.5, 1.0, 1.5]
        if not (n[1] and n[2]):
            return [0.75] * 3
        return [n[1] / (n[1] + 2 * n[2])] * 3

    def prob(self, word, history):
        word = word if word in self.vocabulary else UNKNOWN
        history = tuple(w if w in self.vocabulary else UNKNOWN for w in history)
        context = (BEGIN, *history)[max(0, len(history) + 2 - self.order) :]
        return self.recurse(word, context if self.order > 1 else ())

    def recurse(self, word, context):
        lower = self.recurse(word, context[1:]) if context else 1 / len(self.vocabulary)
        following = self.followers[context]
        total = sum(self.count[ngram] for ngram in following)
        if total == 0:
            return lower
        d = [0, *self.discounts[len(context)]]
        count = self.count[(*context, word)]
        kinds = Counter(min(3, self.count[ngram]) for ngram in following)
        gamma = sum(d[r] * kinds[r] for r in (1, 2, 3)) / total
        return (count - d[min(3, count)]) / total + gamma * lower


@pytest.mark.parametrize("smoothing", ["absolute", "kneser_ney", "modified_kneser_ney"])
@LAW
@given(sentences=SENTENCES, order=st.integers(1, 5), histories=st.lists(HISTORIES, max_size=5))
def test_literal_transcription_agrees(smoothing, sentences, order, histories):
    model = quietly(sentences, order, smoothing)
    literal = Literal(sentences, order, smoothing)
    for history in [*histories, *(s[:3] for s in sentences[:3])]:
        for word in ASKED:
            expected = literal.prob(word, history)
            assert prob(model, word, *history) == pytest.approx(expected, rel=1e-9)


def test_literal_transcription_agrees_without_fallback():
    # A corpus in which every length has its counts of counts, so the estimated discounts are used.
    sentences = zipf_corpus(400)
    model = train(sentences, 3)  # a warning would be an error
    literal = Literal(sentences, 3, "modified_kneser_ney")
    assert np.array(model.discounts) == pytest.approx(np.array(literal.discounts))
    for sentence in sentences[:40]:
        for t, word in enumerate(sentence):
            expected = literal.prob(word, sentence[:t])
            assert prob(model, word, *sentence[:t]) == pytest.approx(expected, rel=1e-9)


def zipf_corpus(size, seed=0, words=400):
    """Sentences whose words follow Zipf's law and lean on the word before."""
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(size):
        sentence, last = [], 0
        for _ in range(3 + int(rng.random() * 8)):
            last = int(words ** rng.random()) if rng.random() < 0.7 else (last * 7 + 3) % words
            sentence.append(f"w{last}")
        sentences.append(sentence)
    return sentences


# --- kenlm ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_kenlm_agrees(tmp_path, order, smoothing):
    import kenlm

    sentences = zipf_corpus(300)
    heldout = [*zipf_corpus(100, seed=1, words=500), [], ["never", "seen"], sentences[0]]
    model = quietly(sentences, order, smoothing)
    write_arpa(model, tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    assert theirs.order == order
    finite = 0
    for sentence in [*heldout, *sentences]:
        ours = model.sentence_log_prob(sentence) / math.log(10)
        score = theirs.score(" ".join(sentence))
        if math.isinf(ours):
            assert score < -90
        else:
            finite += 1
            assert score == pytest.approx(ours, abs=1e-4)
    assert finite > 300


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@LAW
@given(sentences=SENTENCES, order=st.integers(1, 5), history=HISTORIES)
def test_every_distribution_sums_to_one(smoothing, sentences, order, history):
    model = quietly(sentences, order, smoothing)
    for asked in (history, sentences[0], []):
        asked = asked[:order]
        distribution = model.distribution(asked)
        assert np.all(distribution >= 0)
        assert distribution.sum() == pytest.approx(1, abs=1e-12)
        assert distribution[model.words.index(BEGIN)] == 0
        for word, expected in zip(model.words, distribution, strict=True):
            assert prob(model, word, *asked) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHED)
@LAW
@given(sentences=SENTENCES, order=st.integers(1, 4), history=HISTORIES)
def test_smoothing_leaves_no_zero(smoothing, sentences, order, history):
    model = quietly(sentences, order, smoothing)
    assert all(prob(model, word, *history) > 0 for word in ASKED)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@LAW
@given(sentences=SENTENCES, asked=SENTENCES, order=st.integers(1, 5))
def test_one_word_one_sentence_and_a_corpus_agree(smoothing, sentences, asked, order):
    model = quietly(sentences, order, smoothing, min_count=2)
    together = model.score_corpus(asked)
    one_by_one = [score for sentence in asked for score in model.score(sentence)]
    word_by_word = [
        model.log_prob(word, sentence[:t])
        for sentence in asked
        for t, word in enumerate([*sentence, END])
    ]
    assert together.tolist() == pytest.approx(one_by_one, rel=1e-12)
    assert one_by_one == pytest.approx(word_by_word, rel=1e-12)
    totals = [model.sentence_log_prob(sentence) for sentence in asked]
    assert totals == pytest.approx([sum(model.score(sentence)) for sentence in asked])


@LAW
@given(sentences=SENTENCES, order=st.integers(1, 4), history=st.lists(WORDS, min_size=4))
def test_a_history_longer_than_the_order_may_be_cut(sentences, order, history):
    model = quietly(sentences, order)
    for word in ASKED:
        expected = model.log_prob(word, history)
        assert model.log_prob(word, history[len(history) - order + 1 :]) == expected
        assert model.log_prob(word, [BEGIN, *history]) == expected


@LAW
@given(sentences=SENTENCES, order=st.integers(1, 4))
def test_maximum_likelihood_is_the_likeliest_for_its_own_text(sentences, order):
    likeliest = evaluate(train(sentences, order, "maximum_likelihood"), sentences)
    for smoothing in SMOOTHED:
        found = evaluate(quietly(sentences, order, smoothing), sentences)
        assert found.log_prob <= likeliest.log_prob + 1e-9


@LAW
@given(sentences=SENTENCES, order=st.integers(1, 5), smoothing=st.sampled_from(SMOOTHINGS))
def test_arpa_there_and_back(tmp_path_factory, sentences, order, smoothing):
    path = tmp_path_factory.mktemp("arpa") / "model.arpa"
    model = quietly(sentences, order, smoothing)
    write_arpa(model, path)
    again = read_arpa(path)
    assert set(again.words) == set(model.words)
    assert again.order == order
    asked = [*sentences, list("edcba"), ["z", "a", "z"], []]
    expected = model.score_corpus(asked)
    assert again.score_corpus(asked).tolist() == pytest.approx(
        expected.tolist(), rel=1e-7, abs=1e-7
    )


# --- what counts ---------------------------------------------------------------------------------


def test_perplexity_both_ways():
    model = train(zipf_corpus(400), 3)
    found = evaluate(model, zipf_corpus(50, seed=3))
    probabilities = np.exp(model.score_corpus(zipf_corpus(50, seed=3)))
    geometric_mean = float(np.prod(probabilities ** (1 / len(probabilities))))
    assert found.perplexity == pytest.approx(1 / geometric_mean)
    assert found.perplexity == pytest.approx(2**found.bits_per_word)
    assert found.perplexity == perplexity(found.log_prob, found.predictions)


def test_what_is_counted():
    model = train([["a", "bb"], ["a"]], 1, "maximum_likelihood")
    # P(a) = 2/5, P(bb) = 1/5, P(</s>) = 2/5. "a bb" and "": three words and ends, one end.
    found = evaluate(model, [["a", "bb"], []])
    assert (found.predictions, found.unknown) == (4, 0)
    # "a bb" and its end are 5 characters, the empty sentence's end is 1
    assert found.characters == 6
    expected = math.log(2 / 5) + math.log(1 / 5) + 2 * math.log(2 / 5)
    assert found.log_prob == pytest.approx(expected)
    assert found.bits_per_word == pytest.approx(-expected / 4 / math.log(2))
    assert found.bits_per_char == pytest.approx(-expected / 6 / math.log(2))


def test_unknown_words_are_predicted_and_can_be_left_out():
    # min_count=2 reads b and c as <unk>: P(a) = 2/6, P(<unk>) = 2/6, P(</s>) = 2/6
    model = train([["a", "b"], ["a", "c"]], 1, "maximum_likelihood", min_count=2)
    assert model.words == (UNKNOWN, BEGIN, END, "a")
    found = evaluate(model, [["a", "zebra"]])
    assert (found.predictions, found.unknown) == (3, 1)
    assert found.unknown_log_prob == pytest.approx(math.log(1 / 3))
    assert found.perplexity == pytest.approx(3)
    assert found.perplexity_of_known == pytest.approx(3)
    with_given_words = train([["a", "b"]], 1, "add_k", words=["a", "q"])
    # a 1, <unk> 1, </s> 1, q 0; each plus 1, divided by 3 + 4
    assert prob(with_given_words, "q") == pytest.approx(1 / 7)
    assert prob(with_given_words, "b") == pytest.approx(2 / 7)


def test_the_begin_symbol_is_given_and_never_predicted():
    model = quietly(TEN_WORDS, 3, "kneser_ney")
    assert model.log_prob(BEGIN, ["the"]) == -math.inf
    assert model.log_prob("the", [BEGIN]) == model.log_prob("the", [])
    assert len(model.score(["the", "cat"])) == 3


def test_it_is_a_language_model():
    assert isinstance(train(TEN_WORDS, 2, "kneser_ney"), LanguageModel)


# --- sampling ------------------------------------------------------------------------------------


class Fixed(np.random.Generator):
    """A generator whose draws are known."""

    def __init__(self, *draws):
        super().__init__(np.random.PCG64(0))
        self.draws = list(draws)

    def random(self):
        return self.draws.pop(0)


def test_sampling_by_hand():
    model = train(TEN_WORDS, 2, "maximum_likelihood")
    # After <s>, in the order of the vocabulary: the 1/2, runs 1/4, a 1/4. After "the": dog, cat.
    assert model.words[3:] == ("the", "dog", "runs", "cat", "a", "sleeps")
    assert model.sample(Fixed(0.0, 0.0, 0.5, 0.5)) == ["the", "dog", "runs"]
    assert model.sample(Fixed(0.49, 0.51, 0.99, 0.0)) == ["the", "cat", "sleeps"]
    assert model.sample(Fixed(0.5, 0.0)) == ["runs"]
    assert model.sample(Fixed(0.75, 0.0), max_words=1) == ["a"]


def test_sampled_words_follow_the_distribution():
    model = quietly(TEN_WORDS, 3)
    rng = np.random.default_rng(0)
    drawn = Counter((*model.sample(rng, max_words=1), END)[0] for _ in range(1500))
    distribution = model.distribution([])
    shares = np.array([drawn[word] / 1500 for word in model.words])
    spread = np.sqrt(distribution * (1 - distribution) / 1500)
    assert np.all(np.abs(shares - distribution) <= 4 * spread + 1e-12)


# --- warnings and errors -------------------------------------------------------------------------


def test_fixed_discounts_stand_in_and_it_is_said_once():
    # Every pair occurs twice: n_1 = 0.
    sentences = [["a", "b"], ["a", "b"]]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = train(sentences, 3)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "lengths [1, 2, 3]" in message
    assert "0.5, 1.0, 1.5" in message
    assert model.discounts == ((0.5, 1.0, 1.5),) * 3
    with pytest.warns(UserWarning, match=r"\[1, 2\].*0\.75"):
        model = train(sentences, 2, "absolute")
    assert model.discounts == ((0.75,) * 3,) * 2
    # P(b | a) = (2 - 0.75) / 2 + 0.75 / 2 P(b), P(b) = (2 - 0.75) / 6 + 3 * 0.75 / 6 * 1/4
    b = 1.25 / 6 + 2.25 / 24
    assert prob(model, "b", "a") == pytest.approx(1.25 / 2 + 0.375 * b)


@pytest.mark.parametrize("zero", [1, 2, 3, 4])
def test_a_zero_among_the_counts_of_counts_has_no_estimate(zero):
    counts = np.concatenate([np.full(9 - 2 * r, r) for r in (1, 2, 3, 4) if r != zero])
    assert discounts(counts, modified=True) is None
    assert (discounts(counts, modified=False) is None) == (zero <= 2)


def test_a_discount_outside_its_range_has_no_estimate():
    # Y = 3/5, n_3 / n_2 = 5: D_2 = 2 - 3 * 3/5 * 5 < 0
    counts = np.array([1] * 3 + [2] + [3] * 5 + [4])
    assert discounts(counts, modified=True) is None


@pytest.mark.parametrize("order", [0, -1, True])
def test_order_below_one(order):
    with pytest.raises(ValueError, match=r"^the order is .*, expected a whole number from 1 on$"):
        train(TEN_WORDS, order)


def test_bad_corpora():
    with pytest.raises(ValueError, match="no sentences to count"):
        train([], 2)
    with pytest.raises(TypeError, match="is one string"):
        train("the cat runs", 2)
    with pytest.raises(TypeError, match="is one string"):
        train(["the cat runs"], 2)
    with pytest.raises(ValueError, match="sentence 2 holds a boundary symbol"):
        train([["a", "b"], ["a", BEGIN, "b"], ["c"]], 2)
    with pytest.raises(ValueError, match=r"smoothing is 'laplace', expected one of maximum_likeli"):
        train(TEN_WORDS, 2, "laplace")
    with pytest.raises(ValueError, match="k is 0, expected a positive number"):
        train(TEN_WORDS, 2, "add_k", k=0)


def test_bad_questions():
    model = quietly(TEN_WORDS, 3, "kneser_ney")
    with pytest.raises(TypeError, match="history is one string"):
        model.log_prob("cat", "the")
    with pytest.raises(TypeError, match="sentence is one string"):
        model.sentence_log_prob("the cat")
    for sentence in (["the", END], [BEGIN, "the"]):
        with pytest.raises(ValueError, match="holds a boundary symbol"):
            model.score(sentence)
        with pytest.raises(ValueError, match="sentence 2 holds a boundary symbol"):
            model.score_corpus([["a"], sentence])
    for history in (["the", END], ["the", BEGIN]):
        with pytest.raises(ValueError, match="the history goes on after </s>"):
            model.log_prob("cat", history)
    with pytest.raises(ValueError, match="no sentences to evaluate"):
        evaluate(model, [])


def test_sentences_shorter_than_the_order_and_empty_ones():
    model = quietly([["a"], []], 5)
    assert model.order == 5
    assert len(model.levels[4].keys) == 0
    assert np.isfinite(model.score(list("aaaaaaa"))).all()
    assert model.distribution(list("aaaaa")).sum() == pytest.approx(1)
    assert model.score([]) == [model.log_prob(END, [])]


def test_a_word_with_white_space_does_not_fit_into_arpa(tmp_path):
    model = train([["a b", "c"]], 1, "add_k")
    with pytest.raises(ValueError, match="'a b' is empty or holds white space"):
        write_arpa(model, tmp_path / "model.arpa")


GOOD_ARPA = """comment

\\data\\
ngram 1=3
ngram 2=2

\\1-grams:
-99 <s> -0.3010300
-0.3010300 </s>
-0.3010300 a -0.1760913

\\2-grams:
-0.1 <s> a
-0.2\ta </s>

\\end\\
"""


def test_arpa_of_others(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_text(GOOD_ARPA)
    model = read_arpa(path)
    assert model.words == (UNKNOWN, BEGIN, END, "a")
    # <s> a is there; a a is not: weight of a and the single word; a </s> is there
    expected = [-0.1, -0.1760913 - 0.3010300, -0.2]
    assert np.array(model.score(["a", "a"])) / math.log(10) == pytest.approx(expected)
    assert model.log_prob("zebra", []) == -math.inf  # no <unk> in the file


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "data", r"expected a line \\data\\"),
        ("ngram 2=2", "ngram 3=2", r"line 5: expected 'ngram 2=COUNT' or .*, got 'ngram 3=2'"),
        ("ngram 2=2", "ngram 2=3", "expected 3 2-grams, found 2"),
        ("\\end\\", "", r"the file ends before \\end\\"),
        ("-0.1 <s> a", "-0.1 <s> b", "line 13: 'b' is not among the 1-grams"),
        ("-0.1 <s> a", "-0.2 a </s>", "line 14: 'a </s>' is there for the second time"),
        ("-0.1 <s> a", "x <s> a", "line 13: expected a number, 2 words .*, got 'x <s> a'"),
        ("-0.1 <s> a", "-0.1 a", "line 13: expected a number, 2 words"),
        ("-0.3010300 </s>", "-0.3010300 b", "expected a 1-gram </s>"),
    ],
)
def test_bad_arpa(tmp_path, old, new, message):
    path = tmp_path / "model.arpa"
    path.write_text(GOOD_ARPA.replace(old, new))
    with pytest.raises(ValueError, match=message) as caught:
        read_arpa(path)
    assert "model.arpa" in str(caught.value)


def test_arpa_with_a_lost_suffix(tmp_path):
    path = tmp_path / "model.arpa"
    longer = GOOD_ARPA.replace("ngram 2=2", "ngram 2=2\nngram 3=1")
    path.write_text(longer.replace("\\end\\", "\\3-grams:\n-0.1 <s> a a\n\n\\end\\"))
    with pytest.raises(ValueError, match="line 18: 'a a' is not among the 2-grams"):
        read_arpa(path)


# --- speed ---------------------------------------------------------------------------------------


def test_two_hundred_thousand_words_a_second():
    # Ten times as fast on the machine this was written on, so only a blunder fails.
    model = quietly(zipf_corpus(2000, words=300), 5)
    heldout = zipf_corpus(5000, seed=1, words=300)
    seconds = math.inf
    for _ in range(3):
        begin = time.perf_counter()
        scores = model.score_corpus(heldout)
        seconds = min(seconds, time.perf_counter() - begin)
    assert len(scores) / seconds > 200_000
