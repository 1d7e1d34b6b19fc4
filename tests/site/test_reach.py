"""What shifts while a page loads, and what the Tab key reaches."""

from __future__ import annotations

import re

import pytest
from axe_checks import BOXES, FRAMES, SCROLL, SHIFT, UNFOLD, look, opened
from book_files import PAGES, SITE

pytestmark = pytest.mark.browser

NAMES = ["search", "genindex", *(page.name for page in PAGES)]
SMALL = "search"  # the smallest page
LONG = "chapters/01_smt/word_alignment"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_shifts_in_a_narrow_window_and_each_box_is_reached(page, site_url, name):
    opened(page, f"{site_url}/{name}.html", width=390)
    assert page.evaluate(SCROLL) <= SHIFT
    page.evaluate(UNFOLD)
    page.evaluate(FRAMES)
    boxes = page.evaluate(BOXES)
    assert [box for box in boxes if box[0] != 0] == []  # each box that scrolls is reached by Tab
    if name == LONG:
        assert len(boxes) > 20
        assert {(role, label) for _, role, label, _ in boxes} >= {
            ("group", "Code"),
            ("group", "Output"),
            ("group", "Formula"),
            ("group", "Figure"),
            ("group", "by its caption"),
        }


def test_a_late_picture_would_be_seen_to_shift(page, site_url):
    opened(page, f"{site_url}/{SMALL}.html")
    page.evaluate(
        "() => { const late = document.createElement('div'); late.style.height = '400px';"
        "document.querySelector('main').prepend(late) }"
    )
    assert page.evaluate(SCROLL) > SHIFT


def test_the_tab_key_reaches_what_scrolls_and_is_never_trapped(page, site_url):
    opened(page, f"{site_url}/{LONG}.html", width=390)
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('article [role=group][tabindex=\"0\"]')]"
        ".filter((box) => box.checkVisibility({ visibilityProperty: true }))"
        ".map((box, i) => (box.dataset.place = i))"
    )
    assert len(wanted) > 5
    passed, moved = [], set()
    for _ in range(1500):
        page.keyboard.press("Tab")
        kind, place = page.evaluate(
            "() => { const on = document.activeElement;"
            "return [on.tagName, 'place' in on.dataset ? Number(on.dataset.place) : null] }"
        )
        if place is not None:
            passed.append(place)
            label = page.evaluate("document.activeElement.ariaLabel")
            if label not in moved:  # one of each kind is scrolled
                page.keyboard.press("ArrowRight")
                page.wait_for_function("document.activeElement.scrollLeft > 0")
                moved.add(label)
        if kind == "BODY" and passed:  # behind the last stop
            break
    assert kind == "BODY", "the Tab key never came to the end of the page"
    assert passed == wanted
    assert {"Code", "Formula"} <= moved


def test_without_scripts_every_box_is_reached(chromium, site_url):
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 900}
    )
    window = context.new_page()
    window.goto(f"{site_url}/{LONG}.html")
    boxes = window.locator("article :is(pre, .katex-display)")
    assert boxes.count() > 30
    assert window.locator("article :is(pre, .katex-display):not([tabindex='0'])").count() == 0
    context.close()


# Glued formulas whose last box and whose mark behind it stand on lines of their own.
PARTED = """() => [...document.querySelectorAll("article .sa-glue")].filter((glue) => {
  const base = [...glue.querySelectorAll(".katex-html > .base")].at(-1), text = glue.lastChild;
  if (!base?.checkVisibility() || text.nodeType !== Node.TEXT_NODE) return false;
  const range = document.createRange();
  range.selectNodeContents(text);
  const mark = range.getBoundingClientRect(), box = base.getBoundingClientRect();
  return mark.bottom < box.top || mark.top > box.bottom || mark.left < box.left;
}).map((glue) => glue.textContent)"""


def test_no_line_begins_with_a_mark_that_belongs_to_a_formula(page, site_url):
    opened(page, f"{site_url}/{LONG}.html", width=390)
    assert page.evaluate("document.querySelectorAll('article .sa-glue').length") > 50
    assert page.evaluate(PARTED) == []
    page.add_style_tag(content=".sa-glue { white-space: normal; }")
    assert page.evaluate(PARTED) != []


def test_an_edge_fades_while_something_is_hidden_behind_it(page, site_url):
    opened(page, f"{site_url}/{LONG}.html", width=390)
    mask = "(box) => getComputedStyle(box).maskImage !== 'none'"
    for kind in ("pre", ".katex-display", ".sa-picture"):
        box = page.locator(f"article {kind}[data-more]").first.element_handle()
        assert box.evaluate(mask), kind
        box.evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
        page.wait_for_function("(box) => !box.hasAttribute('data-more')", arg=box)
        assert not box.evaluate(mask), kind


def test_a_formula_that_its_font_makes_wider_becomes_a_stop(page, site_url):
    """The font comes late, and the box keeps its size."""
    opened(page, f"{site_url}/{LONG}.html", width=390)
    page.evaluate(FRAMES)
    box = page.locator("article .katex-display:not([tabindex])").first.element_handle()
    box.evaluate("(box) => { box.querySelector('.katex').style.letterSpacing = '3em'; }")
    page.evaluate(FRAMES)
    assert box.evaluate("(box) => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0")
    page.evaluate("""() => {
      const base = document.querySelector('link[data-from]').href.split('lean/')[0];
      const face = new FontFace('late', `url(${base}katex/fonts/KaTeX_Fraktur-Regular.woff2)`);
      document.fonts.add(face);
      return face.load();
    }""")
    page.wait_for_function("(box) => box.tabIndex === 0 && box.role === 'group'", arg=box)


def test_the_edge_of_a_box_in_a_live_figure_fades_too(page, site_url):
    """Such a box is made by a script, after those of the page, and filled anew at each step."""
    opened(page, f"{site_url}/chapters/05_encoder_decoder/search.html", width=390)
    box = page.locator(".sa-interactive .sa-scroll[data-more]").first
    box.wait_for()
    mask = "(box) => getComputedStyle(box).maskImage !== 'none'"
    assert box.evaluate(mask)
    assert box.get_attribute("tabindex") == "0"
    handle = box.element_handle()
    handle.evaluate("(box) => box.scrollTo(box.scrollWidth, 0)")
    page.wait_for_function("(box) => !box.hasAttribute('data-more')", arg=handle)
    assert not handle.evaluate(mask)


def test_a_figure_is_large_enough_on_a_phone(page, site_url):
    opened(page, f"{site_url}/{LONG}.html", width=390)
    wide = page.evaluate(
        "[...document.querySelectorAll('article .sa-picture img')]"
        ".filter((image) => image.checkVisibility()).map((image) =>"
        " [image.getBoundingClientRect().width / image.getAttribute('width'),"
        " image.closest('.sa-picture').getBoundingClientRect().width])"
    )
    assert len(wide) >= 3
    assert all(scale >= 0.47 and box < 390 for scale, box in wide)


def test_a_box_that_does_not_scroll_is_no_stop(page, site_url):
    opened(page, f"{site_url}/{LONG}.html")
    code = page.locator("article pre[role=group]")
    wide = code.count()
    look(page, "light", 390)
    page.wait_for_function(f"document.querySelectorAll('article pre[role=group]').length > {wide}")
    assert page.locator("article pre:not([role])").count() > 0


@pytest.mark.parametrize("width", [1280, 390])
def test_no_word_of_the_index_hangs_out_of_its_box(page, site_url, width):
    """To the left a box cannot be scrolled: what hangs out there is lost."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site_url}/genindex.html", wait_until="load")
    count, lost = page.evaluate("""() => {
      const links = [...document.querySelectorAll('.genindextable a')];
      const range = document.createRange();
      return [links.length, links.filter((link) => {
        range.selectNodeContents(link);
        const box = link.closest('.sa-box').getBoundingClientRect();
        return range.getBoundingClientRect().left < box.left - 0.5;
      }).map((link) => link.textContent)];
    }""")
    assert count > 100
    assert lost == []


def test_chinese_in_code_keeps_its_columns(page, site_url):
    opened(page, f"{site_url}/{LONG}.html")
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('pre [lang=zh]')].map((some) =>"
        "[getComputedStyle(some).fontSize, getComputedStyle(some.closest('pre')).fontSize])"
    )
    assert len(sizes) > 10
    assert [pair for pair in sizes if pair[0] != pair[1]] == []


def test_the_site_was_built_with_this():
    """A guard for all of this file: the pages are those that `mend` has written."""
    assert re.search(r'<pre[^>]*tabindex="0"', (SITE / f"{LONG}.html").read_text(encoding="utf-8"))
