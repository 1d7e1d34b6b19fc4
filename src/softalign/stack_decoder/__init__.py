"""Phrase-based translation: a log-linear model, a beam search, and the tuning of its weights.

`StackDecoder` translates; `tune` chooses its weights. Underneath, `pose` turns a sentence into a
`Problem` (each span with its options), `search` runs through stacks of partial translations by the
number of covered source words, `n_best` reads translations out of what the search has kept,
`exhaustive` and `force` search without mistakes where that is possible, and `diagnose` tells search
errors from model errors.

What counts
-----------
- A jump costs the number of source words between the end of one phrase and the beginning of the
  next. There is no jump to the end of the sentence.
- The end of the sentence is predicted by the language model when the last source word is covered.
- A source word that has no translation of its own is copied.

Koehn, Och and Marcu (2003), NAACL, pages 48-54; Och and Ney (2002), ACL, pages 295-302.

Page: 01_smt/decoding
"""

from softalign.stack_decoder.decoder import Round, StackDecoder, tune
from softalign.stack_decoder.model import (
    FEATURES,
    NOISY_CHANNEL,
    UNTUNED,
    Option,
    Problem,
    Step,
    Translation,
    features_of,
    pose,
    weight_vector,
)
from softalign.stack_decoder.n_best import derivations, n_best
from softalign.stack_decoder.oracle import all_derivations, diagnose, exhaustive, force
from softalign.stack_decoder.search import Hypothesis, SearchGraph, future_costs, search
from softalign.stack_decoder.states import States
from softalign.stack_decoder.tuning import (
    Candidates,
    bleu_counts,
    bleu_of,
    gather,
    line_search,
    optimise,
)

__all__ = [
    "FEATURES",
    "NOISY_CHANNEL",
    "UNTUNED",
    "Candidates",
    "Hypothesis",
    "Option",
    "Problem",
    "Round",
    "SearchGraph",
    "StackDecoder",
    "States",
    "Step",
    "Translation",
    "all_derivations",
    "bleu_counts",
    "bleu_of",
    "derivations",
    "diagnose",
    "exhaustive",
    "features_of",
    "force",
    "future_costs",
    "gather",
    "line_search",
    "n_best",
    "optimise",
    "pose",
    "search",
    "tune",
    "weight_vector",
]
