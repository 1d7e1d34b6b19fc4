"""Sphinx extension of the book: a page loads what it uses, and an icon font of twenty icons.

The theme and the extensions name all their scripts and styles in the head of every page: the index
of the search on pages without one, the script of folds on pages that fold nothing. After the pages
are written, the lines for what a page has no use for are taken out again. The theme's icon font
holds two thousand icons, of which the site shows twenty: the font is cut down to these. And every
name, bracket and space of code is an element of its own, though most look like plain text: those
that do, in both themes, are written as plain text, more than half of them.

The theme's script asks every box whether it scrolls, one after another, and writes into each what
it heard before it asks the next; with folded boxes among them the browser lays out the page ten
times over. The book's own `access.js` asks all and then writes: this part of the theme's is out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from pygments.formatters import HtmlFormatter
from pygments.token import STANDARD_TYPES, Text, _TokenType
from softalign_written import rewrite
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

Classes = Iterable[frozenset[str]]
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
ICON = re.compile(r"\bfa-[a-z0-9]+(?:-[a-z0-9]+)*\b")
# a rule of the theme's style sheet that does nothing but say which letter of the font an icon is
LETTER = re.compile(r'([^{}]*)\{content:"(\\[0-9a-f]+ ?|[^"\\])"\}')
# What the theme's script asks of each box; what it does with the answer stands behind it.
ASKED = re.compile(
    r"document\.querySelectorAll\(\[\"pre\",[^\]]*\]\.join\(\", \"\)\)(?=\.forEach\()"
)
FONTS = {"fa-solid-900": 900, "fa-regular-400": 400, "fa-brands-400": 400}


def having(*names: str) -> Callable[[Classes], bool]:
    """Whether some element has one of these classes; "a.b" wants both, "a-*" any that begins so."""

    def fits(classes: Classes) -> bool:
        for name in names:
            if name.endswith("*"):
                if any(one.startswith(name[:-1]) for some in classes for one in some):
                    return True
            elif any(some.issuperset(name.split(".")) for some in classes):
                return True
        return False

    return fits


# Which elements a file is for. A file that is not named here stays.
USES = {
    "clipboard.min.js": having("highlight"),
    "copybutton.js": having("highlight"),
    "copybutton.css": having("highlight"),
    "togglebutton.js": having("toggle", "admonition.dropdown"),
    "togglebutton.css": having("toggle", "admonition.dropdown"),
    "design-tabs.js": having("sd-tab-set"),
    "sphinx-design.min.css": having("sd-*"),
    "exercise.css": having("exercise", "solution"),
    "proof.css": having("proof"),
    "katex.min.css": having("katex"),
    "katex-math.css": having("katex"),
    "pygments.css": having("highlight"),
    "mystnb.": having("cell", "highlight-myst-ansi"),
}
# Scripts that stand in the page itself, each known by a word, go with a file.
INLINE = {"toggleHint": "togglebutton.js", "toggleOpen": "togglebutton.js"}
INLINE["togglebuttonSelector"] = "togglebutton.js"
# What no page uses: the pages have no kernel to talk to.
NEVER = ("text/x-thebe-config", "kernelName =")
LINE = re.compile(r"[ \t]*(?:<script\b([^>]*)>(.*?)</script>|<link\b([^>]*)>)[ \t]*\n?", re.DOTALL)


def classes_of(text: str) -> set[frozenset[str]]:
    """The classes of each element of a page."""
    return {frozenset(found.split()) for found in set(re.findall(r'\bclass="([^"]*)"', text))}


def lean(text: str) -> str:
    """A page without the scripts and styles that it does not use."""
    classes = classes_of(text)
    unused = {name for name, used in USES.items() if not used(classes)}
    if 'id="search-results"' not in text:
        unused.update(SEARCH)

    def kept(line: re.Match) -> str:
        script, body, link = line[1], line[2], line[3]
        if body and any(word in f"{script}{body}" for word in NEVER):
            return ""
        named = re.search(r'(?:src|href)="([^"]*)"', script or link or "")
        if named:
            file = named[1].split("?")[0].rsplit("/", 1)[-1]
            return "" if any(file == name or _versioned(file, name) for name in unused) else line[0]
        owners = {owner for word, owner in INLINE.items() if body and word in body}
        return "" if owners & unused else line[0]

    return LINE.sub(kept, text)


def _versioned(file: str, name: str) -> bool:
    return name.endswith(".") and file.startswith(name)


# --- icons ----------------------------------------------------------------------------------------


def icons_of(texts: Iterable[str]) -> set[str]:
    """Names of all icons that are named in some HTML or script."""
    return {name for text in texts for name in ICON.findall(text)}


def fewer_icons(style: str, icons: set[str]) -> tuple[str, set[int]]:
    """The theme's style sheet with the rules of these icons alone, and the letters they need."""
    letters = {ord(" ")}

    def kept(rule: re.Match) -> str:
        selectors = rule[1].split(",")
        names = {name for one in selectors for name in ICON.findall(one)}
        plain = all(re.fullmatch(r"\s*\.fa-[a-z0-9-]+::?before", one) for one in selectors)
        if plain and not names & icons:
            return ""
        letters.add(_letter(rule[2]))
        return rule[0]

    style = LETTER.sub(kept, style)
    # icons that the style sheet itself sets, by a variable or beside other declarations
    letters |= private_letters(style)
    style = re.sub(
        r"(fa-[a-z]+-\d00)\.woff2\) format\(\"woff2\"\)", r'\1.woff) format("woff")', style
    )
    return re.sub(r",url\([^)]*fa-[^)]*\.ttf\) format\(\"truetype\"\)", "", style), letters


def private_letters(style: str) -> set[int]:
    """Letters of a style sheet that only an icon font has, written as themselves or as numbers."""
    written = {ord(letter) for letter in re.findall("[\ue000-\uf8ff]", style)}
    return written | {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", style)}


def _letter(written: str) -> int:
    return int(written[1:].strip(), 16) if written.startswith("\\") else ord(written)


def small_font(source: Path, letters: set[int], target: Path) -> None:
    """Write a font with these letters alone, as woff, which needs nothing that is not installed."""
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # or it names every table
    options = subset.Options(flavor="woff", layout_features=[], hinting=False, notdef_outline=False)
    font = subset.load_font(str(source), options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=letters)
    cut.subset(font)
    font["head"].modified = font["head"].created  # the same bytes at each build
    font.recalcTimestamp = False
    subset.save_font(font, str(target), options)
    font.close()


def theme_folder() -> Path:
    """The theme's own files."""
    import pydata_sphinx_theme

    return Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


def quiet(script: str) -> str:
    """The theme's script, which asks no box whether it scrolls."""
    script, count = ASKED.subn("[]", script)
    if count != 1:
        raise ExtensionError(
            f"[softalign] the theme's script asks boxes in {count} places, not in 1"
        )
    return script


def formatter(styles: Iterable[str]) -> type[HtmlFormatter]:
    """A formatter of code that marks only what one of these styles sets in a look of its own."""
    looks = [HtmlFormatter(style=style).style for style in styles]

    def plain(kind: _TokenType) -> bool:
        while kind not in STANDARD_TYPES:
            kind = kind.parent
        return all(look.style_for_token(kind) == look.style_for_token(Text) for look in looks)

    class Formatter(HtmlFormatter):
        def _get_css_classes(self, ttype: _TokenType) -> str:
            return "" if plain(ttype) else super()._get_css_classes(ttype)

    return Formatter


def highlight_less(app: Sphinx) -> None:
    """Have code highlighted by such a formatter, for the styles of the theme's two looks."""
    if app.builder.format == "html":
        options = app.builder.theme.get_options() | app.config.html_theme_options
        styles = [options[f"pygments_{look}_style"] for look in ("light", "dark")]
        app.builder.highlighter.formatter = formatter(styles)


def make_lean(app: Sphinx, exception: Exception | None) -> None:
    """Take out of the written pages what they do not use, and of the icon font too."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    texts = [*rewrite(out, lambda _, text: lean(text)).values()]
    static, theme = out / "_static", theme_folder()
    texts += [path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.js"))]
    source = (theme / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    style, letters = fewer_icons(source, icons_of(texts))
    for path in sorted(static.glob("*.css")):  # the book's own style may set icons too
        letters |= private_letters(path.read_text(encoding="utf-8"))
    (static / "styles" / "pydata-sphinx-theme.css").write_text(style, encoding="utf-8")
    script = (theme / "scripts" / "pydata-sphinx-theme.js").read_text(encoding="utf-8")
    script = re.sub(r"\n//# sourceMappingURL.*", "", quiet(script))
    (static / "scripts" / "pydata-sphinx-theme.js").write_text(script, encoding="utf-8")
    fonts = static / "vendor" / "fontawesome" / "webfonts"
    fonts.mkdir(parents=True, exist_ok=True)
    for name in FONTS:
        small_font(
            theme / "vendor/fontawesome/webfonts" / f"{name}.ttf", letters, fonts / f"{name}.woff"
        )
        (fonts / f"{name}.woff2").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.connect("builder-inited", highlight_less)
    app.connect("build-finished", make_lean, priority=910)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
