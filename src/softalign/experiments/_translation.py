"""What the experiments with encoder–decoders share: models of a configuration, and measures.

Page: 05_encoder_decoder/bottleneck
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from softalign.attention import AdditiveScore, GeneralScore
from softalign.corpus import Corpus, Pair, load
from softalign.encoder_decoder import (
    EncoderDecoder,
    FixedContext,
    SoftAttention,
    align,
    translation_batches,
    translation_loss,
    vocabularies,
)
from softalign.gru import GRU
from softalign.lstm import LSTM
from softalign.masking import lengths_mask
from softalign.metrics import (
    aer,
    bleu_statistics,
    by_bucket,
    chrf,
    exact_match_statistics,
    perplexity,
)
from softalign.rnn import RNN
from softalign.search import evaluating, translate
from softalign.stacks import Bidirectional
from softalign.text import Vocabulary
from softalign.training import seeded

__all__ = [
    "EDGES",
    "alignment_measures",
    "build",
    "corpus",
    "gradient_by_lag",
    "known",
    "linear_probe",
    "memory_measures",
    "model_perplexity",
    "translation_measures",
    "weights_to_links",
]

CELLS: Mapping[str, Callable[[int, int], nn.Module]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
EDGES = (8, 16, 24, 32, 40)
"""Largest number of Chinese words of each bucket but the last."""
PROBED = (1, 2, 4, 8, 12, 16)
"""Source positions, from 1, that a probe tries to read from the summary."""


@cache
def corpus() -> Corpus:
    """Return the running corpus.

    Page: 05_encoder_decoder/bottleneck
    """
    return load()


@cache
def known() -> tuple[Vocabulary, Vocabulary]:
    """Return the vocabularies of its training pairs.

    Page: 05_encoder_decoder/bottleneck
    """
    return vocabularies(corpus().train)


def build(config: Mapping[str, Any], sides: tuple[Vocabulary, Vocabulary]) -> EncoderDecoder:
    """Make the model of a configuration, with the weights of its seed.

    Parameters
    ----------
    config : mapping
        ``cell``, ``directions``, ``hidden_size``, ``embedding_size``, ``reader`` ("none", "fixed",
        "additive", "general", "luong"), ``context_size``, ``reverse``, ``dropout``, ``seed``.
    sides : pair of Vocabulary

    Page: 05_encoder_decoder/bottleneck
    """
    cell, hidden, width = CELLS[config["cell"]], config["hidden_size"], config["embedding_size"]
    with seeded(config["seed"]):
        layers = [cell(width, hidden) for _ in range(config["directions"])]
        encoder = layers[0] if len(layers) == 1 else Bidirectional(*layers)
        memory = encoder.output_size
        readers: Mapping[str, Callable[[], Any]] = {
            "none": lambda: None,
            "fixed": lambda: FixedContext(config["context_size"] or memory),
            "additive": lambda: SoftAttention(AdditiveScore(hidden, memory, hidden), memory),
            "general": lambda: SoftAttention(GeneralScore(hidden, memory), memory),
            "luong": lambda: SoftAttention(GeneralScore(hidden, memory), memory, query="current"),
        }
        reader = readers[config["reader"]]()
        fed = reader.output_size if reader is not None and reader.query == "previous" else 0
        return EncoderDecoder(
            *sides,
            encoder,
            cell(width + fed, hidden),
            embedding_size=width,
            reader=reader,
            context_size=config["context_size"],
            reverse=config["reverse"],
            dropout=config["dropout"],
        )


@torch.no_grad()
def model_perplexity(model: nn.Module, pairs: Sequence[Pair]) -> float:
    """Perplexity of the first references, their end symbols included, given the sources.

    Page: 05_encoder_decoder/bottleneck
    """
    total, count = 0.0, 0
    batches = translation_batches(pairs, model.src_vocab, model.tgt_vocab, batch_size=64, seed=0)
    with evaluating(model):
        for batch in batches:
            loss, number = translation_loss(model, batch)
            total, count = total - float(loss), count + number
    return perplexity(total, count)


def translation_measures(model: nn.Module, splits: Mapping[str, Sequence[Pair]]) -> dict:
    """Translate greedily, and score each split as a whole and the test and long pairs by length.

    Returns
    -------
    dict
        ``bleu_SPLIT``, ``chrf_SPLIT``, ``exact_SPLIT``, ``perplexity_SPLIT``, ``unfinished_SPLIT``
        (share without an end symbol); ``exact_1-8``, ``bleu_1-8`` and so on, each with ``_low`` and
        ``_high`` of its 95 % interval.

    Page: 05_encoder_decoder/bottleneck
    """
    found: dict[str, float] = {}
    said: dict[str, list[list[str]]] = {}
    for name, pairs in splits.items():
        outcomes = translate(model, [pair.source for pair in pairs])
        said[name] = [outcome.words for outcome in outcomes]
        references = [pair.references for pair in pairs]
        found[f"bleu_{name}"] = bleu_statistics(said[name], references).value
        found[f"chrf_{name}"] = chrf(said[name], references).value
        found[f"exact_{name}"] = exact_match_statistics(said[name], references).value
        found[f"unfinished_{name}"] = 1 - sum(o.finished for o in outcomes) / len(outcomes)
        found[f"perplexity_{name}"] = model_perplexity(model, pairs)
    pairs = [pair for name in ("test", "long") for pair in splits.get(name, ())]
    words = [sentence for name in ("test", "long") for sentence in said.get(name, ())]
    if not pairs:
        return found
    references, lengths = [p.references for p in pairs], [len(p.source) for p in pairs]
    for metric, count in (("exact", exact_match_statistics), ("bleu", bleu_statistics)):
        for bucket in by_bucket(count(words, references), lengths, EDGES, resamples=300):
            if bucket.score is not None:
                found[f"{metric}_{bucket.label}"] = bucket.score.value
                found[f"{metric}_{bucket.label}_low"] = bucket.score.low
                found[f"{metric}_{bucket.label}_high"] = bucket.score.high
    return found


def linear_probe(
    inputs: np.ndarray, labels: np.ndarray, size: int, *, ridge: float = 1.0
) -> np.ndarray:
    """Fit a linear map from vectors to one-hot labels by ridge regression.

    Parameters
    ----------
    inputs : array of shape (examples, feature)
    labels : int array of shape (examples,)
        From 0 to `size` - 1.
    size : int
        Number of labels.
    ridge : float
        Added to the diagonal of the normal equations.

    Returns
    -------
    array of shape (feature + 1, size)
        The last row is the bias. The label guessed is the column with the largest value.

    Page: 05_encoder_decoder/bottleneck
    """
    joined = np.hstack([inputs, np.ones((len(inputs), 1))]).astype(np.float64)
    sums = np.zeros((size, joined.shape[1]))
    np.add.at(sums, labels, joined)
    normal = joined.T @ joined + ridge * np.eye(joined.shape[1])
    return np.linalg.solve(normal, sums.T)


def _probed(weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    return (np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights).argmax(1)


@torch.no_grad()
def _vectors(
    model: EncoderDecoder, pairs: Sequence[Pair]
) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """Summaries of all pairs, and what the reader gives at each target word, if there is one."""
    summaries = np.zeros((len(pairs), model.initial.in_features))
    contexts: list = [None] * len(pairs)
    batches = translation_batches(pairs, model.src_vocab, model.tgt_vocab, batch_size=64, seed=0)
    with evaluating(model):
        for batch in batches:
            src = torch.as_tensor(batch.src)
            memory = model.encode(src, lengths_mask(batch.src_lengths, src.shape[1]))
            summaries[batch.index] = memory.summary.double().numpy()
            if model.reader is None:
                continue
            tgt = torch.as_tensor(batch.tgt)[:, :-1]
            found = model.decode(memory, tgt, model.begin(memory)).contexts.double().numpy()
            for number, rows, length in zip(batch.index, found, batch.tgt_lengths, strict=True):
                contexts[number] = rows[: length - 2]  # one for each target word
    return summaries, contexts


def memory_measures(model: EncoderDecoder, pairs: Mapping[str, Sequence[Pair]]) -> dict:
    """Ask what is in the summary, and in what the reader gives, by linear probes.

    Parameters
    ----------
    model : EncoderDecoder
    pairs : mapping with "train" and "test"
        Probes are fitted on the first and judged on the second.

    Returns
    -------
    dict
        ``probe_at_4``: share of the test sentences whose fourth word a linear map reads from the
        summary, among those that long; ``probe_at_4_guess``: of always guessing the most frequent.
        With a reader, ``probe_linked``: share of the target words with a sure link whose source
        word a linear map reads from the context at that step; ``context_variance``: share of the
        variance of the contexts that lies between the steps of a sentence (the rest lies between
        sentences).

    Page: 05_encoder_decoder/bottleneck
    """
    vectors = {name: _vectors(model, part) for name, part in pairs.items()}
    size, found = len(model.src_vocab), {}
    for place in PROBED:
        data = {}
        for name, part in pairs.items():
            chosen = [n for n, pair in enumerate(part) if len(pair.source) >= place]
            words = [model.src_vocab.encode(part[n].source)[place - 1] for n in chosen]
            data[name] = vectors[name][0][chosen], np.array(words)
        weights = linear_probe(*data["train"], size)
        right = _probed(weights, data["test"][0]) == data["test"][1]
        most = np.bincount(data["train"][1]).argmax()
        found[f"probe_at_{place}"] = float(right.mean())
        found[f"probe_at_{place}_guess"] = float((data["test"][1] == most).mean())
    if model.reader is None:
        return found
    data = {}
    for name, part in pairs.items():
        inputs, words = [], []
        for pair, rows in zip(part, vectors[name][1], strict=True):
            ids = model.src_vocab.encode(pair.source)
            for i, j in sorted(pair.sure):
                inputs.append(rows[j])
                words.append(ids[i])
        data[name] = np.array(inputs), np.array(words)
    weights = linear_probe(*data["train"], size)
    found["probe_linked"] = float((_probed(weights, data["test"][0]) == data["test"][1]).mean())
    steps = vectors["test"][1]
    every = np.concatenate(steps)
    within = sum(((rows - rows.mean(0)) ** 2).sum() for rows in steps)
    found["context_variance"] = float(within / ((every - every.mean(0)) ** 2).sum())
    return found


def weights_to_links(weights: np.ndarray, *, shift: int = 0) -> set[tuple[int, int]]:
    """Link each target word to the source word with the largest weight.

    Parameters
    ----------
    weights : array of shape (tgt + 1, src + 1)
        As `softalign.encoder_decoder.align` gives them. A target word whose largest weight lies on
        the end symbol is left without a link.
    shift : int
        Take for target word j the weights of row j + `shift`; words for which there is no such row
        are left without a link.

    Returns
    -------
    set of (i, j)

    Examples
    --------
    >>> weights = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
    >>> sorted(weights_to_links(weights))
    [(0, 0), (1, 1)]

    Page: 06_attention/attention_alignment
    """
    best = weights.argmax(1)
    words, end = len(weights) - 1, weights.shape[1] - 1
    return {
        (int(best[j + shift]), j)
        for j in range(words)
        if 0 <= j + shift <= words and best[j + shift] != end
    }


def alignment_measures(model: EncoderDecoder, pairs: Sequence[Pair]) -> dict:
    """Hold the weights of a model that is made to write the references against the gold links.

    Returns
    -------
    dict
        ``aer``, ``aer_shift_-1`` and ``aer_shift_+1`` (weights of the row before and after, see
        `weights_to_links`), ``entropy`` (mean of the rows' entropies, nats), ``weight_on_end``
        (mean weight of the end symbol at the target words).

    Page: 06_attention/attention_alignment
    """
    weights = align(model, [pair.source for pair in pairs], [pair.target for pair in pairs])
    gold = [pair.sure for pair in pairs], [pair.possible for pair in pairs]
    found = {}
    for name, shift in (("aer", 0), ("aer_shift_-1", -1), ("aer_shift_+1", 1)):
        found[name] = aer([weights_to_links(w, shift=shift) for w in weights], *gold).aer
    rows = [row for sentence in weights for row in sentence[:-1]]
    found["entropy"] = float(np.mean([-(r[r > 0] * np.log(r[r > 0])).sum() for r in rows]))
    found["weight_on_end"] = float(np.mean([row[-1] for row in rows]))
    return found


def gradient_by_lag(
    model: EncoderDecoder, pairs: Sequence[Pair], *, every: int = 4, width: int = 10
) -> dict:
    """Mean gradient of a target word's log-probability with respect to the word it is linked to.

    The lag of target position j and source position i is what a recurrent encoder–decoder without
    attention carries the word over: S - i steps of the (forward) encoder and j steps of the
    decoder. A model that reads from the end is grouped by the same number, so that both orders can
    be compared link by link; it carries the word over i + 1 + j steps instead.

    Parameters
    ----------
    model : EncoderDecoder
    pairs : sequence of Pair
    every : int
        Look at every so many-th sure link of a sentence.
    width : int
        Lags are grouped: 1 to `width`, and so on.

    Returns
    -------
    dict
        ``gradient_lag_1-10`` and so on: mean Euclidean norm of the gradient at the linked word's
        embedding; groups of fewer than 20 links are left out.

    Page: 06_attention/attention_alignment
    """
    groups: dict[int, list[float]] = {}
    kept: list[torch.Tensor] = []
    hook = model.src_embedding.register_forward_hook(lambda _m, _i, out: kept.append(out))
    try:
        with evaluating(model):
            for pair in pairs:
                src = torch.tensor([model.src_vocab.encode(pair.source, eos=True)])
                ids = model.tgt_vocab.encode(pair.target, bos=True)
                log_probs = model(src, torch.tensor([ids])).logits[0].log_softmax(-1)
                embedded, kept[:] = kept[-1], []
                for i, j in sorted(pair.sure)[::every]:
                    goal = log_probs[j, model.tgt_vocab.encode(pair.target)[j]]
                    (gradient,) = torch.autograd.grad(goal, embedded, retain_graph=True)
                    place = len(pair.source) - i if model.reverse else i
                    lag = len(pair.source) - i + j
                    groups.setdefault((lag - 1) // width, []).append(
                        float(gradient[0, place].norm())
                    )
    finally:
        hook.remove()
    return {
        f"gradient_lag_{width * group + 1}-{width * (group + 1)}": float(np.mean(norms))
        for group, norms in sorted(groups.items())
        if len(norms) >= 20
    }
