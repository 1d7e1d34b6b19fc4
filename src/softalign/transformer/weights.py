"""The weights of all heads, sentence by sentence.

Page: 07_transformer/multi_head
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from softalign.masking import lengths_mask
from softalign.search import evaluating
from softalign.text import batches_by_length
from softalign.transformer.model import Transformer


@torch.no_grad()
def cross_weights(
    model: Transformer,
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
    *,
    batch_size: int = 64,
) -> list[Float[np.ndarray, "layers heads tgt src"]]:
    """Cross-attention weights of a model that is made to write the given targets.

    Parameters
    ----------
    model : Transformer
        Put into evaluation mode for the call, and back.
    sources, targets : sequences of sequences of str
        Words, without boundary symbols.
    batch_size : int
        Pairs at a time; the result does not depend on it.

    Returns
    -------
    list of arrays of shape (layers, heads, tgt + 1, src + 1)
        A row for each target word and one for the end symbol, a column for each source word and one
        for the end symbol, in the order of the sentences. Row j is that of the position which
        *writes* word j, having read the words before it. Rows sum to 1.

    Raises
    ------
    ValueError
        Another number of targets than of sources.

    Page: 07_transformer/multi_head
    """
    if len(sources) != len(targets):
        raise ValueError(f"{len(targets)} targets for {len(sources)} sources, expected as many")
    found: list = [None] * len(sources)
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
            decoded = model(src, tgt, mask, weights=True)
            layers = torch.stack(decoded.cross_weights, dim=1).double().cpu().numpy()
            for number, row, src_length, tgt_length in zip(
                batch.index, layers, batch.src_lengths, batch.tgt_lengths, strict=True
            ):
                found[number] = row[:, :, :tgt_length, :src_length]
    return found
