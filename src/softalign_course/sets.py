"""Problem sets: where they are, what is in one, and its reference solution.

A set is a folder of ``coursework/``: ``source.md`` (the notebook with solutions, as text),
``checks.py`` (its `spec.Question` objects and its variants) and ``planted/`` (answers known to be
wrong or right).
"""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from softalign_course.notebook import Cell, Notebook, parse
from softalign_course.spec import Question

__all__ = ["Plant", "ProblemSet", "SetError", "find", "folder", "names"]

SOLUTION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION\b.*?^[ \t]*### END SOLUTION[^\n]*$", re.M | re.S
)
HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS\b.*?^[ \t]*### END HIDDEN TESTS[^\n]*\n?", re.M | re.S
)
CODE_STUB = 'raise NotImplementedError("write your answer here")'
TEXT_STUB = "*Write your answer here.*"
PLACE = re.compile(r"<<(\w+)>>")


class SetError(Exception):
    """A problem set is missing or wrong; the message is one sentence."""


@dataclass(frozen=True)
class Plant:
    """An answer cell whose verdict is known.

    Attributes
    ----------
    question : str
    name : str
    right : bool
    source : str
        The text of the answer cell.
    says : str
        For a wrong one: the misconception, as a sentence to the student.
    """

    question: str
    name: str
    right: bool
    source: str
    says: str = ""


def folder() -> Path:
    """The folder of the sets: in a checkout at its root, installed inside the package."""
    here = Path(__file__).resolve().parent
    for place in (here / "coursework", here.parent.parent / "coursework"):
        if place.is_dir():
            return place
    raise SetError("the problem sets are not installed with this package")


def names() -> list[str]:
    """Names of the sets, in the order of the course."""
    return [path.parent.name for path in sorted(folder().glob("*/source.md"))]


def find(wanted: str) -> ProblemSet:
    """Return the set of a name, or of a part of it that only one has (``5``, ``attention``).

    Raises
    ------
    SetError
        No set, or more than one, fits.
    """
    known = names()
    fitting = [name for name in known if wanted == name]
    fitting = fitting or [
        name for name in known if wanted.strip("/") in name.split("_") or name.startswith(wanted)
    ]
    fitting = fitting or [name for name in known if name.lstrip("0").startswith(wanted + "_")]
    if len(fitting) != 1:
        what = f"there is no set {wanted!r}" if not fitting else f"{wanted!r} fits several sets"
        raise SetError(f"{what}: {', '.join(known)}")
    return _load(fitting[0])


@cache
def _load(name: str) -> ProblemSet:
    return ProblemSet(folder() / name)


class ProblemSet:
    """One problem set.

    Parameters
    ----------
    path : Path
        Its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    @cached_property
    def text(self) -> str:
        """The source, as text."""
        return (self.path / "source.md").read_text(encoding="utf-8")

    @cached_property
    def module(self) -> ModuleType:
        """``checks.py``."""
        name = f"softalign_course_checks_{self.name}"
        spec = importlib.util.spec_from_file_location(name, self.path / "checks.py")
        if spec is None or spec.loader is None:
            raise SetError(f"{self.name} has no checks.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # so that inspect finds the source of a driver
        spec.loader.exec_module(module)
        return module

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The coding questions by name, in order."""
        return {question.name: question for question in self.module.QUESTIONS}

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """``INFO`` of ``checks.py``: title, chapters, hours, goals, tools, pages."""
        return self.module.INFO

    @property
    def chapters(self) -> str:
        """The chapters it belongs to, as words: "chapter 6" or "chapters 2 and 3"."""
        numbers = str(self.info["chapters"])
        return f"chapter{'' if numbers.isdigit() else 's'} {numbers}"

    def values(self, variant: int) -> dict[str, Any]:
        """What the places ``<<name>>`` of the source hold in one variant."""
        make = getattr(self.module, "variant", None)
        return {"variant": variant, **(make(variant) if make else {})}

    @cached_property
    def _template(self) -> dict[str, Any]:
        import jupytext

        return dict(jupytext.reads(self.text, fmt="md:myst"))

    def fill(self, text: str, variant: int) -> str:
        """Put the values of a variant into the places ``<<name>>`` of a text."""
        values = self.values(variant)

        def value(place: re.Match[str]) -> str:
            if place[1] not in values:
                raise SetError(f"{self.name}: the text has <<{place[1]}>>, the variant does not")
            return str(values[place[1]])

        return PLACE.sub(value, text)

    def source(self, variant: int = 0) -> dict[str, Any]:
        """The notebook with solutions and hidden tests, as a dictionary in notebook format 4.5."""
        cells = []
        for number, cell in enumerate(self._template["cells"]):
            new = {
                "cell_type": cell["cell_type"],
                "id": f"cell-{number:03d}",
                "metadata": copy.deepcopy(dict(cell["metadata"])),
                "source": self.fill(cell["source"], variant),
            }
            if new["cell_type"] == "code":
                new.update(execution_count=None, outputs=[])
            cells.append(new)
        return {
            "cells": cells,
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
                "softalign": {"set": self.name, "variant": variant},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }

    @cache  # noqa: B019 (a set lives as long as the process)
    def notebook(self, variant: int = 0) -> Notebook:
        """The notebook with solutions, parsed."""
        return parse(json.dumps(self.source(variant)))

    def cell(self, name: str, variant: int = 0) -> Cell:
        """The cell of one ``grade_id``."""
        found = [cell for cell in self.notebook(variant).cells if cell.name == name]
        if len(found) != 1:
            raise SetError(f"{self.name} has {len(found)} cells named {name!r}")
        return found[0]

    def set_up(self, variant: int = 0) -> str:
        """The code that every answer may rely on: the cell ``setup``."""
        return self.cell("setup", variant).source

    def tests(self, question: str, variant: int = 0) -> str:
        """The public checks of a question, without the hidden lines."""
        return HIDDEN.sub("", self.cell(f"test_{question}", variant).source)

    def depends_on_variant(self, question: str) -> bool:
        """Whether the question's solution, or the set-up, has a place that variants fill."""
        cells = [
            cell
            for cell in self._template["cells"]
            if cell["metadata"].get("nbgrader", {}).get("grade_id") in ("setup", question)
        ]
        return any(PLACE.search(cell["source"]) for cell in cells)

    @cached_property
    def written(self) -> list[Cell]:
        """The written questions, model answers included."""
        return list(self.notebook().with_role("written"))

    @cached_property
    def plants(self) -> list[Plant]:
        """The planted answers of all questions."""
        found = []
        for path in sorted((self.path / "planted").glob("*/*/*.py")):
            question, verdict = path.parts[-3:-1]
            if question not in self.questions or verdict not in ("wrong", "right"):
                raise SetError(
                    f"{path} belongs to no question: planted/QUESTION/wrong|right/NAME.py"
                )
            source = path.read_text(encoding="utf-8")
            says = _says(source)
            if verdict == "wrong" and not says:
                raise SetError(f"{path} does not begin with '# says: ' and a sentence")
            found.append(Plant(question, path.stem, verdict == "right", source, says))
        return found


def _says(source: str) -> str:
    """The sentence in the leading comment lines of a wrong answer."""
    lines: list[str] = []
    for line in source.split("\n"):
        if not lines and line.startswith("# says:"):
            lines.append(line.removeprefix("# says:").strip())
        elif lines and line.startswith("#"):
            lines.append(line.lstrip("# ").strip())
        elif lines:
            break
    return " ".join(lines)
