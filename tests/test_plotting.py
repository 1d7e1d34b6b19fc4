"""The style of the figures: Chinese glyphs are there, and a missing one is an error in a page."""

import warnings

import matplotlib as mpl
import numpy as np
import pytest

from softalign.plotting import heat_map, use_book_style

mpl.use("Agg")


@pytest.fixture
def style():
    with mpl.rc_context():
        use_book_style()
        yield


def draw(text):
    """Draw a text with warnings as errors."""
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0.1, 0.5, text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return figure.texts[0].get_window_extent().width


def test_chinese_and_pinyin_have_glyphs(style):
    assert draw("猫追老鼠 māo zhuī lǎoshǔ θ α λ") > 0


def test_a_missing_glyph_is_a_warning(style):
    with pytest.raises(UserWarning, match="Glyph"):
        draw("\U0001f9ff")


def test_without_the_style_chinese_has_no_glyphs():
    with (
        mpl.rc_context({"font.family": ["DejaVu Sans"]}),
        pytest.raises(UserWarning, match="Glyph"),
    ):
        draw("猫")


def axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_a_heat_map_has_a_row_for_each_target_word_and_frames_for_gold_links(style):
    weights = np.array([[0.1, 0.9], [0.7, 0.3], [0.0, 0.2]])
    ax = axes()
    drawn = heat_map(
        ax,
        weights,
        ["书", "电影"],
        ["a", "b", "c"],
        pinyin=["shū", "diànyǐng"],
        sure={(1, 0)},
        possible={(1, 0), (0, 2)},
    )
    assert drawn is ax
    assert (ax.images[0].get_array() == weights).all()
    assert ax.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["书", "电\n影"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    frames = {(p.get_x() + 0.46, p.get_y() + 0.46): p.get_linestyle() for p in ax.patches}
    assert frames == {(1, 0): "-", (0, 2): "--"}
    assert [text.get_text() for text in ax.texts] == ["shū", "diànyǐng"]


def test_a_heat_map_says_which_shape_it_expects(style):
    with pytest.raises(ValueError, match=r"shape \(2, 1\), expected \(1 target words, 2 source"):
        heat_map(axes(), np.zeros((2, 1)), ["书", "好"], ["a"])
