"""One table: every contest with every peer, in one interleaved run.

    make bench                      measures, and prints the table: about a quarter of an hour
    make bench STORE=1              stores it, too, in results/bench.json, which a page reads
    make bench ROUNDS=1 ONLY=ibm1   fewer rounds, or some contests only
    python benchmarks/table.py --store

One thread throughout, CPU seconds. A round asks each contestant of each contest once, and then the
next round begins: who is slowed by a busy machine is slowed beside the others. Before the clock
starts, the contestants of a contest are shown to compute the same. A peer that is missing has a row
that says so. Ctrl-C ends the run and prints what there is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from field import neural, report, statistical
from field.contest import ROUNDS, Contest, Unequal, run

INPUTS = ("STORE", "ROUNDS", "ONLY")
"""Variables of ``make bench``, which become the options."""

RESULTS = Path(__file__).resolve().parent.parent / "results" / "bench.json"

BUILDERS: Mapping[str, Callable[[int], Contest]] = {
    "ibm1": lambda rounds: statistical.ibm1(),
    "aligners": lambda rounds: statistical.aligners(),
    "lm_training": lambda rounds: statistical.lm_training(),
    "lm_likelihood": lambda rounds: statistical.lm_likelihood(),
    "lm_kneser_ney": lambda rounds: statistical.lm_kneser_ney(),
    "lstm_64": lambda rounds: neural.lstm(32, 20, 64),
    "lstm_256": lambda rounds: neural.lstm(64, 50, 256),
    "attention": lambda rounds: neural.attention(),
    "training": lambda rounds: neural.training(),
    "greedy": lambda rounds: neural.searching(1),
    "beam": lambda rounds: neural.searching(5),
    "equal_time": neural.equal_time,
}
"""The contests, in the order of the book; each is made for a number of rounds."""


def progress(line: str) -> None:
    """Say on standard error what is under way; on a terminal, in one line."""
    if sys.stderr.isatty():
        print(f"\r{line[:78]:78s}\r", end="", file=sys.stderr, flush=True)
    elif line:
        print(line, file=sys.stderr, flush=True)


def prepare(builders: Mapping[str, Callable[[int], Contest]], rounds: int) -> list[Contest]:
    """Make the contests; each shows first that its contestants compute the same."""
    contests = []
    for number, (name, build) in enumerate(builders.items(), start=1):
        progress(f"preparing contest {number} of {len(builders)}: {name}")
        try:
            contests.append(build(rounds))
        except BaseException:
            end(contests)
            raise
    return contests


def hold(contests: Sequence[Contest], rounds: int) -> tuple[bool, list[float]]:
    """Hold the contests; whether they came to their end, and the load of the machine."""
    loads: list[float] = []
    said: list[tuple[str, int]] = []

    def say(title: str, number: int) -> None:
        if said[-1:] != [(title, number)]:
            said.append((title, number))
            loads.extend(report.load())
            what = f"round {number} of {rounds}" if number else "first, uncounted round"
            progress(f"{what}: {title}")

    return run(contests, rounds, say), loads


def end(contests: Sequence[Contest]) -> None:
    """Let go of processes and files."""
    for contest in contests:
        contest.end()


def with_equal_time(contests: Sequence[Contest]) -> list[Contest]:
    """The contests, and behind the aligners' what their run says at equal time."""
    found = []
    for contest in contests:
        found.append(contest)
        if contest.name == "aligners" and contest.contestants[0].rounds:
            found.append(statistical.aligners_at_equal_time(contest))
    return found


def main(arguments: Sequence[str] | None = None, builders=BUILDERS, path: Path = RESULTS) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", nargs="?", const="1", default="", help="also store the table")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"by default {ROUNDS}")
    parser.add_argument("--only", help="names of contests, with commas between")
    options = parser.parse_args(arguments)
    names = options.only.split(",") if options.only else list(builders)
    store = options.store not in ("", "0")
    if unknown := [name for name in names if name not in builders]:
        parser.error(f"there is no contest {unknown[0]}, only {', '.join(builders)}")
    if options.rounds < 1:
        parser.error(f"the rounds are {options.rounds}, expected at least 1")
    if store and names != list(builders):
        parser.error("only the whole table is stored: leave out --only, or --store")
    torch.set_num_threads(1)
    began, contests = time.perf_counter(), []
    try:
        contests = prepare({name: builders[name] for name in names}, options.rounds)
        finished, loads = hold(contests, options.rounds)
    except KeyboardInterrupt:  # nothing has been measured yet
        progress("")
        print("Interrupted while the contests were made: there is nothing to print.")
        return 130
    except Unequal as problem:
        progress("")
        print(f"Stopped: {problem}.", file=sys.stderr)
        return 1
    finally:
        end(contests)
    progress("")
    about = report.about(options.rounds, time.perf_counter() - began, loads)
    stored = report.as_stored(with_equal_time(contests), about)
    print(report.render(stored))
    if not finished:
        print("\nInterrupted: these are the rounds that there were; nothing is stored.")
        return 130
    if store:
        report.write(stored, path)
        print(f"\nStored in {path}; 'make notebooks' brings the page up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
