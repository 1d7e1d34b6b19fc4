r"""The hidden Markov model of word alignment: a link depends on where the link before it went.

The states are the given positions. From position i' the next generated word jumps to position i
with a probability that depends on the jump's width only,

.. math:: P(a_j=i\mid a_{j-1}=i',S)=(1-p_0)\,\frac{\pi(i-i')}{\sum_{i''=1}^{S}\pi(i''-i')}

or, with probability :math:`p_0`, comes from NULL and stays at i'.

Page: 01_smt/word_alignment
"""

from softalign.hmm.agreement import agreed_links, agreement, crossing, train_by_agreement
from softalign.hmm.jumps import WIDEST, Jumps, best_jump, transitions, widths
from softalign.hmm.model import HMM, e_step_hmm, forward_backward, level_jump, train_hmm, viterbi

__all__ = [
    "HMM",
    "WIDEST",
    "Jumps",
    "agreed_links",
    "agreement",
    "best_jump",
    "crossing",
    "e_step_hmm",
    "forward_backward",
    "level_jump",
    "train_by_agreement",
    "train_hmm",
    "transitions",
    "viterbi",
    "widths",
]
