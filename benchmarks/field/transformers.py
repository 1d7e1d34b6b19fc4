"""What the contests and ``transformer.py`` share: our Transformer, and its peers.

One model throughout: 128 components, 4 heads, 512 hidden units, 2 layers on each side, sinusoidal
positions, pre-norm, output tied to the target embeddings, no dropout, the vocabularies of the
running corpus.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from workers.told import Told

from field.peers import WORKERS
from softalign.encoder_decoder import translation_batches, translation_loss
from softalign.masking import causal_mask, lengths_mask
from softalign.positions import sinusoidal
from softalign.search import beam, greedy
from softalign.text import Batch, pad
from softalign.training import fit, seeded, stepwise, warm_up_then_decay
from softalign.transformer import MultiHeadAttention, PositionwiseNetwork, Transformer

SIZES = {"d_model": 128, "n_heads": 4, "d_ff": 512, "n_layers": 2}
LEARNING_RATE = 0.001
TAUGHT, LIMIT = 600, 40
"""Steps of training before the searches; largest number of tokens that they may write."""


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
        weights |= {f"core.{name}": value for name, value in as_torch(ours).items()}
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


def as_torch(ours: Transformer) -> dict[str, Tensor]:
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


def as_joey(ours: Transformer) -> dict[str, Tensor]:
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
    """Joey NMT with our weights: trains ``steps``, or ``seconds``; writes ``count`` by ``beam``."""

    def __init__(self, python: Path, ours: Transformer, **data) -> None:
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        torch.save(as_joey(ours), folder / "weights.pt")
        sizes = SIZES | {"src_vocab": len(ours.src_vocab), "tgt_vocab": len(ours.tgt_vocab)}
        data = {"learning_rate": LEARNING_RATE, "limit": LIMIT, **data, "sizes": sizes}
        (folder / "data.json").write_text(json.dumps(data))
        super().__init__(python, WORKERS / "joey_transformer.py", folder)

    def end(self) -> None:
        """Let the process end, and its files go."""
        super().end()
        self.folder.cleanup()


def listed(batches: Sequence[Batch]) -> list[dict]:
    """Batches as a worker reads them from JSON."""
    names = ("src", "src_lengths", "tgt")
    return [{name: getattr(batch, name).tolist() for name in names} for batch in batches]


# --- how they are asked -------------------------------------------------------------------------


def train(model: Transformer, chosen: list[Batch], number: int) -> None:
    """Train ours through `fit`, a step for each batch."""
    fit(
        model,
        chosen.__getitem__,
        translation_loss,
        steps=len(chosen),
        learning_rate=LEARNING_RATE,
        seed=number,
        progress=False,
    )


def train_by_hand(model: HandWired, optimiser: torch.optim.Optimizer, chosen: list[Batch]) -> None:
    """Train torch's as a tutorial would."""
    model.train()
    for batch in chosen:
        optimiser.zero_grad(set_to_none=True)
        loss_by_hand(model, batch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()


def loss_by_hand(model: HandWired, batch: Batch) -> Tensor:
    """Mean loss a token."""
    src, tgt = torch.as_tensor(batch.src), torch.as_tensor(batch.tgt)
    logits = model(src, tgt[:, :-1], lengths_mask(batch.src_lengths, src.shape[1]))
    return functional.cross_entropy(logits.flatten(0, 1), tgt[:, 1:].flatten(), ignore_index=0)


def taught(pairs, known) -> Transformer:
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


def search(model, sources: list[list[int]], size: int) -> list[tuple[int, ...]]:
    """Ids that the model writes, greedily or with a beam."""
    if size == 1:
        return [found.ids for found in greedy(model, sources, max_length=LIMIT)]
    return [found[0].ids for found in beam(model, sources, size=size, max_length=LIMIT)]


@torch.no_grad()
def plain_loop(model: Transformer, sources: list[list[int]]) -> list[tuple[int, ...]]:
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


def seconds(task: Callable[[], object]) -> float:
    """CPU seconds of a task."""
    begin = time.process_time()
    task()
    return time.process_time() - begin
