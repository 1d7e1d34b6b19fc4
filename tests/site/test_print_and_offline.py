"""The site opened from a folder, a page on paper, and a part of the book as a PDF."""

from __future__ import annotations

import re

import dist_book
import dist_pdf
import pytest
from book_files import PAGES, ROOT, SITE
from pypdf import PdfReader

pytestmark = pytest.mark.browser

NAMES = ["index", "search", "genindex", *(page.name for page in PAGES)]
LESSON = "chapters/01_smt/language_model"
FIGURES = "chapters/03_bptt/gradients"
# Width in CSS pixels of A4 without the margins of print.css.
PAPER = round(180 / 25.4 * 96)
PART = [
    "chapters/05_encoder_decoder/index",
    "chapters/05_encoder_decoder/search",
    "book/glossary",
    "book/references",
]
SECONDS = 1_790_000_000


def quiet_page(context):
    """A new page, and the list of all that goes wrong in it."""
    page = context.new_page()
    wrong = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    return page, wrong


# --- from a folder, without a server --------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(chromium):
    """A window that opens files and reaches no network."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.route(
        "**/*",
        lambda route: (
            route.continue_()
            if route.request.url.startswith(("file://", "data:", "blob:"))
            else route.abort()
        ),
    )
    yield context
    context.close()


def address(name):
    return (SITE / name).as_uri()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_from_a_folder_without_a_complaint(folder, name):
    page, wrong = quiet_page(folder)
    page.goto(address(f"{name}.html"))
    if name == "index":
        page.wait_for_url("**/book/intro.html")
    loaded = "document.fonts.ready.then(() => [...document.styleSheets].map((s) => s.href || ''))"
    sheets = page.evaluate(loaded)
    assert [href for href in sheets if "/_static/lean/site." in href]
    assert [href for href in sheets if "/_static/print.css" in href]
    assert page.evaluate("getComputedStyle(document.querySelector('.bd-main')).display") == "flex"
    assert wrong == []
    # without a server a link to a folder would show a list of files
    links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
    assert len(links) > 10
    assert not [link for link in links if re.match(r"file:[^?#]*/($|[?#])", link)]
    page.close()


def test_links_and_the_switch_of_the_theme_work_from_a_folder(folder):
    page, wrong = quiet_page(folder)
    page.goto(address(f"{LESSON}.html"))
    page.click("a.right-next")
    page.wait_for_url("**/word_alignment.html")
    assert "1.4." in page.inner_text("article h1")
    page.click("#pst-primary-sidebar a:has-text('Glossary')")
    page.wait_for_url("**/book/glossary.html")
    themes = set()
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        themes.add(page.evaluate("document.documentElement.dataset.mode"))
    assert themes == {"light", "dark", "auto"}
    assert wrong == []
    page.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [("perplexity", "language_model"), ("beam", "search"), ("困惑度", "glossary")],
)
def test_search_works_from_a_folder(folder, query, expected):
    page, wrong = quiet_page(folder)
    page.goto(address("search.html") + f"?q={query}")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function(r"/\d/.test(document.querySelector('#search-results p').innerText)")
    links = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    (first, *_) = [link for link in links if expected in link]
    assert wrong == []
    page.goto(first)
    assert page.locator("article h1").is_visible()
    page.close()


# --- a page on paper ------------------------------------------------------------------------------

FRAME = (
    ".bd-header, .bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-footer, "
    ".prev-next-footer, #jb-print-docs-body, button, .headerlink, .toctree-toggle"
)
WIDE = """(paper) => {
  const wide = [];
  for (const e of document.querySelectorAll('article *')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest('.katex-mathml, .katex svg')) continue;
    // what a formula draws is in its bases; inside, unseen struts may stick out
    if (e.closest('.katex-html') && !e.matches('.base')) continue;
    if (getComputedStyle(e).visibility === 'hidden') continue;
    if (box.right > paper + 1 || box.left < -1) wide.push(e.outerHTML.slice(0, 120));
    const style = getComputedStyle(e);
    if (['auto', 'scroll'].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
      wide.push(`scrolls: ${e.outerHTML.slice(0, 120)}`);
  }
  return wide.slice(0, 10);
}"""


@pytest.fixture(scope="module", params=["light", "dark"])
def paper(request, chromium, site_url):
    """A window as wide as the text on A4, seen as a printer sees it."""
    context = chromium.new_context(
        viewport={"width": PAPER, "height": 1000}, color_scheme=request.param
    )
    context.theme = request.param
    yield context
    context.close()


@pytest.mark.parametrize("name", [page.name for page in PAGES])
def test_a_page_fits_on_paper_without_its_frame(paper, site_url, name):
    page = paper.new_page()
    page.goto(f"{site_url}/{name}.html")
    assert page.evaluate("document.documentElement.dataset.theme") == paper.theme
    page.emulate_media(media="print")
    assert page.locator("article h1").is_visible()
    shown = page.eval_on_selector_all(
        FRAME,
        "all => all.filter(e => e.getClientRects().length).map(e => e.outerHTML.slice(0, 99))",
    )
    assert shown == []
    assert page.evaluate(WIDE, PAPER) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PAPER + 1
    page.close()


def test_paper_is_white_and_ink_is_dark(paper, site_url):
    page = paper.new_page()
    page.goto(f"{site_url}/{LESSON}.html")
    page.emulate_media(media="print")
    faint = page.evaluate(
        """() => {
          const sum = (c) => c.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0);
          const pale = [...document.querySelectorAll('article :is(p, li, span, code, td, h1, h2)')]
            .filter(e => e.getClientRects().length && sum(getComputedStyle(e).color) > 450);
          return pale.slice(0, 5).map(e => e.outerHTML.slice(0, 120));
        }"""
    )
    assert faint == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    for image in page.locator("article .cell_output img").all():
        assert image.evaluate("e => getComputedStyle(e).filter") == "none"
    page.close()


def test_figures_that_nobody_came_near_are_printed(chromium, site_url, tmp_path):
    """Figures wait for a reader; a printer does not scroll."""
    page = chromium.new_page()
    page.goto(f"{site_url}/{FIGURES}.html")
    sizes = page.locator("article .cell_output img[src$='.png']").evaluate_all(
        "all => all.map(e => e.naturalWidth)"
    )
    assert 0 in sizes  # some have not come
    page.pdf(path=tmp_path / "page.pdf")
    page.close()
    printed = [image for sheet in PdfReader(tmp_path / "page.pdf").pages for image in sheet.images]
    assert len(sizes) > 8
    assert len([image for image in printed if image.image.width > 300]) == len(sizes)


def test_solutions_can_be_read_on_paper_and_drawing_code_is_left_out(paper, site_url):
    page = paper.new_page()
    page.goto(f"{site_url}/{LESSON}.html")
    solution = page.locator("article .solution").first.locator("section p").first
    drawing = page.locator("article .tag_hide-input .cell_input").first
    assert not page.locator("article .solution .cell_input").first.is_visible()
    page.emulate_media(media="print")
    assert solution.is_visible()
    assert solution.bounding_box()["height"] > 10
    assert page.locator("article .solution .cell_input").first.is_visible()
    assert not drawing.is_visible()
    assert not page.locator("article .tag_hide-input summary").first.is_visible()
    assert page.locator("article .tag_hide-input img").first.is_visible()
    more = page.locator("article details.sd-dropdown p:not(summary *)").first
    assert more.bounding_box()["height"] > 10
    page.close()


# --- a part of the book as a PDF ------------------------------------------------------------------


@pytest.fixture(scope="module")
def part(tmp_path_factory, chromium):
    """Four pages of the book as a PDF: the entries, the PDF, the text of each page of paper."""
    folder = tmp_path_factory.mktemp("dist")
    entries = [entry for entry in dist_book.reading_order(ROOT / "_toc.yml") if entry.name in PART]
    imprint = dist_book.Imprint("Soft Alignment", "us", "0", "1 May 2026", "https://example.org/")
    source, target = folder / "book.html", folder / "book.pdf"
    text = dist_book.put_together(SITE, entries, imprint, source)
    source.write_text(text, encoding="utf-8")
    count = dist_pdf.print_with(chromium, source, target, SECONDS, lambda sentence: None)
    reader = PdfReader(target)
    assert count == len(reader.pages)
    return entries, reader, [page.extract_text() for page in reader.pages]


def flat(outline, depth=0):
    """Depth and title of all bookmarks."""
    for item in outline:
        if isinstance(item, list):
            yield from flat(item, depth + 1)
        else:
            yield depth, item["/Title"]


def test_bookmarks_are_the_headings_in_their_order(part):
    _, reader, _ = part
    marks = list(flat(reader.outline))
    outer = [title for depth, title in marks if depth == 0]
    assert outer[0] == "Contents"
    assert re.match(r"5\. ", outer[1])
    assert outer[2:] == ["Glossary", "References and resources"]
    pages = [title for depth, title in marks if depth == 1 and re.match(r"\d+\.\d+\. ", title)]
    assert [title.split()[0] for title in pages] == ["5.2."]
    sections = [title for depth, title in marks if depth == 2 and title.startswith("5.2.")]
    assert len(sections) > 8
    numbers = [int(title.split(".")[2]) for title in sections]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (3, "Solutions") in marks


def test_the_text_can_be_searched_in_both_languages(part):
    _, _, texts = part
    text = re.sub(r"\s", "", "".join(texts))
    assert "困惑度" in text
    assert "beamsearch" in text.lower()
    assert "\\frac" not in text  # a formula is there once, as it is seen


def test_every_link_inside_has_a_place_to_lead_to(part):
    _, reader, _ = part
    places, inside, outside = set(reader.named_destinations), 0, 0
    for page in reader.pages:
        for found in page.get("/Annots") or []:
            note = found.get_object()
            if "/Dest" in note:
                inside += 1
                assert str(note["/Dest"]) in places
            elif note.get("/Subtype") == "/Link":
                outside += 1
                assert note["/A"]["/URI"].startswith(("https://", "http://"))
    assert inside > 50
    assert outside > 50


def test_pages_and_contents_are_numbered(part):
    entries, reader, texts = part
    for number, text in enumerate(texts[1:], 2):
        assert re.search(rf"(?m)^{number}$", text)
    assert not re.search(r"(?m)^1$", texts[0])  # the title page
    contents = re.sub(r"\s", "", texts[1])
    begins, _ = dist_pdf.page_numbers(reader)
    assert list(begins) == [entry.slug for entry in entries]
    titles = [title for depth, title in flat(reader.outline) if depth < 2]
    for slug, start in (("Glossary", r"Glossary"), ("index", r"5\. "), ("search", r"5\.2\. ")):
        (number,) = [n for name, n in begins.items() if name.lower().endswith(slug.lower())]
        title = next(title for title in titles if re.match(start, title))
        squeezed = re.sub(r"\s", "", title)
        assert f"{squeezed}{number}" in contents
        # the page begins there, and the head of the next page of paper names it
        assert squeezed in re.sub(r"\s", "", texts[number - 1])
        if slug != "index":
            assert squeezed in re.sub(r"\s", "", texts[number])[:200]


def test_every_font_is_in_the_file_and_the_date_is_the_given_one(part):
    _, reader, _ = part
    names = set()
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type3":  # drawn in the file itself
                continue
            inner = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(inner.get_object())
            names.add(font["/BaseFont"].split("+")[1])
    assert {"DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold"} <= names
    assert not [name for name in names if not re.match("DejaVu|KaTeX|FontAwesome", name)]
    assert reader.metadata["/CreationDate"] == "D:20260921141320+00'00'"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
