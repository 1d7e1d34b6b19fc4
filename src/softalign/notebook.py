"""The one set-up call of a page, and a way to show the library's own source on it."""

from __future__ import annotations

import inspect
import os
import textwrap
from collections.abc import Callable
from typing import Any

__all__ = ["Source", "set_up", "show"]


def set_up(*, torch: bool = False, seed: int = 0) -> None:
    """Prepare a page: fonts with Chinese glyphs, sharp figures, one thread, seeded torch.

    Parameters
    ----------
    torch
        Also seed torch, give it one thread and make it deterministic. Pages of the statistical
        half leave it False and never import torch.
    seed
        Seed for torch. NumPy needs none: pages make their own ``numpy.random.default_rng(seed)``.

    Notes
    -----
    A glyph that no font holds is a warning of Matplotlib's; in a page it is an error. A figure that
    is displayed carries its numbers along, in the metadata of its picture: notebooks do not show
    them, the site makes tables of them.

    Page: prerequisites
    """
    import warnings

    # read when NumPy is imported; small matrices gain nothing from more threads
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from softalign.plotting import use_book_style

    use_book_style()
    warnings.filterwarnings("error", message="Glyph .* missing from")
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        from IPython import get_ipython
    except ImportError:  # a plain Python session: fonts and seeds are enough
        shell = None
    else:
        shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        shell.run_line_magic("matplotlib", "inline")
        set_matplotlib_formats("png", dpi=160)
        _carry_numbers(shell)
    if torch:
        import torch as torch_

        torch_.manual_seed(seed)
        torch_.set_num_threads(1)
        torch_.use_deterministic_algorithms(True)


def _carry_numbers(shell: Any) -> None:
    from matplotlib.figure import Figure

    from softalign.figure_data import read_figure

    formatter = shell.display_formatter.formatters["image/png"]
    draw = formatter.lookup_by_type(Figure)

    def draw_with_numbers(figure: Figure) -> Any:
        picture = draw(figure)
        if picture is None:  # an empty figure is not shown
            return None
        try:
            numbers = read_figure(figure)
        except Exception as problem:  # readers draw what they like: the picture must be seen
            numbers = {"panels": [], "diagrams": 0, "unread": [f"{problem!r}"]}
        return picture, {"softalign": numbers}

    formatter.for_type(Figure, draw_with_numbers)


class Source:
    """The source text of an object, printed as code by notebooks and terminals."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(obj: Callable | type, *, docstring: bool = False) -> Source:
    """Show the library's own source of a function or class, as it runs.

    Parameters
    ----------
    obj
        A function, method or class that is defined in Python.
    docstring
        Keep the docstrings. They are left out by default: the page has just explained the thing.

    Raises
    ------
    TypeError
        If `obj` has no Python source.

    Examples
    --------
    >>> from softalign.notebook import show
    >>> print(show(Source.__repr__))
    def __repr__(self) -> str:
        return self.text

    Page: prerequisites
    """
    try:
        text = textwrap.dedent(inspect.getsource(obj)).rstrip()
    except (TypeError, OSError):
        raise TypeError(f"{obj!r} has no Python source to show") from None
    return Source(text if docstring else _without_docstrings(text))


def _without_docstrings(text: str) -> str:
    import ast

    lines = text.split("\n")
    drop: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if ast.get_docstring(node, clean=False) is None or len(node.body) == 1:
            continue
        first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
        if last < len(lines) and not lines[last].strip():
            last += 1
        drop |= set(range(first, last + 1))
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in drop)
