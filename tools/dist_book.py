"""One HTML file of the whole book, put together from the pages of the built site.

The pages are taken as the site shows them, so the numbers of chapters, figures, equations and
exercises are those of the site. What changes is what paper asks for: headings stand one level
deeper where a page belongs to a chapter, links lead inside the one file, the folded code of figures
is gone, and the solutions of a page stand after its last exercise.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lxml.html
import yaml
from lxml import etree
from lxml.html import HtmlElement

STYLE = Path(__file__).with_name("dist_pdf.css")
# What has no use on paper: kinds of elements, and classes.
SCREEN_ONLY = frozenset({"script", "style", "noscript", "button", "template"})
SCREEN_CLASSES = frozenset({"headerlink", "sa-live", "noprint"})
# Folds that paper shows open; what else is folded, paper leaves out.
OPEN_ON_PAPER = frozenset({"hide", "sd-dropdown", "toggle-details"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
REFERRING = ("aria-labelledby", "aria-describedby", "for", "headers", "aria-controls")
# Where a page breaks, the title of the page under way is set by a rule with its name.
TITLE_RULE = """@page {name} {{
  @top-left {{ content: {chapter}; }}
  @top-right {{ content: {title}; }}
}}
.book-page.{name} {{ page: {name}; }}
"""


class BookError(ValueError):
    """The site cannot be made into one file: one plain sentence says why."""


@dataclass(frozen=True)
class Entry:
    """A page of the book: its name, its depth (0, or 1 inside a chapter), the part it opens."""

    name: str
    depth: int = 0
    part: str = ""

    @property
    def slug(self) -> str:
        """The name as an anchor, and as the name of a kind of paper page."""
        return re.sub(r"[^A-Za-z0-9]+", "-", f"page-{self.name}")


@dataclass(frozen=True)
class Imprint:
    """What the title page says."""

    title: str
    author: str
    version: str
    date: str
    address: str


def reading_order(toc: Path) -> list[Entry]:
    """All pages in the order of ``_toc.yml``."""
    content = yaml.safe_load(toc.read_text(encoding="utf-8"))
    entries = [Entry(content["root"])]
    for part in content["parts"]:
        caption = part.get("caption", "")
        for chapter in part["chapters"]:
            entries.append(Entry(chapter["file"], part=caption))
            caption = ""
            entries += [Entry(section["file"], depth=1) for section in chapter.get("sections", ())]
    return entries


def put_together(site: Path, entries: Iterable[Entry], imprint: Imprint, target: Path) -> str:
    """The book as one HTML file that will lie at `target`, beside the site.

    Raises
    ------
    BookError
        A page is not built, or a link leads nowhere.
    """
    entries = tuple(entries)
    slugs = {f"{entry.name}.html": entry.slug for entry in entries}
    styles: dict[str, str] = {}
    pages, titles = [], {}
    for entry in entries:
        path = site / f"{entry.name}.html"
        if not path.exists():
            raise BookError(f"The page {entry.name} is not in {site}: build the site first.")
        parser = lxml.html.HTMLParser(encoding="utf-8")
        root = lxml.html.parse(str(path), parser).getroot()
        for link in root.iterfind(".//link[@rel='stylesheet']"):
            address = _beside(site, path, link.get("href"), target)
            styles.setdefault(address.split("?")[0], link.get("media", "all"))
        article = root.find(".//article")
        if article is None or article.find(".//h1") is None:
            raise BookError(f"The page {entry.name} has no article with a title.")
        _for_paper(article, entry)
        titles[entry.slug] = " ".join(article.find(".//*[@data-title]").text_content().split())
        _lead_inside(article, path, site, target, slugs)
        opens = "" if entry.depth else " opens"
        text = lxml.html.tostring(article, encoding="unicode", with_tail=False)
        pages.append(f'<div class="book-page {entry.slug}{opens}" id="{entry.slug}">{text}</div>')
    body = "\n".join(pages)
    _check_links(body)
    links = "".join(
        f'<link rel="stylesheet" href="{html.escape(address)}" media="{media}">'
        for address, media in styles.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{html.escape(imprint.title)}</title>{links}'
        f"<style>{fonts(target.parent)}{STYLE.read_text(encoding='utf-8')}"
        f"{_running_titles(entries, titles)}</style></head>\n"
        f'<body class="book"><main class="bd-main"><div class="bd-content">'
        f'<div class="bd-article-container">{_title_page(imprint)}{_contents(entries, titles)}'
        f"{body}</div></div></main></body></html>\n"
    )


def fonts(folder: Path) -> str:
    """Fonts of the pinned packages, so that the book looks the same on a machine without any."""
    import matplotlib
    import mplfonts

    latin = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    chinese = Path(mplfonts.__file__).parent / "fonts" / "NotoSansCJKsc-Regular.otf"
    faces = [("Book Han", "normal", "normal", chinese)]
    for family, file, slanted in (
        ("Book Serif", "DejaVuSerif", "Italic"),
        ("Book Sans", "DejaVuSans", "Oblique"),
        ("Book Mono", "DejaVuSansMono", "Oblique"),
    ):
        for weight in ("", "Bold"):
            for style in ("", slanted):
                name = f"{file}-{weight}{style}".rstrip("-")
                look = ("bold" if weight else "normal", "italic" if style else "normal")
                faces.append((family, *look, latin / f"{name}.ttf"))
    rules = []
    for family, weight, style, path in faces:
        if not path.exists():
            raise BookError(f"The font {path.name} is missing: run make book, which installs it.")
        address = _relative(path, folder)
        # Chinese letters and signs only: quotation marks and dashes are those of the Latin font
        span = "unicode-range:U+2E80-9FFF,U+F900-FAFF,U+FE30-FE4F,U+FF00-FFEF;"
        rules.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
            f'src:url("{address}");{span if family == "Book Han" else ""}}}'
        )
    return "\n".join(rules) + "\n"


def _relative(path: Path, folder: Path) -> str:
    """Address of a file as seen from a folder; absolute where there is no way between them."""
    try:
        return os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # another drive
        return path.as_uri()


def _beside(site: Path, page: Path, address: str, target: Path) -> str:
    """An address of a page of the site, as seen from the book's one file."""
    if urlsplit(address).scheme:
        return address
    path, mark, rest = address.partition("?")
    file = (page.parent / unquote(path)).resolve()
    if not file.exists():
        name = page.relative_to(site).with_suffix("")
        raise BookError(f"The page {name} names {address}, and there is no such file.")
    return _relative(file, target.parent) + mark + rest


def _classes(element: HtmlElement) -> set[str]:
    return set(element.get("class", "").split())


def _for_paper(article: HtmlElement, entry: Entry) -> None:
    """Change the article of a page, in place, from a page of the site to a part of a book."""
    leave, folds = [], []
    for element in [*article.iter(etree.Element)]:  # a list, since the tree changes
        classes = _classes(element)
        if element.tag in SCREEN_ONLY or classes & SCREEN_CLASSES:
            leave.append(element)
        elif "katex" in classes:
            _name_formula(element)
        elif element.tag == "details":
            folds.append(element)
        elif element.tag == "img":
            element.attrib.pop("loading", None)  # on paper nothing comes near
    for fold in folds:
        draws = "tag_hide-input" in _classes(fold.getparent())  # code that only draws a figure
        if _classes(fold) & OPEN_ON_PAPER and not draws:
            fold.set("open", "open")
        else:
            leave.append(fold)
    for element in leave:
        if element.getparent() is not None:
            element.drop_tree()
    _move_solutions(article)
    for heading in [*article.iter(*HEADINGS)]:
        depth = int(heading.tag[1])
        if depth == 1:
            heading.set("class", f"{heading.get('class', '')} page-title".strip())
            heading.set("data-title", "")
        heading.tag = f"h{min(6, depth + entry.depth)}"
    for element in article.iter(etree.Element):
        if "id" in element.attrib:
            element.set("id", f"{entry.slug}.{element.get('id')}")
        for name in REFERRING:
            if name in element.attrib:
                words = element.get(name).split()
                element.set(name, " ".join(f"{entry.slug}.{word}" for word in words))


def _lead_inside(
    article: HtmlElement, page: Path, site: Path, target: Path, slugs: dict[str, str]
) -> None:
    """Have the links of a page lead inside the book, and its pictures come from the site."""
    name = page.relative_to(site).with_suffix("")
    own = slugs[page.relative_to(site).as_posix()]
    for element in article.iterfind(".//*[@src]"):
        element.set("src", _beside(site, page, element.get("src"), target))
    for link in [*article.iterfind(".//a[@href]")]:
        address = urlsplit(link.get("href"))
        if address.scheme or address.netloc:
            continue
        file = (page.parent / unquote(address.path)).resolve()
        slug = slugs.get(os.path.relpath(file, site.resolve()).replace(os.sep, "/"))
        if slug or not address.path:
            place = unquote(address.fragment)
            link.set("href", f"#{slug or own}.{place}" if place else f"#{slug or own}")
        elif file.exists():  # a page or file of the site that is not in the book
            link.drop_tag()
        else:
            raise BookError(f"The page {name} links to {link.get('href')}, which is not there.")


def _name_formula(formula: HtmlElement) -> None:
    """Give a formula its source as a name, which a screen reader finds in the PDF too.

    KaTeX writes a formula twice, once for the eye and once for the ear. Printed, only the first is
    left: the second would be found a second time by whoever searches or copies text.
    """
    source = formula.find(".//annotation")
    if source is not None:
        formula.set("role", "img")
        formula.set("aria-label", source.text_content())
        formula.find_class("katex-mathml")[0].drop_tree()
        # hidden from a screen reader's ear, the whole formula would be left out of the PDF's tree
        formula.find_class("katex-html")[0].attrib.pop("aria-hidden", None)


def _move_solutions(article: HtmlElement) -> None:
    """Put the solutions of a page after its last exercise, under a heading of their own."""
    solutions, exercises = article.find_class("solution"), article.find_class("exercise")
    if not (solutions and exercises):
        return
    section = next(exercises[-1].iterancestors("section"))
    depth = next((int(child.tag[1]) for child in section if child.tag in HEADINGS), 2)
    place = lxml.html.fragment_fromstring(
        f'<section class="solutions"><h{min(6, depth + 1)}>Solutions</h{min(6, depth + 1)}>'
        "</section>"
    )
    for solution in solutions:
        solution.tail = None  # blank, and it would move along
        place.append(solution)
    section.append(place)


def _check_links(body: str) -> None:
    """Stop if a link inside the book has no place to lead to."""
    places = {html.unescape(place) for place in re.findall(r'\sid="([^"]+)"', body)}
    for found in re.findall(r'\shref="#([^"]*)"', body):
        link = html.unescape(found)
        if link not in places:
            page = link.partition(".")[0].removeprefix("page-")
            raise BookError(f"A link of the book leads to {link}, and {page} has no such place.")


def _running_titles(entries: Iterable[Entry], titles: dict[str, str]) -> str:
    rules, chapter = [], ""
    for entry in entries:
        title = titles[entry.slug]
        if not entry.depth:
            chapter = title
        words = {"chapter": _css(chapter), "title": _css(title if entry.depth else "")}
        rules.append(TITLE_RULE.format(name=entry.slug, **words))
    return "".join(rules)


def _css(text: str) -> str:
    """A string of a style sheet."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\3c ")


def _title_page(imprint: Imprint) -> str:
    title, author, version, date, address = (
        html.escape(text)
        for text in (imprint.title, imprint.author, imprint.version, imprint.date, imprint.address)
    )
    return (
        f'<section class="title-page"><p class="title">{title}</p>'
        '<p class="subtitle">Sequence models from statistical translation to the Transformer</p>'
        f'<p class="author">{author}</p><p class="version">Version {version}, {date}</p>'
        '<p class="imprint">Text and figures: CC BY 4.0. Code: BSD 3-Clause.</p>'
        f'<p class="imprint">Every page of this book is a notebook that runs: '
        f'<a href="{address}">{address}</a></p></section>'
    )


def _contents(entries: Iterable[Entry], titles: dict[str, str]) -> str:
    """Table of contents; the numbers are put in once the pages are known."""
    lines = []
    for entry in entries:
        if entry.part:
            lines.append(f'<p class="part">{html.escape(entry.part)}</p>')
        lines.append(
            f'<p class="line depth-{entry.depth}"><a href="#{entry.slug}">'
            f"<span>{html.escape(titles[entry.slug])}</span>"
            '<span class="dots"></span>'
            f'<span class="number" data-place="{entry.slug}"></span></a></p>'
        )
    return f'<section class="contents"><h1>Contents</h1>{"".join(lines)}</section>'
