"""Word links in one call: made of the parts, one set for each pair, and close to the gold links."""

from __future__ import annotations

import io
import math

import pytest
from alignment_cases import MIXED, PAIRS
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.aligner import MODELS, align, usable
from softalign.hmm import agreed_links, train_by_agreement, train_hmm
from softalign.ibm import index, train_ibm1, train_ibm2, viterbi_links
from softalign.symmetrise import METHODS

LAW = settings(derandomize=True, deadline=None, max_examples=15)


def by_parts(pairs, model, iterations=5, method="grow-diag-final-and", threshold=0.3):
    """Align by the functions that the book has derived."""
    bitexts = index(pairs), index(pairs, reverse=True)
    starts = tuple(train_ibm1(bitext, iterations).table for bitext in bitexts)
    if model == "agreement":
        models = train_by_agreement(*bitexts, iterations, start=starts)
        return agreed_links(models, bitexts, threshold)
    links = []
    for bitext, start in zip(bitexts, starts, strict=True):
        if model == "ibm1":
            trained = train_ibm1(bitext, iterations)
        else:
            train = {"ibm2": train_ibm2, "hmm": train_hmm}[model]
            trained = train(bitext, iterations, start=start)
        links.append(viterbi_links(trained, bitext))
    return [METHODS[method](a, b) for a, b in zip(*links, strict=True)]


@pytest.mark.parametrize("model", MODELS)
def test_alignment_is_made_of_its_parts(model):
    assert align(MIXED, model=model) == by_parts(MIXED, model)
    assert align(MIXED, model=model, iterations=2) == by_parts(MIXED, model, 2)
    for method in METHODS:
        found = align(MIXED, model=model, symmetrise=method)
        assert found == by_parts(MIXED, model, method=method)
    for threshold in (0.05, 0.9):
        found = align(MIXED, model=model, threshold=threshold)
        assert found == by_parts(MIXED, model, threshold=threshold)


def test_what_is_chosen_makes_a_difference():
    assert align(MIXED) == align(MIXED, model="agreement", threshold=0.3, iterations=5)
    assert align(MIXED, threshold=0.05) != align(MIXED, threshold=0.9)
    found = {name: align(MIXED, model="hmm", symmetrise=name, iterations=2) for name in METHODS}
    assert found["intersection"] != found["union"]
    assert align(MIXED, model="hmm", iterations=2) == found["grow-diag-final-and"]
    by_model = [align(MIXED, model=name, iterations=2) for name in MODELS]
    assert all(a != b for k, a in enumerate(by_model) for b in by_model[:k])


@LAW
@given(PAIRS, st.sampled_from(MODELS), st.integers(1, 4))
def test_every_pair_gets_its_set_of_links(pairs, model, longest):
    links = align(pairs, model=model, iterations=2, max_words=longest)
    assert len(links) == len(pairs)
    for (source, target), found in zip(pairs, links, strict=True):
        assert isinstance(found, frozenset)
        assert all(0 <= i < len(source) and 0 <= j < len(target) for i, j in found)
        if not usable(source, target, longest):
            assert found == frozenset()
    # the others are aligned as if the unusable ones were not there
    kept = [k for k, pair in enumerate(pairs) if usable(*pair, longest)]
    assert align([pairs[k] for k in kept], model=model, iterations=2) == [links[k] for k in kept]


def test_usable():
    assert usable(["a"], ["U"])
    assert not usable([], ["U"])
    assert not usable(["a"], [])
    assert not usable([], [])
    assert usable(["a"] * 200, ["U"] * 200)
    assert not usable(["a"] * 201, ["U"])
    assert not usable(["a"], ["U"] * 201)
    assert usable(["a"] * 3, ["U"], 3)
    assert not usable(["a"] * 3, ["U"], 2)
    assert not usable(["a"], ["U"] * 3, 2)


@pytest.mark.parametrize("model", MODELS)
def test_a_corpus_of_nothing(model):
    assert align([], model=model) == []
    assert align([([], []), (["a"], []), ([], ["U"])], model=model) == [frozenset()] * 3
    assert align([(["a"], ["U"])], model=model, max_words=0) == [frozenset()]
    assert align([(["a"], ["U"])], model=model) == [{(0, 0)}]


def test_a_line_of_ten_thousand_words_is_left_out():
    long = ["a"] * 10_000
    links = align([(["a", "b"], ["U", "V"]), (long, long), (["a"], ["U"]), (["b"], ["V"])])
    assert links == [{(0, 0), (1, 1)}, frozenset(), {(0, 0)}, {(0, 0)}]


def test_the_links_have_the_source_first():
    # a is U, b is V; the sources of two pairs are longer than their targets, with crossed links
    pairs = [(["a"], ["U"]), (["b"], ["V"]), (["c"], ["W"])] * 4
    pairs += [(["b", "c", "a"], ["U", "V"]), (["b", "a", "c"], ["V", "W"])]
    for model in MODELS:
        for method in METHODS:
            links = align(pairs, model=model, symmetrise=method)
            assert links[-2] >= {(2, 0), (0, 1)}
            assert links[-1] >= {(0, 0), (2, 1)}
            if method == "intersection" or model == "agreement":
                assert links[-2:] == [{(2, 0), (0, 1)}, {(0, 0), (2, 1)}]


def test_nothing_that_is_given_is_changed():
    pairs = [(list(source), list(target)) for source, target in MIXED]
    for model in MODELS:
        align(pairs, model=model, iterations=1)
        assert pairs == MIXED


class Terminal(io.StringIO):
    """Standard error of somebody who watches."""

    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_if_asked_for(monkeypatch):
    for file in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", file)
        for model in MODELS:
            align(MIXED, model=model, iterations=1)
        assert file.getvalue() == ""
        align(MIXED, model="agreement", iterations=1, progress=True)
        for name in ("IBM 1", "agreement"):
            assert (name in file.getvalue()) == file.isatty()
        align(MIXED, model="ibm2", iterations=1, progress=True)
        align(MIXED, model="hmm", iterations=1, progress=True)
        for name in ("IBM 2", "HMM"):
            assert (name in file.getvalue()) == file.isatty()


def test_bad_input_is_named():
    with pytest.raises(
        ValueError, match=r"^model is 'ibm3', expected one of ibm1, ibm2, hmm, agreement$"
    ):
        align(MIXED, model="ibm3")
    with pytest.raises(
        ValueError,
        match=r"^symmetrise is 'both', expected one of grow-diag-final-and, intersection, union$",
    ):
        align(MIXED, symmetrise="both")
    with pytest.raises(ValueError, match=r"^iterations is 0, expected 1 or more$"):
        align(MIXED, iterations=0)
    for value in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match=rf"^threshold is {value}, expected .* below 1$"):
            align([], model="ibm1", threshold=value)
    with pytest.raises(TypeError, match=r"^pair 2 is not \(source words, target words\)$"):
        align([(["a"], ["U"]), ("ab", ["U"])])
    # also where the pair would not be used
    with pytest.raises(TypeError, match=r"^pair 1 is not \(source words, target words\)$"):
        align([("", ["U"]), (["a"], ["U"])])


def test_the_aligner_learns_the_links_of_the_corpus():
    from softalign.corpus import load
    from softalign.metrics import aer

    train = load().train[:2000]
    pairs = [(pair.source, pair.target) for pair in train]
    sure, possible = [pair.sure for pair in train], [pair.possible for pair in train]
    errors = {name: aer(align(pairs, model=name), sure, possible).aer for name in MODELS}
    # measured: 0.159, 0.207, 0.198 and 0.099. In each direction alone the HMM beats Model 1 (see
    # test_hmm); but grow-diag-final-and takes in more of its wrong links.
    bounds = {"ibm1": 0.175, "ibm2": 0.225, "hmm": 0.215, "agreement": 0.11}
    assert {name: error for name, error in errors.items() if error > bounds[name]} == {}
    assert min(errors, key=errors.get) == "agreement"
