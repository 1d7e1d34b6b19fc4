"""Values as JSON text, for two processes that do not trust each other.

What the sealed worker sends back was computed by unknown code. So nothing is unpickled: a value is
text, and what is read from it is a plain number, string, list, tuple, dict or tensor of a known
type. A tensor that pretends (a subclass, say) arrives as the numbers it holds.

This file also runs inside the sandbox, on its own: it imports nothing of the package.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import torch

__all__ = ["WireError", "decode", "encode"]

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.float16,
        torch.float32,
        torch.float64,
    )
}
MOST_DEPTH = 20


class WireError(ValueError):
    """The text or the value is not one that can be sent; the message is one sentence."""


def encode(value: Any) -> str:
    """Write a value as text.

    Examples
    --------
    >>> decode(encode({"a": (1, None), "b": torch.tensor([True])}))
    {'a': (1, None), 'b': tensor([True])}
    """
    return json.dumps(_plain(value, 0))


def decode(text: str | bytes) -> Any:
    """Read a value back; whatever the text is, the only thing it can do is to raise `WireError`.

    Examples
    --------
    >>> decode('["tensor", "object", [1], ""]')
    Traceback (most recent call last):
        ...
    softalign_course.wire.WireError: not a value that was sent: KeyError('object')
    """
    try:
        return _value(json.loads(text), 0)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        RuntimeError,
    ) as problem:
        if isinstance(problem, WireError):
            raise
        raise WireError(f"not a value that was sent: {problem!r}"[:200]) from None


def _plain(value: Any, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise WireError(f"the value is nested more than {MOST_DEPTH} deep")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, torch.Tensor):
        with torch.no_grad():
            flat = value.detach().as_subclass(torch.Tensor).to("cpu").contiguous()
        name = str(flat.dtype).removeprefix("torch.")
        if name == "bfloat16":
            flat, name = flat.to(torch.float32), "float32"
        if name not in DTYPES:
            raise WireError(f"a tensor of type {name} cannot be compared")
        data = flat.reshape(-1).numpy().tobytes()
        return ["tensor", name, list(flat.shape), base64.b64encode(data).decode("ascii")]
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise WireError(f"an array of type {value.dtype} cannot be compared")
        return _plain(torch.from_numpy(np.array(value)), depth)
    if isinstance(value, dict):
        return [
            "dict",
            [[_plain(k, depth + 1), _plain(v, depth + 1)] for k, v in list(value.items())],
        ]
    for kind, name in ((tuple, "tuple"), (list, "list"), ((set, frozenset), "set")):
        if isinstance(value, kind):
            items = sorted(value, key=repr) if name == "set" else list(value)
            return [name, [_plain(item, depth + 1) for item in items]]
    raise WireError(f"a value of type {type(value).__name__} cannot be compared")


def _value(plain: Any, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise WireError(f"the value is nested more than {MOST_DEPTH} deep")
    if plain is None or isinstance(plain, (bool, int, float, str)):
        return plain
    kind, *rest = plain
    if kind == "tensor":
        name, shape, data = rest
        if not all(type(size) is int and 0 <= size <= 10**8 for size in shape):
            raise WireError("a tensor has a shape that is none")
        dtype = DTYPES[name]
        array = np.frombuffer(base64.b64decode(data, validate=True), dtype=np.dtype(name))
        return torch.from_numpy(array.copy()).to(dtype).reshape(shape)
    (items,) = rest
    if kind == "dict":
        return {_key(_value(k, depth + 1)): _value(v, depth + 1) for k, v in items}
    read = [_value(item, depth + 1) for item in items]
    if kind == "list":
        return read
    if kind == "tuple":
        return tuple(read)
    if kind == "set":
        return frozenset(_key(item) for item in read)
    raise WireError(f"a value of the unknown kind {kind!r}"[:200])


def _key(value: Any) -> Any:
    if isinstance(value, (torch.Tensor, list, dict)):
        raise WireError("a tensor, list or dict cannot be a key")
    return value
