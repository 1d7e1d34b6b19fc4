"""The training loop.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from tqdm import tqdm

from softalign.training import checkpoint as checkpoints
from softalign.training.steps import Schedule, constant, seeded

OPTIMISERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


@dataclass(frozen=True)
class History:
    """What happened during a training.

    Attributes
    ----------
    losses : tuple of float
        Loss of each step in nats per counted item, before the step's update.
    norms : tuple of float
        Euclidean norm of the gradient at each step, before clipping.
    validations : tuple of (int, float)
        Number of steps done, and the value of `validate` then.
    best_step : int
        Number of steps after which the model had the weights it has now.
    steps : int
        Number of steps done.
    seconds : float
        CPU seconds of all steps and validations, those before an interruption included.
    """

    losses: tuple[float, ...]
    norms: tuple[float, ...]
    validations: tuple[tuple[int, float], ...]
    best_step: int
    steps: int
    seconds: float


class Diverged(ArithmeticError):
    """A loss or a gradient that is not finite.

    Attributes
    ----------
    step : int
        The step (from 0) at which it happened.
    history : History
        What happened until then; `best_step` says which weights the model holds now.
    """

    def __init__(self, message: str, step: int, history: History) -> None:
        super().__init__(message)
        self.step = step
        self.history = history


class _Run:
    """The state of a training between two steps: all that a checkpoint must hold."""

    def __init__(self, model: torch.nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.model, self.optimiser = model, optimiser
        self.losses: list[float] = []
        self.norms: list[float] = []
        self.validations: list[tuple[int, float]] = []
        self.best = math.inf
        self.best_step = 0
        self.best_weights = _copy(model)
        self.good = _copy(model)  # the last weights with a finite loss and gradient
        self.before = 0.0  # CPU seconds spent before an interruption
        self.begin = time.process_time()

    def seconds(self) -> float:
        return self.before + time.process_time() - self.begin

    def history(self, best_step: int) -> History:
        return History(
            tuple(self.losses),
            tuple(self.norms),
            tuple(self.validations),
            best_step,
            len(self.losses),
            self.seconds(),
        )

    def keep_best(self, value: float) -> None:
        step = len(self.losses)
        self.validations.append((step, value))
        if value < self.best:
            self.best, self.best_step = value, step
            self.best_weights = _copy(self.model)

    def state(self) -> dict[str, Any]:
        cuda = [torch.cuda.get_rng_state(i) for i in range(torch.cuda.device_count())]
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "losses": self.losses,
            "norms": self.norms,
            "validations": self.validations,
            "best": self.best,
            "best_step": self.best_step,
            "best_weights": self.best_weights,
            "good": self.good,
            "seconds": self.seconds(),
            "random": torch.get_rng_state(),
            "random_cuda": cuda,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.losses, self.norms = list(state["losses"]), list(state["norms"])
        self.validations = [tuple(pair) for pair in state["validations"]]
        self.best, self.best_step = state["best"], state["best_step"]
        self.best_weights, self.good = state["best_weights"], state["good"]
        self.before = state["seconds"]
        torch.set_rng_state(state["random"])
        for device, random in enumerate(state["random_cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(random, device)


def _copy(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def fit(
    model: torch.nn.Module,
    batch_of: Callable[[int], Any],
    loss_of: Callable[[torch.nn.Module, Any], tuple[torch.Tensor, Any]],
    *,
    steps: int,
    learning_rate: float,
    seed: int,
    optimiser: Literal["adam", "sgd"] = "adam",
    schedule: Schedule | None = None,
    clip: float | None = 1.0,
    validate: Callable[[torch.nn.Module], float] | None = None,
    every: int | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train a model for a number of steps and leave it with its best weights, in evaluation mode.

    The result depends on the arguments alone: torch is seeded inside and left as it was, and
    validating more often changes nothing of the training.

    Parameters
    ----------
    model : torch.nn.Module
        What to train, on any device; its weights are changed.
    batch_of : callable
        Gives the batch of a step (from 0), for example made by `stepwise`.
    loss_of : callable
        From the model and a batch to a total and a count; their quotient is the step's loss.
    steps : int
        Number of optimiser steps.
    learning_rate : float
        Multiplied at each step by ``schedule(step)``.
    seed : int
        For what is random during training, such as dropout. Initial weights are the caller's: make
        the model under ``with seeded(…)``.
    optimiser : {"adam", "sgd"}
        ``torch.optim.Adam`` or ``torch.optim.SGD`` with their other settings as torch has them.
    schedule : callable, optional
        From a step (from 0) to a factor; without it, `constant`.
    clip : float or None
        The largest Euclidean norm of the whole gradient; a longer one is scaled down to it (Pascanu
        et al. 2013, algorithm 1). None leaves it alone.
    validate : callable, optional
        From the model, in evaluation mode and without gradients, to a number; lower is better.
    every : int, optional
        Steps between two validations, and between two checkpoints; without it, a tenth of `steps`.
        The last step is always followed by both.
    checkpoint : str or Path, optional
        File that the state is written to, whole or not at all. If it is there, training goes on
        from it and ends with the same numbers, bit for bit, as without interruption.
    progress : bool
        Show a bar, unless the environment variable ``TQDM_DISABLE`` says otherwise.

    Returns
    -------
    History
        Losses, norms, validations, which weights are the best. Without `validate` these are the
        last.

    Raises
    ------
    Diverged
        A loss or a gradient that is not finite. The model then holds the last weights that had a
        finite loss and a finite gradient (the initial ones, if there were none).
    CheckpointError
        The file is no checkpoint, or one of another configuration.
    ValueError
        Numbers out of range, an unknown optimiser, a batch that counts nothing.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> def loss_of(model, batch):
    ...     return ((model(batch) - 3 * batch) ** 2).sum(), len(batch)
    >>> history = fit(model, lambda step: torch.ones(4, 1), loss_of, steps=100,
    ...               learning_rate=0.1, seed=0, optimiser="sgd", progress=False)
    >>> round(model.weight.item(), 2), history.steps
    (3.0, 100)

    Page: 02_rnn/rnn
    """
    if steps < 1 or (every is not None and every < 1):
        raise ValueError(f"steps is {steps} and every is {every}, expected 1 or more")
    if not (learning_rate > 0 and (clip is None or clip > 0)):
        raise ValueError(f"learning_rate is {learning_rate} and clip {clip}, expected more than 0")
    if optimiser not in OPTIMISERS:
        raise ValueError(f"the optimiser is {optimiser!r}, expected {' or '.join(OPTIMISERS)}")
    schedule = schedule or constant()
    every = every or max(1, steps // 10)
    run = _Run(model, OPTIMISERS[optimiser](model.parameters(), lr=learning_rate))
    configuration = {
        "steps": steps,
        "seed": seed,
        "learning_rate": learning_rate,
        "optimiser": optimiser,
        "clip": clip,
        "every": every,
        "validate": validate is not None,
        "schedule": [float(schedule(step)) for step in range(0, steps, max(1, steps // 100))],
        "weights": checkpoints.weights_digest(run.best_weights),
    }
    with seeded(seed):
        stored = checkpoints.read(Path(checkpoint), configuration) if checkpoint else None
        if stored is not None:
            run.restore(stored)
        hidden = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
        bar = tqdm(total=steps, initial=len(run.losses), disable=hidden, unit="step", leave=False)
        with bar:
            model.train()
            for step in range(len(run.losses), steps):
                for group in run.optimiser.param_groups:
                    group["lr"] = learning_rate * schedule(step)
                _step(run, batch_of(step), loss_of, step, clip)
                bar.update()
                if (step + 1) % every == 0 or step + 1 == steps:
                    if validate is not None:
                        run.keep_best(_validated(model, validate, seed))
                        bar.set_postfix(best=f"{run.best:.4g}", refresh=False)
                    if checkpoint:
                        checkpoints.write(Path(checkpoint), configuration, run.state())
    model.eval()
    if run.best_step == 0:  # nothing to choose by
        return run.history(steps)
    model.load_state_dict(run.best_weights)
    return run.history(run.best_step)


def _step(run: _Run, batch: Any, loss_of: Callable, step: int, clip: float | None) -> None:
    """Do one step; keep the weights that had a finite loss and gradient in `run.good`."""
    run.optimiser.zero_grad(set_to_none=True)
    total, count = loss_of(run.model, batch)
    if not count > 0:
        raise ValueError(f"the batch of step {step} counts {count} items, expected 1 or more")
    loss = total / count
    value, norm = float(loss.detach()), math.nan
    if math.isfinite(value):
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(run.model.parameters(), clip or math.inf))
    if not (math.isfinite(value) and math.isfinite(norm)):
        run.model.load_state_dict(run.good)
        run.model.eval()
        what = f"gradient's norm is {norm}" if math.isfinite(value) else f"loss is {value}"
        kept = max(0, step - 1)
        raise Diverged(
            f"the {what} at step {step}; the model holds the weights of step {kept} again; a lower "
            f"learning rate than {run.optimiser.param_groups[0]['lr']:g}, or clipping, may help",
            step,
            run.history(kept),
        )
    for name, tensor in run.model.state_dict().items():
        run.good[name].copy_(tensor)
    run.optimiser.step()
    run.losses.append(value)
    run.norms.append(norm)


def _validated(model: torch.nn.Module, validate: Callable, seed: int) -> float:
    """Call `validate` so that the training notices nothing of it."""
    model.eval()
    with torch.no_grad(), seeded(seed):
        value = float(validate(model))
    model.train()
    return value
