"""The figure of gradients: its data are the library's, its picture and its words say the same."""

from __future__ import annotations

import json

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from test_interactive import node

from softalign.gradient_flow import jacobians, products, singular_values, with_radius
from softalign.gru import GRU
from softalign.interactive.figure import script
from softalign.interactive.recurrence import RADII, _short, gradient_figure, gradient_norms
from softalign.lstm import LSTM
from softalign.plotting import use_book_style
from softalign.rnn import RNN
from softalign.training import seeded

SIZE, LAGS, FORGET = 4, 5, 2.0
NORMS = {
    "RNN": [[1, 0.4, 2.5e-4], [1, 1.7, 0.08], [1, 9, 4321]],
    "LSTM": [[1, 0.9, 0.71], [1, 1.01, 0.9], [1, 1.2, 1.1]],
}
PLACES = {"radii": [0.5, 1.0, 1.5], "radius": 0.5, "lag": 2}


def network(kind, radius, seed=3):
    """Layer and inputs as the docstring describes them."""
    with seeded(seed):
        inputs = torch.randn(4, LAGS, 16, dtype=torch.float64)
        layer = kind(16, SIZE).double()
        with torch.no_grad():
            layer.W_xh.copy_(torch.empty_like(layer.W_xh).normal_(std=0.125))
            blocks = torch.randn(layer.W_hh.shape[1] // SIZE, SIZE, SIZE, dtype=torch.float64)
            layer.W_hh.copy_(torch.cat([with_radius(block, radius) for block in blocks], dim=1))
            for name in ("b", "b_x", "b_h"):
                if hasattr(layer, name):
                    getattr(layer, name).zero_()
            if kind is LSTM:
                layer.b[SIZE : 2 * SIZE] = FORGET
    return layer, inputs


def by_autograd(layer, inputs, lag):
    """Mean over the sequences of the norm of one Jacobian, of the whole way at once."""
    cut, found = inputs.shape[1] - lag, []
    for one in inputs.split(1):
        state = layer.initial_state(1) if cut == 0 else layer(one[:, :cut])[1]
        flat = state if isinstance(state, torch.Tensor) else torch.cat(state, dim=1)

        def last(flat, state=state, one=one):
            if not isinstance(state, torch.Tensor):
                state = type(state)(flat[:, :SIZE], flat[:, SIZE:])
                return torch.cat(layer(one[:, cut:], state)[1], dim=1)
            return layer(one[:, cut:], flat)[1]

        jacobian = torch.autograd.functional.jacobian(last, flat.detach())[0, :, 0]
        found.append(float(singular_values(jacobian)[0]))
    return np.mean(found)


@pytest.fixture(scope="module")
def norms():
    return gradient_norms([0.6, 1.7], LAGS, hidden_size=SIZE, forget_bias=FORGET, seed=3)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_the_norms_are_those_of_autograd_over_the_whole_way(norms, kind):
    for row, radius in zip(norms[kind.__name__], (0.6, 1.7), strict=True):
        layer, inputs = network(kind, radius)
        expected = [1, *(by_autograd(layer, inputs, lag) for lag in range(1, LAGS + 1))]
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_those_of_the_rnn_are_what_the_page_computes(norms):
    for row, radius in zip(norms["RNN"], (0.6, 1.7), strict=True):
        steps = jacobians(*network(RNN, radius))
        expected = singular_values(products(steps))[..., 0].mean(0)
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_the_book_shows_what_it_asks_about():
    """From radius 0.5 to 1.0 the RNN moves by far more powers of ten than the gated cells."""
    norms = gradient_norms([0.5, 1.0, 1.8])
    moved = {name: np.log10(array[1, 60] / array[0, 60]) for name, array in norms.items()}
    assert moved["RNN"] > 15
    assert moved["LSTM"] < 4
    assert moved["GRU"] < 6
    assert norms["RNN"][1, 60] < 1e-6
    assert norms["RNN"][2, 60] > 1
    assert norms["LSTM"][0, 60] > 1e12 * norms["RNN"][0, 60]


def test_the_draw_is_the_same_each_time_and_leaves_no_trace():
    torch.manual_seed(5)
    first = gradient_norms([1.0], 3, hidden_size=2)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)
    second = gradient_norms([1.0], 3, hidden_size=2)
    other = gradient_norms([1.0], 3, hidden_size=2, seed=1)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
        assert not np.allclose(array[:, 1:], other[name][:, 1:])


def test_the_data_reach_the_script_to_nine_digits():
    data = json.loads(gradient_figure(NORMS, **PLACES).json())
    assert data["cells"] == ["RNN", "LSTM"]
    np.testing.assert_allclose(data["norms"], list(NORMS.values()), rtol=1e-8)
    assert data["radii"] == [0.5, 1, 1.5]
    assert (data["radius"], data["lag"]) == (0, 2)
    alone = gradient_figure({"a": np.ones((16, 61))})
    assert (alone.data["radius"], alone.data["lag"]) == (RADII.index(1.0), 40)
    assert alone.title == "What is left of a gradient: change the radius and the lag"
    assert gradient_figure(NORMS, **PLACES).title == f"{alone.title}, and compare the cells"


@pytest.mark.parametrize(
    ("norms", "changes", "sentence"),
    [
        ({}, {}, "there are 0 cells, expected 1 to 4"),
        ({name: [[1.0, 1.0]] for name in "abcde"}, {}, "there are 5 cells"),
        ({"a": [[1, 2]]}, {}, r"of a have the shape \(1, 2\), expected .* = \(3, 2\)"),
        ({"a": np.ones((3, 4)), "b": np.ones((3, 5))}, {}, r"norms of b have the shape \(3, 5\)"),
        ({"a": 1.0}, {}, r"norms of a have the shape \(\), expected"),
        ({"a": np.ones((3, 1))}, {}, r"shape \(3, 1\), .*, with 1 to 200 lags"),
        ({"a": np.zeros((3, 4))}, {}, "a norm of a is not a number above 0"),
        ({"a": np.full((3, 4), np.nan)}, {}, "a norm of a is not a number above 0"),
        ({"a": np.full((3, 4), np.inf)}, {}, "a norm of a is not a number above 0"),
        (NORMS, {"radius": 0.7}, "radius is 0.7, expected one of"),
        (NORMS, {"lag": 3}, "lag is 3, expected 0 to 2"),
        (NORMS, {"lag": -1}, "lag is -1, expected 0 to 2"),
        (NORMS, {"radii": [0.5, 0.5, 1.0]}, "expected numbers above 0 that rise"),
        (NORMS, {"radii": [0.0, 0.5, 1.0]}, "expected numbers above 0 that rise"),
        ({"a": [[1, 2]]}, {"radii": [0.5], "lag": 1}, "one of two or more that were"),
    ],
)
def test_what_cannot_be_shown_is_refused(norms, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        gradient_figure(norms, **PLACES | changes)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([],), "the radii are"),
        (([-1.0],), "the radii are"),
        (([1.0], 0), "lags is 0 and hidden_size is 32, expected 1 or more"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        gradient_norms(*arguments)


def test_the_picture_and_its_words_show_the_opening_state():
    figure = gradient_figure(NORMS, **PLACES)
    assert figure.says == "Norm of the Jacobian at radius 0.5 and lag 2: RNN 2.5e−4, LSTM 0.71."
    with mpl.rc_context():
        use_book_style()
        by_lag, by_radius = figure.draw().axes
    assert by_lag.get_title() == "radius 0.5"
    assert by_radius.get_title() == "lag 2"
    for name, left, right in zip(NORMS, by_lag.lines, by_radius.lines, strict=False):
        np.testing.assert_allclose(left.get_ydata(), NORMS[name][0])
        np.testing.assert_allclose(right.get_ydata(), [row[2] for row in NORMS[name]])
        np.testing.assert_allclose(right.get_xdata(), [0.5, 1.0, 1.5])
        assert left.get_label() == name
        assert (left.get_markevery(), right.get_markevery()) == ([2], [0])
    assert len({line.get_linestyle() for line in by_lag.lines[:2]}) == 2
    assert by_lag.get_yscale() == by_radius.get_yscale() == "log"
    plt.close("all")


def numbers(code):
    """What the arithmetic of the script says."""
    body = script("gradients").split("// --- numbers")[1].split("// --- controls")[0]
    body = body.partition("\n")[2]
    return node(f"(() => {{ const last = 4; {body} return {code}; }})()")


def test_numbers_are_printed_alike_in_the_words_and_by_the_script():
    values = [0.1, 0.0999, 1.0, 999.994, 1000.0, 2.5e-4, 7e-24, 83210.0, 0.555]
    printed = [_short(value) for value in values]
    assert numbers(f"{json.dumps(values)}.map(short)") == printed
    assert printed[:5] == ["0.10", "1.0e−1", "1.00", "999.99", "1.0e3"]


def test_the_first_lag_below_a_limit_and_the_factor_of_a_step():
    line = [1, 0.5, 0.49, 0.6, 0.49 * 0.3**2]
    assert numbers(f"below({line}, 0.5)") == 2
    assert numbers(f"below({line}, 0.001)") == -1
    np.testing.assert_allclose(numbers(f"factor({line})"), 0.3, rtol=1e-12)
