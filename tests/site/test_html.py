"""The built pages, read as files: links, pictures, formulas, citations, launch buttons."""

from __future__ import annotations

import itertools
import re
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from book_files import NOTEBOOKS, PAGES, SITE
from bs4 import BeautifulSoup

HTML = tuple(sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts))
NAMES = [str(path.relative_to(SITE)) for path in HTML]
CONTENT = tuple(SITE / f"{page.name}.html" for page in PAGES)
CONTENT_NAMES = [page.name for page in PAGES]
every_file = pytest.mark.parametrize("path", HTML, ids=NAMES)
every_page = pytest.mark.parametrize("path", CONTENT, ids=CONTENT_NAMES)


@cache
def soup(path):
    """The parsed page."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def article(path):
    """The page's own content, without the theme's frame."""
    return soup(path).select_one("article")


@cache
def anchors(path):
    """All places of a page that a link can lead to."""
    return {tag["id"] for tag in soup(path).find_all(id=True)} | {
        tag["name"] for tag in soup(path).find_all("a", attrs={"name": True})
    }


def test_every_page_was_built():
    assert HTML
    assert {path for path in CONTENT if not path.exists()} == set()


@every_file
def test_nothing_is_loaded_from_another_host(path):
    loaded = [
        tag[attribute]
        for attribute in ("src", "srcset", "poster", "data")
        for tag in soup(path).find_all(attrs={attribute: True})
    ]
    loaded += [
        tag["href"] for tag in soup(path).find_all("link") if tag.get("rel") != ["canonical"]
    ]
    assert not [address for address in loaded if re.match(r"(https?:)?//", address)]


@every_file
def test_links_inside_the_site_lead_somewhere(path):
    dead = []
    for tag in soup(path).find_all("a", href=True):
        address = urlsplit(tag["href"])
        if address.scheme or address.netloc or tag["href"] in ("#", ""):
            continue
        target = (path.parent / unquote(address.path)).resolve() if address.path else path
        if target.is_dir():
            target /= "index.html"
        good = target.exists() and (
            not address.fragment
            or target.suffix != ".html"
            or unquote(address.fragment) in anchors(target)
            or not article(target)  # the root's redirect
        )
        if not good:
            dead.append(tag["href"])
    assert not dead


@every_page
def test_a_page_has_one_title(path):
    assert len(article(path).find_all("h1")) == 1


@every_page
def test_every_picture_says_what_it_shows(path):
    for image in article(path).find_all(["img", "object"]):
        words = image.get("alt") or image.get("aria-label") or ""
        assert len(words) > 40, f"no alternative text that says what it shows: {image.get('src')}"
        assert not re.fullmatch(r"\S*\.(png|svg)", words), "a file name is no alternative text"


@every_page
def test_every_figure_of_a_cell_has_a_caption(path):
    for image in article(path).select(".cell_output img"):
        assert image.find_parent("figure").find("figcaption").get_text(strip=True)


@every_page
def test_every_formula_is_set(path):
    assert not article(path).select(".katex-error")
    for formula in article(path).select("span.math, div.math"):
        assert formula.select_one(".katex"), formula.get_text()[:80]
        # the colour in which KaTeX sets a command that it does not know
        assert "#cc0000" not in str(formula), formula.get_text()[:80]
    text = visible_text(path)
    raw = re.findall(r"\$\$|\\\(|\\\[|\\(?:frac|sum|theta|mathbf|begin|alpha|cdot)\b", text)
    assert not raw


def visible_text(path):
    """What a reader sees, code and the formulas' hidden sources left out."""
    import copy

    content = copy.copy(article(path))
    for tag in content.select("pre, code, script, annotation, .katex"):
        tag.decompose()
    return content.get_text(" ")


@every_page
def test_no_directive_role_or_reference_is_left_raw(path):
    text = visible_text(path)
    assert not re.findall(r"\{(?:ref|numref|eq|cite|term|doc)[:\w]*\}|:::|```|\?\?|\[Unknown", text)


@every_page
def test_a_page_says_how_long_it_takes(path):
    assert re.search(r"Time:\s*\d+ minutes? to read", article(path).get_text(" "))


@pytest.mark.parametrize("page", NOTEBOOKS, ids=[page.name for page in NOTEBOOKS])
def test_a_notebook_can_be_launched_elsewhere(page):
    links = [tag["href"] for tag in soup(SITE / f"{page.name}.html").find_all("a", href=True)]
    for host in ("colab.research.google.com", "mybinder.org"):
        assert any(host in link and f"{page.path.name}" in unquote(link) for link in links), host


@pytest.mark.parametrize("page", NOTEBOOKS, ids=[page.name for page in NOTEBOOKS])
def test_the_site_shows_what_the_notebook_stores(page):
    """The build executes by itself; its printed outputs are those that nbval compared."""
    shown = article(SITE / f"{page.name}.html").get_text()
    squeezed = re.sub(r"\s", "", shown)
    for cell in page.code:
        if "nbval-ignore-output" in cell.tags or {"remove-output", "remove-cell"} & set(cell.tags):
            continue
        for output in cell.outputs:
            if output["output_type"] == "stream":
                assert re.sub(r"\s", "", "".join(output["text"])) in squeezed, cell.text


def test_pages_are_joined_by_next_and_previous():
    for path, following in itertools.pairwise(CONTENT):
        forward = soup(path).select_one("a.right-next")
        assert (path.parent / forward["href"]).resolve() == following.resolve()
        back = soup(following).select_one("a.left-prev")
        assert (following.parent / back["href"]).resolve() == path.resolve()


def test_sections_and_figures_of_the_chapters_are_numbered():
    for page in PAGES:
        if page.name.startswith("chapters/"):
            path = SITE / f"{page.name}.html"
            assert re.match(r"\d+\.", article(path).find("h1").get_text())
            captions = article(path).select("figcaption")
            for caption in captions:
                if caption.find_parent(class_="sa-interactive"):
                    continue  # the title of a figure one works: the text before it announces it
                assert re.match(r"Fig\. \d+\.\d+", caption.get_text(strip=True))
