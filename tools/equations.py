"""The register of the numbered equations: what is registered, and what the pages have.

`registry/equations.yml` names for each numbered equation its section, its check, what the check
compares, and the slip that it must notice; the checks are functions in `registry/checks`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
EQUATIONS = ROOT / "registry" / "equations.yml"
CHECKS = ROOT / "registry" / "checks"
NEEDED = {"section", "check", "checked", "slip"}
# A number is made by a label behind the formula, or by a directive with a label.
LABEL = re.compile(
    r"\$\$(?:.+?)\$\$(?:[ \t]*\((?P<dollar>[^)\s]+)\))?"
    r"|```\{math\}(?:[ \t]+[^\n]*)?\n:label: (?P<directive>\S+)"
    r"|\\begin\{(?P<amsmath>equation|align|gather|multline|eqnarray)\}",
    re.DOTALL,
)


@dataclass(frozen=True)
class Equation:
    """An entry of the register."""

    label: str
    section: str
    check: str
    checked: str
    slip: str
    through: str = ""


@dataclass(frozen=True)
class Place:
    """Where a numbered equation stands: page, labels and headings in front of it, nearest last."""

    page: str
    labels: tuple[str, ...]
    heading: str


def read_equations(path: Path = EQUATIONS) -> dict[str, Equation]:
    """The register, by label."""
    found = {}
    for label, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if not NEEDED <= set(entry) <= NEEDED | {"through"}:
            raise ValueError(f"{label}: it has {sorted(entry)}, expected {sorted(NEEDED)}")
        found[label] = Equation(label, **entry)
    return found


def prose(path: Path) -> str:
    """The text of a page without its code cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def numbered(text: str, page: str = "") -> dict[str, Place]:
    """The numbered equations of a page's text, in its order."""
    found = {}
    without_code = re.sub(r"`[^`\n]+`", lambda m: " " * len(m[0]), text)
    for match in LABEL.finditer(without_code):
        before = text[: match.start()]
        labels = tuple(re.findall(r"^\(([\w.-]+)\)=", before, flags=re.MULTILINE))
        headings = re.findall(r"^#+ (.+)$", before, flags=re.MULTILINE)
        label = match["dollar"] or match["directive"]
        if match["amsmath"]:
            label = f"an {match['amsmath']} without a label"
        if label is None:
            continue
        found[label] = Place(page, labels, headings[-1] if headings else page)
    return found


def places(files: dict[str, Path]) -> dict[str, Place]:
    """The numbered equations of all pages."""
    found = {}
    for page, path in files.items():
        found.update(numbered(prose(path), page))
    return found


def complaints(register: dict[str, Equation], found: dict[str, Place]) -> list[str]:
    """Equations without an entry, entries without an equation, sections that are others."""
    wrong = [f"{label} on {found[label].page} has no check" for label in found.keys() - register]
    wrong += [f"{label} is registered, and no equation is" for label in register.keys() - found]
    wrong += [
        f"{label} stands under {place.labels[-1]}, registered is {register[label].section}"
        for label, place in found.items()
        if label in register and register[label].section != place.labels[-1]
    ]
    return sorted(wrong)


def run_checks() -> dict[str, list[str]]:
    """Run all checks in a process of their own; what is wrong with each equation."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "src")]))
    env.setdefault("OMP_NUM_THREADS", "1")
    done = subprocess.run(
        [sys.executable, "-m", "registry.checks"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"the checks of the equations stopped: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)
