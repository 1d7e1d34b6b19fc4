"""Problem sets of *Soft Alignment*: release them, check them, grade them, and measure the grader.

The command ``softalign-course`` is the way in. `verify` is what the hidden cells of the notebooks
call when nbgrader grades them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["verify"]


def verify(problem_set: str, question: str, answer: Any, variant: int = 0, seed: int = 0) -> None:
    """Check a function in this very process, as nbgrader does.

    Raises AssertionError with the reason.

    The sealed grader (``softalign-course grade``) does not use this: here the student's code shares
    the process with the check.

    Parameters
    ----------
    problem_set, question : str
        Names of the set and of its question.
    answer : callable
        What the student's cell defines.
    variant : int
        Of the student.
    seed : int
        From which the hidden inputs are drawn.
    """
    from softalign_course import judge, sandbox, sets, wire, worker

    sheet = judge.sheet(sets.find(problem_set), question, seed, variant)
    results: list[dict[str, Any]] = [{} for _ in sheet.cases]

    def report(index: int, result: dict[str, Any]) -> None:
        results[index] = wire.decode(wire.encode(result))

    worker.run_cases(answer, sheet.driver, sheet.plain, report)
    verdict = sheet.judge(sandbox.Run(results, "done"))
    if not verdict.full:
        raise AssertionError(verdict.reason)
