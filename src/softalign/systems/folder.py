"""A system in a folder: its files, what they must be, and how they are read without risk.

The file ``system.json`` is written last and names the digest of every other one: a folder without
it holds a training that has not ended, and a file that has another digest is not used.

Page: your_own_text
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softalign.systems.errors import FolderError

__all__ = ["digest_of", "read_json", "read_weights", "seal", "unseal", "write_bytes", "write_json"]

FORMAT = 1
SEAL = "system.json"


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file under another name, then give it its own: a reader finds all of it or nothing.

    Page: your_own_text
    """
    final = Path(os.path.realpath(path))  # the file that a link points to, not the link
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=final.parent, prefix=f".{final.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)
        os.replace(part, final)
    except BaseException:
        os.unlink(part)
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values as JSON, whole or not at all.

    Page: your_own_text
    """
    text = json.dumps(content, ensure_ascii=False, indent=1)
    write_bytes(path, f"{text}\n".encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` has written.

    Raises
    ------
    FolderError
        No such file, no JSON, or another version of the format.

    Page: your_own_text
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise FolderError(f"{path}: there is no such file") from None
    except NotADirectoryError:
        raise FolderError(f"{path.parent}: this is a file, expected a folder") from None
    except ValueError as problem:
        raise FolderError(f"{path}: this is not JSON as it was written ({problem})") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FolderError(f"{path}: this is of another format, expected format {FORMAT}")
    return content


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal.

    Page: your_own_text
    """
    return hashlib.sha256(content).hexdigest()


def seal(folder: Path, names: list[str], about: Mapping[str, Any]) -> None:
    """Write ``system.json``: what the system is, and the digests of its files.

    Page: your_own_text
    """
    files = {name: digest_of((folder / name).read_bytes()) for name in names}
    write_json(folder / SEAL, {"format": FORMAT, **about, "files": files})


def unseal(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read ``system.json``, and the files it names, if they are those that were written.

    Raises
    ------
    FolderError
        The folder holds no system, or a training that has not ended; a file is missing or damaged.

    Page: your_own_text
    """
    if not folder.is_dir():
        what = "this is a file, expected a folder" if folder.exists() else "there is no such folder"
        raise FolderError(f"{folder}: {what}")
    if not (folder / SEAL).exists():
        begun = (folder / "plan.json").exists()
        raise FolderError(
            f"{folder}: the training of this system has not ended, the same command goes on with it"
            if begun
            else f"{folder}: this is no system, expected a folder that 'softalign train' has made"
        )
    about, contents = read_json(folder / SEAL), {}
    files = about.get("files")
    if not isinstance(files, dict):
        raise FolderError(f"{folder / SEAL}: no files are named, expected a list of digests")
    for name, digest in files.items():
        if Path(name).name != name:
            raise FolderError(f"{folder / SEAL}: {name!r} is not the name of a file beside it")
        try:
            contents[name] = (folder / name).read_bytes()
        except FileNotFoundError:
            raise FolderError(f"{folder / name}: this file of the system is missing") from None
        if digest_of(contents[name]) != digest:
            raise FolderError(
                f"{folder / name}: damaged, or from another system: it is not the file that was "
                "written with this one"
            )
    return about, contents


def read_weights(path: Path, content: bytes) -> dict[str, Any]:
    """Read weights without running anything that a file may hold besides them.

    Raises
    ------
    FolderError
        The file holds something else.

    Page: your_own_text
    """
    import torch

    try:
        weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as problem:
        raise FolderError(f"{path}: these are not weights ({type(problem).__name__})") from None
    plain = isinstance(weights, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor)
        for name, tensor in weights.items()
    )
    if not plain:
        raise FolderError(f"{path}: expected names and tensors, and nothing else")
    return weights
