"""The merged style sheet: pages look exactly as they do with the sheets it was made from."""

from __future__ import annotations

import re

import pytest
from book_files import PAGES, SITE

pytestmark = pytest.mark.browser

# With cells and formulas, with a table of contents, with search results, with definitions.
SOME = ["chapters/01_smt/language_model", "chapters/02_rnn/index", "search", "book/glossary"]
# What decides how a page looks; of what stands before and after an element, the same.
STYLES = """() => {
  const names = ['display', 'position', 'visibility', 'opacity', 'color', 'background-color',
    'background-image', 'font-size', 'font-weight', 'font-style', 'line-height', 'text-align',
    'text-decoration-line', 'white-space', 'width', 'height', 'margin-top', 'margin-right',
    'margin-bottom', 'margin-left', 'padding-top', 'padding-right', 'padding-bottom',
    'padding-left', 'border-top-width', 'border-left-width', 'border-top-color', 'border-radius',
    'box-shadow', 'transform', 'filter', 'overflow-x', 'overflow-y', 'top', 'left', 'z-index',
    'float', 'flex-grow', 'gap', 'cursor', 'list-style-type', 'content'];
  const said = (e, part) => {
    const style = getComputedStyle(e, part);
    if (part && style.content === 'none') return '';
    return names.map((name) => `${name}: ${style.getPropertyValue(name)}`).join('; ');
  };
  // colours that are on their way are taken as arrived
  document.getAnimations().forEach((a) => a instanceof CSSTransition && a.finish());
  return [...document.body.querySelectorAll('*')].filter((e) => !e.closest('.katex, svg')).map(
    (e) => [`${e.tagName}.${e.className}`, ...[null, '::before', '::after'].map((p) => said(e, p))]
  );
}"""
WHOLE = """async () => {
  const link = document.querySelector('link[rel="stylesheet"][data-from]');
  const base = link.getAttribute('href').split('lean/')[0];
  const all = link.dataset.from.split(' ').map((name) => new Promise((done, failed) => {
    const own = document.createElement('link');
    Object.assign(own, { rel: 'stylesheet', href: base + name, onload: done, onerror: failed });
    link.before(own);
  }));
  await Promise.all(all);
  link.remove();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await document.fonts.ready; // the icons
}"""

# Fonts of formulas: those named to be fetched early, and those in which something is set.
FONTS = """async () => {
  const links = [...document.querySelectorAll('link[rel="preload"][as="font"]')];
  await document.fonts.ready;
  const used = [...document.fonts].filter((font) => font.status === 'loaded');
  const kind = (f) => `${f.weight === '700' || f.weight === 'bold' ? 'Bold' : ''}${
    f.style === 'italic' ? 'Italic' : ''}` || 'Regular';
  return [links.map((link) => link.href), used.map((f) => `${f.family}-${kind(f)}`)];
}"""


def settled(page):
    """Styles of the page, when two looks agree."""
    before = None
    while (now := page.evaluate(STYLES)) != before:
        before = now
        page.wait_for_timeout(250)
    return now


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", SOME)
def test_a_page_looks_as_with_all_its_sheets(chromium, site_url, name, theme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{site_url}/{name}.html?q=perplexity", wait_until="load")
    if name == "search":
        page.locator("#search-results .search-summary", has_text="found").wait_for()
    page.wait_for_load_state("networkidle")
    lean = settled(page)
    page.evaluate(WHOLE)
    whole = settled(page)
    context.close()
    assert len(lean) > 200
    assert [pair for pair in zip(lean, whole, strict=True) if pair[0] != pair[1]][:3] == []


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_nothing_but_the_merged_sheet_holds_up_a_page(name):
    head = (SITE / f"{name}.html").read_text(encoding="utf-8").partition("</head>")[0]
    sheets = re.findall(r'<link\b[^>]*rel="stylesheet"[^>]*>', head)
    assert sum("data-from" in sheet for sheet in sheets) == 1
    assert [sheet for sheet in sheets if "data-from" not in sheet and "media=" not in sheet] == []
    scripts = re.findall(r"<script\b[^>]*src=[^>]*>", head)
    assert scripts
    assert [script for script in scripts if "defer" not in script] == []


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_the_fonts_of_formulas_are_fetched_early(chromium, site_url, name):
    """All but those of big brackets: exactly the ones in which the page sets something."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    early, used = page.evaluate(FONTS)
    context.close()
    named = {re.search(r"/(KaTeX_[\w-]+)\.woff2$", address)[1] for address in early}
    assert named == {font for font in used if re.fullmatch(r"KaTeX_(?!Size)[\w-]+", font)}


# What the colours of a page are set to, one time after another, and whether words were there.
COLOURS = """
window.colours = [];
new MutationObserver(() => {
  const { theme } = document.documentElement.dataset;
  if (theme !== colours.at(-1)?.[0]) colours.push([theme, Boolean(document.body)]);
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-theme"] });
"""


@pytest.mark.parametrize(
    ("system", "kept", "shown"),
    [
        ("light", {}, "light"),
        ("dark", {}, "dark"),
        # a reader who let the system choose, by day, comes back by night; one who chose
        ("dark", {"mode": "auto", "theme": "light"}, "dark"),
        ("dark", {"mode": "light", "theme": "light"}, "light"),
    ],
)
def test_the_colours_of_a_page_are_known_before_its_words(chromium, site_url, system, kept, shown):
    context = chromium.new_context(color_scheme=system)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{site_url}/{SOME[1]}.html", wait_until="load")
    page.evaluate("(kept) => { localStorage.clear(); Object.assign(localStorage, kept); }", kept)
    page.add_init_script(COLOURS)
    page.reload(wait_until="networkidle")
    colours = page.evaluate("colours")
    context.close()
    assert colours == [[shown, False]]
