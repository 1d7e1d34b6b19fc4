"""Options of a command from a file: ``--config FILE.toml``, for every subcommand.

What the file says takes the place of the defaults, before the command line is read. So a flag on
the command line wins over the file, the file over what the command would do by itself, and the
types and choices of the command's own parser judge both.

Page: your_own_text
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from softalign.cli.messages import CommandError

__all__ = ["CONFIG_HELP", "LARGEST_CONFIG", "use_config"]

CONFIG_HELP = (
    "take options from this file; the command line wins over it, and paths in it are relative to "
    "the current folder (softalign --help shows one)"
)
LARGEST_CONFIG = 1_000_000
"""Bytes."""

_NOT_IN_A_FILE = ("help", "config")
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)

Parsers = Mapping[str, argparse.ArgumentParser]


def use_config(commands: Parsers, arguments: Sequence[str]) -> None:
    """Make what the file of ``--config`` says the defaults of the command that is called.

    A key of the file is a long option without its dashes, or the name of positional arguments;
    ``_`` stands for ``-`` too. It stands at the top, or in a table named after the command, which
    wins over the top; tables of other commands are not read.

    Parameters
    ----------
    commands : mapping of str to argparse.ArgumentParser
        The parsers of all subcommands; the one that is called is changed.
    arguments : sequence of str
        Of the command line: the name of the subcommand, and what follows it. Without ``--config``,
        nothing happens.

    Raises
    ------
    CommandError
        The file cannot be read or is not TOML (status 1); it has a key that the command does not
        know, or a value that the command does not take (status 2).

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.NamedTemporaryFile(suffix=".toml")
    >>> _ = file.write(b"steps = 20\\n[train]\\nlower = true\\n[align]\\nmodel = 'hmm'\\n")
    >>> file.flush()
    >>> parser = argparse.ArgumentParser()
    >>> _ = parser.add_argument("--steps", type=int), parser.add_argument("--config")
    >>> _ = parser.add_argument("--lower", action="store_true")
    >>> use_config({"train": parser, "align": parser}, ["train", "--config", file.name])
    >>> args = parser.parse_args(["--config", file.name])
    >>> args.steps, args.lower
    (20, True)

    Page: your_own_text
    """
    if not arguments or arguments[0] not in commands:
        return
    name, (given, path) = arguments[0], _scanned(arguments[1:])
    if path is None or given & {"-h", "--help"}:
        return
    command, keys = commands[name], _keys(commands[name])
    values: dict[argparse.Action, tuple[str, Any]] = {}
    for where, key, value in _settings(path, name, commands):  # a later one replaces an earlier one
        values[keys[key]] = (where, _converted(command, keys[key], key, value, where))
    values = {action: each for action, each in values.items() if each[1] is not None}
    for action, (where, value) in values.items():
        groups = [g for g in command._mutually_exclusive_groups if action in g._group_actions]
        rivals = {rival for group in groups for rival in group._group_actions} - {action}
        if both := rivals & values.keys():
            raise CommandError(f"{where}: not allowed beside {_key(both.pop())}", 2)
        if not any(_is_given(each, given) for each in (action, *rivals)):
            action.default, action.required = value, False
            for group in groups:
                group.required = False


def _scanned(arguments: Sequence[str]) -> tuple[set[str], str | None]:
    """What looks like an option on the command line, and the file of the last ``--config``."""
    given: set[str] = set()
    path = None
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("-"):
            option, equals, value = argument.partition("=")
            given.add(option)
            if option == "--config" and (equals or arguments[number + 1 :]):
                path = value if equals else arguments[number + 1]
    return given, path


def _is_given(action: argparse.Action, given: set[str]) -> bool:
    """Whether one of the options on the command line is this one; ``-oFILE`` is ``-o``."""
    return any(
        option in given or any(len(option) == 2 and each.startswith(option) for each in given)
        for option in action.option_strings
    )


def _key(action: argparse.Action) -> str:
    """The name of an action in a file."""
    long = [option[2:] for option in action.option_strings if option.startswith("--")]
    return long[0] if long else action.dest.replace("_", "-")


def _keys(command: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    keys = {_key(action): action for action in command._actions}
    return {key: action for key, action in keys.items() if key not in _NOT_IN_A_FILE}


# ------------------------------------------------------------------------------ keys


def _settings(path: str, name: str, commands: Parsers) -> Iterator[tuple[str, str, Any]]:
    """Yield for each key that concerns the command where it stands, its name, its value."""
    content = _read(path)
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    for key in tables:
        if key not in commands:
            raise CommandError(
                f"{path}: [{key}]: unknown table{_nearest(key, commands, '[{}]')}", 2
            )
    top = {key: value for key, value in content.items() if key not in tables}
    for where, table in ((f"{path}: ", top), (f"{path}: [{name}] ", tables.get(name, {}))):
        seen: dict[str, str] = {}
        for spelt, value in table.items():
            key = spelt.replace("_", "-")
            if key not in _keys(commands[name]):
                raise CommandError(f"{where}{spelt}: {_unknown(key, name, commands)}", 2)
            if key in seen:
                raise CommandError(f"{where}{spelt}: given twice, also as {seen[key]}", 2)
            seen[key] = spelt
            yield f"{where}{spelt}", key, value


def _unknown(key: str, name: str, commands: Parsers) -> str:
    """Why a command has no such key, and what may have been meant."""
    if key in _NOT_IN_A_FILE:
        return "not allowed in a file"
    if key in commands:
        return f"expected a table [{key}]"
    for other, parser in commands.items():
        if key in _keys(parser):
            return f"an option of {other}, not of {name}, expected under [{other}]"
    return f"unknown key{_nearest(key, _keys(commands[name]), '{}')}"


def _nearest(word: str, known: Iterable[str], form: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.0)
    return f", the nearest known one is {form.format(near[0])}" if near else ""


# ------------------------------------------------------------------------------ values


def _converted(
    command: argparse.ArgumentParser, action: argparse.Action, key: str, value: Any, where: str
) -> Any:
    """Return what the option would be with this value on the command line; None if absent."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise CommandError(f"{where}: {_shown(value)}, expected true or false", 2)
        scratch = argparse.Namespace()
        if value:
            action(command, scratch, [], f"--{key}")
        return getattr(scratch, action.dest, None)
    if action.nargs in (None, "?") and not isinstance(action, argparse._AppendAction):
        return _one(command, action, value, where)
    values = value if isinstance(value, list) else [value]
    if isinstance(action.nargs, int) and len(values) != action.nargs:
        raise CommandError(f"{where}: {len(values)} values, expected {action.nargs}", 2)
    if not values and action.nargs != "*":
        raise CommandError(f"{where}: an empty array, expected a value", 2)
    return [_one(command, action, each, where) for each in values]


def _one(command: argparse.ArgumentParser, action: argparse.Action, value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CommandError(f"{where}: {_shown(value)}, expected a number or text in quotes", 2)
    if "\0" in (text := str(value)):
        raise CommandError(f"{where}: {text!r}, expected text without NUL characters", 2)
    try:
        converted = command._get_value(action, text)
    except argparse.ArgumentError as problem:
        raise CommandError(f"{where}: {problem.message}", 2) from None
    if action.choices is not None and converted not in action.choices:
        choices = ", ".join(map(str, action.choices))
        raise CommandError(f"{where}: {text!r}, expected one of {choices}", 2)
    return converted


def _shown(value: Any) -> str:
    """A value as people know it from the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)
    return {list: "an array", dict: "a table"}.get(type(value), f"the date or time {value}")


# ------------------------------------------------------------------------------ the file


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST_CONFIG + 1)
    except FileNotFoundError:
        raise CommandError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise CommandError(f"{path}: this is a folder, expected a file") from None
    if len(content) > LARGEST_CONFIG:
        raise CommandError(f"{path}: larger than {LARGEST_CONFIG:,} bytes, expected options")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise CommandError(f"{path}, line {line}: not UTF-8") from None
    return _parsed(path, text)


def _parsed(path: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise CommandError(f"{path}: arrays or tables too deep in each other") from None
    except ValueError as problem:  # a number of too many digits is not told as an error of TOML
        reason, line = str(problem), None
        if place := _PLACE.fullmatch(reason):
            reason, line = place[1], place[2] or text.count("\n") + (not text.endswith("\n"))
        reason = reason[:1].lower() + reason[1:]
        raise CommandError(f"{path}{f', line {line}' if line else ''}: {reason}") from None
