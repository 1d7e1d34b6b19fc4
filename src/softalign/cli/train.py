"""``softalign train``: a translator of one family, learnt from parallel text."""

from __future__ import annotations

import argparse

from softalign.cli.learning import add_learning_arguments, plainly, settings_of, start_torch
from softalign.cli.messages import is_watched, say
from softalign.cli.texts import add_text_arguments, read_texts

__all__ = ["EPILOGUE", "SUMMARY", "add_arguments", "run"]

SUMMARY = "Train a translator on parallel text, and keep it in a folder."
EPILOGUE = """\
The training can be interrupted at any time, even by a loss of power: the same command goes on from
the last checkpoint and ends with the same numbers. The folder holds text, numbers and weights only;
nothing in it is ever run.

examples:
  softalign train corpus.tsv -o mine
  softalign train --family attention --steps 4000 --tgt-tokens char -o mine en.txt.gz zh.txt.gz
  softalign train --validation dev.de dev.en --budget 1800 -o mine train.de train.en
  torchrun --nproc-per-node 2 -m softalign train corpus.tsv -o mine

exit status: 0; 1 a file cannot be used; 2 wrong arguments; 130 interrupted.
"""
FAMILIES = ("word-for-word", "phrases", "rnn", "lstm", "attention", "transformer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Page: your_own_text
    """
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", required=True, help="where to keep the translator"
    )
    parser.add_argument(
        "--family", choices=FAMILIES, default="transformer", help="(default: transformer)"
    )
    add_text_arguments(parser, test=False)
    add_learning_arguments(parser)
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress bar, no counts; errors only"
    )


def run(args: argparse.Namespace) -> None:
    """Read the text, train, and write the folder.

    Raises
    ------
    CommandError
        The files cannot be used, or the folder cannot.

    Page: your_own_text
    """
    start_torch(args.threads)
    from softalign.data_parallel import team
    from softalign.systems import train_system

    with plainly(args.output), team(args.device) as together:
        told = together.is_first and not args.quiet

        def tell(sentence: str) -> None:
            if told:
                say(f"softalign train: {sentence}")

        texts = read_texts(args, test=False, progress=told and is_watched())
        settings = settings_of(args, args.family, texts.tokens)
        for sentence in texts.sentences:
            tell(sentence)
        tell(f"{len(texts.train):,} pairs to train on, {len(texts.validation):,} to validate with")
        system = train_system(
            args.output,
            settings,
            texts.train,
            texts.validation,
            together=together,
            progress=told and is_watched(),
            say=tell,
        )
        seconds = system.history["seconds"]
        tell(f"{args.output}: {args.family}, trained in {seconds:,.0f} processor seconds")
        if system.history.get("validations"):
            best = min(value for _, value in system.history["validations"])
            tell(f"best perplexity of the validation pairs: {best:.3f} a piece")
