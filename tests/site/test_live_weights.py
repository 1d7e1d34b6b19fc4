"""The figure of a masked softmax in a browser: what it shows is what the library computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from figure_checks import controls_in_reach

from softalign.interactive.weights import softmax_figure
from softalign.masking import masked_softmax

pytestmark = pytest.mark.browser

LABELS = ["他", "买", "书", "了"]
SCORES = np.array([[0.5, -1.2, 2.0, 0.3], [12.0, -9.0, 4.0, 0.0]])
MASK = np.array([[True, True, True, False], [True, True, True, True]])


@pytest.fixture
def opened(alone):
    """Open the figure; returns the page."""
    both = {"queries": ["book", "bought"], "pinyin": ["tā", "mǎi", "shū", "le"], "mask": MASK}

    def open_(scores=SCORES, labels=LABELS, more=both, **options):
        return alone(lambda: softmax_figure(scores, labels=labels, d_k=4, **more), **options)

    return open_


def expected(scores, seen, d_k=4):
    scores = torch.tensor(np.asarray(scores, float)) / d_k**0.5
    return masked_softmax(scores, torch.tensor(np.asarray(seen))).numpy()


def shown(page):
    """Weights as the cells and as the bars have them."""
    cells = page.locator(".sa-weight").evaluate_all("all => all.map(a => Number(a.dataset.value))")
    bars = page.locator("svg rect").evaluate_all(
        "all => all.map(a => Number(a.getAttribute('width')) / 100)"
    )
    np.testing.assert_allclose(bars, cells, atol=1e-9)
    return np.array(cells)


def foot(page):
    """What is printed for the sum and for the entropy."""
    return page.locator("tfoot td").all_inner_texts()


def scaled(page):
    return page.locator("tbody td:nth-child(4)").all_inner_texts()


def said(page):
    return page.locator(".sa-says").inner_text()


def check(page, weights):
    np.testing.assert_allclose(shown(page), weights, atol=1e-6)
    some = weights[weights > 0]
    entropy = (some * -np.log(some)).sum()
    assert foot(page) == [f"{weights.sum():.3f}", f"{entropy:.2f}"]
    carried = page.locator("tfoot [data-value]").evaluate_all(
        "all => all.map(a => a.dataset.value)"
    )
    np.testing.assert_allclose([float(value) for value in carried], [1, entropy], atol=1e-6)
    assert f"entropy {entropy:.2f} nats" in said(page)


def test_it_opens_as_its_still_picture_says(opened):
    page = opened()
    weights = expected(SCORES[0], MASK[0])
    check(page, weights)
    alt = page.locator(".sa-still img").get_attribute("alt")
    assert alt.startswith(f"Weights of book, d_k = 4: 他 {weights[0]:.2f}, ")
    assert "了 hidden" in alt
    assert scaled(page) == ["0.25", "−0.60", "1.00", "−∞"]
    assert page.locator(".sa-weight").all_inner_texts() == [f"{w:.3f}" for w in weights]
    assert said(page).startswith(f"book: most weight on 书, {weights[2]:.2f}; entropy ")
    assert page.locator(".sa-says").locator("[lang=zh]").inner_text() == "书"


def test_scores_are_typed(opened):
    page = opened()
    page.get_by_label("Score of 买").fill("3.25")
    check(page, expected([0.5, 3.25, 2, 0.3], MASK[0]))
    page.get_by_label("Score of 他").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("-1e1")
    check(page, expected([-10, 3.25, 2, 0.3], MASK[0]))
    page.keyboard.press("ArrowUp")
    check(page, expected([-9, 3.25, 2, 0.3], MASK[0]))
    page.get_by_label("Score of 书").fill("100000")
    check(page, np.array([0, 0, 1.0, 0]))


@pytest.mark.parametrize("typed", ["", "abc", "-", "1e999"])
def test_what_is_no_number_is_said_and_the_old_weights_stay(opened, typed):
    page = opened()
    before = shown(page)
    field = page.get_by_label("Score of 买")
    field.focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type(typed)
    if typed == "1e999":  # on the way there stood the number 1e99, which counts
        assert said(page).startswith("The score of 买 is not a number: 1.0e99 still counts.")
        np.testing.assert_allclose(shown(page), [0, 1, 0, 0])
    else:
        assert said(page).startswith("The score of 买 is not a number: −1.20 still counts.")
        np.testing.assert_allclose(shown(page), before, atol=0)
    assert field.get_attribute("aria-invalid") == "true"
    page.get_by_label("Divide by").fill("0")  # the rest works on with the last number
    if typed != "1e999":
        check(page, expected(SCORES[0], MASK[0], 1))
    field.fill("1")
    assert field.get_attribute("aria-invalid") == "false"
    assert said(page).startswith("book: most weight")
    check(page, expected([0.5, 1, 2, 0.3], MASK[0], 1))


def test_the_mask_hides_by_keyboard_and_mouse_down_to_nothing(opened):
    page = opened()
    seen = MASK[0].copy()
    for i, name in enumerate(LABELS):
        box = page.get_by_label(f"{name} may be seen")
        assert box.is_checked() == seen[i]
        if i % 2:
            box.click()
        else:
            box.focus()
            page.keyboard.press("Space")
        seen[i] = not seen[i]
        if i < 3 and seen.any():
            check(page, expected(SCORES[0], seen))
    page.get_by_label("了 may be seen").uncheck()
    np.testing.assert_array_equal(shown(page), expected(SCORES[0], [False] * 4))
    assert said(page) == "Nothing may be seen: all weights are 0."
    assert foot(page) == ["0.000", "–"]
    assert scaled(page) == ["−∞"] * 4


def test_the_scale_divides_by_the_root(opened):
    page = opened()
    slider = page.get_by_label("Divide by")
    slider.focus()
    page.keyboard.press("Home")
    for power in range(13):
        assert slider.get_attribute("aria-valuetext").startswith(f"dₖ = {2**power}, by ")
        check(page, expected(SCORES[0], MASK[0], 2**power))
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "12"
    assert slider.get_attribute("aria-valuetext") == "dₖ = 4096, by 64.00"


def test_adding_changes_nothing_and_doubling_is_what_the_scale_undoes(opened):
    page = opened()
    before = expected(SCORES[0], MASK[0])
    page.get_by_role("button", name="Add 5 to all").click()
    assert page.get_by_label("Score of 买").input_value() == "3.8"
    check(page, before)
    page.get_by_role("button", name="Double all").focus()
    page.keyboard.press("Enter")
    assert page.get_by_label("Score of 买").input_value() == "7.6"
    check(page, expected(2 * SCORES[0], MASK[0]))
    page.get_by_label("Divide by").fill("4")
    check(page, before)


def test_a_mask_after_the_softmax_loses_what_the_hidden_took(opened):
    page = opened()
    page.get_by_label("Mask after the softmax (wrong)").check()
    wrong = expected(SCORES[0], [True] * 4) * MASK[0]
    np.testing.assert_allclose(shown(page), wrong, atol=1e-6)
    assert foot(page) == [f"{wrong.sum():.3f}", "–"]
    assert wrong.sum() < 0.9
    assert said(page).startswith(f"The weights sum to {wrong.sum():.2f}, not to 1: ")
    assert scaled(page)[-1] == "0.15"
    page.get_by_label("了 may be seen").check()
    check(page, expected(SCORES[0], [True] * 4))
    assert said(page).endswith("the order makes no difference yet.")
    for name in LABELS:
        page.get_by_label(f"{name} may be seen").uncheck()
    np.testing.assert_array_equal(shown(page), 0)
    assert said(page) == "Nothing may be seen: all weights are 0."


def test_each_row_keeps_its_changes_until_the_reset(opened):
    page = opened()
    page.get_by_label("Score of 他").fill("5")
    page.get_by_label("Row").focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Score of 他").input_value() == "12"
    check(page, expected(SCORES[1], MASK[1]))
    assert said(page).startswith("bought: most weight on 他, 0.98;")
    page.get_by_role("button", name="Double all").click()
    page.get_by_label("买 may be seen").uncheck()
    check(page, expected(2 * SCORES[1], [True, False, True, True]))
    page.keyboard.press("Tab")
    page.get_by_label("Row").select_option("book")
    check(page, expected([5, -1.2, 2, 0.3], MASK[0]))
    page.get_by_label("Score of 书").fill("")
    page.get_by_label("Divide by").fill("8")
    page.get_by_label("Mask after").check()
    page.get_by_role("button", name="Reset").click()
    assert page.get_by_label("Score of 书").input_value() == "2"
    assert not page.get_by_label("Mask after").is_checked()
    check(page, expected(SCORES[0], MASK[0]))
    assert "not a number" not in said(page)
    page.get_by_label("Row").select_option("bought")
    check(page, expected(SCORES[1], MASK[1]))


def test_one_row_without_a_name_is_not_named(opened):
    page = opened([3.0, 1.0], ["a", "b"], {})
    weight = expected([3.0, 1.0], [True, True])[0]
    assert said(page).startswith(f"Most weight on a, {weight:.2f}; entropy ")
    assert page.locator(".sa-still img").get_attribute("alt").startswith("Weights, d_k = 4: a ")
    assert page.get_by_label("Row").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_weight_of_nearly_nothing_is_0_and_runs_into_no_bar(opened, width):
    page = opened(viewport={"width": width, "height": 700})
    page.get_by_label("Score of 他").fill("50")
    cells = page.locator(".sa-weight")
    values = cells.evaluate_all("all => all.map(a => Number(a.dataset.value))")
    assert 0 < values[1] < 5e-4
    assert cells.all_inner_texts() == ["1.000", "0.000", "0.000", "0.000"]
    assert cells.evaluate_all("all => all.every(a => a.scrollWidth <= a.clientWidth)")
    page.get_by_label("Score of 他").fill("0.001")
    assert scaled(page)[0] == "0.00"


@pytest.mark.parametrize("width", [320, 1000])
def test_nothing_jumps_or_runs_out_of_the_window(opened, width):
    page = opened(viewport={"width": width, "height": 700})
    heights = []
    for act in (
        lambda: None,
        lambda: page.get_by_label("Divide by").fill("12"),
        lambda: page.get_by_label("Score of 书").fill("-1000"),
        lambda: page.get_by_label("Score of 书").fill(""),
        lambda: [page.get_by_label(f"{name} may be seen").uncheck() for name in LABELS],
    ):
        act()
        heights.append(page.evaluate("document.documentElement.scrollHeight"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(set(heights)) == 1
    box = page.locator(".sa-weight").first.bounding_box()
    assert box["x"] + box["width"] <= width  # the weights are seen without scrolling


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert controls_in_reach(page) == 2 * len(LABELS) + 6
    assert page.get_by_role("region", name="Scores and weights").count() == 1
    assert page.locator("[lang=zh]").count() == len(LABELS) + 1


def test_it_is_the_same_for_who_wants_no_motion(opened):
    page = opened(reduced_motion="reduce")
    check(page, expected(SCORES[0], MASK[0]))
    assert page.evaluate("document.getAnimations().length") == 0


def test_without_scripts_the_picture_is_there(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()
