"""Run, normalise and check the notebooks of the book.

    python tools/notebooks.py run [PATH ...]     re-run and store (default: every page)
    python tools/notebooks.py check [PATH ...]   exit 1 if one is not in its stored form
    python tools/notebooks.py tidy [PATH ...]    bring into stored form without running

Stored form: text outputs only (pictures are drawn anew by whoever runs the page), no execution
counts, cell ids that depend on the cell's place and nothing else, metadata sorted and free of what
differs between machines.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is drawn anew by each run and not stored; an interactive figure has a line of text beside it.
PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "application/pdf", "text/html")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# Seconds a single cell may take before the run is given up.
CELL_TIMEOUT = 180


def pages() -> list[Path]:
    """Every notebook of the book, in a fixed order."""
    return sorted([*ROOT.glob("book/**/*.ipynb"), *ROOT.glob("chapters/**/*.ipynb")])


def normalise(notebook: dict) -> dict:
    """Return the stored form of a notebook, as a new dictionary."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        metadata = {
            key: value
            for key, value in sorted(cell.get("metadata", {}).items())
            if key in ("tags", "mystnb") and value
        }
        new = {
            "cell_type": cell["cell_type"],
            "id": f"cell-{number:03d}",
            "metadata": metadata,
            "source": "".join(cell["source"]).rstrip().splitlines(keepends=True),
        }
        if cell["cell_type"] == "code":
            new["execution_count"] = None
            new["outputs"] = [_normalise_output(output) for output in cell["outputs"]]
        cells.append(new)
    return {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _normalise_output(output: dict) -> dict:
    new = {
        key: value for key, value in output.items() if key not in ("execution_count", "metadata")
    }
    if "data" in new:
        new["data"] = {
            mime: "".join(value).splitlines(keepends=True)
            if isinstance(value, str | list)
            else value
            for mime, value in sorted(new["data"].items())
            if mime not in PICTURES
        }
    if "text" in new:
        new["text"] = "".join(new["text"]).splitlines(keepends=True)
    if output["output_type"] in ("display_data", "execute_result"):
        new["metadata"] = {}
    if output["output_type"] == "execute_result":
        new["execution_count"] = None
    return new


def dumps(notebook: dict) -> str:
    """The text of a notebook file: sorted keys, one space, Chinese left readable."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def run(path: Path) -> float:
    """Execute a notebook in place, store it in its normal form, and return the seconds it took."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    begin = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name=KERNEL["name"],
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    seconds = time.perf_counter() - begin
    path.write_text(dumps(normalise(notebook)), encoding="utf-8")
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["run", "check", "tidy"])
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: every page)")
    options = parser.parse_args(arguments)
    status = 0
    for path in [path.resolve() for path in options.paths] or pages():
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        if options.action == "run":
            print(f"{name}: running", end=" ", flush=True)
            print(f"{run(path):.1f} s", flush=True)
            continue
        text = path.read_text(encoding="utf-8")
        stored = dumps(normalise(json.loads(text)))
        if stored == text:
            continue
        if options.action == "tidy":
            path.write_text(stored, encoding="utf-8")
            print(f"{name}: tidied")
        else:
            print(f"{name}: not in its stored form; run 'make notebooks' and commit the result")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
