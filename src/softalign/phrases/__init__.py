r"""Phrases and their translations, read off word-aligned sentence pairs.

A *phrase* is any run of words. A source phrase :math:`\bar x` and a target phrase :math:`\bar y` of
one sentence pair are translations of each other if the links of their words stay among them
(`extract_phrases`). Counting these phrase pairs over a corpus gives a `PhraseTable` with four
numbers for each pair (`FEATURES`), all of them natural logarithms:

- ``phrase_direct``, the relative frequency of the target phrase given the source phrase;
- ``phrase_inverse``, the relative frequency of the source phrase given the target phrase;
- ``lexical_direct`` and ``lexical_inverse``, how well the words of the one side explain those of
  the other (`lexical_weight`): they judge a phrase pair by parts that were seen more often.

Koehn, Och and Marcu (2003), "Statistical phrase-based translation", NAACL, pages 48-54.

Page: 01_smt/decoding
"""

from softalign.phrases.extraction import extract_phrases
from softalign.phrases.lexical import lexical_table, lexical_weight
from softalign.phrases.table import FEATURES, PhrasePair, PhraseTable, build_table

__all__ = [
    "FEATURES",
    "PhrasePair",
    "PhraseTable",
    "build_table",
    "extract_phrases",
    "lexical_table",
    "lexical_weight",
]
