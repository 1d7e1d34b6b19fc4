"""The layers of encoder and decoder: attention, position-wise network, and what joins them.

Page: 07_transformer/transformer
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from softalign.positions import Positions
from softalign.transformer.multi_head import Attended, KeysValues, MultiHeadAttention

Place = Literal["pre", "post", "none"]


class PositionwiseNetwork(nn.Module):
    r"""A network of one hidden layer, the same at every position.

    .. math:: \operatorname{FFN}(\mathbf x) =
       \max(0,\ \mathbf x\mathbf W_1+\mathbf b_1)\,\mathbf W_2+\mathbf b_2

    Parameters
    ----------
    d_model : int
        Components of inputs and outputs.
    d_ff : int
        Units of the hidden layer.

    Attributes
    ----------
    W_1, W_2 : Parameters of shapes (d_model, d_ff) and (d_ff, d_model)
        Glorot's uniform distribution.
    b_1, b_2 : Parameters
        Biases, 0 at first.

    Notes
    -----
    Vaswani et al. (2017), equation 2.

    Page: 07_transformer/transformer
    """

    def __init__(self, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.W_1 = nn.Parameter(torch.empty(d_model, d_ff))
        self.W_2 = nn.Parameter(torch.empty(d_ff, d_model))
        self.b_1, self.b_2 = nn.Parameter(torch.zeros(d_ff)), nn.Parameter(torch.zeros(d_model))
        for part in (self.W_1, self.W_2):
            nn.init.xavier_uniform_(part)

    def forward(
        self, inputs: Float[Tensor, "batch time d_model"]
    ) -> Float[Tensor, "batch time d_model"]:
        """Return the outputs, each of which depends on the input at its own position only."""
        hidden = functional.linear(inputs, self.W_1.T, self.b_1).relu()
        return functional.linear(hidden, self.W_2.T, self.b_2)


class Sublayer(nn.Module):
    r"""What stands around attention and around the position-wise network: "Add & Norm".

    ============  =================================================================================
    "post"        :math:`\operatorname{LN}(\mathbf x + f(\mathbf x))` (Vaswani et al. 2017)
    "pre"         :math:`\mathbf x + f(\operatorname{LN}(\mathbf x))` (Xiong et al. 2020)
    "none"        :math:`\mathbf x + f(\mathbf x)`
    ============  =================================================================================

    Parameters
    ----------
    d_model : int
        Components of a vector.
    norm : {"pre", "post", "none"}
        Where the layer normalisation stands. With "pre" the stream is never normalised itself, so
        the last layer needs a normalisation behind it: `softalign.transformer.Transformer` has it.
    residual : bool
        Add the input; without it :math:`\mathbf x +` is left out.
    dropout : float
        Probability with which a component of :math:`f(\cdot)` is set to zero in training.

    Raises
    ------
    ValueError
        Another `norm`.

    Page: 07_transformer/transformer
    """

    def __init__(
        self, d_model: int, *, norm: Place = "pre", residual: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if norm not in ("pre", "post", "none"):
            raise ValueError(f"norm is {norm!r}, expected 'pre', 'post' or 'none'")
        self.place, self.residual = norm, residual
        self.norm = nn.Identity() if norm == "none" else nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, stream: Float[Tensor, "batch time d_model"], f: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "batch time d_model"]:
        """Return the stream after `f`."""
        found = self.dropout(f(self.norm(stream) if self.place == "pre" else stream))
        after = stream + found if self.residual else found
        return self.norm(after) if self.place == "post" else after


class EncoderLayer(nn.Module):
    """Self-attention, then the position-wise network.

    Parameters
    ----------
    d_model, n_heads, d_ff : int
        Sizes.
    scaled : bool
        See `MultiHeadAttention`.
    norm, residual, dropout
        See `Sublayer`.

    Page: 07_transformer/transformer
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        scaled: bool = True,
        norm: Place = "pre",
        residual: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, scaled=scaled)
        self.network = PositionwiseNetwork(d_model, d_ff)
        self.around_attention, self.around_network = (
            Sublayer(d_model, norm=norm, residual=residual, dropout=dropout) for _ in range(2)
        )

    def forward(
        self,
        stream: Float[Tensor, "batch src d_model"],
        mask: Bool[Tensor, "*any"] | None,
        positions: Positions,
        bias: Float[Tensor, "heads src src"] | None = None,
        *,
        weights: bool = False,
    ) -> tuple[Float[Tensor, "batch src d_model"], Tensor | None]:
        """Return the stream after the layer and, if asked for, the weights of the heads."""
        shown: list[Tensor | None] = []

        def attend(inputs: Tensor) -> Tensor:
            found = self.attention(inputs, None, mask, bias, positions, weights=weights)
            shown.append(found.weights)
            return found.outputs

        stream = self.around_attention(stream, attend)
        return self.around_network(stream, self.network), shown[0]


class Read(NamedTuple):
    """What a decoder layer gives.

    Attributes
    ----------
    stream : Tensor of shape (batch, tgt, d_model)
    cache : KeysValues
        Of all target positions read so far, those of this call last.
    self_weights : Tensor of shape (batch, heads, tgt, past + tgt), or None
    cross_weights : Tensor of shape (batch, heads, tgt, src), or None

    Page: 07_transformer/ablations
    """

    stream: Tensor
    cache: KeysValues
    self_weights: Tensor | None
    cross_weights: Tensor | None


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the source, the position-wise network.

    Parameters
    ----------
    d_model, n_heads, d_ff, scaled, norm, residual, dropout
        As for `EncoderLayer`.

    Page: 07_transformer/transformer
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        scaled: bool = True,
        norm: Place = "pre",
        residual: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_heads, scaled=scaled)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, scaled=scaled)
        self.network = PositionwiseNetwork(d_model, d_ff)
        self.around_attention, self.around_cross, self.around_network = (
            Sublayer(d_model, norm=norm, residual=residual, dropout=dropout) for _ in range(3)
        )

    def forward(
        self,
        stream: Float[Tensor, "batch tgt d_model"],
        mask: Bool[Tensor, "*any"] | None,
        memory: KeysValues,
        memory_mask: Bool[Tensor, "batch one one src"],
        positions: Positions,
        bias: Float[Tensor, "heads tgt seen"] | None = None,
        cache: KeysValues | None = None,
        *,
        weights: bool = False,
    ) -> Read:
        """Read some more target positions.

        Parameters
        ----------
        stream : tensor of shape (batch, tgt, d_model)
            The positions to read.
        mask : bool tensor, optional
            True = may be seen; broadcasts to (batch, heads, tgt, past + tgt).
        memory : KeysValues
            Of the source, by ``cross_attention.keys_values``.
        memory_mask : bool tensor of shape (batch, 1, 1, src)
            Real source positions.
        positions : Positions
        bias : tensor of shape (heads, tgt, past + tgt), optional
        cache : KeysValues, optional
            Of the positions read before. It is not changed.
        weights : bool
            Return the weights of the heads.

        Returns
        -------
        Read
        """
        kept: list = [cache, None, None]

        def attend(inputs: Tensor) -> Tensor:
            queries, new = self.attention.queries_keys_values(inputs)
            past = 0 if cache is None else cache.keys.shape[2]
            queries = positions.turn(queries, past)
            keys, values = positions.turn(new.keys, past), new.values
            if cache is not None:
                keys, values = (
                    torch.cat([old, late], dim=2)
                    for old, late in zip(cache, (keys, values), strict=True)
                )
            kept[0] = KeysValues(keys, values)
            return show(1, self.attention.attend(queries, kept[0], mask, bias, weights=weights))

        def attend_across(inputs: Tensor) -> Tensor:
            queries = self.cross_attention.queries(inputs)
            return show(
                2, self.cross_attention.attend(queries, memory, memory_mask, weights=weights)
            )

        def show(place: int, found: Attended) -> Tensor:
            kept[place] = found.weights
            return found.outputs

        stream = self.around_attention(stream, attend)
        stream = self.around_cross(stream, attend_across)
        return Read(self.around_network(stream, self.network), *kept)
