"""How good is a translation, how right are links, how surprised is a language model?

`bleu` and `chrf` are computed by sacrebleu, never by hand-made exponents; `exact_match` asks
whether a hypothesis is one of the accepted sentences; `aer` compares links with sure and possible
gold links; `perplexity` and `bits_per_char` turn a total natural logarithm into a number per word
and per character.

`bootstrap`, `paired_bootstrap`, `approximate_randomisation` and `by_bucket` say how far a score can
be trusted. They work on the counts of each sentence (`bleu_statistics` and its sisters).

Every sentence has its own *set* of references, of any size: order and repetition do not matter.
Input is already split into words: the text is never tokenised again, and the signature says so
(``tok:none``).
"""

from softalign.metrics.links import AlignmentScore, aer
from softalign.metrics.resampling import (
    Bucket,
    Comparison,
    Interval,
    approximate_randomisation,
    bootstrap,
    by_bucket,
    paired_bootstrap,
    resample,
)
from softalign.metrics.statistics import (
    Statistics,
    aer_statistics,
    bleu_statistics,
    chrf_statistics,
    exact_match_statistics,
    perplexity_statistics,
)
from softalign.metrics.surprise import bits_per_char, perplexity
from softalign.metrics.translation import Score, bleu, chrf, exact_match

__all__ = [
    "AlignmentScore",
    "Bucket",
    "Comparison",
    "Interval",
    "Score",
    "Statistics",
    "aer",
    "aer_statistics",
    "approximate_randomisation",
    "bits_per_char",
    "bleu",
    "bleu_statistics",
    "bootstrap",
    "by_bucket",
    "chrf",
    "chrf_statistics",
    "exact_match",
    "exact_match_statistics",
    "paired_bootstrap",
    "perplexity",
    "perplexity_statistics",
    "resample",
]
