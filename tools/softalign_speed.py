"""Sphinx extension of the book: the first words of a page wait for as little as possible.

The theme sends thirteen style sheets and a dozen scripts that a browser must have before it shows a
word, most of it for things that this book has not. After everything else is built, this extension

- merges the sheets that pages name into one, the same for all, which a browser fetches once; in it
  is no rule that no page can use: none whose class occurs in no page and in no script of the site;
- has the scripts wait until the page is read;
- has the fonts of formulas fetched beside the sheet, not after it: a formula set in another font
  and then in its own breaks its lines anew, and the page shifts. (Not from a disk: there browsers
  refuse it, and say so.)
- has the colours of the reader's system set before the first word is drawn. The theme sets "auto"
  and, when the page is read, light or dark: then the browser works out every element's style anew,
  on a phone for half a second, and who reads in the dark is dazzled.

Nothing that Sphinx wrote is changed but the pages; the sheets they named stay where they are.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from softalign_written import html_files
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

STATIC = "_static"
FOLDER = "lean"
LINK = re.compile(r"<link\b[^>]*>\n?")
SCRIPT = re.compile(r"<script\b([^>]*)></script>")
PRELOAD = re.compile(r'<link rel="preload" as="script"[^>]*>\n?')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"[^>]*></script>')
STRING = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
COMMENT = re.compile(rf"({STRING})|/\*.*?\*/", re.DOTALL)
# What braces and semicolons may stand in and mean nothing; and braces and semicolons.
TOKEN = re.compile(rf"""{STRING}|url\((?!["'\s])[^)]*\)|\\.|[{{}};]""", re.DOTALL)
# Blocks whose inside is rules again.
GROUPS = ("@media", "@supports", "@layer", "@container")
WORD = re.compile(r"[A-Za-z_][\w-]*")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# Fonts of formulas, each with a class that a formula set in it has.
FONTS = {
    "Main-Regular": "katex-html",
    "Math-Italic": "mathnormal",
    "Main-Bold": "mathbf",
    "Main-Italic": "mathit|textit",
    "Caligraphic-Regular": "mathcal",
    "AMS-Regular": "mathbb|amsrm",
    "Math-BoldItalic": "boldsymbol",
    "Typewriter-Regular": "texttt|mathtt",
}
# A fold that is shut: what it says of itself, and what a browser does not draw.
FOLDED = re.compile(
    r"<details(?![^>]*\bopen\b)[^>]*>\s*(<summary.*?</summary>)?.*?</details>", re.DOTALL
)
FETCH = """<script>
if (location.protocol !== "file:") for (const name of "NAMES".split(" ")) {
  const link = document.createElement("link");
  const href = `FOLDER${name}.woff2`;
  Object.assign(link, { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href });
  document.head.append(link);
}
</script>
"""
EARLY = re.compile(re.escape(FETCH).replace("NAMES", '[^"]*').replace("FOLDER", "[^$]*"))
# What the theme writes first of all, and what then finds out which colours "auto" means.
THEME = '    document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";\n'
AUTO = """    if (document.documentElement.dataset.mode === "auto") {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      document.documentElement.dataset.theme = dark ? "dark" : "light";
    }
"""
# Bootstrap's script puts some names together from pieces.
MADE_BY_SCRIPTS = re.compile(r"bs-|tooltip|popover|modal|collaps|fade$|show$")


# --- style sheets ---------------------------------------------------------------------------------


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Statements of a style sheet: what stands before the braces, and what inside.

    Comments are dropped; braces and semicolons in strings and in parentheses are left alone.
    """
    text = COMMENT.sub(lambda found: found[1] or "", text)
    begin, opened, depth = 0, 0, 0
    for found in TOKEN.finditer(text):
        place = found.start()
        if found[0] == "{":
            opened = opened if depth else place
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if depth == 0:
                yield text[begin:opened].strip(), text[opened + 1 : place].strip()
                begin = place + 1
        elif found[0] == ";" and depth == 0:
            yield text[begin:place].strip(), None
            begin = place + 1
    if depth or text[begin:].strip():
        raise ValueError(f"a style sheet ends in the middle of {text[begin : begin + 60]!r}")


def parts(selector: str) -> list[str]:
    """Alternatives of a selector: split at commas outside parentheses and brackets."""
    found, depth, begin = [], 0, 0
    for place, letter in enumerate(selector):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            found.append(selector[begin:place].strip())
            begin = place + 1
    return [*found, selector[begin:].strip()]


def needed(selector: str, words: set[str]) -> bool:
    """Whether something can have all classes that a selector asks for.

    What stands in parentheses, as in ``:not(.a)`` and ``:is(.a, .b)``, is not asked for.
    """
    bare = re.sub(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]", "", selector)
    while (shorter := re.sub(r"\([^()]*\)", "", bare)) != bare:
        bare = shorter
    return all(name in words or MADE_BY_SCRIPTS.match(name) for name in CLASS.findall(bare))


def lean(text: str, words: set[str]) -> str:
    """A style sheet without the rules that nothing can use."""
    kept = []
    for head, body in pieces(text):
        if body is None:
            if not head.startswith("@charset"):
                kept.append(f"{head};")
        elif head.startswith(GROUPS):
            inner = lean(body, words)
            if inner:
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            alive = [part for part in parts(head) if needed(part, words)]
            if alive:
                kept.append(f"{','.join(alive)}{{{body}}}")
    return "\n".join(kept)


def whole(folder: Path, name: str) -> str:
    """A sheet with those it imports, its addresses as seen from the folder of the merged one."""
    text = (folder / name).read_text(encoding="utf-8")
    base = posixpath.dirname(name)

    def address(found: re.Match) -> str:
        inner = found[1].strip("\"'")
        if re.match(r"[a-z]+:|#|/", inner):
            return found[0]
        return f'url("{posixpath.relpath(posixpath.join(base, inner), FOLDER)}")'

    def imported(found: re.Match) -> str:
        return whole(folder, posixpath.normpath(posixpath.join(base, found[1])))

    text = re.sub(r"""url\(\s*("[^"]*"|'[^']*'|[^)]*?)\s*\)""", address, text)
    text = re.sub(r"""@import\s+["']([^"']+)["']\s*;""", imported, text)
    return re.sub(r"""@charset\s+["'][^"']*["']\s*;""", "", text)


# --- pages ----------------------------------------------------------------------------------------


def sheets(page: str) -> list[tuple[str, str]]:
    """Links to style sheets of the site: the link, and the file's name below the static folder."""
    found = []
    for link in LINK.findall(page.partition("</head>")[0]):
        name = re.search(rf'href="(?:\.\./)*{STATIC}/([^"?]+\.css)', link)
        if name and re.search(r'rel="stylesheet"', link) and "media=" not in link:
            found.append((link, name[1]))
    return found


def every(pages: Sequence[str]) -> list[str]:
    """Names of the sheets that some page has, each behind those that it stands behind on a page."""
    each = {tuple(name for _, name in sheets(page)) for page in pages}
    behind: dict[str, set[str]] = {}
    for names in each:
        for place, name in enumerate(names):
            behind.setdefault(name, set()).update(names[:place])
    # of two that no page has together, the one of the longer list first
    longest = sorted(each, key=lambda names: (-len(names), names))
    wish = {name: nth for nth, name in enumerate(dict.fromkeys(chain.from_iterable(longest)))}
    order: list[str] = []
    while behind:
        free = [name for name, others in behind.items() if not others & behind.keys()]
        if not free:
            raise ValueError(f"pages name {', '.join(sorted(behind))} in orders that contradict")
        order.append(min(free, key=wish.__getitem__))
        del behind[order[-1]]
    return order


def quick(page: str, merged: str, names: Sequence[str], options: str) -> str:
    """A page that names the merged sheet in place of those in it, and whose scripts wait."""
    found = sheets(page)
    own = " ".join(name for _, name in found)  # a later build asks for them: see `_unmerged`
    for place, link in enumerate(link for link, name in found if name in names):
        up = re.search(rf'href="((?:\.\./)*){STATIC}/', link)[1]
        sources = " ".join(names)
        new = (
            f'<link rel="stylesheet" href="{up}{STATIC}/{FOLDER}/{merged}" '
            f'data-from="{sources}" data-own="{own}" />\n'
        )
        page = page.replace(link, new if place == 0 else "", 1)
    page = PRELOAD.sub("", EARLY.sub("", page))
    page = page.replace(AUTO, "").replace(THEME, THEME + AUTO)
    page = page.replace('<link rel="stylesheet"', early(page) + '<link rel="stylesheet"', 1)
    page = OPTIONS.sub(lambda _: f"<script>{options}</script>", page)
    return SCRIPT.sub(_waits, page)


def early(page: str) -> str:
    """A script that has a page's fonts of formulas fetched early, where a server sends them."""
    up = re.search(rf'href="((?:\.\./)*){STATIC}/', page)
    seen = FOLDED.sub(lambda found: found[1] or "", page)
    names = [n for n, used in FONTS.items() if re.search(rf'class="[^"]*\b(?:{used})\b', seen)]
    if up is None or not names:
        return ""
    folder = f"{up[1]}{STATIC}/katex/fonts/KaTeX_"
    return FETCH.replace("NAMES", " ".join(names)).replace("FOLDER", folder)


def _waits(found: re.Match) -> str:
    attributes = found[1]
    if "src=" not in attributes or re.search(r"\b(?:defer|async)\b|type=\"module\"", attributes):
        return found[0]
    return f"<script defer{attributes}></script>"


def speed(app: Sphinx, exception: Exception | None) -> None:
    """Mend all pages."""
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    static = out / STATIC
    texts = {path: path.read_text(encoding="utf-8") for path in html_files(out)}
    # pages of an earlier build name their sheets in their merged link
    plain = {path: _unmerged(text) for path, text in texts.items()}
    scripts = [path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.js"))]
    words = {word for text in [*plain.values(), *scripts] for word in WORD.findall(text)}
    try:
        names = every([page for page in plain.values() if sheets(page)])
        sheet = lean("\n".join(whole(static, name) for name in names), words)
    except (OSError, ValueError) as problem:
        raise ExtensionError(f"[softalign] {problem}") from None
    target = static / FOLDER
    for path in target.glob("*"):
        path.unlink()
    target.mkdir(exist_ok=True)
    merged = f"site.{hashlib.sha256(sheet.encode()).hexdigest()[:12]}.css"
    (target / merged).write_text(sheet, encoding="utf-8")
    options = (static / "documentation_options.js").read_text(encoding="utf-8").strip()
    for path, page in plain.items():
        new = quick(page, merged, names, options)
        if new != texts[path]:
            path.write_text(new, encoding="utf-8")


def _unmerged(page: str) -> str:
    """A page with the links to its own sheets, which an earlier build has merged.

    One of an older version noted no page's own sheets, but those of all pages.
    """

    def back(found: re.Match) -> str:
        return "".join(
            f'<link rel="stylesheet" href="{found[1]}{STATIC}/{name}" />\n'
            for name in (found[3] or found[2]).split()
        )

    start = rf'<link rel="stylesheet" href="([./]*){STATIC}/{FOLDER}/[^"]*" '
    return re.sub(start + r'data-from="([^"]*)"(?: data-own="([^"]*)")? />\n', back, page)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx, behind all others."""
    app.connect("build-finished", speed, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
