"""The model: training, questions to it, and how well it predicts a text.

A model stores the interpolated probability of every n-gram that was seen, and a *back-off weight*
for every context. An n-gram that was not seen has the probability of its suffix times the weight of
its context: what it inherits through the interpolation, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from softalign.language_model.counts import (
    BEGIN,
    BEGIN_ID,
    END,
    END_ID,
    UNKNOWN_ID,
    Sentences,
    count_ngrams,
    encode,
    vocabulary,
    with_symbols,
)
from softalign.language_model.smoothing import SMOOTHINGS, smooth
from softalign.metrics import bits_per_char, perplexity

__all__ = ["Evaluation", "Level", "NGramModel", "evaluate", "train"]


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one length with what a model says about them, in nats.

    Attributes
    ----------
    keys : int array [rows]
        As in `NGrams`, ascending.
    log_probs : float array [rows]
        Of the last word after the others.
    log_weights : float array [rows]
        What a word that was never seen after this n-gram adds to its log-probability after the
        n-gram's suffix.

    Page: 01_smt/language_model
    """

    keys: Int[np.ndarray, "rows"]
    log_probs: Float[np.ndarray, "rows"]
    log_weights: Float[np.ndarray, "rows"]


@dataclass(frozen=True, eq=False)
class NGramModel:
    """An n-gram language model; it implements `softalign.interfaces.LanguageModel`.

    Get one from `train` or `read_arpa`.

    Attributes
    ----------
    words : tuple of str
        The vocabulary: ``<unk>``, ``<s>``, ``</s>``, then the words.
    levels : tuple of Level
        For each length from 1 to the order.
    discounts : tuple of tuples of three floats
        For each length what was taken from counts of 1, 2, and 3 or more; empty if nothing was, or
        if it is not known.

    Examples
    --------
    >>> model = train([["a", "dog"], ["a", "cat"]], order=2, smoothing="maximum_likelihood")
    >>> model.order, round(float(np.exp(model.log_prob("cat", ["a"]))), 6)
    (2, 0.5)

    Page: 01_smt/language_model
    """

    words: tuple[str, ...]
    levels: tuple[Level, ...]
    discounts: tuple[tuple[float, ...], ...] = ()

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.levels)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each word: its place in `words`."""
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def _tables(self) -> tuple[list[dict[int, int]], list[list[float]], list[list[float]]]:
        """Rows by key, log-probabilities, weights: plain Python objects, for single questions."""
        rows = [{key: row for row, key in enumerate(level.keys.tolist())} for level in self.levels]
        log_probs = [level.log_probs.tolist() for level in self.levels]
        return rows, log_probs, [level.log_weights.tolist() for level in self.levels]

    def log_prob(self, word: str, history: Sequence[str]) -> float:
        """Log-probability of `word` after the words of the sentence so far.

        Parameters
        ----------
        word : str
            A word, or ``</s>`` for the end of the sentence. An unknown word is read as ``<unk>``.
        history : sequence of str
            The sentence so far; ``<s>`` in front may be left out. Only the last n - 1 words matter,
            so a longer history may be cut to them. If it was never seen, its longest suffix that
            was seen stands in, down to the empty one.

        Returns
        -------
        float
            Natural logarithm (nats); ``-inf`` for ``<s>`` and what the model excludes.

        Page: 01_smt/language_model
        """
        if isinstance(history, str):
            raise TypeError("the history is one string; split it into a sequence of words")
        tokens = [*self._recent(history)[::-1], self.numbers.get(word, UNKNOWN_ID)]
        contexts = self._step([], tokens, len(tokens) - 2)[1] if len(tokens) > 1 else []
        return self._step(contexts, tokens, len(tokens) - 1)[0]

    def score(self, sentence: Sequence[str]) -> list[float]:
        """Log-probability of each word of the sentence, then of ``</s>``.

        Returns
        -------
        list of T + 1 floats
            Natural logarithms (nats).

        Page: 01_smt/language_model
        """
        tokens = self._number(sentence)
        scores, contexts = [], [BEGIN_ID]
        for place in range(1, len(tokens)):
            log_prob, contexts = self._step(contexts, tokens, place)
            scores.append(log_prob)
        return scores

    def sentence_log_prob(self, sentence: Sequence[str]) -> float:
        """Log-probability of the whole sentence, ``</s>`` included (nats).

        Page: 01_smt/language_model
        """
        return sum(self.score(sentence))

    def score_corpus(self, sentences: Sentences) -> Float[np.ndarray, "predictions"]:
        """Do what `score` does, for all words of all sentences in one array, much faster.

        Page: 01_smt/language_model
        """
        tokens, position = encode(sentences, self.numbers)
        # columns[j][t] is the token j + 1 places before t, or -1 before the sentence.
        columns = [
            np.where(position > j, np.roll(tokens, j + 1), -1) for j in range(self.order - 1)
        ]
        rows = self._walk(tokens, columns)
        contexts = [np.where(position > 0, np.roll(row, 1), -1) for row in rows[:-1]]
        return self._back_off(rows, contexts)[position > 0]

    def distribution(self, history: Sequence[str]) -> Float[np.ndarray, "vocab"]:
        """Probability of every word of the vocabulary after `history`, in the order of `words`.

        ``<s>`` has probability 0. The sum is 1.

        Page: 01_smt/language_model
        """
        earlier = [np.array([number]) for number in self._recent(history)]
        contexts = self._walk(earlier[0], earlier[1:]) if earlier else []
        words = np.arange(len(self.words))
        rows = self._walk(words, earlier)
        return np.exp(self._back_off(rows, contexts))

    def sample(self, rng: np.random.Generator, max_words: int = 1000) -> list[str]:
        """Draw a sentence word by word, each from its distribution after the words drawn so far.

        Parameters
        ----------
        rng : numpy Generator
            One call of ``random()`` a word.
        max_words : int
            Where to stop if ``</s>`` was not drawn.

        Returns
        -------
        list of str
            Words without boundary symbols; ``<unk>`` may be among them.

        Page: 01_smt/language_model
        """
        sentence: list[str] = []
        while len(sentence) < max_words:
            total = np.cumsum(self.distribution(sentence))
            # Counting from the right edge of each interval: a word of probability 0 is never drawn.
            drawn = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
            if drawn == END_ID:
                break
            sentence.append(self.words[drawn])
        return sentence

    def _number(self, sentence: Sequence[str]) -> list[int]:
        """Do what `encode` does for one sentence, in plain Python: short arrays are slow."""
        if isinstance(sentence, str):
            raise TypeError("a sentence is one string; split it into a sequence of words")
        tokens = [self.numbers.get(word, UNKNOWN_ID) for word in sentence]
        if BEGIN_ID in tokens or END_ID in tokens:
            raise ValueError(
                f"a sentence holds a boundary symbol; the model adds {BEGIN} and {END}"
            )
        return [BEGIN_ID, *tokens, END_ID]

    def _recent(self, history: Sequence[str]) -> list[int]:
        """Numbers of the last n - 1 tokens of the history, latest first, ``<s>`` included."""
        reach = self.order - 1
        if reach == 0:
            return []
        recent = [self.numbers.get(word, UNKNOWN_ID) for word in list(history)[-reach:]][::-1]
        if BEGIN_ID in recent[:-1] or END_ID in recent:
            raise ValueError(f"the history goes on after {END}, or {BEGIN} is not its first token")
        if len(recent) < reach and recent[-1:] != [BEGIN_ID]:
            recent.append(BEGIN_ID)
        return recent

    def _step(
        self, contexts: Sequence[int], tokens: Sequence[int], place: int
    ) -> tuple[float, list[int]]:
        """Log-probability of the token at `place`, and the rows of the n-grams that end there.

        Both lists of rows go by length, 1 first; `contexts` are those that end one place before.
        """
        tables, log_probs, log_weights = self._tables
        row, size = tokens[place], len(self.words)
        rows = [row]
        log_prob = log_probs[0][row]
        for length in range(1, min(place + 1, len(tables))):
            if row is not None:
                row = tables[length].get(row * size + tokens[place - length])
            if row is not None:
                rows.append(row)
                log_prob = log_probs[length][row]
            elif length <= len(contexts):
                log_prob += log_weights[length - 1][contexts[length - 1]]
            else:
                break
        return log_prob, rows

    def _walk(
        self, word: Int[np.ndarray, "n"], earlier: Sequence[Int[np.ndarray, "..."]]
    ) -> list[Int[np.ndarray, "n"]]:
        """Rows of the n-grams of each length that end with `word`; -1 where there is none."""
        rows = [word]
        for level, column in zip(self.levels[1:], earlier, strict=False):
            row = np.full(len(word), -1)
            alive = np.flatnonzero((rows[-1] >= 0) & (column >= 0))
            column = np.broadcast_to(column, row.shape)
            wanted = rows[-1][alive] * len(self.words) + column[alive]
            if len(level.keys):
                place = np.minimum(np.searchsorted(level.keys, wanted), len(level.keys) - 1)
                row[alive] = np.where(level.keys[place] == wanted, place, -1)
            rows.append(row)
        return rows

    def _back_off(
        self, rows: Sequence[Int[np.ndarray, "n"]], contexts: Sequence[Int[np.ndarray, "..."]]
    ) -> Float[np.ndarray, "n"]:
        """Log-probabilities, given the rows of the n-grams and of their contexts, by length."""
        log_probs = self.levels[0].log_probs[rows[0]]
        for length, (row, context) in enumerate(zip(rows[1:], contexts, strict=False), start=1):
            context = np.broadcast_to(context, row.shape)
            fall = (row < 0) & (context >= 0)
            log_probs[fall] += self.levels[length - 1].log_weights[context[fall]]
            log_probs[row >= 0] = self.levels[length].log_probs[row[row >= 0]]
        return log_probs


def train(
    sentences: Sentences,
    order: int,
    smoothing: str = "modified_kneser_ney",
    *,
    k: float | int = 1,
    min_count: int = 1,
    words: Iterable[str] | None = None,
) -> NGramModel:
    """Count the n-grams of a corpus and smooth the counts.

    Parameters
    ----------
    sentences : sequence of sequences of str
        Words without boundary symbols.
    order : int
        Longest n-grams, at least 1.
    smoothing : str
        ``"maximum_likelihood"`` (nothing is smoothed; only a context that was never seen leaves the
        question to the shorter one), ``"add_k"``, ``"absolute"`` (one discount, interpolated),
        ``"kneser_ney"`` (interpolated), ``"modified_kneser_ney"`` (interpolated, three discounts).
    k : float
        What ``"add_k"`` adds; 1 is Laplace's rule.
    min_count : int
        Words that occur less often in `sentences` are read as ``<unk>``.
    words : iterable of str, optional
        The vocabulary, instead of the words of `sentences`.

    Returns
    -------
    NGramModel

    Raises
    ------
    ValueError
        Order below 1, no sentences, unknown `smoothing`, `k` not positive, a boundary symbol inside
        a sentence.
    TypeError
        A sentence is one string.

    Warns
    -----
    UserWarning
        Once, if the corpus does not have the counts that the discounts are estimated from, and
        fixed ones stand in (0.75; 0.5, 1 and 1.5 for the modified form).

    Examples
    --------
    >>> corpus = [["a", "dog"], ["a", "cat"], ["a", "dog"]]
    >>> model = train(corpus, order=2, smoothing="add_k", k=1)
    >>> round(float(np.exp(model.log_prob("dog", ["a"]))), 6)  # (2 + 1) / (3 + 5)
    0.375

    Page: 01_smt/language_model
    """
    if isinstance(order, bool) or order != int(order) or order < 1:
        raise ValueError(f"the order is {order}, expected a whole number from 1 on")
    if len(sentences) == 0:
        raise ValueError("there are no sentences to count, expected at least one")
    if smoothing not in SMOOTHINGS:
        raise ValueError(f"smoothing is {smoothing!r}, expected one of {', '.join(SMOOTHINGS)}")
    if not k > 0:
        raise ValueError(f"k is {k}, expected a positive number")
    known = vocabulary(sentences, min_count) if words is None else with_symbols(words)
    numbers = {word: number for number, word in enumerate(known)}
    tables = count_ngrams(*encode(sentences, numbers), int(order), len(known))
    probabilities, weights, used = smooth(tables, smoothing, k)
    weights = [*weights[1:], np.ones(len(tables[-1].keys))]
    with np.errstate(divide="ignore"):
        levels = tuple(
            Level(table.keys, np.log(p), np.log(weight))
            for table, p, weight in zip(tables, probabilities, weights, strict=True)
        )
    return NGramModel(known, levels, tuple(used))


@dataclass(frozen=True)
class Evaluation:
    """How well a model predicts a text. The module's docstring says what counts.

    Attributes
    ----------
    log_prob : float
        Of the whole text (nats).
    predictions : int
        Words and sentence ends.
    characters : int
        Letters, spaces between words and one character for each sentence end.
    unknown_log_prob : float
        The share of `log_prob` that went to words read as ``<unk>`` (nats).
    unknown : int
        How many words those were.

    Page: 01_smt/language_model
    """

    log_prob: float
    predictions: int
    characters: int
    unknown_log_prob: float
    unknown: int

    @property
    def perplexity(self) -> float:
        """Per prediction, unknown words included."""
        return perplexity(self.log_prob, self.predictions)

    @property
    def perplexity_of_known(self) -> float:
        """Per prediction, with the predictions of ``<unk>`` left out of sum and count."""
        known = min(0.0, self.log_prob - self.unknown_log_prob)
        return perplexity(known, self.predictions - self.unknown)

    @property
    def bits_per_word(self) -> float:
        """Cross-entropy in bits; the perplexity is 2 to this power."""
        return bits_per_char(self.log_prob, self.predictions)

    @property
    def bits_per_char(self) -> float:
        """Bits a character; a model that reads words as ``<unk>`` need not spell them: too low."""
        return bits_per_char(self.log_prob, self.characters)


def evaluate(model: NGramModel, sentences: Sentences) -> Evaluation:
    """Measure how well a model predicts a text.

    Raises
    ------
    ValueError
        There are no sentences.

    Examples
    --------
    >>> model = train([["a", "a"], ["b"]], order=1, smoothing="maximum_likelihood")
    >>> found = evaluate(model, [["a"]])  # P(a) P(</s>) = 2/5 * 2/5
    >>> found.predictions, found.characters, round(found.perplexity, 6)
    (2, 2, 2.5)

    Page: 01_smt/language_model
    """
    if len(sentences) == 0:
        raise ValueError("there are no sentences to evaluate on, expected at least one")
    scores = model.score_corpus(sentences)
    tokens, position = encode(sentences, model.numbers)
    unknown = tokens[position > 0] == UNKNOWN_ID
    characters = sum(len(" ".join(sentence)) + 1 for sentence in sentences)
    return Evaluation(
        float(scores.sum()),
        len(scores),
        characters,
        float(scores[unknown].sum()),
        int(unknown.sum()),
    )
