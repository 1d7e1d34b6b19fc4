"""The register of what the book has measured: collect the numbers, and say where they do not fit.

    python tools/claims.py collect     write registry/measured.json from notebooks and stored runs
    python tools/claims.py check       say what is wrong with the register; exit 1 if anything is

`registry/claims.yml` is written by hand: the sentence of a page, the cell that measures it, and
*where* in its output, in its asserts or in the stored runs each number stands. No number is typed:
`collect` reads them all and writes them beside the day and the versions. A number that has not
changed keeps its day. CONTRIBUTING.md describes the format.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = ROOT / "registry" / "claims.yml"
MEASURED = ROOT / "registry" / "measured.json"
RESULTS = ROOT / "results"
PACKAGES = ("numpy", "torch")
NEEDED = {"id", "page", "says", "cell", "values"}
MAYBE = {"given", "chance", "notes"}
CHANCE = {
    "none": "nothing is drawn",
    "seed": "drawn once, with a fixed seed",
    "runs": "stored runs of three seeds, as the cell prints them",
    "clock": "measured by the clock, held by a margin",
}
NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


class Wrong(ValueError):
    """What is wrong with a claim, as a sentence."""


@dataclass(frozen=True)
class Claim:
    """One entry of the register, as written by hand."""

    id: str
    page: str
    says: str
    cell: str
    values: dict[str, dict]
    given: tuple[str, ...] = ()
    chance: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Cell:
    """A code cell: its code, and what it has printed."""

    source: str
    output: str


@dataclass(frozen=True)
class Source:
    """A page: prose on one line, cells as ``section/number``, the heading over each label."""

    prose: str
    cells: dict[str, Cell] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)


def read_page(path: Path) -> Source:
    """Read a notebook; a cell's number counts the code cells since the last label in the text."""
    section, number, prose, cells, headings, heading = "", 0, [], {}, {}, ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            prose.append(text)
            for mark in re.finditer(r"^\(([\w.-]+)\)=|^#+ (.+)$", text, flags=re.MULTILINE):
                if mark[1]:
                    section, number = mark[1], 0
                heading = mark[2] or heading
                headings[section] = heading
        elif cell["cell_type"] == "code":
            number += 1
            cells[f"{section}/{number}"] = Cell(text, printed(cell["outputs"]))
    return Source(" ".join(" ".join(prose).split()), cells, headings)


def printed(outputs: list[dict]) -> str:
    """The text of a cell's outputs."""
    texts = [o.get("text", o.get("data", {}).get("text/plain", "")) for o in outputs]
    return "".join(text if isinstance(text, str) else "".join(text) for text in texts)


@cache
def pages(root: Path = ROOT) -> dict[str, Source]:
    """All notebooks of the book, by name."""
    found = sorted([*root.glob("book/*.ipynb"), *root.glob("chapters/*/*.ipynb")])
    return {path.relative_to(root).with_suffix("").as_posix(): read_page(path) for path in found}


@cache
def store(name: str) -> dict[str, dict]:
    """The rows of a stored experiment."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise Wrong(f"there is no results/{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))["rows"]


def read_claims(path: Path = CLAIMS) -> list[Claim]:
    """The register; an entry with a missing or an unknown key is an error."""
    claims = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        keys = set(entry)
        if not NEEDED <= keys <= NEEDED | MAYBE:
            problem = sorted(NEEDED - keys) or sorted(keys - NEEDED - MAYBE)
            raise Wrong(f"claim {entry.get('id')}: missing or unknown: {', '.join(problem)}")
        given = tuple(str(number) for number in entry.pop("given", ()))
        says = " ".join(entry.pop("says").split())
        claims.append(Claim(**entry, says=says, given=given))
    return claims


# --- reading the numbers --------------------------------------------------------------------------


def as_number(text: str) -> float:
    """A number as a page prints it: with commas, a minus sign of either kind, an exponent."""
    return float(text.replace(",", "").replace("−", "-").replace("_", ""))


def asserted(source: str) -> str:
    """The asserts of a cell, on one line each."""
    lines, depth, kept = [], 0, []
    for line in source.splitlines():
        if depth or line.strip().startswith("assert"):
            kept.append(line.split("  # ")[0].strip())
            depth += sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")
            if not depth:
                lines.append(" ".join(kept))
                kept = []
    return "\n".join(lines)


def numbers_of(claim: Claim, label: str, cell: Cell) -> dict[str, float]:
    """The numbers of one value: by seed for a stored run, else in the order of the groups."""
    how = claim.values[label]
    if "run" in how:
        return by_seed(how)
    (where, pattern), *_ = how.items()
    text = {"output": cell.output, "assert": asserted(cell.source)}.get(where)
    if text is None:
        raise Wrong(f"'{label}' is read from output, assert or run, not from {where}")
    match = re.search(pattern, text, flags=re.MULTILINE)
    if match is None or not match.groups():
        raise Wrong(f"'{label}': the {where} of {claim.cell} has nothing like {pattern!r}")
    return {str(n): as_number(group) for n, group in enumerate(match.groups())}


def by_seed(how: dict) -> dict[str, float]:
    """A metric of a stored row, for each of its seeds."""
    found = {}
    for name, row in store(how["run"]).items():
        if name.rsplit(", seed ", 1)[0] == how["row"]:
            number = row["metrics"].get(how["metric"], row.get(how["metric"]))
            if number is None:
                raise Wrong(f"{name} of {how['run']} has no {how['metric']}")
            found[str(row["config"]["seed"])] = float(f"{number * how.get('times', 1):.6g}")
    if not found:
        raise Wrong(f"results/{how['run']}.json has no row '{how['row']}'")
    return dict(sorted(found.items()))


def cell_of(claim: Claim) -> Cell:
    """The cell that a claim names."""
    if claim.page not in pages():
        raise Wrong(f"there is no page {claim.page}")
    cells = pages()[claim.page].cells
    if claim.cell not in cells:
        others = [name for name, cell in cells.items() if fits(claim, cell)]
        hint = f"; its numbers stand in {' and '.join(others)}" if others else ""
        raise Wrong(f"{claim.page} has no cell {claim.cell}{hint}")
    return cells[claim.cell]


def fits(claim: Claim, cell: Cell) -> bool:
    """Whether all that is read from the cell could be read from this one."""
    try:
        read = [numbers_of(claim, v, cell) for v in claim.values if "run" not in claim.values[v]]
    except Wrong:
        return False
    return bool(read)


def versions(claim: Claim) -> dict[str, str]:
    """What the numbers were computed with: the stored runs' versions, else those of the pins."""
    found: dict[str, set[str]] = {}
    for how in claim.values.values():
        if "run" in how:
            for name, row in store(how["run"]).items():
                if name.rsplit(", seed ", 1)[0] == how["row"]:
                    for package, version in row["versions"].items():
                        found.setdefault(package, set()).add(version)
    if not found:
        text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
        pins = dict(line.split("==") for line in text.splitlines() if "==" in line)
        found = {package: {pins[package]} for package in PACKAGES}
    return {package: ", ".join(sorted(all_)) for package, all_ in sorted(found.items())}


def measure(claim: Claim) -> dict:
    """All numbers of a claim and their versions."""
    cell = cell_of(claim)
    values = {label: numbers_of(claim, label, cell) for label in claim.values}
    return {"values": values, "versions": versions(claim)}


# --- what is wrong --------------------------------------------------------------------------------


def stated(says: str) -> list[str]:
    """The numbers in a sentence, as written; formulas, code, roles and addresses left out."""
    text = re.sub(r"\$[^$]*\$|\{[\w:-]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)", " ", says)
    return [m[0].rstrip(",") for m in NUMBER.finditer(text) if not preceded(text, m.start())]


def preceded(text: str, at: int) -> bool:
    """Whether a digit belongs to a word, as in ``seq2seq``."""
    return at > 0 and (text[at - 1].isalpha() or text[at - 1] in "_.")


def agrees(written: str, number: float) -> bool:
    """Whether a number, as written in a sentence, is this one rounded; per cent are allowed."""
    digits = len(written.split(".")[1]) if "." in written else 0
    one = abs(as_number(written))
    half = 0.5 * 10**-digits + 1e-9
    return any(abs(one - abs(number) * factor) <= half for factor in (1, 100))


def known(values: dict[str, dict[str, float]]) -> list[float]:
    """Every number that a sentence may state.

    Those read; the mean of those read together; of two read together, sum and difference.
    """
    found = []
    for numbers in values.values():
        all_ = list(numbers.values())
        found += [*all_, sum(all_) / len(all_)]
        if len(all_) == 2:
            found += [all_[0] + all_[1], all_[0] - all_[1]]
    return found


def complaints(claim: Claim, measured: dict | None) -> list[str]:
    """All that is wrong with one claim."""
    wrong = []
    if claim.page in pages() and claim.says not in pages()[claim.page].prose:
        wrong.append(f"the sentence does not stand in {claim.page}")
    if not any("run" in how for how in claim.values.values()) and claim.chance not in CHANCE:
        wrong.append(f"'chance' is one of {', '.join(CHANCE)}")
    try:
        found = measure(claim)
    except Wrong as problem:
        return [*wrong, str(problem)]
    for written in stated(claim.says):
        if written in claim.given:
            continue
        if not any(agrees(written, number) for number in known(found["values"])):
            wrong.append(f"the sentence says {written}, and nothing measured does")
    for number in claim.given:
        if number not in stated(claim.says):
            wrong.append(f"{number} is given, but the sentence does not state it")
    if measured is None:
        wrong.append("nothing is stored: say python tools/claims.py collect")
    else:
        wrong += differences(found, measured)
    return wrong


def differences(found: dict, measured: dict) -> list[str]:
    """Where the stored numbers are not those of today."""
    wrong = []
    for label in found["values"] | measured["values"]:
        new, old = (side["values"].get(label) for side in (found, measured))
        if new is None or old is None:
            wrong.append(f"'{label}' is {'not stored' if old is None else 'stored, not measured'}")
        elif new.keys() != old.keys() or any(not math.isclose(new[k], old[k]) for k in new):
            wrong.append(f"'{label}' is {list(new.values())}, stored is {list(old.values())}")
    if found["versions"] != measured["versions"]:
        wrong.append(f"versions are {found['versions']}, stored are {measured['versions']}")
    return wrong


def read_measured() -> dict[str, dict]:
    """What was collected last."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def all_complaints() -> list[str]:
    """All that is wrong with the register, each with the claim's name."""
    claims, stored = read_claims(), read_measured()
    names = [claim.id for claim in claims]
    wrong = [
        f"{n}: two claims have this id" for n in sorted({n for n in names if names.count(n) > 1})
    ]
    wrong += [f"{n}: stored, but not in the register" for n in stored if n not in names]
    for claim in claims:
        wrong += [f"{claim.id}: {words}" for words in complaints(claim, stored.get(claim.id))]
    return wrong


def collect() -> None:
    """Read all numbers and store them; who has not changed keeps the day."""
    stored, today, new = read_measured(), datetime.date.today().isoformat(), {}
    for claim in read_claims():
        try:
            found = measure(claim)
        except Wrong as problem:
            print(f"{claim.id}: {problem}", file=sys.stderr)
            continue
        old = stored.get(claim.id)
        same = old is not None and not differences(found, old)
        new[claim.id] = {**found, "date": old["date"] if same else today}
    text = json.dumps(new, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    MEASURED.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["collect", "check"])
    if parser.parse_args(arguments).action == "collect":
        collect()
    wrong = all_complaints()
    for words in wrong:
        print(words, file=sys.stderr)
    print(f"{len(read_claims())} claims, {len(wrong)} complaints")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
