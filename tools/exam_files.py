"""The exam bank as files: read ``exam_bank/`` and say in plain sentences what is wrong with it.

``exam_bank/<chapter>.yml`` holds the questions of a chapter, ``exam_bank/samples.yml`` the two
sample exams, ``exam_bank/checks/<chapter>.py`` the functions that compute the numbers again. What
each page promises stands in ``teaching/objectives.yml``. CONTRIBUTING.md describes the format.
"""

from __future__ import annotations

import importlib
import math
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import yaml
from quiz_files import Loader, keys_complaints, number

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "exam_bank"
OBJECTIVES = ROOT / "teaching" / "objectives.yml"
# Number, title and file of each chapter; the functions that check it stand in checks/.
CHAPTERS = {
    0: ("The prerequisites and the running task", "00_prerequisites"),
    1: ("Statistical translation", "01_smt"),
    2: ("Recurrent networks", "02_rnn"),
    3: ("Learning through time", "03_bptt"),
    4: ("Gates: the LSTM and its relatives", "04_lstm"),
    5: ("Encoder and decoder", "05_encoder_decoder"),
    6: ("Attention", "06_attention"),
    7: ("The Transformer", "07_transformer"),
}
KINDS = {
    "computation": "short computation",
    "derivation": "derivation",
    "explanation": "explanation",
    "error": "find the error",
    "reading": "code reading",
    "design": "design",
}
LEVELS = {1: "easy", 2: "medium", 3: "hard"}
NEEDED = (
    "id", "objective", "about", "kind", "difficulty", "minutes", "points", "ask", "answer",
    "marking",
)  # fmt: skip
MAYBE = ("values", "within")
# A value that no answer says: how far a derived formula is from what the code computes.
RESIDUAL = "residual"
NAME = re.compile(r"q-[a-z0-9]+(-[a-z0-9]+)+")
# What neither a page nor a drawn exam could show in the same way.
NOT_ALLOWED = {
    "a link": re.compile(r"\]\("),
    "a directive or role": re.compile(r"\{[\w:-]+\}`|^(?:`{3,}|:{3,})\{", re.M),
    "a heading": re.compile(r"^#+ ", re.M),
    "HTML": re.compile(r"</?(?:b|i|p|br|div|span|table|details)\b[^>]*>"),
}
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.S)
CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff][\u3000-\u303f\u3400-\u9fff\uff00-\uffef ]*")


def file_of(chapter: int) -> Path:
    """Where the questions of a chapter are."""
    return FOLDER / f"{CHAPTERS[chapter][1]}.yml"


def load(path: Path) -> tuple[object, list[str]]:
    """What a YAML file holds, or the sentence that says why it cannot be read."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader), []
    except OSError:
        return None, [f"{path.name} is missing."]
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        return None, [f"{path.name} is not YAML{line}: {getattr(problem, 'problem', problem)}."]


def objectives() -> dict[str, tuple[str, str]]:
    """Page and sentence of each objective, by its id."""
    data, wrong = load(OBJECTIVES)
    if wrong:
        raise ValueError(wrong[0])
    return {one["id"]: (page, one["says"]) for page, found in data.items() for one in found}


def read(path: Path, known: dict[str, tuple[str, str]]) -> tuple[list[dict], list[str]]:
    """Questions of a file, and what is wrong with them; no question is kept from a broken file."""
    data, wrong = load(path)
    if wrong:
        return [], wrong
    if not isinstance(data, list) or not data:
        return [], [f"{path.name} must be a list of questions, each beginning with '- id:'."]
    for place, question in enumerate(data, 1):
        name = question.get("id", place) if isinstance(question, dict) else place
        wrong += [f"{path.name}, question {name}: {w}." for w in complaints(question, known)]
    names = Counter(str(question.get("id")) for question in data if isinstance(question, dict))
    wrong += [f"{path.name}: {n} questions have the id {k}." for k, n in names.items() if n > 1]
    return ([] if wrong else data), wrong


def complaints(question: object, known: dict[str, tuple[str, str]]) -> list[str]:
    """All that is wrong with one question, each as the end of a sentence."""
    wrong = keys_complaints(question, NEEDED, "a question", MAYBE)
    if wrong:
        return wrong
    if not NAME.fullmatch(str(question["id"])):
        wrong.append("an id is 'q-' and lower-case words joined by '-', as in q-wa-hmm-paths")
    if question["objective"] not in known:
        wrong.append(f"teaching/objectives.yml has no objective '{question['objective']}'")
    if question["kind"] not in KINDS:
        wrong.append(f"the kind is one of {', '.join(KINDS)}, not '{question['kind']}'")
    if question["difficulty"] not in LEVELS:
        wrong.append("the difficulty is 1, 2 or 3")
    for key in ("minutes", "points"):
        if type(question[key]) is not int or not 1 <= question[key] <= 30:
            wrong.append(f"'{key}' is a whole number from 1 to 30")
    for key in ("ask", "answer"):
        wrong += text_complaints(question[key], f"'{key}'")
    return wrong + of_marking(question) + of_values(question)


def text_complaints(text: object, what: str) -> list[str]:
    """What keeps a text from being set, on a page or in a drawn exam."""
    if not isinstance(text, str) or not text.strip():
        return [f"{what} must be text"]
    prose = CODE.sub(" ", text)
    wrong = [
        f"{what} holds {name}"
        for name, mark in NOT_ALLOWED.items()
        if mark.search(text if name == "a directive or role" else prose)
    ]
    if text.count("```") % 2 or FORMULA.sub(" ", prose).count("$"):
        wrong.append(f"{what} opens code or a formula and does not close it")
    if any(
        "$$" in part and not re.fullmatch(r"\$\$[^$]+\$\$", part.strip())
        for part in re.split(r"\n\s*\n", prose)
    ):
        wrong.append(f"{what} has a formula of its own line without empty lines around it")
    return wrong


def of_marking(question: dict) -> list[str]:
    """What is wrong with the marking hints."""
    hints = question["marking"]
    good = isinstance(hints, list) and hints and all(
        isinstance(hint, list) and len(hint) == 2 and type(hint[0]) is int and hint[0] > 0
        for hint in hints
    )  # fmt: skip
    if not good:
        return ["'marking' lists pairs of points and what they are for, as in [2, 'the sum']"]
    total = sum(points for points, _ in hints)
    wrong = [text for _, hint in hints for text in text_complaints(hint, "a marking hint")]
    if total != question["points"]:
        wrong.append(f"the marking hints give {total} points, the question {question['points']}")
    return wrong


def of_values(question: dict) -> list[str]:
    """What is wrong with the stored numbers."""
    values, within = question.get("values"), question.get("within")
    if values is None:
        unneeded = ["'within' without 'values' says nothing"] if within is not None else []
        missing = ["a computation needs 'values'"] if question["kind"] == "computation" else []
        return unneeded + missing
    if not isinstance(values, dict) or not values or not all(map(number, values.values())):
        return ["'values' gives names and numbers, as in {aer: 0.25}"]
    every = within if isinstance(within, dict) else dict.fromkeys(values, within)
    if every.keys() != values.keys() or not all(number(w) and w >= 0 for w in every.values()):
        return ["'within' is a number that is not negative, or one for each of the values"]
    written = numbers(question["answer"])
    return [
        f"the answer does not say the value {name} = {value}"
        for name, value in values.items()
        if name != RESIDUAL
        and not any(math.isclose(value, w, rel_tol=1e-9, abs_tol=1e-12) for w in written)
    ]


def numbers(text: str) -> set[float]:
    """All numbers that a text says in digits."""
    plain = text.replace("{,}", ",").replace("\N{MINUS SIGN}", "-")
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", plain)
    found = {float(word) for word in re.findall(r"\d+(?:\.\d+)?", plain)}
    return found | {float(word) for word in re.findall(r"-\d+(?:\.\d+)?", plain)}


def tolerances(question: dict) -> dict[str, float]:
    """How far the computed number may be from the stored one, for each value."""
    within = question["within"]
    return within if isinstance(within, dict) else dict.fromkeys(question["values"], within)


def computed(question: dict, chapter: int) -> dict[str, float]:
    """The numbers of a question, computed by its function in ``exam_bank/checks/``."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    module = importlib.import_module(f"exam_bank.checks.{CHAPTERS[chapter][1][3:]}")
    return getattr(module, question["id"].replace("-", "_"))()


def disagreements(question: dict, chapter: int) -> list[str]:
    """Stored numbers that the code does not confirm, each as a sentence."""
    found, within = computed(question, chapter), tolerances(question)
    if found.keys() != question["values"].keys():
        return [f"{question['id']}: the check computes {sorted(found)}."]
    return [
        f"{question['id']}: {name} is stored as {value} and computed as {found[name]:.6g}."
        for name, value in question["values"].items()
        # not <=: a number that is not a number agrees with nothing
        if not abs(found[name] - value) <= within[name] + 1e-9
    ]


@cache
def bank() -> dict[int, list[dict]]:
    """All questions by chapter; a `ValueError` says what is wrong first."""
    known, found = objectives(), {}
    for chapter in CHAPTERS:
        found[chapter], wrong = read(file_of(chapter), known)
        if wrong:
            raise ValueError(wrong[0])
    return found


def questions_on() -> dict[str, list[dict]]:
    """The questions on each objective; those of a broken file are left out."""
    known = objectives()
    found: dict[str, list[dict]] = {name: [] for name in known}
    for chapter in CHAPTERS:
        for question in read(file_of(chapter), known)[0]:
            found[question["objective"]].append(question)
    return found


def marked(text: str) -> str:
    """The text with its Chinese marked for the site, outside code and formulas."""

    def span(match: re.Match) -> str:
        return f"[{match[0].rstrip()}]{{.language-zh}}{' ' * match[0].endswith(' ')}"

    parts = re.split(f"({CODE.pattern}|{FORMULA.pattern})", text, flags=re.S)
    return "".join(part if nth % 2 else CHINESE.sub(span, part) for nth, part in enumerate(parts))


def samples() -> dict[str, dict]:
    """The sample exams by letter: title, minutes, ids of their questions in order."""
    data, wrong = load(FOLDER / "samples.yml")
    if wrong:
        raise ValueError(wrong[0])
    return data


def sample(letter: str) -> list[tuple[int, dict]]:
    """Chapter and question of each question of a sample exam."""
    places = {q["id"]: (chapter, q) for chapter, found in bank().items() for q in found}
    for name in samples()[letter]["questions"]:
        if name not in places:
            raise ValueError(f"samples.yml, exam {letter}: the bank has no question {name}.")
    return [places[name] for name in samples()[letter]["questions"]]
