"""The contests of the other chapters: layers, training, search, and translations at equal time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain, islice

import torch
from torch import Tensor, nn
from workers.timed import Training

from field import peers
from field.contest import Contest, Contestant, PeerError, Same, Work
from field.transformers import (
    SIZES,
    TAUGHT,
    HandWired,
    Joey,
    listed,
    loss_by_hand,
    plain_loop,
    search,
    seconds,
    taught,
    train,
    train_by_hand,
)
from softalign.corpus import load
from softalign.encoder_decoder import translation_batches, translation_loss, vocabularies
from softalign.lstm import LSTM
from softalign.metrics import bleu
from softalign.search import greedy
from softalign.training import seeded
from softalign.transformer import MultiHeadAttention, Recomputing, Transformer

MODEL = (
    f"d_model {SIZES['d_model']}, {SIZES['n_heads']} heads, d_ff {SIZES['d_ff']}, "
    f"{SIZES['n_layers']} + {SIZES['n_layers']} layers"
)
BATCH, STEPS = 32, 20
SEARCH_ROUNDS = 4
BUDGET, RATE, LONGEST = 100.0, 0.003, 44
"""At equal time: CPU seconds of each training, learning rate, tokens of a translation at most."""

_joey_absence = cache(lambda: peers.absence("joeynmt"))
_known = cache(lambda: vocabularies(load().train))


# --- layers ---------------------------------------------------------------------------------------


def lstm(batch: int, time_steps: int, width: int) -> Contest:
    """One LSTM layer, forward and backward."""
    with seeded(0):
        ours = LSTM(width, width)
        inputs = torch.randn(batch, time_steps, width)
    layers = {"softalign": ours, "torch.nn.LSTM": ours.to_torch()}
    return _layers(
        f"lstm_{width}",
        "LSTM layer",
        f"forward and backward, batch {batch}, {time_steps} steps, width {width}",
        {name: lambda x, layer=layer: layer(x)[0] for name, layer in layers.items()},
        inputs,
    )


def attention(batch: int = 32, length: int = 50, width: int = 256, heads: int = 4) -> Contest:
    """One layer of multi-head self-attention, forward and backward."""
    with seeded(0):
        ours = MultiHeadAttention(width, heads)
        inputs = torch.randn(batch, length, width)
    theirs = nn.MultiheadAttention(width, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.W_qkv.T)
        theirs.in_proj_bias.copy_(ours.b_qkv)
        theirs.out_proj.weight.copy_(ours.W_o.T)
        theirs.out_proj.bias.copy_(ours.b_o)
    return _layers(
        "attention",
        "Self-attention layer",
        f"forward and backward, batch {batch}, {length} positions, width {width}, {heads} heads",
        {
            "softalign": lambda x: ours(x).outputs,
            "torch.nn.MultiheadAttention": lambda x: theirs(x, x, x, need_weights=False)[0],
        },
        inputs,
    )


def _layers(name: str, title: str, task: str, layers: dict, inputs: Tensor) -> Contest:
    """Layers of equal weights; the gradient of the sum of the squared outputs goes back."""
    inputs.requires_grad_(True)

    def once(layer) -> tuple[Tensor, Tensor]:
        inputs.grad = None
        outputs = layer(inputs)
        outputs.square().sum().backward()
        return outputs.detach(), inputs.grad

    found = [once(layer) for layer in layers.values()]
    difference = max(
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(*found, strict=True)
    )
    first = next(iter(layers.values()))
    repeats = max(3, round(0.4 / seconds(lambda: once(first))))
    entered = [
        Contestant(
            label,
            lambda layer=layer: (repeats, seconds(lambda: [once(layer) for _ in range(repeats)])),
        )
        for label, layer in layers.items()
    ]
    same = Same("the outputs and the inputs' gradients, relatively,", difference, 1e-4)
    return Contest(name, title, task, "passes/s", entered, same)


# --- the Transformer ------------------------------------------------------------------------------


def _fresh() -> Transformer:
    with seeded(0):
        model = Transformer(*_known(), **SIZES)
    model.output.bias.requires_grad_(False)  # Joey NMT has none
    return model


def _nothing() -> None:
    """What there is to do at the end, where no process runs."""


def _joey(ours: Transformer, **data) -> Joey | str:
    """Joey NMT with our weights, or why there is none."""
    if reason := _joey_absence():
        return reason
    try:
        return Joey(peers.python(), ours, **data)
    except PeerError as problem:
        return str(problem)


def _batches(count: int) -> list:
    """Batches of one epoch after the other."""
    epochs = (
        translation_batches(load().train, *_known(), batch_size=BATCH, seed=0, epoch=epoch)
        for epoch in range(1000)
    )
    return list(islice(chain.from_iterable(epochs), count))


def _first_losses(ours: Transformer, batch, others: Sequence[float]) -> Same | None:
    with torch.no_grad():
        total, count = translation_loss(ours, batch)
    return Same.of("the losses of the first batch", [float(total / count), *others], 1e-4)


def training() -> Contest:
    """Training of one Transformer: ours, torch's wired by hand, Joey NMT's."""
    batches = _batches(200)
    ours = _fresh()
    wired = HandWired(ours)
    optimiser = torch.optim.Adam(wired.parameters(), lr=0.001)
    with torch.no_grad():
        losses = [float(loss_by_hand(wired, batches[0]))]
    place = {"softalign": 0, "torch.nn.Transformer": 0}

    def chosen(name: str) -> tuple[list, int]:
        first = place[name]
        place[name] += STEPS
        some = [batches[(first + step) % len(batches)] for step in range(STEPS)]
        return some, sum(int(batch.tgt_lengths.sum()) - len(batch) for batch in some)

    def own() -> Work:
        some, tokens = chosen("softalign")
        return tokens, seconds(lambda: train(ours, some, 0))

    def by_hand() -> Work:
        some, tokens = chosen("torch.nn.Transformer")
        return tokens, seconds(lambda: train_by_hand(wired, optimiser, some))

    entered = [Contestant("softalign", own), Contestant("torch.nn.Transformer", by_hand)]
    joey, end = _joey(ours, batches=listed(batches)), _nothing
    if isinstance(joey, str):
        entered.append(Contestant("Joey NMT", absent=joey))
    else:
        losses.append(joey.ask(steps=0)["loss"])
        end = joey.end
        entered.append(Contestant("Joey NMT", lambda: _work(joey.ask(steps=STEPS))))
    return Contest(
        "training",
        "Transformer, training",
        f"{MODEL}, batches of {BATCH}, Adam",
        "tokens/s",
        entered,
        _first_losses(ours, batches[0], losses),
        end=end,
    )


def _work(answer: dict) -> Work:
    return answer["tokens"], answer["seconds"]


@cache
def _taught() -> Transformer:
    return taught(load().train, _known())


@cache
def _search_joey(count: int) -> Joey | str:
    return _joey(_taught(), sources=_sources(count))


def _sources(count: int) -> list[list[int]]:
    return [_known()[0].encode(pair.source, eos=True) for pair in load().test[:count]]


def searching(size: int, count: int = 256) -> Contest:
    """Greedy search, or a beam: ours with and without its cache, Joey NMT, a plain loop."""
    ours, sources = _taught(), _sources(count)
    ways = {
        "softalign": lambda: search(ours, sources, size),
        "softalign without its cache": lambda: search(Recomputing(ours), sources, size),
    }
    if size == 1:
        ways["a plain loop, our weights"] = lambda: plain_loop(ours, sources)
    written = {name: [list(ids) for ids in way()] for name, way in ways.items()}
    entered = [
        Contestant(name, lambda way=way: (count, seconds(way))) for name, way in ways.items()
    ]
    joey, end = _search_joey(count), _nothing
    if isinstance(joey, str):
        entered.append(Contestant("Joey NMT", absent=joey))
    else:
        end = joey.end
        written["Joey NMT"] = joey.ask(count=count, beam=size)["written"]
        entered.append(
            Contestant("Joey NMT", lambda: (count, joey.ask(count=count, beam=size)["seconds"]))
        )
    own = written["softalign"]
    others = max(sum(a != b for a, b in zip(own, w, strict=True)) for w in written.values())
    words = sum(map(len, own)) / count
    return Contest(
        "greedy" if size == 1 else "beam",
        "Transformer, greedy search" if size == 1 else f"Transformer, beam of {size}",
        f"{count} test sentences in one batch, {words:.1f} tokens each, {TAUGHT} steps of training",
        "sentences/s",
        entered,
        Same("the sentences, as a share of all,", others / count, 0.05),
        rounds=SEARCH_ROUNDS,
        end=end,
    )


# --- at equal time --------------------------------------------------------------------------------


def equal_time(rounds: int, budget: float = BUDGET) -> Contest:
    """BLEU of ours and of Joey NMT after the same CPU seconds of the same training."""
    batches, slice_ = _batches(4000), budget / rounds
    ours = _fresh()

    def loss_of(model, batch):
        total, count = translation_loss(model, batch)
        return total / count, count

    training = Training(ours, batches, loss_of, RATE, budget)
    pairs, steps = load().test, {"softalign": 0, "Joey NMT": 0}
    sources = _sources(len(pairs))

    def go_on(name: str, answer: dict) -> Work:
        steps[name] += answer["steps"]
        return _work(answer)

    def score(name: str, written) -> dict[str, float]:
        words = [_known()[1].decode(ids) for ids in written]
        value = bleu(words, [pair.references for pair in pairs]).value
        return {"BLEU": value, "steps": steps[name]}

    def own_score() -> dict[str, float]:
        found = greedy(ours, sources, max_length=LONGEST)
        return score("softalign", [one.ids for one in found])

    own = Contestant(
        "softalign", lambda: go_on("softalign", training.go_on(slice_)), finish=own_score
    )
    data = {"learning_rate": RATE, "budget": budget, "limit": LONGEST, "sources": sources}
    joey, entered, losses, end = _joey(ours, batches=listed(batches), **data), [own], [], _nothing
    if isinstance(joey, str):
        entered.append(Contestant("Joey NMT", absent=joey))
    else:
        losses.append(joey.ask(steps=0)["loss"])
        end = joey.end
        entered.append(
            Contestant(
                "Joey NMT",
                lambda: go_on("Joey NMT", joey.ask(seconds=slice_)),
                finish=lambda: score("Joey NMT", joey.ask(count=len(sources), beam=1)["written"]),
            )
        )
    return Contest(
        "equal_time",
        "Translations at equal time",
        f"{budget:g} CPU s of training each from the same weights, batches of {BATCH}, Adam, "
        f"warm-up and decay; BLEU of greedy search, {len(pairs):,} test sentences",
        "tokens/s",
        entered,
        _first_losses(ours, batches[0], losses),
        warm_up=False,
        end=end,
    )
