"""The interactive figures in a browser: what all of them share."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from softalign.interactive import Interactive

pytestmark = pytest.mark.browser

# The smallest figure: a stepper, whose place is said.
STEPS = """
softalign.define("softmax", (live, data) => {
  if (data.broken) throw new Error("broken on purpose");
  const line = softalign.says();
  const steps = softalign.stepper({label: "Step", max: 3, pause: 40,
                                   change: (to) => line.set(`at ${to}`)});
  live.append(steps.node, line.node);
});
"""


@pytest.fixture
def opened(chromium, tmp_path, monkeypatch):
    """Open a page with the smallest figure; returns the page."""
    from softalign.interactive import figure

    scripts = {"core": figure.script("core"), "softmax": STEPS}
    monkeypatch.setattr(figure, "script", scripts.get)
    contexts = []

    def open_(data=None, **options):
        path = Interactive("softmax", "Steps", "Three steps.", data or {}, Figure).save(
            tmp_path / "steps.html"
        )
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


def test_the_live_figure_takes_the_place_of_the_picture(opened):
    page = opened()
    assert page.locator(".sa-live").is_visible()
    assert not page.locator(".sa-still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".sa-still").is_visible()
    assert not page.locator(".sa-live").is_visible()


def test_without_scripts_the_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()


def test_when_the_script_fails_the_picture_is_there(opened):
    page = opened({"broken": True})
    assert page.locator(".sa-interactive").get_attribute("data-state") == "failed"
    assert page.locator(".sa-still").is_visible()
    assert not page.locator(".sa-live").is_visible()


def test_a_stepper_goes_by_keys_and_by_buttons_and_stops_at_its_ends(opened):
    page = opened()
    slider = page.get_by_label("Step", exact=True)
    slider.focus()
    for key, place in (("ArrowRight", 1), ("End", 3), ("ArrowRight", 3), ("Home", 0)):
        page.keyboard.press(key)
        assert slider.input_value() == str(place)
        assert slider.get_attribute("aria-valuetext") == str(place)
    assert page.locator(".sa-says").inner_text() == "at 0"
    back, on = page.get_by_label("Step: one back"), page.get_by_label("Step: one on")
    assert back.get_attribute("aria-disabled") == "true"
    for _ in range(5):
        on.click(force=True)  # at the end it is not disabled, it only says so
    assert page.locator(".sa-says").inner_text() == "at 3"
    assert on.get_attribute("aria-disabled") == "true"
    back.focus()
    page.keyboard.press("Enter")
    assert page.locator(".sa-says").inner_text() == "at 2"


def test_play_goes_to_the_end_and_stops_there(opened):
    page = opened()
    play = page.get_by_label("Step: play")
    play.click()
    page.wait_for_function("document.querySelector('.sa-says').textContent === 'at 3'")
    page.get_by_label("Step: play").wait_for()
    page.wait_for_timeout(150)
    assert page.locator(".sa-says").inner_text() == "at 3"


def test_nothing_plays_for_who_wants_no_motion(opened):
    page = opened(reduced_motion="reduce")
    assert page.get_by_label("Step: one on").count() == 1
    assert page.get_by_label("Step: play").count() == 0
