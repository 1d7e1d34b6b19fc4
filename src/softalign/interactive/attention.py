"""Weights of attention between two sentences, to be stepped through output word by output word."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from softalign.interactive.figure import DIGITS, Interactive
from softalign.plotting import heat_map

__all__ = ["Attended", "attention_figure"]

CHINESE = re.compile("[\u3001-\u303f\u3400-\u9fff\uff01-\uff5e]")  # and its punctuation
END = "</s>"
SUM_TOLERANCE = 1e-4
# a weight that the sentence of the figure names beside the largest
NAMED = 0.2


class Attended(NamedTuple):
    """Two sentences and the weights with which one looked at the other.

    Attributes
    ----------
    source, target : sequences of str
        Words, boundary symbols among them where they have weights.
    weights : array or tensor of shape (heads, tgt, src) or (tgt, src)
        Each row sums to 1.
    pinyin : sequence of str
        One for each source word ("" where there is none), or empty.
    sure, possible : collections of (i, j), or None
        Gold links between ``source[i]`` and ``target[j]``, from 0; None where nobody drew them.

    Page: 06_attention/attention_alignment
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: Any
    pinyin: Sequence[str] = ()
    sure: Collection[tuple[int, int]] | None = None
    possible: Collection[tuple[int, int]] | None = None

    @classmethod
    def of(cls, pair: Any, weights: Any) -> Attended:
        """Join a pair of the corpus and its weights, with ``</s>`` where they have one more.

        Parameters
        ----------
        pair : Pair
        weights : array or tensor of shape (..., tgt, src)
            With rows for the words of ``pair.target``, or for these and the end symbol, and
            columns likewise.

        Page: 06_attention/attention_alignment
        """
        rows, columns = weights.shape[-2:]
        ends = columns == len(pair.source) + 1
        return cls(
            (*pair.source, END) if ends else pair.source,
            (*pair.target, END) if rows == len(pair.target) + 1 else pair.target,
            weights,
            (*pair.pinyin, "") if ends else pair.pinyin,
            pair.sure,
            pair.possible,
        )


def attention_figure(
    examples: Sequence[Attended],
    *,
    heads: Sequence[str] = (),
    title: str = "Where each output word looks",
) -> Interactive:
    """Figure of the weights of attention: arcs of one output word, and the map of all.

    Parameters
    ----------
    examples : sequence of Attended
        One or more, all with the same number of heads.
    heads : sequence of str
        A name for each head; by default "head 1", "head 2" and so on, and none for a single head.
    title : str
        What stands above the figure.

    Returns
    -------
    Interactive
        Of the kind "attention". Its data hold `heads`, the names, and `examples`, each with
        `source` and `target`, the words, `weights` of shape (heads, tgt, src), and the gold links
        `sure` and `possible` as pairs [i, j], or null. Among the possible are the sure ones.

    Raises
    ------
    ValueError
        No example; weights of another shape than the words ask for; a row that does not sum to 1
        within 1e-4 or has a negative weight; pinyin or names of heads of another number; a gold
        link outside of the sentences.

    Examples
    --------
    >>> example = Attended(["书"], ["a", "book"], [[1.0], [1.0]], ["shū"], {(0, 1)})
    >>> attention_figure([example]).says
    'Weights of sentence 1: a looks at 书 (1.00), book looks at 书 (1.00).'

    Page: 06_attention/attention_alignment
    """
    if not examples:
        raise ValueError("there is no example to show")
    shown = [_example(number, example) for number, example in enumerate(examples, start=1)]
    counts = {len(example["weights"]) for example in shown}
    if len(counts) > 1:
        raise ValueError(f"the examples have different numbers of heads: {sorted(counts)}")
    (count,) = counts
    if heads and len(heads) != count:
        raise ValueError(f"there are {len(heads)} names for {count} heads")
    names = list(heads) or ([f"head {k}" for k in range(1, count + 1)] if count > 1 else [""])
    data = {"heads": names, "named": NAMED, "examples": shown}
    return Interactive("attention", title, _alternative(data), data, lambda: _draw(data))


def _example(number: int, example: Attended) -> dict[str, Any]:
    """The data of one example, or a sentence about what is wrong with it."""
    source, target = list(example.source), list(example.target)
    weights = example.weights
    if hasattr(weights, "detach"):  # a tensor, perhaps with a gradient, perhaps elsewhere
        weights = weights.detach().cpu()
    weights = np.asarray(weights, dtype=float)
    if weights.ndim == 2:
        weights = weights[None]
    shape = len(target), len(source)
    if weights.ndim != 3 or weights.shape[1:] != shape or 0 in weights.shape:
        raise ValueError(
            f"the weights of example {number} have shape {weights.shape}, expected "
            f"(1 or more heads, {shape[0]} target words, {shape[1]} source words)"
        )
    sums = weights.sum(axis=2)
    # written so that what is not a number is refused as well
    for head, j in np.argwhere(~((abs(sums - 1) <= SUM_TOLERANCE) & (weights >= 0).all(axis=2))):
        raise ValueError(
            f"example {number}, head {head + 1}, row {j + 1} ({target[j]}): the weights sum to "
            f"{sums[head, j]:.6g} and the least is {weights[head, j].min():.3g}, expected a sum of "
            "1 and none below 0"
        )
    pinyin = list(example.pinyin) or [""] * len(source)
    if len(pinyin) != len(source):
        raise ValueError(
            f"example {number} has {len(source)} source words but pinyin of {len(pinyin)}"
        )
    # as the script reads them: what is equal there is equal in the words and the picture too
    weights = np.array([float(f"{w:.{DIGITS}g}") for w in weights.flat]).reshape(weights.shape)
    return {
        "source": [_word(*both) for both in zip(source, pinyin, strict=True)],
        "target": [_word(word) for word in target],
        "weights": weights,
        **_gold(number, example, shape),
    }


def _gold(number: int, example: Attended, shape: tuple[int, int]) -> dict[str, Any]:
    """Sure and possible links in the order of the target words; None where there are none given."""
    if example.sure is None and example.possible is None:
        return {"sure": None, "possible": None}
    sure = set(example.sure or ())
    possible = sure | set(example.possible or ())
    for i, j in sorted(possible):
        if not (0 <= i < shape[1] and 0 <= j < shape[0]):
            raise ValueError(
                f"example {number} has a gold link ({i}, {j}), but {shape[1]} source words and "
                f"{shape[0]} target words, counted from 0"
            )

    def listed(links: set[tuple[int, int]]) -> list[list[int]]:
        return sorted(([int(i), int(j)] for i, j in links), key=lambda link: link[::-1])

    return {"sure": listed(sure), "possible": listed(possible)}


def _word(text: str, pinyin: str = "") -> dict[str, str]:
    # the corpus reads a full stop as itself
    return {
        "text": text,
        "pinyin": "" if pinyin == text else pinyin,
        "lang": "zh" if CHINESE.search(text) else "",
    }


def _printed(share: float) -> str:
    """Two digits, with halves rounded up as in the script: an even 1/8 is 0.13."""
    return f"{share + 1e-12:.2f}"


def _looks(example: dict[str, Any], head: int, j: int) -> str:
    """Where an output word looks, as the live figure says it: its largest weight, and large ones.

    Equal weights are named from left to right.
    """
    row = example["weights"][head, j]
    order = sorted(range(len(row)), key=lambda i: -row[i])
    named = [i for rank, i in enumerate(order) if rank == 0 or row[i] >= NAMED]
    places = [f"{example['source'][i]['text']} ({_printed(row[i])})" for i in named]
    return f"{example['target'][j]['text']} looks at {' and '.join(places)}"


def _named(head: str) -> str:
    """Name of a head within a sentence, as the live figure says it."""
    return "the mean" if head == "mean" else head


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    first = data["examples"][0]
    looks = ", ".join(_looks(first, 0, j) for j in range(len(first["target"])))
    head = _named(data["heads"][0])
    return f"Weights of sentence 1{f', {head}' if head else ''}: {looks}."


def _draw(data: dict[str, Any]) -> Any:
    """The map of the first example and head, as the figure opens, with its numbers."""
    from matplotlib import pyplot as plt

    first = data["examples"][0]
    weights = first["weights"][0]
    source, target = first["source"], [word["text"] for word in first["target"]]
    size = 1.4 + 0.52 * len(source), 1.1 + 0.34 * len(target)
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    downwards = [word["text"] if word["lang"] else "" for word in source]
    heat_map(ax, weights, downwards, target, pinyin=[word["pinyin"] for word in source])
    # only Chinese words are written downwards
    labels = zip(ax.get_xticklabels(), source, strict=True)
    ax.set_xticks(range(len(source)), [label.get_text() or word["text"] for label, word in labels])
    for (j, i), share in np.ndenumerate(weights):
        colour = "white" if share > 0.55 else "black"
        ax.text(i, j, _printed(share), ha="center", va="center", color=colour, fontsize=8)
    head = _named(data["heads"][0])
    ax.set_xlabel(f"weights{f' of {head}' if head else ''}; each row sums to 1")
    return figure
