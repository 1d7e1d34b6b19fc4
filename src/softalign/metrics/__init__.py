"""How good is a translation, how right are links, how surprised is a language model?

`bleu` and `chrf` are computed by sacrebleu, never by hand-made exponents; `exact_match` asks
whether a hypothesis is one of the accepted sentences; `aer` compares links with sure and possible
gold links; `perplexity` and `bits_per_char` turn a total natural logarithm into a number per word
and per character.

Every sentence has its own *set* of references, of any size: order and repetition do not matter.
Input is already split into words: the text is never tokenised again, and the signature says so
(``tok:none``).
"""

from softalign.metrics.links import AlignmentScore, aer
from softalign.metrics.surprise import bits_per_char, perplexity
from softalign.metrics.translation import Score, bleu, chrf, exact_match

__all__ = [
    "AlignmentScore",
    "Score",
    "aer",
    "bits_per_char",
    "bleu",
    "chrf",
    "exact_match",
    "perplexity",
]
