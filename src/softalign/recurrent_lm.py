r"""A language model with a hidden state: the next token from all tokens before it.

The model reads ``<s> w_1 … w_T`` and predicts ``w_1 … w_T </s>``: at every time step the label is
the *next* token. A sentence has T + 1 predictions, as in `softalign.language_model`, so that
perplexities and bits per character of both kinds of models can stand side by side.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from softalign.interfaces import LanguageModel
from softalign.language_model import Evaluation
from softalign.masking import lengths_mask
from softalign.stacks import Bidirectional
from softalign.text import EOS, Batch, Vocabulary, batches_by_length

__all__ = [
    "RecurrentLM",
    "as_language_model",
    "evaluate_lm",
    "sample",
    "score",
    "sentence_batches",
    "sentence_loss",
]


class RecurrentLM(nn.Module):
    """Embedding, recurrent layer, linear output: scores for the next token at every time step.

    Parameters
    ----------
    vocab_size : int
        Entries of the vocabulary, special symbols included.
    layer : recurrent layer
        Reads embeddings of ``layer.input_size`` components; see `softalign.rnn`.
    dropout : float
        Probability with which a component of the embedding and of the layer's output is set to zero
        in training.

    Raises
    ------
    ValueError
        The layer reads from the right as well: it would have seen what it is to predict.

    Notes
    -----
    Mikolov et al., "Recurrent neural network based language model" (2010); over characters,
    Sutskever, Martens & Hinton, "Generating text with recurrent neural networks" (2011).

    Examples
    --------
    >>> from softalign.rnn import RNN
    >>> model = RecurrentLM(10, RNN(3, 5))
    >>> logits, state = model(torch.tensor([[1, 7, 4], [1, 8, 0]]))
    >>> logits.shape, state.shape
    (torch.Size([2, 3, 10]), torch.Size([2, 5]))

    Page: 02_rnn/rnn
    """

    def __init__(self, vocab_size: int, layer: nn.Module, *, dropout: float = 0.0) -> None:
        super().__init__()
        if any(isinstance(part, Bidirectional) for part in layer.modules()):
            raise ValueError(
                "the layer is bidirectional: it has read the token that it is to predict; "
                "expected a layer that reads from the left only"
            )
        self.embedding = nn.Embedding(vocab_size, layer.input_size)
        self.layer = layer
        self.output = nn.Linear(layer.output_size, vocab_size)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        ids: Int[Tensor, "batch time"],
        state: Any = None,
        mask: Bool[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time vocab"], Any]:
        """Return the logits of the token after each one read, and the layer's last state.

        Parameters
        ----------
        ids : Tensor of shape (batch, time)
            Tokens read so far; a sentence begins with ``<s>``.
        state : state of the layer, optional
            After the tokens before `ids`; nothing has been read if left out.
        mask : boolean Tensor of shape (batch, time), optional
            True = a real token.

        Returns
        -------
        logits : Tensor of shape (batch, time, vocab)
        state : state of the layer
        """
        outputs, state = self.layer(self.dropout(self.embedding(ids)), state, mask)
        return self.output(self.dropout(outputs)), state


def sentence_batches(
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    *,
    batch_size: int,
    seed: int,
    epoch: int = 0,
) -> Iterator[Batch]:
    """One epoch of sentences as batches of inputs and labels: labels are the inputs shifted left.

    Parameters
    ----------
    sentences : sequence of sequences of str
        Tokens, without boundary symbols.
    vocabulary : Vocabulary
        Unknown tokens are read as ``<unk>``.
    batch_size, seed, epoch : int
        See `softalign.text.batches_by_length`.

    Yields
    ------
    Batch
        ``src`` = ``<s> w_1 … w_T`` and ``tgt`` = ``w_1 … w_T </s>``, of equal lengths.

    Page: 02_rnn/rnn
    """
    return batches_by_length(
        [vocabulary.encode(sentence, bos=True) for sentence in sentences],
        [vocabulary.encode(sentence, eos=True) for sentence in sentences],
        batch_size=batch_size,
        seed=seed,
        epoch=epoch,
    )


def sentence_loss(model: nn.Module, batch: Batch) -> tuple[Float[Tensor, ""], int]:
    """Negative log-probability of the labels of a batch, in nats, and their number.

    Parameters
    ----------
    model : RecurrentLM
    batch : Batch
        As `sentence_batches` makes them; padding is neither read nor predicted.

    Returns
    -------
    total : Tensor of shape ()
        Summed over all real tokens.
    count : int
        How many these are.

    Page: 02_rnn/rnn
    """
    device = model.output.weight.device
    ids = torch.as_tensor(batch.src, device=device)
    labels = torch.as_tensor(batch.tgt, device=device)
    mask = lengths_mask(torch.as_tensor(batch.src_lengths, device=device), ids.shape[1])
    logits, _ = model(ids, mask=mask)
    total = nn.functional.cross_entropy(logits[mask], labels[mask], reduction="sum")
    return total, int(batch.src_lengths.sum())


@torch.no_grad()
def score(
    model: nn.Module,
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    *,
    batch_size: int = 64,
) -> list[Float[np.ndarray, "predictions"]]:
    """Natural log-probability of every token of every sentence, and of its end.

    Parameters
    ----------
    model : RecurrentLM
        Put into evaluation mode for the call, and back.
    sentences : sequence of sequences of str
        Tokens, without boundary symbols.
    vocabulary : Vocabulary
        The one the model was trained with; other tokens are read and predicted as ``<unk>``.
    batch_size : int
        Sentences at a time; the result does not depend on it.

    Returns
    -------
    list of arrays of shape (predictions,)
        In the order of the sentences: of a sentence of T tokens, T + 1 numbers (nats).

    Page: 02_rnn/rnn
    """
    scores: list = [None] * len(sentences)
    if not sentences:
        return scores
    device = model.output.weight.device
    with _evaluating(model):
        for batch in sentence_batches(sentences, vocabulary, batch_size=batch_size, seed=0):
            ids = torch.as_tensor(batch.src, device=device)
            mask = lengths_mask(torch.as_tensor(batch.src_lengths, device=device), ids.shape[1])
            logits, _ = model(ids, mask=mask)
            labels = torch.as_tensor(batch.tgt, device=device)
            log_probs = logits.log_softmax(dim=-1).gather(-1, labels[:, :, None])[:, :, 0]
            rows = log_probs.double().cpu().numpy()
            for number, row, length in zip(batch.index, rows, batch.src_lengths, strict=True):
                scores[number] = row[:length]
    return scores


def evaluate_lm(
    model: nn.Module,
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    *,
    batch_size: int = 64,
) -> Evaluation:
    """Measure how well a model predicts a text, by the count of `softalign.language_model`.

    Every token and every sentence end is a prediction; an unknown token is one at the price of
    ``<unk>``. So the result stands beside that of an n-gram model on the same sentences.

    Parameters
    ----------
    model, sentences, vocabulary, batch_size
        As `score` takes them.

    Returns
    -------
    Evaluation
        Where tokens are characters, each prediction is one character, and ``bits_per_word`` is in
        bits a character. (Its ``bits_per_char`` takes tokens for words with spaces between them.)

    Raises
    ------
    ValueError
        There are no sentences.

    Page: 02_rnn/rnn
    """
    if len(sentences) == 0:
        raise ValueError("there are no sentences to evaluate on, expected at least one")
    scores = np.concatenate(score(model, sentences, vocabulary, batch_size=batch_size))
    known = [[word in vocabulary for word in sentence] + [True] for sentence in sentences]
    unknown = ~np.concatenate(known)
    return Evaluation(
        float(scores.sum()),
        len(scores),
        sum(len(" ".join(sentence)) + 1 for sentence in sentences),
        float(scores[unknown].sum()),
        int(unknown.sum()),
    )


@dataclass(frozen=True, eq=False)
class _AsLanguageModel:
    """A recurrent model with its vocabulary, as `softalign.interfaces.LanguageModel`."""

    model: nn.Module
    vocabulary: Vocabulary

    def log_prob(self, word: str, history: Sequence[str]) -> float:
        """Natural logarithm of the probability of `word`, or ``</s>``, after all of `history`."""
        read = torch.tensor([self.vocabulary.encode(history, bos=True)])
        label = self.vocabulary.eos_id if word == EOS else self.vocabulary.encode([word])[0]
        with _evaluating(self.model), torch.no_grad():
            logits, _ = self.model(read.to(self.model.output.weight.device))
        return float(logits[0, -1].log_softmax(dim=-1)[label])

    def sentence_log_prob(self, sentence: Sequence[str]) -> float:
        """Natural logarithm of the probability of the sentence, its end included."""
        return float(score(self.model, [sentence], self.vocabulary)[0].sum())


def as_language_model(model: nn.Module, vocabulary: Vocabulary) -> LanguageModel:
    """Give a recurrent model the interface of all language models of the book.

    Parameters
    ----------
    model : RecurrentLM
    vocabulary : Vocabulary
        The one the model was trained with.

    Returns
    -------
    LanguageModel
        With ``log_prob(word, history)``, which reads the whole history anew, and
        ``sentence_log_prob(sentence)``. The share of probability that the softmax gives to
        ``<pad>`` and ``<s>``, which never come, is lost.

    Page: 02_rnn/rnn
    """
    return _AsLanguageModel(model, vocabulary)


@torch.no_grad()
def sample(
    model: nn.Module,
    vocabulary: Vocabulary,
    *,
    temperature: float = 1.0,
    seed: int = 0,
    max_length: int = 200,
) -> list[str]:
    """Draw a sentence, one token after the other, each from the model's distribution.

    Parameters
    ----------
    model : RecurrentLM
    vocabulary : Vocabulary
        The one the model was trained with. ``<pad>``, ``<s>`` and ``<unk>`` are never drawn.
    temperature : float
        Logits are divided by it: below 1 the likely tokens become likelier; 0 always takes the
        likeliest (the smaller id among equals).
    seed : int
        The same seed draws the same sentence from the same model.
    max_length : int
        Stop here if ``</s>`` was not drawn.

    Returns
    -------
    list of str
        Tokens without boundary symbols.

    Raises
    ------
    ValueError
        A temperature below 0 or not finite.

    Page: 02_rnn/rnn
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"the temperature is {temperature}, expected 0 or more")
    draws = np.random.default_rng(seed)
    never = [vocabulary.pad_id, vocabulary.bos_id, vocabulary.unk_id]
    ids, state, token = [], None, vocabulary.bos_id
    with _evaluating(model):
        while len(ids) < max_length:
            read = torch.tensor([[token]], device=model.output.weight.device)
            logits, state = model(read, state)
            scores = logits[0, -1].double()
            scores[never] = -math.inf
            if temperature == 0:
                token = int(scores.argmax())
            else:
                scores = (scores - scores.max()) / temperature
                probs = scores.softmax(dim=-1).cpu().numpy()
                token = int(np.searchsorted(probs.cumsum(), draws.random(), side="right"))
                token = min(token, len(probs) - 1)
            if token == vocabulary.eos_id:
                break
            ids.append(token)
    return vocabulary.decode(ids)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and back, whatever happens."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
