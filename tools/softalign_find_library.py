"""What the library offers, read from its source: names, first sentences, lines, users.

Nothing is imported: the syntax trees of `src/softalign` and of the pages' code cells are enough,
and the build stays quick. A name is public if an ``__all__`` of a module exports it; a package's
own ``__all__`` comes before those of its parts. A module whose name begins with an underscore
counts only as far as a page imports from it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
ANCHOR = "lib-"


@dataclass(frozen=True)
class Entry:
    """A public function or class: where it is exported, where it stands, what it is for."""

    module: str
    name: str
    kind: str
    path: str
    first: int
    last: int
    summary: str
    page: str

    @property
    def dotted(self) -> str:
        """The name in full: what a reader would import."""
        return f"{self.module}.{self.name}"

    @property
    def anchor(self) -> str:
        """Where the page of the library says what this is."""
        return ANCHOR + self.dotted


@dataclass
class Library:
    """All entries by their dotted names, what each module is for, and aliases of the entries."""

    entries: dict[str, Entry] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def first_sentence(docstring: str | None) -> str:
    """The first sentence of a docstring's first paragraph."""
    paragraph = re.split(r"\n\s*\n|\n\s*\.\. ", (docstring or "").strip(), maxsplit=1)[0]
    text = " ".join(paragraph.split())
    return re.split(r"(?<=[.?])\s+(?=[A-Z`])", text, maxsplit=1)[0]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def file_of(module: str) -> Path | None:
    """The file of a module of the library."""
    base = SOURCE / module.replace(".", "/")
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()), None)


def exported(module: str) -> list[str]:
    """What the module's ``__all__`` holds."""
    for node in tree_of(file_of(module)).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def statements(module: str) -> Iterator[ast.stmt]:
    """What stands at the top of a module, and in its ``if`` blocks: imports for type checkers."""
    for node in tree_of(file_of(module)).body:
        yield from node.body if isinstance(node, ast.If) else [node]


def resolve(module: str, name: str) -> tuple[str, ast.stmt] | None:
    """The module in which a name is defined as a function or class, and its definition."""
    if file_of(module) is None:
        return None
    names: dict[str, str] = {}
    for node in statements(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("softalign"):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            names[name] = reached(node.value, names) or ""  # another name for the same thing
    home, _, other = names.get(name, "").rpartition(".")
    return resolve(home, other) if home else None


def all_modules() -> list[str]:
    """Dotted names of all modules of the library, packages before their parts."""
    names = []
    for path in SOURCE.joinpath("softalign").rglob("*.py"):
        dotted = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        names.append(dotted.removesuffix(".__init__"))
    return sorted(names, key=lambda name: (name.count("."), name))


def read_library(imported: set[str] = frozenset()) -> Library:
    """Read the library; `imported` names what pages import, which makes private modules count."""
    names: dict[tuple[str, str], list[str]] = {}  # under which names a definition is public
    for module in all_modules():
        private = any(part.startswith("_") for part in module.split("."))
        for name in exported(module):
            found = resolve(module, name)
            if found is not None and not (private and f"{module}.{name}" not in imported):
                names.setdefault((found[0], found[1].name), []).append(f"{module}.{name}")
    library = Library()
    for (home, _), known in names.items():
        # the shortest name, else the one where it is defined
        first, *others = sorted(
            known, key=lambda n: (n.count("."), n.rpartition(".")[0] != home, n)
        )
        library.aliases |= dict.fromkeys(others, first)
        module, _, name = first.rpartition(".")
        library.entries[first] = entry_of(module, name, *resolve(module, name))
        library.modules[module] = first_sentence(ast.get_docstring(tree_of(file_of(module))))
    library.entries = {
        entry.dotted: entry
        for entry in sorted(library.entries.values(), key=lambda e: (e.module, e.name.lower()))
    }
    return library


def entry_of(module: str, name: str, home: str, node: ast.stmt) -> Entry:
    """The entry of a definition."""
    docstring = ast.get_docstring(node) or ""
    page = re.search(r"^\s*Page: (\S+)$", docstring, flags=re.MULTILINE)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return Entry(
        module,
        name,
        "class" if isinstance(node, ast.ClassDef) else "function",
        file_of(home).relative_to(ROOT).as_posix(),
        first,
        node.end_lineno,
        first_sentence(docstring),
        page[1].partition("#")[0] if page else "",
    )


# --- the pages ------------------------------------------------------------------------------------


def code_of(page: Path) -> Iterator[str]:
    """The code cells of a notebook, line magics left out; nothing for a page without code."""
    if page.suffix != ".ipynb":
        return
    for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            plain = "".join(cell["source"])
            yield re.sub(r"^(\s*)[%!].*$", r"\1pass", plain, flags=re.MULTILINE)


def used_names(page: Path) -> set[str]:
    """Dotted names of the library that the code of a page imports or reaches through a module."""
    names: dict[str, str] = {}  # what a name of the page stands for
    used: set[str] = set()
    for code in code_of(page):
        try:
            tree = ast.parse(code)
        except SyntaxError:  # a page may show one on purpose
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == "softalign":
                        names[alias.asname or "softalign"] = (
                            alias.name if alias.asname else "softalign"
                        )
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == (
                "softalign"
            ):
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    names[alias.asname or alias.name] = full
                    used.add(full)
        used |= {full for full in (reached(n, names) for n in ast.walk(tree)) if full}
    return used


def reached(node: ast.AST, names: dict[str, str]) -> str | None:
    """What ``a.b.c`` stands for, if ``a`` stands for a module of the library."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if parts and isinstance(node, ast.Name) and node.id in names:
        return ".".join([names[node.id], *reversed(parts)])
    return None


@dataclass(frozen=True)
class Uses:
    """The library, and for each entry the pages that use it, in reading order."""

    library: Library
    pages: dict[str, list[str]]

    def on(self, page: str) -> list[Entry]:
        """The entries that a page uses."""
        return [e for name, e in self.library.entries.items() if page in self.pages[name]]


def read_uses(pages: dict[str, Path]) -> Uses:
    """Read the library and the code of the pages, given by name in reading order."""
    used = {name: used_names(path) for name, path in pages.items()}
    library = read_library(set().union(*used.values()))
    found: dict[str, list[str]] = {name: [] for name in library.entries}
    for page, names in used.items():
        for dotted in names:
            dotted = library.aliases.get(dotted, dotted)
            if dotted in found and page not in found[dotted]:
                found[dotted].append(page)
    return Uses(library, found)
