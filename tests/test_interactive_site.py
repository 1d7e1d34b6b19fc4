"""Interactive figures on the site and in the notebooks' comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import softalign_interactive as extension
from book_files import ROOT
from docutils import nodes
from matplotlib.figure import Figure

from softalign.interactive import Interactive
from softalign.interactive.figure import BEGIN, HERE


@pytest.fixture
def output():
    """What a cell with a figure sends to the page."""
    return Interactive("softmax", "One", "One figure.", {"a": [1]}, Figure)._repr_html_()


@pytest.fixture
def app(tmp_path):
    """As much of Sphinx as the extension uses."""
    named = []
    return SimpleNamespace(
        outdir=str(tmp_path),
        env=SimpleNamespace(docname="page", metadata={"page": {}}),
        named=named,
        add_css_file=lambda name: named.append(name),
        add_js_file=lambda name, loading_method: named.append((name, loading_method)),
    )


def document(*texts):
    """A page with these pieces of HTML among its outputs."""
    page = nodes.document(None, None)
    page += nodes.paragraph("", "Text.")
    for text in texts:
        page += nodes.container("", nodes.raw("", text, format="html"))
    return page


def test_a_page_keeps_its_figures_and_not_what_they_share(app, output):
    page = document(output, "<b>another output</b>", output)
    extension.read(app, page)
    left = [node.astext() for node in page.findall(nodes.raw)]
    assert [BEGIN in text for text in left] == [False] * 3
    assert [text.count("<figure") for text in left] == [1, 0, 1]
    assert ["<style" in text or "softalign.define" in text for text in left] == [False] * 3
    assert left[1] == "<b>another output</b>"
    assert app.env.metadata["page"]["interactive"] == "softmax"


def test_only_a_page_with_figures_names_the_files(app, output):
    extension.read(app, document("<b>none</b>"))
    extension.name_files(app, "page", "", {}, None)
    assert app.named == []
    extension.read(app, document(output))
    extension.name_files(app, "page", "", {}, None)
    assert app.named == [
        "interactive/style.css",
        ("interactive/core.js", "defer"),
        ("interactive/softmax.js", "defer"),
    ]


def test_the_files_that_are_named_are_there(app, output, tmp_path):
    extension.copy(app)
    extension.read(app, document(output))
    extension.name_files(app, "page", "", {}, None)
    for name in ("style.css", "core.js", "softmax.js"):
        written = tmp_path / "_static" / "interactive" / name
        assert written.read_bytes() == (HERE / name).read_bytes()
    assert not [*tmp_path.rglob("*.py")]


@pytest.mark.parametrize(("line", "status"), [("One: One figure.", 0), ("One: Another.", 1)])
def test_the_line_of_a_figure_is_compared_and_its_drawing_is_not(tmp_path, line, status):
    code = """
        from matplotlib.figure import Figure
        from softalign.interactive import Interactive
        Interactive("softmax", "One", "One figure.", {"a": [1]}, Figure)
    """
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "\n".join(text.strip() for text in code.strip().splitlines()),
        "execution_count": None,
        "outputs": [
            {
                "output_type": "execute_result",
                "execution_count": None,
                "metadata": {},
                "data": {"text/plain": line},
            }
        ],
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [cell],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "page.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "-q", "."]
    environment = dict(os.environ, PYTHONPATH=str(ROOT / "src"))
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == status, done.stdout
