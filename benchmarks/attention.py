"""Training and scores of attention beside peers.

    make bench BENCH=attention
    python benchmarks/attention.py

*Training*: tokens a CPU second of the encoder–decoder with additive attention, beside the same
model in Joey NMT: GRU, two directions in the encoder, equal sizes of embedding, state and
vocabularies, the same batches of the running corpus, Adam, clipping. Joey NMT's decoder also feeds
the last readout back (input feeding); ours feeds the context. Both train for some steps in turn, so
that a busy machine slows both alike; the ratio is the median over the rounds.

*Scores*: forward and backward of additive, general and scaled dot scores with the softmax and the
average, at equal sizes; torch's fused attention beside the scaled dot. One thread (set
OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from workers.told import Told

from softalign.attention import AdditiveScore, DotScore, GeneralScore, attend
from softalign.corpus import load
from softalign.encoder_decoder import (
    EncoderDecoder,
    SoftAttention,
    translation_batches,
    translation_loss,
    vocabularies,
)
from softalign.gru import GRU
from softalign.stacks import Bidirectional
from softalign.training import fit, seeded

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "_build" / "peers"
WORKER = ROOT / "benchmarks" / "workers" / "joey_attention.py"
SIZES = ((32, 64, 96), (64, 128, 256))
"""Sentences a batch, components of an embedding, of a state."""
ROUNDS, STEPS, LEARNING_RATE = 7, 20, 0.001
SCORES = ((32, 20, 20, 96), (32, 50, 50, 128))
"""Batch, target positions, source positions, components."""


def race_training(python: Path | None) -> None:
    """Print tokens a second of our model and of Joey NMT's."""
    print("training, target tokens a CPU second, medians of interleaved rounds\n")
    print("batch  embedding  state  parameters: ours     Joey   tokens/s: ours    Joey   ratio")
    pairs = load().train
    known = vocabularies(pairs)
    for batch_size, width, hidden in SIZES:
        batches = list(
            islice(translation_batches(pairs, *known, batch_size=batch_size, seed=0), 200)
        )
        with seeded(0):
            encoder = Bidirectional(GRU(width, hidden), GRU(width, hidden))
            memory = encoder.output_size
            ours = EncoderDecoder(
                *known,
                encoder,
                GRU(width + memory, hidden),
                embedding_size=width,
                reader=SoftAttention(AdditiveScore(hidden, memory, hidden), memory),
            )
        parameters = sum(parameter.numel() for parameter in ours.parameters())
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data.json"
            sizes = {
                "src_vocab": len(known[0]),
                "tgt_vocab": len(known[1]),
                "embedding_size": width,
                "hidden_size": hidden,
            }
            listed = [
                {name: getattr(b, name).tolist() for name in ("src", "src_lengths", "tgt")}
                for b in batches
            ]
            data.write_text(
                json.dumps({"sizes": sizes, "learning_rate": LEARNING_RATE, "batches": listed})
            )
            peer = Told(python, WORKER, data) if python else None
            rounds = []
            for number in range(ROUNDS + 1):  # the first is not counted
                row = [_train(ours, batches, number)]
                if peer:
                    answer = peer.ask(steps=STEPS)
                    row.append(answer["tokens"] / answer["seconds"])
                rounds.append(row)
            if peer:
                peer.end()
        own, *other = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        line = f"{batch_size:5d}{width:11d}{hidden:7d}{parameters:18d}"
        if peer:
            ratio = statistics.median(a / b for a, b in rounds[1:])
            line += f"{peer.parameters:9d}{own:16.0f}{other[0]:8.0f}{ratio:8.2f}"
        else:
            line += f"{'-':>9}{own:16.0f}{'-':>8}{'-':>8}"
        print(line, flush=True)


def _train(model: nn.Module, batches: list, number: int) -> float:
    """Target tokens a CPU second of some steps."""
    first = number * STEPS
    chosen = [batches[(first + step) % len(batches)] for step in range(STEPS)]
    begin = time.process_time()
    fit(
        model,
        chosen.__getitem__,
        translation_loss,
        steps=STEPS,
        learning_rate=LEARNING_RATE,
        seed=number,
        progress=False,
    )
    seconds = time.process_time() - begin
    return sum(int(batch.tgt_lengths.sum()) - len(batch) for batch in chosen) / seconds


def race_scores() -> None:
    """Print milliseconds of the scores at equal sizes."""
    print("\nscores, softmax and average, forward and backward, ms CPU, medians of rounds\n")
    print("batch  tgt  src  size   additive  general  scaled dot  torch's fused dot")
    for batch, tgt, src, size in SCORES:
        torch.manual_seed(0)
        queries, keys, values = (
            torch.randn(batch, length, size, requires_grad=True) for length in (tgt, src, src)
        )
        scores = [AdditiveScore(size, size, size), GeneralScore(size, size), DotScore()]

        def ours(score: nn.Module) -> Tensor:
            return attend(score(queries, score.project(keys)), values)[0]  # noqa: B023

        tasks = [lambda score=score: ours(score) for score in scores]
        tasks.append(lambda: nn.functional.scaled_dot_product_attention(queries, keys, values))  # noqa: B023
        torch.testing.assert_close(tasks[2](), tasks[3]())
        rounds = [[_milliseconds(task) for task in tasks] for _ in range(ROUNDS + 1)][1:]
        times = [statistics.median(column) for column in zip(*rounds, strict=True)]
        print(
            f"{batch:5d}{tgt:5d}{src:5d}{size:6d}{times[0]:11.2f}{times[1]:9.2f}{times[2]:12.2f}"
            f"{times[3]:19.2f}",
            flush=True,
        )


def _milliseconds(task) -> float:
    begin = time.process_time()
    for _ in range(5):
        task().sum().backward()
    return 1e3 * (time.process_time() - begin) / 5


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}\n")
    python = PEERS / "bin" / "python"
    found = (
        subprocess.run([python, "-c", "import joeynmt"], capture_output=True).returncode == 0
        if (python.exists())
        else False
    )
    if not found:
        print("There is no Joey NMT in the environment of the peers, which 'make bench' makes.\n")
    race_training(python if found else None)
    race_scores()


if __name__ == "__main__":
    sys.exit(main())
