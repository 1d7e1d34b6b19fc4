"""A tagger: a recurrent layer reads the Chinese sentence and names the English of every word.

The *label* of a Chinese word is the English word that it is surely linked to. Where there are
several, all of them are the label, in the order of the English sentence (``Mr_Wang``); where there
is none, the label is NULL. To name the labels is to translate word for word, but in context: what
看 means is decided by words elsewhere in the sentence, and a layer that reads from the left only
cannot know those that stand to the right.

Page: 04_lstm/variants
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from softalign.corpus import AMBIGUITIES, Pair, occurrences
from softalign.corpus.ambiguities import is_far
from softalign.masking import lengths_mask
from softalign.text import SPECIALS, Batch, Vocabulary, batches_by_length

__all__ = [
    "JOINT",
    "NULL",
    "MostFrequent",
    "Settled",
    "Tagger",
    "accuracy",
    "gold_labels",
    "settled",
    "share_right",
    "tag",
    "tagging_batches",
    "tagging_loss",
    "vocabularies",
]

NULL = "NULL"
"""Label of a Chinese word without a sure link."""
JOINT = "_"
"""Joins the English words of a label that has several."""


def gold_labels(pair: Pair) -> tuple[str, ...]:
    """Name for each Chinese word the English words that it is surely linked to.

    Parameters
    ----------
    pair : Pair
        Its sure links count, its possible ones do not.

    Returns
    -------
    tuple of str
        A label for each source word: English words in the order of the target sentence, joined by
        `JOINT`; `NULL` if there are none.

    Raises
    ------
    ValueError
        An English word that contains `JOINT` or is `NULL`.

    Examples
    --------
    >>> from softalign.corpus import RECURRING
    >>> gold_labels(RECURRING[0])[:5]
    ('yesterday', 'she', 'bought', 'NULL', 'two')

    Page: 04_lstm/variants
    """
    for word in pair.target:
        if JOINT in word or word == NULL:
            raise ValueError(f"the target has the word {word!r}, which is kept for labels")
    linked: list[list[str]] = [[] for _ in pair.source]
    for i, j in sorted(pair.sure):
        linked[i].append(pair.target[j])
    return tuple(JOINT.join(words) if words else NULL for words in linked)


def words_of(labels: Sequence[str]) -> list[str]:
    """Write labels as a translation: `NULL` says nothing, a joint label says several words.

    >>> words_of(["Mr_Wang", "NULL", "sleeps"])
    ['Mr', 'Wang', 'sleeps']

    Page: 04_lstm/variants
    """
    return [word for label in labels if label != NULL for word in label.split(JOINT)]


def vocabularies(pairs: Sequence[Pair]) -> tuple[Vocabulary, Vocabulary]:
    """Number the Chinese words and the labels of the training pairs.

    Returns
    -------
    words, labels : Vocabulary
        A label that training does not have is unknown, and never named.

    Page: 04_lstm/variants
    """
    return (
        Vocabulary.from_training([pair.source for pair in pairs]),
        Vocabulary.from_training([gold_labels(pair) for pair in pairs]),
    )


class Tagger(nn.Module):
    """Embedding, recurrent layer, linear output: scores of the labels at every Chinese word.

    Parameters
    ----------
    words, labels : Vocabulary
        As `vocabularies` makes them.
    layer : recurrent layer
        Reads embeddings of ``layer.input_size`` components, in one direction or in both; see
        `softalign.rnn`.
    dropout : float
        Probability with which a component of the layer's output is set to zero in training.

    Notes
    -----
    Two directions for labels of each step: Graves & Schmidhuber, "Framewise phoneme classification
    with bidirectional LSTM and other neural network architectures" (2005).

    Examples
    --------
    >>> from softalign.rnn import RNN
    >>> sides = ["她", "看"], ["she", "reads"]
    >>> known = [Vocabulary.from_training([side]) for side in sides]
    >>> tagger = Tagger(*known, RNN(3, 5))
    >>> tagger(torch.tensor([[4, 5]])).shape  # four special symbols and two words
    torch.Size([1, 2, 6])

    Page: 04_lstm/variants
    """

    def __init__(
        self, words: Vocabulary, labels: Vocabulary, layer: nn.Module, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.words, self.labels = words, labels
        self.embedding = nn.Embedding(len(words), layer.input_size)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(layer.output_size, len(labels))

    def forward(
        self, ids: Int[Tensor, "batch src"], mask: Bool[Tensor, "batch src"] | None = None
    ) -> Float[Tensor, "batch src vocab"]:
        """Return the logits of the labels at every word.

        Parameters
        ----------
        ids : Tensor of shape (batch, src)
            Chinese words, without boundary symbols.
        mask : boolean Tensor of shape (batch, src), optional
            True = a real word. Logits at padding mean nothing.

        Returns
        -------
        Tensor of shape (batch, src, vocab)
            `vocab` are the labels.
        """
        outputs, _ = self.layer(self.embedding(ids), None, mask)
        return self.output(self.dropout(outputs))

    def translate(self, source: Sequence[str]) -> list[str]:
        """Translate word for word: English words in the order of the *Chinese* sentence."""
        return words_of(tag(self, [source])[0]) if len(source) else []


def tagging_batches(
    pairs: Sequence[Pair],
    words: Vocabulary,
    labels: Vocabulary,
    *,
    batch_size: int,
    seed: int,
    epoch: int = 0,
) -> Iterator[Batch]:
    """One epoch of Chinese sentences and the labels of their words.

    Yields
    ------
    Batch
        ``src`` are the words, ``tgt`` the labels, of equal lengths.

    Page: 04_lstm/variants
    """
    return batches_by_length(
        [words.encode(pair.source) for pair in pairs],
        [labels.encode(gold_labels(pair)) for pair in pairs],
        batch_size=batch_size,
        seed=seed,
        epoch=epoch,
    )


def tagging_loss(model: Tagger, batch: Batch) -> tuple[Float[Tensor, ""], int]:
    """Negative log-probability of the labels of a batch, in nats, and their number.

    Padding is neither read nor counted.

    Page: 04_lstm/variants
    """
    device = model.output.weight.device
    ids = torch.as_tensor(batch.src, device=device)
    labels = torch.as_tensor(batch.tgt, device=device)
    mask = lengths_mask(torch.as_tensor(batch.src_lengths, device=device), ids.shape[1])
    logits = model(ids, mask)
    total = nn.functional.cross_entropy(logits[mask], labels[mask], reduction="sum")
    return total, int(batch.src_lengths.sum())


@torch.no_grad()
def tag(
    model: Tagger, sentences: Sequence[Sequence[str]], *, batch_size: int = 64
) -> list[tuple[str, ...]]:
    """Name the likeliest label of every word of every sentence.

    Parameters
    ----------
    model : Tagger
        Put into evaluation mode for the call, and back.
    sentences : sequence of sequences of str
        Chinese words; unknown ones are read as ``<unk>``.
    batch_size : int
        Sentences at a time; the result does not depend on it.

    Returns
    -------
    list of tuples of str
        In the order of the sentences; of an empty sentence, no labels.

    Page: 04_lstm/variants
    """
    found: list[tuple[str, ...]] = [() for _ in sentences]
    places = [n for n, sentence in enumerate(sentences) if len(sentence)]
    if not places:
        return found
    ids = [model.words.encode(sentences[n]) for n in places]
    device, training = model.output.weight.device, model.training
    model.eval()
    try:
        for batch in batches_by_length(ids, ids, batch_size=batch_size, seed=0):
            lengths = torch.as_tensor(batch.src_lengths, device=device)
            src = torch.as_tensor(batch.src, device=device)
            logits = model(src, lengths_mask(lengths, src.shape[1]))
            best = logits[:, :, len(SPECIALS) :].argmax(-1) + len(SPECIALS)
            for b, (row, length) in enumerate(zip(best.tolist(), batch.src_lengths, strict=True)):
                names = [model.labels.words[label] for label in row[:length]]
                found[places[batch.index[b]]] = tuple(names)
    finally:
        model.train(training)
    return found


@dataclass(frozen=True)
class MostFrequent:
    """The baseline without context: each Chinese word gets the label it had most often.

    Attributes
    ----------
    best : mapping of str to str
        From a Chinese word to its label; a word that is not there is NULL.

    Examples
    --------
    >>> from softalign.corpus import RECURRING
    >>> MostFrequent.from_training(RECURRING).translate(["她", "很", "忙"])
    ['she', 'very', 'busy']

    Page: 04_lstm/variants
    """

    best: Mapping[str, str]

    @classmethod
    def from_training(cls, pairs: Sequence[Pair]) -> MostFrequent:
        """Count the labels of each Chinese word; among equals the first of the alphabet wins."""
        counts: dict[str, Counter[str]] = {}
        for pair in pairs:
            for word, label in zip(pair.source, gold_labels(pair), strict=True):
                counts.setdefault(word, Counter())[label] += 1
        return cls({word: max(sorted(c), key=c.__getitem__) for word, c in counts.items()})

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Name a label for every word of every sentence."""
        return [tuple(self.best.get(word, NULL) for word in sentence) for sentence in sentences]

    def translate(self, source: Sequence[str]) -> list[str]:
        """Translate word for word, without looking left or right."""
        return words_of(self.tag([source])[0])


def accuracy(found: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> float:
    """Share of the words whose label is right, all words of all sentences counted alike.

    Parameters
    ----------
    found, gold : sequences of sequences of str
        Labels, as `tag` and `gold_labels` give them: without padding, so that none is counted.

    Raises
    ------
    ValueError
        Sentences that do not have as many labels as words, or no words at all.

    Examples
    --------
    >>> accuracy([["she", "sees"], ["two"]], [["she", "reads"], ["two"]])
    0.6666666666666666

    Page: 04_lstm/variants
    """
    pairs = list(zip(found, gold, strict=True))
    for number, (a, b) in enumerate(pairs, start=1):
        if len(a) != len(b):
            raise ValueError(f"sentence {number} has {len(a)} labels, expected {len(b)}")
    right = [x == y for a, b in pairs for x, y in zip(a, b, strict=True)]
    if not right:
        raise ValueError("there are no words to count")
    return sum(right) / len(right)


class Settled(NamedTuple):
    """An ambiguous Chinese word, and where the word stands that settles it.

    Attributes
    ----------
    name : str
        Of the ambiguity, as in `softalign.corpus.AMBIGUITIES`.
    sentence, place : int
        Number of the pair, and of the word in it, from 0.
    english : frozenset of str
        A label with one of these words shows the right reading.
    distance : int
        From the ambiguous word to the word that settles it; above 0, that one stands to the right.
    far : bool
        Whether that is five or more words away or in another clause.

    Page: 04_lstm/variants
    """

    name: str
    sentence: int
    place: int
    english: frozenset[str]
    distance: int
    far: bool


def settled(pairs: Sequence[Pair]) -> list[Settled]:
    """List the ambiguous words whose label shows their reading.

    An ambiguity counts if at least two of its readings show in the labels of these pairs: of
    自己, for example, the label is *own* whoever owns.

    Parameters
    ----------
    pairs : sequence of Pair
        Whose `softalign.corpus.occurrences` are looked at.

    Returns
    -------
    list of Settled

    Page: 04_lstm/variants
    """
    kept = []
    numbers = {id(pair): number for number, pair in enumerate(pairs)}
    labels = [gold_labels(pair) for pair in pairs]
    for ambiguity in AMBIGUITIES:
        readings = {reading.name: reading.english for reading in ambiguity.readings}
        found = []
        for occurrence in occurrences(pairs, ambiguity):
            number, english = numbers[id(occurrence.pair)], readings[occurrence.reading]
            if english.isdisjoint(labels[number][occurrence.place].split(JOINT)):
                continue
            side = occurrence.settler - occurrence.place
            found.append(
                Settled(ambiguity.name, number, occurrence.place, english, side, is_far(occurrence))
            )
        if len({place.english for place in found}) > 1:
            kept += found
    return kept


def share_right(found: Sequence[Sequence[str]], places: Sequence[Settled]) -> float:
    """Share of the ambiguous words whose label shows the right reading.

    Tense and number do not count: *watches* is as right a reading of 看 as *watched*.

    Parameters
    ----------
    found : sequence of sequences of str
        Labels of all sentences that `places` were found in.
    places : sequence of Settled
        At least one.

    Raises
    ------
    ValueError
        No places.

    Page: 04_lstm/variants
    """
    if not places:
        raise ValueError("there are no ambiguous words to count")
    right = [
        not place.english.isdisjoint(found[place.sentence][place.place].split(JOINT))
        for place in places
    ]
    return sum(right) / len(right)
