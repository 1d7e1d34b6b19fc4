r"""Positions: what tells a Transformer in which order the words stand.

Self-attention treats its inputs as a set. Order has to be put in by hand, at one of three places:

=========  ========================================================================================
inputs     a vector for each position is *added* to the embedding: sinusoidal, learned
queries    query and key are *turned* by an angle that grows with their position: rotary
scores     a number that depends on the offset is added to the score, a *bias*: linear, learned
=========  ========================================================================================

`Positions` has a method for each place; a kind of positions overrides the one it uses. Positions
count from 0.

Page: 07_transformer/positions
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = [
    "KINDS",
    "LearnedBias",
    "LearnedPositions",
    "LinearBias",
    "Positions",
    "RotaryPositions",
    "SinusoidalPositions",
    "linear_bias",
    "make_positions",
    "offset_rotation",
    "rotate",
    "sinusoidal",
]

BASE = 10_000.0
"""Wavelengths run from 2π to less than this times 2π (Vaswani et al. 2017, section 3.5)."""


def _rates(size: int, base: float) -> Float[Tensor, "half"]:
    """Angle by which each pair of components turns from one position to the next."""
    if size < 2 or size % 2:
        raise ValueError(f"the vectors have {size} components, expected an even number of them")
    return base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)


def sinusoidal(
    positions: Int[Tensor, "time"], d_model: int, *, base: float = BASE
) -> Float[Tensor, "time d_model"]:
    r"""Encode each position by sines and cosines of :math:`d_{\text{model}}/2` frequencies.

    .. math:: P_{t,2k} = \sin(t\,\omega_k),\quad P_{t,2k+1} = \cos(t\,\omega_k),\quad
       \omega_k = \text{base}^{-2k/d_{\text{model}}}

    Parameters
    ----------
    positions : integer tensor of shape (time,)
        Any whole numbers; the angles are computed in double precision.
    d_model : int
        Components of an encoding, an even number.
    base : float
        Of the geometric series of frequencies.

    Returns
    -------
    float32 tensor of shape (time, d_model)
        On the device of `positions`.

    Raises
    ------
    ValueError
        `d_model` is odd, or below 2.

    Notes
    -----
    Vaswani et al., "Attention is all you need" (2017), section 3.5.

    Examples
    --------
    >>> sinusoidal(torch.tensor([0]), 4).tolist()
    [[0.0, 1.0, 0.0, 1.0]]

    Page: 07_transformer/positions
    """
    rates = _rates(d_model, base)
    angles = positions.cpu().double()[:, None] * rates
    pairs = torch.stack([angles.sin(), angles.cos()], dim=-1)
    return pairs.flatten(1).float().to(positions.device)


def offset_rotation(
    offset: int, d_model: int, *, base: float = BASE
) -> Float[Tensor, "d_model d_model"]:
    r"""Return the matrix that carries every encoding to the one `offset` positions further on.

    .. math:: \mathbf p_{t+\Delta} = \mathbf p_t\,\mathbf R_\Delta\quad\text{for every } t

    The matrix turns each pair of components by its own angle :math:`\Delta\,\omega_k`, so it
    depends on the offset and not on the position.

    Parameters
    ----------
    offset : int
        Positions to go on; negative to go back.
    d_model, base
        As for `sinusoidal`.

    Returns
    -------
    float64 tensor of shape (d_model, d_model)
        Orthogonal; the transpose goes back.

    Raises
    ------
    ValueError
        `d_model` is odd, or below 2.

    Examples
    --------
    >>> offset_rotation(1, 2).numpy().round(2).tolist()  # cos 1, sin 1
    [[0.54, -0.84], [0.84, 0.54]]

    Page: 07_transformer/positions
    """
    angles = offset * _rates(d_model, base)
    blocks = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], dim=-1)
    return torch.block_diag(*blocks.unflatten(-1, (2, 2)))


def rotate(
    vectors: Float[Tensor, "*rows time feature"],
    positions: Int[Tensor, "time"],
    *,
    base: float = BASE,
) -> Float[Tensor, "*rows time feature"]:
    r"""Turn each pair of components of each vector by its position times the pair's frequency.

    The product of a query turned by its position and a key turned by its own depends on the two
    positions only through their difference.

    Parameters
    ----------
    vectors : tensor of shape (..., time, feature)
        Queries or keys; an even number of components.
    positions : integer tensor of shape (time,)
        Of the vectors.
    base : float
        As for `sinusoidal`.

    Returns
    -------
    tensor of the shape and type of `vectors`
        Every vector keeps its length.

    Raises
    ------
    ValueError
        An odd number of components; another number of positions than of vectors.

    Notes
    -----
    Su et al., "RoFormer: Enhanced Transformer with rotary position embedding" (2021), equation 15.

    Examples
    --------
    >>> turned = rotate(torch.tensor([[1.0, 0.0]]).double(), torch.tensor([1]))
    >>> turned.numpy().round(2).tolist()  # cos 1, sin 1
    [[0.54, 0.84]]

    Page: 07_transformer/positions
    """
    if len(positions) != vectors.shape[-2]:
        raise ValueError(f"{len(positions)} positions for {vectors.shape[-2]} vectors")
    angles = positions.cpu().double()[:, None] * _rates(vectors.shape[-1], base)
    cos, sin = (part.to(vectors) for part in (angles.cos(), angles.sin()))
    return _turn(vectors, cos, sin)


def _turn(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    even, odd = vectors[..., 0::2], vectors[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def linear_bias(
    tgt: Int[Tensor, "tgt"], src: Int[Tensor, "src"], n_heads: int
) -> Float[Tensor, "heads tgt src"]:
    r"""Penalise distance: head :math:`h` adds :math:`-m_h\,|t-t'|` to the score of the
    positions :math:`t` and :math:`t'`.

    The slopes :math:`m_h = 2^{-8h/n_{\text{heads}}}`, :math:`h` from 1, are a geometric series, and
    not learnt.

    Parameters
    ----------
    tgt, src : integer tensors of shapes (tgt,) and (src,)
        Positions that ask, and positions that are asked.
    n_heads : int
        Number of heads.

    Returns
    -------
    float32 tensor of shape (heads, tgt, src)
        0 or less. The distance has no sign: what stands before looks like what stands behind.

    Raises
    ------
    ValueError
        Fewer heads than 1.

    Notes
    -----
    Press, Smith & Lewis, "Train short, test long: attention with linear biases enables input length
    extrapolation" (2022), section 3, where it is used under a causal mask.

    Examples
    --------
    >>> linear_bias(torch.tensor([2]), torch.arange(3), 1).tolist()
    [[[-0.0078125, -0.00390625, -0.0]]]

    Page: 07_transformer/positions
    """
    if n_heads < 1:
        raise ValueError(f"n_heads is {n_heads}, expected 1 or more")
    slopes = 2.0 ** (-8 * torch.arange(1, n_heads + 1, device=tgt.device) / n_heads)
    return -slopes[:, None, None] * (tgt[:, None] - src).abs()


class Positions(nn.Module):
    """No positions at all, and the three places where there could be some.

    Page: 07_transformer/positions
    """

    def add(self, embedded: Float[Tensor, "batch time feature"], first: int = 0) -> Tensor:
        """Return the embeddings with positions `first`, `first` + 1, … put in."""
        return embedded

    def turn(self, vectors: Float[Tensor, "*rows time head_dim"], first: int = 0) -> Tensor:
        """Return queries or keys, turned by positions `first`, `first` + 1, …."""
        return vectors

    def bias(self, tgt: Tensor, src: Tensor) -> Float[Tensor, "heads tgt src"] | None:
        """Return what is added to the scores of positions `tgt` and `src`, or None."""
        return None


class SinusoidalPositions(Positions):
    """`sinusoidal`, added to the embeddings: for any length, with nothing to learn.

    Parameters
    ----------
    d_model : int
        Components of an embedding.

    Page: 07_transformer/positions
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.d_model = d_model
        self._keep(64)

    def _keep(self, size: int) -> None:
        """Compute the first encodings once; they are no weights and are in no state_dict."""
        table = sinusoidal(torch.arange(size), self.d_model)
        self.register_buffer("table", table, persistent=False)

    def add(self, embedded: Float[Tensor, "batch time feature"], first: int = 0) -> Tensor:
        """Return the embeddings with the encodings added."""
        last = first + embedded.shape[1]
        if last > len(self.table):
            device = self.table.device
            self._keep(max(last, 2 * len(self.table)))
            self.table = self.table.to(device)
        return embedded + self.table[first:last].to(embedded)


class LearnedPositions(Positions):
    """A vector for each position, learnt like a word's, and added to the embeddings.

    Parameters
    ----------
    d_model : int
        Components of an embedding.
    max_length : int
        Number of positions there are vectors for. One that never occurs in training stays as it was
        drawn.

    Notes
    -----
    Gehring et al., "Convolutional sequence to sequence learning" (2017), section 3.1.

    Page: 07_transformer/positions
    """

    def __init__(self, d_model: int, max_length: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(max_length, d_model))
        nn.init.normal_(self.table, std=0.02)

    def add(self, embedded: Float[Tensor, "batch time feature"], first: int = 0) -> Tensor:
        """Return the embeddings with the vectors added.

        Raises
        ------
        ValueError
            A position beyond `max_length`.
        """
        last = first + embedded.shape[1]
        if last > len(self.table):
            raise ValueError(
                f"the sequence has {last} positions and there are vectors for {len(self.table)}: "
                "learned positions end there"
            )
        return embedded + self.table[first:last].to(embedded)


class RotaryPositions(Positions):
    """`rotate`, applied to queries and keys in every layer; nothing to learn.

    Parameters
    ----------
    head_dim : int
        Components of a query of one head, an even number.

    Page: 07_transformer/positions
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.head_dim = head_dim
        self._keep(64)

    def _keep(self, size: int) -> None:
        angles = torch.arange(size).double()[:, None] * _rates(self.head_dim, BASE)
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    def turn(self, vectors: Float[Tensor, "*rows time head_dim"], first: int = 0) -> Tensor:
        """Return the vectors turned by their positions."""
        last = first + vectors.shape[-2]
        if last > len(self.cos):
            device = self.cos.device
            self._keep(max(last, 2 * len(self.cos)))
            self.cos, self.sin = self.cos.to(device), self.sin.to(device)
        return _turn(vectors, *(part[first:last].to(vectors) for part in (self.cos, self.sin)))


class LinearBias(Positions):
    """`linear_bias`, added to the scores; nothing to learn, and no left and right.

    Parameters
    ----------
    n_heads : int
        Number of heads.

    Page: 07_transformer/positions
    """

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads

    def bias(self, tgt: Tensor, src: Tensor) -> Float[Tensor, "heads tgt src"]:
        """Return the penalties of distance."""
        return linear_bias(tgt, src, self.n_heads)


class LearnedBias(Positions):
    """A number for each offset and head, learnt, and added to the scores.

    Parameters
    ----------
    n_heads : int
        Number of heads.
    reach : int
        Offsets of this size or more, in either direction, share one number, so any length will do.

    Attributes
    ----------
    table : Parameter of shape (2 * reach + 1, heads)
        Row `reach` + k is for a key that stands k positions behind the query. Zero at first.

    Notes
    -----
    Shaw, Uszkoreit & Vaswani, "Self-attention with relative position representations" (2018), clip
    offsets in this way; a number for each offset in place of a vector is due to Raffel et al.,
    "Exploring the limits of transfer learning" (2020), section 2.1.

    Page: 07_transformer/positions
    """

    def __init__(self, n_heads: int, reach: int = 16) -> None:
        super().__init__()
        self.reach = reach
        self.table = nn.Parameter(torch.zeros(2 * reach + 1, n_heads))

    def bias(self, tgt: Tensor, src: Tensor) -> Float[Tensor, "heads tgt src"]:
        """Return the numbers of the offsets."""
        offsets = (src - tgt[:, None]).clamp(-self.reach, self.reach) + self.reach
        return self.table[offsets].permute(2, 0, 1)


KINDS = ("none", "sinusoidal", "learned", "rotary", "linear bias", "learned bias")
"""Names that `make_positions` takes."""


def make_positions(kind: str, *, d_model: int, n_heads: int, max_length: int = 256) -> Positions:
    """Make positions of a kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    d_model, n_heads : int
        Of the Transformer.
    max_length : int
        Number of learned positions.

    Raises
    ------
    ValueError
        There is no such kind.

    Page: 07_transformer/positions
    """
    if kind not in KINDS:
        raise ValueError(f"there are no positions {kind!r}; there are: {', '.join(KINDS)}")
    if kind == "sinusoidal":
        return SinusoidalPositions(d_model)
    if kind == "learned":
        return LearnedPositions(d_model, max_length)
    if kind == "rotary":
        return RotaryPositions(d_model // n_heads)
    if kind == "linear bias":
        return LinearBias(n_heads)
    return LearnedBias(n_heads) if kind == "learned bias" else Positions()
