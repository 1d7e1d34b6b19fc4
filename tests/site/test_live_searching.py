"""The figure of beam search in a browser: what it shows is what the library's search did."""

from __future__ import annotations

import math

import pytest
from figure_cases import FILM, Tree, random_tree
from figure_checks import CONTROLS, controls_in_reach

from softalign.interactive.searching import beam_figure
from softalign.search import beam, beam_steps

pytestmark = pytest.mark.browser

INSIDE = "figure => figure.scrollWidth <= figure.clientWidth"

MODEL = Tree(FILM)
SIZES = (1, 2, 3, 4)
LIMIT = 5


@pytest.fixture
def opened(alone):
    """Open the figure; returns the page."""

    def open_(model=MODEL, max_length=LIMIT, figure=None, **options):
        given = {"source_words": ["电影"], "pinyin": ["diànyǐng"], "max_length": max_length}
        given |= figure or {}
        return alone(lambda: beam_figure(model, [], model.words, **given), **options)

    return open_


def said(page):
    return page.locator(".sa-says").inner_text()


def printed(value):
    return f"{value:.2f}".replace("-", "−")


def words(model, hypothesis):
    return " ".join(model.words[k] for k in hypothesis.ids)


def table(page):
    """Rows of the hypotheses of the step: words, numbers and what is printed, state, marked."""
    return page.locator("[aria-label='Table of hypotheses'] tr[data-row]").evaluate_all(
        "rows => rows.map(row => ({words: row.querySelector('th').lastChild.textContent,"
        " last: Number(row.querySelector('[data-log-prob]').dataset.logProb),"
        " sum: Number(row.querySelector('[data-sum]').dataset.sum),"
        " score: Number(row.querySelector('[data-score]')?.dataset.score),"
        " printed: row.querySelector('[data-sum]').textContent,"
        " state: row.lastChild.textContent, current: row.getAttribute('aria-current')}))"
    )


def nodes(page):
    """Nodes of the tree: id, sum, state, texts, place, and whether it is dashed and ringed."""
    found = page.locator("g[data-node]").evaluate_all(
        "all => all.map(g => ({node: Number(g.dataset.node), sum: Number(g.dataset.sum),"
        " state: g.dataset.state, texts: [...g.querySelectorAll('text')].map(t => t.textContent),"
        " x: Number(g.querySelector('text').getAttribute('x')),"
        " y: Number(g.querySelector('text').getAttribute('y')),"
        " thick: g.querySelector('rect').style.strokeWidth === '4px',"
        " dashed: g.querySelector('rect').style.strokeDasharray !== '',"
        " rings: g.querySelectorAll('rect').length}))"
    )
    return {node["node"]: node for node in found}


def choose(page, width, step):
    page.get_by_label("Beam size").select_option(label=str(width))
    page.get_by_label("Step", exact=True).fill(str(step))


def check_step(page, model, size, number, steps, limit, best):
    """The table of a step is what the library kept, and then what it cut."""
    step, shown = steps[number - 1], table(page)
    last = number == len(steps)
    kept = shown[: len(step.kept)]
    assert [row["words"] for row in kept] == [words(model, h) for h in step.kept]
    for row, h in zip(kept, step.kept, strict=True):
        assert row["sum"] == pytest.approx(h.log_prob, abs=1e-6)
        assert row["printed"] == printed(h.log_prob)
        state = "finished" if h.finished else "at the limit" if number == limit else "kept"
        assert row["state"] == state + (", found" if last and h.ids == best.ids else "")
    for row in shown[len(step.kept) :]:
        kept_before = any(
            words(model, h) == row["words"] for before in steps[: number - 1] for h in before.kept
        )
        ended = kept_before and row["words"].endswith("</s>")
        end = ", found" if last and row["words"] == words(model, best) else ""
        assert row["state"] == ("finished, then cut" if ended else "cut") + end
        assert row["sum"] == pytest.approx(cut_sum(model, row["words"]), abs=1e-6)
    assert [row["current"] for row in shown] == ["true", *[None] * (len(shown) - 1)]
    caption = page.locator("[aria-label='Table of hypotheses'] caption").inner_text()
    begin, _, rest = caption.partition("; ")
    assert begin == f"Step {number}, best first"
    more = int(rest.split()[0]) if rest else 0
    assert rest == (f"{more} more {'is' if more == 1 else 'are'} cut, not shown" if more else "")
    cut = more + len(shown) - len(kept)
    assert said(page).startswith(
        f"Size {size}, step {number} of {len(steps)}: {len(kept)} kept, {cut} cut. "
        f"{words(model, step.kept[0])}: "
    )
    return cut


def check_tree(page, model, steps, number):
    """The tree has the nodes of the steps so far, kept ones solid and on top in their order."""
    shown = nodes(page)
    columns = {}
    for node in shown.values():
        columns.setdefault(node["x"], []).append(node)
        cut = "cut" in node["state"]
        assert node["dashed"] == cut
        assert node["texts"][1] == printed(node["sum"]) + (" cut" if cut else "")
        assert (node["rings"] == 2) == (node["texts"][0] == "</s>")
    for depth, x in enumerate(sorted(columns), start=1):
        led = {node["state"] for node in columns[x] if node["texts"][0] != "</s>"}
        assert "at the limit" not in led or depth == number == len(steps)
        column = sorted(columns[x], key=lambda node: node["y"])
        kept = [h for h in steps[depth - 1].kept if len(h.ids) == depth]
        assert [n["texts"][0] for n in column[: len(kept)]] == [
            model.words[h.ids[-1]] for h in kept
        ]
        for node, h in zip(column, kept, strict=False):
            assert node["sum"] == pytest.approx(h.log_prob, abs=1e-6)
        sums = [node["sum"] for node in column]
        assert sums == sorted(sums, reverse=True)
    lines = page.locator("path[data-child]").count()
    assert lines == len(shown)
    assert len(columns) == number
    assert page.get_by_text(f"step {number}", exact=True).count() == 1


def cut_sum(model, text):
    """Sum of a hypothesis, from the table of probabilities."""
    written = text.split()
    rows = (model.tree.get(tuple(written[:k]), {"</s>": 1.0}) for k in range(len(written)))
    return sum(math.log(row[word]) for row, word in zip(rows, written, strict=True))


CASES = [(FILM, 5), (random_tree(1), 4), (random_tree(8), 3)]


@pytest.mark.parametrize(("tree", "limit"), CASES, ids=["film", "one", "eight"])
def test_each_step_of_each_size_is_the_step_of_the_library(opened, tree, limit):
    model = Tree(tree)
    page = opened(model, limit)
    for size in SIZES:
        steps = beam_steps(model, [], size=size, max_length=limit)
        ((best,),) = beam(model, [[]], size=size, max_length=limit)
        for number in range(1, len(steps) + 1):
            choose(page, size, number)
            check_step(page, model, size, number, steps, limit, best)
            check_tree(page, model, steps, number)


def test_every_state_has_its_word(opened):
    """The third case has them all; what is checked above is then no empty word."""
    tree, limit = CASES[2]
    page, states, early = opened(Tree(tree), limit), set(), False
    for size in SIZES:
        for number in range(1, len(beam_steps(Tree(tree), [], size=size, max_length=limit)) + 1):
            choose(page, size, number)
            states |= {row["state"] for row in table(page)}
        found = [node for node in nodes(page).values() if node["state"].endswith(", found")]
        assert len(found) == 1
        early |= found[0]["x"] < max(node["x"] for node in nodes(page).values())
    assert early
    assert states >= {
        "kept", "cut", "finished", "finished, found", "at the limit", "at the limit, found",
        "finished, then cut",
    }  # fmt: skip


def test_what_is_found_is_explained(opened):
    assert "found: the best finished one;" in opened().locator(".sa-live").inner_text()
    tree, limit = CASES[2]
    assert (
        "found: the best at the end;" in opened(Tree(tree), limit).locator(".sa-live").inner_text()
    )


def test_a_sum_takes_off_each_term_even_one_of_nearly_nothing(opened):
    sure = {(): {"a": 0.6, "b": 0.4}, ("a",): {"b": 0.999, "a": 0.001}}
    page = opened(Tree(sure))
    assert said(page).endswith("a b </s>: −0.51 − 0.00 − 0.00 = −0.51 nats; finished, found.")


def test_what_is_cut_is_counted_in_full(opened):
    page = opened(figure={"pruned": 0})
    steps = beam_steps(MODEL, [], size=2, max_length=LIMIT)
    ((best,),) = beam(MODEL, [[]], size=2, max_length=LIMIT)
    for number, cut in ((1, 1), (2, 3), (3, 2)):
        choose(page, 2, number)
        assert check_step(page, MODEL, 2, number, steps, LIMIT, best) == cut


def test_what_each_size_finds_is_listed(opened):
    page = opened()
    found = page.locator("[aria-label='What each size finds'] tbody tr")
    for size, row in zip(SIZES, found.all(), strict=True):
        ((best,),) = beam(MODEL, [[]], size=size, max_length=LIMIT)
        cells = row.locator("td").all_inner_texts()
        prob = math.exp(best.log_prob)
        assert cells == [words(MODEL, best), printed(best.log_prob), f"{prob:.3f}", "3"]
        exact = float(row.locator("[data-probability]").get_attribute("data-probability"))
        assert exact == pytest.approx(prob, abs=1e-6)
        assert row.locator("th").inner_text().split()[-1] == str(size)
    assert found.first.get_attribute("aria-current") == "true"
    page.get_by_label("Beam size").focus()
    page.keyboard.press("ArrowDown")
    assert found.nth(1).get_attribute("aria-current") == "true"
    assert found.first.get_attribute("aria-current") is None


def test_the_steps_go_by_keyboard_and_by_buttons(opened):
    page = opened()
    assert said(page) == (
        "Size 1, step 3 of 3: 1 kept, 1 cut. "
        "a film </s>: −0.69 − 0.92 − 0.51 = −2.12 nats; finished, found."
    )
    page.get_by_label("Step", exact=True).focus()
    page.keyboard.press("Home")
    assert said(page) == "Size 1, step 0 of 3: nothing is written yet."
    assert nodes(page) == {}
    assert page.get_by_label("Hypothesis").locator("option").all_inner_texts() == [
        "nothing is written yet"
    ]
    page.get_by_label("Step: one on").click()
    assert said(page) == "Size 1, step 1 of 3: 1 kept, 2 cut. a: −0.69 nats; kept."
    label = page.get_by_role("img").get_attribute("aria-label")
    assert label == "Tree of size 1 after step 1: a kept."
    page.get_by_label("Step", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert said(page).endswith("a film: −0.69 − 0.92 = −1.61 nats; kept.")
    page.keyboard.press("End")
    label = page.get_by_role("img").get_attribute("aria-label")
    assert label == "Tree of size 1 after step 3: a film </s> kept, and a film </s> is found."


def test_a_node_is_chosen_by_mouse_and_by_keyboard(opened):
    page = opened()
    choose(page, 2, 2)
    choice = page.get_by_label("Hypothesis")
    offered = choice.locator("option").all_inner_texts()
    assert offered[:3] == ["the film (kept)", "a film (kept)", "a book (cut)"]
    assert offered[-3:] == ["a (kept)", "the (kept)", "that (cut)"]
    choice.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert said(page).endswith("a book: −0.69 − 1.05 = −1.74 nats; cut.")
    thick = [node["texts"][0] for node in nodes(page).values() if node["thick"]]
    assert thick == ["a", "book"]
    assert [r["words"] for r in table(page) if r["current"]] == ["a book"]
    page.locator("g[data-node]").filter(has_text="that").click()
    assert said(page).endswith("that: −2.30 nats; cut.")
    assert choice.locator("option:checked").inner_text() == "that (cut)"
    page.get_by_label("Step: one back").click()
    assert said(page).endswith("a: −0.69 nats; kept.")


def test_each_line_starts_where_its_parent_is(opened):
    page = opened()
    choose(page, 3, 3)
    shown = nodes(page)
    ends = page.locator("path[data-child]").evaluate_all(
        """all => all.map(a => {
             const from = a.getPointAtLength(0), to = a.getPointAtLength(a.getTotalLength());
             return [Number(a.dataset.child), from.x, from.y, to.x, to.y];
           })"""
    )
    by_place = {(node["x"], node["y"] + 3): node for node in shown.values()}
    heights = {}
    for child, x1, y1, x2, y2 in ends:
        assert y2 == pytest.approx(shown[child]["y"] + 3)
        assert x1 < x2 < shown[child]["x"]
        parents = [n for (x, y), n in by_place.items() if y == pytest.approx(y1) and x < x1]
        heights[child] = max(parents, key=lambda node: node["x"], default=None)
    log_prob = {row["words"]: (row["last"], row["sum"]) for row in table(page)}
    for child, parent in heights.items():
        page.locator(f"g[data-node='{child}']").click()
        name = said(page).split("cut. ")[1].split(":")[0]
        before = parent["sum"] if len(name.split()) > 1 else 0
        if name in log_prob:
            last, total = log_prob[name]
            assert total - last == pytest.approx(before, abs=1e-6)


def test_scores_are_shown_where_length_counts(opened):
    model = Tree(random_tree(2))
    page = opened(model, 4, figure={"alpha": 0.5})
    for size in SIZES:
        steps = beam_steps(model, [], size=size, max_length=4, alpha=0.5)
        choose(page, size, len(steps))
        for row, h in zip(table(page), steps[-1].kept, strict=False):
            assert row["words"] == words(model, h)
            assert row["score"] == pytest.approx(h.score, abs=1e-6)
            assert row["sum"] == pytest.approx(h.log_prob, abs=1e-6)
        ((best,),) = beam(model, [[]], size=size, max_length=4, alpha=0.5)
        row = page.locator("[aria-label='What each size finds'] tr[aria-current]")
        assert float(row.locator("[data-score]").get_attribute("data-score")) == pytest.approx(
            best.score, abs=1e-6
        )
        first = steps[-1].kept[0]
        assert f"divided by {len(first.ids)}^0.5 is {printed(first.score)}; " in said(page)


def test_source_words_have_their_language_and_pinyin(opened):
    page = opened()
    assert page.locator(".sa-word [lang=zh]").inner_text() == "电影"
    assert page.locator(".sa-word small").inner_text() == "diànyǐng"


@pytest.mark.parametrize("case", range(2))
def test_nothing_jumps_or_runs_out_of_the_window(opened, case):
    tree, limit = CASES[case]
    page = opened(Tree(tree), limit)
    for width in (320, 400, 560, 720, 1000):
        page.set_viewport_size({"width": width, "height": 700})
        heights, wide = set(), set()
        for size in SIZES:
            page.get_by_label("Beam size").select_option(label=str(size))
            last = int(page.get_by_label("Step", exact=True).get_attribute("max"))
            for number in range(last + 1):
                page.get_by_label("Step", exact=True).fill(str(number))
                heights.add(page.evaluate("document.documentElement.scrollHeight"))
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                wide.add(page.locator("table").first.bounding_box()["width"])
                assert page.locator(".sa-interactive").evaluate(INSIDE)
        assert len(heights) == len(wide) == 1, width


def test_the_newest_column_is_in_sight_at_320_pixels(opened):
    page = opened(viewport={"width": 320, "height": 700})
    for number in (3, 1, 2, 3):
        page.get_by_label("Step", exact=True).fill(str(number))
        heading = page.get_by_text(f"step {number}", exact=True).bounding_box()
        assert heading["x"] >= 0
        assert heading["x"] + heading["width"] <= 320


def test_everything_has_a_name_and_is_large_enough(opened):
    page = opened(viewport={"width": 320, "height": 700})
    assert controls_in_reach(page, f"{CONTROLS}, g[data-node]") > 8
    for name in ("Beam size", "Step", "Hypothesis"):
        assert page.get_by_label(name, exact=True).count() == 1


def test_nothing_plays_for_who_wants_no_motion(opened):
    assert opened().get_by_label("Step: play").count() == 1
    assert opened(reduced_motion="reduce").get_by_label("Step: play").count() == 0


def test_without_scripts_the_picture_is_there_and_says_what_the_live_figure_says(opened):
    page = opened(figure={"opens": 2}, java_script_enabled=False)
    assert page.locator(".sa-still img").is_visible()
    assert not page.locator(".sa-live").is_visible()
    alternative = page.locator(".sa-still img").get_attribute("alt")
    live = opened(figure={"opens": 2})
    assert said(live).startswith("Size 2, step 3 of 3: 2 kept, 2 cut. ")
    assert "size 2 after step 3 of 3" in alternative
    rows = [f"{row['words']} ({row['printed']})" for row in table(live)]
    assert f"Kept: {', '.join(rows[:2])}. Cut: {', '.join(rows[2:])}." in alternative
