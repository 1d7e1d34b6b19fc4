r"""n-gram language models of any order, from counts.

A sentence :math:`y_1 \dots y_T` gets the probability

.. math:: P(y_1 \dots y_T) = \prod_{t=1}^{T+1} P(y_t \mid y_{t-n+1} \dots y_{t-1}),

with :math:`y_0` = ``<s>`` and :math:`y_{T+1}` = ``</s>``: each word sees at most the :math:`n-1`
tokens before it. `train` counts and smooths, `NGramModel` answers, `evaluate` measures,
`write_arpa` and `read_arpa` exchange models with other programs.

What counts
-----------
- A sentence of T words has T + 1 predictions: its words and ``</s>``. Perplexity divides by T + 1.
- ``<s>`` is given, never predicted: it has probability 0. One ``<s>`` stands before a sentence, so
  the first words have shorter histories; an n-gram that begins with ``<s>`` is never shortened from
  a longer one, and keeps its plain count where other lower orders count continuations.
- A word outside the vocabulary is read as ``<unk>``, in training and in scoring. It is a word like
  any other: predicted, counted, in the sum to 1.
- A text of T words has its letters plus T characters: T - 1 spaces, and one for the sentence's end.

Page: 01_smt/language_model
"""

from softalign.language_model.arpa import read_arpa, write_arpa
from softalign.language_model.counts import BEGIN, END, UNKNOWN, NGrams, count_ngrams
from softalign.language_model.model import Evaluation, NGramModel, evaluate, train
from softalign.language_model.smoothing import (
    SMOOTHINGS,
    continuation_counts,
    discounts,
    interpolate,
)

__all__ = [
    "BEGIN",
    "END",
    "SMOOTHINGS",
    "UNKNOWN",
    "Evaluation",
    "NGramModel",
    "NGrams",
    "continuation_counts",
    "count_ngrams",
    "discounts",
    "evaluate",
    "interpolate",
    "read_arpa",
    "train",
    "write_arpa",
]
