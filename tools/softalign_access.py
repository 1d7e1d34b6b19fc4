"""Sphinx extension of the book: what the theme gets wrong for some readers is mended in the pages.

The theme, MyST-NB and Sphinx write pages whose buttons have no name, whose boxes scroll by mouse
alone, and whose Chinese is read out as if it were English. A pass over the written pages puts
this right, once for all of them: no page has to think of it, and nothing is left to scripts except
that a box which does not scroll is no stop of the Tab key, and that its edge fades where more is
hidden (`book/_static/access.js`).

The pass changes start tags and text and copies everything else letter by letter. It does nothing
to a page that it has mended before.
"""

from __future__ import annotations

import html
import re
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from softalign_glue import glued
from softalign_written import rewrite
from sphinx.application import Sphinx

TOKEN = re.compile(
    r"<!--.*?-->|<![^>]*>|<(/?)([a-zA-Z][^\s/>]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL
)
ATTRIBUTE = re.compile(r"([^\s=/>\"']+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr")
)
LANG = re.compile(r'(?<![\w-])lang="([^"]*)"')
RAW = frozenset(("script", "style", "title", "textarea"))
# Their text takes no element, or is not for reading.
NO_SPANS = frozenset(("option", "text", "tspan", "desc", "math", "annotation"))
# Chinese characters, and the punctuation that belongs to them when it stands among or after them.
HAN = r"[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
MARK = r"[\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20…—·]"
CHINESE = re.compile(rf"[〈《「『（]*{HAN}(?:[ \u00a0\u3000]?{MARK}*[ ]?{HAN})*{MARK}*")
# Pinyin: words with tones, some of them between words without. Macron and caron are what marks it:
# acute and grave stand in the names of authors too.
TONES = "āēīōūǖáéíóúǘǎěǐǒǔǚàèìòùǜ"
TONED = rf"[a-zü]*[{TONES}][a-zü{TONES}]*"
PINYIN = re.compile(rf"(?<!\w){TONED}(?:[ '’](?:[a-zü]+[ '’])??{TONED})*(?!\w)", re.IGNORECASE)
SURE = re.compile("[āēīōūǖǎěǐǒǔǚ]", re.IGNORECASE)
SYLLABLES = re.compile(r"(?:(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?[aeiouü]{1,3}(?:ng|n|r)?[ '’]?)+")
TOGGLES = ("primary-toggle", "secondary-toggle")
# Boxes that can be wider than the page, and what they are called when they are.
BOX = "sa-box"
PICTURE = "sa-picture"


@dataclass
class Open:
    """An element that is open: its tag, how it ends, and what holds inside it."""

    tag: str
    end: str
    lang: str
    attributes: str
    spans: bool  # text in it may be wrapped


class Mender:
    """One page on its way through; `size(src)` gives width and height of a picture, or None."""

    def __init__(self, text: str, size: Callable[[str], tuple[int, int] | None]) -> None:
        self.text, self.size = text, size
        self.out: list[str] = []
        self.open: list[Open] = []
        self.ids: dict[str, int] = {}
        self.link = ""  # words of the last link to a page: what a fold in the side bar belongs to
        self.title = plain(found[1]) if (found := re.search(r"<title>(.*?)</title>", text)) else ""

    def mended(self) -> str:
        """The page, mended."""
        place = 0
        for token in TOKEN.finditer(self.text):
            if token.start() < place:  # inside a script, a style or the like
                continue
            self.words(self.text[place : token.start()])
            place = token.end()
            tag = (token[2] or "").lower()
            if not tag:
                self.out.append(token[0])
            elif token[1]:
                self.close(tag, token[0])
            else:
                self.start(tag, token)
                if tag in RAW:
                    place = self.text.index(f"</{tag}", place)
                    self.out.append(self.text[token.end() : place])
        self.words(self.text[place:])
        return "".join(self.out)

    def words(self, text: str) -> None:
        """Text between two tags: Chinese and pinyin in it are marked, where they are not yet."""
        inside = self.open[-1] if self.open else None
        if not inside or not inside.spans or text.isascii() or not inside.lang.startswith("en"):
            self.out.append(text)
            return
        text = CHINESE.sub(r'<span lang="zh">\g<0></span>', text)
        self.out.append(PINYIN.sub(_pinyin, text))

    def start(self, tag: str, token: re.Match) -> None:
        """A start tag: mended if a rule says so."""
        raw, written = token[3], token[0]
        outer = self.open[-1] if self.open else Open("", "", "en", "", False)
        lang = found[1] if (found := LANG.search(raw)) else outer.lang
        spans = (outer.spans or tag == "body") and tag not in NO_SPANS and "katex-html" not in raw
        element = Open(tag, f"</{tag}>", lang, raw, spans)
        inner = tag == "span" and not outer.spans and " id=" not in raw  # thousands, of formulas
        rule = getattr(self, f"on_{tag}", None)
        if not inner and (rule or raw):
            attributes = parsed(raw)
            before = dict(attributes)
            self.any_tag(tag, attributes)
            if rule:
                self.out.append(rule(attributes, token.end(), element) or "")
            if attributes != before or element.tag != tag:
                closing = " /" if raw.endswith("/") else ""
                written = f"<{element.tag}{joined(attributes)}{closing}>"
                element.end = element.end.replace(f"</{tag}>", f"</{element.tag}>")
        self.out.append(written)
        if tag in VOID:
            self.out.append(element.end.removeprefix(f"</{tag}>"))
        elif not raw.endswith("/"):
            element.tag = tag  # it ends by the name it has in the source
            self.open.append(element)

    def close(self, tag: str, written: str) -> None:
        """An end tag; an element that was never closed ends with the one around it."""
        if not any(element.tag == tag for element in self.open):
            self.out.append(written)
            return
        while self.open:
            element = self.open.pop()
            if element.tag == tag:
                self.out.append(element.end)
                return

    def inside(self, words: str) -> bool:
        """Whether an element around this place has such attributes."""
        return any(words in element.attributes for element in self.open)

    # --- rules: what they return goes before the tag ----------------------------------------------

    def any_tag(self, tag: str, attributes: dict) -> None:
        """Ids once a page; icons are not read out; boxes that scroll."""
        name = attributes.get("id")
        if name:
            self.ids[name] = self.ids.get(name, 0) + 1
            if self.ids[name] > 1:
                attributes["id"] = f"{name}-again-{self.ids[name]}"
        classes = (attributes.get("class") or "").split()
        if tag in ("i", "span") and {"fa-solid", "fa-brands", "fa-regular", "fas", "fab"} & {
            *classes
        }:
            attributes["aria-hidden"] = "true"
        if attributes.get("role") == "presentation":  # a span has no meaning to take away
            del attributes["role"]
        elif attributes.get("role") == "doc-biblioentry":  # in a list, where only items may stand
            attributes["role"] = "listitem"
        if "katex-display" in classes:
            scrolls(attributes, "Formula")
        elif "pst-scrollable-table-container" in classes or BOX in classes:
            scrolls(attributes, "Table")

    def on_pre(self, attributes: dict, end: int, element: Open) -> None:
        """Code and printed output."""
        scrolls(attributes, "Output" if self.inside("cell_output") else "Code")

    def on_table(self, attributes: dict, end: int, element: Open) -> str | None:
        """A table stands in a box that scrolls, so that it can stay a table itself."""
        around = self.open[-1].attributes if self.open else ""
        if any(box in around for box in (BOX, "sa-data-box", "scrollable")) or self.inside(
            "sa-interactive"
        ):
            return None
        element.end += "</div>"
        box = {"class": BOX}
        scrolls(box, "Table")
        return f"<div{joined(box)}>"

    def on_th(self, attributes: dict, end: int, element: Open) -> None:
        """A head says what it heads; an empty corner of a table heads nothing."""
        close = self.text.find("</th>", end)
        if close >= 0 and not plain(self.text[end:close]):
            element.tag = "td"
            attributes.pop("scope", None)
        else:
            above = any(outer.tag == "thead" for outer in self.open)
            attributes.setdefault("scope", "col" if above else "row")

    def on_button(self, attributes: dict, end: int, element: Open) -> None:
        """A button has a type, and a name that holds the words it shows.

        The theme's scripts make the first button work that opens a side bar. That must not be the
        one in the header, which the book theme never shows.
        """
        attributes.setdefault("type", "button")
        if self.inside('id="pst-header"') and "class" in attributes:
            names = attributes["class"].split()
            attributes["class"] = " ".join(n for n in names if n not in TOGGLES)
        words = plain(self.text[end : self.text.index("</button>", end)])
        if words:
            if attributes.get("aria-label", words) not in (words, None):
                attributes.pop("aria-label")
                attributes.pop("title", None)
        elif "title" in attributes:
            attributes.setdefault("aria-label", attributes["title"])

    def on_summary(self, attributes: dict, end: int, element: Open) -> None:
        """A fold is named by its words; in the side bar it has none, and gets its chapter's."""
        words = plain(self.text[end : self.text.index("</summary>", end)])
        if words:
            attributes.pop("aria-label", None)
        else:
            attributes["aria-label"] = f"Pages of {self.link}"

    def on_a(self, attributes: dict, end: int, element: Open) -> None:
        """Remember the words of a link of the side bar."""
        if self.inside("bd-docs-nav"):
            self.link = plain(self.text[end : self.text.index("</a>", end)])

    def on_p(self, attributes: dict, end: int, element: Open) -> None:
        """No headings before the page's own; no paragraph where only words may stand."""
        if attributes.get("role") == "heading":
            del attributes["role"], attributes["aria-level"]
        if self.open and self.open[-1].tag == "summary":
            element.tag = "span"

    def on_h1(self, attributes: dict, end: int, element: Open) -> None:
        """The heading of the printed page is not empty."""
        if self.text.startswith("</h1>", end):
            element.end = f"{self.title}</h1>"

    def on_mtext(self, attributes: dict, end: int, element: Open) -> None:
        """Words in a formula: the one place there in which elements may stand."""
        self.on_option(attributes, end, element)
        element.spans = True

    def on_option(self, attributes: dict, end: int, element: Open) -> None:
        """Words in a list to choose from, in a picture: no element fits in."""
        words = self.text[end : self.text.index("<", end)]
        if CHINESE.fullmatch(words.strip()):
            attributes["lang"] = element.lang = "zh"

    on_text = on_tspan = on_option

    def on_div(self, attributes: dict, end: int, element: Open) -> None:
        """The side bar is a landmark; the theme's script wants it to stay a div."""
        if attributes.get("id") == "pst-primary-sidebar":
            attributes["role"] = "complementary"
            attributes["aria-label"] = "The book"

    def on_dialog(self, attributes: dict, end: int, element: Open) -> None:
        """A dialogue has a name."""
        names = {"search-dialog": "Search", "primary-sidebar-modal": "The book"}
        name = (attributes.get("id") or "").removeprefix("pst-")
        attributes.setdefault("aria-label", names.get(name, "This page"))

    def on_form(self, attributes: dict, end: int, element: Open) -> None:
        """A form can be sent without the Enter key."""
        if "submit" not in self.text[end : self.text.index("</form>", end)]:
            element.end = '<button type="submit" class="sa-submit">Search</button></form>'

    def on_img(self, attributes: dict, end: int, element: Open) -> str | None:
        """A picture has its place before it is there, and on a phone a box in which it scrolls.

        Figures wait until a reader comes near, so that the first words need not; logos in closed
        menus wait too.
        """
        src = html.unescape(attributes.get("src") or "")
        known = {"width", "height", "style"} & attributes.keys()
        if not known and (size := self.size(src)):
            attributes["width"], attributes["height"] = map(str, size)
        if "/images/logo_" in src:
            attributes["loading"] = "lazy"
        if not self.inside("cell_output") or self.inside(PICTURE) or "width" not in attributes:
            return None
        if not src.startswith("data:"):
            attributes |= {"loading": "lazy", "decoding": "async"}
        element.end += "</span>"
        box = {"class": PICTURE, "style": f"--sa-width: {attributes['width']}px"}
        scrolls(box, "Figure")
        return f"<span{joined(box)}>"


def _pinyin(found: re.Match) -> str:
    words = found[0]
    bare = unicodedata.normalize("NFD", words.lower().replace("ü", "v")).replace("v", "ü")
    bare = re.sub("[\u0300\u0301\u0304\u030c]", "", bare)
    good = SURE.search(words) and SYLLABLES.fullmatch(unicodedata.normalize("NFC", bare))
    return f'<span lang="zh-Latn">{words}</span>' if good else words


def scrolls(attributes: dict, name: str) -> None:
    """A box that may scroll: reached by the Tab key, and named."""
    attributes["tabindex"] = "0"
    attributes.setdefault("role", "group")
    attributes.setdefault("aria-label", name)


def parsed(raw: str) -> dict[str, str | None]:
    """Attributes by name; their values stay escaped as they are."""
    return {
        found[1]: None if found[2] is None else found[2].strip("\"'")
        for found in ATTRIBUTE.finditer(raw)
    }


def joined(attributes: dict[str, str | None]) -> str:
    """Attributes as a tag has them."""
    quote = {name: "'" if value and '"' in value else '"' for name, value in attributes.items()}
    return "".join(
        f" {name}" if value is None else f" {name}={quote[name]}{value}{quote[name]}"
        for name, value in attributes.items()
    )


def plain(text: str) -> str:
    """Words of a piece of HTML."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def mend(text: str, size: Callable[[str], tuple[int, int] | None] = lambda src: None) -> str:
    """A page, mended."""
    # the extension of exercises makes its space a part of the link
    text = re.sub(r"(Solution to)(<a [^>]*>) ", r"\1 \2", text)
    return Mender(glued(text), size).mended()


def picture_size(folder: Path, src: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or SVG file; None for any other."""
    path = folder / unquote(src.split("?")[0])
    if src.startswith("data:") or not path.is_file():
        return None
    start = path.read_bytes()[:4096]
    if start.startswith(b"\x89PNG"):
        return struct.unpack(">II", start[16:24])
    if box := re.search(rb"<svg[^>]*viewBox=\"[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)\"", start):
        return round(float(box[1])), round(float(box[2]))
    return None


def mend_pages(app: Sphinx, exception: Exception | None) -> None:
    """Mend every page; one mended before stays as it is."""
    if exception is not None or app.builder.format != "html":
        return
    rewrite(Path(app.outdir), lambda path, text: mend(text, partial(picture_size, path.parent)))


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.add_js_file("access.js", loading_method="defer")
    app.connect("build-finished", mend_pages, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
