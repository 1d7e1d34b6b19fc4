"""Under every plot its numbers: there for all of them, right, and within reach of the keyboard."""

from __future__ import annotations

import csv
import gzip
import re
from functools import cache

import numpy as np
import pytest
from book_files import NOTEBOOKS, SITE
from bs4 import BeautifulSoup

# Bytes that the tables of one figure may add to what is sent, compressed. What a page may send
# is tested elsewhere.
GROWTH = 7_000
# What draws a diagram says so in its code: no axes, or an axis without ticks.
DIAGRAM = re.compile(r"set_axis_off\(\)|axis\(\"off\"\)|[xy]ticks=\[\]")
NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
DRAWN = {
    cell.mystnb["figure"]["name"]: (page, cell)
    for page in NOTEBOOKS
    for cell in page.code
    if "figure" in cell.mystnb and "interactive" not in cell.text
}
WITH_FIGURES = sorted({page.name for page, _ in DRAWN.values()})


@cache
def article(name):
    """The content of a built page."""
    text = (SITE / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser").select_one("article")


@cache
def pictures(name):
    """The figures of a page that hold a picture of a cell."""
    found = article(name).select(".cell_output figure:not(.sa-interactive)")
    return [f for f in found if f.find("img") and not f.find_parent(class_="sa-interactive")]


def table_below(figure):
    """The folded part below a figure, or None."""
    following = figure.find_next_sibling()
    is_data = following is not None and "sa-data" in following.get("class", ())
    return following if is_data else None


@cache
def file_of(name, figure):
    """The rows of the file of a figure, by the link on its page."""
    below = table_below(article(name).find(id=figure))
    link = below.select_one("a[download]")
    path = (SITE / f"{name}.html").parent / link["href"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file)), link.get_text()


def lines(rows, kind="line"):
    """The x and y of each series of a kind."""
    found = {}
    for row in rows:
        if row["kind"] == kind:
            found.setdefault((row["panel"], row["series"]), []).append(row)
    return {
        key: tuple(np.array([float(row[axis]) for row in group]) for axis in ("x", "y"))
        for key, group in found.items()
    }


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_every_figure_has_a_table_or_is_a_diagram(name):
    found = pictures(name)
    assert len(found) >= sum(page.name == name for page, _ in DRAWN.values())
    for figure in found:
        looks = {"sa-plot", "sa-diagram"} & set(figure["class"])
        assert len(looks) == 1, figure["id"]
        below = table_below(figure)
        assert (below is not None) == (looks == {"sa-plot"}), figure["id"]
        if below:
            assert below.select("table tbody td"), figure["id"]
        elif figure["id"] in DRAWN:
            assert DIAGRAM.search(DRAWN[figure["id"]][1].text), figure["id"]


def test_most_figures_are_plots():
    below = [table_below(figure) for name in WITH_FIGURES for figure in pictures(name)]
    assert len(below) >= len(DRAWN)
    assert sum(table is not None for table in below) > 0.85 * len(below)


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_the_tables_show_numbers_of_the_file(name):
    """To four digits, colours to three; and the file has as many rows as its link says."""
    for figure in pictures(name):
        if (below := table_below(figure)) is None:
            continue
        rows, text = file_of(name, figure["id"])
        assert f" {len(rows)} rows" in text
        stored = [value for row in rows for value in row.values()]
        close = 5.1e-3 if any(row["kind"] == "square" for row in rows) else 5.1e-4
        numbers = np.sort([float(v) for v in stored if NUMBER.fullmatch(v)])
        for cell in below.select("td"):
            shown = cell.get_text()
            plain = re.sub(r" × 10([⁻⁰¹²³⁴-⁹]+)", lambda m: "e" + ordinary(m[1]), shown)
            plain = plain.replace("−", "-")
            if not NUMBER.fullmatch(plain) or shown in stored:
                continue
            value = float(plain)
            nearest = numbers[np.abs(numbers - value).argmin()]
            assert abs(nearest - value) <= close * abs(value), (figure["id"], shown, nearest)


def ordinary(raised):
    """Raised digits as plain ones."""
    return raised.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_tables_are_light_named_and_marked(name):
    below = article(name).select("details.sa-data")
    for part in below:
        sent = len(gzip.compress(str(part).encode()))
        assert sent < GROWTH, f"{part['id']}: {sent} bytes"
    names = [caption.get_text() for part in below for caption in part.select("caption")]
    assert len(set(names)) == len(names)
    for part in below:
        for cell in part.select("th, td, caption"):
            for text in cell.find_all(string=re.compile("[\u4e00-\u9fff]")):
                assert text.find_parent(lang="zh"), text


# --- the numbers, computed again ------------------------------------------------------------------


def test_the_surprise_of_the_prerequisites_is_minus_a_logarithm():
    rows, _ = file_of("book/prerequisites", "fig-pre-surprise")
    ((x, y),) = lines(rows).values()
    assert len(x) == 300
    np.testing.assert_allclose(y, -np.log(x), rtol=1e-8, atol=1e-12)


def test_the_heat_maps_of_the_prerequisites_are_one_table_normalised_three_ways():
    rows, _ = file_of("book/prerequisites", "fig-pre-joint")
    values = np.array([float(row["value"]) for row in rows]).reshape(3, 3, 3)
    assert [row["x"] for row in rows[:3]] == ["ball", "phone", "other"]
    joint, by_column, by_row = values
    np.testing.assert_allclose(joint.sum(), 1)
    np.testing.assert_allclose(by_column, joint / joint.sum(0, keepdims=True), rtol=1e-8)
    np.testing.assert_allclose(by_row, joint / joint.sum(1, keepdims=True), rtol=1e-8)


def test_the_lengths_of_the_corpus_are_counted_again():
    from softalign.corpus import load

    rows, _ = file_of("book/corpus", "fig-corpus-lengths")
    for name in ("train", "test", "long"):
        drawn = [row for row in rows if row["series"] == name]
        edges = [float(row["begin"]) for row in drawn] + [float(drawn[-1]["end"])]
        lengths = [len(pair.source) for pair in getattr(load(), name)]
        counts = np.histogram(lengths, edges)[0]
        shares = [float(row["y"]) for row in drawn]
        np.testing.assert_allclose(shares, counts / counts.sum(), rtol=1e-8)


def test_the_losses_of_the_ablations_are_those_of_the_stored_runs():
    from softalign import runs

    stored = runs.stored("transformer")
    rows, _ = file_of("chapters/07_transformer/ablations", "fig-abl-interaction")
    found = lines(rows)
    assert len(found) == 12
    for (_, label), (x, y) in found.items():
        name, _, number = label.partition(" (")
        run = stored[f"{name}, seed {int(number.rstrip(')') or 1) - 1}"]
        np.testing.assert_array_equal(x, run.curve_steps)
        np.testing.assert_allclose(y, run.curve, rtol=1e-8)


# --- in a browser ---------------------------------------------------------------------------------

NARROW = {"width": 390, "height": 900}


@pytest.mark.browser
def test_a_table_unfolds_scrolls_and_is_left_by_the_keyboard(chromium, site_url):
    page = chromium.new_page(viewport=NARROW)
    page.goto(f"{site_url}/chapters/02_rnn/sequences.html")
    below = page.locator("#fig-seq-alike-numbers")
    focused = "document.activeElement"
    below.locator("summary").focus()
    assert not below.locator("table").is_visible()
    page.keyboard.press("Enter")
    assert below.locator("table").is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.getAttribute('role')") == "group"
    assert page.evaluate(f"{focused}.scrollWidth > {focused}.clientWidth")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{focused}.scrollLeft > 0")
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.hasAttribute('download')")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "fig-seq-alike.csv"
    below.locator("summary").focus()
    page.keyboard.press("Space")
    assert not below.locator("table").is_visible()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "wide"),
    [("chapters/05_encoder_decoder/bottleneck", True), ("book/prerequisites", False)],
)
def test_unfolded_tables_do_not_widen_the_page_and_are_not_printed(chromium, site_url, name, wide):
    page = chromium.new_page(viewport=NARROW)
    page.goto(f"{site_url}/{name}.html")
    parts = page.locator("details.sa-data")
    assert parts.count() > 3
    parts.evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    boxes = parts.locator(".sa-data-box").evaluate_all(
        "all => all.map(b => [b.getBoundingClientRect().right, b.scrollWidth > b.clientWidth])"
    )
    assert all(right <= NARROW["width"] for right, _ in boxes)
    assert any(scrolls for _, scrolls in boxes)
    page.emulate_media(media="print")
    assert not any(part.is_visible() for part in parts.all())
    page.close()
