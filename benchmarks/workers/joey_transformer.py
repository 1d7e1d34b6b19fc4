"""Trains and searches with Joey NMT's Transformer, when told to: ``joey_transformer.py FOLDER``.

FOLDER holds weights.pt, a state under Joey NMT's names, and data.json with the sizes and with
batches or sources of ids, as benchmarks/transformer.py writes them. Each line of standard input is
a JSON object, answered by one line of JSON: ``{"steps": n}`` trains that many steps (0: the loss of
the first batch), ``{"count": n, "beam": k}`` translates the first n sources in one batch,
``{"seconds": s}`` trains for s CPU seconds more of the "budget" in data.json.
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import joey
import timed
import torch
from joeynmt.search import search


def build(sizes):
    """The model of the given sizes: pre-norm, sinusoidal positions, tied output, no dropout."""
    half = {
        "type": "transformer",
        "num_layers": sizes["n_layers"],
        "num_heads": sizes["n_heads"],
        "hidden_size": sizes["d_model"],
        "ff_size": sizes["d_ff"],
        "dropout": 0.0,
        "layer_norm": "pre",
        "embeddings": {"embedding_dim": sizes["d_model"], "scale": True, "dropout": 0.0},
    }
    return joey.model_of(sizes, {"encoder": half, "decoder": half, "tied_softmax": True})


def translate(model, sources, limit, size):
    """Translate sources in one batch; ids up to and with the end symbol, in our order."""
    model.eval()
    begin = time.process_time()
    longest = max(map(len, sources))
    src = torch.tensor([row + [joey.Special.pad_id] * (longest - len(row)) for row in sources])
    batch = SimpleNamespace(
        src=src,
        src_length=torch.tensor([len(row) for row in sources]),
        src_mask=(src != joey.Special.pad_id)[:, None],
        has_trg=False,
    )
    found, *_ = search(model, batch, limit, size, 0.0, generate_unk=False, min_output_length=0)
    seconds = time.process_time() - begin
    written = []
    for row in found.tolist():
        end = row.index(joey.Special.eos_id) + 1 if joey.Special.eos_id in row else len(row)
        written.append([joey.ours(number) for number in row[:end]])
    return {"seconds": seconds, "written": written}


def main():
    """Answer every line of standard input."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder = Path(sys.argv[1])
    data = json.loads((folder / "data.json").read_text())
    model = build(data["sizes"])
    left = model.load_state_dict(torch.load(folder / "weights.pt"), strict=False)
    assert {name.rsplit(".", 1)[1] for name in left.missing_keys} <= {"pe"}, left
    assert not left.unexpected_keys, left
    optimiser = torch.optim.Adam(model.parameters(), lr=data["learning_rate"])
    batches = [joey.arranged(batch) for batch in data.get("batches", [])]
    sources = [[joey.theirs(number) for number in row] for row in data.get("sources", [])]
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    place = 0
    rate, budget = data["learning_rate"], data.get("budget", 1.0)
    training = timed.Training(model, batches, joey.loss_of, rate, budget)
    for line in sys.stdin:
        asked = json.loads(line)
        if "count" in asked:
            answer = translate(model, sources[: asked["count"]], data["limit"], asked["beam"])
        elif "seconds" in asked:
            answer = training.go_on(asked["seconds"])
        elif asked["steps"]:
            answer = joey.train(model, optimiser, batches, place, asked["steps"])
            place += asked["steps"]
        else:
            with torch.no_grad():
                answer = {"loss": float(joey.loss_of(model, batches[0])[0])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
