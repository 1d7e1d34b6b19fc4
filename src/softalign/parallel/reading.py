"""Sentence pairs from files of the formats in which parallel text is published."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["RawPair", "Report", "read_pairs"]

_EXPECTED = {
    "empty line": "a sentence and its translation",
    "empty source": "a source sentence",
    "empty target": "a target sentence",
    "NUL character": "text without NUL characters",
    "not translated": "a translation",
    "marked as fuzzy": "a translation that somebody has checked",
}
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


class RawPair(NamedTuple):
    """A sentence and its translation as they stand in a file, not tokenised.

    Attributes
    ----------
    source, target : str
        The two sentences, without white space at the ends.
    line : int
        Where the pair begins in the (source) file, counted from 1; in a compiled catalogue the
        number of the message.
    extra : tuple of str
        What other columns say, for example who wrote the sentences: a licence may ask for it.

    Page: 01_smt/word_alignment
    """

    source: str
    target: str
    line: int
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What became of a file: ``read == kept + sum(skipped.values())``.

    Attributes
    ----------
    files : tuple of str
        The file, or the two files.
    read, kept : int
        Lines (or messages) in the file; pairs that came out.
    skipped : mapping of str to int
        How many were left out for each reason.
    first : mapping of str to int
        For each reason the line where it first applied.
    mended : mapping of str to int
        How often something harmless was put right without leaving the line out.

    Examples
    --------
    >>> print(Report(("a.tsv",), 10, 8, {"empty target": 2}, {"empty target": 3}, {}))
    a.tsv: 8 pairs from 10, skipped: 2 x empty target (first at 3)

    Page: 01_smt/word_alignment
    """

    files: tuple[str, ...]
    read: int
    kept: int
    skipped: Mapping[str, int]
    first: Mapping[str, int]
    mended: Mapping[str, int]

    def __str__(self) -> str:
        """One line for people."""
        line = f"{' and '.join(self.files)}: {self.kept:,} pairs from {self.read:,}"
        if self.skipped:
            reasons = (
                f"{count:,} x {reason} (first at {self.first[reason]})"
                for reason, count in self.skipped.items()
            )
            line += f", skipped: {', '.join(reasons)}"
        if self.mended:
            line += f", mended: {', '.join(f'{n:,} x {what}' for what, n in self.mended.items())}"
        return line


def read_pairs(
    path: str | Path,
    target_path: str | Path | None = None,
    *,
    columns: tuple[int, int] = (0, 1),
    encoding: str = "utf-8",
    strict: bool = False,
) -> tuple[list[RawPair], Report]:
    """Read sentence pairs from one file with columns, from two files, or from a catalogue.

    A file whose content is gzipped is unpacked, whatever its name. A line ends at ``\\n`` or
    ``\\r\\n`` and nowhere else: a rare mark like U+2028 inside a sentence does not shift the lines
    of one file against the other's.

    Parameters
    ----------
    path : path
        Tab-separated text; or, with `target_path`, one source sentence a line; or a catalogue whose
        name ends in ``.po`` or ``.mo`` (original messages are column 0, translations column 1).
    target_path : path, optional
        One target sentence a line, as many lines as in `path`.
    columns : (int, int)
        Which column is the source and which the target, counted from 0. Tatoeba's files as
        ManyThings publishes them have English, the other language and the authors: Chinese to
        English is ``(1, 0)``.
    encoding : str
        Encoding of text files. A catalogue says its own.
    strict : bool
        Raise at the first line that would be skipped, instead of skipping and counting it.

    Returns
    -------
    pairs : list of RawPair
        Pairs with something on both sides, in the order of the file.
    report : Report
        How many lines were skipped, and why; how often a byte order mark was taken away.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The message has the file, the line where there is one, and what was expected: unequal
        numbers of lines, text that is not in `encoding`, a damaged gzip file or catalogue, no
        usable pair at all; if `strict`, an empty line, an empty side, too few columns, a NUL
        character, a message that is not translated or fuzzy, a byte order mark.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "pairs.tsv")
    ...     _ = file.write_text("Hi.\\t嗨。\\tby CM\\nRun.\\t\\n", encoding="utf-8")
    ...     pairs, report = read_pairs(file, columns=(1, 0))
    >>> pairs
    [RawPair(source='嗨。', target='Hi.', line=1, extra=('by CM',))]
    >>> report.read, report.kept, report.skipped
    (2, 1, {'empty source': 1})

    Page: 01_smt/word_alignment
    """
    if min(columns) < 0 or columns[0] == columns[1]:
        raise ValueError(f"columns are {columns}, expected two different numbers from 0")
    paths = (Path(path),) if target_path is None else (Path(path), Path(target_path))
    contents = [_read_bytes(each) for each in paths]
    mended: Counter[str] = Counter()
    for number, content in enumerate(contents):
        if content.startswith(codecs.BOM_UTF8):
            if strict:
                raise ValueError(f"{paths[number]}, line 1: a byte order mark, expected text")
            contents[number] = content.removeprefix(codecs.BOM_UTF8)
            mended["byte order mark"] += 1
    if target_path is not None:
        rows = _from_two_files(paths, contents, encoding)
    elif _kind(paths[0]) in (".po", ".mo"):
        rows = _from_catalogue(paths[0], contents[0])
    else:
        lines = _lines(paths[0], contents[0], encoding)
        rows = ((n, line.split("\t"), "") for n, line in enumerate(lines, 1))
    return _keep(paths, rows, columns if target_path is None else (0, 1), strict, mended)


def _keep(
    paths: Sequence[Path],
    rows: Iterable[tuple[int, Sequence[str], str]],
    columns: tuple[int, int],
    strict: bool,
    mended: Mapping[str, int],
) -> tuple[list[RawPair], Report]:
    """Sort rows (line, cells, reason to skip it or "") into pairs and reasons."""
    names = tuple(str(path) for path in paths)
    pairs: list[RawPair] = []
    skipped: Counter[str] = Counter()
    first: dict[str, int] = {}
    read = 0
    for line, cells, reason in rows:
        read += 1
        cells = [cell.strip() for cell in cells]
        reason = reason or _why_not(cells, columns)
        if reason:
            if strict:
                few = f"at least {max(columns) + 1} columns separated by tabs"
                raise ValueError(
                    f"{' and '.join(names)}, line {line}: {reason}, "
                    f"expected {_EXPECTED.get(reason, few)}"
                )
            skipped[reason] += 1
            first.setdefault(reason, line)
            continue
        extra = tuple(cell for k, cell in enumerate(cells) if k not in columns)
        pairs.append(RawPair(cells[columns[0]], cells[columns[1]], line, extra))
    report = Report(names, read, len(pairs), dict(skipped), first, dict(mended))
    if not pairs:
        raise ValueError(
            f"{report}; expected sentence pairs, in two columns separated by a tab or in two files"
        )
    return pairs, report


def _why_not(cells: Sequence[str], columns: tuple[int, int]) -> str:
    """Reason why a row gives no pair, or an empty string."""
    if not any(cells):
        return "empty line"
    if len(cells) <= max(columns):
        return "too few columns"
    source, target = cells[columns[0]], cells[columns[1]]
    if "\0" in source or "\0" in target:
        return "NUL character"
    if not source:
        return "empty source"
    return "" if target else "empty target"


def _from_two_files(
    paths: Sequence[Path], contents: Sequence[bytes], encoding: str
) -> Iterator[tuple[int, list[str], str]]:
    sides = [_lines(*both, encoding) for both in zip(paths, contents, strict=True)]
    if len(sides[0]) != len(sides[1]):
        raise ValueError(
            f"{paths[0]} has {len(sides[0]):,} lines but {paths[1]} has {len(sides[1]):,}, "
            "expected as many, line n of one translating line n of the other"
        )
    return ((n, list(cells), "") for n, cells in enumerate(zip(*sides, strict=True), 1))


def _from_catalogue(path: Path, content: bytes) -> Iterator[tuple[int, list[str], str]]:
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import PoFileError, read_po

    try:
        if _kind(path) == ".mo":
            catalogue = read_mo(io.BytesIO(content))
        else:
            catalogue = read_po(io.BytesIO(content), abort_invalid=True)
    except PoFileError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error}, expected a catalogue") from error
    except (OSError, ValueError, LookupError, EOFError) as error:  # damaged, or another encoding
        raise ValueError(f"{path}: {error}, expected a message catalogue") from error
    for number, message in enumerate(catalogue, start=0):
        if not message.id:
            continue  # the header
        # of a message with several numbers, the plural: its last form on either side
        original, translation = (
            each if isinstance(each, str) else each[-1] for each in (message.id, message.string)
        )
        reason = "" if translation else "not translated"
        if message.fuzzy:
            reason = "marked as fuzzy"
        yield message.lineno or number, [original, translation or ""], reason


def _kind(path: Path) -> str:
    """Suffix of a file, ``.gz`` left out of account."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _read_bytes(path: Path) -> bytes:
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    if not path.is_file():
        raise ValueError(f"{path}: this is no file, expected a file with sentence pairs")
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: {error}, expected a whole gzip file") from error
    return content


def _lines(path: Path, content: bytes, encoding: str) -> list[str]:
    """Lines, perhaps with the ``\\r`` of Windows, which goes with the other white space."""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8") and content.startswith(_UTF16_OR_32):
        raise ValueError(f"{path}, line 1: a mark of UTF-16 or UTF-32, expected UTF-8")
    try:
        text = content.decode(encoding)
    except LookupError:
        raise ValueError(f"encoding is {encoding!r}, which Python does not know") from None
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 4].hex(" ")
        raise ValueError(
            f"{path}, line {number}: bytes {found} are not {encoding}, "
            f"expected text in {encoding} (the argument `encoding` names another)"
        ) from None
    lines = text.split("\n")
    if not lines[-1]:
        del lines[-1]
    return lines
