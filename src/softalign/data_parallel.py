"""Training in several processes: each takes a share of every batch, and all take the same step.

The processes are those that ``torchrun`` starts. Each holds the whole model and the whole corpus,
and works out all batches; of each batch it computes only its own rows. The gradients of all are
added before the optimiser uses them, and the loss is divided by the number of tokens in the *whole*
batch, so that the step is the one that a single process would have taken.

Page: data_parallel
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn

from softalign.text import Batch
from softalign.training import History, fit
from softalign.training.checkpoint import weights_digest

__all__ = ["Share", "Team", "fit_together", "rows_of", "seed_of", "shared_gradients", "team"]


@dataclass(frozen=True)
class Team:
    """The processes that train together; one of them, as this process sees it.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    size : int
        Number of processes.
    device : torch.device
        Where this process computes.

    Examples
    --------
    >>> alone = Team()
    >>> alone.is_first, alone.broadcast("x")
    (True, 'x')

    Page: data_parallel
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and says what there is to say."""
        return self.rank == 0

    def broadcast(self, thing: Any) -> Any:
        """Return what the first process has given; all must call it.

        Page: data_parallel
        """
        if self.size == 1:
            return thing
        things = [thing]
        distributed.broadcast_object_list(things, src=0, device=self.device)
        return things[0]

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of the tensors that the processes have given; all must call it.

        Page: data_parallel
        """
        if self.size > 1:
            tensor = tensor.clone()
            distributed.all_reduce(tensor)
        return tensor


@contextmanager
def team(device: str | None = None) -> Iterator[Team]:
    """Join the processes that ``torchrun`` has started, or work alone.

    Parameters
    ----------
    device : str, optional
        Where to compute, as torch names it. Left out: a CUDA device for each process where there
        are enough of them, else the processor.

    Yields
    ------
    Team
        The processes talk by nccl between CUDA devices and by gloo otherwise.

    Raises
    ------
    ValueError
        A device that this machine does not have.

    Page: data_parallel
    """
    local = int(os.environ.get("LOCAL_RANK", 0))
    on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if device is None:
        enough = torch.cuda.is_available() and torch.cuda.device_count() >= on_this_machine
        device = f"cuda:{local}" if enough else "cpu"
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError):
        raise ValueError(f"this machine has no device {device!r}, expected cpu or cuda") from None
    size = int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1
    if size == 1:
        yield Team(device=place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    backend = "nccl" if place.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(hours=2))
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size(), place)
    finally:
        distributed.destroy_process_group()


def rows_of(batch: Batch, rank: int, size: int) -> Batch | None:
    """Return the rows of a batch that a process computes: `rank`, `rank` + `size`, and so on.

    Parameters
    ----------
    batch : Batch
    rank, size : int
        Which process, and of how many.

    Returns
    -------
    Batch or None
        Padded only to its own longest row; None if the batch has no row for this process.

    Examples
    --------
    >>> import numpy as np
    >>> ids, lengths = np.array([[5, 6, 7], [5, 6, 0], [5, 0, 0]]), np.array([3, 2, 1])
    >>> batch = Batch(ids, lengths, ids, lengths, np.arange(3))
    >>> rows_of(batch, 1, 2).src.tolist(), rows_of(batch, 0, 2).index.tolist()
    ([[5, 6]], [0, 2])

    Page: data_parallel
    """
    mine = slice(rank, None, size)
    src_lengths, tgt_lengths = batch.src_lengths[mine], batch.tgt_lengths[mine]
    if not len(src_lengths):
        return None
    return Batch(
        batch.src[mine, : src_lengths.max()],
        src_lengths,
        batch.tgt[mine, : tgt_lengths.max()],
        tgt_lengths,
        batch.index[mine],
    )


def seed_of(seed: int, step: int, rank: int) -> int:
    """Return the seed for what is random, such as dropout, at a step of a process.

    It depends on nothing that happened before: so a training that goes on after an interruption
    draws what it would have drawn.

    >>> len({seed_of(0, 0, 0), seed_of(0, 1, 0), seed_of(0, 0, 1), seed_of(1, 0, 0)})
    4

    Page: data_parallel
    """
    digest = hashlib.sha256(f"{seed} {step} {rank}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


@contextmanager
def shared_gradients(model: nn.Module, together: Team) -> Iterator[None]:
    """Add up the gradients of all processes at the end of each backward pass in the block.

    When the last parameter has got its gradient, all are laid end to end in one vector, the vectors
    of the processes are added (*all-reduce*), and each process takes the sum for its own gradient.

    Raises
    ------
    RuntimeError
        At the end of the block: the last backward pass reached only some of the parameters, so that
        nothing was added up.

    Page: data_parallel
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    arrived = 0

    def one_more(_: Tensor) -> None:
        nonlocal arrived
        arrived += 1
        if arrived < len(parameters):
            return
        arrived = 0
        whole = together.sum(torch.cat([p.grad.reshape(-1) for p in parameters]))
        parts = whole.split([p.numel() for p in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad.copy_(part.view_as(parameter))

    hooks = [parameter.register_post_accumulate_grad_hook(one_more) for parameter in parameters]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    if arrived:
        raise RuntimeError(
            f"the loss depends on {arrived} of {len(parameters)} parameters only, expected all: "
            "their gradients were not added up"
        )


class Share(NamedTuple):
    """What a process computes of a step.

    Attributes
    ----------
    step : int
        From 0.
    batch : Batch
        Its rows.
    counts : bool
        False: the batch was too small for this process; its one row is there for the form only.

    Page: data_parallel
    """

    step: int
    batch: Batch
    counts: bool


def fit_together(
    together: Team,
    model: nn.Module,
    batch_of: Callable[[int], Batch],
    loss_of: Callable[[nn.Module, Batch], tuple[Tensor, int]],
    *,
    seed: int,
    validate: Callable[[nn.Module], float] | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> History:
    """Train as `softalign.training.fit` does, with the rows of each batch shared out.

    Without dropout the losses and weights are those of a single process, but for the rounding of
    sums in another order. With dropout they are other random numbers, of the same distribution.

    Parameters
    ----------
    together : Team
    model : torch.nn.Module
        With the same weights in every process, on ``together.device``.
    batch_of : callable
        Gives the *whole* batch of a step, the same in every process.
    loss_of, options
        As for `fit`.
    seed : int
        Of dropout; see `seed_of`.
    validate : callable, optional
        As for `fit`; the first process computes it, and all take its value.
    checkpoint : str or Path, optional
        Written, and read, by the first process only, which hands its content to the others: they
        may lie on other machines, and may be more or fewer than before the interruption.
    progress : bool
        The first process shows a bar.

    Returns
    -------
    History
        Losses and norms are those of the whole batch.

    Raises
    ------
    ValueError
        The processes began with different weights; and what `fit` raises.

    Page: data_parallel
    """
    ours = weights_digest(model.state_dict())
    if together.sum(torch.tensor(float(together.broadcast(ours) != ours), device=together.device)):
        raise ValueError("the processes have different weights, expected the same seed and data")

    def share_of(step: int) -> Share:
        whole = batch_of(step)
        mine = rows_of(whole, together.rank, together.size)
        return Share(
            step, rows_of(whole, 0, len(whole)) if mine is None else mine, mine is not None
        )

    def loss_of_all(model: nn.Module, share: Share) -> tuple[Tensor, int]:
        torch.manual_seed(seed_of(seed, share.step, together.rank))
        total, count = loss_of(model, share.batch)
        total, count = total.double() * share.counts, count * share.counts
        here = torch.tensor([float(total.detach()), count], dtype=torch.float64)
        sums = together.sum(here.to(together.device))
        # the value is that of all, the gradient that of this process's share
        return total - total.detach() + sums[0], int(sums[1])

    def value_of_first(model: nn.Module) -> float:
        return together.broadcast(validate(model) if together.is_first else None)

    with tempfile.TemporaryDirectory() as folder, shared_gradients(model, together):
        return fit(
            model,
            share_of,
            loss_of_all,
            seed=seed,
            validate=None if validate is None else value_of_first,
            checkpoint=_own_checkpoint(together, checkpoint, Path(folder)),
            progress=progress and together.is_first,
            **options,
        )


def _own_checkpoint(together: Team, path: str | Path | None, folder: Path) -> Path | None:
    """The checkpoint of the first process, and a copy of it for each of the others."""
    if path is None or together.size == 1:
        return None if path is None else Path(path)
    path = Path(path)
    content = path.read_bytes() if together.is_first and path.exists() else None
    content = together.broadcast(content)
    if together.is_first:
        return path
    own = folder / "checkpoint"
    if content is not None:
        own.write_bytes(content)
    return own
