"""What a command says on standard error."""

from __future__ import annotations

import sys

__all__ = ["CommandError", "is_watched", "say"]


class CommandError(Exception):
    """One plain sentence for the user; the command ends with `status`.

    Attributes
    ----------
    status : int
        1: a file cannot be used. 2: the arguments are wrong.

    Page: 01_smt/word_alignment
    """

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def say(sentence: str) -> None:
    """Write one line on standard error, if there is one.

    Page: 01_smt/word_alignment
    """
    if sys.stderr is not None:  # it may be closed, and print would then use standard output
        print(sentence, file=sys.stderr, flush=True)


def is_watched() -> bool:
    """Whether standard error is a terminal, where somebody may look at a progress bar.

    Page: 01_smt/word_alignment
    """
    return sys.stderr is not None and sys.stderr.isatty()
