"""Arrays in files: written whole or not at all, and read as if somebody evil had written them.

An archive is what `numpy.savez` writes: uncompressed, so that no small file becomes a large memory,
and without pickle, so that no file can run code.

Page: your_own_text
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

__all__ = [
    "Damage",
    "get",
    "lengths_of",
    "naming",
    "pack",
    "pack_words",
    "read_keys",
    "read_words",
    "require",
    "unpack",
    "write",
]

KINDS = {"text": ("|u1",), "whole numbers": ("<i4", "<i8"), "fractions": ("<f8",)}

Arrays = Mapping[str, np.ndarray]


class Damage(Exception):
    """What is wrong with a file, without its name.

    Page: your_own_text
    """


def require(condition: bool | np.bool_, otherwise: str) -> None:
    """Raise `Damage` with a sentence unless the condition holds.

    Page: your_own_text
    """
    if not condition:
        raise Damage(otherwise)


@contextmanager
def naming(path: Path, error: type[ValueError]) -> Iterator[None]:
    """Turn whatever goes wrong inside into an error of one sentence that begins with the path.

    Page: your_own_text
    """
    try:
        yield
    except MemoryError:
        raise
    except Damage as problem:
        raise error(f"{path}: {problem}") from problem
    except Exception as problem:
        raise error(
            f"{path}: not a file that can be read ({type(problem).__name__}), "
            "expected one of a trained system"
        ) from problem


def pack_words(name: str, words: Sequence[str] | Mapping[str, int]) -> dict[str, np.ndarray]:
    """Words as one text in UTF-8, and the number of letters of each.

    >>> pack_words("words", ["a", "书店"])["words_lengths"].tolist()
    [1, 2]

    Page: your_own_text
    """
    text = "".join(words).encode("utf-8", "surrogatepass")
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    return {name: np.frombuffer(text, np.uint8), f"{name}_lengths": lengths}


def read_words(arrays: Arrays, name: str) -> tuple[str, ...]:
    """Read what `pack_words` has made, and raise `Damage` for anything else.

    Page: your_own_text
    """
    text = get(arrays, name, "text").tobytes().decode("utf-8", "surrogatepass")
    lengths = get(arrays, f"{name}_lengths", "whole numbers")
    require(
        (lengths >= 0).all() and sum(lengths.tolist()) == len(text),
        f"the lengths of {name!r} are not those of its text",
    )
    ends = np.cumsum(lengths).tolist()
    words = tuple(text[begin:end] for begin, end in zip([0, *ends][:-1], ends, strict=True))
    require(len(set(words)) == len(words), f"{name!r} holds a word twice")
    return words


def pack(arrays: Arrays) -> bytes:
    """Write arrays as an archive; the same arrays give the same bytes.

    Whole numbers take four bytes where these suffice; other numbers keep all their bits.

    >>> unpack(pack({"numbers": np.arange(3)}))["numbers"].dtype.str
    '<i4'

    Page: your_own_text
    """
    plain = {}
    for name, array in arrays.items():
        kind = "|u1" if array.dtype == np.uint8 else "<f8"
        if array.dtype.kind == "i":
            kind = "<i8" if np.abs(array).max(initial=0) > np.iinfo(np.int32).max else "<i4"
        plain[name] = np.ascontiguousarray(array, kind)
    stream = io.BytesIO()
    np.savez(stream, **plain)
    return stream.getvalue()


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """Read the arrays of an archive, in no more memory than it has bytes.

    Raises
    ------
    Damage
        The parts are larger than the file, or one is there twice, is no array of plain numbers, or
        is not as large as it says.
    Exception
        Whatever `zipfile` and NumPy say about a file that is not an archive of arrays.

    Page: your_own_text
    """
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        require(
            sum(one.file_size for one in members) <= len(data),
            "its parts are larger than the file, expected parts that are not compressed",
        )
        for member in members:
            name = member.filename.removesuffix(".npy")
            require(name not in arrays, f"holds {name!r} twice")
            arrays[name] = _read_array(archive.read(member), name)
    return arrays


def _read_array(data: bytes, name: str) -> np.ndarray:
    """Read one array, whose header must announce what follows it."""
    stream = io.BytesIO(data)
    require(np.lib.format.read_magic(stream) == (1, 0), f"{name!r} is of another format")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=256)
    place = stream.tell()
    require(
        dtype.str in sum(KINDS.values(), ()) and not fortran,
        f"{name!r} is an array of {dtype.str!r:.20}, expected plain numbers",
    )
    require(
        min(shape, default=0) >= 0 and math.prod(shape) * dtype.itemsize == len(data) - place,
        f"{name!r} does not have the size that it announces",
    )
    return np.ndarray(shape, dtype, data, place)


def get(arrays: Arrays, name: str, kind: str, columns: int | None = None) -> np.ndarray:
    """Return an array, with 64 bits a number; raise `Damage` if it is of another kind or shape.

    Parameters
    ----------
    arrays : mapping from str to array
    name : str
    kind : {"text", "whole numbers", "fractions"}
    columns : int, optional
        Of an array with two axes.

    Page: your_own_text
    """
    require(name in arrays, f"lacks {name!r}")
    array = arrays[name]
    shape = (len(array) if array.ndim else 0, *([] if columns is None else [columns]))
    require(
        array.dtype.str in KINDS[kind] and array.shape == shape,
        f"{name!r} does not hold {kind} of the expected shape",
    )
    return array if kind == "text" else array.astype(float if kind == "fractions" else np.int64)


def lengths_of(arrays: Arrays) -> range:
    """Lengths of phrases or n-grams that have keys, from 1 on; raise `Damage` if there are none.

    Page: your_own_text
    """
    count = next(n for n in range(1, len(arrays) + 2) if f"keys_{n}" not in arrays) - 1
    require(count > 0, "lacks 'keys_1'")
    return range(1, count + 1)


def read_keys(arrays: Arrays, n: int, rows: int, size: int) -> np.ndarray:
    """Read the keys of a length: ascending, each a row one shorter times the words, plus a word.

    Parameters
    ----------
    arrays : mapping from str to array
    n : int
        The length.
    rows, size : int
        How many rows there are one shorter, and how many words.

    Page: your_own_text
    """
    keys = get(arrays, f"keys_{n}", "whole numbers")
    require(
        not len(keys)
        or (keys[0] >= 0 and int(keys[-1]) < rows * size and (keys[1:] > keys[:-1]).all()),
        f"'keys_{n}' is out of range or does not ascend",
    )
    return keys


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write all files into a folder under other names, then give them theirs, in their order.

    Raises
    ------
    OSError
        What the system says; if the disk is full, no file has come into being or changed.

    Page: your_own_text
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: folder / f".{name}.{os.getpid()}.part" for name in files}
    try:
        for name, part in parts.items():
            with open(part, "wb") as file:
                file.write(files[name])
                file.flush()
                os.fsync(file.fileno())
        for name, part in parts.items():
            os.replace(part, folder / name)
    except BaseException:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the names too are to outlive a power cut
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
