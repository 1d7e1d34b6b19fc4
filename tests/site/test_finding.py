"""The built site, read as files: what helps readers and search engines to find things."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from urllib.parse import unquote

import pytest
import softalign_find_head as head
import softalign_find_index as index
import softalign_find_meanings as meanings
import softalign_find_pages as library
import yaml
from book_files import PAGES, ROOT, SITE
from bs4 import BeautifulSoup
from PIL import Image
from sphinx.search import js_index

NAMES = [page.name for page in PAGES]
BASE = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]
OWN = ("genindex", "search")  # pages that Sphinx makes
DATA = re.compile(r'<script type="application/json" id="sa-meanings">(.*?)</script>', re.DOTALL)
ATOM = {"a": "http://www.w3.org/2005/Atom"}
# What definitions, their script and their style may cost a page, compressed.
MOST = 8_000
every_page = pytest.mark.parametrize("name", NAMES)


@cache
def text(name):
    """The HTML of a page."""
    return (SITE / f"{name}.html").read_text(encoding="utf-8")


@cache
def soup(name):
    """The parsed page."""
    return BeautifulSoup(text(name), "html.parser")


@cache
def ids(name):
    """All ids of a page."""
    return {tag["id"] for tag in soup(name).find_all(id=True)}


def shown(name):
    """The definitions that a page carries."""
    found = DATA.findall(text(name))
    assert len(found) <= 1
    return json.loads(found[0]) if found else {}


def term_links(name):
    """Fragments of a page's links to the glossary."""
    links = soup(name).select("article :is(a.reference, a.sa-term)[href*='#term-']")
    return {unquote(link["href"].partition("#")[2]) for link in links}


# --- definitions ----------------------------------------------------------------------------------


@every_page
def test_a_page_carries_the_definitions_of_its_terms_and_letters_and_no_others(name):
    if name in ("book/glossary", "book/notation"):
        assert shown(name) == {}
        return
    letters = {tag["data-letter"] for tag in soup(name).select(".sa-letter")}
    assert set(shown(name)) == letters | term_links(name)


@every_page
def test_a_marked_letter_leads_to_its_row_of_the_registry(name):
    for link in soup(name).select("a.sa-letter"):
        target, _, anchor = link["href"].partition("#")
        assert (SITE / f"{name}.html").parent.joinpath(target).resolve() == (
            SITE / "book" / "notation.html"
        )
        assert anchor in ids("book/notation")
        assert anchor == link["data-letter"] or anchor == meanings.LOCAL
        assert link.select_one(".katex")
    marked = soup(name).select(".sa-letter")
    assert not [m for m in marked if m.find_parent(["h1", "h2", "h3", "h4", "pre", "code", "dt"])]
    assert not [m for m in marked if m.find_parent("a")]


def test_most_lessons_have_marked_letters_and_terms():
    counts = {name: len(soup(name).select(".sa-letter")) for name in NAMES}
    lessons = [name for name in NAMES if name.startswith("chapters/") and "index" not in name]
    rules = "chapters/01_smt/rule_based"  # has hardly a formula
    assert min(counts[name] for name in lessons if name != rules) >= 3
    assert counts[rules] >= 1
    assert sum(counts.values()) > 400
    assert min(len(term_links(name)) for name in lessons) >= 8


@every_page
def test_a_marked_term_leads_to_its_entry_and_stands_in_running_text(name):
    marked = soup(name).select("a.sa-term")
    for link in marked:
        target, _, anchor = link["href"].partition("#")
        path = (SITE / f"{name}.html").parent.joinpath(target).resolve()
        assert path == SITE / "book" / "glossary.html"
        assert anchor in ids("book/glossary")
        assert not link.find_parent(["h1", "h2", "h3", "h4", "pre", "code", "a", "nav", "strong"])
    assert len({link["href"] for link in marked}) == len(marked)


@every_page
def test_a_definition_is_safe_and_has_no_raw_formula(name):
    for definition in shown(name).values():
        parsed = BeautifulSoup(definition, "html.parser")
        assert not parsed.find_all(["a", "script", "button"])
        plain = parsed.get_text()
        assert not re.search(r"[$`{}]|\\[a-z]", plain), plain
        assert len(plain) > 8


@every_page
def test_definitions_cost_little(name):
    data = (DATA.findall(text(name)) or [""])[0]
    files = [(SITE / "_static" / f"find.{kind}").read_text() for kind in ("js", "css")]
    size = sum(len(gzip.compress(part.encode())) for part in [data, *files])
    assert size <= MOST, f"{size} bytes"


# --- the library ----------------------------------------------------------------------------------


def test_the_library_lists_every_entry_with_its_pages_and_its_source():
    page = soup("book/library")
    for entry in library.uses().library.entries.values():
        term = page.find(id=entry.anchor)
        assert term.get_text().split()[0] == entry.name
        body = term.find_next_sibling("dd")
        links = [link["href"] for link in body.select("a:not(.sa-letter)")]
        expected = set(library.uses().pages[entry.dotted])
        if entry.page:
            expected.add(library.full_name(entry.page))
        found = {
            str((SITE / "book" / link).resolve().relative_to(SITE)).removesuffix(".html")
            for link in links
            if not link.startswith("http")
        }
        assert found == expected, entry.dotted
        (source,) = [link for link in links if link.startswith("http")]
        assert source.endswith(f"/blob/main/{entry.path}#L{entry.first}-L{entry.last}")


@every_page
def test_a_page_lists_what_it_uses_and_each_item_leads_to_its_entry(name):
    box = soup(name).select("details.sa-from-library")
    expected = sorted(entry.anchor for entry in library.uses().on(name))
    if name == "book/library" or not expected:
        assert box == []
        return
    found = [link["href"].partition("#")[2] for link in box[0].select("a")]
    assert sorted(found) == expected
    assert set(found) <= ids("book/library")


# --- the index of the search ----------------------------------------------------------------------


def search_index():
    """The index as data."""
    return js_index.loads((SITE / "searchindex.js").read_text(encoding="utf-8"))


def test_every_place_of_the_index_is_there():
    data = search_index()
    kinds = set()
    for label, _, document, anchor, kind, _ in data["finds"]:
        name = data["docnames"][document]
        assert not anchor or anchor in ids(name), (label, name, anchor)
        kinds.add(kind)
    assert kinds == set(range(7))
    assert len(data["finds"]) > 1000


def test_every_erratum_with_a_label_is_in_the_index():
    found = {
        names[0] for _, _, _, _, kind, names in search_index()["finds"] if kind == index.ERRATUM
    }
    sources = "".join(page.prose for page in PAGES)
    assert found == set(re.findall(r"\(erratum-(\d+-[a-z]\d+)\)=", sources))


def test_the_index_has_chinese_letters_and_names():
    terms = search_index()["terms"] | search_index()["titleterms"]
    for word in ("注", "注意", "意力", "书", "α", "alpha", "q_j", "best_of_posterior"):
        assert word in terms, word


@pytest.mark.parametrize("name", [*NAMES, *OWN])
def test_only_the_search_page_loads_the_index(name):
    scripts = {tag["src"].split("/")[-1].split("?")[0] for tag in soup(name).select("script[src]")}
    loads = {"searchindex.js", "searchtools.js", "language_data.js"} & scripts
    assert len(loads) == (3 if name == "search" else 0)
    assert "find.js" in scripts


# --- head, map, feed ------------------------------------------------------------------------------


def meta(name):
    """The tags of a page's head by their names."""
    tags = soup(name).select("head meta[content]")
    found = [(tag.get("property") or tag.get("name"), tag["content"]) for tag in tags]
    for key in ("description", "og:title", "og:image", "og:url", "og:description"):
        assert sum(other == key for other, _ in found) <= 1, key
    return dict(found)


@every_page
def test_a_page_names_its_address_its_card_and_what_it_is_about(name):
    tags = meta(name)
    (canonical,) = soup(name).select("link[rel=canonical]")
    assert canonical["href"] == tags["og:url"] == f"{BASE}{name}.html"
    assert tags["og:title"]
    assert 25 <= len(tags["description"]) <= head.LONGEST + 2
    assert tags["description"] == tags["og:description"]
    assert not re.search(r"[$`{}]|\\[a-z]|[a-z]+\d{4}[a-z]+", tags["description"])
    if name.startswith("chapters/"):
        assert tags["description"].endswith(("?", "…"))


@every_page
def test_a_card_is_there_small_and_of_the_size_that_is_said(name):
    tags = meta(name)
    assert tags["og:image"].startswith(BASE)
    path = SITE / tags["og:image"].removeprefix(BASE)
    assert path.stat().st_size < 40_000
    with Image.open(path) as image:
        assert [str(n) for n in image.size] == [tags["og:image:width"], tags["og:image:height"]]
    assert tags["og:title"] in tags["og:image:alt"]
    assert tags["twitter:card"] == "summary_large_image"


def test_descriptions_tell_pages_apart():
    found = [meta(name)["description"] for name in [*NAMES, *OWN]]
    assert len(set(found)) == len(found)


def test_the_map_names_every_page_and_nothing_else():
    root = ET.parse(SITE / head.SITEMAP).getroot()
    assert root.tag == "{http://www.sitemaps.org/schemas/sitemap/0.9}urlset"
    assert [place.text for place in root.iter(f"{root.tag.split('}')[0]}}}loc")] == [
        f"{BASE}{name}.html" for name in NAMES
    ]


def test_the_feed_holds_what_the_changelog_says():
    feed = ET.parse(SITE / head.FEED).getroot()
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    for parent in (feed, *feed.findall("a:entry", ATOM)):
        for child in ("id", "title", "updated"):
            assert len(parent.findall(f"a:{child}", ATOM)) == 1
            assert parent.findtext(f"a:{child}", namespaces=ATOM)
    entries = feed.findall("a:entry", ATOM)
    assert len({e.findtext("a:id", namespaces=ATOM) for e in entries}) == len(entries) > 2
    stamp = re.compile(r"\d{4}-\d\d-\d\dT00:00:00Z")
    days = [e.findtext("a:updated", namespaces=ATOM) for e in entries]
    assert all(map(stamp.fullmatch, days))
    assert days == sorted(days, reverse=True)
    assert feed.findtext("a:updated", namespaces=ATOM) == days[0]
    assert feed.find("a:link[@rel='self']", ATOM).get("href") == f"{BASE}{head.FEED}"
    said = " ".join(e.findtext("a:content", namespaces=ATOM) for e in entries)
    said = re.sub(r"\W+", " ", BeautifulSoup(said, "html.parser").get_text())
    page = re.sub(r"\W+", " ", soup("book/changelog").select_one("article").get_text())
    changes = head.read_changes(head.CHANGELOG.read_text(encoding="utf-8"))
    for change in changes:
        words = re.sub(r"\W+", " ", change.text).strip()
        assert words in said
        assert words in page


@pytest.mark.parametrize("name", [*NAMES, *OWN])
def test_a_page_says_where_the_feed_is(name):
    (link,) = soup(name).select('link[rel=alternate][type="application/atom+xml"]')
    path = (SITE / f"{name}.html").parent / link["href"]
    assert path.resolve() == SITE / head.FEED


@pytest.mark.parametrize("name", [*NAMES, *OWN])
def test_a_button_lists_the_keys(name):
    (button,) = soup(name).select(".btn-shortcuts-button")
    assert button.get("title") == "Keyboard shortcuts"


def test_the_numbers_of_kinds_are_those_of_the_script():
    script = (ROOT / "tools" / "softalign_find_search.js").read_text(encoding="utf-8")
    kinds = re.split(r",\s+", re.search(r"const KINDS = \[(.*?)\]", script, re.DOTALL)[1])
    assert f"const DEFINED = {index.DEFINED};" in script
    assert kinds[index.LETTER] == '"letter"'
    assert kinds[index.ERRATUM] == '"erratum"'
    assert kinds[index.DEFINED] == '"where it is defined"'
    assert len(kinds) == 7
