"""Training and search of the Transformer beside peers.

    make bench BENCH=transformer
    python benchmarks/transformer.py

One model throughout: 128 components, 4 heads, 512 hidden units, 2 layers on each side, sinusoidal
positions, pre-norm, output tied to the target embeddings, no dropout, the vocabularies of the
running corpus. One thread (set OMP_NUM_THREADS=1), CPU seconds, medians over interleaved rounds,
so that a busy machine slows all alike; a ratio is the median of the rounds' ratios.

*Training*: target tokens a second of our Transformer through `fit`, of ``torch.nn.Transformer``
wired by hand (masks made for each batch, Adam, clipping), and of Joey NMT. All three begin with the
same weights and see the same batches, sorted by length; before the clock starts their losses on
the first batch are compared.

*Search*: sentences a second, greedily and with a beam of 5 (no length exponent), of our Transformer
with its cache, of ours without (`Recomputing`), and of Joey NMT; greedily also of the plain loop
that tutorials show, which reads all the tokens again at every step and goes on with finished
sentences until the last of the batch is done. Our model is trained for some
hundred steps, and Joey NMT is given its weights: so all write nearly the same sentences, and what
is left is the search. The table shows how many are the same, and how long they are. Joey NMT's
greedy search has no cache and goes on with finished sentences, too.
"""

from __future__ import annotations

import math
import platform
import statistics
import sys
from itertools import islice
from pathlib import Path

import torch
from field import peers
from field.transformers import (
    LEARNING_RATE,
    SIZES,
    TAUGHT,
    HandWired,
    Joey,
    listed,
    loss_by_hand,
    plain_loop,
    search,
    seconds,
    taught,
    train,
    train_by_hand,
)

from softalign.corpus import load
from softalign.encoder_decoder import translation_batches, translation_loss, vocabularies
from softalign.training import seeded
from softalign.transformer import Recomputing, Transformer

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

BATCH_SIZES = (32, 64)
ROUNDS, STEPS = 7, 20
SEARCHES = ((32, 1), (256, 1), (32, 5), (256, 5))
"""Test sentences in one batch, size of the beam."""
SEARCH_ROUNDS = 5


# --- training -------------------------------------------------------------------------------------


def race_training(python: Path | None) -> None:
    """Print target tokens a second of the three."""
    print("training, target tokens a CPU second, medians of interleaved rounds\n")
    print("       parameters                            tokens a second        ours is faster than")
    print("batch       ours       nn.T       Joey         ours     nn.T     Joey     nn.T     Joey")
    pairs = load().train
    known = vocabularies(pairs)
    for batch_size in BATCH_SIZES:
        batches = list(
            islice(translation_batches(pairs, *known, batch_size=batch_size, seed=0), 200)
        )
        with seeded(0):
            ours = Transformer(*known, **SIZES)
        peer = HandWired(ours)
        optimiser = torch.optim.Adam(peer.parameters(), lr=LEARNING_RATE)
        joey = Joey(python, ours, batches=listed(batches)) if python else None
        with torch.no_grad():
            total, count = translation_loss(ours, batches[0])
            losses = [float(total / count), float(loss_by_hand(peer, batches[0]))]
        if joey:
            losses.append(joey.ask(steps=0)["loss"])
        assert max(losses) - min(losses) < 1e-4, losses
        rounds = []
        for number in range(ROUNDS + 1):  # the first is not counted
            chosen = [batches[(number * STEPS + step) % len(batches)] for step in range(STEPS)]
            tokens = sum(int(batch.tgt_lengths.sum()) - len(batch) for batch in chosen)
            row = [
                tokens / seconds(lambda: train(ours, chosen, number)),  # noqa: B023
                tokens / seconds(lambda: train_by_hand(peer, optimiser, chosen)),  # noqa: B023
            ]
            if joey:
                answer = joey.ask(steps=STEPS)
                assert answer["tokens"] == tokens
                row.append(tokens / answer["seconds"])
            rounds.append(row)
        if joey:
            joey.end()
        speeds, ratios = _medians(rounds[1:])
        sizes = [sum(p.numel() for p in model.parameters()) for model in (ours, peer)]
        sizes.append(joey.parameters if joey else None)
        line = _row(sizes, "11,.0f") + "    " + _row(speeds, "9,.0f", 3) + _row(ratios, "9.2f", 2)
        print(f"{batch_size:5d}{line}", flush=True)


# --- search ---------------------------------------------------------------------------------------


def race_search(python: Path | None) -> None:
    """Print sentences a second, with the cache, without, and of Joey NMT."""
    corpus = load()
    known = vocabularies(corpus.train)
    ours = taught(corpus.train, known)
    sources = [known[0].encode(pair.source, eos=True) for pair in corpus.test]
    most = max(count for count, _ in SEARCHES)
    joey = Joey(python, ours, sources=sources[:most]) if python else None
    print(f"\nsearch, sentences a CPU second, medians of interleaved rounds; {TAUGHT} steps old\n")
    print(
        "                 tokens a sentence  same as"
        "            sentences a second             ours is faster than"
    )
    print(
        "batch  beam      ours     Joey       Joey"
        "     cache    none   plain     Joey     none    plain     Joey"
    )
    for count, size in SEARCHES:
        chosen = sources[:count]
        ways = [lambda: search(ours, chosen, size)]  # noqa: B023
        ways.append(lambda: search(Recomputing(ours), chosen, size))  # noqa: B023
        if size == 1:
            ways.append(lambda: plain_loop(ours, chosen))  # noqa: B023
        written, *others = (way() for way in ways)
        lengths, same = [statistics.mean(map(len, written))], None
        for again in others:
            assert sum(a == b for a, b in zip(written, again, strict=True)) > 0.98 * count
        rounds = []
        for _ in range(SEARCH_ROUNDS + 1):  # the first is not counted
            row = [count / seconds(way) for way in ways]
            row += [math.nan] * (3 - len(row))
            if joey:
                answer = joey.ask(count=count, beam=size)
                row.append(count / answer["seconds"])
            rounds.append(row)
        if joey:
            theirs = [tuple(ids) for ids in answer["written"]]
            lengths.append(statistics.mean(map(len, theirs)))
            same = 100 * statistics.mean(a == b for a, b in zip(written, theirs, strict=True))
        speeds, ratios = _medians(rounds[1:])
        print(
            f"{count:5d}{size:6d}{_row(lengths, '9.1f', 2)} {_row([same], '8.0f')} %"
            f"{_row(speeds, '8.1f', 4)} {_row(ratios, '9.2f', 3)}",
            flush=True,
        )
    if joey:
        joey.end()


# --- numbers --------------------------------------------------------------------------------------


def _medians(rounds: list[list[float]]) -> tuple[list, list]:
    """Medians of the columns, and of the first column divided by each other; None if missing."""
    speeds = [statistics.median(column) for column in zip(*rounds, strict=True)]
    ratios = [
        statistics.median(row[0] / row[place] for row in rounds) for place in range(1, len(speeds))
    ]
    return _or_dash(speeds), _or_dash(ratios)


def _or_dash(numbers: list[float]) -> list[float | None]:
    return [None if math.isnan(number) else number for number in numbers]


def _row(numbers: list, form: str, places: int = 0) -> str:
    """Numbers side by side, a dash where there is none; at least so many places."""
    width = int(form.split(",")[0].split(".")[0])
    padded = [*numbers, *[None] * (places - len(numbers))]
    return "".join(f"{'-':>{width}}" if n is None else format(n, form) for n in padded)


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}\n")
    found = not peers.absence("joeynmt")
    if not found:
        print("There is no Joey NMT in the environment of the peers, which 'make bench' makes.\n")
    race_training(peers.python() if found else None)
    race_search(peers.python() if found else None)


if __name__ == "__main__":
    sys.exit(main())
