"""Training in one process and in two: tokens a second, and where the time of a step goes.

    python benchmarks/scaling.py --store        about three minutes on two idle cores
    python benchmarks/scaling.py --rounds 1 --steps 4

Three ways to use two cores: one process on one thread (``fit``), one on two threads (``fit``), two
processes on one thread each (``fit_together``). Each way is a process, or a pair, that
lives as long as the measurement and waits without work while another way is asked. A round asks
each way for each row once; the medians and ranges are over the rounds, and so are the ratios, so
that what slows a round slows all ways in it. Wall-clock seconds: waiting counts.

The rows are a Transformer with 128 components and a GRU translator with attention of about as many
parameters, on batches of the running corpus, the same ones for every way. What the two processes
spend inside a sum over processes is timed in the first of them; it contains the waiting for the
other. The sum alone is timed, too, with a vector as long as the gradient and nobody late.

With ``--store`` the numbers go to results/scaling.json, which the page book/data_parallel reads.
``others`` is the share of the cores that other programs used meanwhile, ``busy`` says whether that
was more than a twentieth.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch

from softalign.corpus import load
from softalign.data_parallel import Team, fit_together, team
from softalign.encoder_decoder import translation_batches, translation_loss, vocabularies
from softalign.systems.families import Shape, as_large_as, build, parameters
from softalign.training import fit

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

RESULTS = Path(__file__).resolve().parent.parent / "results" / "scaling.json"
WIDTH, HIDDEN = 128, 512
ROWS = (("transformer", 64), ("transformer", 16), ("attention", 64))
"""Family, and sentence pairs in a whole batch."""
WAYS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes": (2, 1)}
"""Processes, and threads of each."""
ROUNDS, STEPS, WARM_UP = 7, 12, 2
"""The first steps of each call are not timed."""
LEARNING_RATE = 1e-3
OTHERS = 0.05
"""Above this share of the cores for other programs the machine counts as busy."""
TICKS = 100
"""Ticks of the clock of /proc/stat in a second."""


@dataclass(frozen=True)
class Timed(Team):
    """A team that keeps the seconds that its sums have taken."""

    spent: list[float] = field(default_factory=list)

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over all processes; see `Team.sum`."""
        begin = time.perf_counter()
        total = super().sum(tensor)
        self.spent.append(time.perf_counter() - begin)
        return total


# --- what runs in the processes that are measured -------------------------------------------------


class Measured:
    """The models and batches of a process, made once."""

    def __init__(self, together: Timed) -> None:
        self.together = together
        pairs = load().train
        sides = vocabularies(pairs)
        wanted = parameters("transformer", sides, Shape(WIDTH, HIDDEN))
        shapes = {"transformer": Shape(WIDTH, HIDDEN)}
        shapes["attention"] = Shape(WIDTH, as_large_as("attention", sides, WIDTH, wanted))
        self.models = {name: build(name, sides, shape, seed=0) for name, shape in shapes.items()}
        self.batches = {
            size: list(islice(translation_batches(pairs, *sides, batch_size=size, seed=0), 100))
            for size in {size for _, size in ROWS}
        }

    def train(self, family: str, size: int, steps: int) -> dict:
        """Train some steps; seconds and target tokens of those that are timed."""
        model, batches, together = self.models[family], self.batches[size], self.together
        stamps: list[float] = []
        sums: list[int] = []

        def batch_of(step: int):
            stamps.append(time.perf_counter())
            sums.append(len(together.spent))
            return batches[step % len(batches)]

        plan = {"steps": steps + WARM_UP + 1, "learning_rate": LEARNING_RATE, "seed": 0}
        plan["progress"] = False
        together.spent.clear()
        if together.size == 1:
            fit(model, batch_of, translation_loss, **plan)
        else:
            fit_together(together, model, batch_of, translation_loss, **plan)
        timed = range(WARM_UP, WARM_UP + steps)
        chosen = [batches[step % len(batches)] for step in timed]
        return {
            "seconds": stamps[WARM_UP + steps] - stamps[WARM_UP],
            "tokens": sum(int(batch.tgt_lengths.sum()) - len(batch) for batch in chosen),
            "sums": sum(together.spent[sums[WARM_UP] : sums[WARM_UP + steps]]),
        }

    def all_reduce(self, family: str, times: int = 15) -> float:
        """Median of the seconds of a sum of vectors as long as the gradient."""
        vector = torch.ones(self.count(family))
        found = []
        for _ in range(times):
            self.together.sum(torch.zeros(1))  # nobody is late
            begin = time.perf_counter()
            self.together.sum(vector)
            found.append(time.perf_counter() - begin)
        return statistics.median(found)

    def count(self, family: str) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.models[family].parameters())

    def multiply(self, size: int = 512, times: int = 15) -> float:
        """Floating-point operations a second of a product of square matrices."""
        a, found = torch.ones(size, size), []
        for _ in range(times):
            begin = time.perf_counter()
            a @ a
            found.append(time.perf_counter() - begin)
        return 2 * size**3 / statistics.median(found)


def work() -> None:
    """Answer the questions on the standard input of the first process until there are no more."""
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    with team("cpu") as together:
        measured = Measured(Timed(together.rank, together.size, together.device))
        while True:
            line = together.broadcast(sys.stdin.readline() if together.is_first else None)
            if not line:
                return
            what, *arguments = json.loads(line)
            answer = getattr(measured, what)(*arguments)
            if together.is_first:
                print(json.dumps(answer), flush=True)


# --- who asks -------------------------------------------------------------------------------------


class Way:
    """The processes of one way, ready to be asked."""

    def __init__(self, processes: int, threads: int) -> None:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        self.process = subprocess.Popen(
            [
                sys.executable,
                *([] if processes == 1 else [*launcher, str(processes)]),
                str(Path(__file__).resolve()),
                "--worker",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "TQDM_DISABLE": "1"},
        )

    def ask(self, *question):
        """The answer of the first process."""
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("a process that was to be measured has ended")
        return json.loads(answer)

    def end(self) -> None:
        """Let the processes finish."""
        self.process.stdin.close()
        self.process.wait()


class Others:
    """How much of the cores other programs use, from now on; as far as the system tells."""

    def __init__(self) -> None:
        self.cores, self.own = self._cores(), self._own()

    def _cores(self) -> tuple[int, int]:
        """Ticks of the clock that all cores have had, and those of them in which nothing ran."""
        if not Path("/proc/stat").exists():
            return 0, 0
        ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # idle, and waiting for a disk

    def _own(self) -> float:
        """Seconds of this process and of those children that have ended."""
        return sum(os.times()[:4])

    def share(self) -> float:
        """Share of the time of all cores that others have had, or 0 if nobody knows."""
        all_, idle = (now - then for now, then in zip(self._cores(), self.cores, strict=True))
        own = (self._own() - self.own) * TICKS
        return max(0.0, (all_ - idle - own) / all_) if all_ else 0.0


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure(rounds: int, steps: int) -> dict:
    """Ask all ways, round by round; what results/scaling.json holds but for its head."""
    ways = {name: Way(*how) for name, how in WAYS.items()}
    try:
        rows = [
            {
                "family": family,
                "batch": size,
                "parameters": ways["2 processes"].ask("count", family),
                "ways": {name: {"seconds": [], "sums": []} for name in WAYS},
            }
            for family, size in ROWS
        ]
        for number in range(rounds + 1):  # the first round is not counted
            for row in rows:
                for name, way in ways.items():
                    answer = way.ask("train", row["family"], row["batch"], steps)
                    row["tokens"] = answer["tokens"] / steps
                    if number:
                        for what in ("seconds", "sums"):
                            row["ways"][name][what].append(round(answer[what] / steps, 6))
            print(f"round {number} of {rounds}", file=sys.stderr)
        for row in rows:
            seconds = ways["2 processes"].ask("all_reduce", row["family"])
            row["all_reduce"] = round(seconds, 6)
        rates = [ways["1 process, 1 thread"].ask("multiply") for _ in range(3)]
    finally:
        for way in ways.values():
            way.end()
    return {"rows": rows, "product_flops": float(f"{statistics.median(rates):.3g}")}


def main() -> None:
    """Measure, print, and store if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--store", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work()
        return
    head = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": f"Python {platform.python_version()}, torch {torch.__version__}",
        "rounds": options.rounds,
        "steps": options.steps,
    }
    others = Others()
    found = {**head, **measure(options.rounds, options.steps)}
    found["others"] = round(others.share(), 3)
    found["busy"] = found["others"] > OTHERS
    for row in found["rows"]:
        print(f"{row['family']}, batch {row['batch']}, {row['parameters']:,} parameters")
        for name, way in row["ways"].items():
            seconds, sums = (statistics.median(way[what]) for what in ("seconds", "sums"))
            print(
                f"  {name:22s}{row['tokens'] / seconds:8,.0f} tokens a second"
                f"{1000 * seconds:8.1f} ms a step{1000 * sums:8.1f} ms in sums"
            )
        print(f"  all-reduce alone {1000 * row['all_reduce']:.1f} ms")
    print(f"product of matrices: {found['product_flops']:.3g} operations a second")
    print(f"others had {found['others']:.1%} of the cores; {found['machine']}")
    if options.store:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
