"""Cross-entropy over the positions that count.

Page: 02_rnn/rnn
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int64


def cross_entropy(
    logits: Float[torch.Tensor, "*axes vocab"],
    labels: Int64[torch.Tensor, "*axes"],
    mask: Bool[torch.Tensor, "*axes"] | None = None,
    *,
    smoothing: float = 0.0,
    excluded: Sequence[int] = (),
) -> tuple[Float[torch.Tensor, ""], int]:
    """Add up the cross-entropy over the positions that the mask shows.

    A sum and a count, not a mean: losses of several batches can be added exactly, and the count of
    the loss is the count of the perplexity.

    Parameters
    ----------
    logits : float tensor of shape (..., vocab)
        Scores of the words.
    labels : int64 tensor of shape (...)
        Ids of the right words. Where the mask is False, anything.
    mask : boolean tensor of shape (...), optional
        True = the position counts. Elsewhere the gradient is exactly 0, whatever stands there.
    smoothing : float
        Share of the target's probability that is spread evenly over the words (Szegedy et al.
        2016, section 7), from 0 to less than 1.
    excluded : sequence of int
        Ids that get none of that share, because they are never right: padding, for example.

    Returns
    -------
    total : scalar tensor
        Sum in nats; float32 for half precision, else the precision of `logits`.
    count : int
        Number of positions that count.

    Raises
    ------
    ValueError
        Shapes that do not fit, a label outside the vocabulary where the mask is True, `smoothing`
        outside its range, every word excluded.
    TypeError
        A mask that is not boolean.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 0.0]])
    >>> labels = torch.tensor([0, 1, 1])
    >>> total, count = cross_entropy(logits, labels, torch.tensor([True, True, False]))
    >>> round(float(total), 4), count  # twice log 2
    (1.3863, 2)

    Page: 07_transformer/transformer
    """
    vocab = logits.shape[-1]
    if labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"labels have the shape {tuple(labels.shape)}, expected {tuple(logits.shape[:-1])}: "
            f"that of the logits {tuple(logits.shape)} without the vocabulary"
        )
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing is {smoothing}, expected 0 or more and less than 1")
    if mask is None:
        logits, labels = logits.reshape(-1, vocab), labels.reshape(-1)
    else:
        if mask.dtype != torch.bool:
            raise TypeError(f"the mask is {mask.dtype}, expected boolean: True = counts")
        if mask.shape != labels.shape:
            raise ValueError(f"the mask is {tuple(mask.shape)}, expected {tuple(labels.shape)}")
        logits, labels = logits[mask], labels[mask]
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < vocab:
        wrong = labels[(labels < 0) | (labels >= vocab)][0]
        raise ValueError(f"a label is {int(wrong)}, expected 0 to {vocab - 1}")
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    log_probs = logits.log_softmax(-1)
    losses = -log_probs.gather(-1, labels[:, None])[:, 0]
    if smoothing:
        possible = [word for word in range(vocab) if word not in set(excluded)]
        if not possible:
            raise ValueError("every word is excluded from the smoothing, expected one at least")
        spread = -log_probs[:, possible].mean(-1)
        losses = (1 - smoothing) * losses + smoothing * spread
    return losses.sum(), labels.numel()
