"""The search's index: to Sphinx's words the places that define what a reader may ask for.

``searchindex.js`` gets a key "finds": letters of the registry, terms of the glossary in English,
Chinese and pinyin, functions and modules of the library, errata, and for each term the section
whose text defines it. The theme loads the index on every page: `softalign_weight` leaves it to the
page of the search.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import softalign_find_meanings as meanings
from docutils import nodes
from softalign_find_library import ANCHOR
from softalign_find_pages import PAGE, plain, uses
from softalign_find_words import GREEK, BookSearch, readable
from sphinx.application import Sphinx
from sphinx.search import js_index

GLOSSARY, NOTATION = "book/glossary", "book/notation"
# In this order where a name fits several as well.
LETTER, TERM, PAGE_TITLE, DEFINED, NAME, ERRATUM, MODULE = range(7)
LONGEST = 70

Find = tuple[str, str, str, str, int, list[str]]


def shortened(text: str) -> str:
    """A sentence in one line of results."""
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def typed(text: str) -> str:
    """A sentence with formulas in letters that one would type."""
    text = re.sub(r"\{term\}`([^`<]+?)(?:\s*<[^>]*>)?`", r"\1", text)
    text = re.sub(r"\$([^$]+)\$", lambda m: readable(m[1]), text)
    return re.sub(r"\{cite[:\w]*\}`[^`]*`|\{\.?[\w-]+\}|[`*\[\]]", "", text).strip()


def names_of_letter(letter: meanings.Letter) -> tuple[str, list[str]]:
    """How a letter is shown in results, and all the ways in which one may type it."""
    label = readable(letter.latex)
    short = label
    for word, greek in GREEK.items():
        short = short.replace(greek, word)
    bare = [re.sub(r"\s*\(.*\)", "", name) for name in (label, short)]
    code = re.findall(r"`([^`]+)`", letter.code)
    stems = [name.split("_")[0] for name in bare if name.split("_")[0] in {*GREEK, *GREEK.values()}]
    return label, sorted({short, *bare, *code, *stems} - {label, ""})


def letters() -> list[Find]:
    """Every letter of the registry."""
    finds: list[Find] = []
    for letter in meanings.read_registry():
        label, names = names_of_letter(letter)
        about = shortened(typed(letter.meaning))
        finds.append((label, about, NOTATION, letter.anchor, LETTER, names))
    return finds


def unmarked(pinyin: str) -> str:
    """Pinyin without its tones, as one types it."""
    return "".join(
        c for c in unicodedata.normalize("NFD", pinyin) if not unicodedata.combining(c)
    ).lower()


def terms() -> list[Find]:
    """Every term of the glossary, under its English, Chinese and pinyin."""
    finds: list[Find] = []
    for term in meanings.read_glossary():
        short = re.findall(r"(?<![\w])([A-Z][A-Za-z]{1,5})\.$", term.text)  # "… AER."
        names = [term.chinese, term.pinyin, unmarked(term.pinyin), *short]
        about = f"{term.chinese}, {shortened(typed(meanings.lead(term.text)))}"
        finds.append((term.name, about, GLOSSARY, term.anchor, TERM, names))
    return finds


def library() -> list[Find]:
    """Every function, class and module of the library."""
    finds: list[Find] = []
    known = uses().library
    for entry in known.entries.values():
        aliases = [alias for alias, dotted in known.aliases.items() if dotted == entry.dotted]
        names = [entry.dotted, *aliases]
        about = shortened(plain(entry.summary))
        finds.append((entry.name, about, PAGE, entry.anchor, NAME, names))
    for module, about in known.modules.items():
        names = [module.rpartition(".")[2]]
        finds.append((module, shortened(plain(about)), PAGE, f"{ANCHOR}{module}", MODULE, names))
    return finds


def errata(labels: dict[str, tuple[str, str]]) -> list[Find]:
    """Every erratum in the list of errata, then in its chapter: the last is shown first."""
    places: dict[str, list[tuple[str, str]]] = {}
    for label, (docname, anchor, *_) in sorted(labels.items(), reverse=True):  # "erratum" first
        if found := re.fullmatch(r"errat(?:um|a)-(\d+-[a-z]\d+)", label):
            here = places.setdefault(found[1], [])
            if docname not in [other for other, _ in here]:  # a slip of the pen is in the list only
                here.append((docname, anchor))
    return [
        (f"Erratum {code}{', in the list' if number else ''}", "", docname, anchor, ERRATUM, [code])
        for number in (1, 0)
        for code, where in sorted(places.items())
        for docname, anchor in where[number : number + 1]
    ]


def headed(node: nodes.Node) -> bool:
    """Whether this is a section with a heading: exercises and solutions are some without."""
    return (
        isinstance(node, nodes.section)
        and bool(node["ids"])
        and node.first_child_matching_class(nodes.title) is not None
    )


def note_definitions(app: Sphinx, doctree: nodes.document) -> None:
    """Remember in which section of a page a term is set in bold, which is where it is defined."""
    known = {term.name.lower() for term in meanings.read_glossary()}
    found: dict[str, list[str]] = {}
    for node in doctree.findall(nodes.strong):
        words = " ".join(node.astext().lower().split())
        name = next((w for w in (words, words.removesuffix("s")) if w in known), None)
        section = node.parent
        while section is not None and not headed(section):
            section = section.parent
        if name and section is not None and name not in found:
            title = section[section.first_child_matching_class(nodes.title)].astext()
            top = isinstance(section.parent, nodes.document)
            found[name] = ["" if top else section["ids"][-1], title]
    app.env.metadata[app.env.docname]["sa_defines"] = found


def definitions(metadata: dict[str, dict]) -> list[Find]:
    """For each term the sections that define it."""
    by_name = {term.name.lower(): term for term in meanings.read_glossary()}
    finds: list[Find] = []
    for docname, values in sorted(metadata.items()):
        for name, (anchor, title) in values.get("sa_defines", {}).items():
            term = by_name[name]
            names = [term.name, term.chinese]
            label = f"{term.name} ({title})"
            if docname not in (GLOSSARY, NOTATION):
                finds.append((label, "", docname, anchor, DEFINED, names))
    return finds


def titles(titles: dict[str, nodes.title]) -> list[Find]:
    """Every page under its title and the name of its file."""
    return [
        (title.astext(), "", name, "", PAGE_TITLE, [name.rpartition("/")[2], name])
        for name, title in sorted(titles.items())
    ]


def all_finds(app: Sphinx) -> list[Find]:
    """All places, in a stable order."""
    places = [*letters(), *terms(), *titles(app.env.titles), *library()]
    places += errata(app.env.domains["std"].anonlabels)
    return [*places, *definitions(app.env.metadata)]


def extend_index(app: Sphinx, exception: Exception | None) -> None:
    """Write the places into the index."""
    path = Path(app.outdir, "searchindex.js")
    if exception is not None or app.builder.name != "html" or not path.exists():
        return
    index = js_index.loads(path.read_text(encoding="utf-8"))
    number = {name: n for n, name in enumerate(index["docnames"])}
    index["finds"] = [
        (label, about, number[docname], anchor, kind, names)
        for label, about, docname, anchor, kind, names in all_finds(app)
        if docname in number
    ]
    path.write_text(js_index.dumps(index), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    BookSearch.lang = "en"
    app.add_search_language(BookSearch)
    app.connect("doctree-read", note_definitions)
    app.connect("build-finished", extend_index)
