"""Faulty and hostile submissions: what arrives in a batch of 300, and what someone may try.

Each fault is made from a notebook that is solved; so whatever goes wrong with it is the fault
alone. ``softalign-course quality --faults`` grades all of them on the machine at hand and says
what came out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from softalign_course.sets import ProblemSet

__all__ = ["FAULTS", "Fault", "answer_cell", "make", "solved"]

Content = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A submission with one thing wrong.

    Attributes
    ----------
    name : str
    expects : str
        "nothing": not graded, 0 points. "lost": the question whose cell it is gets 0, the others
        all of theirs. "full": nothing is lost, since the fault is none of the student's answers.
    make : callable
        From a solved notebook and the name of a question to the bytes of a file.
    hostile : bool
        It would do harm to whoever runs it outside a sandbox: it is only ever run inside one.
    """

    name: str
    expects: str
    make: Callable[[Content, str], bytes]
    hostile: bool = False


def solved(problem_set: ProblemSet, variant: int = 0) -> Content:
    """A complete submission: every answer right."""
    content = problem_set.source(variant)
    content["metadata"]["softalign"]["student"] = "planted"
    return content


def _dump(content: Content) -> bytes:
    return json.dumps(content).encode()


def _marks(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader", {})


def answer_cell(content: Content, name: str) -> dict[str, Any]:
    """The cell with this ``grade_id``."""
    return next(cell for cell in content["cells"] if _marks(cell).get("grade_id") == name)


def _code(source: str) -> Callable[[Content, str], bytes]:
    """Replace the answer; NAME stands for its function."""

    def make(content: Content, name: str) -> bytes:
        answer_cell(content, name)["source"] = source.replace("NAME", name)
        return _dump(content)

    return make


def _before(source: str) -> Callable[[Content, str], bytes]:
    """Put code before the right answer."""

    def make(content: Content, name: str) -> bytes:
        cell = answer_cell(content, name)
        cell["source"] = source.replace("NAME", name) + "\n" + cell["source"]
        return _dump(content)

    return make


def _body(*lines: str) -> Callable[[Content, str], bytes]:
    """An answer with these lines as its body."""
    return _code("def NAME(*args, **kwargs):\n    " + "\n    ".join(lines) + "\n")


def _no_cell(content: Content, name: str) -> bytes:
    content["cells"].remove(answer_cell(content, name))
    return _dump(content)


def _no_tests(content: Content, name: str) -> bytes:
    content["cells"].remove(answer_cell(content, f"test_{name}"))
    return _dump(content)


def _tests_that_pass(content: Content, name: str) -> bytes:
    answer_cell(content, f"test_{name}")["source"] = "assert True"
    return _code("def NAME(*args, **kwargs):\n    return None")(content, name)


def _twice(content: Content, name: str) -> bytes:
    cells = content["cells"]
    place = cells.index(answer_cell(content, name))
    old = copy.deepcopy(cells[place])
    old["source"] = f"def {name}(*args, **kwargs):\n    return None"
    cells.insert(place, old)
    return _dump(content)


def _no_metadata(content: Content, name: str) -> bytes:
    content["metadata"] = {}
    for cell in content["cells"]:
        cell["metadata"] = {}
    return _dump(content)


def _kernel(content: Content, name: str) -> bytes:
    content["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    return _dump(content)


def _odd_metadata(content: Content, name: str) -> bytes:
    content["metadata"]["softalign"] = {"set": 7, "variant": "=1+1", "student": ["x"]}
    return _dump(content)


def _magics(content: Content, name: str) -> bytes:
    cell = answer_cell(content, name)
    cell["source"] = f"%matplotlib inline\n!echo hello\n{name}?\n" + cell["source"]
    return _dump(content)


def _helper_elsewhere(content: Content, name: str) -> bytes:
    cell = answer_cell(content, name)
    source = cell["source"].replace(f"def {name}(", "def my_answer(", 1)
    cell["source"] = f"def {name}(*args, **kwargs):\n    return my_answer(*args, **kwargs)"
    new = {"cell_type": "code", "id": "mine", "metadata": {}, "source": source}
    content["cells"].insert(content["cells"].index(cell), new | {"outputs": []})
    return _dump(content)


def _import_in_the_set_up(content: Content, name: str) -> bytes:
    answer_cell(content, "setup")["source"] += "\nimport operator as op\nWHERE: int = 0"
    cell = answer_cell(content, name)
    cell["source"] = cell["source"].replace(f"def {name}(", "def my_answer(", 1)
    cell["source"] += f"\n{name} = op.itemgetter(WHERE)([my_answer])"
    return _dump(content)


def _stub_left(content: Content, name: str) -> bytes:
    cell = answer_cell(content, name)
    cell["source"] += '\n    raise NotImplementedError("write your answer here")'
    return _dump(content)


def _noisy_cell(content: Content, name: str) -> bytes:
    new = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": []}
    new["source"] = "while True:\n    pass"
    content["cells"].insert(3, new)
    return _dump(content)


def _other_set(content: Content, name: str) -> bytes:
    content["metadata"]["softalign"]["set"] = "99_elsewhere"
    return _dump(content)


def _deep(content: Content, name: str) -> bytes:
    return _code("x = " + "(" * 5000 + ")" * 5000)(content, name)


_FORGE = """\
import json, os
def NAME(*args, **kwargs):
    for descriptor in range(3, 64):
        for text in ("!done 0", '["list", ["case", 0, ["dict", [["value", true]]]]]', "end"):
            try:
                os.write(descriptor, ("\\n" + text + "\\n").encode())
            except OSError:
                pass
    os._exit(0)
"""
_PATCH = """\
import torch, builtins
torch.allclose = torch.equal = lambda *args, **kwargs: True
builtins.AssertionError = Exception
class Yes(torch.Tensor):
    def __eq__(self, other):
        return True
    @classmethod
    def __torch_function__(cls, *args, **kwargs):
        return True
def NAME(*args, **kwargs):
    return torch.zeros(3).as_subclass(Yes)
"""
_READ = """\
import glob
def NAME(*args, **kwargs):
    for pattern in ("/**/coursework/**/source.md", "/**/planted/**/*.py", "/**/*.ipynb"):
        for path in glob.glob(pattern, recursive=True):
            exec(open(path).read())
    from softalign_course import sets
    raise ValueError("nothing found")
"""
_SIGNALS = """\
import signal, time
for number in range(1, 64):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        time.sleep(100)
    except BaseException:
        pass
"""
_BACKGROUND = """\
import os, time
def NAME(*args, **kwargs):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return None
"""
_BOMB = """\
import os, time
def NAME(*args, **kwargs):
    while True:
        try:
            if os.fork() == 0:
                time.sleep(600)
        except OSError:
            return None
"""
_KILL = """\
import os, signal
def NAME(*args, **kwargs):
    for pid in (os.getppid(), -1, 0):
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:
            pass
    return None
"""
_LONG = "def NAME(*args, **kwargs):\n    return [0.0] * 10**8\n"

FAULTS = (
    Fault("not JSON", "nothing", lambda content, name: b"PK\x03\x04 this was a zip once"),
    Fault("empty file", "nothing", lambda content, name: b""),
    Fault("JSON, but no notebook", "nothing", lambda content, name: b'{"answer": 42}'),
    Fault(
        "half a file", "nothing", lambda content, name: _dump(content)[: len(_dump(content)) // 2]
    ),
    Fault("another set", "nothing", _other_set),
    Fault("syntax error", "lost", _code("def NAME(x:\n    return")),
    Fault("an error at the top of the cell", "lost", _before("1 / 0")),
    Fault("another name", "lost", _code("def something_else(x):\n    return x")),
    Fault("a number instead of a function", "lost", _code("NAME = 3")),
    Fault("endless loop", "lost", _body("while True: pass")),
    Fault("endless loop at the top", "lost", _before("while True: pass")),
    Fault("sleeps", "lost", _body("import time; time.sleep(1000)")),
    Fault("os._exit", "lost", _body("import os; os._exit(0)")),
    Fault("sys.exit", "lost", _body("import sys; sys.exit(0)")),
    Fault("crash", "lost", _body("import ctypes; ctypes.string_at(0)")),
    Fault("endless recursion", "lost", _body("return NAME(*args)")),
    Fault("signals ignored", "lost", _before(_SIGNALS), True),
    Fault("400,000 printed lines", "lost", _body("for i in range(400_000): print('line', i)")),
    Fault("2 GB of memory", "lost", _body("x = bytearray(2 * 10**9); return x"), True),
    Fault("a huge result", "lost", _code(_LONG), True),
    Fault("writes to the disk", "lost", _body("open('/tmp/big', 'wb').write(b'0' * 10**8)"), True),
    Fault("a background process", "lost", _code(_BACKGROUND), True),
    Fault("a fork bomb", "lost", _code(_BOMB), True),
    Fault("kills its parent", "lost", _code(_KILL), True),
    Fault("forged output", "lost", _code(_FORGE), True),
    Fault("patched library functions", "lost", _code(_PATCH)),
    Fault("reads the solutions", "lost", _code(_READ)),
    Fault("imports the library", "lost", _before("import softalign.masking")),
    Fault("imports the grader", "lost", _before("import softalign_course.sets")),
    Fault("an object that cannot be compared", "lost", _body("return object()")),
    Fault("brackets 5000 deep", "lost", _deep),
    Fault("answer cell deleted", "lost", _no_cell),
    Fault("checks edited to pass", "lost", _tests_that_pass),
    Fault("checks deleted", "full", _no_tests),
    Fault("answer cell twice, the last one right", "full", _twice),
    Fault("no metadata", "full", _no_metadata),
    Fault("odd metadata", "full", _odd_metadata),
    Fault("foreign kernel", "full", _kernel),
    Fault("magics and shell lines", "full", _magics),
    Fault("a helper in another cell", "full", _helper_elsewhere),
    Fault("an import added to the set-up cell", "full", _import_in_the_set_up),
    Fault("the released line left below the answer", "full", _stub_left),
    Fault("an endless loop in another cell", "full", _noisy_cell),
    Fault("prints and warns", "full", _before("import warnings; warnings.warn('x'); print('y')")),
)


def make(problem_set: ProblemSet, fault: Fault) -> bytes:
    """The file of a fault, for the first coding question after the warm-up."""
    return fault.make(solved(problem_set), target(problem_set))


def target(problem_set: ProblemSet) -> str:
    """The question that the faults concern."""
    return list(problem_set.questions)[1]
