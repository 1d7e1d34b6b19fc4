"""The figure of EM: its data are those of Model 1, and its picture and words are its data."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import product

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from softalign.ibm import index, train_ibm1
from softalign.interactive.alignment import em_figure
from softalign.plotting import use_book_style

TOY = [
    (["买", "书"], ["buy", "books"], ["mǎi", "shū"]),
    (["买", "花", "买"], ["buy", "flowers"], ["mǎi", "huā", "mǎi"]),
    (["书"], ["books", "books"], ["shū"]),
]
SIDES = [pair[:2] for pair in TOY]
ROUNDS = 5
NULL = "NULL"


@pytest.fixture(scope="module")
def data():
    """As the script gets them."""
    return json.loads(em_figure(TOY, ROUNDS, null=False, follow="书").json())


@pytest.fixture
def drawn():
    with mpl.rc_context():
        use_book_style()
        yield lambda *arguments, **options: em_figure(*arguments, **options).draw()
        plt.close("all")


def transcription(pairs, rounds):
    """EM in fractions, as the page has it: a table for each round, theta[x][y]."""
    met: dict[str, set[str]] = {}
    for source, target in pairs:
        for x in source:
            met.setdefault(x, set()).update(target)
    tables = [{x: {y: Fraction(1, len(ys)) for y in ys} for x, ys in met.items()}]
    for _ in range(rounds):
        theta = tables[-1]
        counts = {x: dict.fromkeys(ys, Fraction(0)) for x, ys in met.items()}
        for source, target in pairs:
            for y in target:
                for x in source:
                    counts[x][y] += theta[x][y] / sum(theta[other][y] for other in source)
        tables.append(
            {x: {y: c / sum(row.values()) for y, c in row.items()} for x, row in counts.items()}
        )
    return tables


@pytest.mark.parametrize("null", [False, True])
def test_the_rounds_are_those_of_the_page_with_and_without_null(data, null):
    pairs = [([NULL, *source] if null else source, target) for source, target in SIDES]
    run = data["runs"][null]
    given = [word["text"] for word in data["given"]]
    assert given == [NULL, "买", "书", "花"]
    for k, theta in enumerate(transcription(pairs, ROUNDS)):
        expected = [[float(theta.get(x, {}).get(y, 0)) for y in data["generated"]] for x in given]
        np.testing.assert_allclose(run["tables"][k], expected, atol=1e-8)
        log_likelihood = 0.0
        for p, (source, target) in enumerate(pairs):
            raw = np.array([[float(theta[x][y]) for x in source] for y in target])
            # all ways to link the pair, one by one
            ways = product(range(len(source)), repeat=len(target))
            total = sum(np.prod([raw[j, i] for j, i in enumerate(way)]) for way in ways)
            log_likelihood += np.log(total / len(source) ** len(target))
            links = np.array(run["posteriors"][k][p])[:, 0 if null else 1 :]
            np.testing.assert_allclose(links, raw / raw.sum(axis=1, keepdims=True), atol=1e-8)
        assert run["log_likelihoods"][k] == pytest.approx(log_likelihood, abs=1e-7)
        assert run["perplexities"][k] == pytest.approx(np.exp(-log_likelihood / 6), abs=1e-7)
    assert len(run["tables"]) == len(run["posteriors"]) == len(run["perplexities"]) == ROUNDS + 1


def test_the_rounds_with_null_are_those_of_the_library(data):
    bitext = index(SIDES)
    for k in range(ROUNDS + 1):
        model = train_ibm1(bitext, k)
        for p, pair in enumerate(SIDES):
            expected = model.posterior(*pair)
            np.testing.assert_allclose(data["runs"][1]["posteriors"][k][p], expected, atol=1e-8)
    seen = train_ibm1(bitext, ROUNDS + 1).log_likelihoods
    np.testing.assert_allclose(data["runs"][1]["log_likelihoods"], seen, atol=1e-7)


def test_without_null_it_gets_nothing(data):
    run = data["runs"][0]
    assert np.array(run["tables"])[:, 0].max() == 0
    assert max(np.array(links)[:, 0].max() for k in run["posteriors"] for links in k) == 0


def test_the_numbers_of_the_page_stand_in_the_figure():
    toy = [("买 书", "buy books"), ("买 花", "buy flowers"), ("书", "books")]
    run = em_figure([(x.split(), y.split()) for x, y in toy], 1).data["runs"][0]
    np.testing.assert_allclose(run["posteriors"][0][0], [[0, 2 / 5, 3 / 5]] * 2)
    assert run["tables"][1][2][1] == pytest.approx(8 / 11)


def test_words_have_their_pinyin_and_language(data):
    word = {"text": "书", "pinyin": "shū", "lang": "zh"}
    assert data["pairs"][0]["source"][1] == word == data["given"][data["follow"]]
    assert data["pairs"][0]["target"][0] == {"text": "buy", "pinyin": "", "lang": ""}
    assert data["given"][0] == {"text": NULL, "pinyin": "", "lang": ""}
    assert (data["rounds"], data["null"]) == (ROUNDS, False)
    assert em_figure(SIDES, 1).data["null"] is True
    assert em_figure(SIDES, 1).data["follow"] == 1


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        (([],), {}, "there are 0 pairs, expected 1 to 8"),
        ((SIDES * 3,), {}, "there are 9 pairs, expected 1 to 8"),
        ((SIDES, 0), {}, "there are 0 rounds, expected 1 to 50"),
        ((SIDES, 51), {}, "there are 51 rounds, expected 1 to 50"),
        (([SIDES[0], ([], ["a"])],), {}, "pair 2 has 0 source words, expected 1 to 10"),
        (([(["a"], ["b"] * 11)],), {}, "pair 1 has 11 target words, expected 1 to 10"),
        (([(["a"], ["b"], ["c", "d"])],), {}, "pair 1 has 1 source words but pinyin of 2"),
        ((SIDES,), {"follow": "buy"}, "there is no source word 'buy' to follow"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        em_figure(*arguments, **options)


def test_a_string_is_no_sentence():
    with pytest.raises(TypeError, match="pair 1 is not"):
        em_figure([("书", ["book"])])


@pytest.mark.parametrize("null", [False, True])
def test_the_picture_and_its_words_show_the_first_pair_before_and_after(drawn, null):
    figure = em_figure(TOY, ROUNDS, null=null)
    run = figure.data["runs"][null]
    *maps, curve = drawn(TOY, ROUNDS, null=null).axes
    source = [NULL, "买", "书"] if null else ["买", "书"]
    parts = []
    for ax, k in zip(maps, (0, ROUNDS), strict=True):
        links = run["posteriors"][k][0][:, 0 if null else 1 :]
        np.testing.assert_allclose(ax.images[0].get_array(), links)
        assert ax.get_xlabel() == f"round {k}"
        assert [label.get_text() for label in ax.get_xticklabels()][-1] == "书"
        written = [text.get_text() for text in ax.texts]
        for share in links.ravel():
            assert f"{share:.2f}" in written
        best = [f"{y} from {source[row.argmax()]} {row.max():.2f}"
                for y, row in zip(TOY[0][1], links, strict=True)]  # fmt: skip
        height = f"{run['log_likelihoods'][k]:.2f}".replace("-", "−")
        when = "after round 5" if k else "at round 0"
        parts.append(f"{when} {', '.join(best)}, with a log-likelihood of {height} nats")
    assert figure.says == f"The strongest links of pair 1: {'; '.join(parts)}."
    np.testing.assert_allclose(curve.lines[0].get_ydata(), run["log_likelihoods"])
    assert curve.get_ylabel() == "log-likelihood (nats)"


def test_a_likelihood_of_one_has_no_minus():
    assert "log-likelihood of 0.00 nats" in em_figure([(["a"], ["b"])], 1, null=False).says


def test_no_torch_is_needed():
    code = "import sys, softalign.interactive.alignment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
