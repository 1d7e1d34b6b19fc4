"""The pages that Sphinx has written: what the passes over them have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def html_files(out: Path) -> list[Path]:
    """Files of all pages, sorted; what lies among the static files is no page."""
    return sorted(p for p in out.rglob("*.html") if "_static" not in p.relative_to(out).parts)


def rewrite(out: Path, change: Callable[[Path, str], str]) -> dict[Path, str]:
    """Put each page through `change`, which gets its file and its text; return the new texts.

    A page that is not changed is not written.
    """
    texts = {}
    for path in html_files(out):
        text = path.read_text(encoding="utf-8")
        texts[path] = change(path, text)
        if texts[path] != text:
            path.write_text(texts[path], encoding="utf-8")
    return texts
