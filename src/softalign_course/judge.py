"""Verdicts: what the reference returns, whether an answer agrees, and which mistake it is.

Everything here runs on the grader's side, and only on code of the course: the reference solution
and the planted wrong answers. A student's answer comes in as results, never as code.
"""

from __future__ import annotations

import inspect
import textwrap
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from softalign_course import sandbox, wire, worker
from softalign_course.sets import ProblemSet
from softalign_course.spec import Case, Question

__all__ = ["Sheet", "Verdict", "agree", "driver_source", "sheet"]

Result = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a question is worth, and why.

    Attributes
    ----------
    points, most : float
    reason : str
        Empty for full points; else one or two sentences for the student. Holds no input, no
        expected value and no text that the student's code could have made.
    failed : str
        Name of the first check that failed; empty for full points.
    mistake : str
        Name of the planted wrong answer that behaves the same; empty if none does.
    """

    points: float
    most: float
    reason: str = ""
    failed: str = ""
    mistake: str = ""

    @property
    def full(self) -> bool:
        """Whether nothing is missing."""
        return not self.reason


def driver_source(question: Question) -> str | None:
    """The text of a question's driver."""
    if question.driver is None:
        return None
    return textwrap.dedent(inspect.getsource(question.driver))


class Sheet:
    """The cases of one question for one seed, and what the reference makes of them.

    Parameters
    ----------
    problem_set : ProblemSet
    question : Question
    seed : int
        Of the grading; the inputs are drawn from it.
    variant : int
        Of the student; the reference may depend on it.
    """

    def __init__(
        self, problem_set: ProblemSet, question: Question, seed: int, variant: int
    ) -> None:
        self.problem_set, self.question, self.variant = problem_set, question, variant
        self.cases: list[Case] = []
        self.owner: list[int] = []
        for number, check in enumerate(question.checks):
            label = f"{problem_set.name}/{question.name}/{check.name}"
            rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
            drawn = check.cases(rng)
            if not drawn:
                raise ValueError(f"{label} has no case")
            self.cases += drawn
            self.owner += [number] * len(drawn)
        self.driver = driver_source(question)
        # what the sandbox is sent; what we compute with is what it will receive
        self.plain = wire.decode(
            wire.encode(
                [
                    {
                        "args": list(case.args),
                        "kwargs": dict(case.kwargs),
                        "grad": list(case.grad),
                        "unchanged": case.unchanged,
                    }
                    for case in self.cases
                ]
            )
        )
        answer = problem_set.cell(question.name, variant).source
        self.expected = self.results_of(answer)
        for case, result in zip(self.cases, self.expected, strict=True):
            # any other error is a fault of ours, and an answer as broken would agree with it
            if result.get("error") not in (None, "ValueError"):
                raise ValueError(f"{question.name}: the reference raises {result['error']}")
            if "args" in result and agree(list(case.args), result["args"], 0, 0):
                raise ValueError(f"{question.name}: the reference changes its arguments")
        self._mistakes: list[tuple[str, str, list[Result]]] | None = None

    def results_of(self, source: str) -> list[Result]:
        """Results of an answer cell *of ours*, run in this process."""
        results: list[Result] = [{"error": "missing"} for _ in self.cases]

        def report(index: int, result: Result) -> None:
            results[index] = wire.decode(wire.encode(result))

        pieces = [
            ("<setup>", self.problem_set.set_up(self.variant)),
            ("<answer>", source),
        ]
        try:
            answer = worker.load_answer(pieces, self.question.function)
        except worker.Unusable as problem:
            return [{"error": problem.kind, "line": problem.line} for _ in self.cases]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in the sandbox: a warning is no mistake
            worker.run_cases(answer, self.driver, self.plain, report)
        return results

    def task(self, pieces: Sequence[tuple[str, str]]) -> sandbox.Task:
        """What a worker is sent to run an answer on these cases."""
        question = self.question
        return sandbox.Task(
            tuple(pieces), question.function, self.driver, self.plain, question.seconds
        )

    def judge(self, run: sandbox.Run) -> Verdict:
        """Give points for what came back from an answer."""
        question, ended, results = self.question, run.ended, run.results
        if run.problem:  # the cell itself failed: so does every case
            results = [{"error": run.problem, "line": run.line} for _ in self.cases]
        if results and all(result.get("error") == "NotImplementedError" for result in results):
            return Verdict(0, question.points, "Not answered.", "answered")
        wrong: dict[int, str] = {}
        for number, expected, result in zip(self.owner, self.expected, results, strict=True):
            if number not in wrong:
                difference = self._difference(expected, result, ended)
                if difference:
                    wrong[number] = difference
        if not wrong:
            return Verdict(question.points, question.points)
        points = sum(
            check.points for number, check in enumerate(question.checks) if number not in wrong
        )
        first = min(wrong)
        check = question.checks[first]
        mistake, says = self._mistake(results)
        reason = says or f"{check.says} ({wrong[first]})"
        return Verdict(points, question.points, f"{check.name}: {reason}", check.name, mistake)

    def _difference(self, expected: Result, result: Result, ended: str, exact: float = 0) -> str:
        """Say in a few words how a result differs; empty if it agrees."""
        if not result:
            return {
                "timeout": f"it took longer than {self.question.seconds:g} s",
                "too much": "it returned too much",
            }.get(ended, "the run ended before it returned")
        wanted, got = expected.get("error"), result.get("error")
        if got == "WireError":
            return "it returned something that is no number, text, tensor or list of these"
        if wanted or got:
            if wanted == got:
                return ""
            where = (
                f" in line {result['line']} of your cell" if type(result.get("line")) is int else ""
            )
            if wanted and got:
                return f"it raised {_name(got)}{where} where {wanted} was expected"
            return f"it raised {_name(got)}{where}" if got else f"it did not raise {wanted}"
        tolerance = self.question.rtol, self.question.atol
        for key, what in (("value", ""), ("grads", "gradient: "), ("args", "arguments changed: ")):
            if key in expected:
                if key not in result:
                    return what + "missing"
                difference = agree(
                    expected[key], result[key], *(tolerance if key != "args" else (exact, exact))
                )
                if difference:
                    return what + difference
        return ""

    def _same(self, mine: Sequence[Result], other: Sequence[Result]) -> bool:
        """Whether two answers behave the same in every case."""
        return all(
            not self._difference(a, b, "done", 1e-5) if a else not b
            for a, b in zip(mine, other, strict=True)
        )

    def mistakes(self) -> list[tuple[str, str, list[Result]]]:
        """Name, sentence and results of each planted wrong answer."""
        if self._mistakes is None:
            self._mistakes = [
                (
                    plant.name,
                    plant.says,
                    self.results_of(self.problem_set.fill(plant.source, self.variant)),
                )
                for plant in self.problem_set.plants
                if plant.question == self.question.name and not plant.right
            ]
        return self._mistakes

    def _mistake(self, results: Sequence[Result]) -> tuple[str, str]:
        if not all(results):
            return "", ""
        for name, says, theirs in self.mistakes():
            if self._same(theirs, results):
                return name, says
        return "", ""


def sheet(problem_set: ProblemSet, question: str, seed: int, variant: int) -> Sheet:
    """Return the sheet of a question, made once and shared by variants that do not differ."""
    differs = problem_set.depends_on_variant(question)
    return _made(problem_set, question, seed, variant if differs else 0)


@lru_cache(maxsize=1024)
def _made(problem_set: ProblemSet, question: str, seed: int, variant: int) -> Sheet:
    return Sheet(problem_set, problem_set.questions[question], seed, variant)


def _name(kind: object) -> str:
    """The name of an exception, if it is one of Python's: a student's name is not told."""
    import builtins

    known = getattr(builtins, str(kind), None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return str(kind)
    return "an error"


def agree(expected: Any, got: Any, rtol: float, atol: float, where: str = "") -> str:
    """Compare two values; return "" or what differs, without naming any value.

    A list may stand for a tuple, a float for an int of the same value, a tensor of one number for
    the number, float32 for float64. A shape may not be another, nor a yes-or-no be a number.

    Examples
    --------
    >>> agree(torch.tensor([1.0, 2.0]), np.float64(1.0), 1e-4, 1e-5)
    'a single number where a tensor of shape (2,) was expected'
    >>> agree((1, 0.5), [1.0, torch.tensor(0.5)], 1e-4, 1e-5)
    ''
    """
    at = f" in part {where}" if where else ""
    if expected is None or isinstance(expected, (str, frozenset)):
        same = type(expected) is type(got) and expected == got
        return "" if same else f"the value is wrong{at}"
    if isinstance(expected, (list, tuple)):
        if isinstance(got, torch.Tensor) and expected and _numbers(expected):
            return agree(torch.tensor(expected), got, rtol, atol, where)
        if not isinstance(got, (list, tuple)):
            return f"{_kind(got)} where a sequence of {len(expected)} was expected{at}"
        if len(got) != len(expected):
            return f"a sequence of {len(got)} where {len(expected)} were expected{at}"
        for number, (one, other) in enumerate(zip(expected, got, strict=True)):
            difference = agree(one, other, rtol, atol, f"{where}[{number}]")
            if difference:
                return difference
        return ""
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"{_kind(got)} where a dict was expected{at}"
        if set(expected) != set(got):
            return f"the keys are wrong{at}"
        for key, one in expected.items():
            difference = agree(one, got[key], rtol, atol, f"{where}[…]")
            if difference:
                return difference
        return ""
    if isinstance(got, (list, tuple)) and isinstance(expected, torch.Tensor) and _numbers(got):
        got = torch.tensor(got)
    if got is None or isinstance(got, (str, list, tuple, dict, frozenset)):
        return f"{_kind(got)} where {_kind(expected)} was expected{at}"
    one, other = torch.as_tensor(expected), torch.as_tensor(got)
    if one.shape != other.shape:
        return f"{_kind(got)} where {_kind(expected)} was expected{at}"
    if (one.dtype == torch.bool) != (other.dtype == torch.bool):
        return f"{_kind(got)} where {_kind(expected)} was expected{at}"
    one, other = one.to(torch.float64), other.to(torch.float64)
    if not torch.equal(one.isnan(), other.isnan()):
        return f"NaN{at}" if other.isnan().any() else f"numbers where NaN was expected{at}"
    if not torch.allclose(one, other, rtol=rtol, atol=atol, equal_nan=True):
        return f"the numbers are wrong{at}"
    return ""


def _numbers(values: Any) -> bool:
    return (
        all(
            _numbers(value) if isinstance(value, (list, tuple)) else isinstance(value, (int, float))
            for value in values
        )
        and len({len(v) if isinstance(v, (list, tuple)) else -1 for v in values}) <= 1
    )


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor) and value.ndim:
        kind = "tensor of booleans" if value.dtype == torch.bool else "tensor"
        return f"a {kind} of shape {tuple(value.shape)}"
    if isinstance(value, bool) or (isinstance(value, torch.Tensor) and value.dtype == torch.bool):
        return "a yes or no"
    if isinstance(value, (int, float, torch.Tensor)):
        return "a single number"
    return {"str": "a text", "dict": "a dict"}.get(type(value).__name__, "a sequence")
