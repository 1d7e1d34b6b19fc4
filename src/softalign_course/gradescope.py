"""Gradescope: an autograder zip, and what runs inside its container."""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from softalign_course import sets
from softalign_course.grade import grade
from softalign_course.sets import ProblemSet
from softalign_course.submissions import collect

__all__ = ["build", "results", "run"]

SET_UP = """\
#!/usr/bin/env bash
# Gradescope runs this once, when it builds the container.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3.11 python3.11-venv bubblewrap
python3.11 -m venv /autograder/venv
/autograder/venv/bin/pip install --no-cache-dir --extra-index-url \\
    https://download.pytorch.org/whl/cpu -r /autograder/source/requirements.txt
"""
RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for every submission.
cd /autograder/source
PYTHONPATH=/autograder/source/src exec /autograder/venv/bin/python -m softalign_course.gradescope \\
    --set {name} --root /autograder --seed {seed}
"""
PACKAGES = ("jupytext", "nbformat", "numpy", "torch", "tqdm")


def build(problem_set: ProblemSet, out: Path, seed: int) -> Path:
    """Write the zip that is uploaded to Gradescope as the autograder.

    Parameters
    ----------
    problem_set : ProblemSet
    out : Path
        The zip.
    seed : int
        The hidden inputs are drawn from it: keep it to yourself until the deadline.
    """
    import importlib.metadata

    pins = "".join(
        f"{name}=={importlib.metadata.version(name).split('+')[0]}\n" for name in PACKAGES
    )
    here = Path(__file__).resolve().parent
    files = {
        "setup.sh": (SET_UP, 0o755),
        "run_autograder": (RUN.format(name=problem_set.name, seed=seed), 0o755),
        "requirements.txt": (pins, 0o644),
    }
    for path in sorted(here.glob("*.py")):
        files[f"src/softalign_course/{path.name}"] = (path.read_text(encoding="utf-8"), 0o644)
    for path in sorted(problem_set.path.rglob("*")):
        if path.suffix in (".md", ".py") and "__pycache__" not in path.parts:
            name = f"coursework/{problem_set.name}/{path.relative_to(problem_set.path).as_posix()}"
            files[name] = (path.read_text(encoding="utf-8"), 0o644)
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (text, mode) in files.items():
            member = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            member.external_attr = mode << 16
            archive.writestr(member, text, zipfile.ZIP_DEFLATED)
    return out


def results(problem_set: ProblemSet, folder: Path, seed: int) -> dict[str, Any]:
    """Grade the one submission in a folder and return what Gradescope reads."""
    found = [s for s in collect(folder) if s.file.lower().endswith(".ipynb")]
    if len(found) != 1:
        return {"score": 0, "output": f"Hand in one notebook; {len(found)} were found."}
    (row,) = grade(problem_set, found, seed)
    if row.status != "graded":
        return {"score": 0, "output": row.status}
    tests = [
        {
            "name": name.replace("_", " "),
            "score": verdict.points,
            "max_score": verdict.most,
            "output": verdict.reason or "all checks passed",
            "visibility": "visible",
        }
        for name, verdict in row.verdicts.items()
    ]
    return {"tests": tests, "output": " ".join(row.notes)}


def run(arguments: list[str] | None = None) -> int:
    """What ``run_autograder`` calls."""
    parser = argparse.ArgumentParser(description=run.__doc__)
    parser.add_argument("--set", required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args(arguments)
    found = results(sets.find(args.set), args.root / "submission", args.seed)
    target = args.root / "results" / "results.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(run())
