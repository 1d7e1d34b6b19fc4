"""Files whose lines belong together: every one counts, so one that cannot be used is an error.

Page: your_own_text
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from softalign.cli.messages import CommandError
from softalign.cli.reading import read_lines, shown

__all__ = ["check_counts", "read_column", "read_links", "read_sentences"]

_LINK = re.compile(r"([0-9]{1,9})([-?])([0-9]{1,9})")

Words = list[str]
Links = set[tuple[int, int]]


def read_column(name: str) -> list[str]:
    """Read the lines of a file, gzipped or not, without their ends; "-" is standard input.

    Raises
    ------
    CommandError
        As `softalign.cli.reading.read_lines`; a line that cannot be used (file, line, reason); no
        lines.

    Page: your_own_text
    """
    found = []
    for line in read_lines(name):
        if line.problem:
            raise CommandError(f"{shown(name)}, line {line.number}: {line.problem}")
        found.append(line.text)
    if not found:
        raise CommandError(f"{shown(name)}: there are no lines, expected a sentence a line")
    return found


def read_links(name: str, *, gold: bool = False) -> list[tuple[Links, Links]]:
    """Read word links; a line may have none.

    Parameters
    ----------
    name : str
        A file of lines of links, ``i-j``; "-" is standard input.
    gold : bool
        Whether ``i?j``, a link that is possible, is understood as well.

    Returns
    -------
    list of (set of (int, int), set of (int, int))
        For each line the links ``i-j``, and the links ``i?j``.

    Raises
    ------
    CommandError
        As `read_column`; a word that is no link: file, line, reason.

    Page: your_own_text
    """
    expected = "'i-j' (sure) or 'i?j' (possible)" if gold else "'i-j'"
    found = []
    for number, line in enumerate(read_column(name), start=1):
        links: dict[str, Links] = {"-": set(), "?": set()}
        for word in line.split():
            link = _LINK.fullmatch(word)
            if link is None or (link[2] == "?" and not gold):
                raise CommandError(
                    f"{shown(name)}, line {number}: {word[:40]!r}, expected {expected} with "
                    "positions from 0"
                )
            links[link[2]].add((int(link[1]), int(link[3])))
        found.append((links["-"], links["?"]))
    return found


def read_sentences(
    name: str, how: str, *, option: str, lower: bool = False, may_be_empty: bool = False
) -> tuple[list[Words], list[str]]:
    """Read a file and cut its lines into words.

    Parameters
    ----------
    name : str
        As for `read_column`.
    how : str
        What a word is, see `softalign.text.tokenise`.
    option : str
        With which another `how` can be asked for.
    lower : bool
        Make all letters small.
    may_be_empty : bool
        Whether a line may have no words.

    Returns
    -------
    sentences : list of lists of str
    remarks : list of str
        What is to be said of them: Chinese that nobody has cut, lines that are empty.

    Raises
    ------
    CommandError
        As `read_column`; a line without words that must have some.

    Page: your_own_text
    """
    from softalign.text import tokenise

    sentences, unsegmented, empty = [], [], []
    for number, line in enumerate(read_column(name), start=1):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            sentences.append(tokenise(line.lower() if lower else line, how))
        if seen:
            unsegmented.append(number)
        if not sentences[-1]:
            empty.append(number)
    if empty and not may_be_empty:
        raise CommandError(f"{shown(name)}, line {empty[0]}: empty line, expected a sentence")
    remarks = []
    if unsegmented:
        remarks.append(
            f"no spaces between the Chinese words of {len(unsegmented):,} lines of {shown(name)} "
            f"(first at line {unsegmented[0]}), consider {option} char or {option} word"
        )
    if empty:
        remarks.append(
            f"{len(empty):,} of {len(sentences):,} lines of {shown(name)} are empty (first at line "
            f"{empty[0]})"
        )
    return sentences, remarks


def check_counts(name: str, lines: Sequence, other: str, others: Sequence) -> None:
    """Raise a `CommandError` unless two files have equally many lines.

    Page: your_own_text
    """
    if len(lines) != len(others):
        raise CommandError(
            f"{shown(name)} has {len(lines):,} lines but {shown(other)} has {len(others):,}, "
            "expected as many, line n of one belonging to line n of the other"
        )
