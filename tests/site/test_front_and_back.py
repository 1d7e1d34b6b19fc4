"""First uses, status and cheat sheet in the built site."""

from __future__ import annotations

import re
from importlib import metadata
from urllib.parse import unquote

import pytest
import softalign_find_meanings as meanings
import softalign_first_use as first
from book_files import NOTEBOOKS, SITE
from bs4 import BeautifulSoup
from pypdf import PdfReader


def soup(name):
    """A built page, parsed."""
    return BeautifulSoup((SITE / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def place(pages, origin, link):
    """The text of the section that a link of a page leads to; `pages` keeps what was parsed."""
    address, _, anchor = link["href"].partition("#")
    path = (SITE / f"{origin}.html").parent / unquote(address)
    name = str(path.resolve().relative_to(SITE.resolve()).with_suffix(""))
    if name not in pages:
        pages[name] = soup(name)
    return pages[name].find(id=unquote(anchor))


def test_every_term_says_where_it_is_used_first():
    page, pages = soup("book/glossary"), {}
    terms = {first.squeezed(term.name) for term in meanings.read_glossary()}
    seen = set()
    for term in page.select("dl.glossary dt"):
        name = first.squeezed(term.get_text().removesuffix("#"))
        links = term.find_next_sibling("dd").select("a.sa-first")
        assert 1 <= len(links) <= 2, f"{name} has no first use"
        for link in links:
            text = first.squeezed(place(pages, "book/glossary", link).get_text())
            assert first.pattern(first.forms(name, bold=True)).search(text), (name, link["href"])
        seen.add(name)
    assert seen == terms


def test_every_row_of_the_registry_leads_to_the_section_that_uses_it_first():
    page, pages, rows = soup("book/notation"), {}, 0
    for row in page.select("article table tbody tr"):
        cells = row.find_all("td")
        if len(cells) == 5 and cells[0].select(".katex"):
            (link,) = cells[4].select("a.sa-first")
            assert place(pages, "book/notation", link).select(".katex")
            rows += 1
    assert rows > 140
    assert not re.search(r"\b0\d_\w+/\w+", page.select_one("article").get_text()[:20_000])


def test_the_index_of_symbols_leads_to_their_rows():
    page = soup("book/notation")
    links = page.select("p.sa-symbols a")
    rows = [letter.anchor for letter in meanings.read_registry() if not letter.row]
    assert sorted(link["href"].removeprefix("#") for link in links) == sorted(rows)
    assert all(page.find(id=anchor) for anchor in rows)


def test_the_status_names_every_page_that_runs_and_every_version():
    tables = soup("book/status").select("article table")
    assert len(tables) == 3
    times = {}
    for row in tables[0].select("tbody tr"):
        path = (SITE / "book" / row.find("a")["href"]).resolve().relative_to(SITE.resolve())
        times[str(path.with_suffix(""))] = [cell.get_text(strip=True) for cell in row("td")]
    assert set(times) == {page.name for page in NOTEBOOKS if page.code}
    for _, seconds, _ in times.values():
        assert 0 <= int(seconds) < 180
    versions = dict(
        [cell.get_text(strip=True) for cell in row.find_all("td")]
        for table in tables[1:]
        for row in table.select("tbody tr")
    )
    assert len(versions) > 100
    assert {name: metadata.version(name) for name in versions} == versions


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_cheat_sheet_is_two_sides_of_a4(chromium, site_url, tmp_path, theme):
    context = chromium.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto(f"{site_url}/book/cheat_sheet.html")
    page.evaluate("document.fonts.ready")
    page.pdf(path=tmp_path / "sheet.pdf", format="A4", prefer_css_page_size=True)
    page.emulate_media(media="print")
    size = page.eval_on_selector(".sa-cheat li", "e => parseFloat(getComputedStyle(e).fontSize)")
    context.close()
    reader = PdfReader(tmp_path / "sheet.pdf")
    assert len(reader.pages) == 2
    for sheet in reader.pages:
        width, height = (float(side) * 25.4 / 72 for side in sheet.mediabox[2:])
        assert (round(width), round(height)) == (210, 297)
    assert size >= 7 * 96 / 72, "smaller than 7 points cannot be read"
    texts = [re.sub(r"\s+", " ", sheet.extract_text()) for sheet in reader.pages]
    for chapter in ("1 Statistical", "4 LSTM", "7 Transformer", "most bugs"):
        assert chapter in " ".join(texts)
    assert all(len(text) > 1000 for text in texts), "a side is nearly empty"
