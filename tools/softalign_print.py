"""Sphinx extension of the book: pages on paper, and the site opened from a folder.

A site that is opened from a folder (``file://``) may load scripts and pictures but may not fetch
pages. Sphinx's search fetches each page it has found, to show some words of it: from a folder it
lists the pages without these words, and without an error, by a line of `softalign_find_search.js`.
"""

from __future__ import annotations

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    # after all other sheets: it undoes what they do for screens
    app.add_css_file("print.css", priority=990, media="print")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
