"""What the decoder sees of the source at each step.

Page: 05_encoder_decoder/encoder_decoder
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from softalign.attention import attend


class Memory(NamedTuple):
    """What the encoder leaves of a batch of sources.

    Attributes
    ----------
    outputs : Tensor of shape (batch, src, hidden)
        A state for each source position; zero at padding.
    mask : boolean Tensor of shape (batch, src)
        True = a real source position.
    summary : Tensor of shape (batch, context)
        The fixed context.

    Page: 05_encoder_decoder/encoder_decoder
    """

    outputs: Tensor
    mask: Tensor
    summary: Tensor


class FixedContext(nn.Module):
    """The reader without attention: the same summary of the source at every step.

    Parameters
    ----------
    context_size : int
        Components of the summary.

    Notes
    -----
    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), section 2.2.

    Page: 05_encoder_decoder/encoder_decoder
    """

    query: Literal["previous"] = "previous"

    def __init__(self, context_size: int) -> None:
        super().__init__()
        self.output_size = context_size

    def prepare(self, memory: Memory) -> tuple[Tensor]:
        """Return what `forward` looks at, computed once for a source."""
        return (memory.summary,)

    def forward(self, queries: Float[Tensor, "batch tgt hidden"], prepared: tuple) -> tuple:
        """Return the contexts, (batch, tgt, context), and None for the weights."""
        (summary,) = prepared
        return summary[:, None].expand(-1, queries.shape[1], -1), None


class SoftAttention(nn.Module):
    r"""The reader with attention: an average of the encoder's states, made anew at every step.

    Parameters
    ----------
    score : `AdditiveScore`, `GeneralScore` or `DotScore`
        Of the decoder's state as query and the encoder's states as keys.
    memory_size : int
        Components of an encoder state.
    query : {"previous", "current"}
        Which state of the decoder asks. With "previous" it is :math:`\mathbf s_{j-1}`, and the
        context goes into the cell (Bahdanau). With "current" it is :math:`\mathbf s_j`, and the
        context goes into the readout only (Luong, without input feeding); then all target positions
        of a training batch are attended to at once.

    Raises
    ------
    ValueError
        Another `query`.

    Notes
    -----
    Bahdanau, Cho & Bengio (2015), appendix A.2; Luong, Pham & Manning (2015), section 3.1.

    Page: 06_attention/attention_alignment
    """

    def __init__(
        self,
        score: nn.Module,
        memory_size: int,
        *,
        query: Literal["previous", "current"] = "previous",
    ) -> None:
        super().__init__()
        if query not in ("previous", "current"):
            raise ValueError(f"query is {query!r}, expected 'previous' or 'current'")
        self.score, self.query = score, query
        self.output_size = memory_size

    def prepare(self, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Return projected keys, values and mask, computed once for a source."""
        return self.score.project(memory.outputs), memory.outputs, memory.mask

    def forward(self, queries: Float[Tensor, "batch tgt hidden"], prepared: tuple) -> tuple:
        """Return contexts (batch, tgt, memory_size) and weights (batch, tgt, src)."""
        keys, values, mask = prepared
        return attend(self.score(queries, keys), values, mask[:, None])
