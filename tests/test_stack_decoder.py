"""The stack decoder: by hand, against exhaustive search, and the laws of a search and of tuning."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain, groupby, islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.interfaces import Translator
from softalign.language_model import train
from softalign.metrics import bleu, bleu_statistics
from softalign.phrases import PhraseTable, build_table
from softalign.stack_decoder import (
    FEATURES,
    NOISY_CHANNEL,
    UNTUNED,
    Candidates,
    StackDecoder,
    States,
    Step,
    all_derivations,
    bleu_counts,
    bleu_of,
    derivations,
    diagnose,
    exhaustive,
    features_of,
    force,
    future_costs,
    line_search,
    n_best,
    optimise,
    pose,
    search,
    tune,
    weight_vector,
)

LAW = settings(derandomize=True, deadline=None, max_examples=25)
SEEDS = st.integers(0, 10_000)
LIMITS = st.sampled_from([0, 1, 2, None])
TEXT = ["A B C", "B A", "C C A", "A D", "D B A C", "B"]
MODEL = train([line.split() for line in TEXT], order=3, smoothing="add_k", k=0.3)
INDEX = {name: k for k, name in enumerate(FEATURES)}


class Foreign:
    """A language model that is no n-gram model of ours; without an order it needs all history."""

    def __init__(self, order=None):
        if order:
            self.order = order

    def log_prob(self, word, history):
        return MODEL.log_prob(word, history)

    def sentence_log_prob(self, sentence):
        return MODEL.sentence_log_prob(sentence)


def draw(seed, longest=4):
    """A random source, entries for some of its spans, and weights."""
    rng = np.random.default_rng(seed)
    source = tuple("abcde"[k] for k in rng.integers(5, size=rng.integers(1, longest + 1)))
    entries = {}
    for begin in range(len(source)):
        for end in range(begin + 1, min(begin + 2, len(source)) + 1):
            for _ in range(rng.integers(0, 3)):
                target = tuple("ABCD"[k] for k in rng.integers(4, size=rng.integers(1, 3)))
                entries[source[begin:end], target] = np.log(rng.random(4)).tolist()
    entries[("z",), ("Z",)] = [0.0] * 4  # a table is never empty
    weights = dict(zip(FEATURES, (rng.random(9) - 0.2).tolist(), strict=True))
    weights |= {"distortion": float(rng.random()), "language_model": float(rng.random()) + 0.1}
    return source, [(*pair, values) for pair, values in entries.items()], weights


def posed(seed, limit, model=MODEL, longest=4, order=None):
    """The problem that `draw` draws, and its weights as a vector."""
    source, entries, weights = draw(seed, longest)
    if order is not None:
        entries = [entries[k] for k in order.permutation(len(entries))]
    vector = weight_vector(weights)
    table = PhraseTable.from_entries(entries)
    return pose(source, table, States(model), vector, distortion_limit=limit), vector


def best_of(graph):
    return next(derivations(graph))


def everything(problem, **options):
    return search(problem, beam=None, threshold=math.inf, **options)


# Two source words, "a" and "b", which change places: "B A" is the better English.
SWAP = PhraseTable.from_entries(
    [
        (["a"], ["A"], np.log([0.5, 0.4, 0.3, 0.2]).tolist()),
        (["b"], ["B"], np.log([0.6, 0.7, 0.8, 0.9]).tolist()),
    ]
)


def test_one_derivation_by_hand():
    weights = weight_vector(
        dict(zip(FEATURES, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, -9.0], strict=True))
    )
    problem = pose(["a", "b"], SWAP, States(MODEL), weights, distortion_limit=None)
    steps = (Step(1, 2, ("B",)), Step(0, 1, ("A",)))
    table = [math.log(0.5 * 0.6), math.log(0.4 * 0.7), math.log(0.3 * 0.8), math.log(0.2 * 0.9)]
    language = MODEL.sentence_log_prob(["B", "A"])
    # from 0 to 1 is a jump of 1, from 2 back to 0 one of 2
    features = [*table, language, 2, 2, -3, 0]
    assert np.allclose(features_of(steps, problem), features)
    by_hand = sum(w * f for w, f in zip(weights, features, strict=True))
    scores = {one.words: one.score for one in derivations(everything(problem))}
    assert set(scores) == {("A", "B"), ("B", "A")}
    assert math.isclose(scores["B", "A"], by_hand)


def test_noisy_channel_weights_are_the_decision_rule():
    weights = weight_vector(NOISY_CHANNEL)
    problem = pose(["a", "b"], SWAP, States(MODEL), weights, distortion_limit=0)
    found = best_of(search(problem))
    assert found.words == ("A", "B")
    channel = math.log(0.4 * 0.7)
    assert math.isclose(found.score, channel + MODEL.sentence_log_prob(["A", "B"]))


@LAW
@given(SEEDS, LIMITS)
def test_a_beam_without_end_is_exhaustive_search(seed, limit):
    problem, weights = posed(seed, limit)
    best, found = exhaustive(problem, weights), best_of(everything(problem))
    assert math.isclose(found.score, best.score, abs_tol=1e-9)
    assert math.isclose(features_of(found.steps, problem) @ weights, best.score, abs_tol=1e-9)


@LAW
@given(SEEDS, LIMITS)
def test_recombination_loses_nothing_that_is_best(seed, limit):
    problem, _ = posed(seed, limit, longest=5)
    merged, apart = everything(problem), everything(problem, recombine=False)
    assert math.isclose(best_of(merged).score, best_of(apart).score, abs_tol=1e-9)
    assert merged.created <= apart.created
    assert apart.recombined == 0


@LAW
@given(SEEDS, LIMITS)
def test_the_graph_holds_every_derivation_in_order(seed, limit):
    problem, weights = posed(seed, limit, longest=3)
    expected = sorted(
        (float(features_of(steps, problem) @ weights) for steps in all_derivations(problem)),
        reverse=True,
    )
    for options in ({}, {"recombine": False}):
        found = list(derivations(everything(problem, **options)))
        assert np.allclose([one.score for one in found], expected)
        assert len({one.steps for one in found}) == len(expected)


@LAW
@given(SEEDS, LIMITS, st.integers(1, 4))
def test_the_score_is_the_sum_of_features_times_weights(seed, limit, beam):
    problem, weights = posed(seed, limit, longest=5)
    for one in n_best(search(problem, beam=beam), 5):
        features = features_of(one.steps, problem)
        assert np.allclose(features, one.features)
        assert math.isclose(features @ weights, one.score, abs_tol=1e-9)
        assert one.words == tuple(word for step in one.steps for word in step.target)


@LAW
@given(SEEDS, LIMITS, st.integers(1, 3), st.sampled_from([0.5, 2.0, math.inf]))
def test_coverage_is_exact_and_no_jump_is_too_long(seed, limit, beam, threshold):
    problem, _ = posed(seed, limit, longest=6)
    found = best_of(search(problem, beam=beam, threshold=threshold))
    covered = sorted(k for step in found.steps for k in range(step.begin, step.end))
    assert covered == list(range(len(problem.source)))
    ends = [0, *(step.end for step in found.steps)]
    jumps = [abs(step.begin - end) for step, end in zip(found.steps, ends[:-1], strict=True)]
    assert limit is None or max(jumps) <= limit
    assert found.features[INDEX["distortion"]] == -sum(jumps)


@LAW
@given(SEEDS)
def test_limit_zero_is_monotone_translation(seed):
    """A dynamic program that knows nothing of coverage: from left to right, by whole strings."""
    problem, weights = posed(seed, 0)
    length = len(problem.source)
    tables: list[dict] = [{(): 0.0}, *({} for _ in range(length))]
    for end in range(1, length + 1):
        for begin in range(end):
            for words, score in tables[begin].items():
                for option in problem.options.get((begin, end), ()):
                    longer = words + option.target
                    new = score + option.score
                    tables[end][longer] = max(new, tables[end].get(longer, -math.inf))
    language = weights[INDEX["language_model"]]
    best = max(s + language * MODEL.sentence_log_prob(w) for w, s in tables[length].items())
    assert math.isclose(best_of(everything(problem)).score, best, abs_tol=1e-9)


@LAW
@given(SEEDS, LIMITS, st.integers(1, 5))
def test_the_order_of_the_table_does_not_matter(seed, limit, beam):
    plain, _ = posed(seed, limit)
    mixed, _ = posed(seed, limit, order=np.random.default_rng(seed))
    one, other = (best_of(search(problem, beam=beam)) for problem in (plain, mixed))
    assert one.steps == other.steps
    assert one.score == other.score


@LAW
@given(SEEDS, LIMITS, st.integers(1, 3))
def test_a_beam_never_beats_exhaustive_search_and_a_future_does_not_change_it(seed, limit, beam):
    problem, weights = posed(seed, limit)
    best = exhaustive(problem, weights).score
    assert best_of(search(problem, beam=beam)).score <= best + 1e-9
    assert math.isclose(best_of(everything(problem, use_future=False)).score, best, abs_tol=1e-9)


@LAW
@given(SEEDS, st.sampled_from([None, 3, 5]))
def test_any_language_model_gives_the_same_translation(seed, order):
    ours, _ = posed(seed, 2)
    theirs, _ = posed(seed, 2, model=Foreign(order))
    one, other = (best_of(everything(problem)) for problem in (ours, theirs))
    assert math.isclose(one.score, other.score, abs_tol=1e-9)


@pytest.mark.parametrize("model", [MODEL, Foreign(), Foreign(3), train([["A"], ["B"]], 1, "add_k")])
def test_states_say_what_the_model_says(model):
    states = States(model)
    for line in [*TEXT, "A Q B", "C A B D C A"]:
        words = line.split()
        total, state = states.walk(states.begin, [states.number(word) for word in words])
        assert math.isclose(total + states.end(state), model.sentence_log_prob(words))


def test_equal_states_are_equal_histories_and_a_useless_word_is_forgotten():
    states = States(MODEL)

    def after(line):
        return states.walk(states.begin, [states.number(word) for word in line.split()])[1]

    assert after("A B A B C") == after("D A B C")  # the model sees two words
    assert after("A B") != after("C B A")
    # "D C" was never seen: after it the model knows no more than after "C"
    assert after("A D C") == states.walk(states.free, [states.number("C")])[1]


def test_what_a_model_excludes_is_very_unlikely_but_not_impossible():
    model = train([["A"]], 1, "maximum_likelihood")
    states = States(model)
    assert states.step(states.begin, states.number("<s>"))[0] == -100


def test_permitted_moves_by_hand():
    # six words, the second is covered and was the last; limit 2
    source = list("abcdef")
    entries = [(source[i:k], ["A"], [0.0] * 4) for i in range(6) for k in range(i + 1, 7)]
    table = PhraseTable.from_entries(entries)
    problem = pose(source, table, States(MODEL), weight_vector(UNTUNED), distortion_limit=2)
    allowed = {(i, k) for i in range(6) for k in range(i + 1, 7) if problem.permits(0b10, 2, i, k)}
    # back to the gap; on to 2, which ends not more than 2 behind it only if... it never does
    assert allowed == {(0, 1)}
    free = {(i, k) for i in range(6) for k in range(i + 1, 7) if problem.permits(0, 0, i, k)}
    # from the start every length; or one word is left out, and the end is at most 2 away from it
    assert free == {(0, k) for k in range(1, 7)} | {(1, 2)}


def test_future_costs_by_hand():
    entries = [
        (["a"], ["A"], [-1.0, 0.0, 0.0, 0.0]),
        (["b"], ["B"], [-2.0, 0.0, 0.0, 0.0]),
        (["a", "b"], ["C"], [-2.5, 0.0, 0.0, 0.0]),
    ]
    weights = weight_vector({**dict.fromkeys(FEATURES, 0.0), "phrase_direct": 1.0, "copied": -7.0})
    problem = pose(list("abx"), PhraseTable.from_entries(entries), States(MODEL), weights)
    assert future_costs(problem) == {
        (0, 1): -1.0,
        (1, 2): -2.0,
        (2, 3): -7.0,
        (0, 2): -2.5,
        (1, 3): -9.0,
        (0, 3): -9.5,
    }


@LAW
@given(SEEDS, LIMITS)
def test_a_total_is_the_score_and_the_future_costs_of_all_gaps(seed, limit):
    problem, _ = posed(seed, limit, longest=6)
    costs = future_costs(problem)
    for one in chain.from_iterable(search(problem).stacks[1:]):
        gaps, place = 0.0, 0
        for covered, run in groupby(one.coverage >> k & 1 for k in range(len(problem.source))):
            end = place + len(list(run))
            gaps += 0 if covered else costs[place, end]
            place = end
        assert math.isclose(one.total, one.score + gaps, abs_tol=1e-9)


def test_future_costs_ask_the_language_model_without_history():
    weights = weight_vector({**dict.fromkeys(FEATURES, 0.0), "language_model": 2.0})
    problem = pose(["a"], SWAP, States(MODEL), weights)
    unigram = MODEL.levels[0].log_probs[MODEL.numbers["A"]]
    assert math.isclose(future_costs(problem)[0, 1], 2 * unigram)


def test_future_costs_save_what_a_narrow_beam_would_lose():
    """An easy word on the right must not push out the one that begins with the hard word."""
    entries = [
        (["h"], ["A"], [-3.0, 0.0, 0.0, 0.0]),
        (["h"], ["B"], [-3.5, 0.0, 0.0, 0.0]),
        (["e"], ["C"], [-0.1, 0.0, 0.0, 0.0]),
    ]
    names = {"phrase_direct": 1.0, "distortion": 1.0, "copied": -9.0}
    weights = weight_vector({**dict.fromkeys(FEATURES, 0.0), **names})
    problem = pose(["h", "e"], PhraseTable.from_entries(entries), States(MODEL), weights)
    best = exhaustive(problem, weights)
    assert best.words == ("A", "C")
    assert best_of(search(problem, beam=1)).words == best.words
    assert best_of(search(problem, beam=1, use_future=False)).words == ("C", "A")


def test_unknown_words_are_copied_and_counted():
    decoder = StackDecoder(SWAP, MODEL)
    found = decoder.best(["a", "Schloss", "b"])
    assert "Schloss" in found.words
    assert found.features[INDEX["copied"]] == 1
    assert decoder.translate(["x", "y"]) == ["x", "y"]


def test_a_known_word_is_not_copied_and_one_known_in_a_phrase_only_may_be():
    table = PhraseTable.from_entries([(["a", "b"], ["A"], [0.0] * 4), (["c"], ["C"], [-50.0] * 4)])
    problem = pose(["c", "a"], table, States(MODEL), weight_vector(UNTUNED))
    assert {option.target for option in problem.options[0, 1]} == {("C",)}
    assert [option.target for option in problem.options[1, 2]] == [("a",)]


def test_only_the_best_options_stay_and_ties_go_by_words():
    entries = [
        (["a"], [word], [value] * 4) for word, value in zip("DCBA", (-1, -1, -1, -2), strict=True)
    ]
    weights = weight_vector({**dict.fromkeys(FEATURES, 0.0), "phrase_direct": 1.0})
    problem = pose(["a"], PhraseTable.from_entries(entries), States(MODEL), weights, max_options=2)
    assert [option.target for option in problem.options[0, 1]] == [("B",), ("C",)]


def test_the_translator_protocol_and_the_empty_sentence():
    decoder = StackDecoder(SWAP, MODEL)
    assert isinstance(decoder, Translator)
    assert decoder.translate([]) == []
    found = decoder.best([])
    assert found.words == ()
    assert math.isclose(found.score, UNTUNED["language_model"] * MODEL.sentence_log_prob([]))


def test_a_narrow_beam_and_a_low_threshold_prune():
    problem, _ = posed(3, None, longest=6)
    wide, narrow = everything(problem), search(problem, beam=2)
    assert max(map(len, narrow.stacks)) <= 2
    assert narrow.created < wide.created
    assert narrow.pruned > 0 == wide.pruned
    low = search(problem, beam=None, threshold=0.5)
    for stack in low.stacks:
        assert all(one.total >= stack[0].total - 0.5 for one in stack)
    assert low.created < wide.created


def test_n_best_sentences_differ_and_fall():
    problem, _ = posed(3, None, longest=6)
    found = n_best(everything(problem), 8)
    assert len({one.words for one in found}) == len(found) == 8
    assert all(one.score >= other.score for one, other in pairwise(found))
    assert found[0] == best_of(everything(problem))
    assert n_best(everything(problem), 1) == found[:1]


@LAW
@given(SEEDS, LIMITS)
def test_forced_decoding_is_the_best_of_the_derivations_of_that_sentence(seed, limit):
    problem, weights = posed(seed, limit, longest=3)
    best: dict = {}
    for steps in all_derivations(problem):
        words = tuple(word for step in steps for word in step.target)
        score = float(features_of(steps, problem) @ weights)
        best[words] = max(score, best.get(words, -math.inf))
    for words, score in islice(best.items(), 10):
        assert math.isclose(force(problem, words, weights).score, score, abs_tol=1e-9)
    assert force(problem, ("nobody", "says", "this"), weights) is None


def test_diagnoses():
    problem, vector = posed(5, None)
    ranked = n_best(everything(problem), 3)
    best, second, third = ranked
    assert diagnose(problem, best, [best.words], vector) == "right"
    assert diagnose(problem, second, [third.words, second.words], vector) == "right"
    assert diagnose(problem, best, [second.words], vector) == "model error"
    assert diagnose(problem, second, [best.words], vector) == "search error"
    assert diagnose(problem, third, [second.words, best.words, ("Q",)], vector) == "search error"
    assert diagnose(problem, best, [("Q",)], vector) == "unreachable"


SENTENCES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)


@LAW
@given(
    st.lists(
        st.tuples(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=3)), min_size=1, max_size=4
    )
)
def test_bleu_counts_are_those_of_the_metric(corpus):
    said, accepted = [one for one, _ in corpus], [many for _, many in corpus]
    rows = [bleu_counts(many)(one) for one, many in corpus]
    assert tuple(rows) == bleu_statistics(said, accepted).rows
    value = float(bleu_of(np.array(rows).sum(axis=0)))
    assert math.isclose(value, bleu(said, accepted, smooth="none").value, abs_tol=1e-9)


def lists(seed, sentences=5, most=6, features=3):
    """Random candidates: features, and counts as if for sentences of ten words."""
    rng = np.random.default_rng(seed)
    real = np.arange(most) < rng.integers(1, most + 1, size=sentences)[:, None]
    matches = np.sort(rng.integers(1, 8, size=(sentences, most, 4)), axis=2)[..., ::-1]
    fixed = np.broadcast_to(np.array([10, 10]), (sentences, most, 2))
    totals = np.broadcast_to(np.array([10, 9, 8, 7]), (sentences, most, 4))
    values = rng.random((sentences, most, features))
    return Candidates(values, np.concatenate([fixed, matches, totals], axis=2), real)


def chosen_bleu(candidates, weights):
    """BLEU of the candidates that the weights choose; None if two scores nearly tie."""
    scores = np.where(candidates.real, candidates.features @ weights, -np.inf)
    top = np.sort(scores, axis=1)[:, ::-1]
    if (top[:, 0] - top[:, 1] < 1e-9).any():
        return None
    rows = candidates.counts[np.arange(len(scores)), scores.argmax(axis=1)]
    return float(bleu_of(rows.sum(axis=0)))


@LAW
@given(SEEDS)
def test_the_line_search_is_exact(seed):
    candidates = lists(seed)
    rng = np.random.default_rng(seed + 1)
    weights, direction = rng.random(3) - 0.5, rng.random(3) - 0.5
    step, value = line_search(candidates, weights, direction)
    assert chosen_bleu(candidates, weights + step * direction) in (None, pytest.approx(value))
    for other in np.linspace(-30, 30, 601):
        at = chosen_bleu(candidates, weights + other * direction)
        assert at is None or at <= value + 1e-9


def test_a_line_search_by_hand():
    # one sentence; scores along the line: 1 - g, 0.5, g - 1: corners at 0.5 and 1.5
    features = np.array([[[1.0, -1.0], [0.5, 0.0], [-1.0, 1.0]]])
    good, bad = (5, 5, 5, 4, 3, 2, 5, 4, 3, 2), (5, 5, 4, 3, 2, 1, 5, 4, 3, 2)
    counts = np.array([[bad, good, bad]])
    step, value = line_search(
        Candidates(features, counts, np.ones((1, 3), bool)),
        np.array([1.0, 0.0]),
        np.array([0.0, 1.0]),
    )
    assert math.isclose(step, 1.0)
    assert math.isclose(value, 100)


@LAW
@given(SEEDS)
def test_tuning_on_fixed_candidates_never_loses_keeps_the_scale_and_what_is_fixed(seed):
    candidates, start = lists(seed), np.array([0.5, -0.2, 0.3])
    before = chosen_bleu(candidates, start)
    weights, value = optimise(candidates, start, [0, 1], starts=2, seed=seed)
    assert before is None or value >= before - 1e-9
    assert math.isclose(np.abs(weights[:2]).sum(), 0.7)
    assert weights[2] == 0.3 or value == pytest.approx(chosen_bleu(candidates, weights))
    again, _ = optimise(candidates, start, [0, 1], starts=2, seed=seed)
    assert (again == weights).all()


@pytest.fixture(scope="module")
def toy():
    """A small corpus: adjectives change places, and the language model must say so."""
    nouns, colours = ["cat", "dog", "bird", "fish"], ["red", "blue", "old"]
    pairs = [
        (("ein", f"{noun}x", f"{colour}x", "läuft", "."), ("a", colour, noun, "runs", "."))
        for noun in nouns
        for colour in colours
    ]
    links = [{(0, 0), (1, 2), (2, 1), (3, 3), (4, 4)}] * len(pairs)
    held = pairs[::4]
    kept = [k for k in range(len(pairs)) if k % 4]
    table = build_table([pairs[k] for k in kept], [links[k] for k in kept])
    model = train([pairs[k][1] for k in kept], 3, "add_k", k=0.1)
    bad = {**UNTUNED, "distortion": 3.0, "language_model": 0.01}
    return (
        StackDecoder(table, model, bad, threshold=30.0),
        [x for x, _ in held],
        [[y] for _, y in held],
    )


def test_tuning_repairs_bad_weights_and_is_deterministic(toy, capsys):
    decoder, sources, references = toy
    tuned, history = tune(decoder, sources, references, rounds=3, n=20, progress=False)
    assert capsys.readouterr().err == ""
    assert history[0].bleu < 60
    assert max(one.bleu for one in history) == 100
    said = [tuned.translate(source) for source in sources]
    assert [tuple(words) for words in said] == [reference[0] for reference in references]
    again, repeated = tune(decoder, sources, references, rounds=3, n=20, progress=False)
    assert again.weights == tuned.weights
    assert repeated == history
    assert tuned.weights["copied"] == decoder.weights["copied"]
    assert decoder.weights["distortion"] == 3.0


def test_tuning_shows_progress(toy, capsys):
    decoder, sources, references = toy
    tune(decoder, sources, references, rounds=1, n=5, starts=1)
    assert "tuning, round 0" in capsys.readouterr().err


def test_other_weights_share_what_was_learnt_about_words(toy):
    decoder, sources, _ = toy
    decoder.translate(sources[0])
    other = decoder.with_weights(UNTUNED)
    assert other.states is decoder.states
    fresh = replace(other)
    assert fresh.states is not decoder.states
    assert [other.best(x) for x in sources] == [fresh.best(x) for x in sources]


def test_exhaustive_search_gives_up_in_time():
    problem, weights = posed(3, None, longest=6)
    with pytest.raises(ValueError, match="more than 10 derivations"):
        exhaustive(problem, weights, most=10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: weight_vector({"words": 1.0}), "lack .*copied"),
        (lambda: weight_vector({**UNTUNED, "luck": 1.0}), "have .'luck'. too much"),
        (lambda: StackDecoder(SWAP, MODEL).translate("a b"), "one string"),
        (lambda: StackDecoder(SWAP, MODEL, max_options=0).translate(["a"]), "max_options is 0"),
        (lambda: StackDecoder(SWAP, MODEL, beam=0).translate(["a"]), "beam is 0"),
        (lambda: StackDecoder(SWAP, MODEL, distortion_limit=-1).translate(["a"]), "limit is -1"),
        (lambda: tune(StackDecoder(SWAP, MODEL), [], []), "0 sentences and 0 sets"),
        (lambda: tune(StackDecoder(SWAP, MODEL), [["a"]], []), "1 sentences and 0 sets"),
        (
            lambda: tune(StackDecoder(SWAP, MODEL), [["a"]], [[["A"]]], fixed=["luck"]),
            "no feature 'luck'",
        ),
        (
            lambda: features_of(
                [Step(0, 1, ("Q",))],
                pose(["a"], SWAP, States(MODEL), weight_vector(UNTUNED)),
            ),
            "'Q' is no option for source words 0-0",
        ),
        (
            lambda: features_of(
                [Step(0, 1, ("A",))] * 2,
                pose(["a"], SWAP, States(MODEL), weight_vector(UNTUNED)),
            ),
            "expected each word once",
        ),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()
