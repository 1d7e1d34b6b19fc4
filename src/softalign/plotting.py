"""Figures of the book. Every function takes an ``Axes`` and returns it; no module imports this one
but the set-up call of a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["use_book_style"]

# Okabe & Ito's colours: told apart by readers with any kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@cache
def _register_chinese_font() -> str:
    import mplfonts
    from matplotlib import font_manager

    folder = Path(mplfonts.__file__).parent / "fonts"
    path = next(iter(sorted(folder.glob("NotoSansCJK*Regular*"))), None)
    if path is None:
        raise FileNotFoundError(
            f"no Noto Sans CJK font in {folder}; reinstall the package mplfonts"
        )
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


def use_book_style() -> None:
    """Set Matplotlib's defaults for the book: a Latin font with Chinese glyphs behind it, colours
    that everyone can tell apart, no frame on the right and top.

    Page: prerequisites
    """
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "font.family": ["DejaVu Sans", _register_chinese_font()],
            "figure.figsize": (6.4, 3.6),
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "image.cmap": "Blues",
        }
    )
