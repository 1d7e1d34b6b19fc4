"""What the instructor's pages are made of: the pages' own times, the syllabus, the objectives.

Times come from where they are said: reading from the pages, exercises from their titles, problem
sets from ``coursework/``. ``teaching/*.yml`` hold the choices: what is read when, what is done in
class, which exercise practises which objective. The objectives are those that the pages say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from exam_files import OBJECTIVES
from quiz_files import Loader
from softalign_find_pages import table_of_contents

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "teaching"
SYLLABUS, MEMORY = FOLDER / "syllabus.yml", FOLDER / "memory.json"
# What somebody can be asked to do. "Understand" and "know" are none of these.
VERBS = """Add Align Average Build Choose Clip Compare Compute Count Decide Derive Design Draw
Estimate Explain Extract Find Fool Implement Judge Keep Make Mask Measure Name Predict Prove Put
Read Recognise Report Run Say Search Stack Tell Train Tune Turn Weight Work Write"""
KINDS = ("talk", "work", "discuss")
# How long an exercise takes stands in its title; an evening is counted as two hours.
DURATIONS = {
    "Two minutes": 2,
    "Five minutes": 5,
    "Ten minutes": 10,
    "Fifteen minutes": 15,
    "Twenty minutes": 20,
    "Half an hour": 30,
    "An hour": 60,
    "An evening": 120,
}
EXERCISE = re.compile(r"\{exercise(?:-start)?\} ([^\n]*)\n:label: (\S+)")


class TeachingError(Exception):
    """A file of ``teaching/`` and the book do not fit; one sentence."""


# --- the book -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exercise:
    """An exercise of a page: its label, its title without the time, its minutes."""

    label: str
    title: str
    minutes: int


@dataclass(frozen=True)
class Asked:
    """A question of a problem set: its name (``set/question``), its heading, its set's number."""

    name: str
    title: str
    number: int


@cache
def text(page: str) -> str:
    """The Markdown of a page."""
    notebook = ROOT / f"{page}.ipynb"
    if not notebook.exists():
        return (ROOT / f"{page}.md").read_text(encoding="utf-8")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def title(page: str) -> str:
    """The title of a page, as Markdown."""
    return re.search(r"^# (.+)$", text(page), re.MULTILINE)[1]


def reading(page: str) -> int:
    """Minutes to read a page, as it says itself."""
    found = re.search(r"\*\*Time:\*\* (\d+) minutes? to read", text(page))
    if not found:
        raise TeachingError(f"{page} does not say how long it takes to read.")
    return int(found[1])


@cache
def exercises(page: str) -> dict[str, Exercise]:
    """Exercises of a page by their labels."""
    found = {}
    for heading, label in EXERCISE.findall(text(page)):
        duration, _, rest = heading.partition(": ")
        if duration not in DURATIONS:
            raise TeachingError(f"{page}: '{heading}' does not begin with a time that is known.")
        found[label] = Exercise(label, rest, DURATIONS[duration])
    return found


def taught() -> list[str]:
    """Pages that a course goes through: the first one, the refresher, the corpus, the chapters."""
    before = ("book/prerequisites", "book/corpus")
    pages = table_of_contents()
    return [p for p in pages if p == pages[0] or p in before or p.startswith("chapters/")]


def lessons() -> list[str]:
    """Pages with exercises: those that have objectives."""
    return [page for page in taught() if exercises(page)]


def checks(page: str) -> list[str]:
    """Ids of the self-checks of a page, in its order."""
    path = ROOT / "quizzes" / f"{page}.yml"
    return [q["id"] for q in yaml.load(path.read_text(encoding="utf-8"), Loader)]


@cache
def asked() -> dict[str, Asked]:
    """All questions of the problem sets."""
    from softalign_course import sets

    found = {}
    for number, name in enumerate(sets.names(), 1):
        one = sets.find(name)
        known = {*one.questions, *(cell.name for cell in one.written)}
        heading = ""
        source = (sets.folder() / name / "source.md").read_text(encoding="utf-8")
        for line in source.splitlines():
            if line.startswith("## "):
                heading = re.sub(r"^(?:Warm-up|An experiment): ", "", line[3:])
                heading = heading.partition(" (")[0]
            elif (match := re.search(r'grade_id"?: "?(\w+)', line)) and match[1] in known:
                heading_text = heading[:1].upper() + heading[1:]
                found[f"{name}/{match[1]}"] = Asked(f"{name}/{match[1]}", heading_text, number)
    return found


def set_pages(name: str) -> list[str]:
    """Pages that a problem set needs."""
    from softalign_course import sets

    return [f"chapters/{page}" for page in sets.find(name).info["pages"]]


def set_minutes() -> dict[str, int]:
    """Minutes that each problem set takes at most."""
    from softalign_course import sets

    return {name: round(60 * sets.find(name).info["hours"]) for name in sets.names()}


# --- the choices ----------------------------------------------------------------------------------


def objectives() -> dict[str, list[dict]]:
    """Objectives of each page, in its order, with ``sets`` always there."""
    data = yaml.load(OBJECTIVES.read_text(encoding="utf-8"), Loader)
    return {page: [{"sets": [], **one} for one in found] for page, found in data.items()}


def syllabus() -> dict:
    """The sessions and the courses made of them."""
    return yaml.load(SYLLABUS.read_text(encoding="utf-8"), Loader)


@dataclass(frozen=True)
class Week:
    """Minutes of a week of a course, by what they are spent on."""

    number: int
    sessions: tuple[int, ...]
    reading: int
    lessons: int
    exercises: int
    sets: int

    @property
    def total(self) -> int:
        """All minutes of the week."""
        return self.reading + self.lessons + self.exercises + self.sets


def homework(session: dict) -> list[Exercise]:
    """Exercises of a session, found on the pages of the whole course."""
    known = {label: one for page in lessons() for label, one in exercises(page).items()}
    return [known[label] for label in session["exercises"]]


def weeks(plan: dict, course: dict) -> list[Week]:
    """The weeks of a course with their minutes."""
    found = []
    for number in range(1, course["weeks"] + 1):
        first = (number - 1) * course["sessions"]
        here = plan["sessions"][first : first + course["sessions"]]
        found.append(
            Week(
                number,
                tuple(range(first + 1, first + 1 + len(here))),
                sum(reading(page) for one in here for page in one["read"]),
                sum(minutes for one in here for minutes, _, _ in one["class"]),
                sum(e.minutes for one in here for e in homework(one)),
                sum(in_weeks.get(number, 0) for in_weeks in course["sets"].values()),
            )
        )
    return found


def sets_of(course: dict, week: int) -> list[str]:
    """Names of the sets that are worked in a week."""
    return [name for name, in_weeks in course["sets"].items() if week in in_weeks]


# --- a large class --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Need:
    """GB of memory and of disk for a number of students at work at the same time."""

    students: int
    median: float
    most: float
    disk: float


def memory() -> dict:
    """What ``tools/measure_students.py`` has measured."""
    return json.loads(MEMORY.read_text(encoding="utf-8"))


def folder_size() -> int:
    """Bytes of the notebooks and texts that one student gets."""
    from dist_notebooks import files

    given = files(ROOT, table_of_contents())
    return sum(len(data) for name, data in given.items() if not name.startswith("library/"))


def needs(students: list[int], stored: dict) -> list[Need]:
    """Memory for a server and one kernel each, at the median page and at the largest; and disk.

    A kernel counts with its peak less what it shares with the others at its end. The disk holds the
    environment once and, for each student, the notebooks twice: as given, and with outputs.
    """
    own = sorted(one["peak"] - (one["resident"] - one["own"]) for one in stored["kernels"].values())
    server = stored["server"]["own"]
    shared = max(one["resident"] - one["own"] for one in stored["kernels"].values())
    found = []
    for count in students:
        median, most = (
            (count * (server + kernel) + shared) / 1000 for kernel in (own[len(own) // 2], own[-1])
        )
        disk = (stored["environment"] + count * 2 * folder_size() / 1e6) / 1000
        found.append(Need(count, median, most, disk))
    return found
