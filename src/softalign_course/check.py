"""The student's own check: the public part of the grading, on their own machine.

Runs the public checks of the *set*, not those of the notebook, so that an edited check misleads
nobody. The code runs as the student, in a process of its own with the time limit of the grading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from softalign_course import sandbox
from softalign_course.answers import find_answer, untouched, written_answer
from softalign_course.notebook import Notebook
from softalign_course.release import TEXT_STUB
from softalign_course.sets import ProblemSet, SetError, find

__all__ = ["Outcome", "check", "set_of"]

LEAST_SECONDS = 30.0
_PUBLIC = """

def softalign_public_checks():
    try:
        exec(compile({source!r}, "<public checks>", "exec"), globals())
    except AssertionError as problem:
        return ["assert", str(problem)]
    except NotImplementedError:
        return ["open", ""]
    return ["passed", ""]
"""


@dataclass(frozen=True)
class Outcome:
    """What is known of one question: "passed", "failed", "open" (not answered yet) or "gone"."""

    name: str
    state: str
    says: str = ""
    points: float = 0.0


def set_of(notebook: Notebook) -> ProblemSet:
    """The set that a notebook belongs to.

    Raises
    ------
    SetError
        It does not say, or says a set that there is not.
    """
    name = notebook.label.get("set")
    if not isinstance(name, str):
        raise SetError("the notebook does not say which set it is: say it with --set")
    return find(name)


def check(notebook: Notebook, problem_set: ProblemSet) -> Iterator[Outcome]:
    """Yield an outcome for every question, coding questions first."""
    variant = notebook.variant or 0
    with sandbox.Worker(sandbox.Isolation(False, False, "")) as worker:
        for name, question in problem_set.questions.items():
            answer = find_answer(notebook, problem_set, question, variant)
            if not answer.pieces:
                yield Outcome(name, "gone", "The answer cell is missing.", question.points)
                continue
            if untouched(answer, problem_set, question, variant):
                yield Outcome(name, "open", "not answered yet", question.points)
                continue
            *before, (label, source) = answer.pieces
            public = _PUBLIC.format(source=problem_set.tests(name, variant))
            pieces = (*before, (label, source + public))
            task = sandbox.Task(
                pieces,
                "softalign_public_checks",
                None,
                [sandbox.NO_ARGUMENTS],
                max(LEAST_SECONDS, question.seconds),
            )
            yield _outcome(name, worker.run(task), question.points, " ".join(answer.notes))
    for cell in problem_set.written:
        text = written_answer(notebook, cell.name)
        if text is None:
            yield Outcome(cell.name, "gone", "The cell is missing.", cell.points)
        elif text.strip() in ("", TEXT_STUB):
            yield Outcome(cell.name, "open", "not answered yet", cell.points)
        else:
            words = len(text.split())
            yield Outcome(cell.name, "passed", f"{words} words, read by a person", cell.points)


def _outcome(name: str, run: sandbox.Run, points: float, notes: str) -> Outcome:
    def failed(says: str) -> Outcome:
        return Outcome(name, "failed", f"{says} {notes}".strip(), points)

    if run.problem:
        where = f" in line {run.line} of the cell" if run.line else ""
        if run.problem == "missing":
            return failed(f"The cell does not define {name}.")
        return failed(f"The cell raises {run.problem}{where}.")
    result = run.results[0]
    if not result:
        return failed("It took too long." if run.ended == "timeout" else "The process ended.")
    if "error" in result:
        where = f" in line {result['line']} of the cell" if result.get("line") else ""
        return failed(f"It raises {result['error']}{where}.")
    state, says = result["value"]
    if state == "assert":
        return failed(says or "A check failed.")
    return Outcome(name, state, notes or ("not answered yet" if state == "open" else ""), points)
