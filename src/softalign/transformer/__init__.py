r"""The Transformer: attention in place of recurrence, in the encoder and in the decoder.

.. math::

   \mathbf X &\to \text{self-attention} \to \text{FFN} && \text{encoder layer} \\
   \mathbf Y &\to \text{masked self-attention} \to \text{cross-attention to } \mathbf X \to
      \text{FFN} && \text{decoder layer}

Around each of these stands a residual connection and a layer normalisation (`Sublayer`). All
attention is `MultiHeadAttention`, which is `softalign.attention.attend` of scaled products, done by
several heads at a time: by torch's fused kernel, and by `attend` itself when the weights are asked
for.

Page: 07_transformer/transformer
"""

from softalign.transformer.layers import DecoderLayer, EncoderLayer, PositionwiseNetwork, Sublayer
from softalign.transformer.model import Decoded, Encoded, Recomputing, Transformer
from softalign.transformer.multi_head import (
    Attended,
    KeysValues,
    MultiHeadAttention,
    join_heads,
    prune_heads,
    split_heads,
)
from softalign.transformer.weights import cross_weights

__all__ = [
    "Attended",
    "Decoded",
    "DecoderLayer",
    "Encoded",
    "EncoderLayer",
    "KeysValues",
    "MultiHeadAttention",
    "PositionwiseNetwork",
    "Recomputing",
    "Sublayer",
    "Transformer",
    "cross_weights",
    "join_heads",
    "prune_heads",
    "split_heads",
]
