"""The command ``python -m softalign.runs``, which ``make runs`` calls.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType

from softalign.runs import Experiment, digest, engine, store
from softalign.training import Diverged


def registry() -> ModuleType:
    """Return `softalign.experiments`: it stands to the right in the reading order.

    Only this command asks for it, and by its name.

    Page: 02_rnn/rnn
    """
    return importlib.import_module("softalign.experiments")


def main(arguments: Sequence[str] | None = None, *, folder: Path | None = None) -> int:
    """Run the command; return the exit status: 0, 1 for a failure, 2 for a wrong name.

    Page: 02_rnn/rnn
    """
    parser = argparse.ArgumentParser(
        prog="python -m softalign.runs",
        description="Train the stored runs that are missing or stale; each row is kept when done.",
    )
    parser.add_argument("name", nargs="*", help="experiments; without a name, all of them")
    parser.add_argument("--list", action="store_true", help="say what is stored; train nothing")
    parser.add_argument("--force", action="store_true", help="train the rows that are fresh too")
    parser.add_argument(
        "--jobs", type=int, default=2, help="rows trained at the same time (default: 2)"
    )
    chosen = parser.parse_args(arguments)
    if chosen.jobs < 1:
        parser.error(f"--jobs is {chosen.jobs}, expected 1 or more")
    if chosen.jobs > 1:  # the bars of several rows would write over each other
        os.environ.setdefault("TQDM_DISABLE", "1")
    if not sys.stderr.isatty():  # no bars in a log file
        os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        names = registry().names()
        for name in chosen.name:
            if name not in names:
                known = ", ".join(names) or "none"
                print(f"There is no experiment {name}; there are: {known}.", file=sys.stderr)
                return 2
        for name in chosen.name or names:
            _one(registry().get(name), folder, chosen)
        if chosen.list and not chosen.name:
            _strangers(names, folder)
    except KeyboardInterrupt:
        print("Interrupted: the rows that were done are stored.", file=sys.stderr)
        return 130
    except BrokenProcessPool:
        print("A training process was ended from outside (out of memory?).", file=sys.stderr)
        return 1
    except (ValueError, Diverged, OSError) as problem:
        print(f"{problem}.", file=sys.stderr)
        return 1
    return 0


def _one(experiment: Experiment, folder: Path | None, chosen: argparse.Namespace) -> None:
    now = digest(f"softalign.experiments.{experiment.name}")
    states = engine.states(experiment, now, folder)
    counts = {state: list(states.values()).count(state) for state in sorted(set(states.values()))}
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    print(f"{experiment.name} ({experiment.page}): {said}", flush=True)
    if chosen.list:
        rows = store.read(experiment.name, folder)
        for name, state in states.items():
            seconds = f"{rows[name].seconds:.0f} s" if name in rows else ""
            print(f"  {state:<8} {name:<40} {seconds}".rstrip())
        return
    engine.bring_up_to_date(
        experiment,
        now,
        folder=folder,
        force=chosen.force,
        jobs=chosen.jobs,
        say=lambda line: print(line, flush=True),
    )


def _strangers(names: Sequence[str], folder: Path | None) -> None:
    """Name the files of results that no experiment has."""
    for path in sorted((folder or store.results_folder()).glob("*.json")):
        if path.stem not in names:
            print(f"{path.name}: there is no such experiment, delete the file")


if __name__ == "__main__":
    sys.exit(main())
