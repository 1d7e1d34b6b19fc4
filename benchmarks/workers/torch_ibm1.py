"""Would torch be faster? ``torch_ibm1.py CORPUS ROUNDS``.

The two steps of an iteration of IBM Model 1 that touch every cell are the look-up of its entry of
the table and the sum of its posterior into its entry of the counts. Both are measured on the same
cells with NumPy and with torch, one thread, in interleaved rounds; the results are equal. Prints
milliseconds an iteration: NumPy's look-up and sum, torch's look-up and sum, the best of the rounds.
"""

import sys
import time

import numpy as np
import torch

from softalign.ibm import index

torch.set_num_threads(1)
corpus, rounds = sys.argv[1], int(sys.argv[2])
with open(corpus, encoding="utf-8") as file:
    lines = [line.rstrip("\n").split("\t") for line in file]
bitext = index([tuple(side.split() for side in line[:2]) for line in lines])
chunks = [
    (chunk.cells.astype(np.int64), np.random.default_rng(0).random(len(chunk.word_pairs)))
    for chunk in bitext.chunks
]
weights = [table[cells] for cells, table in chunks]


def _numpy_look_up():
    return [np.take(table, cells, mode="clip") for cells, table in chunks]


def _numpy_sum():
    return [
        np.bincount(cells, weight, minlength=len(table))
        for (cells, table), weight in zip(chunks, weights, strict=True)
    ]


tensors = [tuple(map(torch.from_numpy, both)) for both in chunks]
torch_weights = [torch.from_numpy(weight) for weight in weights]


def _torch_look_up():
    return [torch.index_select(table, 0, cells) for cells, table in tensors]


def _torch_sum():
    return [
        torch.zeros_like(table).scatter_add_(0, cells, weight)
        for (cells, table), weight in zip(tensors, torch_weights, strict=True)
    ]


steps = (_numpy_look_up, _numpy_sum, _torch_look_up, _torch_sum)
best = dict.fromkeys(steps, float("inf"))
for _ in range(rounds):
    for step in steps:
        begin = time.process_time()
        found = step()
        best[step] = min(best[step], time.process_time() - begin)
        del found
for ours, theirs in ((_numpy_look_up, _torch_look_up), (_numpy_sum, _torch_sum)):
    assert all(np.allclose(a, b) for a, b in zip(ours(), theirs(), strict=True))
print(*(1000 * best[step] for step in steps))
