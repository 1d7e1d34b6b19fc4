"""What the workers that run Joey NMT share: its symbols, its batches, its steps of training."""

import logging
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.INFO)

import torch  # noqa: E402
from joeynmt.config import BaseConfig  # noqa: E402, F401
from joeynmt.model import build_model  # noqa: E402
from joeynmt.vocabulary import Vocabulary  # noqa: E402


class Special:
    """The special symbols, under the names that Joey NMT asks for."""

    pad_token, bos_token, eos_token, unk_token, sep_token = "<pad>", "<s>", "</s>", "<unk>", None
    unk_id, pad_id, bos_id, eos_id, sep_id = 0, 1, 2, 3, None

    def __init__(self):
        self.lang_tags = []


def theirs(number):
    """An id in Joey NMT's order of the special symbols; ours is pad, bos, eos, unk."""
    return (number + 1) % 4 if number < 4 else number


def ours(number):
    """The way back."""
    return (number - 1) % 4 if number < 4 else number


def model_of(sizes, config):
    """Joey NMT's model, with vocabularies of the given sizes and the plain cross-entropy."""
    vocabularies = [
        Vocabulary([f"w{n}" for n in range(sizes[side] - 4)], Special())
        for side in ("src_vocab", "tgt_vocab")
    ]
    for vocabulary, side in zip(vocabularies, ("src_vocab", "tgt_vocab"), strict=True):
        assert len(vocabulary) == sizes[side], (len(vocabulary), sizes[side])
    model = build_model(config, *vocabularies)
    model.loss_function = ("crossentropy", 0.0)
    return model


def arranged(batch):
    """A batch as Joey NMT's own would be, longest source first."""
    src, tgt = (
        torch.tensor([[theirs(number) for number in row] for row in batch[side]])
        for side in ("src", "tgt")
    )
    lengths, order = torch.tensor(batch["src_lengths"]).sort(descending=True, stable=True)
    src, tgt = src[order], tgt[order]
    return {
        "src": src,
        "src_length": lengths,
        "src_mask": (src != Special.pad_id)[:, None],
        "trg_input": tgt[:, :-1],
        "trg": tgt[:, 1:],
        "trg_mask": (tgt[:, 1:] != Special.pad_id)[:, None],
    }


def loss_of(model, batch):
    """Mean loss a token, and the number of tokens."""
    count = int(batch["trg_mask"].sum())
    total, *_ = model(return_type="loss", **batch)
    return total / count, count


def train(model, optimiser, batches, first, steps):
    """Train some steps, from the given batch on; CPU seconds, target tokens and the last loss."""
    model.train()
    tokens, begin = 0, time.process_time()
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss, count = loss_of(model, batches[(first + step) % len(batches)])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        tokens += count
    return {"seconds": time.process_time() - begin, "tokens": tokens, "loss": float(loss.detach())}
