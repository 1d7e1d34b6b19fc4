"""The page of the library, and at the end of each page what of the library it uses."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import softalign_find_library as source
from docutils import nodes
from softalign_find_words import readable
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = source.ROOT
PAGE = "book/library"
RST = re.compile(
    r":math:`(?P<math>[^`]+)`|``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|\*(?P<em>[^*\s][^*]*)\*"
)


def table_of_contents() -> list[str]:
    """Names of all pages, in reading order."""
    text = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"^(?:root:|\s*-\s*file:)\s*(\S+)", text, flags=re.MULTILINE)


def page_files() -> dict[str, Path]:
    """The file of each page that exists, in reading order."""
    files = {}
    for name in table_of_contents():
        for ending in (".ipynb", ".md"):
            if (path := ROOT / f"{name}{ending}").exists():
                files[name] = path
    return files


@cache
def uses() -> source.Uses:
    """The library and its uses, read once a build."""
    return source.read_uses(page_files())


def full_name(page: str) -> str:
    """The name in the table of contents of a page that a docstring names."""
    folder = "chapters" if "/" in page else "book"
    return f"{folder}/{page}"


def inline(text: str) -> list[nodes.Node]:
    """Nodes of a sentence of a docstring: formulas, code, names."""
    found: list[nodes.Node] = []
    end = 0
    for match in RST.finditer(text):
        if match.start() > end:
            found.append(nodes.Text(text[end : match.start()]))
        end = match.end()
        if match["math"]:
            found.append(nodes.math(match["math"], match["math"]))
        elif match["em"]:
            found.append(nodes.emphasis(match["em"], match["em"]))
        else:
            code = match["code"] or match["name"]
            found.append(nodes.literal(code, code))
    if end < len(text):
        found.append(nodes.Text(text[end:]))
    return found


def plain(text: str) -> str:
    """A sentence of a docstring as text alone."""
    return RST.sub(
        lambda m: (
            readable(m["math"]) if m["math"] else next(group for group in m.groups() if group)
        ),
        text,
    )


class BookDirective(SphinxDirective):
    """A directive that lists pages."""

    has_content = False

    def link(self, page: str) -> addnodes.pending_xref:
        """A link to a page under its title."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", page),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{page}",
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )


class LibraryDirective(BookDirective):
    """``{softalign-library}``: all entries, a section for each module."""

    def run(self) -> list[nodes.Node]:
        """Make the sections."""
        for path in [*source.SOURCE.joinpath("softalign").rglob("*.py"), *page_files().values()]:
            self.env.note_dependency(str(path))
        self.repository = self.config.html_theme_options["repository_url"].rstrip("/")
        self.branch = self.config.html_theme_options.get("repository_branch") or "main"
        modules: dict[str, list[source.Entry]] = {}
        for entry in uses().library.entries.values():
            modules.setdefault(entry.module, []).append(entry)
        return [self.section(module, modules[module]) for module in sorted(modules)]

    def section(self, module: str, entries: list[source.Entry]) -> nodes.section:
        """The section of a module."""
        section = nodes.section(ids=[f"{source.ANCHOR}{module}"], names=[])
        section += nodes.title("", "", nodes.literal(module, module))
        section += nodes.paragraph("", "", *inline(uses().library.modules[module]))
        items = nodes.definition_list(classes=["sa-library"])
        for entry in entries:
            items += self.item(entry)
        section += items
        return section

    def item(self, entry: source.Entry) -> nodes.definition_list_item:
        """The lines on one function or class."""
        term = nodes.term("", "", nodes.literal(entry.name, entry.name), ids=[entry.anchor])
        if entry.kind == "class":
            term += [nodes.Text(" "), nodes.inline("", "class", classes=["sa-kind"])]
        where = nodes.paragraph(classes=["sa-where"])
        used = uses().pages[entry.dotted]
        explained = full_name(entry.page)
        if entry.page and explained in page_files():
            where += [nodes.Text("Explained on "), self.link(explained), nodes.Text(". ")]
        if others := [page for page in used if page != explained]:
            where += nodes.Text("Used on ")
            for number, page in enumerate(others):
                where += [nodes.Text(", " if number else ""), self.link(page)]
            where += nodes.Text(". ")
        lines = f"L{entry.first}-L{entry.last}"
        address = f"{self.repository}/blob/{self.branch}/{entry.path}#{lines}"
        where += nodes.reference("", f"Source of {entry.name}", refuri=address, internal=False)
        where += nodes.Text(".")
        definition = nodes.definition("", nodes.paragraph("", "", *inline(entry.summary)), where)
        return nodes.definition_list_item("", term, definition)


def box(pagename: str, relative: str) -> str:
    """HTML of the folded list of what a page uses; nothing for a page that uses nothing."""
    entries = uses().on(pagename)
    if not entries:
        return ""
    items = "".join(
        f'<li><a href="{relative}#{entry.anchor}"><code>{entry.dotted}</code></a>: '
        f"{html.escape(plain(entry.summary), quote=False)}</li>"
        for entry in sorted(entries, key=lambda e: e.dotted.lower())
    )
    return (
        '<details class="sa-from-library"><summary>From the library on this page '
        f"({len(entries)})</summary><ul>{items}</ul></details>"
    )


def add_box(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put the list at the end of a page."""
    if doctree is not None and app.builder.name == "html" and pagename != PAGE:
        relative = app.builder.get_relative_uri(pagename, PAGE)
        context["body"] += box(pagename, relative)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.add_directive("softalign-library", LibraryDirective)
    app.connect("html-page-context", add_box)
