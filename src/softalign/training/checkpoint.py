"""Checkpoints: written whole or not at all, and read only by the run that wrote them.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


class CheckpointError(ValueError):
    """A checkpoint that cannot be used here; the message says why."""


def weights_digest(state: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of names, shapes, types and values of a state dictionary.

    >>> import torch
    >>> weights_digest({"w": torch.zeros(2)}) == weights_digest({"w": torch.zeros(3)})
    False

    Page: 02_rnn/rnn
    """
    digest = hashlib.sha256()
    for name, tensor in state.items():
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {tuple(plain.shape)} {plain.dtype}\n".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write(path: Path, configuration: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a checkpoint under another name, then give it its own: a reader finds all or nothing.

    Page: 02_rnn/rnn
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"configuration": dict(configuration), "state": dict(state)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read(path: Path, configuration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the state in a checkpoint of the same configuration, or None where there is no file.

    Raises
    ------
    CheckpointError
        The file is no checkpoint, or one of another configuration; the message says what differs.

    Page: 02_rnn/rnn
    """
    if not path.exists():
        return None
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        theirs, state = stored["configuration"], stored["state"]
    except Exception as problem:
        raise CheckpointError(
            f"{path} is not a checkpoint that can be read ({type(problem).__name__}): "
            "delete it, or name another file"
        ) from problem
    for name, ours in configuration.items():
        if theirs.get(name) != ours:
            was = "" if name in ("weights", "schedule") else f" ({theirs.get(name)}, here {ours})"
            raise CheckpointError(
                f"{path} is the checkpoint of another run, whose {name} differs{was}: "
                "delete it, or name another file"
            )
    return state
