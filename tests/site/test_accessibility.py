"""Every page as axe-core, the Tab key and a reader who scrolls meet it.

Axe goes over thousands of elements a page, most of them the insides of formulas and of code. So it
meets each page once, with everything unfolded and with these insides made thin (see `THIN`): light
and wide, dark and wide, dark and narrow.
"""

from __future__ import annotations

import re

import pytest
from axe_checks import FIGURES, THIN, UNFOLD, axe, drawn, faults
from book_files import PAGES, SITE

pytestmark = pytest.mark.browser

NAMES = ["search", "genindex", *(page.name for page in PAGES)]
SMALL = "search"  # the smallest page
LONG = "chapters/01_smt/word_alignment"
# Most that may shift while a page loads and is read, as the web measures it.
SHIFT = 0.05
# Rules whose result can differ between themes at one width.
OF_COLOUR = ["color-contrast", "link-in-text-block"]

SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
SCROLL = """async () => {
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
    scrollTo(0, y);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  await document.fonts.ready;
  await new Promise((done) => setTimeout(done, 100));
  return window.shifted;
}"""
# Boxes that scroll, and whether the Tab key stops at them.
BOXES = """() => [...document.querySelectorAll("article *")].filter((box) => {
  const style = getComputedStyle(box);
  const may = (flow) => ["auto", "scroll"].includes(flow);
  const wide = may(style.overflowX) && box.scrollWidth > box.clientWidth + 1;
  const high = may(style.overflowY) && box.scrollHeight > box.clientHeight + 1;
  return (wide || high) && box.checkVisibility() && style.display !== "inline";
}).map((box) => [box.tabIndex, box.role, box.ariaLabel, box.outerHTML.slice(0, 100)])"""


@pytest.fixture(scope="module")
def page(chromium):
    """One window for all pages: what a page changes is gone when the next one is opened."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    context.add_init_script(SHIFTS)
    yield context.new_page()
    context.close()


def look(page, theme, width):
    """The page in a theme and at a width."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")


def opened(page, url, theme="light", width=1280):
    """Open a page in a theme and at a width."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url, wait_until="load")
    return page


@pytest.mark.parametrize("name", NAMES)
def test_axe_has_nothing_to_say(page, site_url, name):
    opened(page, f"{site_url}/{name}.html")
    page.evaluate(UNFOLD)
    page.wait_for_timeout(50)  # boxes that were folded learn whether they scroll
    page.evaluate(THIN)
    axe(page)
    found = faults(page, "light, 1280")
    look(page, "dark", 1280)
    found += faults(page, "dark, 1280", OF_COLOUR)
    look(page, "dark", 390)
    page.wait_for_timeout(50)
    found += faults(page, "dark, 390")
    assert "\n".join(found) == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_to_say_of_what_opens(page, site_url, theme):
    """The search, the menus, and the side bars of a narrow window."""
    opened(page, f"{site_url}/{LONG}.html", theme)
    page.evaluate(THIN)
    axe(page)
    found = []
    page.keyboard.press("Control+K")
    page.locator("#pst-search-dialog[open]").wait_for()
    found += faults(page, "search", within="#pst-search-dialog")
    page.keyboard.press("Escape")
    for menu in page.locator(".article-header-buttons .dropdown-toggle").all():
        menu.click()
        page.locator(".dropdown-menu.show").wait_for()
        found += faults(page, "menu", within=".bd-header-article")
        page.keyboard.press("Escape")
    look(page, theme, 390)
    for side, toggle in (("primary", "primary-toggle"), ("secondary", "secondary-toggle")):
        page.locator(f".bd-header-article .{toggle}").click()
        dialog = page.locator(f"#pst-{side}-sidebar-modal[open]")
        dialog.wait_for()
        found += faults(page, f"{side} side bar", within=f"#pst-{side}-sidebar-modal")
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
    assert "\n".join(found) == ""


PLANTED = {
    "button-name": "<button type='button'><svg width='30' height='30'></svg></button>",
    "color-contrast": "<p style='color: #777; background: #666'>grey on grey</p>",
    "image-alt": "<img src='data:,' width='30' height='30'>",
    "valid-lang": "<p lang='chinese'>书</p>",
    "scrollable-region-focusable": "<div style='width: 9em; overflow: auto'>"
    "<p style='width: 30em'>wide</p></div>",
    "heading-order": "<h5>Out of order</h5>",
    "label": "<input type='text'>",
    "target-size": "<a href='#a' style='font-size: 6px'>a</a><br style='line-height: 0'>"
    "<a href='#b' style='font-size: 6px'>b</a>",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_axe_finds_what_is_planted(page, site_url, rule):
    opened(page, f"{site_url}/{SMALL}.html", "dark" if rule == "color-contrast" else "light")
    page.evaluate(
        "html => document.querySelector('article, main').insertAdjacentHTML('beforeend', html)",
        PLANTED[rule],
    )
    axe(page)
    assert {fault.split(":")[1].strip() for fault in faults(page, "planted")} >= {rule}


def test_making_a_page_thin_hides_no_fault(page, site_url):
    """Axe finds on the thin page what it finds on the whole one, here faint code and no names."""
    found = []
    for thin in (False, True):
        opened(page, f"{site_url}/{LONG}.html")
        page.add_style_tag(content="pre .kn { color: #bbb !important; background: #ccc }")
        page.evaluate("document.querySelector('.theme-switch-button').ariaLabel = null")
        page.evaluate(
            "document.querySelector('.bd-article table').outerHTML = '<ul><p>no</p></ul>'"
        )
        if thin:
            page.evaluate(THIN)
        axe(page)
        found.append({fault.split(":")[1] for fault in faults(page, "whole")})
    assert found[0] == found[1] >= {" color-contrast", " list"}


@pytest.mark.parametrize("name", FIGURES)
def test_axe_has_nothing_to_say_of_a_figure(page, tmp_path, name):
    """Interactive figures, each as a page of its own."""
    path = drawn(name, tmp_path)
    found = []
    for theme in ("light", "dark"):
        opened(page, path.as_uri(), width=1280)
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.evaluate(
            "theme => {"
            "if (theme === 'dark') document.body.style = 'background: #121212; color: #fff';"
            "document.querySelector('main').insertAdjacentHTML('afterbegin', '<h1>Figure</h1>') }",
            theme,
        )
        assert page.locator(".sa-interactive").get_attribute("data-state") == "live"
        axe(page)
        found += faults(page, f"{theme}, 1280")
        page.set_viewport_size({"width": 390, "height": 900})
        found += faults(page, f"{theme}, 390")
    assert "\n".join(found) == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_shifts(page, site_url, name, width):
    opened(page, f"{site_url}/{name}.html", width=width)
    assert page.evaluate(SCROLL) <= SHIFT
    page.evaluate(UNFOLD)
    page.wait_for_timeout(50)
    boxes = page.evaluate(BOXES)
    assert [box for box in boxes if box[0] != 0] == []  # each box that scrolls is reached by Tab
    if name == LONG and width == 390:
        assert len(boxes) > 20
        assert {(role, label) for _, role, label, _ in boxes} >= {
            ("group", "Code"),
            ("group", "Output"),
            ("group", "Formula"),
            ("group", "Table"),
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
        ".filter((box) => box.checkVisibility()).map((box, i) => (box.dataset.place = i))"
    )
    assert len(wanted) > 5
    passed, moved, first = [], set(), page.evaluate("document.body.tabIndex")
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
    assert first == -1
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


def test_a_box_that_does_not_scroll_is_no_stop(page, site_url):
    opened(page, f"{site_url}/{LONG}.html")
    code = page.locator("article pre[role=group]")
    wide = code.count()
    look(page, "light", 390)
    page.wait_for_function(f"document.querySelectorAll('article pre[role=group]').length > {wide}")
    assert page.locator("article pre:not([role])").count() > 0


def test_chinese_in_code_keeps_its_columns(page, site_url):
    opened(page, f"{site_url}/{LONG}.html")
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('pre [lang=zh]')].map((some) =>"
        "[getComputedStyle(some).fontSize, getComputedStyle(some.closest('pre')).fontSize])"
    )
    assert len(sizes) > 10
    assert [pair for pair in sizes if pair[0] != pair[1]] == []


def test_the_site_was_built_with_this(page):
    """A guard for all of this file: the pages are those that `mend` has written."""
    assert re.search(r'<pre[^>]*tabindex="0"', (SITE / f"{LONG}.html").read_text(encoding="utf-8"))
