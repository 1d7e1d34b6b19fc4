"""The training of a neural system: batches, loss, number of steps, and the steps themselves.

Page: your_own_text
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn

from softalign.corpus import Pair
from softalign.data_parallel import Team, fit_together
from softalign.encoder_decoder import translation_batches, translation_loss
from softalign.search import evaluating
from softalign.systems.families import Shape, as_large_as, build, parameters
from softalign.systems.settings import RATES, Settings
from softalign.text import Batch, Vocabulary
from softalign.training import History, stepwise, warm_up_then_decay

__all__ = ["Plan", "example", "fit_system", "make_model", "make_plan", "perplexity_of"]

TIMED, UNTIMED = 12, 4
FOR_STEPS = 0.9
"""Share of a budget that goes into steps; the rest is for the validations."""
VALIDATIONS, LARGEST_GAP = 10, 500
"""At least so many validations, and checkpoints, and never more steps between two of them."""


def example(source: Sequence[str], target: Sequence[str]) -> Pair:
    """Make a pair of pieces into what the batches are made of; it has no links.

    Page: your_own_text
    """
    target = tuple(target)
    return Pair(tuple(source), target, (target,), frozenset(), frozenset(), ())


class Plan(NamedTuple):
    """What the settings leave open, decided once before the first step.

    Attributes
    ----------
    steps : int
    learning_rate : float
    hidden_size : int
    parameters : int

    Page: your_own_text
    """

    steps: int
    learning_rate: float
    hidden_size: int
    parameters: int


Sides = tuple[Vocabulary, Vocabulary]


def make_plan(settings: Settings, sides: Sides, examples: Sequence[Pair], together: Team) -> Plan:
    """Decide on the number of steps, the learning rate and the size of the model.

    A budget of seconds is turned into steps by timing some of them with a model that is then thrown
    away: so a training has a length before it begins, and its numbers can be had again. On a
    processor they are seconds of its time, which other work on the machine does not make longer.

    Page: your_own_text
    """
    hidden = settings.hidden_size
    if hidden is None:
        hidden = 4 * settings.width
        if settings.family != "transformer":
            wanted = parameters("transformer", sides, Shape(settings.width, hidden))
            hidden = as_large_as(settings.family, sides, settings.width, wanted)
    rate = settings.learning_rate or RATES[settings.family]
    size = parameters(settings.family, sides, Shape(settings.width, hidden))
    plan = Plan(settings.steps or settings.default_steps(len(examples)), rate, hidden, size)
    if settings.budget is not None:
        seconds = _seconds_of_a_step(settings, plan, sides, examples, together)
        steps = max(1, math.floor(FOR_STEPS * settings.budget / seconds))
        plan = plan._replace(steps=together.broadcast(steps))
    return plan


def make_model(settings: Settings, plan: Plan, sides: Sides, together: Team) -> nn.Module:
    """Make the model of a plan, with the weights of its seed.

    Page: your_own_text
    """
    shape = Shape(settings.width, plan.hidden_size, settings.dropout)
    return build(settings.family, sides, shape, seed=settings.seed).to(together.device)


def _batches(settings: Settings, sides: Sides, examples: Sequence[Pair]) -> Callable[[int], Batch]:
    return stepwise(
        lambda epoch: translation_batches(
            examples, *sides, batch_size=settings.batch_size, seed=settings.seed, epoch=epoch
        )
    )


def _loss(settings: Settings) -> Callable:
    return lambda model, batch: translation_loss(model, batch, smoothing=settings.smoothing)


def _seconds_of_a_step(
    settings: Settings, plan: Plan, sides: Sides, examples: Sequence[Pair], together: Team
) -> float:
    model = make_model(settings, plan, sides, together)
    batch_of, seconds = _batches(settings, sides, examples), 0.0
    busy = together.device.type != "cpu"  # the processor waits for the device
    clock = time.perf_counter if busy else time.process_time
    for steps in (UNTIMED, TIMED):
        begin = clock()
        fit_together(
            together,
            model,
            batch_of,
            _loss(settings),
            steps=steps,
            learning_rate=plan.learning_rate / 100,
            seed=0,
            progress=False,
        )
        seconds = (clock() - begin) / steps
    return seconds if busy else seconds / torch.get_num_threads()


@torch.no_grad()
def perplexity_of(model: nn.Module, examples: Sequence[Pair]) -> float:
    """Perplexity of the targets, their end symbols included, given the sources.

    Page: your_own_text
    """
    total, count = 0.0, 0
    sides = model.src_vocab, model.tgt_vocab
    with evaluating(model):
        for batch in translation_batches(examples, *sides, batch_size=64, seed=0):
            loss, number = translation_loss(model, batch)
            total, count = total + float(loss), count + number
    return math.exp(min(total / count, 700.0))


def fit_system(
    settings: Settings,
    plan: Plan,
    model: nn.Module,
    examples: Sequence[Pair],
    validation: Sequence[Pair],
    *,
    together: Team,
    checkpoint: object = None,
    progress: bool = False,
) -> History:
    """Train a model by its plan; it keeps the weights that are best on the validation pairs.

    Page: your_own_text
    """
    sides = model.src_vocab, model.tgt_vocab
    return fit_together(
        together,
        model,
        _batches(settings, sides, examples),
        _loss(settings),
        steps=plan.steps,
        learning_rate=plan.learning_rate,
        schedule=warm_up_then_decay(
            min(math.ceil(settings.warm_up * plan.steps), plan.steps - 1), plan.steps
        ),
        clip=1.0,
        seed=settings.seed,
        validate=lambda model: perplexity_of(model, validation),
        every=max(1, min(LARGEST_GAP, plan.steps // VALIDATIONS)),
        checkpoint=checkpoint,
        progress=progress,
    )
