"""The figure of sinusoidal positions in a browser: what it shows is what the library computes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from softalign.interactive.places import SHADES, positions_figure
from softalign.positions import offset_rotation, sinusoidal

pytestmark = pytest.mark.browser

SIZE, LENGTH, REACH = 12, 40, 30
STATES = [(10, 0, 5), (0, 2, -30), (39, 5, 30), (25, 1, 0), (7, 3, -3), (30, 4, 10), (2, 0, -3)]


@pytest.fixture
def opened(alone):
    """Open the figure; returns the page."""
    return lambda **options: alone(lambda: positions_figure(SIZE, LENGTH), **options)


def encodings(*places):
    return sinusoidal(torch.tensor(places), SIZE).double().numpy()


def cosines(offset):
    return offset_rotation(offset, SIZE).numpy().diagonal()[::2]


def table(page, region):
    """Numbers and print of a table."""
    cells = (
        page.get_by_role("region", name=region, exact=True)
        .locator("tbody tr")
        .evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('td')].map(c => "
            "[Number(c.dataset.value), c.textContent]))"
        )
    )
    return np.array([[v for v, _ in row] for row in cells]), [[t for _, t in r] for r in cells]


def said(page):
    return page.locator(".sa-says").inner_text()


def panel(page, name):
    return page.locator(f"svg[data-panel={name}]")


def set_(page, t, k, offset):
    for name, value in (("Position t", t), ("Pair k", k), ("Offset Δ", offset)):
        page.get_by_label(name, exact=True).fill(str(value))


def line(page, name):
    path = panel(page, "products").locator(f"[data-line={name}]").get_attribute("d")
    return np.array([[float(x) for x in pair.split()] for pair in path[1:].split("L")])


def check(page, t, k, offset):
    """Everything that is shown of one state."""
    here, there = encodings(t, t + offset)[:, 2 * k : 2 * k + 2]
    step = math.degrees(10_000 ** (-2 * k / SIZE))
    values, printed = table(page, "Numbers of the pair")
    turned = here @ offset_rotation(offset, SIZE).numpy()[2 * k : 2 * k + 2, 2 * k : 2 * k + 2]
    end = [t + offset, (t + offset) * step]
    np.testing.assert_allclose(
        values, [[t, t * step, *here], [*end, *turned], [*end, *there]], atol=1e-6
    )
    assert printed[0][2:] == [f"{x:.3f}".replace("-", "−") for x in values[0, 2:]]
    assert all(row[1].endswith("°") for row in printed)
    values, _ = table(page, "Speed of the pair")
    np.testing.assert_allclose(values, [[step, 360 / step, LENGTH * step / 360]], rtol=1e-9)
    values, _ = table(page, "Products")
    alone, whole = cosines(offset)[k], cosines(offset).sum()
    np.testing.assert_allclose(values, [[whole, alone]] * 3, atol=1e-6)
    check_pictures(page, t, k, offset)
    start = f"Position {t}, pair {k}, offset {offset}: the pair turns by {offset * step:.1f}°, "
    beyond = "" if 0 <= t + offset < LENGTH else ", beyond the table,"
    start += f"here and everywhere. The product with position {t + offset}{beyond} is {whole:.2f}. "
    assert said(page).startswith(start.replace("-", "−"))


def check_pictures(page, t, k, offset):
    """Points of the circle, lines of the products, and frames of the map, in pixels."""
    here, there = encodings(t, t + offset)[:, 2 * k : 2 * k + 2]
    for name, (sine, cosine) in (("here", here), ("there", there)):
        point = panel(page, "circle").locator(f"[data-point={name}]")
        found = [float(point.get_attribute(x)) for x in ("cx", "cy")]
        np.testing.assert_allclose(found, [145 + 92 * cosine, 145 - 92 * sine], atol=1e-4)
    every = np.array([cosines(d) for d in range(-REACH, REACH + 1)])
    for name, expected in (("all", every.mean(1)), ("one", every[:, k])):
        points = line(page, name)
        np.testing.assert_allclose((132 - points[:, 1]) / 92, expected, atol=1e-4)
        np.testing.assert_allclose(np.diff(points[:, 0]), 244 / (2 * REACH), atol=0.011)
        mark = panel(page, "products").locator(f"[data-mark={name}]").get_attribute("transform")
        found = [float(x) for x in re.findall(r"-?[\d.]+", mark)]
        np.testing.assert_allclose(found, points[offset + REACH], atol=0.01)
    rows = {
        frame.get_attribute("data-frame"): float(frame.get_attribute("y"))
        for frame in panel(page, "map").locator("rect[data-frame]").all()
    }
    high = 212 / LENGTH
    expected = {"pair": 21, "t": 21 + t * high}
    if 0 <= t + offset < LENGTH:
        expected["t + Δ"] = 21 + (t + offset) * high
    assert rows == pytest.approx(expected)
    column = panel(page, "map").locator("rect[data-frame=pair]").first
    assert float(column.get_attribute("x")) == pytest.approx(37 + 206 * 2 * k / SIZE)
    assert float(column.get_attribute("width")) == pytest.approx(2 + 206 * 2 / SIZE)


def test_it_opens_as_its_still_picture_says(opened):
    page = opened()
    check(page, 10, 0, 5)
    assert said(page) == page.locator(".sa-still img").get_attribute("alt")


def test_every_state_is_what_the_library_computes(opened):
    page = opened()
    for state in STATES:
        set_(page, *state)
        check(page, *state)


def test_words_of_other_states_are_those_of_a_picture_that_opens_there(opened):
    page = opened()
    for t, k, offset in STATES:
        set_(page, t, k, offset)
        figure = positions_figure(SIZE, LENGTH, position=t, pair=k, offset=offset)
        assert said(page) == figure.says


def test_it_is_worked_by_keys_and_by_buttons(opened):
    page = opened()
    page.get_by_label("Position t", exact=True).focus()
    page.keyboard.press("ArrowRight")
    check(page, 11, 0, 5)
    page.keyboard.press("End")
    check(page, 39, 0, 5)
    page.get_by_label("Position t: one back").click()
    page.get_by_label("Position t: one back").focus()
    page.keyboard.press("Enter")
    pair = page.get_by_label("Pair k", exact=True)
    pair.focus()
    page.keyboard.press("ArrowRight")
    assert pair.get_attribute("aria-valuetext") == "1, wavelength 29.2"
    offset = page.get_by_label("Offset Δ", exact=True)
    offset.focus()
    page.keyboard.press("Home")
    assert offset.get_attribute("aria-valuetext") == "−30"
    check(page, 37, 1, -30)


def test_the_legend_does_not_run_into_its_lines(opened):
    words = panel(opened(), "products").locator("text[text-anchor=start][y='19']")
    first, second = (text.bounding_box() for text in words.all())
    scale = panel(words.page, "products").bounding_box()["width"] / 290
    assert first["x"] + first["width"] + 28 * scale < second["x"]


def test_moving_changes_the_place_and_not_the_turn_or_the_product(opened):
    page = opened()
    seen, turns, places = set(), set(), set()
    for t in (0, 3, 17, 39):
        page.get_by_label("Position t", exact=True).fill(str(t))
        seen.add((line(page, "all").round(1).tobytes(), table(page, "Products")[1][0][0]))
        turns.add(said(page).split(": ")[1].split(",")[0])
        places.add(panel(page, "circle").locator("[data-point=here]").get_attribute("cx"))
    assert len(seen) == len(turns) == 1
    assert len(places) == 4


def test_the_map_has_a_pixel_for_each_number(opened):
    page = opened()
    image = panel(page, "map").locator("image")
    pixels = image.evaluate(
        """async (node) => {
          const picture = new Image(); picture.src = node.getAttribute("href");
          await picture.decode();
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [picture.width, picture.height];
          const pen = canvas.getContext("2d"); pen.drawImage(picture, 0, 0);
          return [...pen.getImageData(0, 0, picture.width, picture.height).data];
        }"""
    )
    found = np.array(pixels).reshape(LENGTH, SIZE, 4)
    stops = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in SHADES])
    values = encodings(*range(LENGTH))
    for channel in range(3):
        expected = np.interp(values, [-1, 0, 1], stops[:, channel])
        np.testing.assert_allclose(found[..., channel], expected, atol=0.51)
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("width", [320, 1000])
def test_nothing_jumps_or_runs_out_of_the_window(opened, width):
    page = opened(viewport={"width": width, "height": 700})
    heights = []
    for state in STATES:
        set_(page, *state)
        heights.append(page.evaluate("document.documentElement.scrollHeight"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(set(heights)) == 1


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    controls = page.locator(".sa-live :is(button, select, input)")
    assert controls.count() == 4 + 1 + 1
    for control in controls.all():
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 24
    for name in ("Speed of the pair", "Numbers of the pair", "Products"):
        region = page.get_by_role("region", name=name, exact=True)
        assert region.get_attribute("tabindex") == "0"
    pictures = page.get_by_role("img").all()
    assert len(pictures) == 3
    set_(page, 25, 1, -4)
    words = [picture.get_attribute("aria-label") for picture in pictures]
    assert "row 25 and the components 2 and 3 of pair 1" in words[0]
    step = math.degrees(10_000 ** (-2 / SIZE))
    place, turn = f"{25 * step:.1f}", f"−{4 * step:.1f}"
    assert (
        words[1] == f"Circle of pair 1: position 25 at {place}°, turned by {turn}° to position 21."
    )
    mean, one = cosines(-4).mean(), cosines(-4)[1]
    assert words[2].endswith(f"at −4 the mean of the pairs is {mean:.2f}, pair 1 {one:.2f}.")
    assert page.locator(".sa-live *").count() < 350  # the map is no element for each number


def test_it_is_the_same_for_who_wants_no_motion(opened):
    page = opened(reduced_motion="reduce")
    check(page, 10, 0, 5)
    assert page.get_by_label("Position t: play").count() == 0


def test_without_scripts_the_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()
