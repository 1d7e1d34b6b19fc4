"""Train the rows of an experiment that are missing or stale, and store each when it is done.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import torch

from softalign.runs import store
from softalign.runs.model import Experiment, Outcome, Row, make_row, plain
from softalign.training import seeded

SHOWN = 6
"""Number of metrics that the line about a row names."""
State = Literal["stored", "stale", "missing", "unknown"]


def states(experiment: Experiment, digest: str, folder: Path | None = None) -> dict[str, State]:
    """Say for each row whether it is stored, stale or missing, and which stored rows are unknown.

    Parameters
    ----------
    experiment : Experiment
        Whose rows.
    digest : str
        Of all that the experiment depends on now.
    folder : Path, optional
        Where the file lies.

    Returns
    -------
    dict
        ``stored``: trained with this configuration and this digest. ``stale``: with another.
        ``missing``: not there. ``unknown``: stored, but not a row of the experiment.

    Page: 02_rnn/rnn
    """
    kept = store.read(experiment.name, folder)
    found: dict[str, State] = {}
    for name, config in experiment.rows.items():
        if name not in kept:
            found[name] = "missing"
        elif (kept[name].digest, kept[name].config) == (digest, plain(config, name)):
            found[name] = "stored"
        else:
            found[name] = "stale"
    return found | {name: "unknown" for name in kept if name not in experiment.rows}


def bring_up_to_date(
    experiment: Experiment,
    digest: str,
    *,
    folder: Path | None = None,
    force: bool = False,
    jobs: int = 1,
    say: Callable[[str], object] = print,
) -> int:
    """Train every row that is missing or stale, and store each as soon as it is done.

    An interruption loses the rows under way, and no other. Stored rows that the experiment does not
    have any more are dropped with the first row that is stored.

    Parameters
    ----------
    experiment : Experiment
        What to train.
    digest : str
        Of all that it depends on now.
    folder : Path, optional
        Where to store.
    force : bool
        Train all rows.
    jobs : int
        Rows trained at the same time, each in a process and on a thread of its own; the numbers do
        not depend on it. With more than 1, ``experiment.train`` must be a function of a module.
    say : callable
        Gets a line for each row that is done.

    Returns
    -------
    int
        Number of rows trained.

    Raises
    ------
    ValueError
        An outcome that cannot be stored; the message names the row. Fewer jobs than 1.

    Page: 02_rnn/rnn
    """
    current = states(experiment, digest, folder)
    wanted = [name for name in experiment.rows if force or current[name] != "stored"]
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}, expected 1 or more")
    for number, (name, outcome) in enumerate(_outcomes(experiment, wanted, jobs), start=1):
        row = make_row(
            outcome,
            experiment.rows[name],
            digest=digest,
            versions=_versions(),
            where=f"{experiment.name}, row {name!r}",
        )
        kept = store.read(experiment.name, folder) | {name: row}
        ordered = {name: kept[name] for name in experiment.rows if name in kept}
        store.write(experiment.name, experiment.page, ordered, folder)
        say(f"  {name}: {_summary(row)} ({number} of {len(wanted)})")
    return len(wanted)


def _outcome(train: Callable[[Mapping[str, Any]], Outcome], config: Mapping[str, Any]) -> Outcome:
    with _one_thread(), seeded(config["seed"]):
        return train(config)


def _outcomes(
    experiment: Experiment, wanted: Sequence[str], jobs: int
) -> Iterator[tuple[str, Outcome]]:
    """Yield the rows and what training them gave, in the order in which they are done."""
    if jobs == 1 or len(wanted) < 2:
        for name in wanted:
            yield name, _outcome(experiment.train, experiment.rows[name])
        return
    # a new interpreter for each process: forking one that has started threads is not safe
    with ProcessPoolExecutor(min(jobs, len(wanted)), mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(_outcome, experiment.train, dict(experiment.rows[name])): name
            for name in wanted
        }
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _summary(row: Row) -> str:
    shown = list(row.metrics.items())[:SHOWN]
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in shown)
    metrics += ", …" if len(row.metrics) > SHOWN else ""
    return f"{row.steps} steps, {row.seconds:.0f} s" + (f", {metrics}" if metrics else "")


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch").split("+")[0],
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread and deterministic algorithms, as on the pages; then as it was."""
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
