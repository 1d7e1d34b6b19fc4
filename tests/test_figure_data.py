"""The numbers of a figure are read back as they were drawn, whatever draws them."""

from __future__ import annotations

import json
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest

from softalign.figure_data import read_figure
from softalign.notebook import _carry_numbers
from softalign.plotting import heat_map


@pytest.fixture
def figure():
    """A figure of its own for each test, closed afterwards."""
    one = plt.figure()
    yield one
    plt.close(one)


def panel(figure, number=0):
    found = read_figure(figure)
    assert found["unread"] == []
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found["panels"][number]


def only(figure):
    (series,) = panel(figure)["series"]
    return series


# --- each kind of artist -------------------------------------------------------------------------


def test_lines_keep_all_their_points_and_the_label_of_the_legend(figure):
    ax = figure.subplots()
    x = np.linspace(0, 1, 500)
    ax.plot(x, x**2, label="square")
    ax.plot(x, np.sqrt(x), "--", label="root")
    ax.set(xlabel="$x$", ylabel="value", title="two curves")
    found = panel(figure)
    assert (found["title"], found["x"], found["y"]) == ("two curves", "$x$", "value")
    assert [s["name"] for s in found["series"]] == ["square", "root"]
    np.testing.assert_allclose(found["series"][1]["columns"]["y"], np.sqrt(x), rtol=1e-9)
    np.testing.assert_allclose(found["series"][1]["columns"]["x"], x, rtol=1e-9)


def test_a_gap_is_none_and_infinities_are_words(figure):
    ax = figure.subplots()
    ax.plot([0, 1, 2, 3], [1.5, np.nan, np.inf, -np.inf])
    assert only(figure)["columns"]["y"] == [1.5, None, "inf", "-inf"]


def test_points_and_lines_are_told_apart_and_proxies_of_the_legend_hold_nothing(figure):
    ax = figure.subplots()
    ax.plot([1, 2], [3, 4], "o", label="seen")
    ax.plot([1, 2], [3, 4], "-", label="guessed")
    ax.plot([], [], "s", label="proxy")
    ax.plot([5, 6], [7, 8], ls="none")
    assert [(s["name"], s["kind"]) for s in panel(figure)["series"]] == [
        ("seen", "points"),
        ("guessed", "line"),
    ]


def test_bars_stand_over_their_names_and_lying_bars_beside_them(figure):
    up, right = figure.subplots(1, 2)
    up.bar(["cat", "dog"], [3, -5], label="seen")
    right.barh(["cat", "dog"], [3, 5])
    (standing,), (lying,) = (panel(figure, k)["series"] for k in (0, 1))
    assert standing["columns"] == {"x": ["cat", "dog"], "y": [3, -5]}
    assert (lying["along"], lying["columns"]) == ("y", {"x": [3, 5], "y": ["cat", "dog"]})


def test_bars_that_start_elsewhere_say_from_where_to_where(figure):
    figure.subplots().barh([0, 1], [2, 3], left=[10, 20])
    columns = only(figure)["columns"]
    assert (columns["low"], columns["high"]) == ([10, 20], [12, 23])


def test_groups_of_bars_share_the_name_of_their_tick(figure):
    ax = figure.subplots()
    for k in range(3):
        ax.bar(np.arange(2) + 0.27 * (k - 1), [k, k + 1], 0.25, label=f"n = {k}")
    ax.set_xticks(range(2), ["one", "two"])
    assert [s["columns"]["x"] for s in panel(figure)["series"]] == [["one", "two"]] * 3


def test_bars_drawn_one_at_a_time_are_one_thing(figure):
    ax = figure.subplots()
    for place, value in enumerate((4, 5, 6)):
        ax.barh(place, value, color=f"C{place}", height=0.6)
    assert only(figure)["columns"]["x"] == [4, 5, 6]


def test_a_histogram_has_its_counts_and_the_edges_of_its_bins(figure):
    values = np.random.default_rng(0).normal(size=300)
    counts, edges, _ = figure.subplots().hist(values, bins=np.arange(-4, 4, 0.1), label="sample")
    one = only(figure)
    assert (one["kind"], one["name"]) == ("histogram", "sample")
    assert 0 in one["columns"]["begin"]
    assert one["columns"]["y"] == list(counts)
    np.testing.assert_allclose(one["columns"]["begin"], edges[:-1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one["columns"]["end"], edges[1:], rtol=1e-9, atol=1e-12)


def test_stairs_are_a_histogram_too(figure):
    figure.subplots().stairs([2, 5, 1], [0, 10, 20, 40], label="train")
    one = only(figure)
    assert (one["name"], one["kind"]) == ("train", "histogram")
    assert one["columns"] == {
        "x": [5, 15, 30],
        "y": [2, 5, 1],
        "begin": [0, 10, 20],
        "end": [10, 20, 40],
    }


def test_error_bars_are_low_and_high_ends(figure):
    ax = figure.subplots()
    ax.errorbar(["a", "b"], [5, 6], [[1, 2], [3, 4]], fmt="o-", capsize=3, label="BLEU")
    assert only(figure)["columns"] == {"x": ["a", "b"], "y": [5, 6], "low": [4, 4], "high": [8, 10]}
    assert only(figure)["name"] == "BLEU"


def test_error_bars_of_bars_belong_to_them(figure):
    figure.subplots().barh(["a", "b"], [5, 6], xerr=[[1, 2], [3, 4]])
    assert only(figure)["columns"] == {"x": [5, 6], "y": ["a", "b"], "low": [4, 4], "high": [8, 10]}


def test_a_band_is_low_and_high_under_the_name_of_its_line(figure):
    ax = figure.subplots()
    ax.plot(["p", "q", "r"], [1, 2, 3], color="C2", label="mean")
    ax.fill_between(["p", "q", "r"], [0, 1, 2], [2, 4, 6], color="C2", alpha=0.2)
    _, band = panel(figure)["series"]
    assert band["name"] == "mean (band)"
    assert band["columns"] == {"x": ["p", "q", "r"], "low": [0, 1, 2], "high": [2, 4, 6]}


def test_scatter_has_the_values_of_its_colours_under_the_label_of_the_bar(figure):
    ax = figure.subplots()
    drawn = ax.scatter([1, 2, 3], [4, 5, 6], c=[7, 8, 9])
    figure.colorbar(drawn, label="words")
    assert panel(figure)["value"] == "words"
    assert only(figure)["columns"] == {"x": [1, 2, 3], "y": [4, 5, 6], "value": [7, 8, 9]}
    assert len(read_figure(figure)["panels"]) == 1


def test_points_scattered_one_at_a_time_are_put_together_by_their_look(figure):
    ax = figure.subplots()
    for i in range(4):
        face, edge = ("C0", "C0") if i % 2 else ("white", "#D55E00")
        ax.scatter(i, 10 * i, color=face, edgecolor=edge)
    found = {s["name"]: s["columns"]["y"] for s in panel(figure)["series"]}
    assert found == {"hollow red-orange points": [0, 20], "blue points": [10, 30]}


def test_lines_and_stripes_across_the_panel_are_levels_not_curves(figure):
    ax = figure.subplots()
    ax.plot([0, 9], [1, 2], color="C3", label="curve")
    ax.axhline(0.25, color="0.5", ls=":")
    ax.axvline(7, color="k", label="here")
    ax.axvspan(2, 3, color="0.9")
    found = panel(figure)["series"]
    assert [(s["name"], s["kind"], *s["columns"].values()) for s in found[1:]] == [
        ("grey dotted line", "horizontal", [0.25]),
        ("here", "vertical", [7]),
        ("grey stripe", "stripe over x", [2], [3]),
    ]


def test_pieces_have_two_ends(figure):
    figure.subplots().hlines([1, 2], 0, [5, 6])
    one = only(figure)
    assert one["columns"] == {"x": [0, 0], "y": [1, 2], "to_x": [5, 6], "to_y": [1, 2]}


def test_a_mesh_may_be_given_with_x_along_its_rows(figure):
    ax = figure.subplots()
    x, y = np.meshgrid([0.0, 1.0, 2.0], [5.0, 7.0], indexing="ij")
    ax.pcolormesh(x, y, 10 * x + y, shading="auto")
    (one,) = panel(figure)["maps"]
    assert (one["columns"], one["rows"]) == ([0, 1, 2], [7, 5])
    assert one["values"] == [[7, 17, 27], [5, 15, 25]]


def test_a_bent_mesh_cannot_be_a_table(figure):
    ax = figure.subplots()
    ax.pcolormesh([[0, 1], [0.5, 1.5]], [[0, 0], [1, 1]], [[3]])
    assert read_figure(figure)["unread"] == ["QuadMesh without a grid of numbers"]


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_a_heat_map_is_read_from_the_top_with_the_names_of_rows_and_columns(figure, origin):
    ax = figure.subplots()
    ax.imshow([[1, 2, 3], [4, np.nan, -np.inf]], origin=origin)
    ax.set_xticks(range(3), ["我", "昨\n天", "买"])
    ax.set_yticks(range(2), ["first", "second"])
    (one,) = panel(figure)["maps"]
    rows = [[1, 2, 3], [4, None, "-inf"]], ["first", "second"]
    values, names = rows if origin == "upper" else (rows[0][::-1], rows[1][::-1])
    assert (one["values"], one["rows"], one["columns"]) == (values, names, ["我", "昨天", "买"])


def test_an_image_with_its_own_extent_has_the_places_of_its_squares(figure):
    figure.subplots().imshow(np.zeros((4, 2)), extent=(0, 10, 0, 8), origin="lower")
    (one,) = panel(figure)["maps"]
    assert (one["columns"], one["rows"]) == ([2.5, 7.5], [7, 5, 3, 1])


def test_a_mesh_is_a_heat_map_and_its_colour_bar_is_not_a_panel(figure):
    ax = figure.subplots()
    values = np.arange(6.0).reshape(2, 3)
    drawn = ax.pcolormesh([0.0, 1.0, 2.0], [5.0, 7.0], values, shading="auto")
    figure.colorbar(drawn, label="loss")
    found = read_figure(figure)
    assert len(found["panels"]) == 1
    assert found["panels"][0]["value"] == "loss"
    (one,) = found["panels"][0]["maps"]
    assert (one["columns"], one["rows"]) == ([0, 1, 2], [7, 5])
    assert one["values"] == [[3, 4, 5], [0, 1, 2]]


def test_the_books_heat_map_tells_sure_links_from_possible_ones(figure):
    weights = np.array([[0.9, 0.1], [0.2, 0.8]])
    gold = {"sure": [(0, 0)], "possible": [(0, 0), (1, 1)]}
    heat_map(
        figure.subplots(), weights, ["书", "好"], ["book", "good"], pinyin=["shū", "hǎo"], **gold
    )
    (one,) = panel(figure)["maps"]
    assert one["frames"] == [["solid", ""], ["", "dashed"]]
    assert one["values"] == weights.tolist()
    assert "words" not in one


def test_words_in_squares_and_at_points_are_kept_but_not_repeated_values(figure):
    grid, points = figure.subplots(1, 2)
    grid.imshow([[0.5, 2.04, 3.1]])
    for place, word in enumerate(("a", "2.0", "3.0")):
        grid.text(place, 0, word)
    grid.text(7, 0, "at the side")
    points.plot([1, 2, 3], [4, 5, 6], "o")
    points.annotate("same", (2, 5), (3, 3), textcoords="offset points")
    points.annotate("6.0", (3, 6))
    points.annotate("7", (1, 4))
    points.annotate("corner", (2, 5), xycoords="axes fraction")
    points.text(2, 4.5, "chance")
    points.text(2, 4.6, "0.25")
    assert panel(figure)["maps"][0]["words"] == [["a", "", "3.0"]]
    assert panel(figure)["texts"] == ["at the side"]
    assert panel(figure, 1)["series"][0]["columns"]["words"] == ["7", "same", ""]
    assert panel(figure, 1)["texts"] == ["corner", "chance"]


# --- axes ---------------------------------------------------------------------------------------


def test_a_diagram_holds_no_numbers_but_a_heat_map_without_axes_does(figure):
    boxes, tree, grid = figure.subplots(1, 3)
    boxes.plot([0, 1], [0, 1])
    boxes.bar([0], [1])
    boxes.set_axis_off()
    tree.plot([0, 1], [0, 1])
    tree.set(yticks=[], xlabel="words written")
    grid.imshow([[1, 2]])
    grid.axis("off")
    found = read_figure(figure)
    assert found["diagrams"] == 2
    assert [len(p["maps"]) for p in found["panels"]] == [1]


def test_numbers_at_ticks_are_numbers_also_on_a_logarithmic_axis(figure):
    ax = figure.subplots()
    ax.loglog([10, 100, 1000], [0.1, 1, 10], "o-")
    ax.set_xticks([10, 1000], ["10", "1,000"])
    found = panel(figure)
    assert found["scales"] == {"x": "log", "y": "log"}
    assert found["series"][0]["columns"] == {"x": [10, 100, 1000], "y": [0.1, 1, 10]}


def test_names_at_ticks_of_a_logarithmic_axis_reach_as_far_as_they_are_drawn(figure):
    ax = figure.subplots()
    ax.plot([8, 64, 180], [1, 2, 3], "o")
    ax.set_xscale("log")
    ax.set_xticks([8, 64, 512], ["8\nbatch 4", "64\nbatch 2", "512\nbatch 1"])
    assert only(figure)["columns"]["x"] == ["8 batch 4", "64 batch 2", 180]


def test_numbers_that_are_not_the_places_are_names(figure):
    ax = figure.subplots()
    ax.imshow(np.eye(3))
    ax.set_yticks(range(3), [1, 2, 4])
    ax.set_xticks(range(3), range(3))
    (one,) = panel(figure)["maps"]
    assert (one["rows"], one["columns"]) == (["1", "2", "4"], [0, 1, 2])


def test_panels_with_a_shared_axis_share_its_label_and_its_names(figure):
    left, right = figure.subplots(1, 2, sharey=True)
    for ax in (left, right):
        ax.barh([0, 1], [1, 2])
    left.set_yticks([0, 1], ["on", "off"])
    left.set_ylabel("switch")
    found = panel(figure, 1)
    assert found["y"] == "switch"
    assert found["series"][0]["columns"]["y"] == ["on", "off"]


def test_the_label_of_a_row_is_for_all_its_panels_drawn_to_the_same_scale(figure):
    first, second, third, fourth = figure.subplots(1, 4)
    for ax in (first, second, third):
        ax.plot([1, 2], [3, 4])
    third.set_yscale("log")
    fourth.barh(["a", "b"], [1, 2])
    first.set(ylabel="perplexity", xlabel="order")
    labels = [(p["x"], p["y"]) for p in read_figure(figure)["panels"]]
    assert labels == [("order", "perplexity"), ("", "perplexity"), ("", ""), ("", "")]


def test_twin_axes_are_two_panels_with_a_label_each(figure):
    ax = figure.subplots()
    ax.plot([1, 2], [3, 4])
    ax.set(ylabel="loss")
    twin = ax.twinx()
    twin.plot([1, 2], [30, 40])
    twin.set(ylabel="norm")
    found = read_figure(figure)["panels"]
    assert [(p["y"], p["series"][0]["columns"]["y"]) for p in found] == [
        ("loss", [3, 4]),
        ("norm", [30, 40]),
    ]


def test_a_second_scale_and_an_inset_are_told_apart(figure):
    ax = figure.subplots()
    ax.plot([1, 2], [3, 4])
    ax.secondary_yaxis("right", functions=(lambda v: 2 * v, lambda v: v / 2))
    ax.inset_axes([0.5, 0.5, 0.4, 0.4]).plot([5, 6], [7, 8])
    found = read_figure(figure)
    assert [p["series"][0]["columns"]["y"] for p in found["panels"]] == [[3, 4], [7, 8]]
    assert found["diagrams"] == 0


# --- names --------------------------------------------------------------------------------------


def test_what_has_no_label_is_named_by_what_looks_like_it(figure):
    left, right = figure.subplots(1, 2)
    for seed in range(3):
        left.plot([1, 2], [seed, seed], color="C1", label="LSTM" if seed == 0 else None)
    left.plot([1, 2], [8, 9], "o", color="C1")
    left.plot([1, 2], [8, 9], color="0.5")
    left.plot([1, 2], [8, 9], color="#0072B2", lw=0.7)
    right.plot([1, 2], [5, 6], color="C1")
    right.plot([1, 2], [5, 6], ":", color="C0")
    assert [s["name"] for s in panel(figure)["series"]] == [
        "LSTM",
        "LSTM (2)",
        "LSTM (3)",
        "LSTM (circles)",
        "grey line",
        "thin blue line",
    ]
    assert [s["name"] for s in panel(figure, 1)["series"]] == ["LSTM", "blue dotted line"]


def test_short_level_lines_over_one_tick_are_points(figure):
    ax = figure.subplots()
    for place, value in ((0, 5), (1, 6)):
        ax.plot([place - 0.1, place + 0.1], [value, value], "C0")
    ax.set_xticks([0, 1], ["a", "b"])
    assert only(figure)["columns"] == {"x": ["a", "b"], "y": [5, 6]}


# --- nothing is lost in silence -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda ax: ax.contourf([[1, 2], [3, 4]]), "QuadContourSet"),
        (lambda ax: ax.pie([1, 2]), "Wedge"),
        (lambda ax: ax.quiver([0, 1], [0, 1], [1, 1], [1, 1]), "Quiver"),
        (lambda ax: ax.fill([0, 1, 1], [0, 0, 1]), "Polygon"),
        (lambda ax: ax.axline((0, 0), slope=1), "AxLine"),
        (lambda ax: ax.imshow(np.zeros((2, 2, 3))), "AxesImage without a grid of numbers"),
        (
            lambda ax: ax.errorbar([1], [1], xerr=1, yerr=1),
            "error bars in two directions, or not at every point",
        ),
        (lambda ax: ax.scatter([1, 2], [3, 4], s=[10, 90]), "sizes of points"),
    ],
)
def test_what_cannot_be_read_is_named(figure, draw, name):
    draw(figure.subplots())
    assert name in read_figure(figure)["unread"]


class Shell:
    """As much of IPython as the set-up needs."""

    def __init__(self):
        from IPython.core.formatters import DisplayFormatter
        from IPython.core.pylabtools import print_figure
        from matplotlib.figure import Figure

        self.display_formatter = DisplayFormatter()
        png = self.display_formatter.formatters["image/png"]
        png.for_type(Figure, lambda figure: print_figure(figure, "png"))


def test_a_picture_carries_its_numbers_beside_it_and_shows_nothing_more(figure):
    shell = Shell()
    figure.subplots().plot([1, 2], [3, 4])
    plain, _ = shell.display_formatter.format(figure)
    _carry_numbers(shell)
    data, metadata = shell.display_formatter.format(figure)
    assert data == plain
    assert metadata == {"image/png": {"softalign": read_figure(figure)}}


def test_a_picture_is_shown_even_when_its_numbers_cannot_be_read(figure, monkeypatch):
    def broken(figure):
        raise ValueError("no such luck")

    monkeypatch.setattr("softalign.figure_data.read_figure", broken)
    shell = Shell()
    _carry_numbers(shell)
    figure.subplots().plot([1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data, metadata = shell.display_formatter.format(figure)
    assert data["image/png"][:4] == b"\x89PNG"
    assert metadata["image/png"]["softalign"]["unread"] == ["ValueError('no such luck')"]


def test_an_empty_figure_is_not_shown(figure):
    shell = Shell()
    _carry_numbers(shell)
    assert "image/png" not in shell.display_formatter.format(figure)[0]
