"""One sealed process: how it is started in a sandbox, asked and ended.

`Worker` starts ``worker.py`` behind bubblewrap where that works: no network, the system and
Python's packages read-only, the book, the problem sets and every other file out of sight. Where it
does not work (no Linux, no bubblewrap, no namespaces), the same program runs without it, and
`isolation` says so in words that the commands print (`softalign_course.sandbox.isolation` tries
which it is).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softalign_course import bubblewrap, wire

__all__ = ["Isolation", "Run", "SandboxError", "Task", "Worker"]

HERE = Path(__file__).resolve().parent
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
KEPT = ("OPENBLAS_CORETYPE", "SYSTEMROOT", "LD_LIBRARY_PATH")
START_SECONDS = 120.0
ATTEMPTS = 3
MOST_REPLY = 80 * 2**20
SILENT = "the worker does not answer"


class SandboxError(Exception):
    """There may be a sandbox, but it does not start; the message is one sentence."""


@dataclass(frozen=True)
class Isolation:
    """What stands between the grader and an answer.

    Attributes
    ----------
    sealed : bool
        Behind bubblewrap.
    apart : bool
        Each answer has namespaces of its own; otherwise it gets a sandbox of its own.
    says : str
        One sentence for the person who grades.
    """

    sealed: bool
    apart: bool
    says: str


@dataclass(frozen=True)
class Run:
    """What came back from one answer: one result a case (empty if none came) and how it ended."""

    results: list[dict[str, Any]]
    ended: str
    problem: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Task:
    """One answer to run: what `Worker.run` takes."""

    pieces: tuple[tuple[str, str], ...]
    function: str
    driver: str | None
    cases: list[dict[str, Any]]
    seconds: float


class Worker:
    """A process that runs answers, one at a time.

    Parameters
    ----------
    isolation : Isolation
        How to start it.
    """

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._buffer = b""

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, task: Task) -> Run:
        """Run an answer on the inputs of its cases."""
        request = {
            "pieces": [list(piece) for piece in task.pieces],
            "function": task.function,
            "driver": task.driver,
            "cases": task.cases,
            "seconds": task.seconds,
        }
        for attempt in range(1, ATTEMPTS + 1):  # a busy machine, or an answer in no sandbox
            try:
                if self._process is None:
                    self._start()
                reply, ended = self._ask(
                    wire.encode(request).encode("ascii") + b"\n", task.seconds + 20
                )
                break
            except (OSError, EOFError) as problem:
                self.close()
                if attempt == ATTEMPTS:
                    return Run([{} for _ in task.cases], "lost", str(problem))
        if not self.isolation.apart and self.isolation.sealed:
            self.close()
        elif not self.isolation.sealed:
            self._empty_folder()
        return _read(reply, ended, len(task.cases))

    def close(self) -> None:
        """End the process and all that it started."""
        process, self._process, self._buffer = self._process, None, b""
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _empty_folder(self) -> None:
        if self._folder is not None:
            for path in Path(self._folder.name).iterdir():
                with contextlib.suppress(OSError):
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path)
                    else:
                        path.unlink()

    def _start(self) -> None:
        environment = dict(ENVIRONMENT)
        environment.update({name: os.environ[name] for name in KEPT if name in os.environ})
        if self.isolation.sealed:
            command = [*bubblewrap.command(), sys.executable, "-I", "-c", _BOOT]
            command += ["--apart"] * self.isolation.apart
            command += ["--folder", "/tmp", "--below-tmp", json.dumps(bubblewrap.below_tmp())]
            directory = "/"
        else:
            self._folder = tempfile.TemporaryDirectory(prefix="softalign-answer-")
            directory = self._folder.name
            environment["HOME"] = directory
            command = [sys.executable, "-I", "-c", _BOOT.replace("/grader", str(HERE))]
            command += ["--folder", directory]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
        self._buffer = b""
        try:
            self._frame(time.monotonic() + START_SECONDS)
        except (OSError, EOFError) as problem:
            self.close()
            raise OSError(f"the worker did not start: {problem}") from None

    def _ask(self, request: bytes, seconds: float) -> tuple[bytes, str]:
        """Send a request; return what the answer wrote and how it ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.flush()
        deadline = time.monotonic() + seconds
        parts, size, ended = [], 0, "lost"
        while True:
            kind, data = self._frame(deadline)
            size += len(data)
            if size > MOST_REPLY:
                raise EOFError("the worker says too much")
            if kind == b"D":
                parts.append(data)
            elif kind == b"E":
                ended = data.decode("ascii", "replace")
            else:
                return b"".join(parts), ended

    def _frame(self, deadline: float) -> tuple[bytes, bytes]:
        """Read one frame: its kind and its data."""
        head = self._bytes(9, deadline)
        try:
            length = int(head[1:], 16)
        except ValueError:
            raise EOFError("the worker does not keep to the frames") from None
        if head[:1] not in (b"R", b"D", b"E", b"Z") or not 0 <= length <= MOST_REPLY:
            raise EOFError("the worker does not keep to the frames")
        return head[:1], self._bytes(length, deadline)

    def _bytes(self, count: int, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while len(self._buffer) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise EOFError(SILENT)
            data = os.read(descriptor, 1 << 16)
            if not data:
                raise EOFError("the worker ended")
            self._buffer += data
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data


# The files are read before the sandbox is left to others; -I keeps the folder off the path.
_BOOT = """\
import sys, types
for name in ("wire", "confine", "worker"):
    with open("/grader/" + name + ".py") as file:
        text = file.read()
    module = types.ModuleType(name)
    sys.modules[name] = module
    module.__package__ = ""
    exec(compile(text, name + ".py", "exec"), module.__dict__)
sys.modules["worker"].serve()
"""


def _read(reply: bytes, ended: str, count: int) -> Run:
    """Read the lines that an answer wrote; a line that is none of ours is passed over."""
    results: list[dict[str, Any]] = [{} for _ in range(count)]
    problem, where = "", None
    for line in reply.split(b"\n"):
        try:
            value = wire.decode(line)
        except wire.WireError:
            continue
        if not (isinstance(value, list) and len(value) == 3 and value[0] == "case"):
            continue
        _, index, result = value
        if not isinstance(result, dict) or type(index) is not int:
            continue
        if index == -1:
            problem = str(result.get("error"))
            where = result.get("line") if type(result.get("line")) is int else None
        elif 0 <= index < count:
            results[index] = result
    return Run(results, ended, problem, where)
