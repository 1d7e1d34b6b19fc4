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

import json
import math
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from workers.told import Told

from softalign.corpus import load
from softalign.encoder_decoder import translation_batches, translation_loss, vocabularies
from softalign.masking import causal_mask, lengths_mask
from softalign.positions import sinusoidal
from softalign.search import beam, greedy
from softalign.text import Batch, pad
from softalign.training import fit, seeded, stepwise, warm_up_then_decay
from softalign.transformer import MultiHeadAttention, PositionwiseNetwork, Recomputing, Transformer

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "_build" / "peers"
WORKER = ROOT / "benchmarks" / "workers" / "joey_transformer.py"
SIZES = {"d_model": 128, "n_heads": 4, "d_ff": 512, "n_layers": 2}
BATCH_SIZES = (32, 64)
ROUNDS, STEPS, LEARNING_RATE = 7, 20, 0.001
TAUGHT, LIMIT = 600, 40
"""Steps of training before the searches; largest number of tokens that they may write."""
SEARCHES = ((32, 1), (256, 1), (32, 5), (256, 5))
"""Test sentences in one batch, size of the beam."""
SEARCH_ROUNDS = 5


# --- the peers ------------------------------------------------------------------------------------


class HandWired(nn.Module):
    """``torch.nn.Transformer`` as its documentation would have one use it, with our weights."""

    def __init__(self, ours: Transformer) -> None:
        super().__init__()
        width, heads = SIZES["d_model"], SIZES["n_heads"]
        self.src_embedding = nn.Embedding(*ours.src_embedding.weight.shape)
        self.tgt_embedding = nn.Embedding(*ours.tgt_embedding.weight.shape)
        warnings.filterwarnings("ignore", "enable_nested_tensor is True")  # it has no such option
        self.core = nn.Transformer(
            width,
            heads,
            SIZES["n_layers"],
            SIZES["n_layers"],
            SIZES["d_ff"],
            dropout=0.0,
            norm_first=True,
            batch_first=True,
        )
        self.output = nn.Linear(width, len(ours.tgt_vocab))
        self.output.weight = self.tgt_embedding.weight
        self.register_buffer("encoding", sinusoidal(torch.arange(256), width))
        weights = {f"{side}_embedding.weight": ours.state_dict()[f"{side}_embedding.weight"]
                   for side in ("src", "tgt")}  # fmt: skip
        weights |= {"output.weight": ours.output.weight, "output.bias": ours.output.bias}
        weights |= {f"core.{name}": value for name, value in _as_torch(ours).items()}
        left = self.load_state_dict(weights, strict=False)
        assert (left.missing_keys, left.unexpected_keys) == (["encoding"], []), left

    def _embed(self, ids: Tensor, embedding: nn.Embedding) -> Tensor:
        return embedding(ids) * math.sqrt(SIZES["d_model"]) + self.encoding[: ids.shape[1]]

    def forward(self, src: Tensor, tgt: Tensor, real: Tensor) -> Tensor:
        """Logits of the next target tokens."""
        states = self.core(
            self._embed(src, self.src_embedding),
            self._embed(tgt, self.tgt_embedding),
            tgt_mask=~causal_mask(tgt.shape[1]),
            src_key_padding_mask=~real,
            memory_key_padding_mask=~real,
            tgt_is_causal=True,
        )
        return self.output(states)


def _layer_norm(name: str, norm: nn.Module) -> dict[str, Tensor]:
    return {f"{name}.{part}": getattr(norm, part) for part in ("weight", "bias")}


def _network(first: str, second: str, network: PositionwiseNetwork) -> dict[str, Tensor]:
    return {
        f"{first}.weight": network.W_1.T,
        f"{first}.bias": network.b_1,
        f"{second}.weight": network.W_2.T,
        f"{second}.bias": network.b_2,
    }


def _as_torch(ours: Transformer) -> dict[str, Tensor]:
    """Our weights under the names of ``torch.nn.Transformer``."""

    def attention(name: str, part: MultiHeadAttention) -> dict[str, Tensor]:
        return {
            f"{name}.in_proj_weight": part.W_qkv.T,
            f"{name}.in_proj_bias": part.b_qkv,
            f"{name}.out_proj.weight": part.W_o.T,
            f"{name}.out_proj.bias": part.b_o,
        }

    found: dict[str, Tensor] = {}
    for side, layers in (("encoder", ours.encoder), ("decoder", ours.decoder)):
        for number, layer in enumerate(layers):
            name = f"{side}.layers.{number}"
            found |= attention(f"{name}.self_attn", layer.attention)
            norms = [layer.around_attention.norm, layer.around_network.norm]
            if side == "decoder":
                found |= attention(f"{name}.multihead_attn", layer.cross_attention)
                norms.insert(1, layer.around_cross.norm)
            for place, norm in enumerate(norms, start=1):
                found |= _layer_norm(f"{name}.norm{place}", norm)
            found |= _network(f"{name}.linear1", f"{name}.linear2", layer.network)
    found |= _layer_norm("encoder.norm", ours.encoder_norm)
    return found | _layer_norm("decoder.norm", ours.decoder_norm)


def _as_joey(ours: Transformer) -> dict[str, Tensor]:
    """Our weights under the names of Joey NMT; it orders the special symbols otherwise."""

    def attention(name: str, part: MultiHeadAttention) -> dict[str, Tensor]:
        found = {f"{name}.output_layer.weight": part.W_o.T, f"{name}.output_layer.bias": part.b_o}
        for letter, W, b in zip(
            "qkv", part.W_qkv.split(part.sizes, 1), part.b_qkv.split(part.sizes), strict=True
        ):
            found |= {f"{name}.{letter}_layer.weight": W.T, f"{name}.{letter}_layer.bias": b}
        return found

    def reordered(embedding: nn.Embedding) -> Tensor:
        rows = torch.arange(len(embedding.weight))
        rows[:4] = torch.tensor([3, 0, 1, 2])  # theirs is unk, pad, bos, eos
        return embedding.weight[rows]

    found = {
        "src_embed.lut.weight": reordered(ours.src_embedding),
        "trg_embed.lut.weight": reordered(ours.tgt_embedding),
        "decoder.output_layer.weight": reordered(ours.tgt_embedding),
    }
    for side, layers in (("encoder", ours.encoder), ("decoder", ours.decoder)):
        for number, layer in enumerate(layers):
            name = f"{side}.layers.{number}"
            if side == "encoder":
                found |= attention(f"{name}.src_src_att", layer.attention)
                found |= _layer_norm(f"{name}.layer_norm", layer.around_attention.norm)
            else:
                found |= attention(f"{name}.trg_trg_att", layer.attention)
                found |= attention(f"{name}.src_trg_att", layer.cross_attention)
                found |= _layer_norm(f"{name}.x_layer_norm", layer.around_attention.norm)
                found |= _layer_norm(f"{name}.dec_layer_norm", layer.around_cross.norm)
            inner = f"{name}.feed_forward"
            found |= _layer_norm(f"{inner}.layer_norm", layer.around_network.norm)
            found |= _network(f"{inner}.pwff_layer.0", f"{inner}.pwff_layer.3", layer.network)
    found |= _layer_norm("encoder.layer_norm", ours.encoder_norm)
    found |= _layer_norm("decoder.layer_norm", ours.decoder_norm)
    return {name: value.detach().clone() for name, value in found.items()}


class Joey(Told):
    """Joey NMT with our weights; trains ``steps``, or translates ``count`` sources by ``beam``."""

    def __init__(self, python: Path, ours: Transformer, **data) -> None:
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        torch.save(_as_joey(ours), folder / "weights.pt")
        sizes = SIZES | {"src_vocab": len(ours.src_vocab), "tgt_vocab": len(ours.tgt_vocab)}
        data |= {"sizes": sizes, "learning_rate": LEARNING_RATE, "limit": LIMIT}
        (folder / "data.json").write_text(json.dumps(data))
        super().__init__(python, WORKER, folder)

    def end(self) -> None:
        """Let the process end, and its files go."""
        super().end()
        self.folder.cleanup()


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
        listed = [
            {name: getattr(b, name).tolist() for name in ("src", "src_lengths", "tgt")}
            for b in batches
        ]
        joey = Joey(python, ours, batches=listed) if python else None
        with torch.no_grad():
            total, count = translation_loss(ours, batches[0])
            losses = [float(total / count), float(_loss(peer, batches[0]))]
        if joey:
            losses.append(joey.ask(steps=0)["loss"])
        assert max(losses) - min(losses) < 1e-4, losses
        rounds = []
        for number in range(ROUNDS + 1):  # the first is not counted
            chosen = [batches[(number * STEPS + step) % len(batches)] for step in range(STEPS)]
            tokens = sum(int(batch.tgt_lengths.sum()) - len(batch) for batch in chosen)
            row = [
                tokens / _seconds(lambda: _train(ours, chosen, number)),  # noqa: B023
                tokens / _seconds(lambda: _train_by_hand(peer, optimiser, chosen)),  # noqa: B023
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


def _train(model: Transformer, chosen: list[Batch], number: int) -> None:
    fit(
        model,
        chosen.__getitem__,
        translation_loss,
        steps=len(chosen),
        learning_rate=LEARNING_RATE,
        seed=number,
        progress=False,
    )


def _train_by_hand(model: HandWired, optimiser: torch.optim.Optimizer, chosen: list[Batch]) -> None:
    model.train()
    for batch in chosen:
        optimiser.zero_grad(set_to_none=True)
        _loss(model, batch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()


def _loss(model: HandWired, batch: Batch) -> Tensor:
    src, tgt = torch.as_tensor(batch.src), torch.as_tensor(batch.tgt)
    logits = model(src, tgt[:, :-1], lengths_mask(batch.src_lengths, src.shape[1]))
    return functional.cross_entropy(logits.flatten(0, 1), tgt[:, 1:].flatten(), ignore_index=0)


# --- search ---------------------------------------------------------------------------------------


def race_search(python: Path | None) -> None:
    """Print sentences a second, with the cache, without, and of Joey NMT."""
    corpus = load()
    known = vocabularies(corpus.train)
    ours = _taught(corpus.train, known)
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
        ways = [lambda: _search(ours, chosen, size)]  # noqa: B023
        ways.append(lambda: _search(Recomputing(ours), chosen, size))  # noqa: B023
        if size == 1:
            ways.append(lambda: _plain_loop(ours, chosen))  # noqa: B023
        written, *others = (way() for way in ways)
        lengths, same = [statistics.mean(map(len, written))], None
        for again in others:
            assert sum(a == b for a, b in zip(written, again, strict=True)) > 0.98 * count
        rounds = []
        for _ in range(SEARCH_ROUNDS + 1):  # the first is not counted
            row = [count / _seconds(way) for way in ways]
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


def _taught(pairs, known) -> Transformer:
    """Our model after some hundred steps, without an output bias, which Joey NMT has not."""
    with seeded(0):
        model = Transformer(*known, **SIZES)
    model.output.bias.requires_grad_(False)
    batches = stepwise(
        lambda epoch: translation_batches(pairs, *known, batch_size=32, seed=0, epoch=epoch)
    )
    schedule = warm_up_then_decay(TAUGHT // 10, TAUGHT)
    options = {"steps": TAUGHT, "learning_rate": 0.003, "schedule": schedule, "seed": 0}
    fit(model, batches, translation_loss, progress=False, **options)
    return model


def _search(model, sources: list[list[int]], size: int) -> list[tuple[int, ...]]:
    if size == 1:
        return [found.ids for found in greedy(model, sources, max_length=LIMIT)]
    return [found[0].ids for found in beam(model, sources, size=size, max_length=LIMIT)]


@torch.no_grad()
def _plain_loop(model: Transformer, sources: list[list[int]]) -> list[tuple[int, ...]]:
    """Greedy search as tutorials show it, from the two methods that training uses."""
    ids, lengths = pad(sources)
    encoded = model.encode(torch.as_tensor(ids), lengths_mask(torch.as_tensor(lengths)))
    written = torch.full((len(sources), 1), model.bos_id)
    done = torch.zeros(len(sources), dtype=torch.bool)
    while not done.all() and written.shape[1] <= LIMIT:
        logits = model.decode(encoded, written).logits[:, -1]
        logits[:, list(model.never)] = -torch.inf
        newest = logits.argmax(-1)
        done |= newest == model.eos_id
        written = torch.cat([written, newest[:, None]], dim=1)
    return [
        tuple(row[: row.index(model.eos_id) + 1] if model.eos_id in row else row)
        for row in written[:, 1:].tolist()
    ]


# --- numbers --------------------------------------------------------------------------------------


def _seconds(task: Callable[[], object]) -> float:
    begin = time.process_time()
    task()
    return time.process_time() - begin


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
    python = PEERS / "bin" / "python"
    found = (
        subprocess.run([python, "-c", "import joeynmt"], capture_output=True).returncode == 0
        if python.exists()
        else False
    )
    if not found:
        print("There is no Joey NMT in the environment of the peers, which 'make bench' makes.\n")
    race_training(python if found else None)
    race_search(python if found else None)


if __name__ == "__main__":
    sys.exit(main())
