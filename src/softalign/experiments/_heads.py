"""What the experiments with Transformers measure beside translations: what the heads look at.

Page: 07_transformer/multi_head
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from torch import nn

from softalign.corpus import Pair
from softalign.experiments._translation import model_perplexity, weights_to_links
from softalign.metrics import aer, exact_match_statistics
from softalign.search import translate
from softalign.transformer import Transformer, cross_weights, prune_heads

__all__ = ["alignment_of_heads", "divergence", "heads_of", "pruning", "without"]

SHIFTS = {"aer": 0, "aer_shift_+1": 1}
"""Row j writes word j; row j + 1 is the first that has read it."""
STEPS = (4, 8, 12, 16, 20)
"""Numbers of heads that `pruning` takes away together."""


def _aers(weights: Sequence[np.ndarray], pairs: Sequence[Pair], shift: int) -> dict[str, float]:
    """AER of every head of every layer, and of the mean of the heads of each layer."""
    gold = [pair.sure for pair in pairs], [pair.possible for pair in pairs]
    layers, heads = weights[0].shape[:2]
    found = {}
    for layer in range(layers):
        name = f"layer_{layer + 1}"
        mean = [rows[layer].mean(0) for rows in weights]
        found[name] = aer([weights_to_links(w, shift=shift) for w in mean], *gold).aer
        for head in range(heads if heads > 1 else 0):
            one = [weights_to_links(rows[layer, head], shift=shift) for rows in weights]
            found[f"{name}_head_{head + 1}"] = aer(one, *gold).aer
    return found


def divergence(weights: Sequence[np.ndarray]) -> float:
    """Mean Jensen–Shannon divergence of two heads of a layer at the same position.

    Parameters
    ----------
    weights : sequence of arrays of shape (heads, tgt, src)
        Two heads at least; rows sum to 1.

    Returns
    -------
    float
        Nats, from 0 (all heads look at the same) to log 2 (no two look at anything in common).

    Examples
    --------
    >>> one, other = [[1.0, 0.0]], [[0.0, 1.0]]
    >>> divergence([np.array([one, one])]), round(divergence([np.array([one, other])]), 4)
    (0.0, 0.6931)

    Page: 07_transformer/multi_head
    """
    found = []
    for rows in weights:
        for a, b in combinations(rows, 2):
            middle = (a + b) / 2
            for part in (a, b):
                ratio = np.where(part > 0, part, 1.0) / np.where(part > 0, middle, 1.0)
                found.append((part * np.log(ratio)).sum(-1) / 2)
    return 2 * float(np.concatenate(found).mean())


def alignment_of_heads(
    model: Transformer, validation: Sequence[Pair], test: Sequence[Pair]
) -> dict[str, float]:
    """Hold the cross-attention of a model that is made to write the references against gold links.

    Returns
    -------
    dict
        ``aer_layer_1_head_1`` and so on, of each head and (without ``_head``) of the mean of a
        layer's heads, on the test pairs, each word linked by the row that writes it; ``aer``: of
        the one with the lowest AER on the *validation* pairs; ``aer_shift_+1``: likewise, when each
        word is linked by the row that has read it; ``divergence_layer_1`` and so on, if there are
        several heads; ``entropy_layer_1`` and so on: mean entropy of a row, nats.

    Page: 07_transformer/multi_head
    """
    shown = {}
    for name, pairs in (("validation", validation), ("test", test)):
        shown[name] = cross_weights(model, [p.source for p in pairs], [p.target for p in pairs])
    found = {}
    for name, shift in SHIFTS.items():
        chosen_on = _aers(shown["validation"], validation, shift)
        values = _aers(shown["test"], test, shift)
        found[name] = values[min(chosen_on, key=chosen_on.get)]
        if shift == 0:
            found |= {f"aer_{part}": value for part, value in values.items()}
    layers, heads = shown["test"][0].shape[:2]
    for layer in range(layers):
        rows = [weights[layer] for weights in shown["test"]]
        if heads > 1:
            found[f"divergence_layer_{layer + 1}"] = divergence(rows)
        flat = np.concatenate([-(r * np.log(np.maximum(r, 1e-30))).sum(-1).ravel() for r in rows])
        found[f"entropy_layer_{layer + 1}"] = float(flat.mean())
    return found


def heads_of(model: Transformer) -> Iterator[tuple[str, int, str, int]]:
    """Name every head: side, layer, which attention of the layer, head; all numbers from 0.

    Page: 07_transformer/multi_head
    """
    for side, attention in (
        ("encoder", "attention"),
        ("decoder", "attention"),
        ("decoder", "cross_attention"),
    ):
        for layer, module in enumerate(getattr(model, side)):
            for head in range(getattr(module, attention).n_heads):
                yield side, layer, attention, head


def without(model: Transformer, heads: Sequence[tuple[str, int, str, int]]) -> Transformer:
    """Return a copy of the model without some heads.

    An attention that loses all of its heads is left with a contribution of its bias alone.

    Page: 07_transformer/multi_head
    """
    pruned = copy.deepcopy(model)
    for side, layer, name in sorted({head[:3] for head in heads}):
        module = getattr(pruned, side)[layer]
        attention = getattr(module, name)
        gone = {head[3] for head in heads if head[:3] == (side, layer, name)}
        kept = [head for head in range(attention.n_heads) if head not in gone]
        if kept:
            setattr(module, name, prune_heads(attention, kept))
        else:
            nn.init.zeros_(attention.W_o)
    return pruned


def pruning(
    model: Transformer, validation: Sequence[Pair], test: Sequence[Pair]
) -> dict[str, float]:
    """Take heads away, without training again: each alone, then the least important together.

    Returns
    -------
    dict
        ``without_decoder_1_cross_attention_2`` and so on: perplexity of the validation pairs
        without that head; ``exact_without_4`` and so on: exact match of the test pairs without the
        4, 8, … heads that cost least alone.

    Page: 07_transformer/multi_head
    """
    costs = {head: model_perplexity(without(model, [head]), validation) for head in heads_of(model)}
    found = {
        f"without_{side}_{layer + 1}_{name}_{head + 1}": cost
        for (side, layer, name, head), cost in costs.items()
    }
    order = sorted(costs, key=costs.get)
    references = [pair.references for pair in test]
    for count in STEPS:
        if count < len(order):
            smaller = without(model, order[:count])
            said = [found.words for found in translate(smaller, [pair.source for pair in test])]
            found[f"exact_without_{count}"] = exact_match_statistics(said, references).value
    return found
