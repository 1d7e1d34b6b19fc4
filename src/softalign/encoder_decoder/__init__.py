r"""Encoder and decoder: one network reads the source, another writes the target.

The encoder turns :math:`x_1\dots x_S` into states :math:`\mathbf h_1\dots\mathbf h_S` and a
*summary* of fixed size, :math:`\mathbf{ctx}`. The decoder starts from the summary and writes one
word a step:

.. math::

   \mathbf s_0 &= \tanh(\mathbf{ctx}\,\mathbf W_s+\mathbf b_s) \\
   \mathbf s_j &= \operatorname{cell}([\mathbf E_{y_{j-1}},\ \mathbf{ctx}_j],\ \mathbf s_{j-1}) \\
   P(y_j\mid y_{<j},\mathbf x) &= \operatorname{softmax}
      (\tanh([\mathbf s_j,\ \mathbf{ctx}_j,\ \mathbf E_{y_{j-1}}]\,\mathbf W_r+\mathbf b_r)
      \,\mathbf W_{ry} + \mathbf b_y)

Where :math:`\mathbf{ctx}_j` comes from is the *reader's* business, and all that the models of
chapters 5 and 6 differ in: there is no reader, and the decoder has the summary as its initial state
only; `FixedContext` gives it the summary at every step; `SoftAttention` gives it an average of the
encoder's states that is made anew at every step.

Page: 05_encoder_decoder/encoder_decoder
"""

from softalign.encoder_decoder.batches import (
    align,
    translation_batches,
    translation_loss,
    vocabularies,
)
from softalign.encoder_decoder.model import Decoded, EncoderDecoder
from softalign.encoder_decoder.readers import FixedContext, Memory, SoftAttention
from softalign.encoder_decoder.states import last_hidden

__all__ = [
    "Decoded",
    "EncoderDecoder",
    "FixedContext",
    "Memory",
    "SoftAttention",
    "align",
    "last_hidden",
    "translation_batches",
    "translation_loss",
    "vocabularies",
]
