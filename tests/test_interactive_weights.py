"""The figure of a masked softmax: its data, its picture, and the softmax of the script."""

from __future__ import annotations

import json

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from test_interactive import node

from softalign.interactive.weights import softmax_figure
from softalign.masking import masked_softmax
from softalign.plotting import use_book_style

SCORES = [[0.5, -1.204, 2.0], [12.0, -9.0, -0.001]]
MASK = [[True, True, False], [False, False, False]]
OPTIONS = {"labels": ["他", "买", "book"], "pinyin": ["tā", "mǎi", ""], "mask": MASK, "d_k": 4}


@pytest.fixture
def drawn():
    with mpl.rc_context():
        use_book_style()
        yield lambda *arguments, **options: softmax_figure(*arguments, **options).draw()
        plt.close("all")


def test_the_data_are_what_was_given_rounded_as_the_reader_sees_it():
    data = json.loads(softmax_figure(np.array(SCORES), queries=["he", "buy"], **OPTIONS).json())
    assert data["scores"] == [[0.5, -1.2, 2], [12, -9, 0]]
    assert data["seen"] == MASK
    assert data["queries"] == ["he", "buy"]
    assert data["sizes"] == [2**power for power in range(13)]
    assert data["sizes"][data["size"]] == 4
    assert data["labels"][1] == {"text": "买", "pinyin": "mǎi", "lang": "zh"}
    assert data["labels"][2] == {"text": "book", "pinyin": "", "lang": ""}


def test_what_is_left_out_hides_and_divides_nothing():
    data = softmax_figure(torch.tensor([1.0, 2.0]), labels="ab").data
    assert data["sizes"][data["size"]] == 1
    assert data["seen"].tolist() == [[True, True]]
    assert data["queries"] == [""]
    assert softmax_figure(SCORES, labels="abc").data["queries"] == ["row 1", "row 2"]


def test_a_mask_of_one_row_is_that_of_all_rows():
    data = softmax_figure(SCORES, labels="abc", mask=[True, False, True]).data
    assert data["seen"].tolist() == [[True, False, True]] * 2


@pytest.mark.parametrize(
    ("scores", "options", "sentence"),
    [
        ([], {"labels": ""}, r"the scores have shape \(1, 0\), expected \(tgt, src\) with 1 to 10"),
        ([[[1.0]]], {"labels": "a"}, r"the scores have shape \(1, 1, 1\)"),
        (np.zeros((0, 2)), {"labels": "ab"}, r"the scores have shape \(0, 2\)"),
        ([0.0] * 11, {"labels": "abcdefghijk"}, r"the scores have shape \(1, 11\)"),
        ([1.0, float("-inf")], {"labels": "ab"}, "to hide a place, use the mask"),
        ([1.0, float("nan")], {"labels": "ab"}, "not a finite number"),
        ([1.0], {"labels": ""}, r"there are 0 labels, but the scores have shape \(1, 1\)"),
        ([1.0], {"labels": "a", "queries": "bc"}, "there are 2 queries, but"),
        ([1.0], {"labels": "a", "pinyin": "bc"}, "there are 2 pinyin, but"),
        ([1.0], {"labels": "a", "mask": [True, False]}, r"the mask has shape \(2,\), which does"),
        ([1.0], {"labels": "a", "d_k": 3}, "d_k is 3, expected a power of two from 1 to 4096"),
        ([1.0], {"labels": "a", "d_k": 8192}, "d_k is 8192"),
    ],
)
def test_what_cannot_be_shown_is_refused(scores, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        softmax_figure(scores, **options)


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(TypeError, match="the mask is of type int64, expected bool"):
        softmax_figure([1.0, 2.0], labels="ab", mask=[1, 0])


def test_the_picture_and_its_words_show_the_opening_weights(drawn):
    (ax,) = drawn(SCORES, **OPTIONS).axes
    scores = torch.tensor([0.5, -1.2, 2.0], dtype=torch.float64) / 2
    weights = masked_softmax(scores, torch.tensor(MASK[0])).numpy()
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], weights, atol=1e-9)
    first, second = (f"{share:.2f}" for share in weights[:2])
    assert [text.get_text() for text in ax.texts] == [first, second, "hidden"]
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["他\ntā\n0.5", "买\nmǎi\n−1.2", "book\n2"]
    assert ax.get_xlabel() == "place, and its score before the division by √4"
    nats = -(weights[:2] * np.log(weights[:2])).sum()
    assert softmax_figure(SCORES, **OPTIONS).says == (
        f"Weights of row 1, d_k = 4: 他 {first}, 买 {second}, book hidden. "
        f"Their sum is 1.00, entropy {nats:.2f} nats."
    )


def test_a_row_with_nothing_to_see_is_all_zero(drawn):
    options = {"labels": "ab", "mask": [False, False]}
    (ax,) = drawn([1.0, 2.0], **options).axes
    assert [bar.get_height() for bar in ax.patches] == [0, 0]
    says = "Weights, d_k = 1: a hidden, b hidden. Nothing may be seen, and all weights are"
    assert softmax_figure([1.0, 2.0], **options).says == f"{says} 0."


def test_one_place_has_no_minus_before_its_entropy():
    assert softmax_figure([3.0], labels="a").says.endswith("1.00, entropy 0.00 nats.")


def test_the_softmax_of_the_script_is_that_of_the_library():
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(40, 6)) * np.geomspace(0.1, 900, 40)[:, None]
    seen = rng.random((40, 6)) < 0.6
    seen[::7] = False
    code = f"(() => {{ const seen = {json.dumps(seen.tolist())}; return "
    code += f"{json.dumps(scores.tolist())}.map((row, j) => softalign.softmax(row, seen[j])); }})()"
    expected = masked_softmax(torch.tensor(scores), torch.tensor(seen)).numpy()
    np.testing.assert_allclose(node(code), expected, atol=1e-12)
    assert (expected[::7] == 0).all()
