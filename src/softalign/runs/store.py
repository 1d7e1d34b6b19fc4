"""The files in ``results/``: found, read, and written whole or not at all.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from softalign.runs.model import Row

FIELDS = tuple(field.name for field in dataclasses.fields(Row))


class StoreError(ValueError):
    """Stored runs that are not there or cannot be read; the message says which."""


def results_folder() -> Path:
    """Return the folder of the stored runs: of the checkout, or of the installed package.

    Page: 02_rnn/rnn
    """
    package = Path(__file__).resolve().parent.parent
    root = package.parent.parent
    if package.parent.name == "src" and (root / "pyproject.toml").is_file():
        return root / "results"
    return package / "results"


def read(name: str, folder: Path | None = None) -> dict[str, Row]:
    """Return the stored rows of an experiment by name, none if it has no file.

    Raises
    ------
    StoreError
        The file is not as `write` leaves it.

    Page: 02_rnn/rnn
    """
    path = (folder or results_folder()) / f"{name}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {row: _row(values) for row, values in stored["rows"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise StoreError(
            f"{path} does not hold stored runs ({type(problem).__name__}: {problem}); "
            "put the committed file back, or delete it and run 'make runs'"
        ) from problem


def _row(values: Mapping) -> Row:
    fields = {name: values[name] for name in FIELDS}
    for name, value in fields.items():
        if isinstance(value, dict):
            fields[name] = MappingProxyType(value)
        elif isinstance(value, list):
            fields[name] = tuple(value)
    return Row(**fields)


def stored(name: str, *, folder: Path | None = None) -> Mapping[str, Row]:
    """Return the stored rows of an experiment, for a page to show.

    Parameters
    ----------
    name : str
        Name of the experiment.
    folder : Path, optional
        Where the file lies; without it, ``results/`` of the book.

    Returns
    -------
    mapping of str to Row
        In the order of the experiment.

    Raises
    ------
    StoreError
        Nothing is stored under this name; the message says what is.

    Page: 02_rnn/rnn
    """
    folder = folder or results_folder()
    rows = read(name, folder)
    if not rows:
        names = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise StoreError(
            f"no runs of {name!r} are stored in {folder} (there are: {names}); "
            f"'make runs RUN={name}' trains them"
        )
    return MappingProxyType(rows)


def write(name: str, page: str, rows: Mapping[str, Row], folder: Path | None = None) -> None:
    """Write the file of an experiment under another name, then give it its own.

    Page: 02_rnn/rnn
    """
    folder = folder or results_folder()
    folder.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=folder, prefix=f".{name}-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(as_text(name, page, rows))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, folder / f"{name}.json")
    except BaseException:
        os.unlink(part)
        raise


def as_text(name: str, page: str, rows: Mapping[str, Row]) -> str:
    """Return the text of a file: fields in a fixed order, one a line, so that changes are small.

    Page: 02_rnn/rnn
    """
    blocks = []
    for row, values in rows.items():
        fields = [f"   {_json(field)}: {_json(getattr(values, field))}" for field in FIELDS]
        blocks.append(f"  {_json(row)}: {{\n" + ",\n".join(fields) + "\n  }")
    head = f'{{\n "experiment": {_json(name)},\n "page": {_json(page)},\n "rows": {{\n'
    return head + ",\n".join(blocks) + "\n }\n}\n"


def _json(value: object) -> str:
    plain = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)
