"""The self-checks as files: read ``quizzes/<page>.yml`` and say in plain sentences what is wrong.

The Sphinx extension softalign_quiz puts the questions on the pages; the tests hold the rules for
all of them together. CONTRIBUTING.md describes the format.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "quizzes"
# Keys a question must have, by its kind, beside these four.
COMMON = ("id", "kind", "about", "ask")
KEYS = {
    "choice": ("options",),
    "number": ("answer", "within", "check", "because", "wrong", "otherwise"),
    "order": ("steps", "because"),
}
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
NOT_ALLOWED = {
    "a link": re.compile(r"\]\("),
    "a directive or role": re.compile(r"\{[\w:-]+\}`|`{3}|:{3}"),
    "a formula of its own line": re.compile(r"\$\$"),
    "HTML": re.compile(r"</?[a-z]+[ >/]"),
}
LETTERS = "ABCDEF"


class Doubled(yaml.YAMLError):
    """A key stands twice in the same place."""


class Loader(yaml.SafeLoader):
    """YAML as it should be: a key that stands twice is an error, not the later one's victory."""

    def construct_mapping(self, node, deep=False):
        """A mapping whose keys all differ."""
        keys = Counter(self.construct_object(key, deep=True) for key, _ in node.value)
        for key, count in keys.items():
            if count > 1:
                raise Doubled(f"the key '{key}' stands twice near line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


def path_of(page: str) -> Path:
    """Where the questions of a page are."""
    return FOLDER / f"{page}.yml"


def pages() -> list[str]:
    """Names of all pages that have questions."""
    found = FOLDER.rglob("*.yml")
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in found)


def read(path: Path) -> tuple[list[dict], list[str]]:
    """Questions of a file, and what is wrong with them; no question is kept from a broken file."""
    shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        reason = getattr(problem, "problem", None) or problem
        return [], [f"{shown} is not YAML{line}: {reason}."]
    if not isinstance(data, list) or not data:
        return [], [f"{shown} must be a list of questions, each beginning with '- id:'."]
    wrong = []
    for number, question in enumerate(data, 1):
        name = question.get("id", number) if isinstance(question, dict) else number
        wrong += [f"{shown}, question {name}: {words}." for words in complaints(question)]
    names = Counter(str(question.get("id")) for question in data if isinstance(question, dict))
    wrong += [
        f"{shown}, question {name}: {count} questions have this id; an id is for one question."
        for name, count in names.items()
        if count > 1
    ]
    return ([] if wrong else data), wrong


def complaints(question: object) -> list[str]:
    """All that is wrong with one question, each as the end of a sentence."""
    if not isinstance(question, dict):
        return ["a question is written as 'key: value' lines"]
    kind = question.get("kind")
    if kind not in KEYS:
        return [f"the kind is choice, number or order, not '{kind}'"]
    wrong = keys_complaints(question, (*COMMON, *KEYS[kind]), f"a question of kind {kind}")
    if wrong:
        return wrong
    if not NAME.fullmatch(str(question["id"])):
        wrong.append("an id is lower-case words joined by '-', as in wa-softmax")
    if not isinstance(question["about"], str):
        wrong.append("'about' names a label of the page")
    wrong += text_complaints(question["ask"], "'ask'")
    return wrong + {"choice": of_choice, "number": of_number, "order": of_order}[kind](question)


def keys_complaints(thing: object, needed: tuple, what: str, maybe: tuple = ()) -> list[str]:
    """Missing and unknown keys."""
    if not isinstance(thing, dict):
        return [f"{what} is written as 'key: value' lines"]
    wrong = [f"{what} needs '{key}'" for key in needed if thing.get(key) is None]
    unknown = [str(key) for key in thing if key not in (*needed, *maybe)]
    return wrong + [f"{what} has no '{key}'" for key in unknown]


def text_complaints(text: object, what: str, one_line: bool = False) -> list[str]:
    """What keeps a text from being set."""
    if not isinstance(text, str) or not text.strip():
        return [f"{what} must be text (put quotes around it)"]
    wrong = [f"{what} holds {name}" for name, mark in NOT_ALLOWED.items() if mark.search(text)]
    bare = re.sub(r"`[^`]*`|\\.", "", text)
    if not wrong and bare.count("$") % 2:
        wrong.append(f"{what} opens a formula with $ and does not close it")
    if one_line and "\n\n" in text.strip():
        wrong.append(f"{what} is one paragraph")
    return wrong


def number(value: object) -> bool:
    """Whether a value is a finite number (True and False are none)."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value)


def of_choice(question: dict) -> list[str]:
    """What is wrong with the options."""
    options = question["options"]
    if not isinstance(options, list) or len(options) not in (3, 4):
        return ["a choice has three or four options"]
    wrong = []
    for letter, option in zip(LETTERS, options, strict=False):
        wrong += keys_complaints(option, ("says", "because"), f"option {letter}", ("right",))
    if wrong:
        return wrong
    for letter, option in zip(LETTERS, options, strict=False):
        wrong += text_complaints(option["says"], f"option {letter}", one_line=True)
        wrong += text_complaints(option["because"], f"the reason of option {letter}")
        if option.get("right", True) is not True:
            wrong.append(f"'right' of option {letter} is true or left out")
    right = sum(option.get("right") is True for option in options)
    if right != 1:
        wrong.append(f"exactly one option is right, not {right}")
    if len({str(option["says"]).strip() for option in options}) < len(options):
        wrong.append("two options say the same")
    return wrong


def of_number(question: dict) -> list[str]:
    """What is wrong with the answer, the tolerance, the typical mistakes."""
    answer, within, mistakes = question["answer"], question["within"], question["wrong"]
    if not number(answer):
        return [f"the answer must be a number, not '{answer}'"]
    if not number(within) or within < 0:
        return [f"'within' must be a number that is not negative, not '{within}'"]
    wrong = text_complaints(question["because"], "'because'")
    wrong += text_complaints(question["otherwise"], "'otherwise'")
    if not isinstance(mistakes, list) or not mistakes:
        return [*wrong, "'wrong' lists at least one typical wrong number"]
    for mistake in mistakes:
        bad = keys_complaints(mistake, ("answer", "because"), "an entry of 'wrong'")
        if not bad and not number(mistake["answer"]):
            bad = [f"a wrong answer must be a number, not '{mistake['answer']}'"]
        if not bad:
            bad = text_complaints(mistake["because"], f"the reason of {mistake['answer']}")
            if abs(mistake["answer"] - answer) <= within + 1e-9:
                bad.append(f"the wrong answer {mistake['answer']} would be counted as right")
        wrong += bad
    if not wrong and len({mistake["answer"] for mistake in mistakes}) < len(mistakes):
        wrong.append("two wrong answers are the same number")
    try:
        tree = ast.parse(question["check"] if isinstance(question["check"], str) else "")
    except SyntaxError as problem:
        return [*wrong, f"'check' is not Python: {problem.msg} in its line {problem.lineno}"]
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        wrong.append("'check' ends in an expression, the answer")
    return wrong


def of_order(question: dict) -> list[str]:
    """What is wrong with the steps."""
    steps = question["steps"]
    if not isinstance(steps, list) or not 3 <= len(steps) <= 6:
        return ["an order has three to six steps"]
    wrong = text_complaints(question["because"], "'because'")
    for place, step in enumerate(steps, 1):
        needed = ("says", "because") if place > 1 else ("says",)
        bad = keys_complaints(step, needed, f"step {place}")
        if not bad:
            bad = text_complaints(step["says"], f"step {place}", one_line=True)
        if not bad and place > 1:
            bad = text_complaints(step["because"], f"the reason of step {place}")
        wrong += bad
    if not wrong and len({step["says"].strip() for step in steps}) < len(steps):
        wrong.append("two steps say the same")
    return wrong


def digest(question: dict) -> str:
    """What the browser keeps a reader's answer under: of a changed question it knows none."""
    text = json.dumps(question, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def shuffled(question: dict) -> list[int]:
    """The order in which the steps are shown: always the same, and never the right one."""
    places = list(range(len(question["steps"])))
    key = digest(question)
    mixed = sorted(places, key=lambda place: hashlib.sha256(f"{key}{place}".encode()).hexdigest())
    return mixed if mixed != places else [*places[1:], 0]


def computed(question: dict) -> float:
    """Run the ``check`` of a number question: the value of its last line."""
    *before, last = ast.parse(question["check"]).body
    names: dict = {"__name__": question["id"]}
    exec(compile(ast.Module(before, []), question["id"], "exec"), names)
    return float(eval(compile(ast.Expression(last.value), question["id"], "eval"), names))
