"""What other machines read: descriptions, cards for shared links, the map of the site, the feed.

All addresses begin with the configured `html_baseurl`. Nothing here is loaded by a page: the tags
name addresses, the files lie beside the pages.
"""

from __future__ import annotations

import datetime
import html
import re
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from docutils import nodes
from softalign_find_cards import SIZE, draw_card
from softalign_find_index import typed
from softalign_find_pages import ROOT, table_of_contents
from sphinx.application import Sphinx

SITE = "Soft Alignment"
CHANGELOG = ROOT / "CHANGELOG.md"
CARDS, FEED, SITEMAP = "_static/cards", "feed.xml", "sitemap.xml"
# Search engines show about as much.
LONGEST = 200
# Paragraphs at the beginning of a page that say something about the page, not about its subject.
ABOUT = re.compile(r"(?:You need|You will be able to|Time):")
OTHERS = {
    "genindex": "All terms of the book Soft Alignment in alphabetical order, each with its places.",
    "search": "Search the book Soft Alignment: words, Chinese, letters of formulas, names of code.",
}


# --- descriptions and cards -----------------------------------------------------------------------


def text_of(node: nodes.Node) -> str:
    """The text of a paragraph, formulas in letters."""
    pieces = []
    for child in node.children:
        if isinstance(child, nodes.math):
            pieces.append(typed(f"${child.astext()}$"))
        elif isinstance(child, nodes.raw):
            continue
        elif isinstance(child, nodes.Text):
            pieces.append(child.astext())
        else:
            pieces.append(text_of(child))
    return (
        re.sub(r"\s+", " ", "".join(pieces)).strip()
        if isinstance(node, nodes.paragraph | nodes.title)
        else "".join(pieces)
    )


def shortened(text: str, longest: int = LONGEST) -> str:
    """As much as fits: of a question what leads up to it, else the beginning."""
    sentences = re.split(r"(?<=[.?!])\s+", text)
    asked = [n for n, sentence in enumerate(sentences) if sentence.endswith("?")]
    short = sentences.pop(asked[-1] if asked else 0)
    near = sentences[asked[-1] - 1 :: -1] if asked and asked[-1] else [] if asked else sentences
    for sentence in near:
        if len(short) + len(sentence) >= longest:
            break
        short = f"{sentence} {short}" if asked else f"{short} {sentence}"
    return (
        short if len(short) <= longest else short[:longest].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    )


def opening(doctree: nodes.document) -> str:
    """What a page says first: a lesson's question."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section | nodes.document):
            continue
        text = text_of(paragraph).removeprefix("Question. ")
        if text and not ABOUT.match(text):
            return shortened(text)
    return ""


def title_of(doctree: nodes.document) -> str:
    """The title of a page."""
    title = next(iter(doctree.findall(nodes.title)), None)
    return SITE if title is None else text_of(title)


def card_of(docname: str) -> str:
    """The file of a page's card."""
    return f"{CARDS}/{docname.replace('/', '-')}.png"


def tags(base: str, docname: str, title: str, description: str, home: bool) -> list[str]:
    """The tags of a page that has a card."""
    properties = {
        "og:type": "website" if home else "article",
        "og:site_name": SITE,
        "og:title": title,
        "og:description": description,
        "og:url": f"{base}{docname}.html",
        "og:locale": "en_GB",
        "og:image": f"{base}{card_of(docname)}",
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": f"{title}. {description}",
    }
    found = [f'<meta name="description" content="{html.escape(description)}">']
    found += [
        f'<meta property="{name}" content="{html.escape(value)}">'
        for name, value in properties.items()
    ]
    return [*found, '<meta name="twitter:card" content="summary_large_image">']


def add_tags(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Put the tags into the head of a page."""
    if app.builder.name != "html":
        return
    lines = []
    if doctree is not None:
        title, description = title_of(doctree), opening(doctree)
        home = pagename == table_of_contents()[0]
        lines = tags(app.config.html_baseurl, pagename, title, description, home)
        card = Path(app.outdir, card_of(pagename))
        card.parent.mkdir(parents=True, exist_ok=True)
        draw_card(title, description, card)
    elif pagename in OTHERS:
        lines = [f'<meta name="description" content="{OTHERS[pagename]}">']
    feed = context["pathto"](FEED, 1)
    lines.append(
        f'<link rel="alternate" type="application/atom+xml" title="{SITE}: changes" href="{feed}">'
    )
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(lines) + "\n"


# --- the map and the feed -------------------------------------------------------------------------


def sitemap(base: str, pages: list[str]) -> str:
    """The map of the site, for search engines."""
    places = "".join(f"<url><loc>{escape(f'{base}{page}.html')}</loc></url>\n" for page in pages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n'
    )


@dataclass(frozen=True)
class Change:
    """One line of the changelog."""

    date: str
    kind: str
    text: str


def read_changes(text: str) -> list[Change]:
    """Lines of a changelog, in its order; one without a day of its own has that of its version."""
    found: list[Change] = []
    released = kind = ""
    for block in re.split(r"\n(?=#|- )|\n\n", text):
        line = " ".join(block.split())
        if version := re.match(r"## \[[^\]]+\](?: - (\d{4}-\d\d-\d\d))?$", line):
            released = version[1] or ""
        elif heading := re.match(r"### (\w+)$", line):
            kind = heading[1]
        elif item := re.match(r"- (?:(\d{4}-\d\d-\d\d): )?(.+)", line):
            date = item[1] or released
            if not date:
                raise ValueError(
                    f"CHANGELOG.md: a line under Unreleased begins with its day: {line}"
                )
            found.append(Change(date, kind, item[2]))
    return found


def as_html(text: str) -> str:
    """A line of the changelog as HTML."""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\[([^\]]+)\]\((https?://[^)]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


def entry(base: str, date: str, changes: list[Change]) -> str:
    """The entry of the feed for one day."""
    body = ""
    for kind in dict.fromkeys(change.kind for change in changes):
        items = "".join(f"<li>{as_html(c.text)}</li>" for c in changes if c.kind == kind)
        body += f"<h2>{kind}</h2><ul>{items}</ul>"
    day = datetime.date.fromisoformat(date)
    host = base.split("/")[2]
    return (
        f"<entry>\n<title>Changes of {day.day} {day:%B %Y}</title>\n"
        f"<id>tag:{host},{date}:changes</id>\n<updated>{date}T00:00:00Z</updated>\n"
        f'<link rel="alternate" href="{base}book/changelog.html"/>\n'
        f'<content type="html">{escape(body)}</content>\n</entry>\n'
    )


def feed(base: str, changes: list[Change]) -> str:
    """The changelog as an Atom feed, newest first."""
    days = sorted({change.date for change in changes}, reverse=True)
    entries = "".join(entry(base, d, [c for c in changes if c.date == d]) for d in days)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{SITE}: changes</title>\n<id>{base}{FEED}</id>\n"
        f"<updated>{days[0]}T00:00:00Z</updated>\n<author><name>the Soft Alignment authors</name>"
        f'</author>\n<link rel="self" href="{base}{FEED}"/>\n'
        f'<link rel="alternate" href="{base}book/changelog.html"/>\n{entries}</feed>\n'
    )


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write map and feed."""
    if exception is not None or app.builder.name != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    pages = [page for page in table_of_contents() if page in app.env.found_docs]
    out.joinpath(SITEMAP).write_text(sitemap(base, pages), encoding="utf-8")
    changes = read_changes(CHANGELOG.read_text(encoding="utf-8"))
    out.joinpath(FEED).write_text(feed(base, changes), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_files)
