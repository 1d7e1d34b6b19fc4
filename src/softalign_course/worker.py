"""What runs inside the sandbox: a process that has imported torch and forks one child an answer.

It reads one request a line from standard input and writes frames to standard output. A
request holds the student's code, the name it must define and the *inputs* of the cases; no expected
value, no test, no other submission ever reaches this side. The child that runs the code is alone: a
process and mount namespace of its own where the kernel grants one, no capability, a private /tmp,
no /proc, limits on processor time, memory, file sizes and processes. The keeper, its parent,
passes on what the child writes and then kills all that is left.

This file runs on its own beside ``wire.py`` and ``confine.py``: it imports nothing of the package.
`run_cases` is also what the grader calls on its own side, for the reference solution.
"""

from __future__ import annotations

import ast
import json
import os
import select
import signal
import sys
import time
import traceback
import warnings
from typing import Any

import numpy as np
import torch

if __package__:
    from softalign_course import confine, wire
else:  # inside the sandbox
    import confine
    import wire

__all__ = ["load_answer", "run_cases"]

BANNED = ("softalign", "softalign_course")
MOST_REPLY = 64 * 2**20


class Unusable(Exception):
    """The answer cell cannot be called; `kind` and `line` say why."""

    def __init__(self, kind: str, line: int | None = None) -> None:
        super().__init__(kind)
        self.kind, self.line = kind, line


# --- what both sides do ---------------------------------------------------------------------------


def load_answer(pieces: list[tuple[str, str]], function: str) -> Any:
    """Run the cells of `pieces`, the answer's own cell last, and return what it defines.

    `pieces` are pairs of a label and source text. An error outside the answer's own cell is passed
    over: it belongs to another question.
    """
    names: dict[str, Any] = {"__name__": "__answer__", "__builtins__": __builtins__}
    for number, (label, source) in enumerate(pieces):
        own = number == len(pieces) - 1
        try:
            exec(compile(source, label, "exec", dont_inherit=True), names)
        except Exception as problem:
            if own:
                raise Unusable(type(problem).__name__, _line(problem, label)) from None
        except SystemExit:
            if own:
                raise Unusable("SystemExit") from None
    if function not in names:
        raise Unusable("missing")
    if not callable(names[function]):
        raise Unusable("not callable")
    return names[function]


def run_cases(answer: Any, driver: str | None, cases: list[dict[str, Any]], report: Any) -> None:
    """Call `answer` once for each case and hand ``(index, result)`` to `report`."""
    call = _driver(driver) if driver else (lambda answer, *args, **kwargs: answer(*args, **kwargs))
    for index, case in enumerate(cases):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 (a student's code may draw from it)
        args = [_copy(value) for value in case["args"]]
        kwargs = {name: _copy(value) for name, value in case["kwargs"].items()}
        for position in case["grad"]:
            args[position] = args[position].requires_grad_()
        result: dict[str, Any] = {}
        try:
            value = call(answer, *args, **kwargs)
            if case["grad"]:
                result["grads"] = _gradients(value, [args[i] for i in case["grad"]])
            result["value"] = value
            if case["unchanged"]:
                result["args"] = args
            report(index, result)
        except wire.WireError as problem:
            report(index, {"error": "WireError", "line": None, "says": str(problem)})
        except Exception as problem:
            report(index, {"error": type(problem).__name__, "line": _line(problem)})
        except SystemExit:
            report(index, {"error": "SystemExit", "line": None})


def _driver(source: str) -> Any:
    names: dict[str, Any] = {"__name__": "__driver__"}
    exec(compile(source, "<driver>", "exec", dont_inherit=True), names)
    name = next(n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    return names[name]


def _copy(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return type(value)(_copy(item) for item in value)
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return value


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() and value.requires_grad else []
    if isinstance(value, (list, tuple)):
        return [found for item in value for found in _tensors(item)]
    if isinstance(value, dict):
        return [found for item in value.values() for found in _tensors(item)]
    return []


def _gradients(value: Any, inputs: list[torch.Tensor]) -> list[torch.Tensor | None]:
    """Gradient of a weighted sum of the outputs; the weights tell all entries apart."""
    total = None
    for output in _tensors(value):
        weights = torch.linspace(0.5, 1.5, output.numel(), dtype=output.dtype).reshape(output.shape)
        term = (output * weights).sum()
        total = term if total is None else total + term
    if total is None:
        return [None for _ in inputs]
    return list(torch.autograd.grad(total, inputs, allow_unused=True))


def _line(problem: BaseException, label: str = "<answer>") -> int | None:
    """Line of the answer cell where an error arose."""
    if isinstance(problem, SyntaxError) and problem.filename == label:
        return problem.lineno
    lines = [f.lineno for f in traceback.extract_tb(problem.__traceback__) if f.filename == label]
    return lines[-1] if lines else None


# --- inside the sandbox ---------------------------------------------------------------------------


class _NoBook:
    """Hides the book's library, which holds the solutions, where no sandbox does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split(".")[0] in BANNED:
            raise ModuleNotFoundError(f"answers use torch and numpy, not {name.split('.')[0]}")


def _serve_child(request: dict[str, Any], output: int, apart: bool) -> None:
    """Run the student's code. Never returns."""
    if apart:
        confine.private_folders(request["below_tmp"])
        confine.drop_capabilities()
    confine.limits(request["seconds"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.dup2(output, 3)
    os.closerange(4, 4096)
    os.chdir(request["folder"])
    sys.stdin = os.fdopen(0)
    sys.stdout = sys.stderr = os.fdopen(1, "w")
    sys.argv = ["answer"]
    sys.path[:] = [entry for entry in sys.path if entry and not _is_ours(entry)]
    for name in [name for name in sys.modules if name.split(".")[0] in BANNED]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NoBook())
    warnings.simplefilter("ignore")
    encode, write = wire.encode, os.write

    def report(index: int, result: dict[str, Any]) -> None:
        data = (encode(["case", index, result]) + "\n").encode("ascii")
        for start in range(0, len(data), 65536):
            chunk = data[start : start + 65536]
            while chunk:
                chunk = chunk[write(3, chunk) :]

    def problem(kind: str, line: int | None) -> None:
        report(-1, {"error": kind, "line": line})

    try:
        answer = load_answer([tuple(piece) for piece in request["pieces"]], request["function"])
        run_cases(answer, request["driver"], request["cases"], report)
    except Unusable as fault:
        problem(fault.kind, fault.line)
    except MemoryError:
        problem("MemoryError", None)
    except BaseException as fault:
        problem(type(fault).__name__, None)
    os._exit(0)


def _is_ours(entry: str) -> bool:
    return os.path.exists(os.path.join(entry, "wire.py")) and os.path.exists(
        os.path.join(entry, "worker.py")
    )


def _keep(request: dict[str, Any], reply: int, apart: bool) -> None:
    """Start the child, pass on what it writes, kill what is left. Never returns."""
    try:
        if apart:
            confine.new_namespaces()
        else:
            confine.adopt_orphans()
    except OSError as problem:
        _frame(reply, b"E", f"refused: {problem}".encode())
        os._exit(0)
    here, there = os.pipe()
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.close(here)
            os.setsid()
            confine.die_with_parent()
            if not apart and os.getppid() != keeper:
                os._exit(1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            _serve_child(request, there, apart)
        except BaseException:
            os._exit(1)
        os._exit(1)
    os.close(there)
    deadline = time.monotonic() + request["seconds"] + 1
    sent, ended, alive, late = 0, "timeout", True, False
    while time.monotonic() < deadline:
        if alive:
            gone, status, used = os.wait4(child, os.WNOHANG)
            alive = not gone  # what it has written is still in the pipe
            late = not alive and confine.used_up(status, used, request["seconds"])
        if not select.select([here], [], [], 0.05 if alive else 0)[0]:
            if alive:
                continue
            ended = "done"
            break
        data = os.read(here, 1 << 16)
        if not data:
            ended = "done"
            break
        sent += len(data)
        if sent > MOST_REPLY:
            ended = "too much"
            break
        _frame(reply, b"D", data)
    late = confine.end(child if alive else 0, apart, request["seconds"]) or late
    if late and ended == "done":
        ended = "timeout"  # the kernel's limit, of processor time, came before ours
    _frame(reply, b"E", ended.encode())
    os._exit(0)


def _frame(descriptor: int, kind: bytes, data: bytes = b"") -> None:
    """Write a frame: what the student's code wrote is data inside one, and can end none."""
    _write_all(descriptor, kind + b"%08x" % len(data) + data)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def serve() -> None:
    """Answer requests until standard input ends."""
    torch.set_num_threads(1)
    apart = "--apart" in sys.argv
    folder = sys.argv[sys.argv.index("--folder") + 1]
    below_tmp = json.loads(sys.argv[sys.argv.index("--below-tmp") + 1]) if apart else {}
    confine.measure_memory()
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    _frame(replies, b"R")
    for line in requests:
        request = wire.decode(line)
        request.update(folder=folder, below_tmp=below_tmp)
        keeper = os.fork()
        if keeper == 0:
            try:
                requests.close()
                _keep(request, replies, apart)
            finally:
                os._exit(1)
        _, status = os.waitpid(keeper, 0)
        if status:
            _frame(replies, b"E", b"the keeper failed")
        _frame(replies, b"Z")


if __name__ == "__main__":
    serve()
