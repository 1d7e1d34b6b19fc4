"""The figure of gradients in a browser: what it shows is what the library measured."""

from __future__ import annotations

import re

import numpy as np
import pytest
from figure_checks import controls_in_reach

from softalign.interactive.recurrence import RADII, gradient_figure, gradient_norms

pytestmark = pytest.mark.browser

CELLS = ["RNN", "LSTM", "GRU"]
LAST, OPENS = 60, RADII.index(1.0)


@pytest.fixture(scope="module")
def norms():
    return gradient_norms(hidden_size=12, seed=2)


@pytest.fixture
def opened(alone, norms):
    """Open the figure; returns the page."""

    def open_(cells=CELLS, **options):
        return alone(lambda: gradient_figure({cell: norms[cell] for cell in cells}), **options)

    return open_


def short(value):
    if 0.1 <= value < 1000:
        return f"{value:.2f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}".replace("-", "−")


def rows(page):
    """Numbers and print of the table, a list for each cell."""
    return page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(c => "
        "[c.dataset.value, c.textContent]))"
    )


def said(page):
    return page.locator(".sa-says").inner_text()


def panel(page, name):
    return page.locator(f"svg[data-panel=sa-by-{name}]")


def curve(page, name, cell):
    """Powers of ten of a line's points, read off the picture by its own axis."""
    picture = panel(page, name)
    axis = [
        (float(text.get_attribute("y")) - 4, text.text_content())
        for text in picture.locator("text[text-anchor=end]").all()
    ]
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    powers = [0 if words == "1" else int(words[2:].translate(digits)) for _, words in axis]
    slope, start = np.polyfit([y for y, _ in axis], powers, 1)
    path = picture.locator(f"path[data-line={cell}]").get_attribute("d")
    points = np.array([[float(x) for x in pair.split()] for pair in path[1:].split("L")])
    return start + slope * points[:, 1], points[:, 0]


def first_below(line, limit):
    found = np.flatnonzero(line < limit)
    return (int(found[0]), str(found[0])) if len(found) else (-1, f"> {LAST}")


def check(page, norms, radius, lag):
    """Everything that is shown of one state."""
    words = []
    for cell, row in zip(CELLS, rows(page), strict=True):
        line = norms[cell][radius]
        half, thousandth = first_below(line, 0.5), first_below(line, 1e-3)
        factor = (line[60] / line[30]) ** (1 / 30)
        np.testing.assert_allclose(
            [float(value) for value, _ in row],
            [line[lag], half[0], thousandth[0], factor],
            rtol=1e-6,
        )
        assert [text for _, text in row] == [
            short(line[lag]), half[1], thousandth[1], f"{factor:.3f}",
        ]  # fmt: skip
        words.append(f"{cell} {short(line[lag])}")
        for name, expected, at in (
            ("lag", line, lag),
            ("radius", norms[cell][:, lag], radius),
        ):
            powers, xs = curve(page, name, cell)
            seen = np.log10(expected) > -12  # lower ones leave the picture
            np.testing.assert_allclose(powers[seen], np.log10(expected)[seen], atol=1e-3)
            assert (powers[~seen] < -12).all()
            mark = panel(page, name).locator(f"path[data-mark={cell}]")
            assert mark.count() == int(seen[at])
            if seen[at]:
                np.testing.assert_allclose(
                    float(mark.get_attribute("data-value")), line[lag], rtol=1e-6
                )
                x, _ = re.findall(r"[\d.]+", mark.get_attribute("transform"))
                assert abs(float(x) - xs[at]) < 0.01
    line = f"radius {RADII[radius]:.1f} and lag {lag}: {', '.join(words)}."
    assert said(page) == f"Norm of the Jacobian at {line}"


def test_it_opens_as_its_still_picture_says(opened, norms):
    page = opened()
    check(page, norms, OPENS, 40)
    assert said(page) == page.locator(".sa-still img").get_attribute("alt")


def test_radius_and_lag_are_moved_by_keys_and_by_buttons(opened, norms):
    page = opened()
    radius = page.get_by_label("Spectral radius", exact=True)
    lag = page.get_by_label("Lag", exact=True)
    radius.focus()
    page.keyboard.press("ArrowRight")
    assert radius.get_attribute("aria-valuetext") == "1.1"
    check(page, norms, OPENS + 1, 40)
    lag.focus()
    page.keyboard.press("End")
    check(page, norms, OPENS + 1, 60)
    radius.focus()
    page.keyboard.press("Home")
    check(page, norms, 0, 60)
    page.get_by_label("Spectral radius: one on").click()
    page.get_by_label("Lag: one back").click()
    check(page, norms, 1, 59)
    page.get_by_label("Lag: one back").focus()
    page.keyboard.press("Enter")
    lag.fill("0")
    radius.fill(str(len(RADII) - 1))
    check(page, norms, len(RADII) - 1, 0)
    for at in (2, 9, 13):
        radius.fill(str(at))
        lag.fill(str(4 * at - 3))
        check(page, norms, at, 4 * at - 3)


def test_a_cell_is_hidden_and_comes_back(opened, norms):
    page = opened()
    page.get_by_label("LSTM", exact=True).click()
    first, second, third = rows(page)
    assert [text for _, text in second] == ["–"] * 4
    assert [value for value, _ in second] == [""] * 4
    np.testing.assert_allclose(
        [float(first[0][0]), float(third[0][0])],
        [norms["RNN"][OPENS, 40], norms["GRU"][OPENS, 40]],
        rtol=1e-6,
    )
    assert "LSTM" not in said(page)
    for name in ("lag", "radius"):
        assert panel(page, name).locator("[data-line=LSTM], [data-mark=LSTM]").count() == 0
        assert "LSTM" not in panel(page, name).text_content()
    for cell in ("RNN", "GRU"):
        page.get_by_label(cell, exact=True).focus()
        page.keyboard.press("Space")
    assert said(page) == "Norm of the Jacobian at radius 1.0 and lag 40: no cell is shown."
    assert page.locator("[data-line]").count() == 0
    for cell in CELLS:
        page.get_by_label(cell, exact=True).check()
    check(page, norms, OPENS, 40)


def test_a_cell_alone_cannot_be_hidden(opened, norms):
    page = opened(["RNN"])
    assert page.get_by_role("checkbox").count() == page.get_by_role("group").count() == 0
    assert said(page).endswith(f"lag 40: RNN {short(norms['RNN'][OPENS, 40])}.")
    assert page.locator("figcaption").inner_text().endswith("change the radius and the lag")


def test_all_columns_are_in_sight_on_a_telephone(opened):
    # 390 pixels, without what the margins of a page of the book take
    page = opened(viewport={"width": 366, "height": 700})
    region = page.get_by_role("region")
    for at in ("0", "15"):
        page.get_by_label("Spectral radius", exact=True).fill(at)
        assert region.evaluate("a => a.scrollWidth <= a.clientWidth")


def test_lines_are_told_apart_without_colour_and_named_in_the_pictures(opened, norms):
    page = opened()
    page.get_by_label("Spectral radius", exact=True).fill("0")
    for name in ("lag", "radius"):
        lines = panel(page, name).locator("[data-line]")
        dashes = [line.get_attribute("stroke-dasharray") for line in lines.all()]
        assert len(set(dashes)) == 3
        marks = panel(page, name).locator("[data-mark]").all()
        assert len({mark.get_attribute("d") for mark in marks}) == len(marks) >= 2
        names = panel(page, name).locator("text[text-anchor=start]")
        heights = sorted(float(text.get_attribute("y")) for text in names.all())
        assert min(np.diff(heights)) >= 14.9
        found = {text.removesuffix(" ↓") for text in names.all_text_contents()}
        assert found == set(CELLS)
        low = {c for c in CELLS if name == "lag" and norms[c][0, 60] < 1e-12}
        arrows = {t[:-2] for t in names.all_text_contents() if t.endswith(" ↓")}
        assert arrows == low
        words = panel(page, name).get_attribute("aria-label")
        assert words.endswith(f": {said(page).split(': ')[1]}")
        assert panel(page, name).get_attribute("role") == "img"
    assert "RNN ↓" in panel(page, "lag").text_content()


@pytest.mark.parametrize("width", [320, 1000])
def test_nothing_jumps_or_runs_out_of_the_window(opened, width):
    page = opened(viewport={"width": width, "height": 700})
    radius, lag = (page.get_by_label(x, exact=True) for x in ("Spectral radius", "Lag"))
    heights = []
    for act in (
        lambda: None,
        lambda: lag.fill("60"),
        lambda: radius.fill("0"),
        lambda: radius.fill("15"),
        lambda: [page.get_by_label(cell, exact=True).uncheck() for cell in CELLS],
    ):
        act()
        heights.append(page.evaluate("document.documentElement.scrollHeight"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(set(heights)) == 1


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert controls_in_reach(page) == 2 * 4 + 3
    assert page.get_by_role("region", name="Numbers of the cells").count() == 1
    assert page.get_by_role("img").count() == 2
    assert page.get_by_role("group", name="Cells").get_by_role("checkbox").count() == 3


def test_two_figures_on_a_page_have_names_of_their_own(opened):
    page = opened()
    page.evaluate(
        "() => { const one = document.querySelector('figure'), two = one.cloneNode(true);"
        "two.removeAttribute('data-state'); two.querySelector('.sa-live').replaceChildren();"
        "one.after(two); softalign.start(); }"
    )
    names = page.locator("[id]").evaluate_all("all => all.map(a => a.id)")
    assert len(set(names)) == len(names) >= 4
    uses = page.locator("[clip-path]").evaluate_all("all => all.map(a => a.closest('svg')"
        ".querySelector(a.getAttribute('clip-path').slice(4, -1)) !== null)")  # fmt: skip
    assert uses == [True] * 12


def test_it_is_the_same_for_who_wants_no_motion(opened, norms):
    page = opened(reduced_motion="reduce")
    check(page, norms, OPENS, 40)
    assert page.get_by_label("Lag: play").count() == 0


def test_without_scripts_the_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()
