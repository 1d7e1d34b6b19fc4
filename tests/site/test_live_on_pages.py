"""The interactive figures where readers meet them: on the pages of the site."""

from __future__ import annotations

import json

import pytest
from book_files import NOTEBOOKS, PAGES, SITE
from bs4 import BeautifulSoup

pytestmark = pytest.mark.browser

KINDS = ("em", "softmax", "attention", "gradients", "beam", "positions")
FIGURE = ".sa-interactive"
# What a figure shows at a moment, without the place of its controls.
STATE = "e => e.querySelector('.sa-live').textContent + e.querySelector('.sa-live').innerHTML"


def figures(name):
    """Kind, caption, alternative text and data of each interactive figure in a built page."""
    html = BeautifulSoup((SITE / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    return [
        (
            figure["data-kind"],
            figure.figcaption.get_text(),
            figure.img["alt"],
            json.loads(figure.find("script").string),
        )
        for figure in html.select(FIGURE)
    ]


WITH_FIGURES = [page.name for page in NOTEBOOKS if "_figure(" in "".join(c.text for c in page.code)]


def test_every_kind_of_figure_is_on_a_page():
    shown = [kind for name in WITH_FIGURES for kind, *_ in figures(name)]
    assert sorted(set(shown)) == sorted(KINDS)


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_notebook_says_what_the_figure_of_the_site_says(name):
    """The text that nbval compares is the caption and the alternative text of the site."""
    page = next(page for page in PAGES if page.name == name)
    stored = "".join(
        "".join(output.get("data", {}).get("text/plain", ""))
        for cell in page.code
        if "nbval-ignore-output" not in cell.tags
        for output in cell.outputs
    )
    live = sum("nbval-ignore-output" in c.tags and "_figure(" in c.text for c in page.code)
    found = [f"{caption}: {says}" in stored for _, caption, says, _ in figures(name)]
    assert len(found) - sum(found) == live


@pytest.mark.parametrize("name", WITH_FIGURES)
@pytest.mark.parametrize("width", [1280, 390])
def test_figures_start_and_answer_to_keys(chromium, site_url, name, width):
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    shown = page.locator(FIGURE)
    assert shown.count() == len(figures(name)) > 0
    for number in range(shown.count()):
        figure = shown.nth(number)
        assert figure.get_attribute("data-state") == "live"
        assert not figure.locator(".sa-still").is_visible()
        assert figure.bounding_box()["width"] <= width
        # the first slider, box of numbers or list: an arrow key changes what the figure shows
        control = figure.locator("input[type=range], input[type=number], select").first
        control.focus()
        states = {figure.evaluate(STATE)}
        for key in ("ArrowDown", "ArrowUp", "ArrowUp"):
            page.keyboard.press(key)
            states.add(figure.evaluate(STATE))
        assert len(states) > 1
    context.close()
    assert problems == []


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_without_scripts_and_in_print_the_picture_is_there(chromium, site_url, name):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}/{name}.html")
    pictures = page.locator(f"{FIGURE} .sa-still img")
    assert pictures.count() == len(figures(name))
    for number in range(pictures.count()):
        assert pictures.nth(number).is_visible()
        assert pictures.nth(number).bounding_box()["width"] > 150
    context.close()
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site_url}/{name}.html")
    page.emulate_media(media="print")
    pictures = page.locator(f"{FIGURE} .sa-still img")
    assert pictures.count() == len(figures(name))
    for number in range(pictures.count()):
        assert pictures.nth(number).is_visible()
    context.close()


def test_a_figure_in_the_dark_has_no_light_frame(chromium, site_url):
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site_url}/chapters/06_attention/scoring.html")
    around = page.locator(".text_html:has(> .sa-interactive)").first
    style = around.evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).padding]"
    )
    context.close()
    assert style == ["rgba(0, 0, 0, 0)", "0px"]
