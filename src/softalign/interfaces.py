"""What a model must offer to be used by the rest of the book.

A *sentence* is a sequence of words without boundary symbols; a model adds its own.
All probabilities are natural logarithms (nats) unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


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
