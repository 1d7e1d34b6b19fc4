"""Translate a test set from nothing but a parallel corpus: BLEU, seconds of each stage, memory.

    make bench BENCH=decoder SOURCE=train.de TARGET=train.en VAL_SOURCE=val.de VAL_TARGET=val.en \\
        TEST_SOURCE=test.de TEST_TARGET=test.en
    python benchmarks/decoder.py --source train.de --target train.en \\
        --val-source val.de --val-target val.en --test-source test.de --test-target test.en

Files hold one sentence a line, already split into words; they may be gzipped. The stages are word
alignment, phrase extraction, language model, tuning of the weights on the validation sentences, and
translation of the test sentences. Times are process time of one thread (set OMP_NUM_THREADS=1).
The test references are read after the last stage, and used for the score and for nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from softalign.aligner import MODELS, align
from softalign.language_model import train
from softalign.metrics import bleu, bleu_statistics, bootstrap
from softalign.phrases import build_table
from softalign.stack_decoder import StackDecoder, tune

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

NEEDS = ("SOURCE", "TARGET", "VAL_SOURCE", "VAL_TARGET", "TEST_SOURCE", "TEST_TARGET")
"""Variables of ``make bench``, without which this is not run; they become the options."""

INPUTS = ("MODEL", "THRESHOLD", "ORDER", "LIMIT", "BEAM", "ROUNDS", "OUTPUT")
"""What ``make bench`` hands on as options."""


def read(path: Path) -> list[tuple[str, ...]]:
    """Read the sentences of a file as tuples of words."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return [tuple(line.split()) for line in file]


def read_pairs(source: Path, target: Path) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Read two files as sentence pairs; both need as many lines."""
    sides = read(source), read(target)
    if len(sides[0]) != len(sides[1]):
        raise SystemExit(f"{source} has {len(sides[0])} lines, {target} has {len(sides[1])}")
    return list(zip(*sides, strict=True))


def peak_megabytes() -> float:
    """Return the largest memory that the process has had."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if platform.system() == "Darwin" else 1e3)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, what in (("", "training"), ("val-", "validation"), ("test-", "test")):
        for side in ("source", "target"):
            parser.add_argument(
                f"--{name}{side}", type=Path, required=True, help=f"{what} sentences, {side} side"
            )
    parser.add_argument("--model", choices=MODELS, default="agreement", help="of the word aligner")
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.02,
        help="of --model agreement; phrases want more links than alignments are judged by "
        "(chosen by BLEU on validation sentences)",
    )
    parser.add_argument("--order", type=int, default=5, help="of the language model")
    parser.add_argument("--limit", type=int, default=4, help="longest jump, in source words")
    parser.add_argument("--beam", type=int, default=20, help="hypotheses of a stack, in the test")
    parser.add_argument("--rounds", type=int, default=3, help="of tuning")
    parser.add_argument("--output", type=Path, help="where to write the translations")
    options = parser.parse_args(argv)
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str):
        begin = time.process_time()
        yield
        seconds[name] = time.process_time() - begin
        print(f"{name:20s}{seconds[name]:8.1f} s", file=sys.stderr, flush=True)

    with stage("reading"):
        pairs = read_pairs(options.source, options.target)
        validation = read_pairs(options.val_source, options.val_target)
        sources = read(options.test_source)
    with stage("word alignment"):
        links = align(pairs, model=options.model, threshold=options.threshold)
    with stage("phrase table"):
        table = build_table(pairs, links)
    with stage("language model"):
        model = train([target for _, target in pairs], options.order)
    with stage("tuning"):
        decoder, history = tune(
            StackDecoder(table, model, beam=10, max_options=10, distortion_limit=options.limit),
            [source for source, _ in validation],
            [[target] for _, target in validation],
            rounds=options.rounds,
            n=50,
            starts=1,
            progress=sys.stderr.isatty(),
        )
    decoder = replace(decoder, beam=options.beam, max_options=20)
    with stage("test translation"):
        hypotheses = [decoder.translate(source) for source in sources]
    if options.output:
        lines = (" ".join(words) + "\n" for words in hypotheses)
        options.output.write_text("".join(lines), encoding="utf-8")
    references = [[target] for _, target in read_pairs(options.test_source, options.test_target)]
    score = bleu(hypotheses, references)
    print(f"sentence pairs      {len(pairs):10,}")
    print(f"phrase pairs        {len(table):10,}")
    print(f"sentences translated{len(sources):10,}")
    for name, value in seconds.items():
        print(f"{name:20s}{value:10.1f} s")
    print(f"{'all stages':20s}{sum(seconds.values()):10.1f} s")
    print(f"peak memory         {peak_megabytes():10.0f} MB")
    print("BLEU on validation, round by round:", *(f"{one.bleu:.2f}" for one in history))
    print("weights:", *(f"{name} {value:.3f}" for name, value in decoder.weights.items()))
    print(score, score.detail)
    print("95 % bootstrap interval:", bootstrap(bleu_statistics(hypotheses, references)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
