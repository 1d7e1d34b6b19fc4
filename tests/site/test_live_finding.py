"""Finding things in a browser: searches, definitions, the list of keys, the library and back."""

from __future__ import annotations

import pytest
from book_files import SITE

pytestmark = pytest.mark.browser

PATIENCE = 90_000  # milliseconds: a busy machine is no fault of the page
SCORING = "chapters/06_attention/scoring"
ALIGNMENT = "chapters/01_smt/word_alignment"
# What one types, and a page that the first three results must have; the first one, if it is marked.
SEARCHES = [
    ("α", "book/notation.html#sym-alpha-ji", True),
    ("alpha", "book/notation.html#sym-alpha-ji", True),
    (r"\theta", "book/notation.html#sym-theta-", False),
    (r"\alpha_{ji}", "book/notation.html#sym-alpha-ji", True),
    ("q_j", "book/notation.html#sym-mathbf-q", False),
    ("AER", "book/notation.html#sym-mathrm-AER", True),
    ("AER", "book/glossary.html#term-alignment-error-rate", False),
    ("softmax", "book/notation.html#sym-operatorname-softmax", True),
    ("softmax", "book/glossary.html#term-softmax", False),
    ("d_model", "book/notation.html#sym-d-text-model", True),
    ("注意力", "book/glossary.html#term-attention", True),
    ("zhuyili", "book/glossary.html#term-attention", True),
    ("对齐", "book/glossary.html#term-alignment", True),
    ("attention_alignment", "chapters/06_attention/attention_alignment.html", False),
    ("best_of_posterior", "book/library.html#lib-softalign.ibm.links.best_of_posterior", True),
    ("attend", "book/library.html#lib-softalign.attention.attend", True),
    ("softalign.search", "book/library.html#lib-softalign.search", True),
    ("softalign.search.beam", "book/library.html#lib-softalign.search.beam", True),
    ("004-a1", f"{SCORING}.html#erratum-004-a1", True),
    ("004-a1", "book/errata_2.html#errata-004-a1", False),
    ("003-d1", "book/errata.html#erratum-003-d1", True),
    ("erratum 003-a9", "#erratum-003-a9", True),
    ("perplexity", "chapters/01_smt/language_model.html", False),
]


@pytest.fixture(scope="module")
def window(chromium):
    """A window of a reader with a mouse and keys."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def opened(window, site_url):
    """Open a page; returns it. At the end nothing may have gone wrong."""
    pages, problems = [], []

    def open_(name, context=window, base=site_url):
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.goto(f"{base}/{name}")
        return page

    yield open_
    for page in pages:
        page.close()
    assert problems == []


RESULTS = """query => Search._performSearch(...Search._parseQuery(query)).reverse()
  .map(([name, title, anchor]) => [title, `${name}.html${anchor}`])"""


def results(page, query):
    """What a search finds, best first: titles and addresses."""
    return page.evaluate(RESULTS, query)


@pytest.fixture(scope="module")
def search(window, site_url):
    """The search page."""
    page = window.new_page()
    page.goto(f"{site_url}/search.html")
    yield page
    page.close()


@pytest.mark.parametrize(("query", "place", "first"), SEARCHES)
def test_a_search_finds_the_place_that_defines_what_was_asked(search, query, place, first):
    found = [href for _, href in results(search, query)]
    assert any(place in href for href in found[: 1 if first else 3]), found[:5]


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("书", "book/corpus.html"),  # a single character
        ("昨天", "book/corpus.html"),
        ("我 昨天 买 了 书", "book/intro.html"),
        ("q_j", SCORING),
        ("scoring", f"{SCORING}.html"),
    ],
)
def test_a_search_finds_the_pages_that_hold_a_word(search, query, page):
    assert any(page in href for _, href in results(search, query))


def test_a_search_for_nothing_known_finds_nothing(search):
    assert results(search, "qqqzzz") == []


def test_titles_of_places_are_text_for_the_page_that_shows_them_as_html(search):
    """Sphinx sets a result as HTML: what a name has of it must come out as it is."""
    search.evaluate("Search._index.finds.push(['<img src=x> & q', '<b>', 0, '', 0, ['xyzzy']])")
    assert results(search, "xyzzy")[0][0] == "&lt;img src=x&gt; &amp; q"
    search.evaluate("Search._index.finds.pop()")


def test_a_search_says_what_it_found_and_where(opened):
    page = opened("search.html?q=alpha")
    first = page.locator("#search-results li").first
    first.wait_for()
    assert first.inner_text().startswith("α_ji (letter: weight")
    summary = page.locator("#search-results li p.context").first
    summary.wait_for()  # Sphinx's own summaries of other results are there
    assert len(summary.inner_text()) > 20


def test_what_was_searched_is_marked_on_the_page_and_single_letters_are_not(opened):
    page = opened("search.html?q=注意力 q")
    page.locator("#search-results .search-summary", has_text="found").wait_for()
    page.goto(page.url.partition("search.html")[0] + "book/glossary.html")
    page.locator("article span.highlighted").first.wait_for()
    marked = set(page.locator("article span.highlighted").all_inner_texts())
    assert marked == {"注意力"}
    page.keyboard.press("Escape")
    assert page.locator("article span.highlighted").count() == 0


def test_the_search_works_from_a_file(opened):
    page = opened("search.html?q=注意力", base=SITE.as_uri())
    page.locator("#search-results .search-summary", has_text="found").wait_for()
    link = page.locator("#search-results li a").first
    link.click()
    page.wait_for_url("**/book/glossary.html**")
    assert page.url.startswith("file:")


# --- definitions ----------------------------------------------------------------------------------

TERM = "article p a.sa-term"
LETTER = "article p a.sa-letter"
PLACES = pytest.mark.parametrize("place", [TERM, LETTER], ids=["term", "letter"])


def tip(page):
    return page.get_by_role("tooltip")


@PLACES
def test_a_definition_shows_under_the_mouse_stays_and_can_be_sent_away(opened, place):
    page = opened(f"{SCORING}.html")
    link = page.locator(place).first
    link.scroll_into_view_if_needed()
    assert tip(page).count() == 0
    link.hover()
    tip(page).wait_for()
    assert link.get_attribute("aria-describedby") == tip(page).get_attribute("id")
    fragment = link.evaluate("e => e.dataset.letter || decodeURIComponent(e.hash.slice(1))")
    data = page.evaluate("JSON.parse(document.getElementById('sa-meanings').textContent)")
    assert tip(page).evaluate("e => e.innerHTML") == page.evaluate(
        "h => { const e = document.createElement('div'); e.innerHTML = h; return e.innerHTML; }",
        data[fragment],
    )
    # the mouse may go to the definition and rest there
    box = tip(page).bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_timeout(400)
    assert tip(page).is_visible()
    page.keyboard.press("Escape")
    assert not tip(page).is_visible()
    assert link.get_attribute("aria-describedby") is None
    link.hover()
    tip(page).wait_for()
    page.mouse.move(2, 2)
    tip(page).wait_for(state="hidden")


@PLACES
def test_a_definition_shows_at_the_keyboards_place(opened, place):
    page = opened(f"{SCORING}.html")
    link = page.locator(place).first
    link.evaluate(
        """e => { const all = [...document.querySelectorAll('a[href], button, [tabindex="0"]')]
             .filter(x => x.checkVisibility({ visibilityProperty: true }) && x.tabIndex >= 0);
             all[all.indexOf(e) - 1].focus(); }"""
    )
    page.keyboard.press("Tab")
    assert link.evaluate("e => e === document.activeElement")
    assert tip(page).is_visible()
    assert link.get_attribute("aria-describedby") == tip(page).get_attribute("id")
    page.wait_for_timeout(400)
    assert tip(page).is_visible()
    page.keyboard.press("Escape")
    assert not tip(page).is_visible()
    assert link.evaluate("e => e === document.activeElement")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert tip(page).is_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/*.html#*")


def test_a_letter_that_returns_is_no_second_stop_but_can_be_pointed_at(opened):
    page = opened("chapters/07_transformer/multi_head.html")
    again = page.locator("article p span.sa-letter").first
    assert again.evaluate("e => e.tabIndex") == -1
    again.hover()
    tip(page).wait_for()


@PLACES
def test_the_first_tap_shows_and_the_second_follows(chromium, opened, place):
    context = chromium.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    page = opened(f"{SCORING}.html", context)
    link = page.locator(place).first
    link.tap()
    tip(page).wait_for()
    assert SCORING in page.url
    box = tip(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.locator("article h1").tap()
    assert not tip(page).is_visible()
    link.tap()
    link.tap()
    page.wait_for_url("**/book/*.html#*")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_definition_fits_and_can_be_read(chromium, opened, theme, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 700}, color_scheme=theme, reduced_motion="reduce"
    )
    page = opened(f"{ALIGNMENT}.html", context)
    for link in page.locator(TERM).all()[:6]:
        link.scroll_into_view_if_needed()
        link.hover()
        page.wait_for_function(
            "e => e.getAttribute('aria-describedby') === 'sa-tip'", arg=link.element_handle()
        )
        box, word = tip(page).bounding_box(), link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        apart = box["y"] >= word["y"] + word["height"] or box["y"] + box["height"] <= word["y"]
        assert apart, "the definition covers its word"
        paper, ink = tip(page).evaluate(
            "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
        )
        assert contrast(paper, ink) >= 7
        page.keyboard.press("Escape")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    context.close()


def contrast(one, other):
    """Ratio of two colours as CSS computes them."""
    import re

    def light(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_without_scripts_a_term_leads_to_the_glossary(chromium, opened):
    context = chromium.new_context(java_script_enabled=False)
    page = opened(f"{SCORING}.html", context)
    link = page.locator(TERM).first
    fragment = link.get_attribute("href").partition("#")[2]
    link.click()
    page.wait_for_url(f"**/book/glossary.html#{fragment}")
    context.close()


# --- keys -----------------------------------------------------------------------------------------


def dialog(page):
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def focus_nothing(page):
    """Let the page itself have the keys."""
    page.evaluate("document.activeElement && document.activeElement.blur()")


def test_the_list_of_keys_opens_by_button_and_key_and_closes(opened):
    page = opened(f"{SCORING}.html")
    button = page.get_by_role("button", name="Keyboard shortcuts")
    button.click()
    assert dialog(page).is_visible()
    for key in ("/", "n", "p", "t", "?"):
        assert dialog(page).locator("kbd", has_text=key).first.is_visible()
    for _ in range(8):  # the keys stay inside, or in the browser's own bar
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement.closest('dialog') || document.activeElement === document.body"
        )
    page.keyboard.press("Escape")
    assert not dialog(page).is_visible()
    assert button.evaluate("e => e === document.activeElement")
    page.keyboard.press("Shift+?")
    assert dialog(page).is_visible()
    dialog(page).get_by_role("button", name="Close").click()
    assert not dialog(page).is_visible()


def test_the_keys_do_what_the_list_says(opened):
    page = opened(f"{SCORING}.html")
    focus_nothing(page)
    modes = []
    for _ in range(3):
        page.keyboard.press("t")
        modes.append(page.evaluate("document.documentElement.dataset.mode"))
    assert sorted(modes) == ["auto", "dark", "light"]
    page.keyboard.press("/")
    field = page.locator("#pst-search-dialog input")
    assert field.is_visible()
    assert field.evaluate("e => e === document.activeElement")
    page.keyboard.type("np?t/")
    assert field.input_value() == "np?t/"
    assert not dialog(page).is_visible()
    page.keyboard.press("Escape")
    assert not field.is_visible()
    page.keyboard.press("Control+k")
    assert field.is_visible()
    page.keyboard.press("Escape")
    focus_nothing(page)
    page.keyboard.press("n")
    page.wait_for_url("**/attention_alignment.html")
    page.keyboard.press("p")
    page.wait_for_url("**/scoring.html")


def test_keys_leave_fields_sliders_and_figures_alone(opened):
    page = opened(f"{SCORING}.html")
    page.evaluate(
        """() => { const box = document.createElement('div'); box.innerHTML =
             '<input type=range id=a><select id=b><option>n<option>p</select>' +
             '<div contenteditable id=c></div>' +
             '<div class=sa-interactive><button id=d>x</button></div>'
             + '<div role=slider tabindex=0 id=e></div><textarea id=f></textarea>';
             document.querySelector('article').prepend(box); }"""
    )
    before = page.evaluate("document.documentElement.dataset.mode")
    for name in "abcdef":
        page.locator(f"#{name}").focus()
        for key in ("n", "p", "t", "/", "?"):
            page.keyboard.press(key)
        assert not dialog(page).is_visible(), name
        assert not page.locator("#pst-search-dialog").is_visible(), name
    page.wait_for_timeout(200)
    assert SCORING in page.url
    assert page.evaluate("document.documentElement.dataset.mode") == before
    assert page.locator("#f").input_value() == "npt/?"


def test_single_keys_can_be_switched_off_and_stay_off(chromium, opened):
    context = chromium.new_context()
    page = opened(f"{SCORING}.html", context)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    box = dialog(page).get_by_role("checkbox")
    assert box.is_checked()
    box.uncheck()
    page.keyboard.press("Escape")
    for again in range(2):
        focus_nothing(page)
        mode = page.evaluate("document.documentElement.dataset.mode")
        for key in ("t", "/", "?", "n"):
            page.keyboard.press(key)
        page.wait_for_timeout(200)
        assert not dialog(page).is_visible()
        assert not page.locator("#pst-search-dialog").is_visible()
        assert page.evaluate("document.documentElement.dataset.mode") == mode
        assert SCORING in page.url
        if not again:
            page.reload()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    assert not dialog(page).get_by_role("checkbox").is_checked()
    dialog(page).get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    focus_nothing(page)
    page.keyboard.press("Shift+?")
    assert dialog(page).is_visible()
    context.close()


# --- the library ----------------------------------------------------------------------------------


def test_from_a_page_to_the_library_and_back(opened):
    page = opened(f"{SCORING}.html")
    box = page.locator("details.sa-from-library")
    link = box.get_by_role("link", name="softalign.attention.attend", exact=True)
    assert not link.is_visible()
    box.locator("summary").focus()
    page.keyboard.press("Enter")
    link.click()
    page.wait_for_url("**/book/library.html#lib-softalign.attention.attend")
    entry = page.locator("[id='lib-softalign.attention.attend']")
    assert entry.bounding_box()["y"] < 900
    page.locator("[id='lib-softalign.attention.attend'] + dd").get_by_role(
        "link", name="Scoring"
    ).click()
    page.wait_for_url(f"**/{SCORING}.html")
