r"""Attention: scores, a masked softmax of them, and the average of the values under its weights.

.. math:: \alpha_{ji} = \operatorname{softmax}_i(e_{ji}), \qquad
   \mathbf{ctx}_j = \sum_i\alpha_{ji}\mathbf v_i.

`attend` is all there is to it. What differs from one attention to the next is the *score* of a
query :math:`\mathbf q_j` and a key :math:`\mathbf k_i`:

=========== ===================================================================================
dot         :math:`\mathbf q_j\mathbf k_i^\top`
scaled dot  :math:`\mathbf q_j\mathbf k_i^\top/\sqrt{d_k}`
general     :math:`\mathbf q_j\mathbf W\mathbf k_i^\top`
additive    :math:`\tanh(\mathbf q_j\mathbf W_q + \mathbf k_i\mathbf W_k)\,\mathbf w_a^\top`
=========== ===================================================================================

Each is a pure function of queries (..., tgt, d_q) and keys (..., src, d_k) with scores of shape
(..., tgt, src). `DotScore`, `GeneralScore` and `AdditiveScore` are parameters plus a call of it.

Page: 06_attention/scoring
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from softalign.masking import masked_softmax

__all__ = [
    "AdditiveScore",
    "DotScore",
    "GeneralScore",
    "additive_scores",
    "attend",
    "dot_scores",
    "general_scores",
    "scaled_dot_scores",
]


def attend(
    scores: Float[Tensor, "*rows tgt src"],
    values: Float[Tensor, "*groups src feature"],
    mask: Bool[Tensor, "*any"] | None = None,
) -> tuple[Float[Tensor, "*rows tgt feature"], Float[Tensor, "*rows tgt src"]]:
    r"""Average the values under the softmax of the scores.

    Parameters
    ----------
    scores : floating-point tensor of shape (..., tgt, src)
        One row for each target position, the one that asks.
    values : tensor of shape (..., src, feature)
        Of the same type. Its leading axes are those of the scores, or broadcast to them.
    mask : bool tensor, optional
        True = may be seen; of a shape that broadcasts to that of the scores. Left out: all of them.

    Returns
    -------
    context : tensor of shape (..., tgt, feature)
        The averages. Where nothing may be seen they, and the gradient, are exactly 0.
    weights : tensor of shape (..., tgt, src)
        `masked_softmax` of the scores: 0 or more, each row sums to 1, or to 0 where nothing may be
        seen.

    Raises
    ------
    TypeError
        The mask is not boolean, or scores and values are not of one floating-point type.
    ValueError
        Shapes that do not fit.

    Notes
    -----
    Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and translate"
    (2015), equations 5 and 6. A value at a hidden place has weight 0; it must still be a finite
    number, for 0 times NaN is NaN. With no source position at all the contexts are 0. None of the
    arguments is changed.

    Examples
    --------
    >>> import math
    >>> scores = torch.tensor([[0.0, math.log(3.0)]])
    >>> values = torch.tensor([[4.0], [8.0]])
    >>> context, weights = attend(scores, values)
    >>> weights.numpy().round(2).tolist(), context.numpy().round(2).tolist()
    ([[0.25, 0.75]], [[7.0]])

    Page: 06_attention/scoring
    """
    if values.ndim < 2 or scores.ndim < 2 or scores.shape[-1] != values.shape[-2]:
        raise ValueError(
            f"the scores have shape {tuple(scores.shape)} and the values {tuple(values.shape)}, "
            "expected (..., tgt, src) and (..., src, feature) with the same src"
        )
    if scores.dtype != values.dtype:
        raise TypeError(
            f"the scores are of type {scores.dtype} and the values of type {values.dtype}, "
            "expected the same"
        )
    if values.ndim > scores.ndim or any(
        theirs not in (1, ours)
        for ours, theirs in zip(scores.shape[-3::-1], values.shape[-3::-1], strict=False)
    ):
        raise ValueError(
            f"the values have shape {tuple(values.shape)}, whose leading axes do not broadcast to "
            f"those of the scores, {tuple(scores.shape)}"
        )
    weights = masked_softmax(scores, mask)
    return weights @ values, weights


def _sizes_fit(queries: Tensor, keys: Tensor, queries_size: int, keys_size: int) -> None:
    if queries.shape[-1] != queries_size or keys.shape[-1] != keys_size:
        raise ValueError(
            f"the queries have {queries.shape[-1]} components and the keys {keys.shape[-1]}, "
            f"expected {queries_size} and {keys_size}"
        )


def dot_scores(
    queries: Float[Tensor, "*groups tgt feature"], keys: Float[Tensor, "*groups src features"]
) -> Float[Tensor, "*groups tgt src"]:
    r"""Score each query and key by their product, :math:`\mathbf q_j\mathbf k_i^\top`.

    Parameters
    ----------
    queries : tensor of shape (..., tgt, d_k)
    keys : tensor of shape (..., src, d_k)

    Returns
    -------
    tensor of shape (..., tgt, src)

    Raises
    ------
    ValueError
        Queries and keys of different sizes.

    Notes
    -----
    Luong, Pham & Manning, "Effective approaches to attention-based neural machine translation"
    (2015), equation 8, "dot".

    Examples
    --------
    >>> dot_scores(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[11.0, 2.0]]

    Page: 06_attention/scoring
    """
    _sizes_fit(queries, keys, keys.shape[-1], queries.shape[-1])
    return queries @ keys.mT


def scaled_dot_scores(
    queries: Float[Tensor, "*groups tgt feature"], keys: Float[Tensor, "*groups src features"]
) -> Float[Tensor, "*groups tgt src"]:
    r"""Score each query and key by :math:`\mathbf q_j\mathbf k_i^\top/\sqrt{d_k}`.

    If the components of both are independent with mean 0 and variance 1, the scores have mean 0
    and variance 1 as well, whatever :math:`d_k` is.

    Parameters
    ----------
    queries : tensor of shape (..., tgt, d_k)
    keys : tensor of shape (..., src, d_k)
        With at least one component.

    Returns
    -------
    tensor of shape (..., tgt, src)

    Raises
    ------
    ValueError
        Queries and keys of different sizes, or of none.

    Notes
    -----
    Vaswani et al., "Attention is all you need" (2017), equation 1.

    Examples
    --------
    >>> ones = torch.ones(1, 4)
    >>> scaled_dot_scores(ones, ones).item()
    2.0

    Page: 06_attention/scoring
    """
    if keys.shape[-1] == 0:
        raise ValueError("the keys have no components, expected at least one")
    return dot_scores(queries * keys.shape[-1] ** -0.5, keys)


def general_scores(
    queries: Float[Tensor, "*groups tgt feature"],
    keys: Float[Tensor, "*groups src features"],
    W: Float[Tensor, "query_size key_size"],
) -> Float[Tensor, "*groups tgt src"]:
    r"""Score a query and a key with a matrix between, :math:`\mathbf q_j\mathbf W\mathbf k_i^\top`.

    Parameters
    ----------
    queries : tensor of shape (..., tgt, d_q)
    keys : tensor of shape (..., src, d_k)
    W : tensor of shape (d_q, d_k)

    Returns
    -------
    tensor of shape (..., tgt, src)

    Raises
    ------
    ValueError
        Sizes that do not fit.

    Notes
    -----
    Luong, Pham & Manning (2015), equation 8, "general". Queries and keys may differ in size.

    Examples
    --------
    >>> W = torch.tensor([[1.0], [10.0]])
    >>> general_scores(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0]]), W).item()
    63.0

    Page: 06_attention/scoring
    """
    _sizes_fit(queries, keys, *W.shape)
    return queries @ W @ keys.mT


def additive_scores(
    queries: Float[Tensor, "*groups tgt feature"],
    keys: Float[Tensor, "*groups src features"],
    W_q: Float[Tensor, "query_size hidden"],
    W_k: Float[Tensor, "key_size hidden"],
    w_a: Float[Tensor, "hidden"],
) -> Float[Tensor, "*groups tgt src"]:
    r"""Score each query and key by a network of one hidden layer.

    .. math:: e_{ji} = \tanh(\mathbf q_j\mathbf W_q + \mathbf k_i\mathbf W_k)\,\mathbf w_a^\top

    Parameters
    ----------
    queries : tensor of shape (..., tgt, d_q)
    keys : tensor of shape (..., src, d_k)
    W_q, W_k : tensors of shape (d_q, hidden) and (d_k, hidden)
    w_a : tensor of shape (hidden,)

    Returns
    -------
    tensor of shape (..., tgt, src)
        On the way there, tgt · src · hidden numbers are held.

    Raises
    ------
    ValueError
        Sizes that do not fit.

    Notes
    -----
    Bahdanau, Cho & Bengio (2015), appendix A.1.2. Without the tanh the query adds the same number
    to the score of every key, the softmax takes no notice, and the weights ignore the query.
    There is no bias inside the tanh, so the score is odd: the opposite query and the opposite key
    have the opposite score. A key with a component that is always 1 brings a bias along.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> round(additive_scores(one, 2 * one, one, one, torch.tensor([10.0])).item(), 4)  # 10 tanh 3
    9.9505

    Page: 06_attention/scoring
    """
    _sizes_fit(queries, keys, W_q.shape[0], W_k.shape[0])
    return _additive(queries @ W_q, keys @ W_k, w_a)


def _additive(queries: Tensor, keys: Tensor, w_a: Tensor) -> Tensor:
    """Additive scores of queries and keys that have met their weights."""
    return torch.tanh(queries[..., :, None, :] + keys[..., None, :, :]) @ w_a


class DotScore(nn.Module):
    """The (scaled) product of query and key: no parameters.

    The three scores are called alike: ``score.project(keys)`` once for all the queries to come,
    then ``score(queries, projected)``.

    Parameters
    ----------
    scaled : bool
        Divide by the root of the number of components.

    Examples
    --------
    >>> score = DotScore()
    >>> score(torch.ones(1, 4), score.project(torch.ones(3, 4))).tolist()
    [[2.0, 2.0, 2.0]]

    Page: 06_attention/scoring
    """

    def __init__(self, *, scaled: bool = True) -> None:
        super().__init__()
        self.scaled = scaled

    def project(self, keys: Float[Tensor, "*groups src feature"]) -> Tensor:
        """Return what the queries are compared with: the keys themselves."""
        return keys

    def forward(self, queries: Tensor, projected: Tensor) -> Float[Tensor, "*groups tgt src"]:
        """Return the scores of all queries and keys, of shape (..., tgt, src)."""
        score = scaled_dot_scores if self.scaled else dot_scores
        return score(queries, projected)


class GeneralScore(nn.Module):
    r"""The product of query and key with a matrix between them.

    Parameters
    ----------
    query_size, key_size : int
        Components of a query and of a key.

    Attributes
    ----------
    W : Parameter of shape (query_size, key_size)
        Drawn from the uniform distribution on :math:`\pm\sqrt{6/(d_q+d_k)}` (Glorot & Bengio 2010,
        equation 16).

    Page: 06_attention/scoring
    """

    def __init__(self, query_size: int, key_size: int) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.empty(query_size, key_size))
        nn.init.xavier_uniform_(self.W)

    def project(self, keys: Float[Tensor, "*groups src feature"]) -> Tensor:
        """Return the keys in the space of the queries, of shape (..., src, query_size)."""
        return keys @ self.W.T

    def forward(self, queries: Tensor, projected: Tensor) -> Float[Tensor, "*groups tgt src"]:
        """Return the scores of all queries and keys, of shape (..., tgt, src)."""
        return dot_scores(queries, projected)


class AdditiveScore(nn.Module):
    """A network of one hidden layer that looks at query and key together.

    Parameters
    ----------
    query_size, key_size : int
        Components of a query and of a key.
    hidden_size : int
        Units of the hidden layer.

    Attributes
    ----------
    W_q, W_k : Parameters of shape (query_size, hidden_size), (key_size, hidden_size)
    w_a : Parameter of shape (hidden_size,)
        Uniform, as in `GeneralScore`; for `w_a` with ``hidden_size`` inputs and one output.

    Page: 06_attention/scoring
    """

    def __init__(self, query_size: int, key_size: int, hidden_size: int) -> None:
        super().__init__()
        self.W_q = nn.Parameter(torch.empty(query_size, hidden_size))
        self.W_k = nn.Parameter(torch.empty(key_size, hidden_size))
        self.w_a = nn.Parameter(torch.empty(hidden_size))
        nn.init.xavier_uniform_(self.W_q)
        nn.init.xavier_uniform_(self.W_k)
        nn.init.xavier_uniform_(self.w_a[:, None])

    def project(self, keys: Float[Tensor, "*groups src feature"]) -> Tensor:
        """Return the keys behind their weights, of shape (..., src, hidden_size)."""
        return keys @ self.W_k

    def forward(self, queries: Tensor, projected: Tensor) -> Float[Tensor, "*groups tgt src"]:
        """Return the scores of all queries and keys, of shape (..., tgt, src)."""
        return _additive(queries @ self.W_q, projected, self.w_a)
