"""Faults planted in the library, to see that the checks would notice them."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def spoilt(value: object) -> object:
    """The same result with every number in it too large, the more the later it stands."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        ramp = torch.linspace(1.2, 1.4, max(value.numel(), 1), dtype=value.dtype)
        return value * ramp[: value.numel()].reshape(value.shape)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fi":
        return value * np.linspace(1.2, 1.4, value.size).reshape(value.shape)
    if isinstance(value, float):
        return 1.2 * value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(spoilt(v) for v in value))
    if isinstance(value, tuple | list):
        return type(value)(spoilt(v) for v in value)
    if dataclasses.is_dataclass(value):
        fields = {f.name: spoilt(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    return value


def find(name: str) -> tuple[object, str]:
    """Where a dotted name of the library is kept: a module or a class, and the last part."""
    *path, attribute = name.split(".")
    for cut in range(len(path), 0, -1):
        try:
            owner = importlib.import_module(".".join(path[:cut]))
        except ModuleNotFoundError:
            continue
        for part in path[cut:]:
            owner = getattr(owner, part)
        getattr(owner, attribute)  # complains if there is none
        return owner, attribute
    raise ModuleNotFoundError(name)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Replace a function or method of the library by one whose results are spoilt."""
    owner, attribute = find(name)
    true = getattr(owner, attribute)
    setattr(owner, attribute, lambda *given, **named: spoilt(true(*given, **named)))
    try:
        yield
    finally:
        setattr(owner, attribute, true)
