"""What a decoder must remember of a translation to ask a language model for the next word.

Two partial translations that end in the same *state* get the same probability for every
continuation. A state is a number, so that comparing two is cheap, and every answer of the model is
asked for once and kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from softalign.interfaces import LanguageModel
from softalign.language_model import BEGIN, END, NGramModel

__all__ = ["LOWEST", "States"]

# A word that the model excludes gets this instead of minus infinity (nats): a search in which every
# translation is impossible has nothing to compare.
LOWEST = -100.0


class States:
    """The states of a language model, numbered as they are met.

    Parameters
    ----------
    model : LanguageModel
        Of an n-gram model (with an attribute ``order``) a state is the part of the last n - 1 words
        that the model can still use; of any other model it is the whole history.

    Attributes
    ----------
    begin : int
        The state before the first word.
    free : int
        The state of somebody who joins in the middle of a sentence: no history, not even ``<s>``.
        Only an `NGramModel` has it; for other models it is the same as `begin`.

    Examples
    --------
    >>> from softalign.language_model import train
    >>> model = train([["a", "dog"], ["a", "cat"]], order=2, smoothing="add_k")
    >>> states = States(model)
    >>> log_prob, state = states.step(states.begin, states.number("a"))
    >>> log_prob == model.log_prob("a", []), state == states.begin
    (True, False)

    Page: 01_smt/decoding
    """

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []
        self._names: dict[Hashable, int] = {}
        self._histories: list = []
        self._after: list[dict[int, tuple[float, int]]] = []
        self._ngrams = isinstance(model, NGramModel)
        if self._ngrams:
            # a history is the tokens, latest first, and the rows of its n-grams, by length
            unigram = model.numbers[BEGIN]
            self.begin = self._name([unigram], [unigram])
            self.free = self._name([], [])
        else:
            # a history is the words so far, or the last n - 1 of them
            order = getattr(model, "order", None)
            self._reach = None if order is None else order - 1
            self.begin = self.free = self._name((), None)

    def number(self, word: str) -> int:
        """Return the number that stands for a word in `step`.

        Page: 01_smt/decoding
        """
        if self._ngrams:
            return self.model.numbers.get(word, 0)
        number = self._numbers.setdefault(word, len(self._words))
        if number == len(self._words):
            self._words.append(word)
        return number

    def step(self, state: int, number: int) -> tuple[float, int]:
        """Log-probability (nats) of a word in a state, and the state after it.

        Page: 01_smt/decoding
        """
        found = self._after[state].get(number)
        if found is None:
            ask = self._ask_ngrams if self._ngrams else self._ask
            log_prob, after = ask(self._histories[state], number)
            found = self._after[state][number] = (max(log_prob, LOWEST), after)
        return found

    def walk(self, state: int, numbers: Sequence[int]) -> tuple[float, int]:
        """Do `step` for several words and add the log-probabilities.

        Page: 01_smt/decoding
        """
        total = 0.0
        for number in numbers:
            log_prob, state = self.step(state, number)
            total += log_prob
        return total, state

    def end(self, state: int) -> float:
        """Log-probability (nats) that the sentence ends in a state.

        Page: 01_smt/decoding
        """
        return self.step(state, self.number(END))[0]

    def _name(self, history: Sequence, rows: Sequence[int] | None) -> int:
        """Return the number of a state, a new one if it was never met."""
        # the row of the longest n-gram says what the shorter ones are
        name = (len(rows), rows[-1] if rows else None) if rows is not None else tuple(history)
        state = self._names.setdefault(name, len(self._histories))
        if state == len(self._histories):
            self._histories.append((history, rows))
            self._after.append({})
        return state

    def _ask(self, known: tuple, number: int) -> tuple[float, int]:
        history, _ = known
        word = self._words[number]
        log_prob = self.model.log_prob(word, history)
        longer = (*history, word)
        if self._reach is not None:
            longer = longer[-self._reach :] if self._reach else ()
        return log_prob, self._name(longer, None) if word != END else 0

    def _ask_ngrams(self, known: tuple, number: int) -> tuple[float, int]:
        tokens, contexts = known
        tokens = [*tokens, number]
        log_prob, rows = self.model._step(contexts, tokens, len(tokens) - 1)
        rows = rows[: self.model.order - 1]
        return log_prob, self._name(tokens[len(tokens) - len(rows) :], rows)
