"""Numbers of chapter 0: the refresher and the running task."""

from __future__ import annotations

import numpy as np


def q_pre_three_cues() -> dict[str, float]:
    """Bayes' rule with both products."""
    noun, other = 0.2 * 0.3**3, 0.8 * 0.1**3
    return {"noun": noun / (noun + other)}


def q_pre_two_derivations() -> dict[str, float]:
    """NumPy's own sum of exponentials; the naive one is minus infinity."""
    with np.errstate(divide="ignore"):
        assert np.log(np.exp(-1000.0) + np.exp(-1001.0)) == -np.inf
    return {"log_prob": float(np.logaddexp(-1000.0, -1001.0))}


def q_pre_dead_unit() -> dict[str, float]:
    """Central differences of the loss."""
    weights = {
        "x": np.array([[1.0, 2.0]]),
        "W1": np.array([[1.0, -1.0], [0.0, 0.0]]),
        "W2": np.array([[2.0], [3.0]]),
    }

    def loss() -> float:
        hidden = np.maximum(weights["x"] @ weights["W1"], 0)
        return float((0.5 * (hidden @ weights["W2"] - 6) ** 2).item())

    def slope(name: str, row: int, column: int) -> float:
        delta, sides = 1e-5, []
        for sign in (1, -1):
            weights[name][row, column] += sign * delta
            sides.append(loss())
            weights[name][row, column] -= sign * delta
        return (sides[0] - sides[1]) / (2 * delta)

    dead = [("W2", 1, 0), ("W1", 0, 1), ("W1", 1, 1), ("x", 0, 1)]
    return {
        "w2_first": slope("W2", 0, 0),
        "w1_first_row": slope("W1", 0, 0),
        "w1_second_row": slope("W1", 1, 0),
        "x_first": slope("x", 0, 0),
        "second_unit": max(abs(slope(*place)) for place in dead),
    }


def q_pre_product_order() -> dict[str, float]:
    """Rows times inner size times columns, for each product in its order."""
    last, middle, first = (1, 1000), (1000, 1000), (1000, 1000)

    def cost(left: tuple, right: tuple) -> tuple[int, tuple]:
        return left[0] * left[1] * right[1], (left[0], right[1])

    one, shape = cost(last, middle)
    two, _ = cost(shape, first)
    three, shape = cost(middle, first)
    four, _ = cost(last, shape)
    return {"from_loss": one + two, "from_input": three + four}


def q_pre_soft_labels() -> dict[str, float]:
    """The derived gradient beside central differences."""
    rng = np.random.default_rng(0)
    logits, votes = rng.normal(size=4), np.array([0.5, 0.25, 0.25, 0.0])

    def loss(z: np.ndarray) -> float:
        return float(-votes @ (z - np.log(np.exp(z).sum())))

    steps = 1e-5 * np.eye(4)
    slopes = [(loss(logits + step) - loss(logits - step)) / 2e-5 for step in steps]
    probs = np.exp(logits) / np.exp(logits).sum()
    return {"residual": float(np.abs(slopes - (probs - votes)).max())}


def q_pre_column_minus_row() -> dict[str, float]:
    """The lines of the question."""
    predictions = np.array([1.0, 2.0, 3.0, 4.0])
    targets = np.array([[1.0], [2.0], [3.0], [4.0]])
    assert ((predictions - targets[:, 0]) ** 2).mean() == 0
    return {"printed": float(((predictions - targets) ** 2).mean())}


class Node:
    """The engine of the question."""

    def __init__(self, value: float, parents: tuple = ()) -> None:
        self.value, self.parents, self.grad = value, parents, 0.0


def q_pre_engine_assigns() -> dict[str, float]:
    """The engine of the question, as it stands and mended."""

    def run(adds: bool) -> float:
        x = Node(3.0)
        a = Node(x.value * x.value, ((x, x.value), (x, x.value)))
        y = Node(a.value + x.value, ((a, 1.0), (x, 1.0)))
        y.grad = 1.0
        for node in (y, a, x):
            for parent, slope in node.parents:
                parent.grad = slope * node.grad + (parent.grad if adds else 0.0)
        return x.grad

    return {"printed": run(adds=False), "right": run(adds=True)}
