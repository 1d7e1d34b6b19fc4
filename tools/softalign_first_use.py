"""Sphinx extension of the book: where a term or a symbol is used first.

The glossary and the registry of notation say of each entry in which section it is used first, and
where a term is defined. Nothing of it is typed: the pages are read when the glossary is written.
A word with an everyday sense counts where it is set in bold or in italics, or linked to its entry.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import softalign_find_meanings as meanings
import softalign_symbols as letters
from docutils import nodes
from softalign_find_pages import table_of_contents
from softalign_find_terms import EVERYDAY
from softalign_find_words import readable
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

GLOSSARY, NOTATION = "book/glossary", "book/notation"
# Where one looks things up: a use there counts if there is no other.
LOOKED_UP = (
    *(NOTATION, "book/library", "book/instructors", "book/changelog", "book/how_to_read"),
    "book/solutions",
)
NOT_READ = (GLOSSARY, "book/references", "book/status", "book/cheat_sheet")
CODE = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.comment)
# Other names of a term, which count wherever they stand.
ALSO = {
    "activation function": ["activation"],
    "add-one smoothing": ["add one"],
    "alignment error rate": ["AER"],
    "ARPA file": ["ARPA"],
    "arg max": ["argmax"],
    "backpropagation through time": ["BPTT"],
    "bias of an estimate": ["has no bias at all"],
    "causal mask": ["causal"],
    "decoder-only model": ["decoder only"],
    "deep RNN": ["stacked"],
    "encoder–decoder": ["encoder-decoder"],
    "end-of-sentence symbol": ["end symbol", "end of a sentence"],
    "Gaussian distribution": ["Gaussian"],
    "initialisation": ["initialise", "initial weights", "drawn at random"],
    "linear attention": ["linear recurrence"],
    "monotone": ["without reordering", "in their order"],
    "normalising constant": ["normaliser", "sum of all exponentials"],
    "logarithm of a probability": ["log-probability", "log-probabilities", "logarithms"],
    "modified Kneser–Ney smoothing": ["modified Kneser–Ney"],
    "parallel corpus": ["parallel text"],
    "probability distribution": ["distribution"],
    "recurrent neural network": ["RNN", "recurrent network"],
    "residual stream": ["stream of sums"],
    "scaling law": ["falls as a power"],
    "start-of-sentence symbol": ["begin symbol", "start symbol"],
    "statistical machine translation": ["statistical translation", "statistical"],
    "stochastic gradient descent": ["SGD"],
    "training set": ["training pairs", "training data", "training text"],
    "unknown-word symbol": ["unknown word"],
    "word for word translation": ["word for word"],
}
# Forms that count where they are set in bold alone: elsewhere they are words like others.
BOLD = {
    "autoregressive model": ["autoregressive"],
    "bidirectional layer": ["bidirectional"],
    "concave function": ["concave"],
    "conditional language model": ["conditional"],
    "crossing links": ["cross"],
    "exploding gradient": ["exploding"],
    "independence": ["independent"],
    "n-gram": ["$n$-gram model"],
    "normal matrix": ["normal"],
    "one-hot vector": ["one-hot"],
    "orthogonal matrix": ["orthogonal"],
    "possible link": ["possible"],
    "pre-training": ["pre-trained"],
    "recurrent neural network": ["recurrent"],
    "rule-based machine translation": ["rule-based"],
    "source language": ["source"],
    "sure link": ["sure"],
    "target language": ["target"],
    "validation set": ["validation"],
    "vanishing gradient": ["vanishing"],
}


@dataclass(frozen=True)
class Place:
    """A section of a page."""

    page: str
    anchor: str
    title: str
    page_title: str


@dataclass
class Found:
    """What is known of a term: its first use, and the first place that sets it in bold."""

    used: Place | None = None
    defined: Place | None = None


@dataclass
class Section:
    """A section with what stands directly in it."""

    place: Place
    plain: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    bold: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)


def squeezed(text: str) -> str:
    """A text with single spaces, and with the apostrophe of a keyboard."""
    return " ".join(text.replace("’", "'").split())


def sections(page: str, doctree: nodes.document) -> Iterator[Section]:
    """The sections of a page in order, the page itself first."""
    page_title = next((squeezed(node[0].astext()) for node in doctree.findall(has_heading)), page)
    for node in doctree.findall(has_heading):
        title = squeezed(node[0].astext())
        section = Section(Place(page, node["ids"][0], title, page_title))
        for child in node.children:
            if not has_heading(child):
                read(child, section)
        yield section


def has_heading(node: nodes.Node) -> bool:
    """Whether this is a section of a page; what an exercise holds is one without a heading."""
    return isinstance(node, nodes.section) and isinstance(node[0], nodes.title)


def read(node: nodes.Node, into: Section) -> None:
    """Put the words and formulas below a node into a section."""
    if isinstance(node, nodes.math | nodes.math_block):
        into.formulas.append(node.astext())
    if isinstance(node, CODE):
        return
    if isinstance(node, nodes.Text):
        into.plain.append(node.astext().replace("’", "'"))
        return
    if isinstance(node, nodes.strong):
        into.bold.append(spelt(node))
    is_term = isinstance(node, addnodes.pending_xref) and node.get("reftype") == "term"
    if is_term or isinstance(node, nodes.strong | nodes.emphasis | nodes.title):
        into.marked.append(squeezed(node.astext()))
    for child in node.children:
        if not has_heading(child):
            read(child, into)
    if isinstance(node, nodes.paragraph | nodes.title | nodes.entry | nodes.term):
        into.plain.append("\n")


def spelt(node: nodes.Node) -> str:
    """The text of a bold term as it is written, formulas in dollars."""
    parts = (f"${c.astext()}$" if isinstance(c, nodes.math) else c.astext() for c in node.children)
    return squeezed("".join(parts))


def forms(name: str, bold: bool = False) -> list[str]:
    """The forms in which a term may stand in a sentence, or, `bold`, be set in bold.

    >>> forms("probability")
    ['probability', 'probabilities']
    """
    found = [name, *ALSO.get(name, []), *(BOLD.get(name, []) if bold else [])]
    for one in [*found]:
        if not one[-1].isalpha():
            continue
        plural = re.sub(r"([^aeiou])y$", r"\1ies", one)
        found.append(plural if plural != one else f"{one}s")
        found += [f"{one}es"] * one.endswith(("s", "x", "ch", "sh"))
        found += [re.sub(r"ix$", "ices", one)] * one.endswith("ix")
        found += [re.sub(r"is$", "es", one)] * one.endswith("is")
    found += [one.replace(" ", "-") for one in found if " " in one]
    return list(dict.fromkeys(squeezed(one) for one in found))


def pattern(several: list[str]) -> re.Pattern:
    """Any of these in a sentence; where a form has capitals, they count."""
    either = "|".join(
        re.escape(one) if one != one.lower() else f"(?i:{re.escape(one)})" for one in several
    )
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])".replace(r"\ ", r"\s+"))


class Seeker:
    """Looks for one term in section after section."""

    def __init__(self, name: str):
        self.everyday = name.lower() in EVERYDAY.split()
        several = forms(name)
        self.words = {re.split(r"[\s-]", one)[0].lower() for one in several}
        self.in_text, self.in_bold = pattern(several), pattern(forms(name, bold=True))
        self.found = Found()
        self.otherwise: Place | None = None  # a word that may have its everyday sense

    def look(self, section: Section, text: str, lowered: str, marked: str) -> None:
        """Note what a section has of the term."""
        found = self.found
        if found.defined is None and any(self.in_bold.fullmatch(b) for b in section.bold):
            found.defined = section.place
        if found.used or not any(word in lowered for word in self.words):
            return
        if self.in_text.search(marked if self.everyday else text):
            found.used = section.place
        elif self.everyday and self.otherwise is None and self.in_text.search(text):
            self.otherwise = section.place

    def result(self) -> Found:
        """What was found."""
        used = self.found.used or self.found.defined or self.otherwise
        return Found(used, self.found.defined)


def terms_in(pages: Iterable[Section], names: Iterable[str]) -> dict[str, Found]:
    """First use and definition of each term."""
    seekers = {name: Seeker(name) for name in names}
    for section in pages:
        text, marked = "".join(section.plain), "\n".join(section.marked)
        lowered = f"{text} {marked}".lower()
        for seeker in seekers.values():
            seeker.look(section, text, lowered, marked)
    return {name: seeker.result() for name, seeker in seekers.items()}


def symbols_in(pages: Iterable[Section], registry: list[tuple[str, str]]) -> dict[str, Place]:
    """The section that uses a symbol first on its first page, by its formula."""
    found: dict[str, Place] = {}
    on_page: dict[str, list[Section]] = {}
    for section in pages:
        on_page.setdefault(section.place.page, []).append(section)
    for formula, page in registry:
        there = on_page.get(page, [])
        for has in letters.patterns(formula):
            place = next((s.place for s in there if any(map(has, s.formulas))), None)
            if place and formula not in found:
                found[formula] = place
    return found


# --- on the pages ---------------------------------------------------------------------------------


def read_pages(app: Sphinx) -> list[Section]:
    """All sections of the pages on which one reads on, in reading order; read once a build."""
    if not hasattr(app, "softalign_sections"):
        order = [page for page in table_of_contents() if page not in NOT_READ]
        order.sort(key=lambda page: page in LOOKED_UP)
        app.softalign_sections = [
            section
            for page in order
            if page in app.env.found_docs
            for section in sections(page, app.env.get_doctree(page))
        ]
    return app.softalign_sections


def link(app: Sphinx, origin: str, place: Place) -> nodes.reference:
    """A link to a section."""
    address = app.builder.get_relative_uri(origin, place.page)
    title = place.page_title
    if place.title != title:
        title = f"{title}: {place.title}"
    uri = f"{address}#{place.anchor}"
    return nodes.reference("", title, refuri=uri, internal=True, classes=["sa-first"])


def add_to_glossary(app: Sphinx, doctree: nodes.document) -> None:
    """A line below each definition."""
    names = [squeezed(term.name) for term in meanings.read_glossary()]
    found = terms_in(read_pages(app), names)
    for item in doctree.findall(nodes.definition_list_item):
        one = found.get(squeezed(item[0].astext()))
        if one is None or one.used is None:
            continue
        line = nodes.paragraph(classes=["sa-where"])
        line += [nodes.Text("First used: "), link(app, GLOSSARY, one.used)]
        if one.defined and one.defined != one.used:
            line += [nodes.Text(". Defined: "), link(app, GLOSSARY, one.defined)]
        line += nodes.Text(".")
        item[-1] += line


def page_of(short: str) -> str:
    """The full name of a page that the registry names."""
    return f"chapters/{short}" if "/" in short else f"book/{short}"


def add_to_registry(app: Sphinx, doctree: nodes.document) -> None:
    """A link to the section in place of the typed page, in each row of the registry."""
    rows: list[tuple[nodes.row, str, str]] = []
    for row in doctree.findall(nodes.row):
        if len(row) == 5 and isinstance(row.parent, nodes.tbody):
            formula = next(iter(row[0].findall(nodes.math)), None)
            if formula is not None:
                rows.append((row, formula.astext(), page_of(row[4].astext().strip())))
    found = symbols_in(read_pages(app), [(formula, page) for _, formula, page in rows])
    for row, formula, _ in rows:
        if place := found.get(formula):
            row[4].clear()
            row[4] += nodes.paragraph("", "", link(app, NOTATION, place))


class SymbolsDirective(SphinxDirective):
    """``{softalign-symbols}``: every symbol of the registry in alphabetical order."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Make the list."""
        self.env.note_dependency(str(meanings.NOTATION))
        self.env.note_dependency(__file__)
        rows = [letter for letter in meanings.read_registry() if not letter.row]
        paragraph = nodes.paragraph(classes=["sa-symbols"])
        for letter in sorted(rows, key=by_letter):
            # browsers do not name a link by the formula in it
            label = html.escape(f"{readable(letter.latex)}: its row")
            opening = f'<a href="#{letter.anchor}" aria-label="{label}">'
            formula = nodes.math(letter.latex, letter.latex)
            paragraph += [nodes.raw("", opening, format="html"), formula]
            paragraph += nodes.raw("", "</a> ", format="html")
        return [paragraph]


def by_letter(letter: meanings.Letter) -> tuple:
    """Latin letters first, then Greek ones, then the rest, whatever their type and decoration."""
    found = next(letters.symbols(letter.latex), None)
    base = found.base if found else letter.latex
    plain = re.sub("|".join(rf"\\{name}" for name in letters.STYLES | letters.ACCENTS), "", base)
    plain = re.sub(r"[{}\\]", "", plain)
    greek = re.search(r"\\([A-Za-z]+)$", base.rstrip("}"))
    rank = 1 if greek and greek[1] in letters.LETTERS else 0 if plain[:1].isalpha() else 2
    return rank, plain.lower(), plain, letter.latex


def add(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Add the first uses to the two pages that list them."""
    if app.builder.name != "html":
        return
    if docname == GLOSSARY:
        add_to_glossary(app, doctree)
    elif docname == NOTATION:
        add_to_registry(app, doctree)


def note_reading(app: Sphinx, env, docnames: list[str]) -> None:
    """Remember whether this build reads any page."""
    app.softalign_reads = bool(docnames)


def write_again(app: Sphinx, env) -> list[str]:
    """Where any page has been read, the two pages are written again."""
    both = [page for page in (GLOSSARY, NOTATION) if page in env.found_docs]
    return both if app.softalign_reads else []


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx."""
    app.add_directive("softalign-symbols", SymbolsDirective)
    # after the marks of letters, which name the rows of the registry
    app.connect("doctree-resolved", add, priority=700)
    app.connect("env-before-read-docs", note_reading)
    app.connect("env-updated", write_again)
    return {"parallel_read_safe": True, "parallel_write_safe": False, "env_version": 1}
