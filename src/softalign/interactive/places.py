"""Sinusoidal positions: where a position stands on each circle, and how an offset turns it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from softalign.interactive.figure import Interactive

__all__ = ["positions_figure"]

MOST_COMPONENTS, MOST_POSITIONS, NEAR = 128, 256, 10.0
# from −1 to 1, dark to light: told apart without colours
SHADES = ("#12305c", "#5f8fae", "#fff1c2")


def positions_figure(
    d_model: int = 32,
    length: int = 64,
    *,
    base: float = 10_000.0,
    position: int = 10,
    pair: int = 0,
    offset: int = 5,
) -> Interactive:
    r"""Figure of the sinusoidal encoding: its rows, the circle of a pair, and products by offset.

    The script computes everything itself, as `softalign.positions` does:
    :math:`P_{t,2k}=\sin(t\,\omega_k)` and :math:`P_{t,2k+1}=\cos(t\,\omega_k)` with
    :math:`\omega_k=\text{base}^{-2k/d_{\text{model}}}`.

    Parameters
    ----------
    d_model : int
        Components of an encoding: an even number from 2 to 128.
    length : int
        Number of positions that are shown, from 8 to 256. Offsets go three quarters as far, either
        way.
    base : float
        Of the series of frequencies; 1 or more.
    position, pair, offset : int
        Where the figure opens: :math:`t`, :math:`k` and :math:`\Delta`, in positions and pairs.

    Returns
    -------
    Interactive
        Of the kind "positions". Its data hold the arguments, `reach` (the largest offset) and
        `near`: how many degrees apart two positions still count as close in a pair.

    Raises
    ------
    ValueError
        A number outside its range.

    Examples
    --------
    >>> positions_figure(2, 8, position=1, offset=2).says.partition(":")[0]
    'Position 1, pair 0, offset 2'

    Page: 07_transformer/positions
    """
    if d_model % 2 or not 2 <= d_model <= MOST_COMPONENTS:
        raise ValueError(
            f"d_model is {d_model}, expected an even number from 2 to {MOST_COMPONENTS}"
        )
    if not 8 <= length <= MOST_POSITIONS:
        raise ValueError(f"length is {length}, expected 8 to {MOST_POSITIONS}")
    if not 1 <= base < math.inf:
        raise ValueError(f"base is {base}, expected 1 or more")
    reach = 3 * length // 4
    for name, value, least, most in (
        ("position", position, 0, length - 1),
        ("pair", pair, 0, d_model // 2 - 1),
        ("offset", offset, -reach, reach),
    ):
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}, expected {least} to {most}")
    data = {
        "d_model": d_model,
        "length": length,
        "base": base,
        "position": position,
        "pair": pair,
        "offset": offset,
        "reach": reach,
        "near": NEAR,
        "shades": list(SHADES),
    }
    title = "Sinusoidal positions: stand somewhere, choose a pair, and go on by an offset"
    return Interactive("positions", title, _alternative(data), data, lambda: _draw(data))


def _encodings(data: dict[str, Any], first: int, last: int) -> np.ndarray:
    """Encodings of the positions from `first` to `last`, by the library."""
    import torch

    from softalign.positions import sinusoidal

    positions = torch.arange(first, last + 1)
    return sinusoidal(positions, data["d_model"], base=float(data["base"])).double().numpy()


def _turn(data: dict[str, Any]) -> float:
    """Angle in degrees by which the opening pair turns from one position to the next."""
    return math.degrees(data["base"] ** (-2 * data["pair"] / data["d_model"]))


def _alternative(data: dict[str, Any]) -> str:
    """What the still picture shows, in words."""
    t, k, offset, length = (data[x] for x in ("position", "pair", "offset", "length"))
    turn = _turn(data)
    (here,), (there,) = _encodings(data, t, t), _encodings(data, t + offset, t + offset)
    apart = (np.arange(length) - t) * turn
    away = np.abs(np.arange(length) - t)[np.abs((apart + 180) % 360 - 180) <= data["near"]]
    stand = " stands" if len(away) == 2 else "s stand"  # the position itself is among them
    others = f"{len(away) - 1} other position{stand} within {data['near']:g}° of it in this pair"
    if away.max() > 0:
        others += f", the farthest {away.max()} away"
    beyond = "" if 0 <= t + offset < length else ", beyond the table,"
    return (
        f"Position {t}, pair {k}, offset {offset}: the pair turns by {offset * turn:.1f}°, here "
        f"and everywhere. The product with position {t + offset}{beyond} is {here @ there:.2f}. "
        f"{others}."
    ).replace("-", "−")


def _draw(data: dict[str, Any]) -> Any:
    """Encoding, circle of a pair, and products by offset, as the figure opens."""
    from matplotlib import pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    t, k, offset, length = (data[x] for x in ("position", "pair", "offset", "length"))
    reach, size, rate = data["reach"], data["d_model"], math.radians(_turn(data))
    figure, axes = plt.subplots(1, 3, figsize=(10.0, 3.4), layout="constrained")
    table = _encodings(data, 0, length - 1)
    shades = LinearSegmentedColormap.from_list("positions", SHADES)
    image = axes[0].imshow(
        table, cmap=shades, vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    for place, line in ((t, "-"), (t + offset, "--")):
        if 0 <= place < length:
            frame = {"fill": False, "ec": "#a33b00", "lw": 1.6, "ls": line}
            axes[0].add_patch(Rectangle((-0.5, place - 0.5), size, 1, **frame))
    axes[0].add_patch(Rectangle((2 * k - 0.5, -0.5), 2, length, fill=False, ec="#a33b00", lw=1.6))
    axes[0].set(xlabel="component", ylabel="position $t$", title=f"position {t}, pair {k}")
    figure.colorbar(image, ax=axes[0])

    circle = np.linspace(0, 2 * np.pi, 200)
    axes[1].plot(np.cos(circle), np.sin(circle), color="0.6", lw=1)
    axes[1].plot(table[:, 2 * k + 1], table[:, 2 * k], ".", color="0.45", ms=3)
    way = np.linspace(t, t + offset, 100) * rate
    axes[1].plot(0.6 * np.cos(way), 0.6 * np.sin(way), color="C1", lw=2)
    for place, fill, name in ((t, "C0", "$t$"), (t + offset, "white", "$t+\\Delta$")):
        x, y = np.cos(place * rate), np.sin(place * rate)
        axes[1].plot([x], [y], "o", color="C0", mfc=fill, ms=8)
        axes[1].text(1.25 * x, 1.25 * y, name, ha="center", va="center")
    axes[1].set(aspect="equal", xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xlabel="cosine", ylabel="sine")
    axes[1].set_title(f"$\\Delta$ = {offset}: a turn by {offset * _turn(data):.1f}°")

    offsets = np.arange(-reach, reach + 1)
    (here,), others = _encodings(data, t, t), _encodings(data, t - reach, t + reach)
    axes[2].plot(offsets, others @ here / (size // 2), label="all pairs, their mean")
    alone = others[:, 2 * k : 2 * k + 2] @ here[2 * k : 2 * k + 2]
    axes[2].plot(offsets, alone, "--", lw=1.2, label=f"pair {k} alone")
    axes[2].axvline(offset, color="0.5", lw=1, zorder=0)
    axes[2].plot([offset], [others[offset + reach] @ here / (size // 2)], "o", color="C0")
    axes[2].plot([offset], [alone[offset + reach]], "s", color="C1")
    axes[2].set(xlabel="offset $\\Delta$", ylabel="product", ylim=(-1.1, 1.6), title="products")
    axes[2].legend(loc="upper right", fontsize=8)
    return figure
