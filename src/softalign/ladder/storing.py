"""Values as JSON, read strictly; files that are whole or not there at all.

Page: your_own_text
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["decoded", "encoded", "expect", "parsed"]

LARGEST = 1e300
"""No number is as large: 1e999, which JSON allows, would be infinite."""


def expect(good: bool, name: str, value: object, expected: str) -> None:
    """Raise a ValueError that names a field, unless its value is good.

    Page: your_own_text
    """
    if not good:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
        raise ValueError(f"{name} is {shown}, expected {expected}")


def parsed(text: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Raises
    ------
    ValueError
        It holds none.

    Page: your_own_text
    """
    try:
        values = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("lists within lists without end, expected an object") from None
    except json.JSONDecodeError as problem:
        raise ValueError(f"not JSON ({problem})") from None
    expect(isinstance(values, dict), "the whole", values, "an object")
    return values


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} stands in it, expected finite numbers")


def encoded(value: Any, where: str) -> Any:
    """Return what JSON has for a value: text, numbers, lists and objects.

    Raises
    ------
    ValueError
        JSON has nothing for it; the message names the field, which is inside of `where`.

    Page: your_own_text
    """
    if dataclasses.is_dataclass(value):
        value = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: encoded(one, f"{where}.{name}") for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [encoded(one, f"{where}[{number}]") for number, one in enumerate(value)]
    if isinstance(value, float):
        expect(math.isfinite(value), where.removeprefix("."), value, "a finite number")
    expect(
        value is None or isinstance(value, str | int | float),
        where.removeprefix("."),
        value,
        "text, a number, a truth value, nothing or a list of these",
    )
    return value


def decoded(kind: Any, value: Any, where: str) -> Any:
    """Return a JSON value as the type that a field declares.

    Raises
    ------
    ValueError
        It is of another type; the message names the field, which is inside of `where`.

    Page: your_own_text
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    name = where or "the whole"
    if origin is types.UnionType:  # int | None
        return None if value is None else decoded(inner[0], value, where)
    if dataclasses.is_dataclass(kind):
        expect(isinstance(value, dict), name, value, "an object")
        return _object(kind, value, where)
    if origin is Mapping:
        expect(isinstance(value, dict), name, value, "an object")
        found = {key: decoded(inner[1], one, f"{where}.{key}") for key, one in value.items()}
        return MappingProxyType(found)
    if origin is tuple:
        expect(isinstance(value, list), name, value, "a list")
        kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        expect(len(kinds) == len(value), name, value, f"a list of {len(kinds)}")
        parts = enumerate(zip(kinds, value, strict=True))
        return tuple(decoded(one, part, f"{where}[{number}]") for number, (one, part) in parts)
    if kind is Any:
        return value
    if kind is float:
        expect(type(value) in (int, float), name, value, "a number")
        expect(abs(value) < LARGEST, name, value, f"a number of less than {LARGEST:g}")
        return float(value)
    expect(type(value) is kind, name, value, {str: "text", int: "a whole number"}[kind])
    return value


def _object(kind: Any, value: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    names = [one.name for one in dataclasses.fields(kind)]
    prefix = f"{where}." if where else ""
    for key in value:
        if key not in names:
            raise ValueError(f"{prefix}{key} is not a field, expected {', '.join(names)}")
    for key in names:
        if key not in value:
            raise ValueError(f"{prefix}{key} is missing")
    parts = {key: decoded(hints[key], value[key], f"{prefix}{key}") for key in names}
    try:
        return kind(**parts)
    except ValueError as problem:
        raise ValueError(f"{prefix}{problem}") from None
