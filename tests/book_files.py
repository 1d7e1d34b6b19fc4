"""The book's files, read once for all tests of the house, the pages and the site."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "src" / "softalign"
COURSE = ROOT / "src" / "softalign_course"
SITE = ROOT / "_build" / "html"


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: kind, text, tags, metadata under ``mystnb``, outputs."""

    kind: str
    text: str
    tags: tuple[str, ...]
    mystnb: dict = field(default_factory=dict)
    outputs: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page of the book in its source form."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The path from the root without its ending: what the table of contents calls the page."""
        return str(self.path.relative_to(ROOT).with_suffix(""))

    @property
    def prose(self) -> str:
        """All text that is not code."""
        return "\n\n".join(cell.text for cell in self.cells if cell.kind == "markdown")

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")


def read_notebook(path: Path) -> Page:
    """Read a notebook as a page."""
    cells = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        metadata = cell["metadata"]
        cells.append(
            Cell(
                cell["cell_type"],
                "".join(cell["source"]),
                tuple(metadata.get("tags", ())),
                metadata.get("mystnb", {}),
                tuple(cell.get("outputs", ())),
            )
        )
    return Page(path, tuple(cells))


def table_of_contents() -> list[str]:
    """Names of all pages of the site, in reading order."""
    text = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    return re.findall(r"^(?:root:|\s*-\s*file:)\s*(\S+)", text, flags=re.MULTILINE)


def source_of(name: str) -> Page:
    """The source of the page with this name, notebook or Markdown."""
    notebook = ROOT / f"{name}.ipynb"
    if notebook.exists():
        return read_notebook(notebook)
    path = ROOT / f"{name}.md"
    return Page(path, (Cell("markdown", path.read_text(encoding="utf-8"), ()),))


# Pages that exist: that none is missing is a test of its own.
PAGES = tuple(
    source_of(name)
    for name in table_of_contents()
    if (ROOT / f"{name}.ipynb").exists() or (ROOT / f"{name}.md").exists()
)
NOTEBOOKS = tuple(page for page in PAGES if page.path.suffix == ".ipynb")
# Pages that teach: the chapters' notebooks with code, and the refresher.
LESSONS = tuple(
    page
    for page in NOTEBOOKS
    if page.code and (page.name.startswith("chapters/") or "prereq" in page.name)
)
