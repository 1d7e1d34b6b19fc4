"""The figure of attention in a browser: what it shows are the weights of the model."""

from __future__ import annotations

import numpy as np
import pytest
from figure_cases import PAIRS, WEIGHTS, attended
from figure_checks import controls_in_reach

from softalign.interactive.attention import attention_figure

pytestmark = pytest.mark.browser

INSIDE = "figure => figure.scrollWidth <= figure.clientWidth"

SOURCES = [[*pair.source, "</s>"] for pair in PAIRS]
TARGETS = [[*pair.target, "</s>"] for pair in PAIRS]
EXACT = [weights.detach().numpy() for weights in WEIGHTS]


@pytest.fixture
def opened(alone):
    """Open the figure; returns the page."""

    def open_(examples=None, heads=("left", "right"), **options):
        return alone(lambda: attention_figure(examples or attended(), heads=heads), **options)

    return open_


def said(page):
    return page.locator(".sa-says").inner_text()


def go(page, word):
    page.get_by_label("Output word", exact=True).fill(str(word))


def arcs(page):
    """Which output word the arcs are of, their values by source word, and their widths."""
    found = page.locator("svg path").evaluate_all(
        "all => all.map(a => [a.dataset.target, a.dataset.source, a.dataset.value,"
        " a.getAttribute('stroke-width')].map(Number)).sort((a, b) => a[1] - b[1])"
    )
    (target,) = {row[0] for row in found}
    assert [row[1] for row in found] == list(range(len(found)))
    return target, np.array([row[2] for row in found]), np.array([row[3] for row in found])


def rows(page):
    """Of each row of the table: values, what is printed, places, gold, and whether it is marked."""
    return page.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => ({name: row.querySelector('th').textContent,"
        " values: [...row.querySelectorAll('[data-value]')].map(c => Number(c.dataset.value)),"
        " printed: [...row.querySelectorAll('[data-value]')].map(c => c.textContent),"
        " gold: [...row.querySelectorAll('[data-value]')].map(c => c.dataset.gold),"
        " frames: [...row.querySelectorAll('[data-value]')]"
        ".map(c => getComputedStyle(c).outlineStyle),"
        " places: Number(row.querySelector('[data-places]').dataset.places),"
        " arrow: row.querySelector('th span').style.visibility,"
        " current: row.getAttribute('aria-current')}))"
    )


def looks(weights, source, word):
    """The sentence of a row, from the weights: the largest, and those of a fifth or more."""
    order = np.argsort(-weights, kind="stable")
    named = [i for k, i in enumerate(order) if k == 0 or weights[i] >= 0.2]
    return f"{word} looks at " + " and ".join(f"{source[i]} ({weights[i]:.2f})" for i in named)


def places(weights):
    seen = weights[weights > 0]
    return float(np.exp(-(seen * np.log(seen)).sum()))


def check(page, at, head, j):
    """Everything of a state: arcs, words, table."""
    weights, source, target = EXACT[at][head], SOURCES[at], TARGETS[at]
    shown, values, widths = arcs(page)
    assert shown == j
    np.testing.assert_allclose(values, weights[j], atol=1e-6)
    np.testing.assert_allclose(widths, 14 * weights[j], atol=1e-5)
    sentence = looks(weights[j], source, target[j])
    assert said(page).startswith(f"{sentence}; spread over {places(weights[j]):.1f} places.")
    label = page.get_by_role("img").get_attribute("aria-label")
    assert label == f"Arcs to the source words: {sentence}."
    table = rows(page)
    assert [row["name"] for row in table] == [f"▸ {word}" for word in target]
    np.testing.assert_allclose([row["values"] for row in table], weights, atol=1e-6)
    assert [row["printed"] for row in table] == [[f"{w:.2f}" for w in row] for row in weights]
    np.testing.assert_allclose([r["places"] for r in table], [*map(places, weights)], atol=1e-5)
    assert [row["current"] for row in table].index("true") == j
    assert [row["arrow"] for row in table] == [
        "visible" if k == j else "hidden" for k in range(len(target))
    ]
    pressed = page.locator("button[aria-pressed=true]")
    assert pressed.count() == 1
    assert pressed.inner_text() == target[j]


def test_each_output_word_has_its_weights_by_keyboard_and_by_mouse(opened):
    page = opened()
    for j in range(len(TARGETS[0])):
        check(page, 0, 0, j)
        if j == len(TARGETS[0]) - 1:
            break
        if j % 2:
            page.get_by_label("Output word: one on").click()
        else:
            page.get_by_label("Output word", exact=True).focus()
            page.keyboard.press("ArrowRight")
    page.get_by_label("Output word: one back").click()
    check(page, 0, 0, len(TARGETS[0]) - 2)


def test_another_head_and_sentence(opened):
    page = opened()
    page.get_by_label("Output word", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Head").select_option(label="right")
    check(page, 0, 1, 1)
    page.get_by_label("Sentence").focus()
    page.keyboard.press("ArrowDown")
    check(page, 1, 1, 0)
    go(page, len(TARGETS[1]) - 1)
    check(page, 1, 1, len(TARGETS[1]) - 1)
    page.get_by_label("Head").select_option(label="left")
    check(page, 1, 0, len(TARGETS[1]) - 1)
    assert page.locator("caption").inner_text() == "Weights of left: rows sum to 1."


def test_a_head_named_mean_is_the_mean(opened):
    page = opened(heads=("mean", "right"))
    assert page.locator("caption").inner_text() == "Weights of the mean: rows sum to 1."
    assert ", the mean: " in page.locator(".sa-still img").get_attribute("alt")


def test_the_places_stand_before_the_words(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert page.locator("thead th").first.inner_text() == "places"
    for place in page.locator("[data-places]").all():
        box = place.bounding_box()
        assert 0 < box["x"] < box["x"] + box["width"] <= 320


def test_a_word_is_a_way_to_its_state(opened):
    page = opened()
    buttons = page.get_by_role("region", name="Arcs of the output word").get_by_role("button")
    source, count = SOURCES[0], len(SOURCES[0])
    assert buttons.count() == count + len(TARGETS[0])
    buttons.nth(count + 3).click()
    check(page, 0, 0, 3)
    buttons.nth(count + 5).focus()
    page.keyboard.press("Enter")
    check(page, 0, 0, 5)
    assert page.get_by_label("Output word", exact=True).input_value() == "5"
    for i in range(count):
        buttons.nth(i).focus()
        page.keyboard.press("Space")
        check(page, 0, 0, int(EXACT[0][0][:, i].argmax()))
        assert buttons.nth(i).inner_text().split("\n")[0] == source[i]
    chinese = page.locator("button [lang=zh]").all_inner_texts()
    assert chinese == source[:-1]
    assert page.locator("button small").all_inner_texts()[:2] == [*PAIRS[0].pinyin[:2]]


def test_each_arc_joins_the_words_that_it_is_about(opened):
    page = opened()
    go(page, 2)
    region = page.get_by_role("region", name="Arcs of the output word")
    boxes = [button.bounding_box() for button in region.get_by_role("button").all()]
    centres = [box["x"] + box["width"] / 2 for box in boxes]
    ends = page.locator("svg path").evaluate_all(
        """all => all.map(a => {
             const m = a.getScreenCTM(), length = a.getTotalLength();
             const at = (l) => a.getPointAtLength(l).matrixTransform(m).x;
             return [Number(a.dataset.source), at(0), at(length)];
           })"""
    )
    for i, below, above in ends:
        assert below == pytest.approx(centres[len(SOURCES[0]) + 2], abs=1)
        assert above == pytest.approx(centres[i], abs=1)


def test_the_strongest_and_large_weights_are_numbered(opened):
    page = opened()
    for j, row in enumerate(EXACT[0][0]):
        go(page, j)
        expected = [f"{w:.2f}" for w in row if w >= 0.1 or w == row.max()]
        assert sorted(page.locator("svg text").all_text_contents()) == sorted(expected)


@pytest.mark.parametrize(("at", "head"), [(0, 1), (1, 0), (1, 1)])
def test_gold_links_are_framed_and_said(opened, at, head):
    page = opened()
    page.get_by_label("Sentence").select_option(index=at)
    page.get_by_label("Head").select_option(index=head)
    pair, best = PAIRS[at], EXACT[at][head].argmax(axis=1)
    assert not any(any(row["gold"]) or set(row["frames"]) != {"none"} for row in rows(page))
    page.get_by_label("show gold links").focus()
    page.keyboard.press("Space")
    linked, right = 0, 0
    for j, word in enumerate(pair.target):
        go(page, j)
        kinds = [
            "sure" if (i, j) in pair.sure else "possible" if (i, j) in pair.possible else ""
            for i in range(len(SOURCES[at]))
        ]
        table = rows(page)
        assert table[j]["gold"] == kinds, word
        styles = {"sure": "solid", "possible": "dashed", "": "none"}
        assert table[j]["frames"] == [styles[kind] for kind in kinds]
        buttons = page.locator("button[data-gold]")
        assert buttons.evaluate_all("all => all.map(b => b.dataset.gold)") == kinds
        borders = buttons.evaluate_all("all => all.map(b => getComputedStyle(b).borderTopStyle)")
        assert borders == ["dashed" if kind == "possible" else "solid" for kind in kinds]
        names = [f"{SOURCES[at][i]} ({kind})" for i, kind in enumerate(kinds) if kind]
        agrees = bool(kinds[best[j]])
        linked, right = linked + bool(names), right + agrees
        end = "agrees" if agrees else "is elsewhere"
        expected = f"Gold: {', '.join(names)}; the largest weight {end}."
        assert said(page).endswith(expected if names else "Gold: no link.")
    assert right
    go(page, len(pair.target))
    assert said(page).endswith("Gold: no link.")
    line = f"The largest weight is on a gold link for {right} of {linked} linked words."
    assert page.get_by_text(line).is_visible()
    page.get_by_label("Sentence").select_option(index=2)
    assert said(page).endswith("No gold links are known here.")
    assert page.get_by_text("Nobody drew gold links for this sentence.").is_visible()


def test_what_agrees_is_said(opened):
    from softalign.interactive.attention import Attended

    page = opened([Attended(["书", "。"], ["book"], [[0.9, 0.1]], sure=[(0, 0)])], heads=())
    page.get_by_label("show gold links").check()
    assert said(page) == (
        "book looks at 书 (0.90); spread over 1.4 places. "
        "Gold: 书 (sure); the largest weight agrees."
    )
    assert page.get_by_text("on a gold link for 1 of 1 linked words").is_visible()
    assert page.locator("caption").inner_text() == "Weights: rows sum to 1."
    # what there is no choice of is not asked
    assert page.get_by_label("Sentence").count() == page.get_by_label("Head").count() == 0


def test_without_gold_links_there_is_no_box_to_tick(opened):
    page = opened([attended()[2]])
    assert page.get_by_label("show gold links").count() == 0
    assert said(page) == "I looks at 我 (0.50) and 走 (0.50); spread over 2.0 places."


@pytest.mark.parametrize("gold", [False, True])
def test_nothing_jumps_or_runs_out_of_the_window(opened, gold):
    page = opened()
    page.get_by_label("show gold links").set_checked(gold)
    for at in range(2):
        page.get_by_label("Sentence").select_option(index=at)
        for width in (320, 400, 560, 720, 1000):
            page.set_viewport_size({"width": width, "height": 700})
            heights, places_ = set(), set()
            for j in range(len(TARGETS[at])):
                go(page, j)
                heights.add(page.evaluate("document.documentElement.scrollHeight"))
                places_.add(page.get_by_label("Output word: one on").bounding_box()["x"])
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.locator(".sa-interactive").evaluate(INSIDE)
            assert len(heights) == len(places_) == 1, width


def test_the_current_word_is_in_sight_at_320_pixels(opened):
    page = opened(viewport={"width": 320, "height": 700})
    for j in range(len(TARGETS[0])):
        go(page, j)
        box = page.locator("button[aria-pressed=true]").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert controls_in_reach(page) > 5
    for name in ("Sentence", "Head", "Output word", "show gold links"):
        assert page.get_by_label(name, exact=True).count() == 1


def test_a_word_that_is_clicked_stops_the_play(opened):
    """Or the figure would run on from the word that its reader wants to look at."""
    page = opened()
    page.get_by_label("Output word: play").click()
    assert page.get_by_label("Output word: stop").count() == 1
    buttons = page.get_by_role("region", name="Arcs of the output word").get_by_role("button")
    buttons.nth(len(SOURCES[0]) + 1).click()
    assert page.get_by_label("Output word: stop").count() == 0
    assert page.get_by_label("Output word: play").count() == 1
    check(page, 0, 0, 1)


def test_nothing_plays_for_who_wants_no_motion(opened):
    assert opened().get_by_label("Output word: play").count() == 1
    assert opened(reduced_motion="reduce").get_by_label("Output word: play").count() == 0


def test_without_scripts_the_picture_is_there_and_says_what_the_live_figure_says(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()
    alternative = page.locator(".sa-still img").get_attribute("alt")
    live = opened()
    for j in range(len(TARGETS[0])):
        go(live, j)
        assert said(live).partition("; spread")[0] in alternative
