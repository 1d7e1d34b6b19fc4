"""Every page, menu and interactive figure as axe-core meets it.

Axe goes over thousands of elements a page, most of them the insides of formulas and of code. So it
meets each page once, with everything unfolded and with these insides made thin (see `THIN`): all
rules in the light theme in a wide window; the rules of colour in the dark theme, where nothing else
differs; and in a narrow window the others, since no colour depends on the width.
"""

from __future__ import annotations

import pytest
from axe_checks import (
    BOXES,
    FIGURES,
    FRAMES,
    OF_COLOUR,
    SCROLL,
    SHIFT,
    THIN,
    UNFOLD,
    axe,
    drawn,
    faults,
    look,
    opened,
)
from book_files import PAGES

pytestmark = pytest.mark.browser

NAMES = ["search", "genindex", *(page.name for page in PAGES)]
SMALL = "book/changelog"  # a small page of running text
LONG = "chapters/01_smt/word_alignment"

# A page in each of two chapters that have many formulas.
SPOKEN = ["chapters/03_bptt/gradients", "chapters/07_transformer/transformer"]


@pytest.mark.parametrize("name", NAMES)
def test_axe_has_nothing_to_say(page, site_url, name):
    opened(page, f"{site_url}/{name}.html")
    assert page.evaluate(SCROLL) <= SHIFT  # asked here, since a page takes long to load
    page.evaluate(UNFOLD)
    page.evaluate(FRAMES)  # boxes that were folded learn whether they scroll
    assert [box for box in page.evaluate(BOXES) if box[0] != 0] == []
    page.evaluate(THIN)
    axe(page)
    found = faults(page, "light, 1280")
    look(page, "dark", 1280)
    found += faults(page, "dark, 1280", only=OF_COLOUR)
    look(page, "dark", 390)
    page.evaluate("scrollTo(0, 0)")  # the bar at the top lies over what is scrolled under it
    page.evaluate(FRAMES)
    found += faults(page, "dark, 390", but=OF_COLOUR)
    assert "\n".join(found) == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_to_say_of_what_opens(page, site_url, theme):
    """The search, the menus, and the side bars of a narrow window."""
    opened(page, f"{site_url}/{LONG}.html", theme)
    page.evaluate(THIN)
    axe(page)
    found = []
    page.keyboard.press("Control+k")
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
    "<p style='width: 30em'>a line of words that is wider than its box, so that it scrolls</p>"
    "</div>",
    "heading-order": "<h5>Out of order</h5>",
    "label": "<input type='text'>",
    "target-size": "<a href='#a' style='font-size: 6px'>a</a><br style='line-height: 0'>"
    "<a href='#b' style='font-size: 6px'>b</a>",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_axe_finds_what_is_planted(page, site_url, rule):
    opened(page, f"{site_url}/{SMALL}.html", "dark" if rule == "color-contrast" else "light")
    page.evaluate(
        "html => document.querySelector('article').insertAdjacentHTML('beforeend', html)",
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
        # drawn letters are not in the words that name a formula's link: seen on the whole page
        but = ["label-content-name-mismatch"]
        found.append({fault.split(":")[1] for fault in faults(page, "whole", but=but)})
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


def spoken(page):
    """How many formulas a screen reader is told of, and how many the page shows."""
    page.evaluate(
        "async () => { await document.fonts.ready;"
        " await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))); }"
    )
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    told = [node for node in tree if node["role"]["value"] == "MathMLMath" and not node["ignored"]]
    shown = page.evaluate("""() => [...document.querySelectorAll('.katex')].filter((formula) =>
      formula.checkVisibility({ visibilityProperty: true })).length""")
    return len(told), shown


@pytest.mark.parametrize("name", SPOKEN)
def test_a_screen_reader_is_told_of_every_formula(page, site_url, name):
    """Also of those far below, which the browser has not drawn; what lies in a fold waits."""
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    told, shown = spoken(page)
    assert told == shown > 20
    page.add_style_tag(content=".katex-mathml { content-visibility: auto }")
    assert spoken(page)[0] < told  # a mend of speed that was nearly made
