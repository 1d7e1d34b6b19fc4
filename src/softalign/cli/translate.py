"""``softalign translate``: lines of text by a trained system."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from softalign.cli.align import _at_least_one
from softalign.cli.learning import start_torch
from softalign.cli.messages import CommandError, is_watched, say
from softalign.cli.reading import STANDARD_INPUT, Line, read_lines
from softalign.cli.writing import check_output, write_lines

__all__ = ["EPILOGUE", "SUMMARY", "add_arguments", "run", "translated"]

SUMMARY = "Translate lines of text with a system that 'softalign train' has made."
EPILOGUE = """\
Line n of the output translates line n of the input. A line that cannot be used (not UTF-8, a NUL
character, too many words) gives an empty line, and is counted on standard error, as are words that
the system has never seen and translations that did not come to an end.

examples:
  softalign translate mine input.txt > output.txt
  echo 'ein Hund schläft' | softalign translate mine
  softalign translate --beam 1 --words -o output.txt mine input.txt.gz

exit status: 0; 1 a file cannot be used; 2 wrong arguments; 130 interrupted; 141 nobody reads on.
"""
AT_A_TIME = 1_000
"""Lines that are read, translated and written together."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Page: your_own_text
    """
    parser.add_argument("system", metavar="FOLDER", help="what 'softalign train' has made")
    parser.add_argument(
        "file",
        nargs="?",
        default=STANDARD_INPUT,
        metavar="FILE",
        help="a sentence a line; UTF-8, plain or gzipped (default: standard input)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write here instead of to standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace an output file that exists")
    parser.add_argument(
        "--beam",
        type=_at_least_one,
        default=4,
        metavar="N",
        help="hypotheses a neural model keeps; 1 is greedy search (default: 4)",
    )
    parser.add_argument(
        "--batch-size", type=_at_least_one, default=64, metavar="N", help="sentences at a time (64)"
    )
    parser.add_argument(
        "--words", action="store_true", help="write words between spaces, as the system made them"
    )
    parser.add_argument(
        "--max-words",
        type=_at_least_one,
        default=500,
        metavar="N",
        help="a longer line is not translated (default: 500)",
    )
    parser.add_argument("--device", metavar="NAME", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--threads", type=_at_least_one, default=1, metavar="N", help="(1)")
    parser.add_argument(
        "--strict", action="store_true", help="stop at the first line that cannot be used"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bar, no counts; errors only"
    )


def run(args: argparse.Namespace) -> None:
    """Read the system, translate, and write.

    Raises
    ------
    CommandError
        The system or a file cannot be used; with ``--strict``, a line cannot.

    Page: your_own_text
    """
    check_output(args.output, args.force, [] if args.file == STANDARD_INPUT else [args.file])
    start_torch(args.threads)
    from softalign.systems import load_system

    counts: Counter[str] = Counter()
    try:
        system = load_system(args.system, args.device)
    except ValueError as problem:
        raise CommandError(str(problem)) from None
    except (RuntimeError, AssertionError):
        raise CommandError(f"this machine has no device {args.device!r}", 2) from None
    write_lines(args.output, translated(system, read_lines(args.file), args, counts), args.force)
    if not args.quiet:
        for what, count in counts.items():
            say(f"softalign translate: {count:,} {what}")


def translated(
    system: Any, lines: Iterator[Line], args: argparse.Namespace, counts: Counter[str]
) -> Iterator[str]:
    """Yield the translation of each line; count what there is to say of them.

    Page: your_own_text
    """
    watched = is_watched() and not args.quiet and args.file != STANDARD_INPUT
    while some := list(islice(lines, AT_A_TIME)):
        words = [_words(system, line, args, counts) for line in some]
        outputs = system.translate_words(
            words, beam=args.beam, batch_size=args.batch_size, progress=watched
        )
        for output in outputs:
            if output.unknown:
                counts["lines with words that the system has never seen"] += 1
            if not output.finished:
                counts["translations without an end"] += 1
            yield " ".join(output.words) if args.words else output.text


def _words(system: Any, line: Line, args: argparse.Namespace, counts: Counter[str]) -> list[str]:
    import warnings

    problem = "" if line.problem is None else str(line.problem)
    words: list[str] = []
    if not problem:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            words = system.source.split(line.text)
        if seen:
            counts["lines look like Chinese without spaces, which this system reads"] += 1
        if len(words) > args.max_words:
            problem, words = f"longer than {args.max_words:,} words", []
    if problem:
        if args.strict:
            raise CommandError(f"{args.file}, line {line.number}: {problem}")
        counts[f"lines not translated: {problem}"] += 1
    return words
