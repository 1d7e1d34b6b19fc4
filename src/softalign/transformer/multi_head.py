"""Attention with several heads.

Page: 07_transformer/multi_head
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from softalign.attention import attend, dot_scores, scaled_dot_scores
from softalign.positions import Positions


def split_heads(
    joined: Float[Tensor, "batch time feature"], n_heads: int
) -> Float[Tensor, "batch heads time head_dim"]:
    """Cut the features into one part for each head, and give the heads an axis before time.

    A reshape alone would not do: it would hand head 0 the first *positions*, whole, and not the
    first features of all positions. The axis is made next to the features and then moved.

    Parameters
    ----------
    joined : tensor of shape (batch, time, feature)
        Head h has the features from h · head_dim on.
    n_heads : int
        Number of heads.

    Returns
    -------
    tensor of shape (batch, heads, time, head_dim)

    Raises
    ------
    ValueError
        The features cannot be divided evenly.

    Examples
    --------
    >>> split_heads(torch.tensor([[[1, 2, 3, 4], [5, 6, 7, 8.0]]]), 2).tolist()
    [[[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]]

    Page: 07_transformer/multi_head
    """
    if n_heads < 1 or joined.shape[-1] % n_heads:
        raise ValueError(f"{joined.shape[-1]} features cannot be divided among {n_heads} heads")
    return joined.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def join_heads(
    heads: Float[Tensor, "batch heads time head_dim"],
) -> Float[Tensor, "batch time feature"]:
    """Put the heads' features side by side: `split_heads` undone.

    Examples
    --------
    >>> vectors = torch.arange(24.0).reshape(2, 3, 4)
    >>> torch.equal(join_heads(split_heads(vectors, 2)), vectors)
    True

    Page: 07_transformer/multi_head
    """
    return heads.transpose(1, 2).flatten(2)


class Attended(NamedTuple):
    """What attention with several heads computes.

    Attributes
    ----------
    outputs : Tensor of shape (batch, tgt, d_model)
    weights : Tensor of shape (batch, heads, tgt, src), or None
        None unless they were asked for.

    Page: 07_transformer/multi_head
    """

    outputs: Tensor
    weights: Tensor | None


class KeysValues(NamedTuple):
    """Projected keys and values: all that later queries need of what was read.

    Attributes
    ----------
    keys : Tensor of shape (batch, heads, src, d_k)
    values : Tensor of shape (batch, heads, src, d_v)

    Page: 07_transformer/ablations
    """

    keys: Tensor
    values: Tensor


class MultiHeadAttention(nn.Module):
    r"""Attention by several heads, each with projections of its own.

    .. math:: \mathbf{head}_h = \operatorname{attend}(\mathbf Q\mathbf W^Q_h,\ \mathbf K\mathbf
       W^K_h,\ \mathbf V\mathbf W^V_h),\qquad
       \operatorname{MultiHead} = [\mathbf{head}_1,\dots]\,\mathbf W^O

    Three steps, so that keys and values can be kept: `queries`, `keys_values`, `attend`. A call
    does all three.

    Parameters
    ----------
    d_model : int
        Components of inputs and outputs.
    n_heads : int
        Number of heads; divides `d_model` unless `d_k` and `d_v` are given.
    d_k, d_v : int, optional
        Components of a head's queries and keys, and of its values; ``d_model // n_heads`` each.
    scaled : bool
        Divide the scores by the root of `d_k`.

    Attributes
    ----------
    W_qkv : Parameter of shape (d_model, n_heads * (2 * d_k + d_v))
        The projections of all heads side by side: queries of head 0, of head 1, …, then keys, then
        values. One product makes all three of them. Glorot's uniform distribution
        (Glorot & Bengio 2010, equation 16), each of the three on its own.
    W_o : Parameter of shape (n_heads * d_v, d_model)
        Mixes the heads.
    b_qkv, b_o : Parameters
        Biases, 0 at first.

    Raises
    ------
    ValueError
        `n_heads` does not divide `d_model`.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.2. Without dropout on the weights.

    Examples
    --------
    >>> attention = MultiHeadAttention(8, 2)
    >>> found = attention(torch.ones(1, 3, 8), weights=True)
    >>> found.outputs.shape, found.weights.shape
    (torch.Size([1, 3, 8]), torch.Size([1, 2, 3, 3]))

    Page: 07_transformer/multi_head
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_k: int | None = None,
        d_v: int | None = None,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        if n_heads < 1 or (d_model % n_heads and (d_k is None or d_v is None)):
            raise ValueError(
                f"{d_model} components cannot be divided among {n_heads} heads: give d_k and d_v"
            )
        self.n_heads, self.scaled = n_heads, scaled
        self.d_k, self.d_v = d_k or d_model // n_heads, d_v or d_model // n_heads
        self.sizes = [n_heads * self.d_k, n_heads * self.d_k, n_heads * self.d_v]
        self.W_qkv = nn.Parameter(torch.empty(d_model, sum(self.sizes)))
        self.b_qkv = nn.Parameter(torch.zeros(sum(self.sizes)))
        self.W_o = nn.Parameter(torch.empty(n_heads * self.d_v, d_model))
        self.b_o = nn.Parameter(torch.zeros(d_model))
        for part in (*self.W_qkv.split(self.sizes, 1), self.W_o):
            nn.init.xavier_uniform_(part)

    def _project(self, inputs: Tensor, first: int, last: int) -> tuple[Tensor, ...]:
        """Some of queries (0), keys (1) and values (2) of all heads, by one product."""
        begin, end = sum(self.sizes[:first]), sum(self.sizes[:last])
        W, b = self.W_qkv, self.b_qkv
        if end - begin < len(b):
            W, b = W[:, begin:end], b[begin:end]
        parts = functional.linear(inputs, W.T, b).split(self.sizes[first:last], -1)
        return tuple(split_heads(part, self.n_heads) for part in parts)

    def queries(
        self, inputs: Float[Tensor, "batch tgt d_model"]
    ) -> Float[Tensor, "batch heads tgt d_k"]:
        """Return the queries of all heads."""
        return self._project(inputs, 0, 1)[0]

    def keys_values(self, inputs: Float[Tensor, "batch src d_model"]) -> KeysValues:
        """Return the keys and values of all heads."""
        return KeysValues(*self._project(inputs, 1, 3))

    def queries_keys_values(
        self, inputs: Float[Tensor, "batch time d_model"]
    ) -> tuple[Tensor, KeysValues]:
        """Return queries, keys and values of the same inputs, by one product."""
        queries, keys, values = self._project(inputs, 0, 3)
        return queries, KeysValues(keys, values)

    def attend(
        self,
        queries: Float[Tensor, "batch heads tgt d_k"],
        seen: KeysValues,
        mask: Bool[Tensor, "*any"] | None = None,
        bias: Float[Tensor, "*some"] | None = None,
        *,
        weights: bool = False,
    ) -> Attended:
        """Let each query look at the keys, and mix what the heads have found.

        Parameters
        ----------
        queries : tensor of shape (batch, heads, tgt, d_k)
        seen : KeysValues
        mask : bool tensor, optional
            True = may be seen; broadcasts to (batch, heads, tgt, src).
        bias : float tensor, optional
            Added to the scores; broadcasts likewise.
        weights : bool
            Compute the weights one by one, with `softalign.attention.attend`. Otherwise torch's
            fused kernel is used, which never holds all of them.

        Returns
        -------
        Attended
        """
        keys, values = seen
        if weights:
            scores = (scaled_dot_scores if self.scaled else dot_scores)(queries, keys)
            if bias is not None:
                scores = scores + bias.to(scores)
            found, shown = attend(scores, values.to(scores), mask)
        else:
            found, shown = self._fused(queries, keys, values, mask, bias), None
        return Attended(functional.linear(join_heads(found), self.W_o.T, self.b_o), shown)

    def _fused(
        self,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        """The contexts by torch's kernel, in which True means may be seen as well."""
        seen = mask
        if bias is not None:
            seen = bias.to(queries)
            if mask is not None:
                seen = seen.masked_fill(~mask, -torch.inf)  # torch overwrites where True
        return functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=seen, scale=None if self.scaled else 1.0
        )

    def forward(
        self,
        inputs: Float[Tensor, "batch tgt d_model"],
        memory: Float[Tensor, "batch src d_model"] | None = None,
        mask: Bool[Tensor, "*any"] | None = None,
        bias: Float[Tensor, "*some"] | None = None,
        positions: Positions | None = None,
        *,
        weights: bool = False,
    ) -> Attended:
        """Attend from the inputs to the memory; to the inputs themselves, if there is none.

        Parameters
        ----------
        inputs : tensor of shape (batch, tgt, d_model)
            What asks.
        memory : tensor of shape (batch, src, d_model), optional
            What is asked.
        mask, bias, weights
            As for `attend`.
        positions : Positions, optional
            Turns queries and keys of self-attention.

        Returns
        -------
        Attended
        """
        if memory is None:
            queries, seen = self.queries_keys_values(inputs)
        else:
            queries, seen = self.queries(inputs), self.keys_values(memory)
        if positions is not None:
            queries, seen = positions.turn(queries), seen._replace(keys=positions.turn(seen.keys))
        return self.attend(queries, seen, mask, bias, weights=weights)


@torch.no_grad()
def prune_heads(attention: MultiHeadAttention, kept: Sequence[int]) -> MultiHeadAttention:
    """Return attention with some of the heads only, and with the weights of these.

    The output is that of the given attention with the outputs of the other heads set to 0. It has
    fewer parameters and costs less. Not for use with a bias that has an axis of heads.

    Parameters
    ----------
    attention : MultiHeadAttention
        Left as it is.
    kept : sequence of int
        Heads to keep, from 0, at least one.

    Raises
    ------
    ValueError
        No heads, one twice, or one that there is not.

    Notes
    -----
    Michel, Levy & Neubig, "Are sixteen heads really better than one?" (2019), section 2.2.

    Examples
    --------
    >>> attention = MultiHeadAttention(8, 4)
    >>> sum(p.numel() for p in attention.parameters())
    288
    >>> sum(p.numel() for p in prune_heads(attention, [0, 3]).parameters())
    148

    Page: 07_transformer/multi_head
    """
    if not kept or len(set(kept)) < len(kept) or not set(kept) <= set(range(attention.n_heads)):
        raise ValueError(
            f"the heads to keep are {list(kept)}, expected one or more of 0 to "
            f"{attention.n_heads - 1}, none twice"
        )
    pruned = MultiHeadAttention(
        attention.W_o.shape[1],
        len(kept),
        d_k=attention.d_k,
        d_v=attention.d_v,
        scaled=attention.scaled,
    ).to(attention.W_o)
    heads, places = torch.tensor(kept, device=attention.W_o.device), []
    first = 0
    for size in (attention.d_k, attention.d_k, attention.d_v):
        inside = torch.arange(size, device=heads.device)
        places.append((first + heads[:, None] * size + inside).flatten())
        first += attention.n_heads * size
    columns = torch.cat(places)
    pruned.W_qkv.copy_(attention.W_qkv[:, columns])
    pruned.b_qkv.copy_(attention.b_qkv[columns])
    pruned.W_o.copy_(attention.W_o[places[-1] - 2 * attention.n_heads * attention.d_k])
    pruned.b_o.copy_(attention.b_o)
    return pruned.train(attention.training)
