"""Which definitions of the library a page reaches: those it names, and what these are made of."""

from __future__ import annotations

import ast
import re
from functools import cache

import softalign_find_library as source
from book_files import Page

from softalign.cli import COMMANDS

Place = tuple[str, str]  # module and name


@cache
def definitions(module: str) -> dict[str, ast.stmt]:
    """What a module defines at its top: functions, classes, values."""
    found: dict[str, ast.stmt] = {}
    for node in source.tree_of(source.file_of(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id: node for t in targets if isinstance(t, ast.Name)}
    return found


@cache
def imports(module: str) -> dict[str, str]:
    """What the names stand for that a module imports from the library, wherever it does."""
    found = {}
    for node in ast.walk(source.tree_of(source.file_of(module))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("softalign"):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


@cache
def located(dotted: str) -> Place | None:
    """Where something is defined, followed through what packages import from their parts."""
    module, _, name = dotted.rpartition(".")
    if not module or source.file_of(module) is None:
        return None
    if name in definitions(module):
        return module, name
    further = imports(module).get(name, dotted)
    return located(further) if further != dotted else None


@cache
def neighbours(place: Place) -> frozenset[Place]:
    """What the body of a definition names."""
    module, name = place
    found = set()
    for node in ast.walk(definitions(module)[name]):
        if isinstance(node, ast.Name):
            dotted = imports(module).get(node.id, f"{module}.{node.id}")
        elif isinstance(node, ast.Attribute):
            dotted = source.reached(node, imports(module)) or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            dotted = f"{module}.{node.value}"  # a quoted annotation
        else:
            continue
        if (other := located(dotted)) is not None:
            found.add(other)
    return frozenset(found)


def reached(page: Page) -> set[Place]:
    """Every definition that a page names in code or text, and all that these are made of."""
    dotted = source.used_names(page.path)
    text = page.prose + "\n".join(cell.text for cell in page.code)
    # a stored run is what its experiment trains
    dotted |= {
        f"softalign.experiments.{name}.EXPERIMENT"
        for name in re.findall(r"""stored\(\s*["'](\w+)["']""", text)
    }
    for name in COMMANDS:
        if f"softalign {name} " in text:  # found by their names, see softalign.cli
            dotted |= {"softalign.cli.main", f"softalign.cli.{name}.run"}
            dotted.add(f"softalign.cli.{name}.add_arguments")
    waiting = [place for name in dotted if (place := located(name))]
    found: set[Place] = set()
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += neighbours(place)
    return found
