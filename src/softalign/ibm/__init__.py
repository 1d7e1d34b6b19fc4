"""IBM Models 1 and 2: the posterior of a link is a softmax over the words of the other sentence.

Page: 01_smt/word_alignment
"""

from softalign.ibm.bitext import Bitext, Chunk, Group, check_pairs, index
from softalign.ibm.lexicon import LexicalTable, from_rows, normalise, starting_table, uniform
from softalign.ibm.links import Aligner, Link, links_of, viterbi_links
from softalign.ibm.model1 import IBM1, e_step_ibm1, train_ibm1
from softalign.ibm.model2 import (
    IBM2,
    Distances,
    best_diagonal,
    diagonal_prior,
    e_step_ibm2,
    train_ibm2,
)

__all__ = [
    "IBM1",
    "IBM2",
    "Aligner",
    "Bitext",
    "Chunk",
    "Distances",
    "Group",
    "LexicalTable",
    "Link",
    "best_diagonal",
    "check_pairs",
    "diagonal_prior",
    "e_step_ibm1",
    "e_step_ibm2",
    "from_rows",
    "index",
    "links_of",
    "normalise",
    "starting_table",
    "train_ibm1",
    "train_ibm2",
    "uniform",
    "viterbi_links",
]
