"""``softalign align``: word links of a parallel corpus, one line for each line of it."""

from __future__ import annotations

import argparse
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from softalign.cli.messages import CommandError, is_watched, say
from softalign.cli.reading import STANDARD_INPUT, Row, Unusable, read_rows, shown
from softalign.cli.writing import check_output, write_lines

__all__ = ["EPILOGUE", "SUMMARY", "Report", "add_arguments", "read_words", "run"]

SUMMARY = "Find which words of two sentences translate each other."
EPILOGUE = """\
Line n of the output holds the links of line n of the input, 'i-j' for source word i and target word
j, counted from 0, sorted. A line that cannot be used (no tab, an empty side, too many words, not
UTF-8, a NUL character) gives an empty line, and is counted on standard error.

The models learn from the corpus itself and need some thousands of pairs to be good. 100,000 pairs
of 13 words take 22 s and 0.9 GB with agreement, 10 s and 0.8 GB with ibm1 (one core). Memory grows
with the product of the two lengths of a pair; the time of agreement and hmm with their cube.

examples:
  softalign align corpus.tsv > links.txt
  softalign align --tgt-tokens char --output links.txt english.txt.gz chinese.txt.gz
  zcat corpus.tsv.gz | softalign align --model ibm1 --symmetrise intersection - | head

exit status: 0; 1 a file cannot be used; 2 wrong arguments; 130 interrupted; 141 nobody reads on.
"""
MODELS = ("agreement", "hmm", "ibm2", "ibm1")
METHODS = ("grow-diag-final-and", "intersection", "union")
TOKENS = ("space", "char", "word")

Words = tuple[str, ...]
_NO_PAIR: tuple[Words, Words] = ((), ())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Page: 01_smt/word_alignment
    """
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="one file of lines 'source TAB target', or two files, source and target; UTF-8, plain "
        "or gzipped; '-' is standard input",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write here instead of to standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace an output file that exists")
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model", choices=MODELS, default="agreement", help="the first is the best (default)"
    )
    model.add_argument(
        "--symmetrise",
        choices=METHODS,
        default="grow-diag-final-and",
        help="how to join the two directions of hmm, ibm2 and ibm1 (default: the first)",
    )
    model.add_argument(
        "--iterations",
        type=_at_least_one,
        default=5,
        metavar="N",
        help="of each training (default: 5)",
    )
    model.add_argument(
        "--threshold",
        type=_share,
        default=0.3,
        metavar="P",
        help="of agreement, from 0 to below 1: lower finds more links (default: 0.3)",
    )
    words = parser.add_argument_group("words")
    for side, name in (("src", "source"), ("tgt", "target")):
        words.add_argument(
            f"--{side}-tokens",
            choices=TOKENS,
            default="space",
            help=f"what a word of the {name} is: what stands between spaces (default); each "
            "Chinese character by itself; Chinese words from a dictionary",
        )
    words.add_argument("--lower", action="store_true", help="take capital and small letters alike")
    words.add_argument(
        "--max-words",
        type=_at_least_one,
        default=200,
        metavar="N",
        help="a pair with a longer side gets no links (default: 200)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first line that cannot be used"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bar, no counts; errors only"
    )


def run(args: argparse.Namespace) -> None:
    """Read the corpus, align it and write the links.

    Raises
    ------
    CommandError
        The files cannot be used, or, with ``--strict``, a line cannot.

    Page: 01_smt/word_alignment
    """
    if len(args.files) > 2:
        raise CommandError(f"{len(args.files)} files were given, expected one or two", 2)
    if args.files == [STANDARD_INPUT] * 2:
        raise CommandError("standard input can be read only once, expected another file", 2)
    check_output(args.output, args.force, args.files)
    # one thread: the matrices are small, and waiting threads slow a busy machine down
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from softalign.aligner import align  # takes a moment

    progress = is_watched() and not args.quiet
    pairs, report = read_words(
        args.files,
        tokens=(args.src_tokens, args.tgt_tokens),
        lower=args.lower,
        max_words=args.max_words,
        strict=args.strict,
        progress=progress,
    )
    links = align(
        pairs,
        model=args.model,
        symmetrise=args.symmetrise,
        iterations=args.iterations,
        threshold=args.threshold,
        max_words=args.max_words,
        progress=progress,
    )
    write_lines(args.output, map(_written, links), args.force)
    if not args.quiet:
        for sentence in report.sentences():
            say(f"softalign align: {sentence}")


@dataclass
class Report:
    """What is to be said about a corpus when it has been read.

    Attributes
    ----------
    lines : int
        How many were read.
    unusable : Counter
        How many lines gave no pair for each reason.
    first : dict
        For each reason the line where it first applied.
    unsegmented : dict
        For each side of "source", "target": how many lines look like Chinese without spaces, and
        the first of them.

    Page: 01_smt/word_alignment
    """

    lines: int = 0
    unusable: Counter = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    unsegmented: dict[str, tuple[int, int]] = field(default_factory=dict)

    def sentences(self) -> Iterator[str]:
        """Yield what there is to say, a line each; nothing if all went well."""
        for side, (count, first) in self.unsegmented.items():
            option = f"--{'src' if side == 'source' else 'tgt'}-tokens"
            yield (
                f"no spaces between the Chinese words of {count:,} {side} sentences (first at line "
                f"{first}), consider {option} char or {option} word"
            )
        if self.unusable:
            reasons = ", ".join(
                f"{count:,} x {reason} (first at line {self.first[reason]})"
                for reason, count in self.unusable.items()
            )
            yield f"{sum(self.unusable.values()):,} of {self.lines:,} lines got no links: {reasons}"


def read_words(
    files: Sequence[str],
    *,
    tokens: tuple[str, str] = ("space", "space"),
    lower: bool = False,
    max_words: int = 200,
    strict: bool = False,
    progress: bool = False,
) -> tuple[list[tuple[Words, Words]], Report]:
    """Read files as pairs of words; a line that cannot be used gives a pair of nothing.

    Parameters
    ----------
    files : one or two of str
        As for `read_rows`.
    tokens : two of str
        How to tokenise source and target, see `softalign.text.tokenise`.
    lower : bool
        Make all letters small.
    max_words : int
        A pair with a longer side cannot be used.
    strict : bool
        Raise at the first line that cannot be used.
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    pairs : list of (source words, target words)
        As many as lines. Equal words are one object.
    report : Report
        What could not be used, and why.

    Raises
    ------
    CommandError
        As `read_rows`; with `strict`, file, line and reason.

    Page: 01_smt/word_alignment
    """
    from tqdm import tqdm

    report = Report()
    known: dict[str, str] = {}
    pairs = []
    for row in tqdm(read_rows(files), "reading", unit=" lines", disable=not progress):
        report.lines += 1
        try:
            if row.problem:
                raise row.problem
            pair = tuple(
                _words(row, side, files, tokens, lower, max_words, report) for side in (0, 1)
            )
        except Unusable as problem:
            if strict:
                raise CommandError(f"{problem.file}, line {row.number}: {problem}") from None
            reason = str(problem)
            report.unusable[reason] += 1
            report.first.setdefault(reason, row.number)
            pairs.append(_NO_PAIR)
        else:
            pairs.append(tuple(tuple(known.setdefault(w, w) for w in side) for side in pair))
    return pairs, report


def _words(
    row: Row,
    side: int,
    files: Sequence[str],
    tokens: tuple[str, str],
    lower: bool,
    max_words: int,
    report: Report,
) -> list[str]:
    from softalign.text import tokenise

    name = ("source", "target")[side]
    line = (row.source, row.target)[side]
    with _counted(row.number, name, report):
        words = tokenise(line.lower() if lower else line, tokens[side])
    if not words:
        raise Unusable(f"empty {name}", shown(files[side % len(files)]))
    if len(words) > max_words:
        raise Unusable(f"longer than {max_words:,} words", shown(files[side % len(files)]))
    return words


@contextmanager
def _counted(number: int, side: str, report: Report) -> Iterator[None]:
    """Count a warning about Chinese without spaces instead of showing it for every line."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
    if seen:
        count, first = report.unsegmented.get(side, (0, number))
        report.unsegmented[side] = (count + 1, first)


def _written(links: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{i}-{j}" for i, j in sorted(links))


def _at_least_one(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number of 1 or more")
    return number


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number from 0 to below 1")
    return number
