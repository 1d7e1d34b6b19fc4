"""Sphinx extension of the book: finding things.

Its parts, each in a file of its own: words and index of the search (`softalign_find_words`,
`softalign_find_index`), definitions beside terms and letters (`softalign_find_meanings`,
`softalign_find_hover`), the page of the library and the way back (`softalign_find_library`,
`softalign_find_pages`), what other machines read (`softalign_find_head`, `softalign_find_cards`).
Style and script for readers are `book/_static/find.css` and `find.js`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import softalign_find_head as head
import softalign_find_hover as hover
import softalign_find_index as index
import softalign_find_pages as pages
from softalign_find_meanings import GLOSSARY, NOTATION
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).resolve().parent


def digest(app: Sphinx, config: Config) -> None:
    """Have every page written again when an extension changes, or what definitions are made of."""
    found = hashlib.sha256()
    library = sorted(pages.source.SOURCE.joinpath("softalign").rglob("*.py"))
    for path in [*sorted(HERE.glob("softalign_*")), GLOSSARY, NOTATION, *library]:
        if path.is_file():
            found.update(path.read_bytes())
    config.softalign_find_digest = found.hexdigest()


def add_button(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """A button in the page's bar that lists the keys; `find.js` makes it work."""
    button = {
        "type": "javascript",
        "javascript": "",
        "tooltip": "Keyboard shortcuts",
        "icon": "fas fa-keyboard",
        "label": "shortcuts-button",
        "classes": "pst-navbar-icon pst-js-only",
    }
    context.setdefault("header_buttons", []).append(button)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.add_config_value("softalign_find_digest", "", "html", types=[str])
    app.connect("config-inited", digest)
    for part in (pages, hover, index, head):
        part.setup(app)
    app.connect("html-page-context", add_button, priority=600)
    app.add_js_file("find.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": False, "env_version": 1}
