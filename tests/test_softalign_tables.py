"""The tables under the plots: which rows, which words, which tags, and a file of every number."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from base64 import b64encode
from itertools import pairwise

import figure_tables
import pytest
import softalign_tables
from book_files import ROOT
from bs4 import BeautifulSoup
from figure_tables import as_csv, spread, tables_of, thinned, written

LINEAR = {"x": "linear", "y": "linear"}


def series(name="", kind="line", along="x", **columns):
    return {"name": name, "kind": kind, "along": along, "columns": columns}


def numbers(*things, maps=(), title="", x="step", y="loss", value="", scales=LINEAR, texts=()):
    panel = {"title": title, "x": x, "y": y, "value": value, "scales": scales, "texts": [*texts]}
    return {"panels": [{**panel, "series": [*things], "maps": [*maps]}], "unread": []}


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (-0.5, "−0.5"),
        (12, "12"),
        (12345, "12345"),
        (12345.678, "12350"),
        (99.996, "100"),
        (0.000123456, "0.0001235"),
        (1.2345e-5, "1.234 × 10⁻⁵"),
        (-2e-16, "−2 × 10⁻¹⁶"),
        (3.0e16, "3 × 10¹⁶"),
        (0, "0"),
        (None, "–"),
        ("", "–"),
        ("inf", "∞"),
        ("-inf", "−∞"),
        ("1-8", "1-8"),
        ("买", "买"),
    ],
)
def test_a_value_has_four_digits_and_names_stay_names(value, text):
    assert written(value) == text


# --- which rows -----------------------------------------------------------------------------------


def test_a_thinned_curve_keeps_its_ends_and_its_extremes():
    x = list(range(1000))
    y = [math.sin(k / 7) for k in x]
    y[333], y[777] = 5.0, -5.0
    kept = thinned(x, [y], 40, False)
    assert {0, 999, 333, 777} <= set(kept)
    assert len(kept) <= 40
    assert max(b - a for a, b in pairwise(kept)) <= 28
    assert kept == sorted(set(kept))


def test_a_curve_on_a_logarithmic_axis_is_thinned_as_it_is_drawn():
    ranks = list(range(1, 1001))
    kept = [ranks[k] for k in spread(ranks, 31, True)]
    assert kept[:6] == [1, 2, 3, 4, 5, 6]
    assert kept[-1] == 1000
    for decade in (10, 100):
        assert 9 <= sum(decade <= rank < 10 * decade for rank in kept) <= 11
    assert [ranks[k] for k in spread(ranks, 3, False)] == [1, 501, 1000]


def test_a_short_table_is_whole_and_a_long_one_says_what_it_leaves_out():
    (whole,) = tables_of(numbers(series(x=[1, 2, 3], y=[4, 5, 6])))
    assert (len(whole.rows), whole.notes) == (3, ())
    (cut,) = tables_of(numbers(series(x=list(range(100)), y=list(range(100)))))
    assert len(cut.rows) == figure_tables.ROWS
    assert cut.notes[0].startswith("30 of 100 rows: the first, the last, the least and greatest")


def test_a_wide_table_has_fewer_rows():
    many = [series(f"n = {k}", x=list(range(300)), y=[k] * 300) for k in range(30)]
    (table,) = tables_of(numbers(*many))
    assert len(table.head) == 31
    assert len(table.rows) <= 12


# --- which tables ---------------------------------------------------------------------------------


def test_curves_over_the_same_places_share_a_table_with_bands_and_error_bars():
    (table,) = tables_of(
        numbers(
            series("LSTM", x=["a", "b"], y=[1, 2]),
            series("LSTM (band)", "band", x=["a", "b"], low=[0, 1], high=[2, None]),
            series("GRU", x=["a", "b"], y=[3, 4], low=[2, 3], high=[4, 5]),
            title="lengths",
        )
    )
    assert table.caption == "lengths · loss, by step"
    assert table.head == (
        "step",
        "LSTM",
        "LSTM (band), low",
        "LSTM (band), high",
        "GRU",
        "GRU, low",
        "GRU, high",
    )
    assert table.rows[1] == ("b", "2", "1", "–", "4", "3", "5")


def test_an_only_curve_is_headed_by_the_label_of_the_axis():
    (table,) = tables_of(numbers(series(x=[1], y=[2])))
    assert table.head == ("step", "loss")


def test_bars_that_lie_and_bins_are_named_by_what_they_stand_on():
    (lying,) = tables_of(numbers(series(kind="bars", along="y", x=[3, 5], y=["cat", "dog"])))
    assert (lying.head, lying.rows[0]) == (("loss", "step"), ("cat", "3"))
    (bare,) = tables_of(numbers(series(kind="bars", along="y", x=[3], y=["cat"]), y=""))
    assert (bare.caption, bare.head) == ("step, by name", ("name", "step"))
    bins = series(kind="histogram", x=[1, 3], y=[7, 8], begin=[0, 2], end=[2, 4])
    (counts,) = tables_of(numbers(bins))
    assert counts.rows == (("0 to 2", "7"), ("2 to 4", "8"))


def test_short_things_with_different_places_stand_below_each_other():
    (table,) = tables_of(
        numbers(
            series("rules", "points", x=[1, 2], y=[3, 4]),
            series("memory", "points", x=[5], y=[6], words=["here"]),
        )
    )
    assert table.head == ("what", "step", "loss", "written there")
    assert table.rows == (
        ("rules", "1", "3", "–"),
        ("rules", "2", "4", "–"),
        ("memory", "5", "6", "here"),
    )


def test_scattered_points_are_sorted_and_their_colours_are_a_column():
    points = series("", "points", x=[3, 1, 2], y=[30, 10, 20], value=[7, 8, 9])
    (table,) = tables_of(numbers(points, value="words"))
    assert table.head == ("step", "loss", "words")
    assert table.rows == (("1", "10", "8"), ("2", "20", "9"), ("3", "30", "7"))


def test_a_column_of_words_that_has_been_thinned_away_is_left_out():
    words = ["" if k != 50 else "here" for k in range(1000)]
    points = series("", "points", x=list(range(1000)), y=[0] * 1000, words=words)
    (table,) = tables_of(numbers(points))
    assert table.head == ("step", "loss")


def test_levels_and_stripes_have_a_table_of_their_own():
    _, table = tables_of(
        numbers(
            series(x=[1], y=[2]),
            series("guess", "horizontal", y=[0.5]),
            series("grey stripe", "stripe over x", "y", low=[1], high=[2]),
        )
    )
    assert table.head == ("across the panel", "step", "loss")
    assert table.rows == (("guess", "–", "0.5"), ("grey stripe", "1 to 2", "–"))


def test_every_panel_has_a_name_where_there_are_several():
    one = numbers(series(x=[1], y=[2]), title="down")["panels"][0]
    two = numbers(series(x=[1], y=[2]))["panels"][0]
    captions = [t.caption for t in tables_of({"panels": [one, two, two]})]
    assert captions == [
        "down · loss, by step",
        "Panel 2 · loss, by step",
        "Panel 3 · loss, by step",
    ]


def heat(rows, columns, **more):
    values = [[10 * i + j for j in range(columns)] for i in range(rows)]
    names = [f"r{i}" for i in range(rows)], [f"c{j}" for j in range(columns)]
    return {"name": "", "rows": names[0], "columns": names[1], "values": values, **more}


def test_a_heat_map_is_a_table_with_rows_and_columns_named():
    frames = [["solid", ""], ["", "dashed"]]
    words = [["", "x"], ["", ""]]
    (table,) = tables_of(numbers(maps=[heat(2, 2, frames=frames, words=words)], value="weight"))
    assert table.caption == "weight"
    assert table.head == ("loss ↓, step →", "c0", "c1")
    assert table.rows == (("r0", "0 ■", "x 1"), ("r1", "10", "11 □"))
    assert table.notes == (
        "What is written in a square stands before its value.",
        "■ marks a square with a solid frame, □ one with a dashed frame.",
    )


def test_what_else_is_written_in_a_panel_is_said_below_its_last_table():
    *_, last = tables_of(numbers(series(x=[1], y=[2]), texts=["205 sentences", "chance"]))
    assert last.notes == ("Also written in the figure: 205 sentences; chance.",)


def test_a_colour_shows_three_digits():
    one = heat(1, 2) | {"values": [[0.123456, 4.5678e-9]]}
    (table,) = tables_of(numbers(maps=[one]))
    assert table.rows == (("r0", "0.123", "4.57 × 10⁻⁹"),)


@pytest.mark.parametrize(("rows", "columns"), [(1, 600), (600, 1)])
def test_a_heat_map_of_one_row_or_column_is_thinned_too(rows, columns):
    (table,) = tables_of(numbers(maps=[heat(rows, columns)]))
    assert len(table.rows) <= rows
    assert len(table.head) - 1 <= columns
    assert len(table.rows) * (len(table.head) - 1) <= figure_tables.SQUARES + 2
    ends = ("0", str(columns - 1 if rows == 1 else 10 * (rows - 1)))
    assert (table.rows[0][1], table.rows[-1][-1]) == ends
    assert spread(range(9), 1, False) == spread(range(1, 9), 1, True) == [0]


def test_a_large_heat_map_is_thinned_both_ways_and_keeps_its_extremes():
    large = heat(80, 90)
    large["values"][33][71], large["values"][57][5] = 9999, -9999
    (table,) = tables_of(numbers(maps=[large]))
    assert len(table.rows) * len(table.head) <= 1.3 * figure_tables.SQUARES
    cells = {cell for row in table.rows for cell in row}
    assert {"9999", "−9999", "r0", "r79"} <= cells
    assert {"c0", "c89"} <= set(table.head)
    assert " of 80 rows and " in table.notes[0]


# --- the file -------------------------------------------------------------------------------------


def test_the_file_has_every_number_unrounded_and_unthinned():
    x = [k / 7 for k in range(500)]
    large = heat(3, 4)
    large["values"][0][0] = 0.123456789
    given = numbers(
        series("a, b", x=x, y=[-v for v in x]),
        series("guess", "horizontal", y=[0.5]),
        maps=[large],
        title="down",
    )
    text, count = as_csv(given)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == count == 500 + 1 + 12
    assert list(rows[0]) == ["panel", "series", "kind", "x", "y", "value"]
    assert [float(r["x"]) for r in rows[:500]] == x
    assert {r["series"] for r in rows[:500]} == {"a, b"}
    assert rows[500]["y"] == "0.5"
    assert rows[501]["value"] == "0.123456789"
    last = {"panel": "down", "series": "", "kind": "square", "x": "c3", "y": "r2", "value": "23"}
    assert rows[-1] == last


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def plain_formulas(monkeypatch):
    monkeypatch.setattr(softalign_tables, "_formula", lambda latex: f"<i>{latex}</i>")


def test_labels_are_escaped_formulas_set_and_chinese_marked(plain_formulas):
    assert softalign_tables.marked_up("a < b & 买书 $x^2$ kuài") == (
        'a &lt; b &amp; <span lang="zh">买书</span> <i>x^2</i> kuài'
    )
    assert softalign_tables.marked_up("。 no") == "。 no"


def test_the_folded_part_is_a_real_table_in_a_box_that_can_be_reached(plain_formulas):
    given = numbers(series("块", x=[1, 2], y=[3, 4]), series("g", "horizontal", y=[5]))
    page = BeautifulSoup(
        softalign_tables.details_html(given, "fig-a", "x/fig-a.csv", "Fig. 3.1"), "html.parser"
    )
    details = page.select_one("details.sa-data")
    assert not details.has_attr("open")
    assert details.summary.get_text() == "The numbers of this figure"
    boxes = details.select('[role="group"][tabindex="0"]')
    assert len(boxes) == len(details.select("table")) == 2
    names = [page.find(id=box["aria-labelledby"]).get_text() for box in boxes]
    assert names == [
        "Fig. 3.1, table 1: loss, by step",
        "Fig. 3.1, table 2: lines and stripes across the panel",
    ]
    first = details.select("table")[0]
    assert [th.get_text() for th in first.select('thead th[scope="col"]')] == ["step", "块"]
    assert [th.get_text() for th in first.select('tbody th[scope="row"]')] == ["1", "2"]
    assert first.select_one("thead th span")["lang"] == "zh"
    link = details.select_one("a[download]")
    assert (link["href"], link.get_text()) == (
        "x/fig-a.csv",
        "All numbers of this figure as a CSV file, 3 rows",
    )


def cell(number, carried):
    """A cell that has drawn a picture, as MyST-NB finds it."""
    data = {"image/png": b64encode(b"\x89PNG picture %d" % number).decode()}
    metadata = {} if carried is None else {"image/png": {"softalign": carried}}
    figure = {"name": f"fig-{number}", "caption": f"Caption {number}."}
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"mystnb": {"figure": figure} if number < 9 else {}},
        "source": "draw()",
        "outputs": [{"output_type": "display_data", "data": data, "metadata": metadata}],
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of one page: a plot, a diagram, two faulty figures, a plot without a caption."""
    source = tmp_path_factory.mktemp("tables")
    (source / "conf.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r})\n"
        "extensions = ['myst_nb', 'softalign_tables']\n"
        "nb_execution_mode = 'off'\nnumfig = True\n"
    )
    plot = numbers(series("买", x=[1, 2], y=[3, 4.123456789]))
    faulty = plot | {"unread": ["Wedge"]}
    drawn = [plot, {"panels": [], "diagrams": 1, "unread": []}, None, faulty]
    cells = [cell(k, carried) for k, carried in enumerate(drawn)] + [cell(9, plot)]
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Title"}
    notebook = {"cells": [title, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (source / "sub").mkdir()
    (source / "sub" / "page.ipynb").write_text(json.dumps(notebook))
    (source / "index.rst").write_text("Home\n====\n\n.. toctree::\n\n   sub/page\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(source), str(source / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return source / "out", done.stderr


def test_a_plot_is_followed_by_its_table_and_a_diagram_by_none(site):
    out, _ = site
    page = BeautifulSoup((out / "sub" / "page.html").read_text(), "html.parser")
    plot, diagram, bare, faulty = page.select("figure")
    following = [f.find_next_sibling() for f in (plot, diagram, bare, faulty)]
    assert [f is not None and f.name == "details" for f in following] == [True, False, False, True]
    assert ["sa-plot" in f["class"] for f in (plot, diagram, bare, faulty)] == [1, 0, 0, 1]
    assert ["sa-diagram" in f["class"] for f in (plot, diagram, bare, faulty)] == [0, 1, 0, 0]
    assert following[0].caption.get_text() == "Fig. 1: loss, by step"
    assert [td.get_text() for td in following[0].select("td")] == ["3", "4.123"]
    assert len(page.select("details.sa-data")) == 3


def test_the_link_leads_to_the_file_with_the_numbers(site):
    out, _ = site
    page = BeautifulSoup((out / "sub" / "page.html").read_text(), "html.parser")
    link = page.select_one("details.sa-data a[download]")["href"]
    assert link == "../_static/figure-data/fig-0.csv"
    data = (out / "sub" / link).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [(r["series"], r["x"], r["y"]) for r in rows] == [
        ("买", "1", "3"),
        ("买", "2", "4.123456789"),
    ]


def test_numbers_that_are_missing_or_unread_are_warned_of(site):
    _, warnings = site
    found = re.findall(r"the numbers of figure (\S+): (.*)", warnings)
    assert found == [("fig-2", "it carries no numbers"), ("fig-3", "Wedge")]


def test_numbers_do_not_fill_the_index_of_the_search(site):
    out, _ = site
    index = (out / "searchindex.js").read_text()
    assert "caption" in index
    assert "4.123" not in index
