r"""Pooling by closeness: Nadaraya-Watson regression is attention whose score is a log-kernel.

.. math:: \hat y(x) = \sum_i\frac{K(|x-x_i|/\ell)}{\sum_{i'}K(|x-x_{i'}|/\ell)}\,y_i
   = \sum_i\operatorname{softmax}_i\bigl(\log K(|x-x_i|/\ell)\bigr)\,y_i

The query is the point asked for, a key is a data point, a value is what was measured there. So all
of it is a call of `softalign.attention.attend`; only the score is new. A kernel that ends somewhere
has the logarithm minus infinity beyond, which means the same as hidden.

Page: 06_attention/pooling
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from softalign.attention import attend

__all__ = ["KERNELS", "BandwidthFit", "fit_bandwidth", "log_kernel", "nadaraya_watson"]

KERNELS = ("gaussian", "boxcar", "triangular", "epanechnikov")


def log_kernel(
    distances: Float[Tensor, "*places"], kernel: str = "gaussian"
) -> Float[Tensor, "*places"]:
    r"""Return the logarithm of a kernel, up to a constant that the softmax does not see.

    ============ ================================= =============
    gaussian     :math:`\exp(-u^2/2)`              everywhere
    boxcar       1                                 for u up to 1
    triangular   :math:`1-u`                       for u below 1
    epanechnikov :math:`1-u^2`                     for u below 1
    ============ ================================= =============

    Parameters
    ----------
    distances : tensor of any shape
        u, measured in bandwidths. The sign does not matter.
    kernel : str
        One of `KERNELS`.

    Returns
    -------
    tensor of the same shape
        log K(u); minus infinity where K is 0. The gradient there is exactly 0. That of the boxcar
        is 0 everywhere.

    Raises
    ------
    ValueError
        No such kernel.

    Notes
    -----
    Epanechnikov, "Non-parametric estimation of a multivariate probability density" (1969). The
    triangular kernel is sometimes called by his name; his is a parabola.

    Examples
    --------
    >>> log_kernel(torch.tensor([0.0, 0.5, 1.5]), "triangular").exp().tolist()
    [1.0, 0.5, 0.0]
    >>> log_kernel(torch.tensor([0.0, 0.5, 1.5]), "epanechnikov").exp().tolist()
    [1.0, 0.75, 0.0]

    Page: 06_attention/pooling
    """
    if kernel not in KERNELS:
        raise ValueError(f"there is no kernel {kernel!r}, expected one of {', '.join(KERNELS)}")
    u = distances.abs()
    if kernel == "gaussian":
        return -u.square() / 2
    seen = u <= 1 if kernel == "boxcar" else u < 1
    u = u.masked_fill(~seen, 0.0)  # log(1 - u) must not be met where it does not exist
    if kernel == "boxcar":
        inside = 0 * u
    else:
        inside = torch.log1p(-u if kernel == "triangular" else -u.square())
    return inside.masked_fill(~seen, -torch.inf)


def nadaraya_watson(
    queries: Shaped[Tensor, "*queries"],
    keys: Shaped[Tensor, "*keys"],
    values: Shaped[Tensor, "*values"],
    *,
    kernel: str = "gaussian",
    bandwidth: float | int | Float[Tensor, ""] = 1.0,
    leave_one_out: bool = False,
) -> tuple[Float[Tensor, "*predictions"], Float[Tensor, "*weights"]]:
    r"""Average the values, each weighted by how close its key is to the query.

    Parameters
    ----------
    queries : floating-point tensor of shape (tgt,) or (..., tgt, feature)
        Points to predict at: numbers on a line, or vectors.
    keys : tensor of shape (src,) or (..., src, feature)
        Data points, of the same kind. The leading axes are those of the queries, or broadcast.
    values : tensor of shape (src,) or (..., src, values)
        What was measured at each data point: a number or a vector.
    kernel : str
        One of `KERNELS`; see `log_kernel`.
    bandwidth : float or tensor of shape ()
        The distance that counts as 1, in the units of the points; above 0. Infinity gives the plain
        average. A tensor may be learnt.
    leave_one_out : bool
        Hide from each query the key of the same number. Only where the queries are the keys.

    Returns
    -------
    predictions : tensor of shape (tgt,) or (..., tgt, values)
        Where no key is within reach of the kernel, 0: nothing was seen, and nothing is claimed.
    weights : tensor of shape (..., tgt, src)
        0 or more. Each row sums to 1, or to exactly 0 where no key is within reach.

    Raises
    ------
    TypeError
        Points and values that are not of one floating-point type.
    ValueError
        A bandwidth that is not above 0, an unknown kernel, shapes that do not fit, or queries that
        are not the keys where each is to be left out.

    Notes
    -----
    Nadaraya, "On estimating regression" (1964); Watson, "Smooth regression analysis" (1964). A
    Gaussian kernel is never 0, but its logarithm can be too large a number: a key more than 1e19
    bandwidths away (in float32; 1e154 in float64) counts as out of reach.

    Examples
    --------
    >>> keys, values = torch.tensor([8.0, 10.0, 14.0]), torch.tensor([10.0, 14.0, 20.0])
    >>> asked = torch.tensor([11.0, 30.0])
    >>> predictions, weights = nadaraya_watson(
    ...     asked, keys, values, kernel="triangular", bandwidth=4.0
    ... )
    >>> [round(p, 2) for p in predictions.tolist()]
    [14.4, 0.0]
    >>> weights.numpy().round(2).tolist()[1]
    [0.0, 0.0, 0.0]

    Page: 06_attention/pooling
    """
    _check(queries, keys, values, bandwidth)
    mask = None
    if leave_one_out:
        if queries.shape != keys.shape or not torch.equal(queries, keys):
            raise ValueError(
                "a query can leave out its own key only where the queries are the keys"
            )
        places = keys.shape[0] if keys.ndim == 1 else keys.shape[-2]
        mask = ~torch.eye(places, dtype=torch.bool, device=keys.device)
    if keys.ndim == 1:
        queries, keys = queries[:, None], keys[:, None]
    columns = values[:, None] if values.ndim == 1 else values
    distances = torch.linalg.vector_norm(queries[..., :, None, :] - keys[..., None, :, :], dim=-1)
    scores = log_kernel(distances / bandwidth, kernel)
    predictions, weights = attend(scores, columns, mask)
    return (predictions.squeeze(-1) if values.ndim == 1 else predictions), weights


def _check(queries: Tensor, keys: Tensor, values: Tensor, bandwidth: float | int | Tensor) -> None:
    """Complain about points, values or a bandwidth that cannot be pooled."""
    types = queries.dtype, keys.dtype, values.dtype
    if len(set(types)) > 1 or not queries.is_floating_point():
        raise TypeError(
            f"queries, keys and values are of the types {', '.join(map(str, types))}, "
            "expected one floating-point type"
        )
    if not bandwidth > 0:
        raise ValueError(f"the bandwidth is {float(bandwidth)}, expected a number above 0")
    on_a_line = queries.ndim == keys.ndim == 1
    if not on_a_line and (min(queries.ndim, keys.ndim) < 2 or queries.shape[-1] != keys.shape[-1]):
        raise ValueError(
            f"the queries have shape {tuple(queries.shape)} and the keys {tuple(keys.shape)}, "
            "expected (tgt,) and (src,), or (..., tgt, feature) and (..., src, feature)"
        )
    places = keys.shape[0] if on_a_line else keys.shape[-2]
    if values.ndim == 0 or (values.shape[0] if values.ndim == 1 else values.shape[-2]) != places:
        raise ValueError(
            f"the values have shape {tuple(values.shape)}, expected one for each of {places} keys"
        )
    try:
        torch.broadcast_shapes(queries.shape[:-2], keys.shape[:-2])
    except RuntimeError:
        raise ValueError(
            f"the leading axes of the queries, {tuple(queries.shape)}, and of the keys, "
            f"{tuple(keys.shape)}, do not broadcast"
        ) from None


class BandwidthFit(NamedTuple):
    """What `fit_bandwidth` found, and how it got there.

    Attributes
    ----------
    bandwidths : tuple of float
        At the start and after every step.
    losses : tuple of float
        Mean squared error with each of them, in squared units of the values.

    Page: 06_attention/pooling
    """

    bandwidths: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def bandwidth(self) -> float:
        """The last bandwidth."""
        return self.bandwidths[-1]


def fit_bandwidth(
    keys: Float[Tensor, "*keys"],
    values: Float[Tensor, "*values"],
    *,
    start: float | int = 1.0,
    steps: int = 100,
    lr: float | int = 0.1,
    leave_one_out: bool = True,
) -> BandwidthFit:
    r"""Learn the bandwidth of the Gaussian kernel by gradient descent.

    The parameter is :math:`\log\ell`, so that the bandwidth stays above 0. The loss is the mean
    squared error of predicting each value from the others. There is no randomness in it.

    Parameters
    ----------
    keys : floating-point tensor of shape (src,) or (..., src, feature)
        At least two data points.
    values : tensor of shape (src,) or (..., src, values)
    start : float
        The first bandwidth, in the units of the keys; above 0.
    steps : int
        Steps of gradient descent; 0 only measures the start.
    lr : float
        Learning rate, for :math:`\log\ell`. The gradient grows with the square of the values.
    leave_one_out : bool
        Left True, no value is predicted from itself. With False it is: then the loss is smallest
        at the bandwidth 0, where each value predicts itself and nothing is learnt.

    Returns
    -------
    BandwidthFit

    Raises
    ------
    TypeError, ValueError
        As `nadaraya_watson`; or fewer than two keys, a number of steps below 0, or a learning rate
        that is not above 0.
    FloatingPointError
        The bandwidth has left the range of floating-point numbers: the learning rate is too large.

    Notes
    -----
    Gaussian only: the boxcar's gradient is 0 everywhere, and the other two may leave a point
    without any other within reach, whose error then says nothing about the bandwidth.

    Examples
    --------
    >>> x = torch.linspace(0, 1, 20)
    >>> fit = fit_bandwidth(x, torch.sin(6 * x), start=0.5, lr=5.0)
    >>> fit.losses[-1] < 0.1 * fit.losses[0], 0.01 < fit.bandwidth < 0.05
    (True, True)

    Page: 06_attention/pooling
    """
    if steps < 0 or not lr > 0:
        raise ValueError(
            f"{steps} steps at a learning rate of {lr}, expected 0 or more steps and a rate above 0"
        )
    if not start > 0:
        raise ValueError(f"the bandwidth is {float(start)}, expected a number above 0")
    if keys.ndim == 0 or (keys.shape[0] if keys.ndim == 1 else keys.shape[-2]) < 2:
        raise ValueError(f"the keys have shape {tuple(keys.shape)}, expected at least two of them")
    log_bandwidth = torch.tensor(float(start), dtype=keys.dtype).log().requires_grad_()
    bandwidths, losses = [], []
    for step in range(steps + 1):
        bandwidth = log_bandwidth.exp()
        if not 0 < bandwidth.item() < torch.inf:
            raise FloatingPointError(
                f"after {step} steps the bandwidth is {bandwidth.item()}, "
                f"expected a finite number above 0: try a learning rate below {lr}"
            )
        predictions, _ = nadaraya_watson(
            keys, keys, values, bandwidth=bandwidth, leave_one_out=leave_one_out
        )
        loss = (predictions - values).square().mean()
        (grad,) = torch.autograd.grad(loss, log_bandwidth)
        bandwidths.append(bandwidth.item())
        losses.append(loss.item())
        log_bandwidth = (log_bandwidth - lr * grad).detach().requires_grad_()
    return BandwidthFit(tuple(bandwidths), tuple(losses))
