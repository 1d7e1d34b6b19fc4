"""Every page in a headless Chromium that reaches nothing but the loopback address."""

from __future__ import annotations

import re

import pytest
from book_files import PAGES

pytestmark = pytest.mark.browser

NAMES = ["index", "search", "genindex", *(page.name for page in PAGES)]
FIGURES = "chapters/03_bptt/gradients"  # ten of them
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1280, 390)]
# Least contrast of text against what it stands on.
CONTRAST = 4.5


@pytest.fixture(scope="module", params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request, chromium, site_url):
    """A window in one theme and width, that notes what goes wrong in it."""
    theme, width = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    context.foreign = []

    def only_loopback(route):
        if route.request.url.startswith((site_url, "data:", "blob:")):
            route.continue_()
        else:
            context.foreign.append(route.request.url)
            route.abort()

    context.route("**/*", only_loopback)
    context.width = width
    yield context
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_quiet_local_and_fits(look, site_url, name):
    look.foreign.clear()
    page = look.new_page()
    complaints = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on(
        "response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else 0
    )
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    page.wait_for_load_state("networkidle")
    if name == "index":  # a page that sends its reader on to the first one
        page.wait_for_url("**/book/intro.html", wait_until="load")
    assert look.foreign == []
    assert complaints == []
    wide = page.evaluate(
        """() => [...document.querySelectorAll('article *')].filter(e => {
             const box = e.getBoundingClientRect();
             if (box.right <= window.innerWidth + 1 || box.width === 0) return false;
             for (let p = e; p && p !== document.body; p = p.parentElement) {
               const style = getComputedStyle(p);
               if (['auto', 'scroll', 'hidden', 'clip'].includes(style.overflowX)) return false;
               if (style.position === 'fixed' || style.visibility === 'hidden') return false;
             }
             return true;
           }).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= look.width
    for article in page.query_selector_all("article"):  # a redirect and the search have none
        text = article.inner_text()
        assert not re.findall(
            r"\$\$|\\\(|\\\[|\\(?:frac|sum|theta|mathbf|begin)\b(?![^\n]*r\")", text
        )
    page.close()


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_text_can_be_read(look, site_url, name):
    """Contrast of running text, captions, code and links against what they stand on."""
    page = look.new_page()
    page.goto(f"{site_url}/{name}.html")
    faint = page.evaluate(CONTRAST_SCRIPT, CONTRAST)
    assert faint == []
    page.close()


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_figures_can_be_seen(look, site_url, name):
    """A figure is drawn dark on white; in the dark theme it is turned, never left glaring."""
    page = look.new_page()
    page.goto(f"{site_url}/{name}.html", wait_until="load")
    for image in page.query_selector_all("article .cell_output img"):
        image.evaluate("e => { e.loading = 'eager' }")  # some stand in a fold
        page.wait_for_function("e => e.complete && e.naturalWidth > 300", arg=image, timeout=10_000)
        box = "e => e.closest('.sa-picture').getBoundingClientRect().width"  # in it it scrolls
        assert image.evaluate(box) <= look.width
        dark = page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert ("invert" in image.evaluate("e => getComputedStyle(e).filter")) == dark
    page.close()


def test_figures_far_below_wait_until_a_reader_comes_near(chromium, site_url):
    """So the first words need not wait for them; what is seen first does not wait."""
    page = chromium.new_page(viewport={"width": 390, "height": 700})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site_url}/{FIGURES}.html", wait_until="networkidle")
    images = page.query_selector_all("article .cell_output img[src$='.png']")
    assert len(images) > 8
    sources = [image.evaluate("e => e.src") for image in images]
    assert len(set(sources) & set(asked)) < len(images) / 2
    images[-1].scroll_into_view_if_needed()
    page.wait_for_function("e => e.complete && e.naturalWidth > 300", arg=images[-1])
    assert sources[-1] in asked
    page.close()


def test_the_theme_follows_the_reader(look, site_url):
    page = look.new_page()
    page.goto(f"{site_url}/{PAGES[0].name}.html")
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(re.search(r"\d+", shade)[0])
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (red < 80) == dark
    page.close()


def test_search_finds_a_word_of_the_book(look, site_url):
    page = look.new_page()
    page.goto(f"{site_url}/search.html?q=perplexity")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    links = [a.get_attribute("href") for a in page.query_selector_all("#search-results li a")]
    assert any("language_model" in link for link in links)
    page.close()


def test_code_can_be_copied(look, site_url):
    page = look.new_page()
    page.goto(f"{site_url}/chapters/01_smt/language_model.html")
    cells = len(page.query_selector_all("article .cell_input pre"))
    assert cells > 5
    assert len(page.query_selector_all("article .cell_input button.copybtn")) == cells
    page.close()


def test_a_folded_solution_opens(look, site_url):
    page = look.new_page()
    page.goto(f"{site_url}/chapters/01_smt/language_model.html")
    solution = page.query_selector("article .solution.dropdown")
    body = solution.query_selector(".section, section, div")
    assert not body.is_visible()
    solution.query_selector("button, .toggle-button, summary").click()
    body.wait_for_element_state("visible")
    page.close()


CONTRAST_SCRIPT = """
(least) => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = (e) => {
    for (let p = e; p; p = p.parentElement) {
      const c = parse(getComputedStyle(p).backgroundColor);
      if (c.length === 3 || c[3] > 0.5) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const e of document.querySelectorAll('article *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const box = e.getBoundingClientRect();
    if (!own || !box.width || e.closest('.katex-mathml, .headerlink, script, button')) continue;
    if (getComputedStyle(e).visibility === 'hidden') continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const words = e.textContent.slice(0, 40);
    if (ratio < least) faint.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${words}`);
  }
  return faint.slice(0, 10);
}
"""
