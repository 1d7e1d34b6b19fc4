r"""The ARPA format: n-gram models as text that other programs read and write.

A header counts the n-grams; then, for each length, a line holds the base-10 logarithm of the
probability, the words, and the base-10 logarithm of the back-off weight, separated by tabs. The
logarithm of 0 is written -99.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from softalign.language_model.counts import BEGIN, BEGIN_ID, END, UNKNOWN, with_symbols
from softalign.language_model.model import Level, NGramModel

__all__ = ["read_arpa", "write_arpa"]

ZERO = -99.0
LN10 = math.log(10)


def write_arpa(model: NGramModel, path: str | Path) -> None:
    """Write a model as an ARPA file (UTF-8).

    Parameters
    ----------
    model : NGramModel
        Smoothed in any way.
    path : str or Path
        The file; it is replaced.

    Raises
    ------
    ValueError
        A word is empty or holds white space: the format separates by it.

    Page: 01_smt/language_model
    """
    for word in model.words:
        if not word or word.split() != [word]:
            raise ValueError(
                f"the word {word!r} is empty or holds white space: ARPA cannot hold it"
            )
    size = len(model.words)
    names = [""]
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write("\\data\\\n")
        for length, level in enumerate(model.levels, start=1):
            file.write(f"ngram {length}={len(level.keys)}\n")
        for length, level in enumerate(model.levels, start=1):
            file.write(f"\n\\{length}-grams:\n")
            pairs = zip((level.keys % size).tolist(), (level.keys // size).tolist(), strict=True)
            names = [f"{model.words[first]} {names[suffix]}".rstrip() for first, suffix in pairs]
            log_probs, weights = _log10(level.log_probs), _log10(level.log_weights)
            last = length == model.order
            for name, log_prob, weight in zip(names, log_probs, weights, strict=True):
                file.write(f"{log_prob:.9g}\t{name}" + ("\n" if last else f"\t{weight:.9g}\n"))
        file.write("\n\\end\\\n")


def read_arpa(path: str | Path) -> NGramModel:
    """Read an ARPA file.

    A file without ``<unk>`` gives it probability 0. Lines may be separated by tabs or spaces.

    Raises
    ------
    ValueError
        The file is not in the format (the message names the file, the line and what was expected);
        an n-gram without its suffix, twice the same n-gram, no ``<s>`` or ``</s>``.

    Page: 01_smt/language_model
    """
    levels: list[Level] = []
    words: tuple[str, ...] = ()
    numbers: dict[str, int] = {}
    for length, section in enumerate(_sections(Path(path)), start=1):
        lines, log_probs, ngrams, weights = zip(*section, strict=True) if section else ((),) * 4
        if length == 1:
            words = with_symbols(ngram[0] for ngram in ngrams)
            numbers = {word: number for number, word in enumerate(words)}
            if missing := {BEGIN, END} - {ngram[0] for ngram in ngrams}:
                raise ValueError(f"{path}: expected a 1-gram {sorted(missing)[0]}")
            if UNKNOWN not in {ngram[0] for ngram in ngrams}:
                lines, ngrams = (*lines, 0), (*ngrams, (UNKNOWN,))
                log_probs, weights = (*log_probs, ZERO), (*weights, 0.0)
        flat = np.fromiter((numbers.get(w, -1) for ngram in ngrams for w in ngram), np.int64)
        columns = flat.reshape(-1, length).T[::-1]  # last words first
        for row in np.flatnonzero((columns < 0).any(axis=0))[:1]:
            word = next(word for word in ngrams[row] if word not in numbers)
            raise ValueError(f"{path}, line {lines[row]}: {word!r} is not among the 1-grams")
        suffixes = NGramModel(words, tuple(levels))._walk(columns[0], [*columns[1:-1]])[-1]
        keys = columns[0] if length == 1 else suffixes * len(words) + columns[-1]
        _check_rows(path, lines, ngrams, keys, suffixes)
        order = np.argsort(keys)
        values = [_nats(np.array(column, float)[order]) for column in (log_probs, weights)]
        if length == 1:
            values[0][BEGIN_ID] = -np.inf  # some programs write another number; it is never asked
        levels.append(Level(keys[order], *values))
    return NGramModel(words, tuple(levels))


def _log10(nats: np.ndarray) -> list[float]:
    return np.maximum(nats / LN10, ZERO).tolist()


def _nats(log10: np.ndarray) -> np.ndarray:
    return np.where(log10 <= ZERO, -np.inf, log10 * LN10)


def _check_rows(path: str | Path, lines: tuple, ngrams: tuple, keys, suffixes) -> None:
    """Raise if an n-gram's suffix is not there, or an n-gram is there twice."""
    lost = np.flatnonzero(suffixes < 0)
    if len(lost):
        where, ngram = lines[lost[0]], ngrams[lost[0]]
        raise ValueError(
            f"{path}, line {where}: {' '.join(ngram[1:])!r} is not among the {len(ngram) - 1}-grams"
        )
    repeated = np.setdiff1d(np.arange(len(keys)), np.unique(keys, return_index=True)[1])
    if len(repeated):
        where, ngram = lines[repeated[0]], ngrams[repeated[0]]
        raise ValueError(f"{path}, line {where}: {' '.join(ngram)!r} is there for the second time")


def _sections(path: Path) -> Iterator[list[tuple[int, float, tuple[str, ...], float]]]:
    """Yield the rows of each length: line number, log10 probability, words, log10 weight."""
    with path.open(encoding="utf-8") as file:
        lines = ((number, line.strip()) for number, line in enumerate(file, start=1))
        lines = ((number, line) for number, line in lines if line)
        for _, line in lines:  # the format allows comments before the header
            if line == "\\data\\":
                break
        else:
            raise ValueError(f"{path}: expected a line \\data\\")
        announced: list[int] = []
        for number, line in lines:
            if line == "\\1-grams:":
                break
            length, _, count = line.removeprefix("ngram ").partition("=")
            if length.strip() != str(len(announced) + 1) or not count.strip().isdigit():
                expected = f"'ngram {len(announced) + 1}=COUNT' or '\\1-grams:'"
                raise ValueError(f"{path}, line {number}: expected {expected}, got {line!r}")
            announced.append(int(count))
        for length, count in enumerate(announced, start=1):
            rows = []
            ending = "\\end\\" if length == len(announced) else f"\\{length + 1}-grams:"
            for number, line in lines:
                if line == ending:
                    break
                rows.append((number, *_row(line, length, f"{path}, line {number}")))
            else:
                raise ValueError(f"{path}: the file ends before {ending}")
            if len(rows) != count:
                raise ValueError(f"{path}: expected {count} {length}-grams, found {len(rows)}")
            yield rows


def _row(line: str, length: int, where: str) -> tuple[float, tuple[str, ...], float]:
    fields = line.split()
    try:
        if len(fields) not in (length + 1, length + 2):
            raise ValueError
        weight = float(fields[-1]) if len(fields) == length + 2 else 0.0
        return float(fields[0]), tuple(fields[1 : length + 1]), weight
    except ValueError:
        expected = f"a number, {length} words and perhaps a number"
        raise ValueError(f"{where}: expected {expected}, got {line!r}") from None
