"""The digest of all that a run depends on: code, data, version of torch; but not of its words.

The code counts as its syntax trees without docstrings, comments and annotations, of the module of
the experiment and of every softalign module that it imports, directly or not.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent
# They hold the version of the book, store the runs and list the experiments; they train nothing.
UNCOUNTED = ("softalign", "softalign.runs", "softalign.experiments")
# Modules whose names are there to be written in annotations.
TYPING = ("__future__", "collections.abc", "jaxtyping", "typing", "typing_extensions")
# What an annotation in the body of a class does besides describing: dataclasses look for it.
MEANINGFUL = ("ClassVar", "InitVar", "KW_ONLY")
# Fields that say where a name stands or how something was written, not what it is.
UNREAD = ("annotation", "ctx", "kind", "returns", "simple", "type_comment", "type_ignores")
GRAMMAR = "zh_en.grammar"


class _Plain(ast.NodeTransformer):
    """Take away what changes nothing: docstrings and other lone texts, ``pass``, annotations."""

    in_class = False

    def _inside(self, node: ast.AST, in_class: bool) -> ast.AST:
        outer, self.in_class = self.in_class, in_class
        self.generic_visit(node)
        self.in_class = outer
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, in_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node, in_class=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._inside(node, in_class=False)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_If(self, node: ast.If) -> ast.AST | None:
        name = getattr(node.test, "id", getattr(node.test, "attr", ""))
        only_typing = name == "TYPE_CHECKING" and not node.orelse
        return None if only_typing else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self.in_class:  # the field of a dataclass: that it is annotated makes it one
            parts = ast.walk(node.annotation)
            names = {getattr(part, "id", getattr(part, "attr", "")) for part in parts}
            marks = [ast.Name(name) for name in MEANINGFUL if name in names]
            node.target = ast.Tuple([node.target, *marks])
            node.annotation = ast.Constant(None)
            return self.generic_visit(node)
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))


def plain_tree(text: str) -> ast.Module:
    """Return the syntax tree of a module without docstrings, annotations and typing imports.

    >>> tree = plain_tree('"Words."\\nfrom typing import Any\\ndef f(x: Any): return x')
    >>> ast.unparse(tree)
    'def f(x):\\n    return x'

    Page: 02_rnn/rnn
    """
    tree = _Plain().visit(ast.parse(text))
    for node in ast.walk(tree):
        if hasattr(node, "returns"):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in TYPING:
            node.names = [name for name in node.names if (name.asname or name.name) in used]
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.ImportFrom) and not node.names)
    ]
    return tree


def texts(tree: ast.AST) -> set[str]:
    """Return all texts that stand in a syntax tree as constants.

    Page: 02_rnn/rnn
    """
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def dump(node: object) -> str:
    """Write a syntax tree as text, the same under every version of Python.

    Unlike ``ast.dump``, it leaves out every field that is empty, so that the fields that newer
    versions add to a node do not show.

    >>> dump(ast.parse("f(x)").body[0])
    "Expr(value=Call(func=Name(id='f'),args=[Name(id='x')]))"

    Page: 02_rnn/rnn
    """
    if isinstance(node, list):
        return f"[{','.join(dump(part) for part in node)}]"
    if not isinstance(node, ast.AST):
        return ascii(node)  # not repr: which characters it writes as they are depends on Python
    empty = ("None", "[]") if not isinstance(node, ast.Constant) else ()
    fields = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(node, ast.JoinedStr):  # Python 3.12 puts an empty text behind {x:{y}}
            value = [part for part in value if getattr(part, "value", None) != ""]
        text = dump(value)
        unwritten = name == "format_spec" and text == "JoinedStr()"  # {x:}
        if name not in UNREAD and text not in empty and not unwritten:
            fields.append(f"{name}={text}")
    return f"{type(node).__name__}({','.join(fields)})"


def imported(tree: ast.AST, name: str, *, package: bool) -> set[str]:
    """Return the dotted names that a module imports, or may: ``from a import b`` gives a and a.b.

    Parameters
    ----------
    tree : ast.AST
        Syntax tree of the module.
    name : str
        Its dotted name, which relative imports are resolved with.
    package : bool
        Whether it is the ``__init__`` of a package.

    Examples
    --------
    >>> sorted(imported(ast.parse("from .b import c"), "softalign.a", package=False))
    ['softalign.b', 'softalign.b.c']

    Page: 02_rnn/rnn
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")[: len(name.split(".")) - node.level + package]
                base = ".".join([*parts, *([base] if base else [])])
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def _file(name: str, library: Path) -> Path | None:
    """Return the file of a dotted name, or None if no module of the library has it."""
    first, *parts = name.split(".")
    if first != "softalign":
        return None
    path = library.joinpath(*parts)
    found = (path / "__init__.py", path.with_suffix(".py") if parts else path)
    return next((file for file in found if file.is_file()), None)


def closure(module: str, library: Path = LIBRARY) -> dict[str, ast.Module]:
    """Return the plain syntax tree of a module and of all softalign modules it imports.

    The packages that a module lies in are imported with it, so they are there too. `UNCOUNTED`
    modules are not: neither they nor what only they import.

    Raises
    ------
    ValueError
        There is no such module.

    Page: 02_rnn/rnn
    """
    if _file(module, library) is None:
        raise ValueError(f"there is no module {module} in {library}")
    trees: dict[str, ast.Module] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name, library)
        counted = name not in UNCOUNTED and not name.startswith("softalign.runs.")
        if path is None or name in trees or not counted:
            continue
        trees[name] = plain_tree(path.read_text(encoding="utf-8"))
        waiting += imported(trees[name], name, package=path.name == "__init__.py")
        waiting += [name.rpartition(".")[0]]
    return dict(sorted(trees.items()))


@cache
def _corpus_digest() -> str:
    from softalign import corpus

    return corpus.load().digest


def digest(module: str, *, library: Path | None = None) -> str:
    """Return the digest of all that a run of an experiment depends on.

    That is: the syntax trees, without docstrings, comments and annotations, of its module and of
    every softalign module this imports, directly or not (the modules that store the runs are left
    out); the pairs of the corpus, if it is among them; the files of data that they name; the
    version of torch. It is the same on every machine and under every version of Python.

    Parameters
    ----------
    module : str
        Dotted name, for example ``"softalign.experiments.char_lm"``.
    library : Path, optional
        Folder of another copy of the library.

    Returns
    -------
    str
        SHA-256 in hexadecimal.

    Raises
    ------
    ValueError
        There is no such module.

    Page: 02_rnn/rnn
    """
    library = library or LIBRARY
    trees = closure(module, library)
    parts = [f"torch {version('torch').split('+')[0]}"]
    parts += [f"{name} {dump(tree)}" for name, tree in trees.items()]
    named = set().union(*(texts(tree) for tree in trees.values()))
    for path in sorted((library / "data").glob("*")):
        if path.name in named and not (path.name == GRAMMAR and "softalign.corpus" in trees):
            parts.append(f"{path.name} {path.read_text(encoding='utf-8')}")
    if "softalign.corpus" in trees:  # in place of the grammar: its comments change nothing
        parts.append(f"corpus {_corpus_digest()}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
