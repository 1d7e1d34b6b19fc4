"""CPU seconds of the recurrent layers, forward and backward, beside torch's own.

    make bench BENCH=recurrent
    python benchmarks/recurrent.py

Layers of equal weights read equal inputs and pass the gradient of the sum of their outputs back to
inputs and weights. Rounds are interleaved, so a busy machine slows all alike, and a ratio is the
median over the rounds of torch's seconds divided by ours in the same round. Times are process time
of one thread (set OMP_NUM_THREADS=1). Nothing needs to be installed for it.

torch multiplies matrices with the processor vendor's library (MKL), but its LSTM with another one
(oneDNN). To tell a slow loop from a slow product, torch's layer is measured twice: as it is, and
held to the products that every other layer gets.
"""

from __future__ import annotations

import platform
import statistics
import time
import warnings
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.rnn import RNN

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

LAYERS = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}
SIZES = ((64, 50, 256), (32, 20, 64), (1, 50, 64))
"""Batch, time steps, width of the inputs and of the state."""

ROUNDS = 7
SECONDS = 0.1  # of work that one measurement should have at least


@contextmanager
def ordinary_products():
    """Let torch's layers multiply matrices as everything else does."""
    torch.backends.mkldnn.set_flags(False)
    try:
        yield
    finally:
        torch.backends.mkldnn.set_flags(True)


def pass_through(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Run a layer forward and backward; return the gradient of the inputs."""
    layer.zero_grad()
    inputs.grad = None
    outputs, _ = layer(inputs)
    outputs.sum().backward()
    return inputs.grad


def seconds(layer: nn.Module, inputs: Tensor, repetitions: int) -> float:
    """CPU seconds of one pass, averaged over some."""
    begin = time.process_time()
    for _ in range(repetitions):
        pass_through(layer, inputs)
    return (time.process_time() - begin) / repetitions


def measure(ours: nn.Module, inputs: Tensor) -> tuple[list[float], list[float]]:
    """Median seconds of our layer, torch's, torch's with ordinary products; the two ratios."""
    theirs = ours.to_torch()
    expected = pass_through(theirs, inputs)
    torch.testing.assert_close(pass_through(ours, inputs), expected, rtol=1e-3, atol=1e-4)
    repetitions = max(1, round(SECONDS / seconds(theirs, inputs, 3)))
    rounds = []
    for _ in range(ROUNDS):
        row = [seconds(layer, inputs, repetitions) for layer in (ours, theirs)]
        with ordinary_products():
            rounds.append([*row, seconds(theirs, inputs, repetitions)])
    ratios = [[other / own for other in others] for own, *others in rounds]
    return [
        [statistics.median(column) for column in zip(*table, strict=True)]
        for table in (rounds, ratios)
    ]


def product_seconds(ours: nn.Module, inputs: Tensor) -> float:
    """CPU seconds of the matrix products alone: what no way of writing the loop can save."""
    batch, time_steps, _ = inputs.shape
    W_xh, W_hh = ours.W_xh.detach(), ours.W_hh.detach()
    flat = inputs.detach().flatten(0, 1)
    state = torch.zeros(batch, ours.output_size)
    joined = torch.zeros(batch, W_hh.shape[1])
    all_joined = torch.zeros(batch * time_steps, W_hh.shape[1])
    measured = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        flat @ W_xh, all_joined @ W_xh.T, flat.T @ all_joined
        for _ in range(time_steps):
            state @ W_hh, joined @ W_hh.T, state.T @ joined
        measured.append(time.process_time() - begin)
    return statistics.median(measured)


def main() -> None:
    """Print the table."""
    # switching the library of the products on again warns about graphics cards
    warnings.filterwarnings("ignore", message="TF32 acceleration")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    print("forward and backward, ms CPU, medians of interleaved rounds; ratio = torch / ours\n")
    print("                                          torch, ordinary                      ratio,")
    print("layer  batch  steps  width    ours   torch  products  products alone  ratio  same prod.")
    for batch, time_steps, width in SIZES:
        for name, layer in LAYERS.items():
            ours = layer(width, width)
            inputs = torch.randn(batch, time_steps, width, requires_grad=True)
            times, ratios = measure(ours, inputs)
            own, theirs, ordinary = (1e3 * value for value in times)
            alone = 1e3 * product_seconds(ours, inputs)
            print(
                f"{name:5s}{batch:7d}{time_steps:7d}{width:7d}{own:8.2f}{theirs:8.2f}{ordinary:10.2f}"
                f"{alone:16.2f}{ratios[0]:7.2f}{ratios[1]:12.2f}",
                flush=True,
            )
    print(
        "\nWhat limits ours: the products alone are a floor for every layer that multiplies as "
        "torch does\noutside its LSTM. Where that floor is higher than torch's whole time, the "
        "library of the products\ndecides, and no loop can make it up. The rest is one small "
        "operation after the other, started\nfrom Python and recorded by autograd, and it counts "
        "the more, the smaller batch and width are."
    )


if __name__ == "__main__":
    main()
