"""The experiment of the character language models: what must be equal is equal."""

from __future__ import annotations

import torch

from softalign.experiments.char_lm import EXPERIMENT, batches, build, characters, vocabulary
from softalign.prose import prose
from softalign.recurrent_lm import sentence_loss


def test_rows_differ_in_the_layer_its_size_and_its_learning_rate_only():
    free = {"layer", "hidden_size", "learning_rate", "seed"}
    rest = [{k: v for k, v in c.items() if k not in free} for c in EXPERIMENT.rows.values()]
    assert all(row == rest[0] for row in rest)


def test_every_row_has_the_same_number_of_parameters_within_one_per_cent():
    sizes = [
        sum(p.numel() for p in build(config).parameters()) for config in EXPERIMENT.rows.values()
    ]
    assert max(sizes) <= 1.01 * min(sizes)


def test_the_parts_are_the_prose_and_share_no_sentence():
    parts = characters()
    texts = [{"".join(s).replace("␣", " ") for s in sentences} for sentences in parts.values()]
    assert set.union(*texts) == {" ".join(s) for s in prose()}
    assert sum(map(len, texts)) == len(prose()) == sum(map(len, parts.values()))
    assert [len(s) for s in parts.values()] == [4187, 524, 524]
    known = {letter for sentence in parts["train"] for letter in sentence}
    assert set(vocabulary().words[4:]) == known


def test_a_row_begins_the_same_every_time_and_seeds_differ():
    losses = []
    for name in ("skip, seed 0", "skip, seed 0", "skip, seed 1"):
        config = EXPERIMENT.rows[name]
        torch.manual_seed(17)  # what was drawn before does not matter
        total, count = sentence_loss(build(config), batches(config)(0))
        losses.append(total.item() / count)
    assert losses[0] == losses[1] != losses[2]
    assert abs(losses[0] - torch.log(torch.tensor(50.0)).item()) < 0.3
