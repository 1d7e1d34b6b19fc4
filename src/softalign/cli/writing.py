"""Where a command writes to: standard output, or a file that is whole or not there at all."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from softalign.cli.messages import CommandError

__all__ = ["check_output", "write_lines"]


def check_output(path: str | None, force: bool, inputs: Sequence[str] = ()) -> None:
    """Raise before the work begins if its result could not be written.

    Parameters
    ----------
    path : str or None
        None is standard output.
    force : bool
        Whether a file that exists may be replaced.
    inputs : sequence of str
        Files that are read and must not be replaced even so.

    Raises
    ------
    CommandError
        The file exists, is read from, is a folder, or its folder is not there or not writable;
        standard output is closed.

    Page: 01_smt/word_alignment
    """
    if path is None:
        if sys.stdout is None:
            raise CommandError("standard output is closed")
        return
    file = Path(path)
    if file.is_dir():
        raise CommandError(f"{path}: this is a folder, expected a file")
    folder = Path(os.path.realpath(file)).parent
    if not folder.is_dir():
        raise CommandError(f"{path}: there is no folder {folder}")
    if not _is_plain(file):
        return
    if not os.access(folder, os.W_OK):
        raise CommandError(f"{path}: the folder {folder} may not be written to")
    if file.exists():
        if any(os.path.exists(name) and os.path.samefile(name, file) for name in inputs):
            raise CommandError(f"{path}: this file is read from, expected another one")
        if not force:
            raise CommandError(f"{path}: this file exists, and --force was not given")


def write_lines(path: str | None, lines: Iterable[str], force: bool) -> None:
    """Write lines of text in UTF-8, each ended by ``\\n`` on every system.

    A plain file gets its name when all has been written; nothing of that name is seen before.

    Raises
    ------
    OSError
        What the system says, for example that the disk is full.
    CommandError
        The file has come into being since `check_output`.

    Page: 01_smt/word_alignment
    """
    with _opened(path, force) as stream:
        stream.writelines(f"{line}\n".encode() for line in lines)


def _is_plain(file: Path) -> bool:
    """Whether this is, or will be, a file, and not a terminal, a pipe or /dev/null."""
    return file.is_file() or not file.exists()


@contextmanager
def _opened(path: str | None, force: bool) -> Iterator[io.BufferedIOBase]:
    if path is None:
        stream = sys.stdout.buffer
        if isinstance(stream, io.RawIOBase):  # PYTHONUNBUFFERED: a call of the system for each line
            stream = open(stream.fileno(), "wb", closefd=False)  # noqa: SIM115
        yield stream
        stream.flush()
        return
    if not _is_plain(Path(path)):
        with open(path, "wb") as stream:
            yield stream
        return
    final = os.path.realpath(path)  # the file that a link points to, not the link
    number, part = tempfile.mkstemp(
        prefix=f".{os.path.basename(final)}.", suffix=".part", dir=os.path.dirname(final)
    )
    try:
        with open(number, "wb") as stream:
            yield stream
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)
        if not force and os.path.exists(final):
            raise CommandError(f"{path}: this file exists now, and --force was not given")
        os.replace(part, final)
    except BaseException:
        os.unlink(part)
        raise
