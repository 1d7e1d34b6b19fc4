"""Trains Joey NMT's model with attention, when told to: ``joey_attention.py DATA``.

DATA is a JSON file with the sizes and with batches of ids, as benchmarks/attention.py writes it.
Each line of standard input is a JSON object ``{"steps": n}``; that many steps are trained, and a
line of JSON with the CPU seconds, the target tokens and the last loss a token is the answer.
"""

import json
import sys

import joey
import torch


def build(sizes):
    """The model of the given sizes: GRU, two directions in the encoder, additive attention."""
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
    return joey.model_of(sizes, {"encoder": encoder, "decoder": decoder})


def main():
    """Answer every line of standard input."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    model = build(data["sizes"])
    optimiser = torch.optim.Adam(model.parameters(), lr=data["learning_rate"])
    batches = [joey.arranged(batch) for batch in data["batches"]]
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    place = 0
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        print(json.dumps(joey.train(model, optimiser, batches, place, steps)), flush=True)
        place += steps


if __name__ == "__main__":
    main()
