"""The style of the figures: Chinese glyphs are there, and a missing one is an error in a page."""

import warnings

import matplotlib as mpl
import pytest

from softalign.plotting import use_book_style

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
