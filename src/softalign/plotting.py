"""Figures of the book. Every function takes an ``Axes`` and returns it; no module imports this one
but the set-up call of a page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["heat_map", "use_book_style"]

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


def heat_map(
    ax: Any,
    weights: np.ndarray,
    source: Sequence[str],
    target: Sequence[str],
    *,
    pinyin: Sequence[str] = (),
    sure: Collection[tuple[int, int]] = (),
    possible: Collection[tuple[int, int]] = (),
    size: float = 10.0,
) -> Any:
    """Draw the weights between two sentences: the stronger a square, the nearer to 1.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    weights : array of shape (tgt, src)
        Between 0 and 1; a row for each target word, a column for each source word.
    source, target : sequences of str
        The words; Chinese words are written downwards.
    pinyin : sequence of str
        Of the source words, drawn beside them; may be left out.
    sure, possible : collections of (i, j)
        Gold links: a solid frame for sure ones, a dashed frame for those that are possible only.
    size : float
        Of the letters, in points.

    Returns
    -------
    Axes
        The same.

    Raises
    ------
    ValueError
        The weights do not have one row for each target word and one column for each source word.

    Page: 01_smt/word_alignment
    """
    from matplotlib.patches import Rectangle

    weights = np.asarray(weights)
    if weights.shape != (len(target), len(source)):
        raise ValueError(
            f"the weights have shape {weights.shape}, expected "
            f"({len(target)} target words, {len(source)} source words)"
        )
    ax.imshow(weights, vmin=0, vmax=1, aspect="auto")
    for links, style in ((set(possible) - set(sure), "--"), (set(sure), "-")):
        for i, j in sorted(links):
            frame = {"fill": False, "ec": COLOURS[1], "lw": 1.4, "ls": style}
            ax.add_patch(Rectangle((i - 0.46, j - 0.46), 0.92, 0.92, **frame))
    columns = ["\n".join(word) if len(word) < 6 else word for word in source]
    ax.set_xticks(range(len(source)), columns, fontsize=size + 1, linespacing=1.05)
    ax.set_yticks(range(len(target)), target, fontsize=size)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    height = max((len(word) if len(word) < 6 else 1 for word in source), default=1)
    for i, sound in enumerate(pinyin):
        if sound == source[i]:  # a mark of punctuation has no sound
            continue
        ax.annotate(
            sound,
            (i, 1),
            (0, 6 + height * (size + 1) * 1.35),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=size - 1,
            color="0.35",
        )
    ax.spines[:].set_visible(False)
    return ax
