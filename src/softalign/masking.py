"""The one mask convention: a mask is boolean, and True means *may be seen*.

A batch holds sentences of unequal lengths, filled up to the longest; `lengths_mask` says which
places are real. A decoder must not look at what it has yet to write; `causal_mask` says what it may
look at. `masked_softmax` gives weights to the places that may be seen, and exactly nothing to the
others.

Masks combine with ``&``. torch is of two minds about the meaning of True: the notation page lists,
call by call, where our mask goes in as it is and where as ``~mask``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

__all__ = ["causal_mask", "lengths_mask", "masked_softmax"]


def lengths_mask(
    lengths: Tensor | np.ndarray | Sequence[int], size: int | None = None
) -> Bool[Tensor, "batch time"]:
    """Say which places of a padded batch are real: row b sees its first ``lengths[b]`` places.

    Parameters
    ----------
    lengths : integer tensor or array of shape (batch,), or a sequence of int
        Number of real places of each row; 0 is allowed, and gives a row that sees nothing.
    size : int, optional
        Places of a row, the axis `time`; the largest length, if left out.

    Returns
    -------
    bool tensor of shape (batch, time)
        True = may be seen, False = padding; on the device of `lengths`.

    Raises
    ------
    TypeError
        The lengths are not whole numbers.
    ValueError
        The lengths are not a single row of numbers, one is negative, or one exceeds `size`.

    Examples
    --------
    >>> lengths_mask([3, 1]).int().tolist()
    [[1, 1, 1], [1, 0, 0]]
    >>> lengths_mask([1, 0], size=2).tolist()
    [[True, False], [False, False]]

    Page: 02_rnn/sequences
    """
    if not isinstance(lengths, Tensor):
        array = np.array(lengths)  # a copy: torch warns about arrays that may not be written to
        lengths = torch.from_numpy(array.astype(np.int64) if array.size == 0 else array)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise TypeError(f"the lengths are of type {lengths.dtype}, expected whole numbers")
    if lengths.ndim != 1:
        raise ValueError(f"the lengths have shape {tuple(lengths.shape)}, expected (batch,)")
    shortest, longest = (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)
    if shortest < 0:
        raise ValueError(f"a length is {shortest}, expected 0 or more")
    if size is None:
        size = longest
    if longest > size:
        raise ValueError(f"a length is {longest}, expected at most the size, {size}")
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def causal_mask(
    size: int, *, device: torch.device | str | None = None
) -> Bool[Tensor, "time time"]:
    """Say which places a place may see that must not look ahead: itself and all before it.

    Parameters
    ----------
    size : int
        Number of places.
    device : torch device, optional
        Where to put the mask.

    Returns
    -------
    bool tensor of shape (time, time)
        Row t is True up to and including column t.

    Raises
    ------
    ValueError
        `size` is negative.

    Notes
    -----
    Vaswani et al. (2017), *Attention is all you need*, section 3.2.3, write it as scores of minus
    infinity. A place sees *itself*: what it must not see is kept out by shifting the input as well.

    Examples
    --------
    >>> causal_mask(3).int().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]

    Page: 02_rnn/sequences
    """
    if size < 0:
        raise ValueError(f"the size is {size}, expected 0 or more")
    return torch.ones(size, size, dtype=torch.bool, device=device).tril()


def masked_softmax(
    scores: Shaped[Tensor, "*rows places"], mask: Tensor | None = None
) -> Float[Tensor, "*rows places"]:
    """Softmax over the last axis, among the places that may be seen.

    Parameters
    ----------
    scores : floating-point tensor of shape (..., places)
        Any numbers. Minus infinity means the same as hidden. What a hidden place holds, be it NaN,
        has no influence.
    mask : bool tensor, optional
        True = may be seen; of a shape that broadcasts to that of the scores. Left out: all of them.

    Returns
    -------
    tensor of the shape, type and device of the scores
        Weights: 0 or more, exactly 0 where hidden, and each row sums to 1. A row with nothing to
        see has weights, and passes back a gradient, of exactly 0. Defined for all floating types,
        float16 and bfloat16 too: no large negative number stands in for minus infinity. With no
        places at all the result is empty. Neither argument is changed.

    Raises
    ------
    TypeError
        The mask is not boolean, or the scores are not floating-point numbers.
    ValueError
        The mask cannot be broadcast to the shape of the scores, or the scores have no axis.

    Notes
    -----
    An empty row is given equal scores before the softmax, and its weights are set to 0 behind it:
    no NaN arises at all. With a bias of minus infinity instead, and the NaN of an empty row
    repaired behind the softmax only, the weights look right and the gradient is NaN.

    Examples
    --------
    >>> import math
    >>> scores = torch.tensor([[0.0, math.log(3), 9.0], [5.0, 5.0, 5.0]], dtype=torch.float64)
    >>> masked_softmax(scores, lengths_mask([2, 0], size=3)).numpy().round(4).tolist()
    [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]

    Page: 02_rnn/sequences
    """
    if not scores.is_floating_point():
        raise TypeError(f"the scores are of type {scores.dtype}, expected floating-point numbers")
    if scores.ndim == 0:
        raise ValueError("the scores are a single number, expected at least one axis")
    hidden = torch.isneginf(scores.detach())
    if mask is not None:
        if mask.dtype != torch.bool:
            raise TypeError(f"the mask is of type {mask.dtype}, expected bool: True = may be seen")
        hidden = hidden | ~_broadcast(mask, scores.shape)
    empty = hidden.all(dim=-1, keepdim=True)
    visible = scores.masked_fill(hidden, -torch.inf).masked_fill(empty, 0.0)
    return torch.softmax(visible, dim=-1).masked_fill(hidden, 0.0)


def _broadcast(mask: Tensor, shape: torch.Size) -> Tensor:
    """Expand the mask to the shape of the scores, or say that it does not fit."""
    try:
        return mask.expand(shape)
    except RuntimeError:
        raise ValueError(
            f"the mask has shape {tuple(mask.shape)}, "
            f"which does not broadcast to that of the scores, {tuple(shape)}"
        ) from None
