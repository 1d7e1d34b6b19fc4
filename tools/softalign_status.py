"""Sphinx extension of the book: what it was built with, and how long its pages take.

``{softalign-status}`` lists the seconds that each page took to execute, from the cache of outputs,
and the version of every package, from what is installed. ``{softalign-routes}`` adds the pages'
times up along the ways through the book. Nothing of it is typed. The date is that of the last
commit (or ``SOURCE_DATE_EPOCH``), so that the same sources and outputs make the same page again.
"""

from __future__ import annotations

import datetime
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import dist
from docutils import nodes
from softalign_find_pages import ROOT, BookDirective, page_files, table_of_contents
from sphinx.application import Sphinx

TIME = re.compile(r"\*\*Time:\*\* (\d+) minutes? to read(?: · (\d+) seconds? to run)?")
PAGE = "book/status"
# Ways through the book: a name, what it is for, and the pages or chapters in order.
ROUTES = (
    (
        "From cover to cover",
        "a course, or a term",
        ("book/prerequisites", "book/corpus", "chapters/"),
    ),
    (
        "Networks, with a look at counting",
        "you know probability and want to build networks",
        (
            *("book/prerequisites", "book/corpus", "chapters/01_smt/word_alignment"),
            *("chapters/01_smt/evaluation", *(f"chapters/0{n}" for n in range(2, 8))),
        ),
    ),
    (
        "The thread: alignment becomes attention",
        "a weekend",
        (
            *("book/corpus", "chapters/01_smt/word_alignment", "chapters/06"),
            *("chapters/05_encoder_decoder/bottleneck", "chapters/07_transformer/self_attention"),
        ),
    ),
    (
        "Statistical translation alone",
        "linguists, and everybody without torch",
        ("book/prerequisites", "book/corpus", "chapters/01"),
    ),
)


@dataclass(frozen=True)
class Times:
    """What a page says of itself."""

    read: int
    run: int
    exercises: int


def times_of(path: Path) -> Times:
    """The line with the times of a page, and how many exercises it has."""
    text = path.read_text(encoding="utf-8")
    found = TIME.search(text)
    if not found:
        raise ValueError(f"{path.name} has no line '**Time:** N minutes to read'")
    return Times(
        int(found[1]), int(found[2] or 0), len(re.findall(r"\{exercise(?:-start)?\}", text))
    )


def pages_of(route: tuple[str, ...]) -> list[str]:
    """The pages of a way: those whose names begin so, in reading order."""
    return [page for page in table_of_contents() if page.startswith(route)]


def executed(cache_path: str | Path, pages: Iterable[Path]) -> dict[Path, float]:
    """Seconds that each page took, as the cache of outputs has recorded them."""
    import nbformat
    from jupyter_cache import get_cache

    if not Path(cache_path).exists():
        return {}
    cache, found = get_cache(cache_path), {}
    for path in pages:
        notebook = nbformat.read(path, as_version=4)
        if not any(cell.cell_type == "code" for cell in notebook.cells):
            continue
        try:  # by its cells, not by its place: a cache may have been copied with the repository
            record = cache.match_cache_notebook(notebook)
        except KeyError:
            continue
        if "execution_seconds" in (record.data or {}):
            found[path] = record.data["execution_seconds"]
    return found


def packages() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Names and installed versions: of what the book asks for, and of what that brings along."""
    asked = set()
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if name := re.match(r"([\w.-]+)==", line):
            asked.add(plain(name[1]))
    found = []
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not (name := re.match(r"([\w.-]+)==", line)):
            continue
        try:
            found.append((name[1], metadata.version(name[1])))
        except metadata.PackageNotFoundError:  # for another operating system
            continue
    found.sort(key=lambda pair: pair[0].lower())
    return (
        [pair for pair in found if plain(pair[0]) in asked],
        [pair for pair in found if plain(pair[0]) not in asked],
    )


def plain(name: str) -> str:
    """A package's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def date() -> str:
    """The day of the sources."""
    day = datetime.datetime.fromtimestamp(dist.time_of(ROOT), datetime.UTC)
    return f"{day.day} {day:%B %Y}"


def table(head: tuple[str, ...], rows: list[tuple]) -> nodes.table:
    """A table of texts and nodes."""
    group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in head], cols=len(head))
    group += nodes.thead("", row_of(head))
    group += nodes.tbody("", *map(row_of, rows))
    return nodes.table("", group)


def row_of(cells: tuple) -> nodes.row:
    """A row of texts and nodes."""
    inner = [cell if isinstance(cell, nodes.Node) else nodes.Text(str(cell)) for cell in cells]
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", cell)) for cell in inner])


class StatusDirective(BookDirective):
    """``{softalign-status}``: date, run times, versions."""

    def run(self) -> list[nodes.Node]:
        """Make the tables."""
        for path in (Path(__file__), ROOT / "requirements.txt", ROOT / "constraints.txt"):
            self.env.note_dependency(str(path))
        name = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        first = f"Built from the sources of {date()}, with {name}."
        asked, brought = packages()
        return [
            nodes.paragraph("", first),
            self.section("status-times", "How long each page runs", *self.seconds()),
            self.section("status-packages", "What the book asks for", versions(asked)),
            self.section("status-others", "What that brings along", versions(brought)),
        ]

    def section(self, anchor: str, title: str, *content: nodes.Node) -> nodes.section:
        """A section with a title."""
        return nodes.section("", nodes.title("", title), *content, ids=[anchor], names=[anchor])

    def seconds(self) -> list[nodes.Node]:
        """A row for each page with code."""
        files, rows, total = page_files(), [], 0.0
        notebooks = [path for path in files.values() if path.suffix == ".ipynb"]
        known = executed(self.env.mystnb_config.execution_cache_path, notebooks)
        for page, path in files.items():
            if path in known:
                total += known[path]
                rows.append((self.link(page), f"{known[path]:.0f}", times_of(path).run or "–"))
        text = (
            "Seconds of processor and waiting, on the machine that built this site, one page after "
            "the other or two at a time. Beside them what the page promises. All pages together: "
            f"{total / 60:.0f} minutes."
        )
        return [nodes.paragraph("", text), table(("Page", "Seconds", "Promised"), rows)]


def versions(found: list[tuple[str, str]]) -> nodes.table:
    """A row for each package."""
    return table(("Package", "Version"), found)


class RoutesDirective(BookDirective):
    """``{softalign-routes}``: ways through the book with their lengths, and each chapter's."""

    def run(self) -> list[nodes.Node]:
        """Make the tables."""
        files = page_files()
        for path in files.values():
            self.env.note_dependency(str(path))
        rows = [
            (name, purpose, len(pages), *self.sums(pages))
            for name, purpose, route in ROUTES
            for pages in [pages_of(route)]
        ]
        head = ("Way", "For", "Pages", "Hours to read", "Minutes to run", "Exercises")
        chapters = sorted({page.split("/")[1] for page in files if page.startswith("chapters/")})
        parts = [
            (self.link(f"chapters/{name}/index"), len(pages), *self.sums(pages))
            for name in chapters
            for pages in [pages_of((f"chapters/{name}",))]
        ]
        return [table(head, rows), table(("Chapter", *head[2:]), parts)]

    def sums(self, pages: list[str]) -> tuple[str, str, int]:
        """Hours to read, minutes to run, exercises."""
        found = [times_of(page_files()[page]) for page in pages]
        read, run = sum(t.read for t in found), sum(t.run for t in found)
        return f"{read / 60:.0f}", f"{run / 60:.0f}", sum(t.exercises for t in found)


def read_again(app: Sphinx, env, docnames: list[str]) -> None:
    """Where any page is read, the status is read too: a page may have been executed."""
    if docnames and PAGE in env.found_docs and PAGE not in docnames:
        docnames.append(PAGE)


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx."""
    app.add_directive("softalign-status", StatusDirective)
    app.add_directive("softalign-routes", RoutesDirective)
    app.connect("env-before-read-docs", read_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
