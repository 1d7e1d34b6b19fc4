"""Finding a student's answer in a notebook, whatever has happened to its cells.

The answer cell of a question is known by its ``grade_id``. Where that is gone (metadata stripped, a
cell copied or deleted), it is the last code cell of the student's that defines the function asked
for. Cells of ours (checks, experiments) are never taken from a submission: edited or not, they do
not count.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from softalign_course.notebook import Cell, Notebook, without_magics
from softalign_course.sets import CODE_STUB, SOLUTION, ProblemSet
from softalign_course.spec import Question

__all__ = ["Answer", "find_answer", "untouched", "written_answer"]

MOST_SOURCE = 100_000


@dataclass(frozen=True)
class Answer:
    """A student's answer to one question.

    Attributes
    ----------
    pieces : tuple of (label, source)
        What to run: the set-up of the set, what the student's other cells define, the answer's own
        cell. Empty if there is no answer.
    notes : tuple of str
        What was odd, one sentence each.
    """

    pieces: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def find_answer(
    notebook: Notebook, problem_set: ProblemSet, question: Question, variant: int = 0
) -> Answer:
    """Find the answer to `question` and all that it needs to run."""
    ours = {cell.name for cell in problem_set.notebook().cells if cell.role in ("given", "tests")}
    ours.discard("setup")  # ours is run first; an import that a student added to it counts
    students = [
        cell
        for cell in notebook.cells
        if cell.kind == "code" and cell.name not in ours and len(cell.source) <= MOST_SOURCE
    ]
    named = [cell for cell in students if cell.name == question.name]
    defining = [cell for cell in students if question.function in _defined(cell)]
    notes: list[str] = []
    both = [cell for cell in named if cell in defining]
    if both:
        own = both[-1]
        if len(named) > 1:
            notes.append(f"The answer cell is there {len(named)} times; the last one counts.")
    elif named and not defining:
        own = named[-1]  # its own error, or what it lacks, is the reason
    elif defining:
        own = defining[-1]
        notes.append("The answer cell has lost its name; it was found by what it defines.")
    else:
        return Answer((), ("The answer cell is missing.",))
    pieces = [("<setup>", problem_set.set_up(variant))]
    for cell in students:
        if cell is not own and cell.name != question.name:
            definitions = _definitions(cell)
            if definitions:
                pieces.append(("<elsewhere>", definitions))
    pieces.append(("<answer>", without_magics(own.source)))
    return Answer(tuple(pieces), tuple(notes))


def written_answer(notebook: Notebook, name: str) -> str | None:
    """Text of a written answer; None if its cell is gone."""
    found = [cell.source for cell in notebook.cells if cell.role == "written" and cell.name == name]
    return found[-1] if found else None


def untouched(answer: Answer, problem_set: ProblemSet, question: Question, variant: int) -> bool:
    """Whether the answer is still, word for word, what the release has in its place."""
    if not answer.pieces:
        return False
    solution = problem_set.cell(question.name, variant).source
    released = SOLUTION.sub(rf"\g<indent>{CODE_STUB}", solution)
    return answer.pieces[-1][1].split() == released.split()


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _defined(cell: Cell) -> set[str]:
    """Names that a cell defines at its top level."""
    tree = _tree(cell.source)
    if tree is None:
        return set()
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return found


def _definitions(cell: Cell) -> str:
    """The part of a cell that only defines: it cannot hang, print or train."""
    tree = _tree(cell.source)
    if tree is None:
        return ""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    kept = [
        node
        for node in tree.body
        if isinstance(node, kinds)
        or (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and all(isinstance(name, ast.Name) for name in _targets(node))
            and not any(isinstance(part, ast.Call) for part in ast.walk(node))
        )
    ]
    try:
        return "\n".join(ast.unparse(node) for node in kept)
    except (ValueError, RecursionError):
        return ""
