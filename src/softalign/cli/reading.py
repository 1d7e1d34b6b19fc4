"""Sentence pairs line by line: whatever a line holds, the next one is still the next one.

`softalign.parallel.read_pairs` leaves out what it cannot use. A command whose line n of output
belongs to line n of input may not: here every line gives a pair or the reason why it gives none.
"""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from softalign.cli.messages import CommandError

__all__ = [
    "LONGEST_LINE",
    "STANDARD_INPUT",
    "Line",
    "Row",
    "Unusable",
    "read_lines",
    "read_rows",
    "shown",
]

STANDARD_INPUT = "-"
LONGEST_LINE = 1_000_000
"""Bytes. What is longer is not kept in memory."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GZIP = b"\x1f\x8b"


class Unusable(Exception):
    """Why a line gives no pair.

    Attributes
    ----------
    file : str
        Where the reason was found.

    Page: 01_smt/word_alignment
    """

    def __init__(self, reason: str, file: str) -> None:
        super().__init__(reason)
        self.file = file


class Row(NamedTuple):
    """One line of input: the two sides as they stand in the file, or why there are none.

    Attributes
    ----------
    number : int
        From 1.
    source, target : str
        Without the end of the line; "" if `problem` is not None.
    problem : Unusable or None

    Page: 01_smt/word_alignment
    """

    number: int
    source: str
    target: str
    problem: Unusable | None


def read_rows(files: Sequence[str]) -> Iterator[Row]:
    """Yield one row for each line of a file of two columns, or of two files.

    A line ends at ``\\n`` (a ``\\r`` before it is white space), and the last one also at the end of
    the file. Content that is gzipped is unpacked, whatever the file's name. A byte order mark at
    the beginning is left out.

    Parameters
    ----------
    files : one or two of str
        A file of lines ``source TAB target`` (more columns are left out of account), or a file for
        each side; "-" is standard input.

    Raises
    ------
    CommandError
        A file that does not exist or cannot be read, damaged gzip, UTF-16, unequal numbers of
        lines.

    Page: 01_smt/word_alignment
    """
    with ExitStack() as stack:
        sides = [_lines(shown(name), stack.enter_context(_open(name))) for name in files]
        names = [shown(name) for name in files]
        pairs = _columns(names[0], sides[0]) if len(sides) == 1 else _side_by_side(names, sides)
        for number, (source, target) in enumerate(pairs, start=1):
            try:
                row = Row(number, _text(source, names[0]), _text(target, names[-1]), None)
            except Unusable as problem:
                row = Row(number, "", "", problem)
            yield row


class Line(NamedTuple):
    """One line of a file, or why it cannot be used.

    Attributes
    ----------
    number : int
        From 1.
    text : str
        Without the end of the line; "" if `problem` is not None.
    problem : Unusable or None

    Page: your_own_text
    """

    number: int
    text: str
    problem: Unusable | None


def read_lines(file: str) -> Iterator[Line]:
    """Yield each line of a file, as `read_rows` reads them.

    Raises
    ------
    CommandError
        A file that does not exist or cannot be read, damaged gzip, UTF-16.

    Page: your_own_text
    """
    name = shown(file)
    with _open(file) as stream:
        for number, line in enumerate(_lines(name, stream), start=1):
            try:
                yield Line(number, _text(_too_long(name) if line is None else line, name), None)
            except Unusable as problem:
                yield Line(number, "", problem)


def shown(name: str) -> str:
    """Return the name of an input as people are told it.

    Page: 01_smt/word_alignment
    """
    return "standard input" if name == STANDARD_INPUT else name


@contextmanager
def _open(name: str) -> Iterator[io.BufferedIOBase]:
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise CommandError("standard input is closed")
        # a second object for the same stream: closing it leaves standard input open
        stream = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
    else:
        try:
            stream = open(name, "rb")  # noqa: SIM115
        except FileNotFoundError:
            raise CommandError(f"{name}: there is no such file") from None
        except IsADirectoryError:
            raise CommandError(f"{name}: this is a folder, expected a file") from None
        except ValueError:
            raise CommandError(f"{name!r} is not the name of a file") from None
    with stream:
        yield gzip.GzipFile(fileobj=stream) if stream.peek(2).startswith(_GZIP) else stream


def _lines(name: str, stream: io.BufferedIOBase) -> Iterator[bytes | None]:
    """Lines of a file without their ends; None for one that is too long."""
    first = True
    try:
        while line := stream.readline(LONGEST_LINE):
            if first:
                if line.startswith(_UTF16):
                    raise CommandError(f"{name}, line 1: a mark of UTF-16, expected UTF-8")
                line, first = line.removeprefix(codecs.BOM_UTF8), False
            if len(line) < LONGEST_LINE or line.endswith(b"\n"):
                yield line.rstrip(b"\r\n")
                continue
            while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield None
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise CommandError(f"{name}: {problem}, expected a whole gzip file") from None


def _columns(
    name: str, lines: Iterator[bytes | None]
) -> Iterator[tuple[bytes | Unusable, bytes | Unusable]]:
    for line in lines:
        if line is None:
            yield _too_long(name), b""
            continue
        cells = line.split(b"\t", 2)
        if len(cells) < 2:
            yield Unusable("no tab" if line.strip() else "empty line", name), b""
        else:
            yield cells[0], cells[1]


def _side_by_side(
    files: Sequence[str], sides: Sequence[Iterator[bytes | None]]
) -> Iterator[tuple[bytes | Unusable, bytes | Unusable]]:
    source, target = sides
    done = 0
    for line in source:
        try:
            other = next(target)
        except StopIteration:
            raise _unequal(files, done + 1 + sum(1 for _ in source), done) from None
        done += 1
        yield (
            _too_long(files[0]) if line is None else line,
            _too_long(files[1]) if other is None else other,
        )
    more = sum(1 for _ in target)
    if more:
        raise _unequal(files, done, done + more)


def _unequal(files: Sequence[str], source: int, target: int) -> CommandError:
    return CommandError(
        f"{files[0]} has {source:,} lines but {files[1]} has {target:,}, "
        "expected as many, line n of one translating line n of the other"
    )


def _too_long(name: str) -> Unusable:
    return Unusable(f"longer than {LONGEST_LINE:,} bytes", name)


def _text(side: bytes | Unusable, name: str) -> str:
    if isinstance(side, Unusable):
        raise side
    if b"\0" in side:
        raise Unusable("NUL character", name)
    try:
        return side.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("not UTF-8", name) from None
