"""Scores, a mask and a scale, to be changed by hand: what the softmax makes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from softalign.interactive.figure import Interactive

__all__ = ["softmax_figure"]

MOST_PLACES, DIGITS = 10, 2
SIZES = tuple(2**power for power in range(13))
CHINESE = re.compile("[\u3400-\u9fff]")


def softmax_figure(
    scores: Any,
    *,
    labels: Sequence[str],
    queries: Sequence[str] = (),
    pinyin: Sequence[str] = (),
    mask: Any = None,
    d_k: int | None = None,
) -> Interactive:
    r"""Figure of a masked softmax whose scores, mask and scale the reader changes.

    Parameters
    ----------
    scores : array of shape (src,) or (tgt, src)
        Before any scale. They are rounded to two decimals, which the reader sees and can change.
    labels : sequence of str
        Of the places, one for each column: one to ten.
    queries : sequence of str
        Of the rows, which the reader chooses from; "row 1", "row 2", ... if left out. A single
        row then has no name.
    pinyin : sequence of str
        Of the places; may be left out.
    mask : bool array, optional
        True = may be seen; of a shape that broadcasts to that of the scores. Left out: all of them.
    d_k : int, optional
        The scores are divided by :math:`\sqrt{d_k}` when the figure opens; a power of two from 1 to
        4096. Left out: 1, not divided.

    Returns
    -------
    Interactive
        Of the kind "softmax". Its data hold `labels`, `queries`, `scores` and `seen` (both of shape
        (tgt, src)), the `sizes` that :math:`d_k` may have, and `size`, the place of `d_k` in them.

    Raises
    ------
    TypeError
        The mask is not boolean.
    ValueError
        Shapes or numbers of labels that do not fit, a score that is no finite number, or a `d_k`
        that the slider has not.

    Examples
    --------
    >>> figure = softmax_figure([2.0, 0.0, 5.0], labels="abc", mask=[True, True, False], d_k=4)
    >>> figure.says  # e / (e + 1) is 0.73
    'Weights, d_k = 4: a 0.73, b 0.27, c hidden. Their sum is 1.00, entropy 0.58 nats.'

    Page: 06_attention/scoring
    """
    table = np.round(np.atleast_2d(np.asarray(scores, dtype=float)), DIGITS) + 0.0  # no -0
    seen = np.asarray(True if mask is None else mask)
    size = 1 if d_k is None else d_k
    _check(table, seen, labels, queries, pinyin, size)
    data = {
        "labels": [
            {"text": text, "pinyin": sound, "lang": "zh" if CHINESE.search(text) else ""}
            for text, sound in zip(labels, pinyin or [""] * len(labels), strict=True)
        ],
        "queries": list(queries) or _rows(len(table)),
        "scores": table,
        "seen": np.broadcast_to(seen, table.shape).copy(),
        "sizes": list(SIZES),
        "size": SIZES.index(size),
    }
    title = "From scores to weights: change a score, the mask or the scale"
    return Interactive("softmax", title, _alternative(data), data, lambda: _draw(data))


def _rows(count: int) -> list[str]:
    """Names of rows that were given none: a single one needs none."""
    return [f"row {j + 1}" for j in range(count)] if count > 1 else [""]


def _check(
    table: np.ndarray, seen: np.ndarray, labels: Any, queries: Any, pinyin: Any, size: Any
) -> None:
    """Say in a sentence what does not fit."""
    if table.ndim != 2 or not len(table) or not 1 <= table.shape[1] <= MOST_PLACES:
        raise ValueError(
            f"the scores have shape {table.shape}, expected (tgt, src) "
            f"with 1 to {MOST_PLACES} source places"
        )
    if not np.isfinite(table).all():
        raise ValueError("a score is not a finite number; to hide a place, use the mask")
    for name, given, wanted in (
        ("labels", labels, table.shape[1]),
        ("queries", queries, len(table)),
        ("pinyin", pinyin, table.shape[1]),
    ):
        if len(given) != wanted and (given or name == "labels"):
            raise ValueError(
                f"there are {len(given)} {name}, but the scores have shape {table.shape}"
            )
    if seen.dtype != np.bool_:
        raise TypeError(f"the mask is of type {seen.dtype}, expected bool: True = may be seen")
    try:
        np.broadcast_to(seen, table.shape)
    except ValueError:
        raise ValueError(
            f"the mask has shape {seen.shape}, "
            f"which does not broadcast to that of the scores, {table.shape}"
        ) from None
    if size not in SIZES:
        raise ValueError(f"d_k is {size}, expected a power of two from 1 to {SIZES[-1]}")


def _opening(data: dict[str, Any]) -> np.ndarray:
    """Weights of the first row as the figure opens, by the library's own softmax."""
    import torch

    from softalign.masking import masked_softmax

    scores = torch.tensor(data["scores"][0]) / data["sizes"][data["size"]] ** 0.5
    return masked_softmax(scores, torch.tensor(data["seen"][0])).numpy()


def _nats(weights: np.ndarray) -> float:
    """Entropy of the weights in nats."""
    some = weights[weights > 0]
    return float(-(some * np.log(some)).sum()) + 0.0  # no minus before a 0


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    weights, seen = _opening(data), data["seen"][0]
    named = ", ".join(
        f"{label['text']} {f'{share:.2f}' if visible else 'hidden'}"
        for label, share, visible in zip(data["labels"], weights, seen, strict=True)
    )
    size = data["sizes"][data["size"]]
    row = data["queries"][0]
    begin = f"Weights{f' of {row}' if row else ''}, d_k = {size}: {named}."
    if not seen.any():
        return f"{begin} Nothing may be seen, and all weights are 0."
    return f"{begin} Their sum is {weights.sum():.2f}, entropy {_nats(weights):.2f} nats."


def _draw(data: dict[str, Any]) -> Any:
    """Weights of the first row as bars, with scores under the labels."""
    from matplotlib import pyplot as plt

    weights, scores, seen = _opening(data), data["scores"][0], data["seen"][0]
    figure, ax = plt.subplots(figsize=(max(3.6, 1.0 + 0.9 * len(weights)), 2.8))
    bars = ax.bar(range(len(weights)), weights, width=0.6)
    shown = [f"{w:.2f}" if s else "hidden" for w, s in zip(weights, seen, strict=True)]
    ax.bar_label(bars, shown)
    names = [
        "\n".join(filter(None, (label["text"], label["pinyin"], f"{score:g}".replace("-", "−"))))
        for label, score in zip(data["labels"], scores, strict=True)
    ]
    ax.set_xticks(range(len(names)), names)
    size = data["sizes"][data["size"]]
    below = "place, and its score" + ("" if size == 1 else f" before the division by √{size}")
    ax.set(ylim=(0, 1.08), ylabel="weight", xlabel=below, title=data["queries"][0])
    return figure
