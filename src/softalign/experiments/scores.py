r"""The multiplicative score with and without a scale: does attention find the alignment?

In `softalign.experiments.translation` the rows "gru, two, general" and "gru, two, luong" score by
:math:`\mathbf q\mathbf W\mathbf k^\top`. The rows here begin with the same weights, read the same
batches in the same order, and differ in one thing: the score is divided by the root of the size of
a query.

Page: 06_attention/attention_alignment
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from softalign.attention import GeneralScore
from softalign.encoder_decoder import EncoderDecoder, translation_loss
from softalign.experiments import _translation as shared
from softalign.experiments import translation
from softalign.runs import Experiment, Outcome
from softalign.training import fit, warm_up_then_decay

__all__ = ["EXPERIMENT", "ScaledGeneralScore", "batches", "build", "train"]

NAMES = ("gru, two, general", "gru, two, luong")
batches = translation.batches


class ScaledGeneralScore(GeneralScore):
    r"""The general score divided by :math:`\sqrt{d_q}`.

    Parameters
    ----------
    query_size, key_size : int
        Components of a query and of a key.

    Examples
    --------
    >>> import torch
    >>> score = ScaledGeneralScore(4, 3)
    >>> queries, keys = torch.ones(1, 4), torch.ones(2, 3)
    >>> plain = GeneralScore.forward(score, queries, score.project(keys))
    >>> torch.allclose(score(queries, score.project(keys)), plain / 2)
    True

    Page: 06_attention/attention_alignment
    """

    def forward(
        self,
        queries: Float[Tensor, "*groups tgt feature"],
        projected: Float[Tensor, "*groups src feature"],
    ) -> Float[Tensor, "*groups tgt src"]:
        """Return the scores of all queries and keys, of shape (..., tgt, src)."""
        return super().forward(queries * queries.shape[-1] ** -0.5, projected)


def build(config: Mapping[str, Any]) -> EncoderDecoder:
    """Make the model of a row, with the weights that its row without a scale begins with.

    Page: 06_attention/attention_alignment
    """
    model = translation.build(config)
    score = ScaledGeneralScore(*model.reader.score.W.shape)
    score.load_state_dict(model.reader.score.state_dict())
    model.reader.score = score
    return model


def train(config: Mapping[str, Any]) -> Outcome:
    """Train a row and measure it.

    Page: 06_attention/attention_alignment
    """
    model = build(config)
    history = fit(
        model,
        batches(config),
        translation_loss,
        steps=config["steps"],
        learning_rate=config["learning_rate"],
        schedule=warm_up_then_decay(config["warm_up"], config["steps"]),
        clip=1.0,
        seed=config["seed"],
    )
    corpus = shared.corpus()
    splits = ("validation", "test", "novel", "deep", "long")
    metrics = shared.translation_measures(model, {name: getattr(corpus, name) for name in splits})
    metrics |= shared.alignment_measures(model, corpus.test)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Outcome(history.losses, metrics, parameters, config["steps"], history.seconds)


EXPERIMENT = Experiment(
    "scores",
    {
        f"{name}, scaled, seed {seed}": {
            **translation.EXPERIMENT.rows[f"{name}, seed {seed}"],
            "scaled": True,
        }
        for seed in translation.SEEDS
        for name in NAMES
    },
    train,
    "06_attention/attention_alignment",
)
