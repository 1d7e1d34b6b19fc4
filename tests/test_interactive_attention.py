"""The figure of attention: its data are the weights, and its picture and words are its data."""

from __future__ import annotations

import json
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch
from figure_cases import PAIRS, WEIGHTS, attended
from matplotlib import pyplot as plt

from softalign.attention import additive_scores
from softalign.interactive.attention import Attended, attention_figure
from softalign.plotting import use_book_style

EVEN = Attended(["书", "。"], ["book", "."], [[0.9, 0.1], [0.5, 0.5]], ["shū", "。"])


@pytest.fixture(scope="module")
def data():
    """As the script gets them."""
    return json.loads(attention_figure(attended(), heads=["left", "right"]).json())


@pytest.mark.parametrize("place", range(2))
def test_the_weights_are_those_of_additive_attention(data, place):
    pair, shown = PAIRS[place], data["examples"][place]
    np.testing.assert_allclose(shown["weights"], WEIGHTS[place].detach(), atol=1e-6)
    # the same numbers by the formula, from the same seed
    torch.manual_seed(place)
    queries, keys = torch.randn(len(pair.target) + 1, 8), torch.randn(len(pair.source) + 1, 8)
    for head in range(2):
        matrices = [torch.empty(8, 16), torch.empty(8, 16), torch.empty(16, 1)]
        W_q, W_k, w_a = (torch.nn.init.xavier_uniform_(matrix) for matrix in matrices)
        scores = 6 * additive_scores(queries, keys, W_q, W_k, w_a[:, 0])
        np.testing.assert_allclose(shown["weights"][head], scores.softmax(1), atol=1e-6)


def test_words_links_and_ends_are_those_of_the_pair(data):
    for pair, shown in zip(PAIRS, data["examples"], strict=False):
        assert [word["text"] for word in shown["source"]] == [*pair.source, "</s>"]
        assert [word["text"] for word in shown["target"]] == [*pair.target, "</s>"]
        sounds = [word["pinyin"] for word in shown["source"]]
        assert sounds == [*("" if p in "，。" else p for p in pair.pinyin), ""]
        assert {tuple(link) for link in shown["sure"]} == pair.sure
        assert {tuple(link) for link in shown["possible"]} == pair.possible
        assert [word["lang"] for word in shown["source"]] == ["zh"] * len(pair.source) + [""]
        assert not any(word["lang"] for word in shown["target"])
    assert data["heads"] == ["left", "right"]
    assert data["examples"][2]["sure"] is data["examples"][2]["possible"] is None


def test_weights_without_ends_get_none():
    pair = PAIRS[0]
    shape = len(pair.target), len(pair.source)
    found = Attended.of(pair, np.full(shape, 1 / shape[1]))
    assert (found.source, found.target, found.pinyin) == (pair.source, pair.target, pair.pinyin)
    assert np.shape(attention_figure([found]).data["examples"][0]["weights"]) == (1, *shape)
    found = Attended.of(pair, np.full((shape[0], shape[1] + 1), 1 / (shape[1] + 1)))
    assert (found.source[-1], found.target) == ("</s>", pair.target)


def test_sure_links_are_possible_too():
    example = Attended(["a", "b"], ["c"], [[0.5, 0.5]], sure=[(1, 0)], possible=[(0, 0)])
    shown = attention_figure([example]).data["examples"][0]
    assert (shown["sure"], shown["possible"]) == ([[1, 0]], [[0, 0], [1, 0]])
    shown = attention_figure([example._replace(sure=None)]).data["examples"][0]
    assert (shown["sure"], shown["possible"]) == ([], [[0, 0]])


def test_a_sum_within_a_ten_thousandth_is_taken():
    attention_figure([EVEN._replace(weights=[[0.9, 0.10009], [0.5, 0.49991]])])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"weights": [[0.9, 0.1], [0.5, 0.4]]},
            r"example 1, head 1, row 2 \(\.\): the weights sum",
        ),
        ({"weights": [[0.9, 0.1002], [0.5, 0.5]]}, r"row 1 \(book\): the weights sum to 1.0002"),
        ({"weights": [[1.1, -0.1], [0.5, 0.5]]}, r"row 1 \(book\).* the least is -0.1,"),
        ({"weights": [[np.nan, 0.1], [0.5, 0.5]]}, r"row 1 \(book\): the weights sum to nan"),
        ({"weights": [[[0.9, 0.1], [0.5, 0.5]], [[0.5, 0.5], [1, 1]]]}, "example 1, head 2, row 2"),
        ({"weights": [[0.9, 0.1]]}, r"shape \(1, 1, 2\), expected \(1 or more heads, 2 target"),
        ({"weights": [0.9, 0.1]}, r"weights of example 1 have shape \(2,\)"),
        ({"weights": np.ones((0, 2, 2))}, r"shape \(0, 2, 2\)"),
        ({"pinyin": ["shū"]}, "example 1 has 2 source words but pinyin of 1"),
        ({"sure": [(2, 0)]}, r"gold link \(2, 0\), but 2 source words and 2 target"),
        ({"possible": [(0, -1)]}, r"gold link \(0, -1\)"),
    ],
)
def test_what_cannot_be_shown_is_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        attention_figure([EVEN._replace(**changes)])


def test_examples_and_heads_must_fit():
    with pytest.raises(ValueError, match=r"^there is no example to show$"):
        attention_figure([])
    with pytest.raises(ValueError, match=r"^there are 2 names for 1 heads$"):
        attention_figure([EVEN], heads=["a", "b"])
    two = EVEN._replace(weights=np.array([EVEN.weights] * 2))
    with pytest.raises(ValueError, match=r"^the examples have different .* \[1, 2\]$"):
        attention_figure([EVEN, two])


def test_the_words_name_the_largest_weight_and_large_ones():
    figure = attention_figure([EVEN])
    assert figure.says == (
        "Weights of sentence 1: book looks at 书 (0.90), . looks at 书 (0.50) and 。 (0.50)."
    )
    example = Attended(list("abcd"), ["y"], [[0.1, 0.21, 0.49, 0.2]])
    assert "y looks at c (0.49) and b (0.21) and d (0.20)." in attention_figure([example]).says
    # halves are rounded as the script rounds them
    example = Attended(list("abcdefgh"), ["y"], np.full((1, 8), 1 / 8) + 1e-12)
    assert "y looks at a (0.13)." in attention_figure([example]).says


def test_the_picture_shows_the_first_head_of_the_first_sentence():
    with mpl.rc_context():
        use_book_style()
        figure = attention_figure(attended(), heads=["left", "right"])
        (ax,) = figure.draw().axes
        weights = WEIGHTS[0][0].detach().numpy()
        np.testing.assert_allclose(ax.images[0].get_array(), weights, atol=1e-8)
        printed = {text.get_position(): text.get_text() for text in ax.texts}
        for (j, i), share in np.ndenumerate(weights):
            assert printed[i, j] == f"{share:.2f}"
        source = [label.get_text() for label in ax.get_xticklabels()]
        assert source == [*("\n".join(word) for word in PAIRS[0].source), "</s>"]
        assert [t.get_text() for t in ax.get_yticklabels()] == [*PAIRS[0].target, "</s>"]
        assert ax.get_xlabel() == "weights of left; each row sums to 1"
        plt.close("all")
    best = weights.argmax(axis=1)
    for j, word in enumerate(PAIRS[0].target):
        place = PAIRS[0].source[best[j]] if best[j] < len(PAIRS[0].source) else "</s>"
        assert f"{word} looks at {place} ({weights[j].max():.2f})" in figure.says


def test_no_torch_is_needed():
    code = "import sys, softalign.interactive.attention; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
