"""The vocabulary of a problem set's ``checks.py``: questions, their checks, and the cases.

A *case* is one call of the student's function. A *check* is a group of cases that belong to one
idea, with its share of the points and the sentence a student reads who fails it. A *question* is
one answer cell of the notebook: a function, its checks, and how it is called.

Nothing here knows an expected value: the reference solution of the set computes it, at grading
time, from inputs drawn from the seed of that grading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Case", "Check", "Question", "pick", "tensor"]


@dataclass(frozen=True)
class Case:
    """One call of the student's function.

    Attributes
    ----------
    args : tuple
        Positional arguments: numbers, strings, None, tensors, arrays, and lists, tuples and dicts
        of them. Each call gets copies of its own.
    kwargs : mapping
        Keyword arguments of the same kinds.
    grad : sequence of int
        Positions of the arguments (floating-point tensors) whose gradient is compared as well. What
        is differentiated is a fixed weighted sum of all floating-point tensors that are returned.
    unchanged : bool
        Also demand that the arguments are the same after the call.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    grad: Sequence[int] = ()
    unchanged: bool = False


@dataclass(frozen=True)
class Check:
    """A group of cases that show one idea.

    Attributes
    ----------
    name : str
        What is checked, in a few words; unique in its question.
    points : float
        Given if every case agrees with the reference.
    says : str
        One or two sentences to the student who fails: the idea that is likely missing.
    cases : callable
        ``cases(rng)`` returns the list of cases drawn from a `numpy.random.Generator`.
    """

    name: str
    points: float
    says: str
    cases: Callable[[np.random.Generator], list[Case]]


@dataclass(frozen=True)
class Question:
    """One answer cell of the notebook.

    Attributes
    ----------
    name : str
        The ``grade_id`` of the answer cell, and the name that the cell defines, unless `defines`
        says otherwise.
    checks : sequence of Check
        In the order in which a student should meet them: the first one that fails is the reason
        given.
    defines : str, optional
        The function or class that the cell must define.
    driver : callable, optional
        ``driver(answer, *args, **kwargs)`` makes one call of the answer, where a plain call is not
        what is wanted (a class, say). It runs beside the student's code: it must bring its imports
        along and know nothing that is secret.
    rtol, atol : float
        Tolerance of the comparison of floating-point numbers.
    seconds : float
        Time limit for all cases together, processor and wall.
    """

    name: str
    checks: Sequence[Check]
    defines: str = ""
    driver: Callable[..., Any] | None = None
    rtol: float = 1e-4
    atol: float = 1e-5
    seconds: float = 10.0

    @property
    def function(self) -> str:
        """The name that the answer cell must define."""
        return self.defines or self.name

    @property
    def points(self) -> float:
        """The points of all checks together."""
        return float(sum(check.points for check in self.checks))


def pick(answer, number):
    """The driver of a warm-up, whose answer returns a list of numbers: one of them."""
    return answer()[number]


def tensor(
    rng: np.random.Generator, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Draw a tensor of normal numbers with standard deviation `scale`.

    Examples
    --------
    >>> tensor(np.random.default_rng(0), 2, 3).shape
    torch.Size([2, 3])
    """
    return torch.from_numpy(scale * rng.standard_normal(shape)).to(dtype)
