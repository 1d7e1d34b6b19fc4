"""The sandbox that answers run in: what this machine grants, and many workers."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any, TypeVar

from softalign_course.process import SILENT, Isolation, Run, SandboxError, Task, Worker

__all__ = [
    "Isolation",
    "Pool",
    "Run",
    "SandboxError",
    "Task",
    "Worker",
    "isolation",
    "processors",
]

T = TypeVar("T")

NO_ARGUMENTS: dict[str, Any] = {"args": [], "kwargs": {}, "grad": [], "unchanged": False}


@functools.cache
def isolation() -> Isolation:
    """Try, once, what this machine grants.

    Raises
    ------
    SandboxError
        A sandbox was made, but the worker in it does not answer in time. To go on without one would
        run answers unsealed because a machine is busy.
    """
    why = ""
    if os.environ.get("SOFTALIGN_SANDBOX") == "none":
        why = "SOFTALIGN_SANDBOX=none says so"
    elif sys.platform != "linux":
        why = "sandboxes need Linux"
    elif not shutil.which("bwrap"):
        why = "bubblewrap is not installed (on Debian or Ubuntu: apt-get install bubblewrap)"
    if not why:
        for apart in (True, False):
            worker = Worker(Isolation(True, apart, ""))
            try:
                run = worker.run(Task(_PROBE, "answer", None, [NO_ARGUMENTS], 20.0))
                if run.results[0].get("value") is True:
                    how = "" if apart else ", started anew for each answer, which is slow"
                    return Isolation(True, apart, f"Answers run in a sandbox (bubblewrap{how}).")
                if SILENT in run.problem or run.ended == "timeout":
                    raise SandboxError(
                        "the sandbox does not answer, as on a very busy machine: try again later, "
                        "or set SOFTALIGN_SANDBOX=none to grade without one"
                    )
            except OSError:
                pass
            finally:
                worker.close()
        why = "bubblewrap is installed, but this system does not let it make a sandbox"
    return Isolation(
        False,
        False,
        f"NOT ISOLATED: {why}. Answers run as you, with your files and network: "
        "grade on a machine that has nothing to lose.",
    )


_PROBE = (("<setup>", ""), ("<answer>", "def answer():\n    return True\n"))


class Pool:
    """As many workers as processors, for many answers.

    Parameters
    ----------
    how : Isolation, optional
        What this machine grants, if left out.
    workers : int, optional
        One for each processor, if left out.
    """

    def __init__(self, how: Isolation | None = None, workers: int | None = None) -> None:
        granted = how or isolation()
        self._workers = [Worker(granted) for _ in range(workers or processors())]
        self._free: Queue[Worker] = Queue()
        for worker in self._workers:
            self._free.put(worker)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.close()

    def map(self, task: Callable[[T], Task | None], jobs: Iterable[T]) -> Iterator[Run | None]:
        """Run ``task(job)`` for every job; yield the runs in the order of the jobs.

        `task` is called in this thread, shortly before its turn; None gives None. Not more than a
        few answers are held at a time, whatever the number of jobs.
        """
        with ThreadPoolExecutor(len(self._workers)) as threads:
            waiting: deque[Future[Run] | None] = deque()
            for job in jobs:
                wanted = task(job)
                waiting.append(None if wanted is None else threads.submit(self._one, wanted))
                while len(waiting) > 4 * len(self._workers):
                    first = waiting.popleft()
                    yield first if first is None else first.result()
            while waiting:
                first = waiting.popleft()
                yield first if first is None else first.result()

    def _one(self, task: Task) -> Run:
        worker = self._free.get()
        try:
            return worker.run(task)
        finally:
            self._free.put(worker)


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
