"""The statistical systems on all splits: what is compared, what is counted, what is left out."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign import runs
from softalign.aligner import align
from softalign.corpus import Pair
from softalign.experiments import messages, statistical
from softalign.experiments._translation import corpus
from softalign.experiments.statistical import EXPERIMENT, build, measures, train
from softalign.ibm import index, train_ibm1
from softalign.metrics import aer, bleu, chrf
from softalign.phrases import build_table
from softalign.stack_decoder import FEATURES, UNTUNED, StackDecoder
from softalign.stack_decoder import tune as tune_for_real

# Three hundred pairs are too few to estimate the discounts of long n-grams.
pytestmark = pytest.mark.filterwarnings("ignore:discounts of the lengths:UserWarning")
SPLITS = ("validation", "test", "novel", "deep", "long")
LAW = settings(derandomize=True, deadline=None, max_examples=40)


def row(system, text="corpus", seed=0):
    return EXPERIMENT.rows[f"{system}, {text}, seed {seed}"]


def sides(pairs):
    return [(pair.source, pair.target) for pair in pairs]


def shortest(pairs, number):
    return tuple(sorted(pairs, key=lambda pair: len(pair.source))[:number])


@pytest.fixture
def few(monkeypatch):
    """Three hundred pairs to train on, ten to tune on, a few of each split to test on."""
    data = corpus()
    parts = (
        data.train[:300],
        shortest(data.validation, 10),
        {name: shortest(getattr(data, name), 6) for name in SPLITS},
    )
    monkeypatch.setattr(statistical, "_pairs", lambda text: parts)
    statistical._links.cache_clear()
    yield parts
    statistical._links.cache_clear()


# --- the rows -------------------------------------------------------------------------------------


def test_rows_are_two_systems_on_two_texts_with_three_seeds():
    names = product(("word for word", "phrase-based"), ("corpus", "messages"), range(3))
    assert {
        (config["system"], config["text"], config["seed"]) for config in EXPERIMENT.rows.values()
    } == set(names)
    for name, config in EXPERIMENT.rows.items():
        assert name == f"{config['system']}, {config['text']}, seed {config['seed']}"
        assert config["order"] == {"corpus": 7, "messages": 3}[config["text"]]


def test_the_corpus_is_trained_on_train_and_tuned_on_validation_pairs():
    data = corpus()
    train_on, tune_on, splits = statistical._pairs("corpus")
    assert train_on == data.train
    assert tune_on == data.validation[:150]
    assert splits == {name: getattr(data, name) for name in SPLITS}


def test_messages_are_tuned_on_training_messages_that_the_table_does_not_see():
    parts = messages.messages()
    train_on, tune_on, splits = statistical._pairs("messages")
    assert (*train_on, *tune_on) == parts["train"]
    assert len(tune_on) == 80
    assert splits == {"seen": parts["train"][:100], "unseen": parts["test"]}
    assert set(splits["seen"]) <= set(train_on)
    assert not {pair.source for pair in splits["unseen"]} & {pair.source for pair in train_on}


def test_links_are_those_of_the_training_pairs_and_then_of_the_test_pairs(few):
    train_on, _, splits = few
    links, asked = statistical._links("corpus")
    every = align(sides((*train_on, *splits["test"])))
    assert links == every[: len(train_on)]
    assert asked == every[len(train_on) :]
    assert len(asked) == len(splits["test"])


def test_without_test_pairs_there_are_links_of_the_training_pairs_alone(monkeypatch, few):
    train_on, tune_on, splits = few
    parts = train_on, tune_on, {"unseen": splits["test"]}
    monkeypatch.setattr(statistical, "_pairs", lambda text: parts)
    links, asked = statistical._links("messages")
    assert links == align(sides(train_on))
    assert asked == []


# --- word for word --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words():
    """Word for word, built once from 300 pairs."""
    patch = pytest.MonkeyPatch()
    data = corpus()
    parts = data.train[:300], data.validation[:5], {"test": data.test[:5]}
    patch.setattr(statistical, "_pairs", lambda text: parts)
    statistical._links.cache_clear()
    system = build(row("word for word"))
    patch.undo()
    statistical._links.cache_clear()
    return system


def vocabulary():
    return sorted({word for pair in corpus().train[:300] for word in pair.source})


def test_word_for_word_knows_single_words_and_keeps_their_order(words):
    table = words.table
    links = align(sides((*corpus().train[:300], *corpus().test[:5])))[:300]
    assert len(table) == len(build_table(sides(corpus().train[:300]), links, max_length=1))
    assert not any(table.get(list(pair.source[:2])) for pair in corpus().train[:100])
    assert words.distortion_limit == 0


@LAW
@given(st.lists(st.sampled_from([*vocabulary(), "手册", "Zzz"]), min_size=1, max_size=9))
def test_word_for_word_translates_each_word_as_if_it_stood_alone(words, source):
    """So its order is that of the Chinese, and no neighbour has a say, however many there are."""
    alone = [english for word in source for english in words.translate([word])]
    assert words.translate(source) == alone


def test_word_for_word_takes_the_likeliest_english_by_the_links(words):
    """Counted by hand from the links, for the words that leave no doubt."""
    pairs = sides(corpus().train[:300])
    links = align(sides((*corpus().train[:300], *corpus().test[:5])))[:300]
    counts: dict[str, dict[str, int]] = {}
    for (source, target), found in zip(pairs, links, strict=True):
        for i, j in found:
            if sum(a == i for a, _ in found) == sum(b == j for _, b in found) == 1:
                row_ = counts.setdefault(source[i], {})
                row_[target[j]] = row_.get(target[j], 0) + 1
    asked = 0
    for word, row_ in counts.items():
        best, *rest = sorted(row_.values(), reverse=True)
        if best < 5 or (rest and rest[0] > best / 2):
            continue
        asked += 1
        assert words.translate([word]) == [max(row_, key=row_.get)]
    assert asked > 40


def test_word_for_word_copies_what_it_does_not_know(words):
    assert words.translate(["望远镜镜"]) == ["望远镜镜"]


def test_no_word_is_copied_for_which_there_is_english(words):
    known = [word for word in vocabulary() if words.table.get([word])]
    assert len(known) > 100
    assert all(words.translate([word]) != [word] for word in known if not word.isascii())


def test_only_the_direct_probability_and_copies_count_for_word_for_word(words):
    weights = {name: value for name, value in words.weights.items() if value}
    assert weights == {"phrase_direct": 1.0, "copied": -10.0}
    assert set(words.weights) == set(FEATURES)


# --- phrases --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 2])
def test_phrases_are_tuned_on_the_tuning_pairs_with_the_seed_of_the_row(monkeypatch, few, seed):
    train_on, tune_on, _ = few
    seen = {}

    def spy(decoder, sources, references, **options):
        seen.update(options, decoder=decoder, sources=sources, references=references)
        return tuned, []

    tuned = build(row("word for word"))  # any decoder that is not the untuned one
    monkeypatch.setattr(statistical, "tune", spy)
    assert build(row("phrase-based", seed=seed)) is tuned
    plain = seen.pop("decoder")
    assert isinstance(plain, StackDecoder)
    assert plain.weights == UNTUNED
    assert (plain.beam, plain.max_options, plain.distortion_limit) == (10, 10, 10)
    links, _ = statistical._links("corpus")
    assert len(plain.table) == len(build_table(sides(train_on), links))
    assert plain.language_model.order == 7
    assert seen.pop("sources") == [pair.source for pair in tune_on]
    assert seen.pop("references") == [pair.references for pair in tune_on]
    assert seen == {"rounds": 3, "n": 50, "starts": 1, "seed": seed, "progress": False}


def test_the_language_model_has_the_order_of_the_row_and_reads_english(few):
    train_on, _, _ = few
    for system, order in (("word for word", 7), ("word for word", 3)):
        model = build({**row(system), "order": order}).language_model
        assert model.order == order
        first = train_on[0].target
        assert model.sentence_log_prob(first) > model.sentence_log_prob(first[::-1])


def test_the_table_knows_nothing_of_the_test_pairs(monkeypatch):
    """Their links are found together with those of the training pairs, but they make no phrases."""
    data = corpus()
    strange = Pair(("手册", "好"), ("handbook", "good"), (), frozenset(), frozenset(), ())
    parts = data.train[:200], data.validation[:3], {"test": (strange,) * 20}
    monkeypatch.setattr(statistical, "_pairs", lambda text: parts)
    monkeypatch.setattr(statistical, "tune", lambda decoder, *_, **__: (decoder, []))
    statistical._links.cache_clear()
    for system in ("word for word", "phrase-based"):
        built = build(row(system))
        assert not built.table.get(["手册"])
        assert built.translate(["手册"]) == ["手册"]
    statistical._links.cache_clear()


# --- measures -------------------------------------------------------------------------------------


class Says:
    """A translator that has its answers from a list."""

    def __init__(self, answers):
        self.answers = {tuple(source): target for source, target in answers}

    def translate(self, source):
        return self.answers[tuple(source)].split()


def pair(words, number, *references):
    """A pair with so many Chinese words, told apart by a number."""
    known = tuple(tuple(reference.split()) for reference in references)
    source = (f"{words}-{number}",) * words
    return Pair(source, known[0], known, frozenset(), frozenset(), ())


HAND = {
    "test": [pair(3, 0, "a b c d e", "e d c b a"), pair(8, 0, "a b c d e"), pair(9, 0, "f g")],
    "novel": [pair(4, 0, "p q r s t")],
    "long": [pair(41, 0, "a a a a a"), pair(9, 1, "h i j k l")],
}
ANSWERS = ["e d c b a", "a b c d x", "f g", "p q r s t", "a a a a a", "wrong"]


def by_hand(splits=HAND):
    every = [pair for part in HAND.values() for pair in part]
    return measures(Says(zip((p.source for p in every), ANSWERS, strict=True)), splits)


def test_exact_matches_are_counted_in_each_split_and_each_reference_is_accepted():
    found = by_hand()
    assert found["exact_test"] == pytest.approx(2 / 3)
    assert found["exact_novel"] == 1
    assert found["exact_long"] == 0.5


def test_buckets_hold_the_test_and_long_pairs_together_and_no_others():
    found = by_hand()
    buckets = {name for name in found if name.startswith("exact_") and name[6].isdigit()}
    assert buckets == {"exact_1-8", "exact_9-16", "exact_41+"}  # an empty one is left out
    assert found["exact_1-8"] == 0.5  # of 3 and of 8 words; not that of novel, of 4
    assert found["exact_9-16"] == 0.5  # of test, and of long
    assert found["exact_41+"] == 1


def test_bleu_and_chrf_are_those_of_the_whole_split_against_all_references():
    found = by_hand()
    said = [answer.split() for answer in ANSWERS]
    references = [pair.references for pair in HAND["test"]]
    assert found["bleu_test"] == pytest.approx(float(bleu(said[:3], references)))
    assert found["chrf_test"] == pytest.approx(float(chrf(said[:3], references)))
    assert found["bleu_novel"] == pytest.approx(100)
    assert found["chrf_novel"] == pytest.approx(100)
    assert found["bleu_long"] < 100


def test_without_test_and_long_pairs_there_are_no_buckets():
    assert set(by_hand({"novel": HAND["novel"]})) == {"bleu_novel", "chrf_novel", "exact_novel"}


def test_test_pairs_alone_make_buckets_and_long_pairs_alone_too():
    assert "exact_9-16" in by_hand({"test": HAND["test"]})
    assert by_hand({"long": HAND["long"]})["exact_9-16"] == 0


def test_no_metric_stands_for_what_is_not_defined():
    assert not any(name.startswith(("perplexity", "unfinished")) for name in by_hand())


# --- a whole row ----------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch):
    """One round of tuning instead of three."""

    def tune(decoder, sources, references, **options):
        return tune_for_real(decoder, sources, references, **(options | {"rounds": 1, "n": 10}))

    monkeypatch.setattr(statistical, "tune", tune)


def test_a_row_is_trained_and_measured(few, quick):
    train_on, _, splits = few
    outcome = train(row("phrase-based"))
    assert outcome.steps == len(outcome.losses) == 5
    links, asked = statistical._links("corpus")
    assert outcome.parameters == len(build_table(sides(train_on), links))
    assert outcome.seconds > 0
    for name in SPLITS:
        for metric in ("bleu", "chrf", "exact"):
            assert 0 <= outcome.metrics[f"{metric}_{name}"] <= 100
    gold = [p.sure for p in splits["test"]], [p.possible for p in splits["test"]]
    assert outcome.metrics["aer"] == pytest.approx(aer(asked, *gold).aer)
    assert 0 < outcome.metrics["aer"] < 0.6


def test_losses_are_the_surprise_per_english_word_and_fall(few, quick):
    train_on, _, _ = few
    losses = train(row("word for word")).losses
    total = train_ibm1(index(sides(train_on)), 1).log_likelihoods[0]
    words_ = sum(len(pair.target) for pair in train_on)
    assert losses[0] == pytest.approx(-total / words_)
    assert losses[0] < math.log(2000)
    assert all(later < before for before, later in pairwise(losses))


def test_messages_have_no_gold_links_and_no_error_rate(monkeypatch, few, quick):
    train_on, tune_on, splits = few
    parts = train_on, tune_on, {"seen": train_on[:3], "unseen": splits["novel"]}
    monkeypatch.setattr(statistical, "_pairs", lambda text: parts)
    metrics = train(row("word for word", "messages")).metrics
    assert set(metrics) == {
        f"{metric}_{name}" for metric in ("bleu", "chrf", "exact") for name in ("seen", "unseen")
    }


def test_the_seconds_are_those_of_the_whole_way(monkeypatch, few, quick):
    """Links that an other row has found are not used: they are found again, on the clock."""
    calls = []
    monkeypatch.setattr(statistical, "align", lambda pairs: calls.append(1) or align(pairs))
    for _ in range(2):
        train(row("word for word"))
    assert len(calls) == 2


def test_phrases_translate_better_than_words(few, quick):
    plain, phrases = (train(row(name)).metrics for name in ("word for word", "phrase-based"))
    for name in SPLITS:
        assert phrases[f"bleu_{name}"] > plain[f"bleu_{name}"]
    assert phrases["aer"] == plain["aer"]


# --- what is stored -------------------------------------------------------------------------------


def test_stored_rows_leave_out_what_is_not_defined():
    for name, stored in runs.stored("statistical").items():
        assert ("aer" in stored.metrics) == ("corpus" in name)
        assert not any("perplexity" in metric for metric in stored.metrics)
        assert stored.steps == len(stored.first_losses) == 5


def test_only_the_tuning_depends_on_the_seed():
    rows = runs.stored("statistical")
    for text, split in (("corpus", "test"), ("messages", "unseen")):
        for system, different in (("word for word", 1), ("phrase-based", 3)):
            seeds = [rows[f"{system}, {text}, seed {seed}"] for seed in range(3)]
            assert len({stored.metrics[f"bleu_{split}"] for stored in seeds}) == different
            assert len({stored.parameters for stored in seeds}) == 1
