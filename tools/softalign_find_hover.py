"""Marks on terms and letters: each page carries, once and in short, the definitions that it uses.

Without scripts a term and the first letter of each kind in a section are links to the glossary and
to the registry of notation. `find.js` shows the definition beside them. A letter that returns in a
section is no second link, which would be one more stop of the keyboard, but can be pointed at.
"""

from __future__ import annotations

import json
import re
from functools import cache

import softalign_find_meanings as meanings
from docutils import nodes
from softalign_find_pages import table_of_contents
from softalign_find_terms import is_marked, mark_terms
from sphinx.application import Sphinx

GLOSSARY, NOTATION = "book/glossary", "book/notation"
# Where a letter stays as it is: a heading, a link, a term, code, what unfolds when it is clicked.
UNMARKED = (nodes.title, nodes.reference, nodes.term, nodes.literal_block)
TAGS = ("a", "summary", "button")
STYLES = ("mathbf", "mathrm", "mathcal", "mathbb", "boldsymbol", "text", "operatorname")
TERM = re.compile(r"#(term-[\w-]+)(?:\">)?$")


@cache
def order() -> list[str]:
    """Names of the pages as the registry writes them."""
    return [short(name) for name in table_of_contents()]


def short(page: str) -> str:
    """The name of a page as the registry writes it."""
    return page.removeprefix("book/").removeprefix("chapters/")


@cache
def terms() -> dict[str, meanings.Term]:
    """The glossary by the ids of its entries."""
    return {term.anchor: term for term in meanings.read_glossary()}


@cache
def set_formula(latex: str) -> str:
    """A formula as MathML, which is small, and which browsers set themselves."""
    from sphinxcontrib import katex

    return meanings.lean_mathml(katex.render_latex(latex, {"output": "mathml"}))


def place_of(node: nodes.Node) -> nodes.Node | None:
    """The section that a node stands in."""
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def is_free(node: nodes.Node) -> bool:
    """Whether a formula may be marked where it stands."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, UNMARKED) or parent.get("tag") in TAGS:
            return False
        parent = parent.parent
    return True


def spoken(plain: str) -> str:
    """A letter as words, from its name in addresses: how it is set is left out."""
    words = [word for word in plain.split("-") if word and word not in STYLES]
    return " ".join(["given" if word == "mid" else word for word in words])


def mark_letters(
    doctree: nodes.document, letters: dict[str, meanings.Letter], address: str
) -> dict[str, meanings.Letter]:
    """Mark the formulas that are one of these letters; returns the letters met, by their keys."""
    met: dict[str, meanings.Letter] = {}
    linked: set[tuple[int, str]] = set()
    for node in [*doctree.findall(nodes.math)]:
        letter = letters.get(meanings.normal(node.astext()))
        if letter is None or not is_free(node):
            continue
        key = letter.name
        met[key] = letter
        where = (id(place_of(node)), key)
        data = f'class="sa-letter" data-letter="{key}"'
        opening, closing = f"<span {data}>", "</span>"
        if where not in linked:
            linked.add(where)
            # browsers do not name a link by the formula in it
            label = f'aria-label="{spoken(letter.plain)}: what it stands for"'
            opening, closing = f'<a {data} {label} href="{address}#{letter.anchor}">', "</a>"
        node.replace_self(
            [
                nodes.raw("", opening, format="html"),
                node.deepcopy(),
                nodes.raw("", closing, format="html"),
            ]
        )
    return met


def name_rows(doctree: nodes.document) -> None:
    """Give the rows of the registry the ids that letters lead to."""
    anchors = {letter.key: letter.anchor for letter in meanings.read_registry() if not letter.row}
    for row in doctree.findall(nodes.row):
        for node in [*row[0].findall(nodes.math)]:
            for piece in meanings.parts(node.astext()):
                if anchor := anchors.pop(meanings.normal(piece), None):
                    node.parent.insert(node.parent.index(node), nodes.target("", "", ids=[anchor]))


def mark(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Mark the letters and terms of a page; the letters are kept for its list of definitions."""
    if app.builder.name != "html":
        return
    if docname == NOTATION:
        name_rows(doctree)
    elif docname != GLOSSARY:
        address = app.builder.get_relative_uri(docname, NOTATION)
        letters = meanings.letters_of(short(docname), order())
        doctree["sa_letters"] = mark_letters(doctree, letters, address)
        if is_marked(docname):
            mark_terms(doctree, docname, app.builder.get_relative_uri(docname, GLOSSARY))


def definitions(doctree: nodes.document) -> dict[str, str]:
    """What is shown of each term and letter of a page, by the fragment of its address."""
    shown = {
        key: meanings.letter_html(letter, set_formula)
        for key, letter in doctree.get("sa_letters", {}).items()
    }
    links = [node.get("refuri", "") for node in doctree.findall(nodes.reference)]
    links += [node.astext() for node in doctree.findall(nodes.raw)]
    for link in links:
        found = TERM.search(link)
        if found and found[1] in terms():
            shown[found[1]] = meanings.term_html(terms()[found[1]], set_formula)
    return dict(sorted(shown.items()))


def add_definitions(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Put the definitions at the end of a page, as data."""
    if doctree is None or app.builder.name != "html" or pagename in (GLOSSARY, NOTATION):
        return
    if shown := definitions(doctree):
        data = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace("</", r"<\/")
        context["body"] += f'<script type="application/json" id="sa-meanings">{data}</script>'


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", mark)
    app.connect("html-page-context", add_definitions)
