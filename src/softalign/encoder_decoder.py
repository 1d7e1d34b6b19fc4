r"""Encoder and decoder: one network reads the source, another writes the target.

The encoder turns :math:`x_1\dots x_S` into states :math:`\mathbf h_1\dots\mathbf h_S` and a
*summary* of fixed size, :math:`\mathbf{ctx}`. The decoder starts from the summary and writes one
word a step:

.. math::

   \mathbf s_0 &= \tanh(\mathbf{ctx}\,\mathbf W_s+\mathbf b_s) \\
   \mathbf s_j &= \operatorname{cell}([\mathbf E_{y_{j-1}},\ \mathbf{ctx}_j],\ \mathbf s_{j-1}) \\
   P(y_j\mid y_{<j},\mathbf x) &= \operatorname{softmax}
      (\tanh([\mathbf s_j,\ \mathbf{ctx}_j,\ \mathbf E_{y_{j-1}}]\,\mathbf W_r+\mathbf b_r)
      \,\mathbf W_{ry} + \mathbf b_y)

Where :math:`\mathbf{ctx}_j` comes from is the *reader's* business, and all that the models of
chapters 5 and 6 differ in: there is no reader, and the decoder has the summary as its initial state
only; `FixedContext` gives it the summary at every step; `SoftAttention` gives it an average of the
encoder's states that is made anew at every step.

Page: 05_encoder_decoder/encoder_decoder
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from softalign.attention import attend
from softalign.corpus import Pair
from softalign.lstm import LSTMState
from softalign.masking import lengths_mask
from softalign.rnn import State
from softalign.search import evaluating
from softalign.stacks import BidirectionalState
from softalign.text import Batch, Vocabulary, batches_by_length, pad
from softalign.training import cross_entropy

__all__ = [
    "Decoded",
    "EncoderDecoder",
    "FixedContext",
    "Memory",
    "SoftAttention",
    "align",
    "last_hidden",
    "translation_batches",
    "translation_loss",
    "vocabularies",
]


class Memory(NamedTuple):
    """What the encoder leaves of a batch of sources.

    Attributes
    ----------
    outputs : Tensor of shape (batch, src, hidden)
        A state for each source position; zero at padding.
    mask : boolean Tensor of shape (batch, src)
        True = a real source position.
    summary : Tensor of shape (batch, context)
        The fixed context.

    Page: 05_encoder_decoder/encoder_decoder
    """

    outputs: Tensor
    mask: Tensor
    summary: Tensor


class Decoded(NamedTuple):
    """What the decoder computes from a batch of sources and targets.

    Attributes
    ----------
    logits : Tensor of shape (batch, tgt, vocab)
        Of the token after each one read.
    states : Tensor of shape (batch, tgt, hidden)
        The decoder's state at each target position.
    contexts : Tensor of shape (batch, tgt, context), or None
        What the reader gave at each target position, if there is a reader.
    weights : Tensor of shape (batch, tgt, src), or None
        Attention weights, if the reader has any.

    Page: 05_encoder_decoder/encoder_decoder
    """

    logits: Tensor
    states: Tensor
    contexts: Tensor | None
    weights: Tensor | None


class _Rows(NamedTuple):
    """The stepper's state: the decoder's, and what its reader looks at."""

    state: State
    prepared: Any


def last_hidden(state: State) -> Float[Tensor, "batch hidden"]:
    """What the rest of a network sees of a layer's last state.

    Parameters
    ----------
    state : state of a recurrent layer
        Of an LSTM the cell is left out, of a stack all but the highest layer; of two directions the
        states are joined: the forward one has read the last word, the backward one the first.

    Returns
    -------
    Tensor of shape (batch, hidden)

    Examples
    --------
    >>> last_hidden(LSTMState(torch.ones(2, 3), torch.zeros(2, 3))).shape
    torch.Size([2, 3])

    Page: 05_encoder_decoder/encoder_decoder
    """
    if isinstance(state, Tensor):
        return state
    if isinstance(state, LSTMState):
        return state.hidden
    if isinstance(state, BidirectionalState):
        return torch.cat([last_hidden(state.forward), last_hidden(state.backward)], dim=-1)
    return last_hidden(state[-1])


def _with_hidden(state: State, hidden: Tensor) -> State:
    """A state whose every hidden vector is `hidden`; cells stay as they are."""
    if isinstance(state, Tensor):
        return hidden
    if isinstance(state, LSTMState):
        return LSTMState(hidden, state.cell)
    return tuple(_with_hidden(part, hidden) for part in state)


def _select(state: Any, rows: Tensor) -> Any:
    """Take rows of a state: of a tensor, of each part of a tuple, of nothing."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    parts = [_select(part, rows) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


class FixedContext(nn.Module):
    """The reader without attention: the same summary of the source at every step.

    Parameters
    ----------
    context_size : int
        Components of the summary.

    Notes
    -----
    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), section 2.2.

    Page: 05_encoder_decoder/encoder_decoder
    """

    query: Literal["previous"] = "previous"

    def __init__(self, context_size: int) -> None:
        super().__init__()
        self.output_size = context_size

    def prepare(self, memory: Memory) -> tuple[Tensor]:
        """Return what `forward` looks at, computed once for a source."""
        return (memory.summary,)

    def forward(self, queries: Float[Tensor, "batch tgt hidden"], prepared: tuple) -> tuple:
        """Return the contexts, (batch, tgt, context), and None for the weights."""
        (summary,) = prepared
        return summary[:, None].expand(-1, queries.shape[1], -1), None


class SoftAttention(nn.Module):
    r"""The reader with attention: an average of the encoder's states, made anew at every step.

    Parameters
    ----------
    score : `AdditiveScore`, `GeneralScore` or `DotScore`
        Of the decoder's state as query and the encoder's states as keys.
    memory_size : int
        Components of an encoder state.
    query : {"previous", "current"}
        Which state of the decoder asks. With "previous" it is :math:`\mathbf s_{j-1}`, and the
        context goes into the cell (Bahdanau). With "current" it is :math:`\mathbf s_j`, and the
        context goes into the readout only (Luong, without input feeding); then all target positions
        of a training batch are attended to at once.

    Raises
    ------
    ValueError
        Another `query`.

    Notes
    -----
    Bahdanau, Cho & Bengio (2015), appendix A.2; Luong, Pham & Manning (2015), section 3.1.

    Page: 06_attention/attention_alignment
    """

    def __init__(
        self,
        score: nn.Module,
        memory_size: int,
        *,
        query: Literal["previous", "current"] = "previous",
    ) -> None:
        super().__init__()
        if query not in ("previous", "current"):
            raise ValueError(f"query is {query!r}, expected 'previous' or 'current'")
        self.score, self.query = score, query
        self.output_size = memory_size

    def prepare(self, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Return projected keys, values and mask, computed once for a source."""
        return self.score.project(memory.outputs), memory.outputs, memory.mask

    def forward(self, queries: Float[Tensor, "batch tgt hidden"], prepared: tuple) -> tuple:
        """Return contexts (batch, tgt, memory_size) and weights (batch, tgt, src)."""
        keys, values, mask = prepared
        return attend(self.score(queries, keys), values, mask[:, None])


class EncoderDecoder(nn.Module):
    """Reads a source, writes a target; also a `softalign.interfaces.Stepper` and a `Translator`.

    Parameters
    ----------
    src_vocab, tgt_vocab : Vocabulary
        Of the two languages, made from the training pairs.
    encoder : recurrent layer
        Reads embeddings of ``encoder.input_size`` components, in one direction or in both.
    decoder : recurrent layer
        Reads from the left. Its ``input_size`` is `embedding_size`, and the reader's
        ``output_size`` more where the reader is asked with the previous state.
    embedding_size : int
        Components of the embeddings of target words, and of the readout.
    reader : FixedContext or SoftAttention, optional
        Without one, the decoder sees the source in its initial state only.
    context_size : int, optional
        Components of the summary: the encoder's last state goes through a linear map and a tanh to
        this size. Without it, the summary is the last state itself.
    reverse : bool
        Read the source from its end (Sutskever et al. 2014, section 3.3). The memory is then in the
        order of reading; `align` turns it round.
    dropout : float
        Probability with which a component of an embedding or of the readout is set to zero in
        training.

    Raises
    ------
    ValueError
        Sizes that do not fit; a bidirectional decoder.

    Notes
    -----
    Sutskever, Vinyals & Le, "Sequence to sequence learning with neural networks" (2014); Cho et al.
    (2014); Bahdanau, Cho & Bengio (2015). The readout has a tanh where theirs has a maxout layer.

    Examples
    --------
    >>> from softalign.gru import GRU
    >>> sides = ["她", "忙"], ["she", "is", "busy"]
    >>> known = [Vocabulary.from_training([side]) for side in sides]
    >>> model = EncoderDecoder(*known, GRU(3, 5), GRU(4, 5), embedding_size=4)
    >>> src = torch.tensor([[4, 5, 2]])
    >>> decoded = model(src, torch.tensor([[1, 6]]))
    >>> decoded.logits.shape  # four special symbols and three words
    torch.Size([1, 2, 7])

    Page: 05_encoder_decoder/encoder_decoder
    """

    def __init__(
        self,
        src_vocab: Vocabulary,
        tgt_vocab: Vocabulary,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        embedding_size: int,
        reader: FixedContext | SoftAttention | None = None,
        context_size: int | None = None,
        reverse: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.src_vocab, self.tgt_vocab = src_vocab, tgt_vocab
        self.bos_id, self.eos_id = tgt_vocab.bos_id, tgt_vocab.eos_id
        self.never = (tgt_vocab.pad_id, tgt_vocab.bos_id, tgt_vocab.unk_id)
        self.reverse = reverse
        summary_size = context_size or encoder.output_size
        self._check(decoder, reader, embedding_size, summary_size, encoder.output_size)
        self.src_embedding = nn.Embedding(len(src_vocab), encoder.input_size)
        self.encoder = encoder
        self.squeeze = nn.Linear(encoder.output_size, context_size) if context_size else None
        self.tgt_embedding = nn.Embedding(len(tgt_vocab), embedding_size)
        self.initial = nn.Linear(summary_size, decoder.output_size)
        self.decoder = decoder
        self.reader = reader
        seen = decoder.output_size + embedding_size + (reader.output_size if reader else 0)
        self.readout = nn.Linear(seen, embedding_size)
        self.output = nn.Linear(embedding_size, len(tgt_vocab))
        self.dropout = nn.Dropout(dropout)

    @staticmethod
    def _check(
        decoder: nn.Module,
        reader: nn.Module | None,
        embedding_size: int,
        summary_size: int,
        memory_size: int,
    ) -> None:
        expected = embedding_size
        if reader is not None:
            given = summary_size if isinstance(reader, FixedContext) else memory_size
            if reader.output_size != given:
                raise ValueError(
                    f"the reader's contexts have {reader.output_size} components and what it reads "
                    f"has {given}, expected the same"
                )
            if reader.query == "previous":
                expected += reader.output_size
        if decoder.input_size != expected:
            raise ValueError(
                f"the decoder reads {decoder.input_size} components, expected {expected}: the "
                "embedding and what the reader gives to the cell"
            )
        if isinstance(decoder.initial_state(1), BidirectionalState):
            raise ValueError("the decoder is bidirectional: it would read what it is to write")

    def encode(
        self, src: Int[Tensor, "batch src"], mask: Bool[Tensor, "batch src"] | None = None
    ) -> Memory:
        """Read the sources.

        Parameters
        ----------
        src : Tensor of shape (batch, src)
            Ids, padding at the end.
        mask : boolean Tensor of shape (batch, src), optional
            True = a real token; all are if left out.

        Returns
        -------
        Memory
            Of a padded source the same as of the source alone.
        """
        if mask is None:
            mask = torch.ones_like(src, dtype=torch.bool)
        if self.reverse:
            src = _turned(src, mask)
        outputs, state = self.encoder(self.dropout(self.src_embedding(src)), None, mask)
        summary = last_hidden(state)
        if self.squeeze is not None:
            summary = torch.tanh(self.squeeze(summary))
        return Memory(outputs, mask, summary)

    def begin(self, memory: Memory) -> State:
        """Return the decoder's state before the first word."""
        hidden = torch.tanh(self.initial(memory.summary))
        return _with_hidden(self.decoder.initial_state(len(hidden)), hidden)

    def forward(
        self,
        src: Int[Tensor, "batch src"],
        tgt: Int[Tensor, "batch tgt"],
        mask: Bool[Tensor, "batch src"] | None = None,
    ) -> Decoded:
        """Read sources and the targets so far; give the logits of every next target token.

        Parameters
        ----------
        src, mask
            As for `encode`.
        tgt : Tensor of shape (batch, tgt)
            Ids, the begin symbol first; padding at the end does no harm to what stands before it.

        Returns
        -------
        Decoded
        """
        memory = self.encode(src, mask)
        return self.decode(memory, tgt, self.begin(memory))

    def decode(self, memory: Memory, tgt: Int[Tensor, "batch tgt"], state: State) -> Decoded:
        """Read the targets, given the memory of the sources and the state before the first word."""
        prepared = None if self.reader is None else self.reader.prepare(memory)
        return self._decode(tgt, state, prepared)[0]

    def _decode(self, tgt: Tensor, state: State, prepared: Any) -> tuple[Decoded, State]:
        """Read targets; return what was computed, and the state after the last word."""
        embedded = self.dropout(self.tgt_embedding(tgt))
        contexts = weights = None
        if isinstance(self.reader, SoftAttention) and self.reader.query == "previous":
            found = []
            for row in embedded.unbind(1):
                context, weight = self.reader(last_hidden(state)[:, None], prepared)
                output, state = self.decoder(torch.cat([row[:, None], context], dim=-1), state)
                found.append((output, context, weight))
            states, contexts, weights = (
                torch.cat(parts, dim=1) for parts in zip(*found, strict=True)
            )
        elif isinstance(self.reader, FixedContext):
            contexts, _ = self.reader(embedded, prepared)
            states, state = self.decoder(torch.cat([embedded, contexts], dim=-1), state)
        else:
            states, state = self.decoder(embedded, state)
            if self.reader is not None:
                contexts, weights = self.reader(states, prepared)
        seen = [states, embedded] if contexts is None else [states, contexts, embedded]
        read = torch.tanh(self.readout(torch.cat(seen, dim=-1)))
        return Decoded(self.output(self.dropout(read)), states, contexts, weights), state

    # --- the stepper ------------------------------------------------------------------------------

    def start(self, sources: Sequence[Sequence[int]]) -> _Rows:
        """Read the sources, lists of ids; see `softalign.interfaces.Stepper`."""
        memory = self.encode(*_padded(sources, self.output.weight.device))
        prepared = None if self.reader is None else self.reader.prepare(memory)
        return _Rows(self.begin(memory), prepared)

    def step(
        self, tokens: Int[Tensor, "rows"], state: _Rows
    ) -> tuple[Float[Tensor, "rows vocab"], _Rows]:
        """Read one token a row; return the log-probabilities of the next, and the state after."""
        tokens = tokens.to(self.output.weight.device)
        decoded, after = self._decode(tokens[:, None], state.state, state.prepared)
        return decoded.logits[:, -1].log_softmax(-1), _Rows(after, state.prepared)

    def reorder(self, state: _Rows, rows: Int[Tensor, "rows"]) -> _Rows:
        """Return the state with the rows chosen."""
        return _select(state, rows.to(self.output.weight.device))

    def translate(self, source: Sequence[str]) -> list[str]:
        """Translate a sentence, greedily; `softalign.search.translate` does more, and many."""
        from softalign.search import translate

        return translate(self, [source])[0].words


def _turned(ids: Tensor, mask: Tensor) -> Tensor:
    """Turn the real part of each row round, and leave the padding at the end."""
    lengths = mask.sum(1, keepdim=True)
    places = torch.arange(ids.shape[1], device=ids.device)
    return ids.gather(1, torch.where(places < lengths, lengths - 1 - places, places))


def _padded(sources: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    ids, lengths = pad(sources)
    return torch.as_tensor(ids, device=device), lengths_mask(
        torch.as_tensor(lengths, device=device), ids.shape[1]
    )


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
