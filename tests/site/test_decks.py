"""The slides in a browser, opened from the disk without a network: every slide of every deck."""

from __future__ import annotations

import re

import pytest
from book_files import ROOT, SITE
from bs4 import BeautifulSoup

DECKS = SITE / "_static" / "slides"
CHAPTERS = sorted(
    {path.parent.name for path in (ROOT / "chapters").glob("*/*.ipynb")}  # the folders' names
)
# Steps to each slide as the arrow key does, and measures it: what sticks out of the sheet, how
# small the letters are, how high the pictures. A root's stroke is too long on purpose, and clipped.
MEASURE = """async () => {
  const found = [];
  for (let last = -1; ; ) {
    const here = Reveal.getSlidePastCount();
    if (here === last) return found;
    last = here;
    const slide = Reveal.getCurrentSlide();
    const sheet = slide.querySelector(".sheet");
    const box = sheet.getBoundingClientRect();
    const outside = [...sheet.querySelectorAll("*")].filter((one) => {
      if (one.closest(".katex-mathml, svg")) return false;
      const own = one.getBoundingClientRect();
      return own.width && own.height && (own.left < box.left - 1 || own.right > box.right + 1
        || own.top < box.top - 1 || own.bottom > box.bottom + 1);
    });
    found.push({
      heading: sheet.querySelector("h1, h2").textContent,
      words: [...sheet.querySelectorAll(".words p, .words li")].map((p) => p.textContent).join(" "),
      shown: slide.offsetWidth > 0 && [box.left, box.top, box.width, box.height],
      outside: outside.map((one) => `${one.tagName}.${one.className}: ${one.textContent}`),
      over: [sheet.scrollWidth - sheet.clientWidth, sheet.scrollHeight - sheet.clientHeight],
      letters: parseFloat(getComputedStyle(sheet).fontSize),
      pictures: [...sheet.querySelectorAll("img")].map((one) => [
        one.complete && one.naturalWidth > 0, one.clientHeight]),
    });
    Reveal.next();
  }
}"""
# What of the words is still LaTeX: a dollar, a command.
RAW = r"""() => [...document.querySelectorAll(".words p, .words li")].map((one) => {
  const copy = one.cloneNode(true);
  copy.querySelectorAll(".katex, code").forEach((part) => part.remove());
  return copy.textContent;
}).filter((text) => /\$|\\[a-z]+/.test(text))"""


@pytest.fixture
def window(chromium):
    """A window of 1280 x 720 without a network; what it asked for, what it complained of."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("requestfailed", lambda request: page.said.append(f"failed: {request.url[:200]}"))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.said.append(m.text))
    yield page
    context.close()


def opened(window, chapter):
    """Open a deck from the disk."""
    window.goto((DECKS / f"{chapter}.html").as_uri())
    window.wait_for_selector("body[data-ready]")
    return window


@pytest.mark.browser
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_slide_of_a_deck_fits_and_needs_no_network(window, chapter):
    page = opened(window, chapter)
    found = page.evaluate(MEASURE)
    written = (DECKS / f"{chapter}.html").read_text(encoding="utf-8").count('class="sheet"')
    assert len(found) == written >= 40
    for slide in found:
        where = f"{chapter}: {slide['heading']}"
        assert slide["shown"] == [0, 0, 1280, 720], where
        assert not slide["outside"], (where, slide["outside"])
        assert slide["over"] == [0, 0], where
        assert slide["letters"] >= 18, where
        assert all(loaded and height >= 300 for loaded, height in slide["pictures"]), where
        assert len(slide["words"].split()) <= 90, where  # a formula is several words to a browser
    assert not page.locator(".katex-error").count()
    assert page.locator(".katex").count() >= 10
    assert page.evaluate(RAW) == []
    assert not [a for a in page.asked if not a.startswith(("file:", "data:"))]
    assert page.said == []


@pytest.mark.browser
def test_what_a_deck_asks_of_the_network_would_be_seen(window):
    page = opened(window, "07_transformer")
    assert page.said == []
    page.evaluate("""() => new Promise((done) => {
      Object.assign(new Image(), { onerror: done, src: "http://127.0.0.1:9/planted.png" });
    })""")
    page.wait_for_timeout(200)
    assert [a for a in page.asked if not a.startswith(("file:", "data:"))]
    assert any("planted.png" in said for said in page.said)


@pytest.mark.browser
def test_the_arrow_keys_step_through_and_chinese_has_a_font(window):
    page = opened(window, "01_smt")
    shown = "Reveal.getCurrentSlide().innerText"
    texts = [page.evaluate(shown)]
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        texts.append(page.evaluate(shown))
    assert len(set(texts)) == 6
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(shown) == texts[4]
    assert page.locator(":lang(zh)").count()
    loaded = "[...document.fonts].filter((f) => f.family.includes('Book Han')).map((f) => f.status)"
    assert page.evaluate(loaded) == ["loaded"]


def test_the_page_of_the_slides_leads_to_all_decks_and_counts_their_slides():
    page = (SITE / "book" / "instructors_slides.html").read_text(encoding="utf-8")
    rows = BeautifulSoup(page, "html.parser").select("article tbody tr")
    assert len(rows) == len(CHAPTERS) == 7
    for row, chapter in zip(rows, CHAPTERS, strict=True):
        link, count, _ = row.find_all("td")
        assert link.a["href"] == f"../_static/slides/{chapter}.html"
        text = (DECKS / f"{chapter}.html").read_text(encoding="utf-8")
        assert int(count.get_text()) == text.count('class="sheet"')


def test_the_slides_in_the_site_and_beside_it_are_the_same():
    beside = ROOT / "_build" / "slides"
    names = {path.name for path in DECKS.glob("*.html")}
    assert names == {f"{chapter}.html" for chapter in CHAPTERS}
    for name in names:
        assert (beside / name).read_bytes() == (DECKS / name).read_bytes()
    loaded = re.findall(
        r'(?:src|href)="(assets/[^"]+)"', (DECKS / "01_smt.html").read_text("utf-8")
    )
    assert len(loaded) == 7
    assert all((DECKS / name).is_file() for name in loaded)
