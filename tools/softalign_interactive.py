"""Sphinx extension of the book: a page loads the scripts of its interactive figures, once.

In a notebook each figure brings its style and scripts along, between two marks. On the site that
would send them once for every figure: here they are cut out, written to files once, and named in
the head of those pages that have such a figure.
"""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from softalign.interactive.figure import BEGIN, END, HERE

SHARED = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
KIND = re.compile(r'<figure class="sa-interactive" data-kind="(\w+)"')
FOLDER = "interactive"


def cut_out(text: str) -> tuple[str, list[str]]:
    """HTML without what its figures share, and the kinds of these figures, sorted."""
    return SHARED.sub("", text), sorted(set(KIND.findall(text)))


def read(app: Sphinx, doctree: nodes.document) -> None:
    """Cut the shared part out of a page's outputs; remember which kinds it has."""
    kinds: set[str] = set()
    for node in doctree.findall(nodes.raw):
        if "html" in node.get("format", "") and BEGIN in node.astext():
            text, found = cut_out(node.astext())
            kinds.update(found)
            node.children = [nodes.Text(text)]
            node.rawsource = text
    app.env.metadata[app.env.docname]["interactive"] = " ".join(sorted(kinds))


def copy(app: Sphinx) -> None:
    """Write style and scripts to the site's folder."""
    target = Path(app.outdir, "_static", FOLDER)
    target.mkdir(parents=True, exist_ok=True)
    for path in [*HERE.glob("*.js"), HERE / "style.css"]:
        target.joinpath(path.name).write_bytes(path.read_bytes())


def name_files(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Name the files in the head of a page that needs them."""
    env: BuildEnvironment = app.env
    kinds = env.metadata.get(pagename, {}).get("interactive", "").split()
    if not kinds:
        return
    app.add_css_file(f"{FOLDER}/style.css")
    for name in ("core", *kinds):
        app.add_js_file(f"{FOLDER}/{name}.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.connect("builder-inited", copy)
    app.connect("doctree-read", read)
    app.connect("html-page-context", name_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
