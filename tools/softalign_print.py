"""Sphinx extension of the book: pages on paper, and the site opened from a folder.

A site that is opened from a folder (``file://``) may load scripts and pictures but may not fetch
pages. Sphinx's search fetches each page it has found, to show some words of it: from a folder it
lists the pages without these words, and without an error.
"""

from __future__ import annotations

from sphinx.application import Sphinx

NO_SUMMARIES = (
    'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    # after all other sheets: it undoes what they do for screens
    app.add_css_file("print.css", priority=990, media="print")
    # after documentation_options.js, which makes the object; the search reads it at each result
    app.add_js_file(None, body=NO_SUMMARIES, priority=300)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
