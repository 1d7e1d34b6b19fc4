"""The Transformer, which is also a stepper and a translator.

Page: 07_transformer/transformer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from softalign.masking import causal_mask, lengths_mask
from softalign.positions import make_positions
from softalign.text import Vocabulary, pad
from softalign.transformer.layers import DecoderLayer, EncoderLayer, Place
from softalign.transformer.multi_head import KeysValues


class Encoded(NamedTuple):
    """What the encoder leaves of a batch of sources.

    Attributes
    ----------
    outputs : Tensor of shape (batch, src, d_model)
        A vector for each source position; of padding, whatever came out.
    mask : boolean Tensor of shape (batch, src)
        True = a real source position.
    weights : tuple of Tensors of shape (batch, heads, src, src), or None
        Of each layer, if they were asked for.

    Page: 07_transformer/transformer
    """

    outputs: Tensor
    mask: Tensor
    weights: tuple[Tensor, ...] | None


class Decoded(NamedTuple):
    """What the decoder computes from a batch of sources and targets.

    Attributes
    ----------
    logits : Tensor of shape (batch, tgt, vocab)
        Of the token after each one read.
    states : Tensor of shape (batch, tgt, d_model)
        What the logits are made from.
    self_weights : tuple of Tensors of shape (batch, heads, tgt, tgt), or None
        Of each layer, if they were asked for.
    cross_weights : tuple of Tensors of shape (batch, heads, tgt, src), or None
        Likewise.

    Page: 07_transformer/transformer
    """

    logits: Tensor
    states: Tensor
    self_weights: tuple[Tensor, ...] | None
    cross_weights: tuple[Tensor, ...] | None


class _Rows(NamedTuple):
    """The stepper's state.

    Attributes
    ----------
    place : int
        Number of target tokens read.
    caches : tuple of KeysValues
        Of the target, for each layer; empty before the first token.
    memories : tuple of KeysValues
        Of the source, for each layer.
    mask : Tensor of shape (rows, 1, 1, src)
    origin : Tensor of shape (rows,)
        Number of the source that each row translates.
    """

    place: int
    caches: tuple[KeysValues, ...]
    memories: tuple[KeysValues, ...]
    mask: Tensor
    origin: Tensor


class Transformer(nn.Module):
    r"""Reads a source, writes a target; a `softalign.interfaces.Stepper` and a `Translator`.

    Parameters
    ----------
    src_vocab, tgt_vocab : Vocabulary
        Of the two languages, made from the training pairs.
    d_model : int
        Components of an embedding and of everything between the layers.
    n_heads : int
        Heads of each attention; divides `d_model`.
    d_ff : int
        Hidden units of the position-wise networks.
    n_layers : int
        Layers of the encoder, and of the decoder.
    positions : str
        One of `softalign.positions.KINDS`. Encoder and decoder each have their own.
    norm : {"pre", "post", "none"}
        Where the layer normalisation stands. With "pre" there is one more behind the last layer of
        encoder and decoder.
    tied : bool
        Compute the logits with the matrix of the target embeddings.
    scaled, residual : bool
        Divide the scores by the root of their size; add a sub-layer's input to its output. Without
        them the model is not a Transformer any more: they are here to be left out once, and looked
        at.
    dropout : float
        Probability with which a component of an embedding or of a sub-layer's output is set to zero
        in training. There is none on attention weights.
    max_length : int
        Number of learned positions, if there are such.

    Raises
    ------
    ValueError
        Sizes that do not fit, names that do not exist.

    Notes
    -----
    Vaswani et al. (2017). Theirs is ``positions="sinusoidal", norm="post"`` with one matrix for the
    output and both embeddings; here the languages have a vocabulary each. Embeddings are drawn from
    the normal distribution with variance :math:`1/d_{\text{model}}` and multiplied by
    :math:`\sqrt{d_{\text{model}}}` (section 3.4).

    Examples
    --------
    >>> sides = ["她", "忙"], ["she", "is", "busy"]
    >>> known = [Vocabulary.from_training([side]) for side in sides]
    >>> model = Transformer(*known, d_model=8, n_heads=2, d_ff=16, n_layers=1)
    >>> model(torch.tensor([[4, 5, 2]]), torch.tensor([[1, 6]])).logits.shape
    torch.Size([1, 2, 7])

    Page: 07_transformer/transformer
    """

    def __init__(
        self,
        src_vocab: Vocabulary,
        tgt_vocab: Vocabulary,
        *,
        d_model: int,
        n_heads: int,
        d_ff: int,
        n_layers: int,
        positions: str = "sinusoidal",
        norm: Place = "pre",
        tied: bool = True,
        scaled: bool = True,
        residual: bool = True,
        dropout: float = 0.0,
        max_length: int = 256,
    ) -> None:
        super().__init__()
        if n_layers < 1:
            raise ValueError(f"n_layers is {n_layers}, expected 1 or more")
        self.src_vocab, self.tgt_vocab = src_vocab, tgt_vocab
        self.bos_id, self.eos_id = tgt_vocab.bos_id, tgt_vocab.eos_id
        self.never = (tgt_vocab.pad_id, tgt_vocab.bos_id, tgt_vocab.unk_id)
        self.src_embedding = nn.Embedding(len(src_vocab), d_model)
        self.tgt_embedding = nn.Embedding(len(tgt_vocab), d_model)
        self.src_positions, self.tgt_positions = (
            make_positions(positions, d_model=d_model, n_heads=n_heads, max_length=max_length)
            for _ in range(2)
        )
        sizes = (d_model, n_heads, d_ff)
        options = {"scaled": scaled, "norm": norm, "residual": residual, "dropout": dropout}
        self.encoder = nn.ModuleList(EncoderLayer(*sizes, **options) for _ in range(n_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*sizes, **options) for _ in range(n_layers))
        self.encoder_norm, self.decoder_norm = (
            nn.LayerNorm(d_model) if norm == "pre" else nn.Identity() for _ in range(2)
        )
        self.output = nn.Linear(d_model, len(tgt_vocab))
        self.dropout = nn.Dropout(dropout)
        for embedding in (self.src_embedding, self.tgt_embedding):
            nn.init.normal_(embedding.weight, std=d_model**-0.5)
        nn.init.zeros_(self.output.bias)
        if tied:
            self.output.weight = self.tgt_embedding.weight
        else:
            nn.init.xavier_uniform_(self.output.weight)

    def _embed(self, ids: Tensor, embedding: nn.Embedding, positions: nn.Module, first: int):
        embedded = embedding(ids) * embedding.weight.shape[1] ** 0.5
        return self.dropout(positions.add(embedded, first))

    def encode(
        self,
        src: Int[Tensor, "batch src"],
        mask: Bool[Tensor, "batch src"] | None = None,
        *,
        weights: bool = False,
    ) -> Encoded:
        """Read the sources.

        Parameters
        ----------
        src : Tensor of shape (batch, src)
            Ids, padding at the end.
        mask : boolean Tensor of shape (batch, src), optional
            True = a real token; all are if left out.
        weights : bool
            Return the weights of the heads, too.

        Returns
        -------
        Encoded
            Of a padded source the same as of the source alone, at the real positions.
        """
        if mask is None:
            mask = torch.ones_like(src, dtype=torch.bool)
        stream = self._embed(src, self.src_embedding, self.src_positions, 0)
        places = torch.arange(src.shape[1], device=src.device)
        bias = self.src_positions.bias(places, places)
        shown = []
        for layer in self.encoder:
            stream, found = layer(
                stream, mask[:, None, None], self.src_positions, bias, weights=weights
            )
            shown.append(found)
        return Encoded(self.encoder_norm(stream), mask, tuple(shown) if weights else None)

    def forward(
        self,
        src: Int[Tensor, "batch src"],
        tgt: Int[Tensor, "batch tgt"],
        mask: Bool[Tensor, "batch src"] | None = None,
        *,
        weights: bool = False,
    ) -> Decoded:
        """Read sources and the targets so far; give the logits of every next target token.

        Parameters
        ----------
        src, mask, weights
            As for `encode`.
        tgt : Tensor of shape (batch, tgt)
            Ids, the begin symbol first; padding at the end does no harm to what stands before it.

        Returns
        -------
        Decoded
        """
        return self.decode(self.encode(src, mask), tgt, weights=weights)

    def decode(
        self,
        encoded: Encoded,
        tgt: Int[Tensor, "batch tgt"],
        tgt_mask: Bool[Tensor, "*any"] | None = None,
        *,
        weights: bool = False,
    ) -> Decoded:
        """Read the targets, given the encoded sources.

        Parameters
        ----------
        encoded : Encoded
        tgt, weights
            As for `forward`.
        tgt_mask : boolean Tensor, optional
            What each target position may see of the target; broadcasts to (batch, heads, tgt, tgt).
            Left out, it is the `causal_mask`, in training and in evaluation. Any other one makes
            the decoder see what it is to write.

        Returns
        -------
        Decoded
        """
        decoded, _ = self._decode(tgt, self._remember(encoded), tgt_mask, weights)
        return decoded

    def _remember(self, encoded: Encoded) -> _Rows:
        """The state before the first target token."""
        memories = tuple(
            layer.cross_attention.keys_values(encoded.outputs) for layer in self.decoder
        )
        origin = torch.arange(len(encoded.mask), device=encoded.mask.device)
        return _Rows(0, (), memories, encoded.mask[:, None, None], origin)

    def _decode(
        self, tgt: Tensor, rows: _Rows, tgt_mask: Tensor | None, weights: bool
    ) -> tuple[Decoded, _Rows]:
        """Read some more target tokens; return what was computed, and the state after them."""
        first, last = rows.place, rows.place + tgt.shape[1]
        stream = self._embed(tgt, self.tgt_embedding, self.tgt_positions, first)
        places = torch.arange(last, device=tgt.device)
        bias = self.tgt_positions.bias(places[first:], places)
        if tgt_mask is None and tgt.shape[1] > 1:  # one alone may see all that is there
            tgt_mask = causal_mask(last, device=tgt.device)[first:]
        read = []
        for number, layer in enumerate(self.decoder):
            cache = rows.caches[number] if rows.caches else None
            read.append(
                layer(
                    stream,
                    tgt_mask,
                    rows.memories[number],
                    rows.mask,
                    self.tgt_positions,
                    bias,
                    cache,
                    weights=weights,
                )
            )
            stream = read[-1].stream
        states = self.decoder_norm(stream)
        shown = (
            (tuple(r.self_weights for r in read), tuple(r.cross_weights for r in read))
            if weights
            else (None, None)
        )
        after = rows._replace(place=last, caches=tuple(r.cache for r in read))
        return Decoded(self.output(states), states, *shown), after

    # --- the stepper ------------------------------------------------------------------------------

    def start(self, sources: Sequence[Sequence[int]]) -> _Rows:
        """Read the sources, lists of ids; see `softalign.interfaces.Stepper`."""
        ids, lengths = pad(sources)
        device = self.output.weight.device
        mask = lengths_mask(torch.as_tensor(lengths, device=device), ids.shape[1])
        return self._remember(self.encode(torch.as_tensor(ids, device=device), mask))

    def step(
        self, tokens: Int[Tensor, "rows"], state: _Rows
    ) -> tuple[Float[Tensor, "rows vocab"], _Rows]:
        """Read one token a row; return the log-probabilities of the next, and the state after.

        Keys and values of the tokens before are kept in the state (the *cache*): only those of the
        newest token are computed.
        """
        tokens = tokens.to(self.output.weight.device)
        decoded, after = self._decode(tokens[:, None], state, None, False)
        return functional.log_softmax(decoded.logits[:, -1], -1), after

    def reorder(self, state: _Rows, rows: Int[Tensor, "rows"]) -> _Rows:
        """Return the state with the rows chosen."""
        rows = rows.to(state.origin.device)
        caches = tuple(_chosen(cache, rows) for cache in state.caches)
        origin = state.origin.index_select(0, rows)
        if torch.equal(origin, state.origin):  # a beam among itself: the sources stay in place
            return state._replace(caches=caches)
        memories = tuple(_chosen(memory, rows) for memory in state.memories)
        mask = state.mask.index_select(0, rows)
        return _Rows(state.place, caches, memories, mask, origin)

    def translate(self, source: Sequence[str]) -> list[str]:
        """Translate a sentence, greedily; `softalign.search.translate` does more, and many."""
        from softalign.search import translate

        return translate(self, [source])[0].words


def _chosen(kept: KeysValues, rows: Tensor) -> KeysValues:
    return KeysValues(*(part.index_select(0, rows) for part in kept))


class Recomputing:
    """A Transformer without its cache: every step reads all the tokens so far again.

    For comparison only: it gives the same log-probabilities, ever more slowly.

    Parameters
    ----------
    model : Transformer

    Page: 07_transformer/ablations
    """

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.src_vocab, self.tgt_vocab = model.src_vocab, model.tgt_vocab
        self.bos_id, self.eos_id, self.never = model.bos_id, model.eos_id, model.never

    def start(self, sources: Sequence[Sequence[int]]) -> tuple[_Rows, Tensor]:
        """Read the sources; see `softalign.interfaces.Stepper`."""
        state = self.model.start(sources)
        return state, state.origin.new_zeros(len(sources), 0)

    def step(
        self, tokens: Int[Tensor, "rows"], state: tuple[_Rows, Tensor]
    ) -> tuple[Float[Tensor, "rows vocab"], tuple[_Rows, Tensor]]:
        """Read one more token a row, and all before it."""
        rows, before = state
        written = torch.cat([before, tokens.to(before.device)[:, None]], dim=1)
        decoded, _ = self.model._decode(written, rows, None, False)
        return decoded.logits[:, -1].log_softmax(-1), (rows, written)

    def reorder(
        self, state: tuple[_Rows, Tensor], rows: Int[Tensor, "rows"]
    ) -> tuple[_Rows, Tensor]:
        """Return the state with the rows chosen."""
        remembered, written = state
        rows = rows.to(written.device)
        return self.model.reorder(remembered, rows), written.index_select(0, rows)
