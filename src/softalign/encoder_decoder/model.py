"""The encoder–decoder, which is also a stepper and a translator.

Page: 05_encoder_decoder/encoder_decoder
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from softalign.encoder_decoder.readers import FixedContext, Memory, SoftAttention
from softalign.encoder_decoder.states import last_hidden, select, started
from softalign.masking import lengths_mask
from softalign.rnn import State
from softalign.stacks import BidirectionalState
from softalign.text import Vocabulary, pad


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
        before = self.initial(memory.summary)
        return started(self.decoder.initial_state(len(before)), before)

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
        return select(state, rows.to(self.output.weight.device))

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
