"""Beam search as a tree that grows step by step, with what it keeps and what it cuts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from softalign.interactive.figure import Interactive
from softalign.interfaces import Stepper
from softalign.search import Hypothesis, Step, beam, beam_steps, evaluating
from softalign.search.hypotheses import allowed, best_first

__all__ = ["beam_figure"]

CHINESE = re.compile("[\u3001-\u303f\u3400-\u9fff\uff01-\uff5e]")  # and its punctuation
MOST_SIZES, WIDEST = 6, 8


def beam_figure(
    stepper: Stepper,
    source: Sequence[int],
    words: Any,
    *,
    max_length: int,
    source_words: Sequence[str] = (),
    pinyin: Sequence[str] = (),
    sizes: Sequence[int] = (1, 2, 3, 4),
    opens: int | None = None,
    alpha: float = 0.0,
    pruned: int = 3,
    title: str = "Beam search, step by step",
) -> Interactive:
    """Figure of beam searches of several sizes on one source, each as a tree.

    What is kept comes from `beam_steps`, what is found from `beam`. What is cut comes from the
    log-probabilities that the same search was given: the best few of them, and those whose end
    another size finds.

    Parameters
    ----------
    stepper : Stepper
        The model.
    source : sequence of int
        One source, as ``stepper.start`` takes it.
    words : sequence of str or Vocabulary
        The word of each id that the model writes.
    max_length : int
        Largest number of tokens, the end symbol counted.
    source_words, pinyin : sequences of str
        What stands above the tree; pinyin has one entry a source word.
    sizes : sequence of int
        Sizes of the beam to choose from, each once, from 1 to 8; at most six of them.
    opens : int, optional
        Size with which the figure opens, after its last step; by default the first of `sizes`.
    alpha : float
        Length exponent, as for `beam`.
    pruned : int
        How many of those that are cut are shown at each step, at least; the rest is counted.

    Returns
    -------
    Interactive
        Of the kind "beam". Its data hold `alpha`, `source`, the place `opens` and, for each size,
        a run with its `size`; `nodes`, each with `parent` (a node, or -1), `token`, `depth` (words
        written), `log_prob` (of the token), `sum` (of all its tokens), `score` (nats all three)
        and `finished`; `steps`, each with the nodes that are `kept` and those `cut`, best first,
        and the number of `others`; the node `found`; and `limit`: did the length limit end it?

    Raises
    ------
    ValueError
        Sizes, `opens`, `pruned` or pinyin as they must not be; another number of words than the
        model writes; otherwise as for `beam`.

    Examples
    --------
    >>> import torch
    >>> class Coin:  # writes heads, tails or the end
    ...     bos_id, eos_id, never = 0, 1, (0,)
    ...     def start(self, sources): return None
    ...     def step(self, tokens, state):
    ...         return torch.tensor([[0, 0.2, 0.5, 0.3]] * len(tokens)).log(), state
    ...     def reorder(self, state, rows): return state
    >>> words = ["<s>", "</s>", "heads", "tails"]
    >>> figure = beam_figure(Coin(), [], words, max_length=2, sizes=(1, 2), pruned=1)
    >>> figure.data["runs"][0]["steps"]
    [{'kept': [0], 'cut': [1], 'others': 1}, {'kept': [2], 'cut': [3], 'others': 1}]

    Page: 05_encoder_decoder/search
    """
    names = list(getattr(words, "words", words))
    opens = _checked(sizes, opens, pruned, source_words, pinyin)
    options = {"max_length": max_length, "alpha": alpha}
    found = [beam(stepper, [source], size=size, **options)[0][0] for size in sizes]
    # the beginnings of what any size finds are shown wherever they are cut
    wanted = {best.ids[:count] for best in found for count in range(1, len(best.ids) + 1)}
    runs = []
    for size, best in zip(sizes, found, strict=True):
        recorded = _Recorded(stepper)
        with evaluating(stepper):
            steps = beam_steps(recorded, source, size=size, **options)
        if recorded.tables[0].shape[-1] != len(names):
            raise ValueError(
                f"the model writes {recorded.tables[0].shape[-1]} words, and words has {len(names)}"
            )
        tree = _tree(steps, recorded, alpha, pruned, wanted)
        runs.append(_run(size, tree, best, names, limit=len(steps) == max_length))
    sounds = list(pinyin) or [""] * len(source_words)
    data = {
        "alpha": alpha,
        "source": [
            {
                "text": text,
                "pinyin": "" if sound == text else sound,  # the corpus reads "。" as itself
                "lang": "zh" if CHINESE.search(text) else "",
            }
            for text, sound in zip(source_words, sounds, strict=True)
        ],
        "opens": opens,
        "runs": runs,
    }
    return Interactive("beam", title, _alternative(data), data, lambda: _draw(data))


def _checked(
    sizes: Sequence[int],
    opens: int | None,
    pruned: int,
    source_words: Sequence[str],
    pinyin: Sequence[str],
) -> int:
    """Place of the size with which the figure opens, or a sentence about what is wrong."""
    if not 1 <= len(sizes) <= MOST_SIZES or len(set(sizes)) < len(sizes):
        raise ValueError(f"sizes is {tuple(sizes)}, expected 1 to {MOST_SIZES} different sizes")
    if not all(1 <= size <= WIDEST for size in sizes):
        raise ValueError(f"sizes is {tuple(sizes)}, expected sizes from 1 to {WIDEST}")
    if opens is not None and opens not in sizes:
        raise ValueError(f"opens is {opens}, expected one of the sizes {tuple(sizes)}")
    if pruned < 0:
        raise ValueError(f"pruned is {pruned}, expected 0 or more")
    if pinyin and len(pinyin) != len(source_words):
        raise ValueError(f"there are {len(source_words)} source words but pinyin of {len(pinyin)}")
    return 0 if opens is None else list(sizes).index(opens)


class _Recorded:
    """A stepper that notes the log-probabilities it gives."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper = stepper
        self.bos_id, self.eos_id, self.never = stepper.bos_id, stepper.eos_id, stepper.never
        self.start, self.reorder = stepper.start, stepper.reorder
        self.tables: list[Any] = []

    def step(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        """Step, and note."""
        log_probs, state = self.stepper.step(tokens, state)
        self.tables.append(allowed(log_probs, self.stepper))
        return log_probs, state


def _tree(
    steps: Iterable[Step], recorded: _Recorded, alpha: float, pruned: int, wanted: set
) -> list[tuple[list[Hypothesis], list[Hypothesis], int]]:
    """What is kept at each step, what is cut and shown, and how many are cut and not shown."""
    before, shown, tree = [Hypothesis((), 0.0, 0.0, False)], set(), []
    for step, table in zip(steps, recorded.tables, strict=True):
        # rows of the table are the unfinished hypotheses, in the order in which they were kept
        alive = [hypothesis for hypothesis in before if not hypothesis.finished]
        candidates = [hypothesis for hypothesis in before if hypothesis.finished]
        for parent, row in zip(alive, table.tolist(), strict=True):
            for token, value in enumerate(row):
                if value > float("-inf"):
                    ids, total = (*parent.ids, token), parent.log_prob + value
                    score = total / len(ids) ** alpha
                    candidates.append(Hypothesis(ids, total, score, token == recorded.eos_id))
        kept = set(step.kept)
        cut = sorted((h for h in candidates if h not in kept), key=best_first)
        named = [
            h for rank, h in enumerate(cut) if rank < pruned or h.ids in wanted or h.ids in shown
        ]
        tree.append((step.kept, named, len(cut) - len(named)))
        shown |= {h.ids for h in (*step.kept, *named)}
        before = step.kept
    return tree


def _run(size: int, tree: list, best: Hypothesis, names: list[str], *, limit: bool) -> dict:
    """One size as the script gets it: a node for each hypothesis, and the nodes of each step."""
    places: dict[tuple[int, ...], int] = {}
    nodes: list[dict[str, Any]] = []
    steps = []
    for kept, cut, others in tree:
        for hypothesis in (*kept, *cut):
            if hypothesis.ids in places:
                continue
            parent = places.get(hypothesis.ids[:-1], -1)
            places[hypothesis.ids] = len(nodes)
            nodes.append(
                {
                    "parent": parent,
                    "token": names[hypothesis.ids[-1]],
                    "depth": len(hypothesis.ids),
                    "log_prob": hypothesis.log_prob - (nodes[parent]["sum"] if parent >= 0 else 0),
                    "sum": hypothesis.log_prob,
                    "score": hypothesis.score,
                    "finished": hypothesis.finished,
                }
            )
        listed = {
            "kept": [places[hypothesis.ids] for hypothesis in kept],
            "cut": [places[hypothesis.ids] for hypothesis in cut],
        }
        steps.append({**listed, "others": others})
    return {
        "size": size,
        "nodes": nodes,
        "steps": steps,
        "found": places[best.ids],
        "limit": limit,
    }


def _written(run: dict, node: int) -> str:
    """The words of a hypothesis."""
    words = []
    while node >= 0:
        words.append(run["nodes"][node]["token"])
        node = run["nodes"][node]["parent"]
    return " ".join(reversed(words))


def _number(value: float) -> str:
    text = f"{abs(value) + 1e-12:.2f}"
    return text if value >= 0 or text == "0.00" else f"−{text}"


def _finds(run: dict) -> str:
    sum_ = _number(run["nodes"][run["found"]]["sum"])
    return f"size {run['size']} finds {_written(run, run['found'])} ({sum_})"


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    run = data["runs"][data["opens"]]
    last = run["steps"][-1]
    kept, cut = (
        ", ".join(f"{_written(run, n)} ({_number(run['nodes'][n]['sum'])})" for n in last[which])
        for which in ("kept", "cut")
    )
    count = len(run["steps"])
    return (
        f"Tree of the beam search of size {run['size']} after step {count} of {count}, with sums "
        f"of log-probabilities in nats. Kept: {kept}. Cut: {cut or 'nothing that is shown'}. "
        f"In the end {', '.join(_finds(run) for run in data['runs'])}."
    )


def _draw(data: dict[str, Any]) -> Any:
    """The whole tree of the size with which the figure opens, and what each size finds."""
    from matplotlib import pyplot as plt

    run = data["runs"][data["opens"]]
    nodes, places = run["nodes"], {-1: (0.0, 0.0)}
    last = {n: which for step in run["steps"] for which in ("kept", "cut") for n in step[which]}
    path, node = {-1}, run["found"]
    while node >= 0:
        path.add(node)
        node = nodes[node]["parent"]
    tallest = 1
    for depth, step in enumerate(run["steps"], start=1):
        column = [n for n in (*step["kept"], *step["cut"]) if nodes[n]["depth"] == depth]
        tallest = max(tallest, len(column))
        for rank, n in enumerate(column):
            places[n] = (float(depth), float(-rank))  # the best on top
    count = len(run["steps"])
    figure, ax = plt.subplots(figsize=(1.2 + 1.25 * count, 1.5 + 0.55 * tallest))
    middle = {"ha": "center", "va": "center", "fontsize": 9}
    ax.text(0, 0, "start", bbox={"fc": "white", "ec": "0.3"}, **middle)
    for n, place in places.items():
        if n < 0:
            continue
        kept, found = last[n] == "kept", n in path
        line = {"color": "C0" if kept else "0.45", "ls": "-" if kept else "--"}
        ends = zip(places[nodes[n]["parent"]], place, strict=True)
        ax.plot(*ends, **line, lw=3 if found else 1.2, zorder=0)
        ring = "round" if nodes[n]["finished"] else "square"
        frame = {"fc": "white", "ec": line["color"], "ls": line["ls"], "boxstyle": ring}
        ax.text(
            *place,
            f"{nodes[n]['token']}\n{_number(nodes[n]['sum'])}{'' if kept else ' cut'}",
            bbox={**frame, "lw": 2.5 if nodes[n]["finished"] else 1.2},
            color="black" if kept else "0.35",
            **middle,
        )
    finds = "\n".join(_finds(run) for run in data["runs"])
    ax.set_xlabel(f"step of the beam of size {run['size']}\n{finds}")
    ax.set(xlim=(-0.4, count + 0.5), ylim=(0.4 - tallest, 0.6))
    ax.set(xticks=range(1, count + 1), yticks=[])
    ax.spines["left"].set_visible(False)
    return figure
