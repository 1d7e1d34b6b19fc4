"""How a gradient shrinks or grows with the lag, to be compared across cells and radii."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from softalign.interactive.figure import Interactive

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["RADII", "gradient_figure", "gradient_norms"]

RADII = tuple(tenths / 10 for tenths in range(5, 21))
"""Spectral radii of the figure of the book: 0.5, 0.6, … 2.0."""
MOST_CELLS, MOST_LAGS = 4, 200
SEQUENCES, INPUT_SIZE, LOUDNESS = 4, 16, 0.5


def gradient_norms(
    radii: Sequence[float] = RADII,
    lags: int = 60,
    *,
    hidden_size: int = 32,
    forget_bias: float = 1.0,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    r"""Measure how much of a change of the state is left some steps later, for three cells.

    The state of RNN and GRU is :math:`\mathbf h_t`, that of the LSTM :math:`\mathbf h_t` and
    :math:`\mathbf c_t` together. Measured is the largest singular value of the product of the last
    m Jacobians, with `softalign.gradient_flow.products`.

    Parameters
    ----------
    radii : sequence of float
        Spectral radii, above 0. Each square block of :math:`\mathbf W_{hh}` (one for the RNN, four
        for the LSTM, three for the GRU) is drawn once, and scaled to each radius in turn.
    lags : int
        Largest lag, 1 or more: the length of the input sequences.
    hidden_size : int
        Units of a layer.
    forget_bias : float
        Bias of the LSTM's forget gate. All other biases are 0.
    seed : int
        Of the weights and of the inputs.

    Returns
    -------
    dict
        From "RNN", "LSTM", "GRU" to a float64 array of shape (radii, lags + 1): row by radius, the
        column is the lag; a mean over 4 sequences of random inputs. Column 0 is 1.

    Raises
    ------
    ValueError
        No radius, a radius that is not above 0, or fewer lags or units than 1.

    Notes
    -----
    About 2 seconds on one core for the 16 radii and 60 lags of the book. The parts of the inputs in
    the pre-activations have a standard deviation of a half: so the states move, and few saturate.

    Examples
    --------
    >>> norms = gradient_norms([0.5], lags=3, hidden_size=4)
    >>> {name: array.shape for name, array in norms.items()}
    {'RNN': (1, 4), 'LSTM': (1, 4), 'GRU': (1, 4)}

    Page: 03_bptt/gradients
    """
    import torch

    from softalign.gradient_flow import products, singular_values
    from softalign.gru import GRU
    from softalign.lstm import LSTM
    from softalign.rnn import RNN
    from softalign.training import seeded

    _check_radii(radii)
    if min(lags, hidden_size) < 1:
        raise ValueError(f"lags is {lags} and hidden_size is {hidden_size}, expected 1 or more")
    norms = {}
    for kind in (RNN, LSTM, GRU):
        with seeded(seed):
            inputs = torch.randn(SEQUENCES, lags, INPUT_SIZE, dtype=torch.float64)
            layer = kind(INPUT_SIZE, hidden_size).double()
            blocks = _draw_weights(layer, forget_bias)
        rows = []
        for radius in radii:
            _scale(layer, blocks, radius)
            paths = products(_step_jacobians(layer, inputs))
            rows.append(singular_values(paths)[..., 0].mean(dim=0).numpy())
        norms[kind.__name__] = np.stack(rows)
    return norms


def _draw_weights(layer: nn.Module, forget_bias: float) -> Tensor:
    """Weights of the inputs and biases into the layer; the square blocks, before any scale."""
    import torch

    size = layer.output_size
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("b"):
                parameter.zero_()
        if hasattr(layer, "gates"):  # an LSTM
            layer.b[size : 2 * size] = forget_bias
        layer.W_xh.normal_(std=LOUDNESS / INPUT_SIZE**0.5)
    return torch.randn(layer.W_hh.shape[1] // size, size, size, dtype=torch.float64)


def _scale(layer: nn.Module, blocks: Tensor, radius: float) -> None:
    """Give every block of the recurrent weights this spectral radius."""
    import torch

    from softalign.gradient_flow import with_radius

    with torch.no_grad():
        layer.W_hh.copy_(torch.cat([with_radius(block, radius) for block in blocks], dim=1))


def _step_jacobians(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Jacobian of the whole state at each step, (batch, time, state, state), by autograd."""
    import torch

    def joined(state: Any) -> Tensor:
        return state if isinstance(state, torch.Tensor) else torch.cat(state, dim=-1)

    state, before = layer.initial_state(len(inputs)), []
    with torch.no_grad():
        for row in inputs.unbind(1):
            before.append(joined(state))
            _, state = layer(row[:, None], state)
    # all steps at once, as if they were examples of one batch: they do not meet
    start = torch.stack(before, dim=1).flatten(0, 1).requires_grad_()
    parts = start if isinstance(state, torch.Tensor) else type(state)(*start.chunk(2, dim=-1))
    with torch.enable_grad():
        after = joined(layer(inputs.flatten(0, 1)[:, None], parts)[1])
        rows = [
            torch.autograd.grad(after[:, k].sum(), start, retain_graph=True)[0]
            for k in range(after.shape[1])
        ]
    return torch.stack(rows, dim=1).unflatten(0, inputs.shape[:2])


def gradient_figure(
    norms: Mapping[str, Any],
    radii: Sequence[float] = RADII,
    *,
    radius: float = 1.0,
    lag: int = 40,
) -> Interactive:
    """Figure of the norm of the Jacobian by lag and by radius, one line for each cell.

    Parameters
    ----------
    norms : mapping from str to array of shape (radii, lags + 1)
        As `gradient_norms` returns them: the names of one to four cells, numbers above 0.
    radii : sequence of float
        Spectral radii of the rows: above 0, rising, two or more.
    radius, lag : float, int
        Where the figure opens: one of the radii, and a lag that was measured.

    Returns
    -------
    Interactive
        Of the kind "gradients". Its data hold `cells`, the names, `norms` of shape (cells, radii,
        lags + 1), `radii`, and `radius` (a place in them) and `lag`, where it opens.

    Raises
    ------
    ValueError
        Too few or many cells, arrays of other shapes, a norm that is not a number above 0, or a
        radius or lag that was not measured.

    Examples
    --------
    >>> figure = gradient_figure({"RNN": [[1, 0.5], [1, 2.5]]}, [1.0, 2.0], radius=2.0, lag=1)
    >>> figure.says
    'Norm of the Jacobian at radius 2.0 and lag 1: RNN 2.50.'

    Page: 03_bptt/gradients
    """
    _check_radii(radii)
    arrays = {name: np.asarray(array, dtype=float) for name, array in norms.items()}
    if not 1 <= len(arrays) <= MOST_CELLS:
        raise ValueError(f"there are {len(arrays)} cells, expected 1 to {MOST_CELLS}")
    wanted = (len(radii), np.atleast_1d(next(iter(arrays.values()))).shape[-1])
    for name, array in arrays.items():
        if array.shape != wanted or not 2 <= wanted[1] <= MOST_LAGS + 1:
            raise ValueError(
                f"the norms of {name} have the shape {array.shape}, expected (radii, lags + 1) = "
                f"({len(radii)}, {wanted[1]}), with 1 to {MOST_LAGS} lags"
            )
        if not (np.isfinite(array) & (array > 0)).all():
            raise ValueError(f"a norm of {name} is not a number above 0: it has no logarithm")
    near = np.isclose(radii, radius)
    if len(radii) < 2 or not near.any():
        raise ValueError(f"radius is {radius}, expected one of two or more that were measured")
    if not 0 <= lag < wanted[1]:
        raise ValueError(f"lag is {lag}, expected 0 to {wanted[1] - 1}")
    data = {
        "cells": list(arrays),
        "norms": np.stack(list(arrays.values())),
        "radii": [float(value) for value in radii],
        "radius": int(near.argmax()),
        "lag": lag,
    }
    title = "What is left of a gradient: change the radius and the lag"
    if len(arrays) > 1:
        title += ", and compare the cells"
    return Interactive("gradients", title, _alternative(data), data, lambda: _draw(data))


def _check_radii(radii: Sequence[float]) -> None:
    if not len(radii) or not (np.diff([0.0, *radii]) > 0).all():
        raise ValueError(f"the radii are {list(radii)}, expected numbers above 0 that rise")


def _short(value: float) -> str:
    """A norm as the figure prints it."""
    if 0.1 <= value < 1000:
        return f"{value:.2f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}".replace("-", "−")


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    at = data["norms"][:, data["radius"], data["lag"]]
    named = ", ".join(f"{name} {_short(x)}" for name, x in zip(data["cells"], at, strict=True))
    radius = data["radii"][data["radius"]]
    return f"Norm of the Jacobian at radius {radius:.1f} and lag {data['lag']}: {named}."


def _draw(data: dict[str, Any]) -> Any:
    """Norm by lag at the opening radius, and norm by radius at the opening lag."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.2), sharey=True, layout="constrained")
    radius, lag = data["radii"][data["radius"]], data["lag"]
    styles = zip(("-", "--", ":", "-."), "os^D", strict=True)
    for name, norms, (line, mark) in zip(data["cells"], data["norms"], styles, strict=False):
        by_lag, by_radius = norms[data["radius"]], norms[:, lag]
        axes[0].semilogy(by_lag, line, marker=mark, markevery=[lag], label=name)
        place = {"marker": mark, "markevery": [data["radius"]]}
        axes[1].semilogy(data["radii"], by_radius, line, label=name, **place)
    for ax in axes:
        ax.axhline(1, color="0.4", lw=0.8)
        ax.grid(color="0.9")
        ax.set_ylim(bottom=max(1e-12, 0.5 * data["norms"].min()))
    axes[0].set(xlabel="lag in steps", ylabel="norm of the Jacobian", title=f"radius {radius:.1f}")
    axes[1].set(xlabel="spectral radius", title=f"lag {lag}")
    axes[1].legend(loc="lower right")
    return figure
