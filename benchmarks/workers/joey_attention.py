"""Trains Joey NMT's model with attention, some steps at a time: ``joey_attention.py DATA``.

DATA is a JSON file with the sizes and with batches of ids, as benchmarks/attention.py writes it.
For each number of steps that comes as a line of standard input, that many steps are trained and a
line of JSON with the CPU seconds, the target tokens and the last loss a token goes to standard
output.
"""

import json
import logging
import sys
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


def theirs(ids):
    """Ids in Joey NMT's order of the special symbols; ours is pad, bos, eos, unk."""
    return torch.tensor(ids).apply_(lambda number: (number + 1) % 4 if number < 4 else number)


def build(sizes):
    """The model of the given sizes: GRU, two directions in the encoder, additive attention."""
    vocabularies = [
        Vocabulary([f"w{n}" for n in range(sizes[side] - 4)], Special())
        for side in ("src_vocab", "tgt_vocab")
    ]
    for vocabulary, side in zip(vocabularies, ("src_vocab", "tgt_vocab"), strict=True):
        assert len(vocabulary) == sizes[side], (len(vocabulary), sizes[side])
    embeddings = {"embedding_dim": sizes["embedding_size"], "dropout": 0.0}
    half = {"type": "recurrent", "rnn_type": "gru", "hidden_size": sizes["hidden_size"],
            "embeddings": embeddings, "num_layers": 1, "dropout": 0.0}  # fmt: skip
    encoder = {**half, "bidirectional": True}
    decoder = {
        **half,
        "attention": "bahdanau",
        "init_hidden": "bridge",
        "input_feeding": True,
        "hidden_dropout": 0.0,
    }
    model = build_model({"encoder": encoder, "decoder": decoder}, *vocabularies)
    model.loss_function = ("crossentropy", 0.0)
    return model


def main():
    """Answer every line of standard input."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    model = build(data["sizes"]).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=data["learning_rate"])
    batches = []
    for batch in data["batches"]:
        lengths, order = torch.tensor(batch["src_lengths"]).sort(descending=True, stable=True)
        src, tgt = theirs(batch["src"])[order], theirs(batch["tgt"])[order]
        pad = Special.pad_id
        batches.append(
            {
                "src": src,
                "src_length": lengths,
                "src_mask": (src != pad)[:, None],
                "trg_input": tgt[:, :-1],
                "trg": tgt[:, 1:],
                "trg_mask": (tgt[:, 1:] != pad)[:, None],
            }
        )
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    place = 0
    for line in sys.stdin:
        tokens, loss, begin = 0, None, time.process_time()
        for _ in range(int(line)):
            batch = batches[place % len(batches)]
            place += 1
            count = int(batch["trg_mask"].sum())
            optimiser.zero_grad(set_to_none=True)
            total, *_ = model(return_type="loss", **batch)
            loss = total / count
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            tokens += count
        seconds = time.process_time() - begin
        print(
            json.dumps({"seconds": seconds, "tokens": tokens, "loss": float(loss.detach())}),
            flush=True,
        )


if __name__ == "__main__":
    main()
