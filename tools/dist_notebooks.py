"""The book's notebooks as a student gets them: to run on a machine of one's own, solutions folded.

The notebooks are those of the book, cell for cell, with two changes: the solution of an exercise
stands in cells of its own, and these are folded (JupyterLab shows three dots to click on). Beside
them lies the library, without the problem sets and their grader, which hold what students shall
find out, and a list of what to install.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

# What a student runs notebooks with, beside the library.
WITH = ("jupyterlab", "ipykernel")
# Parts of the repository that make the library; the course's grader and its answers are not among
# them.
LIBRARY = ("src/softalign", "results")
LEAVE = ("__pycache__", ".ipynb_checkpoints", ".DS_Store")
# For who teaches: how answers are graded, what is asked. These are beginnings of names.
NOT_FOR_STUDENTS = ("book/instructors", "book/exam_bank")
SOLUTION = re.compile(
    r"^(?P<start>(?P<ticks>`{3,})\{solution-start\}[^\n]*\n(?:[^\n]*\n)*?(?P=ticks)[ ]*$\n?)"
    r"|^(?P<end>(?P<marks>`{3,})\{solution-end\}[^\n]*\n(?:[^\n]*\n)*?(?P=marks)[ ]*$\n?)"
    r"|^(?P<whole>(?P<fence>`{3,})\{solution\}[^\n]*\n(?P<options>(?::[^\n]*\n)*)"
    r"(?P<text>(?:[^\n]*\n)*?)(?P=fence)[ ]*$\n?)",
    re.MULTILINE,
)
SIGN = "**Solution** (folded: a click on the three dots opens it)"

README = """\
Soft Alignment {version}: the notebooks
======================================

The pages of the book, to run and to change on your own machine. You need Python {python}, a
network for the first set-up (about 500 MB, most of it PyTorch), and a terminal in this folder.

On Linux and macOS:

    python3 -m venv .venv
    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/jupyter lab

On Windows:

    py -m venv .venv
    .venv\\Scripts\\python -m pip install -r requirements.txt
    .venv\\Scripts\\jupyter lab

Then open book/intro.ipynb, or a page in chapters/. Without the first set-up's network nothing else
is loaded: every page runs offline, in about a minute.

Solutions of exercises are folded: click on the three dots to open one. Run them all the same: a
later cell may need what a solution has computed.

On Linux the list installs PyTorch with what it needs for graphics cards (about 3 GB). If you want
the small one, say first:

    .venv/bin/python -m pip install torch=={torch} --index-url https://download.pytorch.org/whl/cpu

library/ is the book's library; a change that you make there is seen after
`.venv/bin/python -m pip install ./library`. The problem sets of a course come from your teacher.

Code: BSD 3-Clause. Text and figures: CC BY 4.0. See LICENSE.
"""


def files(root: Path, pages: Iterable[str]) -> dict[str, bytes]:
    """Names and contents of all files that a student gets."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(
        line.split("==")
        for line in (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    )
    read_me = README.format(
        version=project["version"],
        python=project["requires-python"].replace(">=", "") + " or newer",
        torch=pins["torch"],
    )
    wanted = ["-c constraints.txt", "./library[neural]", *(f"{n}=={pins[n]}" for n in WITH)]
    found = {
        "README.txt": read_me.encode(),
        "LICENSE": (root / "LICENSE").read_bytes(),
        "requirements.txt": ("\n".join(wanted) + "\n").encode(),
        "constraints.txt": (root / "constraints.txt").read_bytes(),
        "library/pyproject.toml": project_file(project).encode(),
        "library/LICENSE": (root / "LICENSE").read_bytes(),
        "library/README.md": b"The library of the book Soft Alignment.\n",
    }
    for folder in LIBRARY:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not set(LEAVE) & set(path.parts):
                found[f"library/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    for name in pages:
        if name.startswith(NOT_FOR_STUDENTS):
            continue
        notebook, text = root / f"{name}.ipynb", root / f"{name}.md"
        if notebook.exists():
            content = folded(json.loads(notebook.read_text(encoding="utf-8")))
            written = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            found[f"{name}.ipynb"] = written.encode()
        elif text.exists():  # pages without code: the notebooks link to them
            found[f"{name}.md"] = text.read_bytes()
    return found


def project_file(project: dict) -> str:
    """``pyproject.toml`` of the library alone, without the course's grader."""
    kept = {
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "requires-python": project["requires-python"],
        "dependencies": project["dependencies"],
    }
    # strings and lists of strings look the same in JSON and in TOML
    lines = [f"{key} = {json.dumps(value)}" for key, value in kept.items()]
    return "\n".join(
        [
            "[build-system]",
            'requires = ["hatchling>=1.27"]',
            'build-backend = "hatchling.build"',
            "",
            "[project]",
            *lines,
            "",
            "[project.scripts]",
            f"softalign = {json.dumps(project['scripts']['softalign'])}",
            "",
            "[project.optional-dependencies]",
            f"neural = {json.dumps(project['optional-dependencies']['neural'])}",
            "",
            "[tool.hatch.build.targets.wheel]",
            'only-include = ["src/softalign", "results"]',
            "",
            "[tool.hatch.build.targets.wheel.sources]",
            '"src/softalign" = "softalign"',
            '"results" = "softalign/results"',
            "",
        ]
    )


def folded(notebook: dict) -> dict:
    """The notebook with every solution in folded cells of its own."""
    result = copy.deepcopy(notebook)
    cells, inside = [], False
    for cell in result["cells"]:
        if cell["cell_type"] != "markdown":
            cells.append(_fold(cell) if inside else cell)
            continue
        pieces, inside = _pieces("".join(cell["source"]), inside)
        for number, (text, hidden) in enumerate(pieces):
            part = {**copy.deepcopy(cell), "source": text.splitlines(keepends=True)}
            if number and "id" in cell:
                part["id"] = f"{cell['id']}-{number}"
            cells.append(_fold(part) if hidden else part)
    result["cells"] = cells
    return result


def _pieces(text: str, inside: bool) -> tuple[list[tuple[str, bool]], bool]:
    """Pieces of a Markdown cell, each with whether it is folded; whether a solution goes on."""
    pieces, end = [], 0
    for match in SOLUTION.finditer(text):
        pieces.append((text[end : match.start()], inside))
        end = match.end()
        if match["whole"]:
            pieces += [(SIGN, False), (match["text"], True)]
        else:
            inside = bool(match["start"])
            if inside:
                pieces.append((SIGN, False))
    pieces.append((text[end:], inside))
    return [(piece.strip("\n"), hidden) for piece, hidden in pieces if piece.strip()], inside


def _fold(cell: dict) -> dict:
    """The cell with its text, and what it prints, folded."""
    cell["metadata"].setdefault("jupyter", {})["source_hidden"] = True
    if cell["cell_type"] == "code":
        cell["metadata"]["jupyter"]["outputs_hidden"] = True
    return cell
