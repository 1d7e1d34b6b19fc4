"""The instructor's kit: a syllabus without gaps, its sums, the objectives, a large class."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import warnings
from collections import Counter

import exam_files
import pytest
import softalign_teach
import teach_data as data
import yaml
from book_files import LESSONS, PAGES, ROOT, source_of, table_of_contents

PLAN = data.syllabus()
COURSES = {course["weeks"]: course for course in PLAN["courses"]}
OBJECTIVES = data.objectives()
EVERY = [one for found in OBJECTIVES.values() for one in found]
EXAMINED = exam_files.questions_on()
each_course = pytest.mark.parametrize("course", COURSES.values(), ids=map(str, COURSES))
each_lesson = pytest.mark.parametrize("page", data.lessons())
LABELS = {
    label for page in PAGES for label in re.findall(r"^\((\S+)\)=$", page.prose, re.MULTILINE)
} | {label for page in data.lessons() for label in data.exercises(page)}


# --- what is read off the book --------------------------------------------------------------------


def test_the_pages_that_are_taught_are_all_pages_of_the_chapters_and_three_before():
    taught = set(data.taught())
    assert {page.name for page in LESSONS} <= taught
    chapters = {name for name in table_of_contents() if name.startswith("chapters/")}
    assert taught - chapters == {"book/intro", "book/prerequisites", "book/corpus"}
    assert {page.name for page in LESSONS} | {"book/corpus"} == set(data.lessons())


def test_times_are_those_that_the_book_states():
    for name in data.taught():
        assert f"**Time:** {data.reading(name)} minutes to read" in source_of(name).prose
    stated = Counter()
    for name in data.lessons():
        text = source_of(name).prose
        found = data.exercises(name)
        assert text.count("\n:label: ex-") == len(found) >= 5
        stated.update(exercise.minutes for exercise in found.values())
    assert set(stated) == set(data.DURATIONS.values())


def test_an_exercise_without_a_time_is_named(monkeypatch):
    monkeypatch.setattr(data, "text", lambda page: "```{exercise} Soon: x\n:label: ex-a\n")
    data.exercises.cache_clear()
    with pytest.raises(data.TeachingError, match="'Soon: x' does not begin with a time"):
        data.exercises("book/corpus")
    data.exercises.cache_clear()


def test_every_question_of_the_sets_is_found_with_its_heading():
    from softalign_course import sets

    wanted = set()
    for name in sets.names():
        one = sets.find(name)
        wanted |= {f"{name}/{question}" for question in one.questions}
        wanted |= {f"{name}/{cell.name}" for cell in one.written}
    assert set(data.asked()) == wanted
    assert len(wanted) > 40
    assert data.asked()["05_attention/masked_softmax"].title == "A softmax that no mask breaks"
    assert data.asked()["05_attention/written_maps"].title == "The same copy, eight times"
    assert data.asked()["05_attention/written_maps"].number == 5


# --- the syllabus ---------------------------------------------------------------------------------


def test_there_is_a_course_of_7_and_one_of_14_weeks():
    assert sorted(COURSES) == [7, 14]


def test_every_page_that_teaches_is_read_once_and_in_order():
    read = [page for session in PLAN["sessions"] for page in session["read"]]
    assert read == data.taught()


def test_a_session_is_as_long_as_it_is():
    for session in PLAN["sessions"]:
        assert sum(minutes for minutes, _, _ in session["class"]) == PLAN["minutes"]
        assert {kind for _, kind, _ in session["class"]} == set(data.KINDS), session["title"]


def test_what_is_done_in_class_leads_to_places_of_the_pages_read_so_far():
    read = set()
    for session in PLAN["sessions"]:
        read |= set(session["read"])
        here = {
            label
            for page in read
            for label in re.findall(r"^\((\S+)\)=$", source_of(page).prose, re.MULTILINE)
        } | {label for page in read for label in data.exercises(page)}
        said = "\n".join(what for _, _, what in session["class"])
        named = re.findall(r"\{ref\}`(?:[^`<]*<)?([\w-]+)>?`", said)
        assert len(named) >= 5
        assert set(named) <= here, (session["title"], set(named) - here)
        pages = {page for page in session["read"] if data.exercises(page)}
        for label in session["exercises"]:
            assert any(label in data.exercises(page) for page in pages), label
        covered = {p for p in pages for e in session["exercises"] if e in data.exercises(p)}
        assert covered == pages, "each page read has an exercise to go with it"


def test_no_exercise_is_set_twice():
    given = [label for session in PLAN["sessions"] for label in session["exercises"]]
    assert len(given) == len(set(given)) >= 50


@each_course
def test_a_course_has_all_sessions(course):
    assert course["weeks"] * course["sessions"] == len(PLAN["sessions"])
    numbers = [n for week in data.weeks(PLAN, course) for n in week.sessions]
    assert numbers == list(range(1, len(PLAN["sessions"]) + 1))


@each_course
def test_all_six_sets_get_their_hours_after_the_pages_that_they_need(course):
    hours = data.set_minutes()
    assert list(course["sets"]) == list(hours)
    assert len(hours) == 6
    for name, in_weeks in course["sets"].items():
        assert sum(in_weeks.values()) == hours[name], name
        assert set(in_weeks) <= set(range(1, course["weeks"] + 1))
        last = min(in_weeks) * course["sessions"]
        read = {page for session in PLAN["sessions"][:last] for page in session["read"]}
        assert set(data.set_pages(name)) <= read, (name, set(data.set_pages(name)) - read)


@each_course
def test_the_sums_are_those_of_the_parts(course):
    """Counted again, from the book and not from the weeks."""
    found = data.weeks(PLAN, course)
    reading = sum(data.reading(page) for page in data.taught())
    minutes = {e.label: e.minutes for page in data.lessons() for e in data.exercises(page).values()}
    given = [label for session in PLAN["sessions"] for label in session["exercises"]]
    assert sum(week.reading for week in found) == reading
    assert sum(week.lessons for week in found) == 14 * 90
    assert sum(week.exercises for week in found) == sum(minutes[label] for label in given)
    assert sum(week.sets for week in found) == sum(data.set_minutes().values()) == 6 * 180
    together = sum(week.total for week in found)
    assert together == reading + 14 * 90 + sum(minutes[label] for label in given) + 6 * 180


@each_course
def test_no_week_is_much_heavier_than_the_others(course):
    hours = [week.total / 60 for week in data.weeks(PLAN, course)]
    assert max(hours) <= 1.4 * sum(hours) / len(hours)


def test_what_is_printed_has_every_page_set_and_sum():
    text = "\n".join(softalign_teach.syllabus_lines())
    for course in COURSES.values():
        found = data.weeks(PLAN, course)
        sums = re.search(
            rf"\(instructors-weeks-{course['weeks']}\)=.*?^\| all \|(.*?)$", text, re.M | re.S
        )[1]
        hours, minutes = divmod(sum(week.total for week in found), 60)
        assert sums.split("|")[-2].strip() == f"{hours}\u00a0h\u00a0{minutes:02}"
        for week in found:
            for name in data.sets_of(course, week.number):
                assert re.search(rf"^\| {week.number} \|.*Set {int(name[:2])}", text, re.M)
    links = set(re.findall(r"\]\((\S+?)\)", text))
    for page in PAGES:
        assert any(link.endswith(f"{page.path.name}") for link in links), page.name
    for page in data.taught():
        assert f"({data.reading(page)} min)" in text


# --- the objectives -------------------------------------------------------------------------------


def test_every_page_that_teaches_has_objectives_in_the_order_of_the_book():
    assert list(OBJECTIVES) == data.lessons()


@each_lesson
def test_the_objectives_are_those_that_the_page_says_itself(page):
    said = re.search(r"You will be able to:\*\*(.*?)\*\*Time", source_of(page).prose, re.S)[1]
    items = re.split(r"^- ", said.strip(), flags=re.M)[1:]
    plain = [" ".join(item.split()).rstrip(";.") + "." for item in items]
    assert [one["says"][0].lower() + one["says"][1:] for one in OBJECTIVES[page]] == plain


@each_lesson
def test_a_page_has_four_to_six_objectives_that_can_be_tested(page):
    assert 4 <= len(OBJECTIVES[page]) <= 6
    for one in OBJECTIVES[page]:
        assert set(one) == {"id", "says", "exercises", "checks", "sets"}
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", one["id"])
        assert one["says"].split()[0] in data.VERBS.split(), one["says"]
        assert one["says"].endswith(".")
        assert len(one["says"].split()) <= 30
        assert one["exercises"] or one["checks"] or one["sets"] or EXAMINED[one["id"]], one["id"]


def test_nearly_all_objectives_are_practised():
    exercised = [one for one in EVERY if one["exercises"]]
    answered = [one for one in EVERY if one["exercises"] or one["checks"] or one["sets"]]
    assert len(exercised) >= 0.85 * len(EVERY)
    assert len(answered) >= 0.97 * len(EVERY)


def test_an_objective_has_a_name_of_its_own():
    names = [one["id"] for one in EVERY]
    assert len(names) == len(set(names)) > 100


@each_lesson
def test_every_exercise_and_self_check_serves_one_or_two_objectives_of_its_page(page):
    for key, known in (("exercises", data.exercises(page)), ("checks", data.checks(page))):
        named = Counter(label for one in OBJECTIVES[page] for label in one[key])
        assert set(named) == set(known)
        assert max(named.values()) <= 2, named.most_common(1)
        order = list(known)
        for one in OBJECTIVES[page]:
            places = [order.index(label) for label in one[key]]
            assert places == sorted(set(places)), one["id"]


def test_every_question_of_a_set_serves_one_or_two_objectives_of_pages_that_it_needs():
    served = Counter()
    for page, found in OBJECTIVES.items():
        for one in found:
            assert len(one["sets"]) == len(set(one["sets"])), one["id"]
            for name in one["sets"]:
                assert page in data.set_pages(name.split("/")[0]), (page, name)
                served[name] += 1
    assert set(served) == set(data.asked())
    assert max(served.values()) <= 2, served.most_common(1)


def test_what_is_printed_has_every_objective_exercise_and_question():
    lines = list(softalign_teach.objective_lines())
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    rows = [row for row in rows if row[0] != "Objective"]
    assert [row[0] for row in rows] == [one["says"] for one in EVERY]
    places = [(page, one) for page, found in OBJECTIVES.items() for one in found]
    for (page, one), (_, exercises, checks, sets, exam) in zip(places, rows, strict=True):
        assert re.findall(r"<([\w-]+)>`", exercises) == one["exercises"]
        assert (exercises == "no exercise") == (not one["exercises"])
        there = [f"{page.split('/')[-1]}.html#quiz-{name}" for name in one["checks"]]
        assert re.findall(r'([\w-]+\.html#[\w-]+)"', checks) == there
        titles = [data.asked()[name] for name in one["sets"]]
        assert sets == ("; ".join(f"Set {q.number}: {q.title}" for q in titles) or "–")
        assert re.findall(r"<([\w-]+)>`", exam) == [q["id"] for q in EXAMINED[one["id"]]]
    said = [int(number) for number in re.findall(r"\d+", lines[0])]
    dashes = sum(row[1:4] == ["no exercise", "–", "–"] for row in rows)
    bare, unasked = (sum(row[n] == w for row in rows) for n, w in ((1, "no exercise"), (4, "–")))
    assert said == [len(rows), bare, dashes, unasked]


def test_objectives_use_declared_letters_and_british_words():
    from test_front_matter import DECLARED, formulas, symbols
    from test_house import AMERICAN

    for name in ("objectives", "syllabus"):
        text = (ROOT / "teaching" / f"{name}.yml").read_text(encoding="utf-8")
        used = set().union(set(), *map(symbols, formulas(text)))
        assert used <= DECLARED, used - DECLARED
        assert not AMERICAN.findall(text)


# --- misconceptions -------------------------------------------------------------------------------

NOTES = source_of("book/instructors_misconceptions").prose
# What the questions of the page claim, computed again.
ANSWERS = {
    "0.9 and 0.75.": lambda: ((1 + 8) / (2 + 8), (1 / 2 + 8 / 8) / 2) == (0.9, 0.75),
    "6, not 3.": lambda: abs(((3 + 1e-6) ** 2 - 9) / 1e-6 - 6) < 1e-4,
    "At three.": lambda: sum(step - 7 >= 1 for step in range(1, 11)) == 3,
    "0.81.": lambda: round(0.9 * 0.9, 2) == 0.81,
    "0.1 or 0.9: ": lambda: (
        {round(0.9 * 0 + 0.1 * 1, 1), round(0.1 * 0 + 0.9 * 1, 1)} == {0.1, 0.9}
    ),
    "0.35.": lambda: round(0.9**10, 2) == 0.35,
    "Their logarithms; it is 0.75.": lambda: round(0.6 / (0.6 + 0.2), 2) == 0.75,
    "0.5, 0.5 and 0.": lambda: 0.2 / (0.2 + 0.2) == 0.5,
    "8.": lambda: 64**0.5 == 8,
    "The same; 32.": lambda: 512 // 16 == 32,
}


def test_the_answers_of_the_misconceptions_are_right():
    for says, check in ANSWERS.items():
        assert f"({says}" in NOTES, says
        assert check(), says


def test_each_chapter_has_three_to_six_misconceptions_with_sign_question_and_experiment():
    parts = re.split(r"^\(misconceptions-[\w-]+\)=\n## ", NOTES, flags=re.MULTILINE)[1:]
    chapters = [name for name in table_of_contents() if name.endswith("/index")]
    assert len(parts) == len(chapters) == 7
    for part, chapter in zip(parts, chapters, strict=True):
        folder = chapter.removesuffix("/index")
        here = {
            label
            for name in table_of_contents()
            if name.startswith(folder)
            for label in re.findall(r"^\((\S+)\)=$", source_of(name).prose, re.MULTILINE)
        } | {e for p in data.lessons() if p.startswith(folder) for e in data.exercises(p)}
        claims = re.split(r"^\*\*\"", part, flags=re.MULTILINE)[1:]
        assert 3 <= len(claims) <= 6
        for claim in claims:
            items = re.findall(
                r"^- \*(The sign|Ask|Run):\* (.+?)(?=\n- |\n\n|\Z)", claim, re.M | re.S
            )
            assert [name for name, _ in items] == ["The sign", "Ask", "Run"], claim
            named = set(re.findall(r"\{ref\}`(?:[^`<]*<)?([\w-]+)>?`", items[2][1]))
            assert named <= LABELS, named - LABELS
            assert named & here, claim


# --- a large class --------------------------------------------------------------------------------


def test_every_lesson_was_measured_and_the_numbers_hang_together():
    stored = data.memory()
    assert list(stored["kernels"]) == data.lessons()
    for one in [stored["server"], *stored["kernels"].values()]:
        assert 50 < one["own"] <= one["resident"] <= one["peak"] + 1
    # what the page about the hub promises of its limit
    config = (ROOT / "deploy" / "jupyterhub_config.py").read_text(encoding="utf-8")
    limit = int(re.search(r'"SOFTALIGN_HUB_MEMORY", "(\d+)"', config)[1])
    assert 2 * max(one["peak"] for one in stored["kernels"].values()) < limit
    assert f"more than {limit:,} MB of memory" in source_of("book/instructors_hub").prose


def test_a_class_needs_what_its_students_need():
    one = {"peak": 500, "resident": 400, "own": 300}
    large = {"peak": 900, "resident": 700, "own": 600}
    stored = {"server": {"own": 100}, "environment": 2000, "kernels": {"a": one, "b": large}}
    single, ten = data.needs([1, 10], stored)
    # 100 for the server, the peak without the 100 that are shared, and these 100 once
    assert single.most == pytest.approx((100 + 800 + 100) / 1000)
    assert ten.most == pytest.approx((10 * (100 + 800) + 100) / 1000)
    assert ten.disk - single.disk == pytest.approx(9 * 2 * data.folder_size() / 1e9)
    stored["kernels"]["c"] = one
    assert data.needs([10], stored)[0].median == pytest.approx((10 * (100 + 400) + 100) / 1000)


if sys.platform == "linux":

    def test_a_page_measured_again_needs_what_is_stored():
        """Another machine has other libraries: a third more or less is no surprise, twice is."""
        page = "chapters/06_attention/pooling"
        command = [sys.executable, "tools/measure_students.py", page]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = json.loads(re.search(r"\{.*\}", done.stdout)[0].replace("'", '"'))
        stored = data.memory()["kernels"][page]
        for name in ("peak", "own"):
            assert 0.6 < found[name] / stored[name] < 1.6, (name, found, stored)


# --- the directive --------------------------------------------------------------------------------


def test_a_directive_sets_markdown_as_if_it_stood_on_the_page(tmp_path, monkeypatch):
    from bs4 import BeautifulSoup
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    lines = ["(here)=", "## A section", "", "| a | b |", "|---|---|", "| $x_1$ | {ref}`here` |", ""]
    monkeypatch.setitem(softalign_teach.WRITERS, "softalign-students", lambda: iter(lines))
    (tmp_path / "conf.py").write_text(
        "extensions = ['myst_parser', 'softalign_teach']\nmyst_enable_extensions = ['dollarmath']\n"
    )
    (tmp_path / "index.md").write_text("# Start\n\n```{softalign-students}\n```\n")
    monkeypatch.setattr(softalign_teach, "put_decks_back", lambda *_: None)
    said = io.StringIO()
    with warnings.catch_warnings(), docutils_namespace():
        warnings.simplefilter("ignore")  # what other packages deprecate is not tested here
        app = Sphinx(tmp_path, tmp_path, tmp_path / "out", tmp_path / "t", "html", None, None, said)
        app.build()
    assert "softalign" not in said.getvalue()
    page = BeautifulSoup((tmp_path / "out" / "index.html").read_text(), "html.parser")
    page = page.select_one("[role=main]")
    assert [h.get_text().rstrip("¶") for h in page.select("h1, h2")] == ["Start", "A section"]
    assert page.select_one("h2").find_parent("section").find_parent("section").select_one("h1")
    link = page.select_one("td a")
    assert link.get_text() == "A section"
    assert page.find(id=link["href"][1:])


def test_a_file_that_says_something_twice_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "objectives.yml"
    path.write_text("a: []\na: []\n")
    monkeypatch.setattr(data, "OBJECTIVES", path)
    with pytest.raises(yaml.YAMLError, match="the key 'a' stands twice"):
        data.objectives()
