"""The exam bank in a browser: its filters without a script, folded answers, exams on paper."""

from __future__ import annotations

import re
from itertools import product

import exam_files
import pytest
from book_files import SITE

pytestmark = pytest.mark.browser
ALL = [(chapter, q) for chapter, found in exam_files.bank().items() for q in found]


@pytest.fixture(scope="module")
def table(chromium, site_url):
    """The page of the bank in a browser that runs no script."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}/book/exam_bank.html")
    yield page
    context.close()


def shown(page):
    """Ids of the questions whose rows can be seen."""
    links = page.locator(".sa-bank tbody tr:visible a").all()
    return [link.get_attribute("href").split("#")[1] for link in links]


def choose(page, **wishes):
    """Choose from the lists; what is not named is set back."""
    for name in ("chapter", "difficulty", "kind", "objective"):
        page.select_option(f"#sa-filter-{name}", wishes.get(name, "sa-all"))


def test_all_questions_are_shown_at_first(table):
    choose(table)
    assert shown(table) == [q["id"] for _, q in ALL]


@pytest.mark.parametrize("chapter", exam_files.CHAPTERS)
def test_a_chapter_and_a_difficulty_can_be_chosen_without_a_script(table, chapter):
    choose(table, chapter=f"sa-c-{chapter}")
    assert shown(table) == [q["id"] for c, q in ALL if c == chapter]
    choose(table, chapter=f"sa-c-{chapter}", difficulty="sa-d-1")
    expected = [q["id"] for c, q in ALL if c == chapter and q["difficulty"] == 1]
    assert shown(table) == expected != []


def test_kinds_and_difficulties_meet(table):
    for kind, level in product(exam_files.KINDS, exam_files.LEVELS):
        choose(table, kind=f"sa-k-{kind}", difficulty=f"sa-d-{level}")
        expected = [q["id"] for _, q in ALL if (q["kind"], q["difficulty"]) == (kind, level)]
        assert shown(table) == expected


def test_every_objective_of_the_list_finds_its_questions(table):
    values = [
        option.get_attribute("value")
        for option in table.locator("#sa-filter-objective option").all()
    ]
    assert values[0] == "sa-all"
    assert {value.removeprefix("sa-o-") for value in values[1:]} == {q["objective"] for _, q in ALL}
    for value in values[1::12]:
        choose(table, objective=value)
        assert shown(table) == [q["id"] for _, q in ALL if f"sa-o-{q['objective']}" == value]


def test_the_number_of_questions_follows_the_filters(chromium, site_url):
    """A counter of the style sheet has no text to read: its picture must change."""
    page = chromium.new_page()
    page.goto(f"{site_url}/book/exam_bank.html")
    box = page.locator(".sa-how-many")
    assert box.evaluate("e => getComputedStyle(e, '::after').content") == "counter(sa-shown)"
    wide = box.bounding_box()["width"]
    choose(page, difficulty="sa-d-3", chapter="sa-c-3")
    assert 0 < box.bounding_box()["width"] < wide
    page.close()


def test_an_answer_unfolds_and_is_left_out_on_paper(chromium, site_url):
    page = chromium.new_page()
    page.goto(f"{site_url}/book/exam_bank/06_attention.html")
    answers = page.locator("details.sa-exam-answer")
    assert answers.count() == len(exam_files.bank()[6])
    first = answers.first
    assert first.bounding_box()["height"] < 80
    page.emulate_media(media="print")
    assert not first.is_visible()
    page.emulate_media(media="screen")
    first.locator("summary").click()
    assert first.locator("li").first.is_visible()
    page.close()


@pytest.mark.parametrize("letter", exam_files.samples())
def test_a_sample_exam_prints_each_question_whole(chromium, site_url, letter):
    page = chromium.new_page()
    page.goto(f"{site_url}/book/exam_bank/sample_{letter}.html")
    page.emulate_media(media="print")
    questions = page.locator("section.sa-exam-question")
    assert questions.count() == len(exam_files.sample(letter))
    for question in questions.all():
        assert question.is_visible()
        assert question.evaluate("e => getComputedStyle(e).breakInside") == "avoid"
    pdf = page.pdf(format="A4")
    assert 3 <= len(re.findall(rb"/Type /Page\b", pdf)) <= 8
    page.close()


def test_no_page_of_an_exam_shows_an_answer():
    for letter in exam_files.samples():
        text = (SITE / f"book/exam_bank/sample_{letter}.html").read_text(encoding="utf-8")
        for _, question in exam_files.sample(letter):
            assert question["id"] not in text
        assert "Marking" not in text
