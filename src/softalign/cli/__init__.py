"""The command ``softalign``: what the library does, for files and pipes.

Each subcommand is a module of this package with ``SUMMARY`` (one line), ``EPILOGUE``,
``add_arguments(parser)`` and ``run(args)``. Such a module imports nothing heavy before ``run`` is
called, so that ``softalign --help`` answers at once.

Page: 01_smt/word_alignment
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import softalign
from softalign.cli.config import CONFIG_HELP, use_config
from softalign.cli.messages import CommandError, say

__all__ = ["COMMANDS", "main"]

COMMANDS = ("ladder", "train", "translate", "evaluate", "align")
"""The subcommands; each is a module of this package."""

EXAMPLE = """\
examples:
  softalign align corpus.tsv > links.txt
  softalign evaluate --hypotheses output.txt --references reference.txt
  softalign align --config run.toml

'softalign COMMAND --help' says more about a command.

Every command takes options from a file, too: --config FILE.toml. Its keys are the long options of
the command without the dashes, and the names of what stands without an option, such as 'files'.
The command line wins over the file. Paths are relative to the current folder.
  files = ["corpus.tsv.gz"]     # an array gives several values
  lower = true                  # a switch; false is as if it were not there
  [align]                       # keys of one command; the tables of others are not read
  model = "hmm"
  tgt-tokens = "char"
"""


class _Parser(argparse.ArgumentParser):
    """A parser that answers a wrong argument with one sentence."""

    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of the command, and those of its subcommands."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="softalign",
        description="Sequence models from statistical translation to the Transformer.",
        epilog=EXAMPLE,
        formatter_class=layout,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"softalign {softalign.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name in COMMANDS:
        module = import_module(f"softalign.cli.{name}")
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=module.EPILOGUE,
            formatter_class=layout,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.add_argument("--config", metavar="FILE.toml", help=CONFIG_HELP)
        command.set_defaults(run=module.run)
    return parser, commands.choices


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command ``softalign`` and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the command line.

    Returns
    -------
    int
        0, or 1 (a file cannot be used; the reason is one sentence on standard error), 2 (wrong
        arguments), 130 (interrupted by Ctrl-C), 141 (nobody reads what is written).

    Examples
    --------
    >>> main(["--version"])  # doctest: +ELLIPSIS
    softalign ...
    0

    Page: 01_smt/word_alignment
    """
    name, args = "softalign", None
    try:
        parser, commands = _parser()
        arguments = sys.argv[1:] if arguments is None else arguments
        if arguments and arguments[0] in commands:
            name = f"softalign {arguments[0]}"
        use_config(commands, arguments)
        try:
            args = parser.parse_args(arguments)
        except SystemExit as end:  # help, or wrong arguments
            status = int(end.code or 0)
        else:
            status = 0
            args.told = list(sys.argv[1:] if arguments is None else arguments)
            args.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except CommandError as problem:
        say(f"{name}: {problem}")
        return problem.status
    except KeyboardInterrupt:
        say(f"{name}: interrupted")
        return 130
    except BrokenPipeError:
        _write_nothing_more()
        return 141
    except MemoryError:
        less = " (a smaller --max-words needs less)" if hasattr(args, "max_words") else ""
        say(f"{name}: not enough memory for this corpus{less}")
        return 1
    except OSError as problem:
        _write_nothing_more()
        where = "" if problem.filename is None else f"{problem.filename}: "
        say(f"{name}: {where}{problem.strerror or problem}")
        return 1


def _write_nothing_more() -> None:
    """Keep Python from trying once more, at its end, to write what could not be written."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # a standard output that is no file, or none
        pass
