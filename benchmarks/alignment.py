"""The word aligners of the library beside nltk, eflomal and fast_align.

    make bench BENCH=alignment                                      the book's running corpus
    make bench BENCH=alignment CORPUS=pairs.tsv                     source TAB target
    make bench BENCH=alignment SOURCE=train.de.gz TARGET=train.en.gz
    make bench BENCH=alignment GOLD=gold.tsv [with one of the others, to learn from more]

A line of GOLD is ``source TAB target TAB sure links TAB possible links``, links ``i-j`` counted
from 0 or from 1; its pairs are aligned together with those of the corpus, and scored. Files may be
gzipped; words stand between spaces; all text is made lower case.

Every candidate is a process of its own, from the text to the links of both directions, on one
thread. Rounds are interleaved (A B C A B C), so that a busy machine slows all alike. CPU-seconds
are those of the fastest round, peak memory that of the largest process. What joins the two
directions of the peers is ours, and not on their account.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from field.peers import PEERS, WORKERS, measured
from field.statistical import links_of_file

from softalign import corpus as running
from softalign.aligner import MODELS
from softalign.cli.align import read_words
from softalign.cli.messages import CommandError
from softalign.metrics import Interval, Statistics, aer_statistics, bootstrap, paired_bootstrap
from softalign.symmetrise import METHODS

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

INPUTS = ("CORPUS", "SOURCE", "TARGET", "GOLD", "ROUNDS")
"""Variables of ``make bench``, which become the options."""

# Iterations of IBM Model 1 whose difference in time is measured; nltk takes seconds for one.
ITERATIONS = {"softalign": (5, 45), "nltk": (1, 3)}
MAX_WORDS = 200

Links = list[frozenset[tuple[int, int]]]


@dataclass
class Data:
    """Pairs of words; the first ones have gold links."""

    pairs: list[tuple[Sequence[str], Sequence[str]]]
    sure: Links = field(default_factory=list)
    possible: Links = field(default_factory=list)

    def statistics(self, links: Links) -> Statistics:
        """What each sentence with gold links adds to the error rate."""
        return aer_statistics(links[: len(self.sure)], self.sure, self.possible)


@dataclass
class Candidate:
    """A command that writes links, and what was measured of it.

    `read` maps a name to a function that returns links, for each way to read its output.
    """

    name: str
    command: list[str]
    read: dict[str, Callable[[], Links]]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak: int = 0
    scores: dict[str, list[Statistics]] = field(default_factory=dict)


# --- the data -------------------------------------------------------------------------------------


def load(args: argparse.Namespace) -> Data:
    """Read what was asked for, or the running corpus."""
    gold = read_gold(args.gold) if args.gold else Data([])
    files = [args.corpus] if args.corpus else [args.source, args.target]
    if None not in files:
        more, report = read_words(files, lower=True, max_words=MAX_WORDS)
        for sentence in report.sentences():
            print(sentence)
        gold.pairs += [pair for pair in more if pair[0]]
    elif not args.gold:
        pairs = running.load().train
        return Data(
            [([w.lower() for w in p.source], [w.lower() for w in p.target]) for p in pairs],
            [p.sure for p in pairs],
            [p.possible for p in pairs],
        )
    return gold


def read_gold(path: str) -> Data:
    """Read pairs with gold links; the file shows whether they are counted from 0 or from 1."""
    pairs, _ = read_words([path], lower=True, max_words=MAX_WORDS, strict=True)
    content = Path(path).read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    rows = [line.split("\t") for line in content.decode("utf-8").rstrip("\n").split("\n")]
    columns = [[_links(row[k] if k < len(row) else "") for row in rows] for k in (2, 3)]
    first = min((min(link) for column in columns for links in column for link in links), default=0)
    sure, more = ([frozenset((i - first, j - first) for i, j in x) for x in c] for c in columns)
    print(f"gold links of {path}: counted from {first}")
    if first > 1:
        raise SystemExit(f"{path}: the lowest link is {first}, expected links from 0 or from 1")
    return Data(pairs, sure, [s | m for s, m in zip(sure, more, strict=True)])


def _links(text: str) -> frozenset[tuple[int, int]]:
    return frozenset((int(i), int(j)) for i, j in (link.split("-") for link in text.split()))


# --- the candidates -------------------------------------------------------------------------------


def candidates(folder: Path, peers: Path) -> list[Candidate]:
    """Our models, and those of the peers that are there."""
    found = []
    for model in reversed(MODELS):
        for method in ["grow-diag-final-and", "intersection"][: 1 if model == "agreement" else 2]:
            name = f"softalign {model}"
            label = "" if model == "agreement" else f", {method}"
            out = folder / f"{model}-{method}"
            command = [sys.executable, "-m", "softalign", "align", "--model", model]
            command += ["--symmetrise", method, "--max-words", str(MAX_WORDS)]
            command += ["--quiet", "--force", "--output", str(out), str(folder / "pairs.tsv")]
            read = {name + label: lambda out=out: links_of_file(out)}
            found.append(Candidate(name + label, command, read))
    if program := shutil.which("eflomal-align", path=str(peers / "bin")):
        forward, backward = folder / "eflomal-f", folder / "eflomal-r"
        command = [program, "-s", str(folder / "source"), "-t", str(folder / "target")]
        command += ["-f", str(forward), "-r", str(backward), "--overwrite"]
        found.append(Candidate("eflomal", command, _both_ways("eflomal", forward, backward)))
    else:
        print("eflomal is not in the environment of the peers: left out.")
    if program := shutil.which("fast_align"):
        forward, backward = folder / "fast-f", folder / "fast-r"
        base = f"'{program}' -i '{folder / 'pairs.fast'}' -d -o -v"
        command = ["sh", "-c", f"{base} > '{forward}' && {base} -r > '{backward}'"]
        read = _both_ways("fast_align", forward, backward)
        found.append(Candidate("fast_align", command, read))
    else:
        print("fast_align is not on the PATH: left out.")
    return found


def _both_ways(name: str, forward: Path, backward: Path) -> dict[str, Callable[[], Links]]:
    def joined(how: Callable) -> Callable[[], Links]:
        return lambda: [
            how(a, b) for a, b in zip(links_of_file(forward), links_of_file(backward), strict=True)
        ]

    ways = {f"{name}, {method}": joined(how) for method, how in METHODS.items()}
    ways[f"{name}, forward"] = lambda: links_of_file(forward)
    ways[f"{name}, backward"] = lambda: links_of_file(backward)
    return ways


def progress(line: str) -> None:
    """Say on a terminal what is being measured."""
    if sys.stderr.isatty():
        print(f"\r{line[:78]:78s}\r", end="", file=sys.stderr, flush=True)


# --- the run --------------------------------------------------------------------------------------


def race_ibm1(folder: Path, peers: Path, rounds: int, pairs: int) -> None:
    """Pairs per CPU-second and iteration of IBM Model 1, ours and nltk's."""
    pythons = {"softalign": sys.executable}
    if (peers / "bin" / "python").exists():
        pythons["nltk"] = str(peers / "bin" / "python")
    else:
        print("There is no environment of the peers, which 'make bench' makes: nltk is left out.")
    best = dict.fromkeys(pythons, float("inf"))
    peak = dict.fromkeys(pythons, 0)
    for number in range(rounds):
        for name, python in pythons.items():
            progress(f"round {number + 1} of {rounds}: IBM 1 of {name}")
            few, many = map(str, ITERATIONS[name])
            worker = [python, str(WORKERS / "ibm1.py"), name, str(folder / "pairs.tsv"), few, many]
            cost = measured(worker, peers / "bin")
            best[name] = min(best[name], float(cost["output"]))
            peak[name] = max(peak[name], cost["peak"])
    progress("")
    print("\nIBM Model 1, one iteration of one direction, indexing left out")
    print(f"  {'':12s}{'CPU-s':>10s}{'pairs/CPU-s':>14s}{'peak MB':>10s}{'ours is faster by':>20s}")
    for name, seconds in best.items():
        print(
            f"  {name:12s}{seconds:10.4f}{pairs / seconds:14,.0f}{peak[name] / 1e6:10.0f}"
            f"{seconds / best['softalign']:20.1f}"
        )


def race_torch(folder: Path, peers: Path) -> None:
    """What torch would gain."""
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
        print("\ntorch is not installed: its look-up and sum are not measured.")
        return
    worker = [sys.executable, str(WORKERS / "torch_ibm1.py"), str(folder / "pairs.tsv"), "15"]
    numbers = [float(number) for number in measured(worker, peers / "bin")["output"].split()]
    print("\nIBM Model 1, milliseconds an iteration of what touches every cell")
    print(f"  {'':12s}{'look-up':>10s}{'sum':>10s}{'both':>10s}")
    for name, (look_up, add) in (("NumPy", numbers[:2]), ("torch", numbers[2:])):
        print(f"  {name:12s}{look_up:10.1f}{add:10.1f}{look_up + add:10.1f}")


def race_aligners(
    found: list[Candidate], data: Data, folder: Path, peers: Path, rounds: int
) -> None:
    """Measure the candidates in turn; keep the links' scores of every round."""
    for number in range(rounds):
        for candidate in found:
            progress(f"round {number + 1} of {rounds}: {candidate.name}")
            cost = measured(candidate.command, peers / "bin")
            candidate.cpu.append(cost["cpu"])
            candidate.wall.append(cost["wall"])
            candidate.peak = max(candidate.peak, cost["peak"])
            if data.sure:
                for name, read in candidate.read.items():
                    score = data.statistics(read())
                    candidate.scores.setdefault(name, []).append(score)


def report(found: list[Candidate], data: Data) -> None:
    """Print the table; of a sampler's rounds the mean error rate."""
    ours = next(c for c in found if c.name == "softalign agreement")
    progress("")
    print("\nFrom text to links, both directions, joined")
    head = f"{'CPU-s':>8s}{'/ agreement':>13s}{'wall s':>8s}{'pairs/CPU-s':>13s}{'peak MB':>9s}"
    print(f"  {'':40s}{head}  {'AER [95 % interval]' if data.sure else ''}")
    for candidate in found:
        cpu = min(candidate.cpu)
        costs = (
            f"{cpu:8.1f}{cpu / min(ours.cpu):13.2f}{min(candidate.wall):8.1f}"
            f"{len(data.pairs) / cpu:13,.0f}{candidate.peak / 1e6:9.0f}"
        )
        for name in candidate.read:
            print(f"  {name:40s}{costs}  {_rate(candidate.scores.get(name))}")
    if not data.sure:
        return
    mine = ours.scores[ours.name][0]
    for candidate in found:
        if candidate.name.startswith("softalign"):
            continue
        best = min(candidate.scores, key=lambda name: _mean(candidate.scores[name]))
        print(f"\n{ours.name} against the best of {candidate.name}, on the same sentences:")
        for number, theirs in enumerate(candidate.scores[best], start=1):
            difference = paired_bootstrap(mine, theirs).difference
            print(f"  round {number}: AER {mine.value:.4f} - {theirs.value:.4f} = {difference:.4f}")


def _mean(rounds: Sequence[Statistics]) -> float:
    return sum(score.value for score in rounds) / len(rounds)


def _rate(rounds: Sequence[Statistics] | None) -> str:
    if not rounds:
        return ""
    first = bootstrap(rounds[0])
    mean = _mean(rounds)
    low, high = (end + mean - first.value for end in (first.low, first.high))
    return format(Interval(mean, low, high, first.level), ".4f")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", help="file of lines 'source TAB target'")
    parser.add_argument("--source", help="file of source sentences")
    parser.add_argument("--target", help="file of target sentences")
    parser.add_argument("--gold", help="file of pairs with sure and possible links")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=PEERS, help="environment of the peers")
    args = parser.parse_args(arguments)
    try:
        data = load(args)
    except CommandError as problem:
        raise SystemExit(str(problem)) from None
    sizes = [sum(len(pair[side]) for pair in data.pairs) for side in (0, 1)]
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {args.rounds} rounds\n"
        f"{len(data.pairs):,} pairs, {sizes[0]:,} and {sizes[1]:,} words, "
        f"gold links for {len(data.sure):,}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = [[" ".join(pair[side]) for pair in data.pairs] for side in (0, 1)]
        for file, lines in (
            ("source", sides[0]),
            ("target", sides[1]),
            ("pairs.tsv", map("\t".join, zip(*sides, strict=True))),
            ("pairs.fast", map(" ||| ".join, zip(*sides, strict=True))),
        ):
            (folder / file).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        found = candidates(folder, args.peers)
        race_ibm1(folder, args.peers, args.rounds, len(data.pairs))
        race_torch(folder, args.peers)
        race_aligners(found, data, folder, args.peers, args.rounds)
        report(found, data)


if __name__ == "__main__":
    main()
