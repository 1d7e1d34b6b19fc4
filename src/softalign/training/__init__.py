"""Training a neural model: the loss, the steps, the loop, and runs that can be interrupted.

Budgets are optimiser *steps*, never seconds: a step is the same on every machine.

Page: 02_rnn/rnn
"""

from softalign.training.checkpoint import CheckpointError
from softalign.training.fitting import Diverged, History, fit
from softalign.training.loss import cross_entropy
from softalign.training.steps import constant, seeded, stepwise, warm_up_then_decay

__all__ = [
    "CheckpointError",
    "Diverged",
    "History",
    "constant",
    "cross_entropy",
    "fit",
    "seeded",
    "stepwise",
    "warm_up_then_decay",
]
