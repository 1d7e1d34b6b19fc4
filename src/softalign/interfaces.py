"""What a model must offer to be used by the rest of the book.

A *sentence* is a sequence of words without boundary symbols; a model adds its own.
All probabilities are natural logarithms (nats) unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class LanguageModel(Protocol):
    """A probability for every sentence, one word at a time."""

    def log_prob(self, word: str, history: Sequence[str]) -> float:
        """Natural logarithm of the probability of `word` after the words of `history`."""
        ...

    def sentence_log_prob(self, sentence: Sequence[str]) -> float:
        """Natural logarithm of the probability of the whole sentence, its end included."""
        ...


@runtime_checkable
class Translator(Protocol):
    """Turns a source sentence into a target sentence."""

    def translate(self, source: Sequence[str]) -> list[str]:
        """Return the words of the translation, without boundary symbols."""
        ...


@runtime_checkable
class Stepper(Protocol):
    """Writes sentences word by word, for many of them at once: what a search needs of a model.

    A *row* is one unfinished sentence. The state belongs to the model: it may be anything, and a
    search hands it on without looking into it.

    Attributes
    ----------
    bos_id, eos_id : int
        Ids of the symbols that a sentence begins and ends with.
    never : collection of int
        Ids that a search must not write, such as padding and the begin symbol.
    """

    bos_id: int
    eos_id: int
    never: Collection[int]

    def start(self, sources: Sequence[Sequence[int]]) -> Any:
        """Read the sources, lists of ids; return a state with one row for each of them."""
        ...

    def step(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        """Read the newest token of each row, int64 of shape (rows,).

        Returns
        -------
        log_probs : float tensor of shape (rows, vocab)
            Natural logarithms of the probabilities of the next token.
        state : Any
            After the token; the one that was given is as it was.
        """
        ...

    def reorder(self, state: Any, rows: Any) -> Any:
        """Return the state whose row r is row ``rows[r]`` of the one given.

        Rows may be dropped, repeated and exchanged.
        """
        ...
