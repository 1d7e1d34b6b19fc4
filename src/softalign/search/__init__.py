r"""Search: from a model that gives the next word's probability to a whole sentence.

A model says :math:`P(y_j\mid y_{<j},\mathbf x)`. The sentence that is likeliest under the product
of these cannot be found by trying all of them, there are :math:`|\mathcal V|^T`. `greedy` takes the
likeliest word at every step; `beam` keeps the k best beginnings; `exhaustive` does try them all,
where there are few; `sample` draws.

Each of them works on any `softalign.interfaces.Stepper` and knows no model. Scores are sums of
natural logarithms, so they are 0 or less. With a length exponent :math:`\alpha` a hypothesis of
:math:`\hat T` tokens, the end symbol counted, has the score :math:`\log P/\hat T^{\alpha}`:
dividing a negative number *raises* it, the more the longer the hypothesis is.

Page: 05_encoder_decoder/search
"""

from softalign.search.beams import Step, beam, beam_steps, exhaustive
from softalign.search.hypotheses import Hypothesis, evaluating
from softalign.search.one_path import force, greedy, sample
from softalign.search.translating import Translation, translate

__all__ = [
    "Hypothesis",
    "Step",
    "Translation",
    "beam",
    "beam_steps",
    "evaluating",
    "exhaustive",
    "force",
    "greedy",
    "sample",
    "translate",
]
