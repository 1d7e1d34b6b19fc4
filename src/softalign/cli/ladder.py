"""``softalign ladder``: every family of the book on one's own text."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from softalign.cli.align import _at_least_one
from softalign.cli.learning import add_learning_arguments, plainly, settings_of, start_torch
from softalign.cli.messages import CommandError, is_watched, say
from softalign.cli.texts import add_text_arguments, read_texts
from softalign.cli.train import FAMILIES

__all__ = ["EPILOGUE", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Train and measure every family of the book on parallel text."
EPILOGUE = """\
The table goes to standard output; the folder gets report.html (one file, for any browser),
table.tsv, ladder.json, figures, each family's system (for 'softalign translate') and each family's
translations of the test pairs. An interrupted ladder goes on where it was with the same command,
and ends with the same numbers.

Test and validation pairs are drawn from the text such that no sentence of theirs, on either side,
is in the training pairs; or name files of your own. All families see the same words; the neural
ones may cut them into subwords, and have as many parameters and steps as one another.

examples:
  softalign ladder corpus.tsv -o mine
  softalign ladder --steps 2000 --tgt-tokens word --families phrases,transformer -o mine en.gz zh.gz
  softalign ladder --budget 900 -o mine train.de train.en --validation dev.de dev.en \\
      --test test.de test.en
  softalign ladder tatoeba -o mine
  torchrun --nproc-per-node 2 -m softalign ladder corpus.tsv -o mine

exit status: 0; 1 a file cannot be used; 2 wrong arguments; 130 interrupted.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Page: your_own_text
    """
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", required=True, help="where to keep everything"
    )
    parser.add_argument(
        "--families",
        type=_families,
        default=FAMILIES,
        metavar="NAME,NAME",
        help=f"some of {', '.join(FAMILIES)} (default: all)",
    )
    add_text_arguments(parser, test=True)
    add_learning_arguments(parser)
    parser.add_argument(
        "--beam",
        type=_at_least_one,
        default=4,
        metavar="N",
        help="hypotheses that the neural families keep (4)",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bar, no counts; errors only"
    )


def _families(text: str) -> tuple[str, ...]:
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name not in FAMILIES:
            raise argparse.ArgumentTypeError(f"{name!r}, expected some of {', '.join(FAMILIES)}")
    return tuple(name for name in FAMILIES if name in wanted)


def run(args: argparse.Namespace) -> None:
    """Read the text, climb, and write the report.

    Raises
    ------
    CommandError
        The files cannot be used, or the folder cannot.

    Page: your_own_text
    """
    folder = Path(args.output)
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder}: this is a file, expected a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "ladder.begun").exists():
        raise CommandError(f"{folder}: this folder holds other things, expected a new or empty one")
    start_torch(args.threads)
    from softalign.data_parallel import team
    from softalign.ladder import Texts, climb, write_report

    with plainly(args.output), team(args.device) as together:
        told = together.is_first and not args.quiet

        def tell(sentence: str) -> None:
            if told:
                say(f"softalign ladder: {sentence}")

        texts = read_texts(args, test=True, progress=told and is_watched())
        chosen = {family: settings_of(args, family, texts.tokens) for family in args.families}
        for sentence in texts.sentences:
            tell(sentence)
        tell(
            f"{len(texts.train):,} pairs to train on, {len(texts.validation):,} to validate with, "
            f"{len(texts.test):,} to test on"
        )
        if together.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "ladder.begun").touch()
        ladder = climb(
            folder,
            Texts(
                texts.name,
                texts.files,
                texts.train,
                texts.validation,
                texts.test,
                texts.left_out,
            ),
            chosen,
            together=together,
            beam=args.beam,
            progress=told and is_watched(),
            say=tell,
            command=shlex.join(["softalign", *args.told]),
        )
        if together.is_first:
            print(write_report(folder, ladder))
            tell(f"the report is {folder / 'report.html'}")
