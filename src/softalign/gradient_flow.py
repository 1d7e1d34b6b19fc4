r"""Gradients through time: what one step does to them, what many steps do, and what can be done.

The state of a recurrent network :math:`m` steps back reaches the last state through a product of
Jacobians, the latest on the left:

.. math::

   \frac{\partial\mathbf h_T}{\partial\mathbf h_{T-m}} = \mathbf J_T\mathbf J_{T-1}\cdots
   \mathbf J_{T-m+1}, \qquad \Bigl\|\mathbf J_T\cdots\mathbf J_{T-m+1}\Bigr\|
   \le \prod_{s=T-m+1}^{T}\sigma_{\max}(\mathbf J_s).

Singular values bound every product. The spectral radius decides only how fast the powers of *one*
matrix grow or shrink in the long run.

Page: 03_bptt/gradients
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from softalign.rnn import RNN

__all__ = [
    "angle",
    "bound",
    "clip_by_norm",
    "clip_by_value",
    "identity",
    "jacobians",
    "norms_by_lag",
    "orthogonal",
    "products",
    "singular_values",
    "spectral_radius",
    "with_radius",
]


def spectral_radius(matrix: Float[Tensor, "*axes size size"]) -> Float[Tensor, "*axes"]:
    """Largest absolute value of an eigenvalue: the long-run growth of the powers of a matrix.

    Parameters
    ----------
    matrix : Tensor of shape (..., size, size)
        One square matrix, or a stack of them.

    Returns
    -------
    Tensor of shape (...)
        At least 0. By Gelfand's formula the limit of the m-th root of the norm of the m-th power.

    Examples
    --------
    >>> round(float(spectral_radius(torch.tensor([[0.9, 5.0], [0.0, 0.9]]))), 4)
    0.9

    Page: 03_bptt/gradients
    """
    return torch.linalg.eigvals(matrix).abs().amax(dim=-1)


def singular_values(matrix: Float[Tensor, "*axes rows columns"]) -> Float[Tensor, "*axes values"]:
    """By how much a matrix stretches its principal directions, the largest first.

    Parameters
    ----------
    matrix : Tensor of shape (..., rows, columns)
        One matrix, or a stack of them.

    Returns
    -------
    Tensor of shape (..., min(rows, columns))
        At least 0, falling. The first is the largest factor by which a vector can grow.

    Examples
    --------
    >>> singular_values(torch.tensor([[0.0, 3.0], [2.0, 0.0]]))
    tensor([3., 2.])

    Page: 03_bptt/gradients
    """
    return torch.linalg.svdvals(matrix)


def jacobians(
    layer: RNN,
    inputs: Float[Tensor, "batch time feature"],
    state: Float[Tensor, "batch hidden"] | None = None,
) -> Float[Tensor, "batch time hidden hidden"]:
    r"""Jacobians :math:`\partial\mathbf h_t/\partial\mathbf h_{t-1}` of a simple recurrent layer.

    In the book's notation, where an example is a row and a Jacobian has outputs as rows,

    .. math:: \mathbf J_t=\operatorname{diag}(\phi'(\mathbf a_t))\,\mathbf W_{hh}^\top .

    Parameters
    ----------
    layer : RNN
        With any activation that torch can differentiate.
    inputs : Tensor of shape (batch, time, feature)
        What the layer reads.
    state : Tensor of shape (batch, hidden), optional
        Before the first step; zeros if left out.

    Returns
    -------
    Tensor of shape (batch, time, hidden, hidden)
        Entry ``[b, t, k, l]`` is the derivative of component k of the state after step t with
        respect to component l of the state before it. Nothing is tracked by autograd.

    Notes
    -----
    Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks" (2013),
    equation 5, for a state that is activated *after* the product.

    Examples
    --------
    >>> layer = RNN(1, 1, activation=lambda a: a)
    >>> bool(jacobians(layer, torch.zeros(1, 1, 1))[0, 0, 0, 0] == layer.W_hh[0, 0])
    True

    Page: 03_bptt/gradients
    """
    if state is None:
        state = layer.initial_state(len(inputs))
    with torch.no_grad():
        outputs, _ = layer(inputs, state)
        before = torch.cat([state[:, None], outputs[:, :-1]], dim=1)
        pre_activations = inputs @ layer.W_xh + before @ layer.W_hh + layer.b_h
    with torch.enable_grad():
        pre_activations.requires_grad_()
        activated = layer.activation(pre_activations).sum()
        (slopes,) = torch.autograd.grad(activated, pre_activations)
    return slopes[..., None] * layer.W_hh.detach().T


def products(
    jacobians: Float[Tensor, "batch time hidden hidden"],
) -> Float[Tensor, "batch lags hidden hidden"]:
    r"""Products of the last Jacobians, the latest on the left.

    Parameters
    ----------
    jacobians : Tensor of shape (batch, time, hidden, hidden)
        One for each step, as `jacobians` gives them.

    Returns
    -------
    Tensor of shape (batch, time + 1, hidden, hidden)
        Entry m is :math:`\partial\mathbf h_T/\partial\mathbf h_{T-m}`; entry 0 is the identity.

    Examples
    --------
    >>> twos = torch.full((1, 3, 1, 1), 2.0)
    >>> products(twos).flatten()
    tensor([1., 2., 4., 8.])

    Page: 03_bptt/gradients
    """
    batch, time, hidden, _ = jacobians.shape
    eye = torch.eye(hidden, dtype=jacobians.dtype, device=jacobians.device)
    found = [eye.expand(batch, hidden, hidden)]
    for t in reversed(range(time)):
        found.append(found[-1] @ jacobians[:, t])
    return torch.stack(found, dim=1)


def bound(
    jacobians: Float[Tensor, "batch time hidden hidden"],
) -> Float[Tensor, "batch lags"]:
    """The largest norm that the products of the last Jacobians can have.

    Parameters
    ----------
    jacobians : Tensor of shape (batch, time, hidden, hidden)
        One for each step, as `jacobians` gives them.

    Returns
    -------
    Tensor of shape (batch, time + 1)
        Entry m is the product of the largest singular values of the last m Jacobians. The largest
        singular value of entry m of `products` is never larger.

    Examples
    --------
    >>> bound(torch.full((1, 3, 1, 1), -2.0)).flatten()
    tensor([1., 2., 4., 8.])

    Page: 03_bptt/gradients
    """
    largest = singular_values(jacobians)[..., 0]
    ones = torch.ones_like(largest[:, :1])
    return torch.cat([ones, largest.flip(1)], dim=1).cumprod(dim=1)


def norms_by_lag(
    layer: nn.Module, inputs: Float[Tensor, "batch time feature"]
) -> Float[Tensor, "batch lags"]:
    r"""How much the last output of a recurrent layer hears of the input m steps back.

    Measured by autograd, so that it serves every layer that is called as `softalign.rnn` says: RNN,
    LSTM, GRU, stacks of them.

    Parameters
    ----------
    layer : nn.Module
        A recurrent layer: ``layer(inputs)`` returns outputs (batch, time, hidden) and a state.
    inputs : Tensor of shape (batch, time, feature)
        What the layer reads.

    Returns
    -------
    Tensor of shape (batch, time)
        Entry m is the largest singular value of the Jacobian of the output at the last step with
        respect to the input m steps back. The layer's parameters and their gradients are not
        touched.

    Notes
    -----
    One backward pass for each component of the output.

    Examples
    --------
    >>> layer = RNN(1, 1, activation=lambda a: a)
    >>> with torch.no_grad():
    ...     _ = layer.W_xh.fill_(1.0), layer.W_hh.fill_(0.5)
    >>> norms_by_lag(layer, torch.zeros(1, 4, 1))
    tensor([[1.0000, 0.5000, 0.2500, 0.1250]])

    Page: 03_bptt/gradients
    """
    inputs = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        last = layer(inputs)[0][:, -1]
        # the examples of a batch do not meet, so one pass serves all of them
        rows = [
            torch.autograd.grad(last[:, k].sum(), inputs, retain_graph=True)[0]
            for k in range(last.shape[1])
        ]
    jacobian = torch.stack(rows, dim=2)  # batch, time, hidden, feature
    return singular_values(jacobian)[..., 0].flip(1)


def _norm(gradients: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of all numbers together; no overflow on the way."""
    largest = torch.stack([gradient.abs().amax() for gradient in gradients]).amax()
    if largest == 0 or not torch.isfinite(largest):
        return largest
    parts = torch.stack([torch.linalg.vector_norm(g / largest) for g in gradients])
    return largest * torch.linalg.vector_norm(parts)


def clip_by_norm(
    gradients: Sequence[Tensor], max_norm: float
) -> tuple[list[Tensor], Float[Tensor, ""]]:
    r"""Shorten a gradient that is too long; its direction stays.

    .. math:: \nabla L \leftarrow \min\Bigl(1, \frac{\kappa}{\|\nabla L\|}\Bigr)\nabla L

    Parameters
    ----------
    gradients : sequence of Tensors of any shapes
        The gradient of each parameter; the norm is taken over all of them together.
    max_norm : float
        The largest norm to let through, more than 0.

    Returns
    -------
    clipped : list of Tensors
        New tensors, of the same shapes.
    norm : scalar Tensor
        The norm before clipping.

    Raises
    ------
    ValueError
        No gradients, `max_norm` not above 0, or a gradient that is not finite: scaling cannot mend
        it.

    Notes
    -----
    Pascanu, Mikolov & Bengio (2013), algorithm 1. ``torch.nn.utils.clip_grad_norm_`` does the same
    in place.

    Examples
    --------
    >>> clipped, norm = clip_by_norm([torch.tensor([3.0]), torch.tensor([4.0])], 1.0)
    >>> clipped, norm
    ([tensor([0.6000]), tensor([0.8000])], tensor(5.))

    Page: 03_bptt/gradients
    """
    if not gradients:
        raise ValueError("there are no gradients to clip")
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}, expected more than 0")
    norm = _norm(gradients)
    if not math.isfinite(norm):
        raise ValueError(f"the gradient's norm is {norm.item()}, expected a finite gradient")
    factor = 1.0 if norm <= max_norm else max_norm / norm
    return [gradient * factor for gradient in gradients], norm


def clip_by_value(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Cut every component of a gradient to the interval from ``-limit`` to `limit`.

    A component that is cut loses more than one that is not, so the direction changes.

    Parameters
    ----------
    gradients : sequence of Tensors of any shapes
        The gradient of each parameter.
    limit : float
        The largest absolute value to let through, more than 0.

    Returns
    -------
    list of Tensors
        New tensors, of the same shapes.

    Raises
    ------
    ValueError
        `limit` not above 0.

    Examples
    --------
    >>> clip_by_value([torch.tensor([3.0, -0.5]), torch.tensor([-4.0])], 1.0)
    [tensor([ 1.0000, -0.5000]), tensor([-1.])]

    Page: 03_bptt/gradients
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}, expected more than 0")
    return [gradient.clamp(-limit, limit) for gradient in gradients]


def angle(left: Sequence[Tensor], right: Sequence[Tensor]) -> float:
    """Angle between two gradients, each taken as one long vector.

    Parameters
    ----------
    left, right : sequences of Tensors
        As many, of the same shapes.

    Returns
    -------
    float
        Degrees, from 0 (the same direction) to 180 (opposite).

    Raises
    ------
    ValueError
        One of the two is zero and has no direction.

    Examples
    --------
    >>> round(angle([torch.tensor([1.0, 0.0])], [torch.tensor([1.0, 1.0])]), 4)
    45.0

    Page: 03_bptt/gradients
    """
    norms = _norm(left), _norm(right)
    if min(norms) == 0:
        raise ValueError("a gradient is zero, expected two that have a direction")
    a, b = (
        torch.cat([(g / norm).flatten() for g in gradients]).double()
        for gradients, norm in zip((left, right), norms, strict=True)
    )
    # by the half angle: exact where the cosine is flat (Kahan)
    return math.degrees(2 * math.atan2(float((a - b).norm()), float((a + b).norm())))


def orthogonal(
    size: int,
    *,
    generator: torch.Generator | None = None,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "size size"]:
    """Draw a rotation or reflection: all singular values are 1, so powers keep every length.

    Parameters
    ----------
    size : int
        Rows and columns, 1 or more.
    generator : torch.Generator, optional
        Source of random numbers; torch's own if left out.
    dtype : torch.dtype, optional
        Of the result; torch's default if left out.

    Returns
    -------
    Tensor of shape (size, size)
        Uniform among the orthogonal matrices.

    Notes
    -----
    Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks" (2014). The sign of R's diagonal is moved into Q: without that the draw
    would not be uniform (Mezzadri 2007).

    Examples
    --------
    >>> Q = orthogonal(3, dtype=torch.float64)
    >>> torch.allclose(Q @ Q.T, torch.eye(3, dtype=torch.float64))
    True

    Page: 03_bptt/gradients
    """
    Q, R = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=dtype))
    signs = torch.where(R.diagonal() < 0, -1.0, 1.0).to(Q)
    return Q * signs


def identity(
    size: int, scale: float = 1.0, *, dtype: torch.dtype | None = None
) -> Float[Tensor, "size size"]:
    """Start by keeping the state: the identity, times a scale.

    Parameters
    ----------
    size : int
        Rows and columns, 1 or more.
    scale : float
        Factor; below 1, the state fades.
    dtype : torch.dtype, optional
        Of the result; torch's default if left out.

    Returns
    -------
    Tensor of shape (size, size)

    Notes
    -----
    Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified linear units"
    (2015).

    Examples
    --------
    >>> identity(2, 0.5)
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])

    Page: 03_bptt/gradients
    """
    return scale * torch.eye(size, dtype=dtype)


def with_radius(matrix: Float[Tensor, "size size"], radius: float) -> Float[Tensor, "size size"]:
    """Scale a matrix so that its spectral radius is the one that is wanted.

    Parameters
    ----------
    matrix : Tensor of shape (size, size)
        Not changed.
    radius : float
        The wanted spectral radius, 0 or more.

    Returns
    -------
    Tensor of shape (size, size)

    Raises
    ------
    ValueError
        `radius` below 0; all eigenvalues of the matrix are zero, so that no factor helps.

    Examples
    --------
    >>> with_radius(torch.tensor([[0.0, 4.0], [1.0, 0.0]]), 1.0)
    tensor([[0.0000, 2.0000],
            [0.5000, 0.0000]])

    Page: 03_bptt/gradients
    """
    if not radius >= 0:
        raise ValueError(f"radius is {radius}, expected 0 or more")
    found = spectral_radius(matrix)
    if found == 0:
        raise ValueError("all eigenvalues of the matrix are 0, so no scale gives it a radius")
    return matrix * (radius / found)
