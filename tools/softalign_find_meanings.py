"""Short definitions: of the glossary's terms, and of the letters of the registry of notation.

A letter has a definition on a page only where its meaning cannot be mistaken: the registry declares
it once, the page stands at or after the first use, and the page has not announced a second meaning
that cannot be told apart. Plain italic letters, which authors use freely, have one only in the
chapter that declares them, apart from those that the registry's rules fix for the whole book.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "book" / "glossary.md"
NOTATION = ROOT / "book" / "notation.md"
# Letters whose meaning the registry's first rules and its tables of axes fix for the whole book.
EVERYWHERE = {"i", "j", "t", "S", "T", "B", "L"}
LONG = 240
# Names of functions, which KaTeX takes below or above a letter in braces only.
FUNCTIONS = (r"\max", r"\min", r"\log", r"\exp", r"\arg")
# The section of the registry that lists second meanings.
LOCAL = "notation-local"
ENTRY = re.compile(
    r"^(?P<term>\S[^\n]*)\n  \[(?P<chinese>[^\]]+)\]\{\.language-zh\} \(\*(?P<pinyin>[^*]+)\*\)\. "
    r"(?P<text>\S[^\n]*)$",
    re.MULTILINE,
)
MARKUP = re.compile(
    r"\$(?P<math>[^$]+)\$|\s*\{cite[:\w]*\}`[^`]*`|\{term\}`(?P<term>[^`]+)`"
    r"|\{(?:ref|doc|numref)\}`(?P<ref>[^`]+)`|\[(?P<han>[^\]]+)\]\{\.language-zh\}"
    r"|\[(?P<link>[^\]]+)\]\([^)]*\)|`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*]+)\*"
)


@dataclass(frozen=True)
class Term:
    """An entry of the glossary."""

    name: str
    chinese: str
    pinyin: str
    text: str

    @property
    def anchor(self) -> str:
        """The id that Sphinx gives to the entry."""
        from sphinx.util.nodes import _make_id  # docutils' own has no capital letters

        return f"term-{_make_id(self.name.replace(chr(39), '’'))}"  # set with a curly one


@dataclass(frozen=True)
class Letter:
    """A symbol of the registry: its formula as written there, meaning, name in code, first page."""

    latex: str
    meaning: str
    code: str
    first: str
    row: str = ""

    @property
    def key(self) -> str:
        """The formula in the form in which formulas are compared."""
        return normal(self.latex)

    @property
    def anchor(self) -> str:
        """Where the registry says this: the row of the symbol, or the list of second meanings."""
        return self.row or f"sym-{self.plain}"

    @property
    def name(self) -> str:
        """What its definition is called on a page: a second meaning has no row of its own."""
        return f"here-{self.plain}" if self.row == LOCAL else self.anchor

    @property
    def plain(self) -> str:
        """The formula in letters, digits and hyphens."""
        name = self.latex.replace("'", " prime").replace("1+", "one")
        return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-")


def read_glossary(text: str | None = None) -> list[Term]:
    """Every entry of the glossary."""
    text = GLOSSARY.read_text(encoding="utf-8") if text is None else text
    body = text.partition(":::{glossary}\n")[2]
    return [
        Term(match["term"], match["chinese"], match["pinyin"], match["text"])
        for match in ENTRY.finditer(body)
    ]


# --- the registry ---------------------------------------------------------------------------------


def normal(latex: str) -> str:
    r"""A formula without what does not show: spaces, and braces around a single thing.

    >>> normal(r"\mathbf{h}_{t}") == normal(r"\mathbf h_t")
    True
    """
    latex = re.sub(r"\\[,;:! ]|~", " ", latex.strip())
    tokens = re.findall(r"\\[A-Za-z]+\*?|\\.|\S", latex)
    done = True
    while done:  # {x} is x
        done = False
        for n in range(len(tokens) - 2):
            single = tokens[n + 1] not in ("{", "}", *FUNCTIONS)
            if tokens[n] == "{" and tokens[n + 2] == "}" and single:
                tokens[n : n + 3] = [tokens[n + 1]]
                done = True
                break
    return " ".join(tokens)


def parts(formula: str, marks: str = ",;") -> list[str]:
    """The pieces of a formula between commas and semicolons that stand outside of all brackets."""
    pieces, depth = [""], 0
    for character in re.sub(r"\\[ ,;:!]", " ", formula):
        depth += (character in "({[") - (character in ")}]")
        if character in marks and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces if piece.strip()]


def tables(text: str) -> list[list[list[str]]]:
    """All Markdown tables of a text, as rows of cells; the row of dashes left out."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        rows = [line.strip().strip("|").split("|") for line in block.splitlines()]
        found.append([[cell.strip() for cell in row] for n, row in enumerate(rows) if n != 1])
    return found


def cells(symbol: str) -> list[str]:
    """The formulas of a cell, each of one symbol."""
    return [
        piece
        for formula in re.findall(r"\$([^$]+)\$", symbol)
        for piece in parts(formula)
        if not piece.endswith(r"\dots") and "=" not in piece
    ]


def read_registry(text: str | None = None) -> list[Letter]:
    """Every symbol of the registry that has one row and one meaning."""
    text = NOTATION.read_text(encoding="utf-8") if text is None else text
    letters: list[Letter] = []
    for table in tables(text):
        if table[0][0] != "Symbol" or len(table[0]) != 5:
            continue
        for symbol, meaning, _, code, first in table[1:]:
            letters += [Letter(piece, meaning, code, first.strip("`")) for piece in cells(symbol)]
    letters += [other for letter in letters for other in relatives(letter, letters)]
    seen: dict[str, int] = {}
    for letter in letters:
        seen[letter.key] = seen.get(letter.key, 0) + 1
    return [letter for letter in letters if seen[letter.key] == 1]


def relatives(letter: Letter, registered: list[Letter]) -> list[Letter]:
    """Letters that the end of a meaning names along with its own, as h_i with h_t."""
    known = {other.key for other in registered}
    head = letter.key.split(" _ ")[0].split(" ^ ")[0]
    named = re.findall(r"\$([^$]+)\$", letter.meaning.partition("; ")[2])
    return [
        Letter(piece, letter.meaning, letter.code, letter.first, letter.anchor)
        for formula in named
        for piece in parts(formula)
        if normal(piece) not in known and normal(piece).startswith((f"{head} _ ", f"{head} ^ "))
    ]


def second_meanings(text: str | None = None) -> dict[str, list[tuple[str, str]]]:
    """For each page the letters that mean something else there; "" where it cannot be told what."""
    text = NOTATION.read_text(encoding="utf-8") if text is None else text
    local: dict[str, list[tuple[str, str]]] = {}
    for table in tables(text):
        if len(table[0]) != 4 or table[0][2] != "Only on":
            continue
        for symbol, meaning, pages, _ in table[1:]:
            formula = " ; ".join(re.findall(r"\$([^$]+)\$", symbol))
            groups = [parts(group) for group in parts(formula, ";")]
            meanings = [piece.strip() for piece in meaning.split(";")]
            flat = [piece.split("=")[0] for group in groups for piece in group]
            found = [(piece, "") for piece in flat]
            if len(flat) == len(meanings):
                found = [*zip(flat, meanings, strict=True)]
            elif len(groups) == len(meanings):
                alone = dict(zip((" ".join(group) for group in groups), meanings, strict=True))
                found = [(piece, alone.get(piece, "")) for piece in flat]
            for page in re.findall(r"`([^`]+)`", pages):
                local.setdefault(page, []).extend(found)
    return local


def letters_of(page: str, order: list[str]) -> dict[str, Letter]:
    """The letters that have one clear meaning on a page, by their normal form.

    `order` holds the names of all pages in reading order, each without ``book/`` and ``chapters/``.
    """
    place = {name: number for number, name in enumerate(order)}
    found: dict[str, Letter] = {}
    for letter in read_registry():
        plain = re.fullmatch(r"[A-Za-z]", letter.key)
        same_chapter = letter.first.rpartition("/")[0] == page.rpartition("/")[0]
        if plain and letter.key not in EVERYWHERE and not (same_chapter and "/" in page):
            continue
        if place.get(letter.first, len(place)) <= place.get(page, -1):
            found[letter.key] = letter
    for latex, meaning in second_meanings().get(page, []):
        found.pop(normal(latex), None)
        if meaning and not re.fullmatch(r"also .*", meaning):
            found[normal(latex)] = Letter(latex, f"on this page: {meaning}", "", page, LOCAL)
    return found


# --- as HTML --------------------------------------------------------------------------------------


def lead(text: str) -> str:
    """The definition if it is short, else its first sentences."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z{\[`*$])", text)
    short = sentences.pop(0)
    while sentences and len(short) + len(sentences[0]) < LONG:
        short += f" {sentences.pop(0)}"
    return short


def as_html(text: str, math: Callable[[str], str]) -> str:
    """A sentence of the book as HTML without links; `math` sets a formula."""

    def set_one(match: re.Match) -> str:
        if match["math"]:
            return math(match["math"])
        if words := match["term"] or match["ref"]:
            return html.escape(re.sub(r"\s*<[^>]*>$", "", words), quote=False)
        if match["han"]:
            return f'<span lang="zh">{match["han"]}</span>'
        for name, tag in (("code", "code"), ("strong", "b"), ("em", "i")):
            if match[name]:
                return f"<{tag}>{html.escape(match[name], quote=False)}</{tag}>"
        return html.escape(match["link"] or "", quote=False)

    pieces, end = [], 0
    for match in MARKUP.finditer(text):
        pieces += [html.escape(text[end : match.start()], quote=False), set_one(match)]
        end = match.end()
    return "".join([*pieces, html.escape(text[end:], quote=False)])


def term_html(term: Term, math: Callable[[str], str]) -> str:
    """What is shown of a term."""
    return (
        f'<b>{html.escape(term.name, quote=False)}</b> <span lang="zh">{term.chinese}</span> '
        f"<i>{term.pinyin}</i>. {as_html(lead(term.text), math)}"
    )


def letter_html(letter: Letter, math: Callable[[str], str]) -> str:
    """What is shown of a letter."""
    code = f" In code {as_html(letter.code, math)}." if letter.code else ""
    return f"{math(letter.latex)}: {as_html(letter.meaning, math)}.{code}"


def lean_mathml(mathml: str) -> str:
    """KaTeX's MathML without its source and wrappers."""
    found = re.search(r"<semantics>(.*?)<annotation", mathml, flags=re.DOTALL)
    inner = found[1] if found else re.sub(r"</?(?:span|math)[^>]*>", "", mathml)
    return f"<math>{inner}</math>"
