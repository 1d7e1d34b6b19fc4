"""From sentence pairs to batches, from a batch to its loss, from pairs to attention weights.

Page: 05_encoder_decoder/encoder_decoder
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from softalign.corpus import Pair
from softalign.encoder_decoder.readers import SoftAttention
from softalign.masking import lengths_mask
from softalign.search import evaluating
from softalign.text import Batch, Vocabulary, batches_by_length
from softalign.training import cross_entropy


def vocabularies(pairs: Sequence[Pair], *, min_count: int = 1) -> tuple[Vocabulary, Vocabulary]:
    """Number the source words and the words of the first references of the training pairs.

    Returns
    -------
    src_vocab, tgt_vocab : Vocabulary

    Page: 05_encoder_decoder/encoder_decoder
    """
    return (
        Vocabulary.from_training([pair.source for pair in pairs], min_count=min_count),
        Vocabulary.from_training([pair.target for pair in pairs], min_count=min_count),
    )


def translation_batches(
    pairs: Sequence[Pair],
    src_vocab: Vocabulary,
    tgt_vocab: Vocabulary,
    *,
    batch_size: int,
    seed: int,
    epoch: int = 0,
) -> Iterator[Batch]:
    """One epoch of sentence pairs.

    Parameters
    ----------
    pairs : sequence of Pair
        Each source is translated by its first reference, ``pair.target``.
    src_vocab, tgt_vocab : Vocabulary
        Unknown words are read as ``<unk>``.
    batch_size, seed, epoch : int
        See `softalign.text.batches_by_length`.

    Yields
    ------
    Batch
        ``src`` = ``x_1 … x_S </s>`` and ``tgt`` = ``<s> y_1 … y_T </s>``.

    Page: 05_encoder_decoder/encoder_decoder
    """
    return batches_by_length(
        [src_vocab.encode(pair.source, eos=True) for pair in pairs],
        [tgt_vocab.encode(pair.target, bos=True, eos=True) for pair in pairs],
        batch_size=batch_size,
        seed=seed,
        epoch=epoch,
    )


def translation_loss(
    model: nn.Module, batch: Batch, *, smoothing: float = 0.0
) -> tuple[Float[Tensor, ""], int]:
    """Negative log-probability of the targets of a batch, in nats, and the number of their tokens.

    The model reads ``<s> y_1 … y_T`` and is to predict ``y_1 … y_T </s>`` (teacher forcing).
    Padding is neither read by the encoder nor counted: the count of the loss is the count of the
    perplexity.

    Parameters
    ----------
    model : EncoderDecoder
    batch : Batch
        As `translation_batches` makes them.
    smoothing : float
        See `softalign.training.cross_entropy`; padding and the begin symbol get none of it.

    Returns
    -------
    total : Tensor of shape ()
    count : int
        Real target words and end symbols.

    Page: 05_encoder_decoder/encoder_decoder
    """
    device = model.output.weight.device
    src, tgt = (torch.as_tensor(ids, device=device) for ids in (batch.src, batch.tgt))
    seen, counted = (
        lengths_mask(torch.as_tensor(lengths, device=device), size)
        for lengths, size in (
            (batch.src_lengths, src.shape[1]),
            (batch.tgt_lengths - 1, tgt.shape[1] - 1),
        )
    )
    logits = model(src, tgt[:, :-1], seen).logits
    excluded = (model.tgt_vocab.pad_id, model.tgt_vocab.bos_id)
    return cross_entropy(logits, tgt[:, 1:], counted, smoothing=smoothing, excluded=excluded)


@torch.no_grad()
def align(
    model: nn.Module,
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
    *,
    batch_size: int = 64,
) -> list[Float[np.ndarray, "tgt src"]]:
    """Attention weights of a model that is made to write the given targets.

    Parameters
    ----------
    model : EncoderDecoder with SoftAttention
        Put into evaluation mode for the call, and back.
    sources, targets : sequences of sequences of str
        Words, without boundary symbols.
    batch_size : int
        Pairs at a time; the result does not depend on it.

    Returns
    -------
    list of arrays of shape (tgt + 1, src + 1)
        A row for each target word and one for the end symbol, a column for each source word and one
        for the end symbol, in the order of the sentences. Rows sum to 1.

    Raises
    ------
    ValueError
        The model has no attention; another number of targets than of sources.

    Page: 06_attention/attention_alignment
    """
    if not isinstance(getattr(model, "reader", None), SoftAttention):
        raise ValueError("the model has no attention: there are no weights to look at")
    found: list = [None] * len(sources)
    if len(sources) != len(targets):
        raise ValueError(f"{len(targets)} targets for {len(sources)} sources, expected as many")
    if not sources:
        return found
    device = model.output.weight.device
    batches = batches_by_length(
        [model.src_vocab.encode(words, eos=True) for words in sources],
        [model.tgt_vocab.encode(words, bos=True) for words in targets],
        batch_size=batch_size,
        seed=0,
    )
    with evaluating(model):
        for batch in batches:
            src, tgt = (torch.as_tensor(ids, device=device) for ids in (batch.src, batch.tgt))
            mask = lengths_mask(torch.as_tensor(batch.src_lengths, device=device), src.shape[1])
            weights = model(src, tgt, mask).weights.double().cpu().numpy()
            for number, row, src_length, tgt_length in zip(
                batch.index, weights, batch.src_lengths, batch.tgt_lengths, strict=True
            ):
                kept = row[:tgt_length, :src_length]
                found[number] = kept[:, ::-1].copy() if model.reverse else kept
    return found
