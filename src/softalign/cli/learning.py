"""Arguments of the commands that train, and what they say when training fails."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from softalign.cli.align import _at_least_one, _share
from softalign.cli.messages import CommandError

__all__ = ["add_learning_arguments", "plainly", "settings_of", "start_torch"]


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number above 0")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number of 0 or more")
    return int(text)


def add_learning_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what may be chosen of a training.

    Page: your_own_text
    """
    length = parser.add_argument_group("length of a training (of the neural families)")
    either = length.add_mutually_exclusive_group()
    either.add_argument(
        "--steps",
        type=_at_least_one,
        metavar="N",
        help="optimiser steps (default: 12 times through the training pairs, at least 1,000 steps)",
    )
    either.add_argument(
        "--budget",
        type=_positive,
        metavar="SECONDS",
        help="of training, in processor time of each process; turned into steps by timing some, "
        "before the first of them",
    )
    model = parser.add_argument_group("model and training (of the neural families)")
    model.add_argument(
        "--subwords",
        type=_whole,
        metavar="N",
        help="pieces of each side, 0 for whole words (default: 4,000 where there are more than "
        "6,000 different words)",
    )
    model.add_argument(
        "--width", type=_at_least_one, default=128, metavar="N", help="of an embedding (128)"
    )
    model.add_argument(
        "--hidden-size",
        type=_at_least_one,
        metavar="N",
        help="hidden units (default: such that all families have as many parameters)",
    )
    model.add_argument(
        "--batch-size", type=_at_least_one, default=64, metavar="N", help="pairs a step (64)"
    )
    model.add_argument(
        "--learning-rate", type=_positive, metavar="X", help="the largest (default: 0.002 or 0.003)"
    )
    for name, default, what in (
        ("warm-up", 0.1, "share of the steps in which the learning rate rises"),
        ("dropout", 0.2, "probability that a component is set to zero"),
        ("smoothing", 0.1, "share of label smoothing"),
    ):
        model.add_argument(
            f"--{name}", type=_share, default=default, metavar="X", help=f"{what} ({default})"
        )
    model.add_argument("--seed", type=_whole, default=0, metavar="N", help="of all luck (0)")
    machine = parser.add_argument_group("machine")
    machine.add_argument(
        "--device", metavar="NAME", help="cpu or cuda (default: cuda if it is there)"
    )
    machine.add_argument(
        "--threads",
        type=_at_least_one,
        default=1,
        metavar="N",
        help="of each process (1); more are faster where nothing else runs, and change last digits",
    )


def settings_of(args: argparse.Namespace, family: str, tokens: tuple[str, str]) -> Any:
    """Make the settings of a family out of the arguments.

    Raises
    ------
    CommandError
        Settings that cannot be.

    Page: your_own_text
    """
    from softalign.systems import Settings

    names = (
        "lower",
        "max_words",
        "subwords",
        "steps",
        "budget",
        "batch_size",
        "width",
        "hidden_size",
        "learning_rate",
        "warm_up",
        "dropout",
        "smoothing",
        "seed",
    )
    chosen = {name: getattr(args, name) for name in names}
    try:
        return Settings(family, *tokens, **chosen)
    except ValueError as problem:
        raise CommandError(str(problem), 2) from None


def start_torch(threads: int) -> None:
    """Load torch, with so many threads.

    Raises
    ------
    CommandError
        It is not installed.

    Page: your_own_text
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    try:
        import torch
    except ImportError:
        raise CommandError(
            "this command needs PyTorch, which is not installed: pip install 'softalign[neural]'"
        ) from None
    torch.set_num_threads(threads)


@contextmanager
def plainly(folder: str) -> Iterator[None]:
    """Turn what can go wrong in a training into one sentence; an interruption says how to go on.

    Page: your_own_text
    """
    from softalign.systems import FolderError
    from softalign.training import CheckpointError, Diverged

    go_on = "the same command goes on from the last checkpoint"
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError(f"interrupted; {go_on} in {folder}", 130) from None
    except (FolderError, CheckpointError, Diverged, ValueError) as problem:
        raise CommandError(str(problem)) from None
    except MemoryError:
        raise CommandError(_no_memory(go_on)) from None
    except RuntimeError as problem:
        text = str(problem)
        if "can't allocate memory" in text or "out of memory" in text:
            raise CommandError(_no_memory(go_on)) from None
        if "PytorchStreamWriter" in text or "file write failed" in text:
            raise CommandError(f"{folder}: the disk is full or not writable; {go_on}") from None
        raise


def _no_memory(go_on: str) -> str:
    return f"not enough memory (a smaller --batch-size or --max-words needs less); {go_on}"
