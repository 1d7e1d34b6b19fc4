"""Drawing an exam from the bank, and writing exam and key as Markdown.

Nothing here is random: the order in which questions are tried is that of digests of the seed and
the question's id, so the same bank and the same wishes give the same exam, with every Python.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from exam_files import CHAPTERS, KINDS, LEVELS, objectives

Drawn = list[tuple[int, dict]]
ATTEMPTS = 3000


class Stop(Exception):
    """One plain sentence for the instructor."""


def draw(
    bank: Mapping[int, Sequence[dict]],
    *,
    minutes: int,
    seed: int = 0,
    chapters: Collection[int] = tuple(CHAPTERS)[1:],
    levels: Collection[int] = tuple(LEVELS),
    points: int | None = None,
    without: Collection[str] = (),
) -> Drawn:
    """Questions from each of the chapters, as many as fit, no two with one objective.

    With `points`, the points must sum to exactly that, and the minutes may be up to ten fewer.
    """
    usable = {
        chapter: [
            question
            for question in bank[chapter]
            if question["difficulty"] in levels and question["id"] not in without
        ]
        for chapter in sorted(chapters)
    }
    for chapter, questions in usable.items():
        if not questions:
            raise Stop(f"No question of chapter {chapter} is left after the filters.")
    least = sum(min(q["minutes"] for q in questions) for questions in usable.values())
    if least > minutes:
        raise Stop(
            f"One question from each of {len(usable)} chapters takes at least {least} minutes, "
            f"and the exam has {minutes}."
        )
    best: Drawn = []
    for attempt in range(ATTEMPTS):
        drawn = one_attempt(usable, minutes, f"{seed} {attempt}")
        if len({chapter for chapter, _ in drawn}) < len(usable):
            continue
        if points is not None:
            if total(drawn, "points") == points and total(drawn, "minutes") >= minutes - 10:
                return in_order(drawn)
        elif total(drawn, "minutes") > total(best, "minutes"):
            best = drawn
            if total(best, "minutes") == minutes:
                break
    if points is not None:
        raise Stop(
            f"No exam of {points} points was found in {minutes} minutes: ask for other points, or "
            "try another seed."
        )
    if not best:
        raise Stop(f"No exam from all {len(usable)} chapters was found in {minutes} minutes.")
    return in_order(best)


def one_attempt(usable: Mapping[int, Sequence[dict]], minutes: int, key: str) -> Drawn:
    """Go round the chapters, and take from each the first question that fits."""

    def place(name: object) -> str:
        return hashlib.sha256(f"{key} {name}".encode()).hexdigest()

    waiting = {
        chapter: sorted(usable[chapter], key=lambda question: place(question["id"]))
        for chapter in sorted(usable, key=place)
    }
    drawn: Drawn = []
    while any(waiting.values()):
        for chapter, questions in waiting.items():
            while questions:
                question = questions.pop(0)
                if fits(question, [other for _, other in drawn], minutes):
                    drawn.append((chapter, question))
                    break
    return drawn


def fits(question: dict, others: Sequence[dict], minutes: int) -> bool:
    """Whether there is time, the objective is new, and its kind is not yet a third of the exam."""
    kinds = Counter(other["kind"] for other in others)
    return (
        sum(other["minutes"] for other in others) + question["minutes"] <= minutes
        and all(other["objective"] != question["objective"] for other in others)
        and kinds[question["kind"]] < max(2, minutes // 18)
    )


def total(drawn: Drawn, what: str) -> int:
    """Sum of the points or of the minutes."""
    return sum(question[what] for _, question in drawn)


def in_order(drawn: Drawn) -> Drawn:
    """By chapter, and easy ones first."""
    return sorted(drawn, key=lambda pair: (pair[0], pair[1]["difficulty"], pair[1]["id"]))


# --- Markdown -------------------------------------------------------------------------------------


def number_of(chapters: Collection[int]) -> str:
    """Chapters as people write them: 1-3, 5."""
    runs: list[list[int]] = []
    for chapter in sorted(chapters):
        if runs and runs[-1][-1] == chapter - 1:
            runs[-1].append(chapter)
        else:
            runs.append([chapter])
    return ", ".join(f"{run[0]}–{run[-1]}" if run[1:] else str(run[0]) for run in runs)


def points_table(drawn: Drawn) -> str:
    """A table with a place for the points of each question."""
    names = [*map(str, range(1, len(drawn) + 1)), "sum"]
    most = [*(str(question["points"]) for _, question in drawn), str(total(drawn, "points"))]
    rows = [["question", *names], ["---"] * (len(names) + 1), ["out of", *most]]
    rows.append(["points", *[" "] * len(names)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def head_of(question: dict, nth: int) -> str:
    """The line a question begins with."""
    points, minutes = question["points"], question["minutes"]
    return f"{nth}. {KINDS[question['kind']].capitalize()} ({points} points, {minutes} minutes)"


def exam_text(drawn: Drawn, title: str, minutes: int) -> str:
    """The exam as Markdown."""
    parts = [
        f"# {title}",
        "Name:",
        f"{minutes} minutes, {total(drawn, 'points')} points. A pocket calculator is allowed. Show "
        "how you got there: a bare result gets at most half of the points.",
        points_table(drawn),
    ]
    for nth, (_, question) in enumerate(drawn, 1):
        parts += [f"## {head_of(question, nth)}", question["ask"].strip()]
    return "\n\n".join(parts) + "\n"


def hints(question: dict) -> str:
    """The marking hints as a list."""
    return "\n".join(f"- **{points}** for {hint}" for points, hint in question["marking"])


def key_text(drawn: Drawn, title: str) -> str:
    """The key as Markdown."""
    known = objectives()
    covered = number_of({chapter for chapter, _ in drawn})
    parts = [
        f"# {title}: key",
        f"Chapters {covered}, {total(drawn, 'points')} points, {total(drawn, 'minutes')} minutes "
        "expected.",
    ]
    for nth, (chapter, question) in enumerate(drawn, 1):
        page, says = known[question["objective"]]
        parts += [
            f"## {head_of(question, nth)}",
            f"`{question['id']}`, chapter {chapter}, `{page}`, {LEVELS[question['difficulty']]}. "
            f"Objective `{question['objective']}`: {says}",
            question["answer"].strip(),
            "Marking:",
            hints(question),
        ]
    return "\n\n".join(parts) + "\n"
