"""Sphinx extension of the book: the instructor's pages, made from ``teaching/`` and the pages.

Each directive writes Markdown, which is set as if it stood on the page: ``{softalign-syllabus}``,
``{softalign-objectives}``, ``{softalign-slides}``, ``{softalign-students}`` (memory for a class).
The slides themselves are put beside the site's own files, and in ``_build/slides``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import exam_files
import slides
import slides_rules
import teach_data as data
from docutils import nodes
from docutils.statemachine import StringList
from softalign_exam import title_of
from softalign_find_pages import page_files, table_of_contents
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)
DECKS = "_static/slides"
CLASSES = [30, 100, 300]


def link(page: str, said: str = "") -> str:
    """Markdown of a link from a page of ``book/`` to a page of the book."""
    path = page_files()[page].relative_to(data.ROOT)
    return f"[{said or data.title(page)}]({Path(os.path.relpath(path, 'book')).as_posix()})"


def table(head: list[str], rows: list[list[object]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"
    yield ""


def minutes(number: float) -> str:
    """Minutes as hours and minutes, which no line break parts."""
    return f"{number // 60:.0f}\u00a0h\u00a0{number % 60:02.0f}"


# --- the syllabus ---------------------------------------------------------------------------------


def syllabus_lines() -> Iterator[str]:
    """The courses, week by week, then the sessions that both are made of."""
    plan = data.syllabus()
    from softalign_course import sets

    numbers = {name: number for number, name in enumerate(sets.names(), 1)}
    for course in plan["courses"]:
        yield f"(instructors-weeks-{course['weeks']})="
        yield f"## {course['weeks']} weeks"
        yield ""
        each = course["sessions"]
        yield (
            f"{course['weeks']} weeks, {'two sessions' if each == 2 else 'one session'} of "
            f"{plan['minutes']} minutes a week."
        )
        yield ""
        rows, found = [], data.weeks(plan, course)
        for week in found:
            titles = [
                f"{{ref}}`{number} <instructors-session-{number}>`: "
                f"{plan['sessions'][number - 1]['title']}"
                for number in week.sessions
            ]
            worked = [f"Set {numbers[name]}" for name in data.sets_of(course, week.number)]
            parts = (week.reading, week.lessons, week.exercises, week.sets)
            times = [minutes(one) if one else "–" for one in parts]
            if worked:
                times[-1] += f"<br>{', '.join(worked)}"
            rows.append([week.number, "<br>".join(titles), *times, minutes(week.total)])
        sums = [
            minutes(sum(getattr(week, name) for week in found))
            for name in ("reading", "lessons", "exercises", "sets", "total")
        ]
        rows.append(["all", "", *sums])
        head = ["Week", "Sessions", "Reading", "In class", "Exercises", "Problem set", "Together"]
        yield from table(head, rows)
    yield "(instructors-sessions)="
    yield "## The sessions"
    yield ""
    for number, session in enumerate(plan["sessions"], 1):
        yield f"(instructors-session-{number})="
        yield f"### Session {number}: {session['title']}"
        yield ""
        read = [f"{link(page)} ({data.reading(page)} min)" for page in session["read"]]
        total = sum(data.reading(page) for page in session["read"])
        yield f"**Read before:** {', '.join(read)}; together {total} minutes."
        yield ""
        rows = [[f"{time} min", kind, what] for time, kind, what in session["class"]]
        yield from table(["Time", "Kind", "In class"], rows)
        work = data.homework(session)
        listed = [f"{{ref}}`{one.title} <{one.label}>` ({one.minutes} min)" for one in work]
        total = sum(one.minutes for one in work)
        yield f"**Exercises after:** {', '.join(listed)}; together {total} minutes."
        yield ""
    others = [page for page in table_of_contents() if page not in data.taught()]
    yield "(instructors-beside)="
    yield "## Beside the sessions"
    yield ""
    yield f"To look things up, or to teach with: {', '.join(link(page) for page in others)}."
    yield ""


# --- the objectives -------------------------------------------------------------------------------


def objective_lines() -> Iterator[str]:
    """For each page its objectives, and where each is practised and tested."""
    asked, found, examined = data.asked(), data.objectives(), exam_files.questions_on()
    every = [one for page in found.values() for one in page]
    bare = [one for one in every if not one["exercises"]]
    alone = [one for one in bare if not one["checks"] and not one["sets"]]
    unasked = [one for one in every if not examined[one["id"]]]
    yield (
        f"{len(every)} objectives. {len(bare)} have no exercise; {len(alone)} of these have no "
        "self-check and no question of a problem set either. "
        f"{len(unasked)} have no question in the exam bank."
    )
    yield ""
    for page in data.lessons():
        yield f"(objectives-{page.split('/')[-1].replace('_', '-')})="
        yield f"## {data.title(page)}"
        yield ""
        known, order = data.exercises(page), data.checks(page)
        address = os.path.relpath(f"{page}.html", "book").replace(os.sep, "/")
        yield f"On {link(page)}:"
        yield ""
        rows = []
        for one in found[page]:
            practised = [f"{{ref}}`{known[label].title} <{label}>`" for label in one["exercises"]]
            graded = [f"Set {asked[name].number}: {asked[name].title}" for name in one["sets"]]
            checks = [
                f'<a href="{address}#quiz-{name}">{order.index(name) + 1}</a>'
                for name in one["checks"]
            ]
            exam = [f"{{ref}}`{title_of(q)} <{q['id']}>`" for q in examined[one["id"]]]
            parts = (", ".join(checks), "; ".join(graded), "; ".join(exam))
            cells = ["; ".join(practised) or "no exercise", *(part or "–" for part in parts)]
            rows.append([one["says"], *cells])
        head = ["Objective", "Exercises", "Self-checks", "Problem sets", "Exam questions"]
        yield from table(head, rows)


# --- slides and classes ---------------------------------------------------------------------------


def slide_lines() -> Iterator[str]:
    """A row for each deck: its link, its slides, its pages."""
    rows = []
    for chapter, paths in slides.chapters().items():
        pages = [f"chapters/{chapter}/{path.stem}" for path in paths]
        count = sum(1 for path in paths for _ in slides_rules.slides(slides_rules.read(path)))
        deck = f'<a href="../{DECKS}/{chapter}.html">{data.title(pages[0])}</a>'
        rows.append([deck, count, ", ".join(link(page) for page in pages[1:])])
    yield from table(["Deck", "Slides", "Made from"], rows)


def student_lines() -> Iterator[str]:
    """What was measured, and what a class needs."""
    stored = data.memory()
    versions = ", ".join(f"{name} {version}" for name, version in stored["versions"].items())
    yield f"Measured on {stored['date']}: {stored['machine']}, {versions}."
    yield ""
    head = ["One student's", "Peak, MB", "At the end, MB", "Not shared, MB"]
    kernels = sorted(stored["kernels"].items(), key=lambda item: item[1]["peak"])
    picked = [kernels[0], kernels[len(kernels) // 2], kernels[-1]]
    names = ("smallest", "median", "largest")
    server = stored["server"]
    rows = [["JupyterLab server", server["peak"], server["resident"], server["own"]]]
    for name, (page, one) in zip(names, picked, strict=True):
        rows.append([f"{name} kernel: {link(page)}", one["peak"], one["resident"], one["own"]])
    yield from table(head, rows)
    rows = [
        [need.students, f"{need.median:.0f} GB", f"{need.most:.0f} GB", f"{need.disk:.0f} GB"]
        for need in data.needs(CLASSES, stored)
    ]
    head = ["Students at work at once", "Memory, all on the median page"]
    head += ["Memory, all on the largest page", "Disk"]
    yield from table(head, rows)


WRITERS = {
    "softalign-syllabus": syllabus_lines,
    "softalign-objectives": objective_lines,
    "softalign-slides": slide_lines,
    "softalign-students": student_lines,
}


class TeachDirective(SphinxDirective):
    """Sets what one of the writers has written."""

    def run(self) -> list[nodes.Node]:
        """Parse the lines as a part of the page."""
        files = [*data.FOLDER.iterdir(), *page_files().values(), data.ROOT / "_toc.yml"]
        files += [*data.ROOT.glob("quizzes/**/*.yml"), *data.ROOT.glob("coursework/*/source.md")]
        files += exam_files.FOLDER.glob("*.yml")
        for path in [*files, *Path(__file__).parent.glob("*teach*.py")]:
            self.env.note_dependency(str(path))
        data.text.cache_clear()
        data.exercises.cache_clear()
        lines = StringList(list(WRITERS[self.name]()), self.env.docname)
        # into the page itself: a label before the first heading must stand before it
        self.state.nested_parse(lines, 0, self.state_machine.node, match_titles=True)
        return []


def take_decks_away(app: Sphinx, exception: Exception | None) -> None:
    """Keep what works on all of the site's pages from working on slides."""
    shutil.rmtree(Path(app.outdir, DECKS), ignore_errors=True)


def put_decks_back(app: Sphinx, exception: Exception | None) -> None:
    """Make the slides and put them into the site."""
    if exception is not None or app.builder.name != "html":
        return
    try:
        slides.write()
    except slides.SlidesError as problem:
        log.warning("[softalign] no slides: %s", problem)
        return
    ignore = shutil.ignore_patterns(slides.STAMP)
    shutil.copytree(slides.TARGET, Path(app.outdir, DECKS), ignore=ignore)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    for name in WRITERS:
        app.add_directive(name, TeachDirective)
    app.connect("build-finished", take_decks_away, priority=1)
    app.connect("build-finished", put_decks_back, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": False, "env_version": 1}
