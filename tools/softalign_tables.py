"""Sphinx extension of the book: under every plot, folded, the table of its numbers.

A figure carries its numbers in the metadata of its picture (``softalign.notebook.set_up`` sees to
it). The cache holds the executed page, and MyST-NB names a picture by the digest of its bytes: by
that name the numbers find the picture again. They are put behind the figure, not into it, since in
HTML a caption is the last thing in a figure. Every number is written to a CSV file beside the site.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from figure_tables import Table, as_csv, tables_of
from sphinx.application import Sphinx
from sphinx.util import logging

FOLDER = "_static/figure-data"
SUMMARY = "The numbers of this figure"
CHINESE = re.compile(
    r"[\u3001-\u303f\u3400-\u9fff\uff01-\uff5e]*[\u3400-\u9fff][\u3001-\u9fff\uff01-\uff5e]*"
)
FORMULA = re.compile(r"\$([^$]+)\$")
log = logging.getLogger(__name__)


class figure_numbers(nodes.General, nodes.Element):
    """The numbers of the figure before it; attributes numbers, name (the file's), figure (id)."""


def pictures(notebook: dict) -> Iterator[tuple[str, dict | None]]:
    """The name of each picture of an executed page, and the numbers it carries."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                data = b64decode("".join(output["data"]["image/png"]))
                carried = output.get("metadata", {}).get("image/png", {})
                yield hashlib.sha256(data).hexdigest(), carried.get("softalign")


def executed(path: Path, cache: str) -> dict:
    """A page with the outputs that the cache has of it; without any it stays as it is stored."""
    import nbformat
    from jupyter_cache import get_cache

    notebook = nbformat.read(path, as_version=4)
    try:
        return get_cache(cache).merge_match_into_notebook(notebook)[1]
    except KeyError:
        return notebook


def attach(app: Sphinx, doctree: nodes.document) -> None:
    """Put the numbers behind each figure of a page; mark figures that are diagrams."""
    path = app.env.doc2path(app.env.docname)
    if not path.endswith(".ipynb"):
        return
    found = dict(pictures(executed(Path(path), app.env.mystnb_config.execution_cache_path)))
    for image in list(doctree.findall(nodes.image)):
        key = Path(image["uri"]).stem
        if key not in found:
            continue
        numbers = found[key]
        frame = image
        while frame.parent is not None and not isinstance(frame, nodes.figure):
            frame = frame.parent
        whole = frame if isinstance(frame, nodes.figure) else _bundle(image)
        name = next(iter([*whole["names"], *whole["ids"]]), key[:16])
        for problem in ["it carries no numbers"] if numbers is None else numbers["unread"]:
            log.warning("[softalign] the numbers of figure %s: %s", name, problem, location=image)
        if numbers and numbers["panels"]:
            whole["classes"].append("sa-plot")
            node = figure_numbers(numbers=numbers, name=nodes.make_id(name))
            node["figure"] = next(iter(whole["ids"]), "")
            whole.parent.insert(whole.parent.index(whole) + 1, node)
        elif numbers is not None:
            whole["classes"].append("sa-diagram")


def _bundle(image: nodes.image) -> nodes.Element:
    """What MyST-NB wraps around the forms of one output; without it, the image itself."""
    node = image.parent
    while node is not None and node.get("nb_element") != "mime_bundle":
        node = node.parent
    return image if node is None else node


# --- HTML -----------------------------------------------------------------------------------------


def marked_up(text: str) -> str:
    """A label as HTML: formulas set, Chinese marked."""
    parts = FORMULA.split(text)
    parts[::2] = [
        CHINESE.sub(r'<span lang="zh">\g<0></span>', html.escape(part, quote=False))
        for part in parts[::2]
    ]
    parts[1::2] = [_formula(part) for part in parts[1::2]]
    return "".join(parts)


def _formula(latex: str) -> str:
    from sphinxcontrib import katex

    # as MathML, which browsers set themselves: it is a fifth of what KaTeX draws
    formula = katex.render_latex(latex, {"output": "mathml"})
    formula = re.sub(r"<annotation\b.*?</annotation>", "", formula, flags=re.DOTALL)
    return f'<span class="math">{formula}</span>'


def table_html(table: Table, ident: str, prefix: str) -> str:
    """One table in a box of its own that scrolls, also by keyboard, where it is too large."""
    head = "".join(f'<th scope="col">{marked_up(text)}</th>' for text in table.head)
    rows = []
    for row in table.rows:
        names = "".join(f'<th scope="row">{marked_up(text)}</th>' for text in row[: table.heads])
        cells = "".join(f"<td>{marked_up(text)}</td>" for text in row[table.heads :])
        rows.append(f"<tr>{names}{cells}</tr>")
    notes = "".join(f'<p class="sa-data-note">{marked_up(note)}</p>' for note in table.notes)
    caption = f'<caption id="{ident}-name">{prefix}{marked_up(table.caption)}</caption>'
    return (
        f'<div class="sa-data-box" role="group" tabindex="0" aria-labelledby="{ident}-name">'
        f'<table id="{ident}">{caption}'
        f"<thead><tr>{head}</tr></thead><tbody>\n{chr(10).join(rows)}\n</tbody></table></div>{notes}"
    )


def details_html(numbers: dict, name: str, link: str, prefix: str = "") -> str:
    """The folded part under a figure: its tables, and the link to the file with every number."""
    tables = tables_of(numbers)
    parts = []
    for k, table in enumerate(tables, 1):
        which = ", ".join(filter(None, (prefix, f"table {k}" if len(tables) > 1 else "")))
        parts.append(table_html(table, f"{name}-table-{k}", f"{which}: " if which else ""))
    body = "\n".join(parts)
    rows = as_csv(numbers)[1]
    return (
        f'<details class="sa-data" id="{name}-numbers"><summary>{SUMMARY}</summary>\n{body}\n'
        f'<p class="sa-data-file"><a href="{html.escape(link)}" download>'
        f"All numbers of this figure as a CSV file, {rows} rows</a></p></details>\n"
    )


def visit(translator, node: figure_numbers) -> None:
    """Write the tables, and the file they link to."""
    builder = translator.builder
    text, _ = as_csv(node["numbers"])
    file = Path(builder.outdir, FOLDER, f"{node['name']}.csv")
    file.parent.mkdir(parents=True, exist_ok=True)
    # the mark at the beginning tells spreadsheets that the Chinese is UTF-8
    file.write_text(text, encoding="utf-8-sig", newline="")
    folder = posixpath.dirname(builder.imgpath)
    link = posixpath.join(folder, FOLDER, file.name)
    number = builder.fignumbers.get("figure", {}).get(node["figure"], ())
    prefix = f"Fig. {'.'.join(map(str, number))}" if number else ""
    translator.body.append(details_html(node["numbers"], node["name"], link, prefix))


def leave_out(translator, node: figure_numbers) -> None:
    """Other formats than HTML have no folded parts: skip."""
    raise nodes.SkipNode


def nothing(translator, node: figure_numbers) -> None:
    """Leave a node: all has been written on entering it."""


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    others = dict.fromkeys(("latex", "text", "man", "texinfo"), (leave_out, None))
    app.add_node(figure_numbers, html=(visit, nothing), **others)
    app.connect("doctree-read", attach)
    # pages are written anew when these two files change
    here = Path(__file__).parent
    digest = hashlib.sha256(
        b"".join((here / name).read_bytes() for name in ("softalign_tables.py", "figure_tables.py"))
    ).hexdigest()
    app.add_config_value("softalign_tables_digest", digest, "env", types=(str,))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
