"""The extension that sets the exam bank, on a site of a few pages."""

from __future__ import annotations

import io
import re
import warnings

import exam_files
import pytest
import softalign_exam
from bs4 import BeautifulSoup

OBJECTIVES = """
book/lesson:
- id: te-one
  says: Square the number $x$ by hand.
  exercises: [ex-te]
  checks: []
- id: te-two
  says: Say why.
  exercises: []
  checks: []
- id: te-none
  says: Do what no question asks.
  exercises: [ex-te]
  checks: []
"""
QUESTION = """
- id: q-te-half-squared
  objective: te-one
  about: te-label
  kind: computation
  difficulty: 1
  minutes: 5
  points: 5
  ask: |
    What does 打 (dǎ) cost?

    ```python
    print(0.5 ** 2)  # 打
    ```
  values: {square: 0.25}
  within: 0.005
  answer: |
    It is 0.25:

    $$x^2=\\frac14.$$
  marking:
    - [2, 'the half']
    - [3, 'the *square*']
"""
OTHER = """
- id: q-te-why
  objective: te-two
  about: te-label
  kind: explanation
  difficulty: 3
  minutes: 7
  points: 8
  ask: Why is it so?
  answer: Because it is.
  marking:
    - [8, 'a reason']
"""
SAMPLES = """
a: {title: A, minutes: 15, questions: [q-te-half-squared, q-te-why]}
"""
PAGES = {
    "index": "# Start\n\n```{toctree}\nlesson\nbook/exam_bank\nbook/exam_bank/one\n"
    "book/exam_bank/two\nbook/exam_bank/sample\nbook/exam_bank/key\n```\n",
    "lesson": "# A lesson\n\n(te-label)=\n## A section\n\nWords.\n",
    "book/exam_bank": "# Bank\n\n```{softalign-exam-bank}\n```\n",
    "book/exam_bank/one": "# One\n\n```{softalign-exam-chapter} 0\n```\n",
    "book/exam_bank/two": "# Two\n\n```{softalign-exam-chapter} 1\n```\n",
    "book/exam_bank/sample": "# Exam\n\n```{softalign-exam-sample} a\n```\n",
    "book/exam_bank/key": "# Key\n\n```{softalign-exam-sample} a\n:key:\n```\n",
}
CONF = """
extensions = ["myst_parser", "softalign_quiz", "softalign_exam"]
myst_enable_extensions = ["dollarmath", "attrs_inline"]
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A function that builds the site again and returns what it warned of and the pages it read."""
    folder, source = tmp_path / "exam_bank", tmp_path / "source"
    monkeypatch.setattr(exam_files, "FOLDER", folder)
    monkeypatch.setattr(exam_files, "OBJECTIVES", tmp_path / "objectives.yml")
    monkeypatch.setattr(exam_files, "CHAPTERS", {0: ("Before", "one"), 1: ("After", "two")})
    monkeypatch.setattr(softalign_exam, "CHAPTERS", exam_files.CHAPTERS)
    monkeypatch.setattr(softalign_exam.ChapterQuestions, "titles", lambda self, page: "A lesson")
    folder.mkdir()
    for name, text in (("one", QUESTION), ("two", OTHER), ("samples", SAMPLES)):
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    exam_files.OBJECTIVES.write_text(OBJECTIVES, encoding="utf-8")
    for name, text in PAGES.items():
        path = source / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (source / "conf.py").write_text(CONF)

    def build():
        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace

        exam_files.bank.cache_clear()
        said, read = io.StringIO(), []
        with warnings.catch_warnings(), docutils_namespace():
            warnings.simplefilter("ignore")  # what other packages deprecate is not tested here
            app = Sphinx(
                source, source, tmp_path / "out", tmp_path / "trees", "html", None, None, said
            )
            app.connect("source-read", lambda app, page, text: read.append(page))
            app.build()
        return said.getvalue(), sorted(read)

    build.folder = folder
    build.page = lambda name: BeautifulSoup(
        (tmp_path / "out" / f"{name}.html").read_text(encoding="utf-8"), "html.parser"
    )
    build.sheet = lambda: (tmp_path / "out/_static" / softalign_exam.SHEET).read_text()
    yield build
    exam_files.bank.cache_clear()


def test_the_table_has_a_row_for_each_question_and_a_filter_for_each_class(site):
    said, _ = site()
    assert said == ""
    page = site.page("book/exam_bank")
    rows = page.select(".sa-bank tbody tr")
    texts = [[cell.get_text(strip=True) for cell in row.select("td")] for row in rows]
    assert texts == [
        ["Half squared", "0", "short computation", "easy", "5", "5"],
        ["Why", "1", "explanation", "hard", "7", "8"],
    ]
    links = [row.select_one("a")["href"] for row in rows]
    assert links == ["exam_bank/one.html#q-te-half-squared", "exam_bank/two.html#q-te-why"]
    values = {option["value"] for option in page.select("option")} - {"sa-all"}
    ruled = set(re.findall(r'\[value="([\w-]+)"\]:checked\) tbody tr:not\(\.\1\)', site.sheet()))
    assert values == ruled
    for row in rows:
        marks = {name for name in row["class"] if re.match(r"sa-[cdko]-", name)}
        assert len(marks) == 4
        assert marks <= values
    assert {"sa-o-te-one", "sa-o-te-two"} <= values
    assert "sa-o-te-none" not in values
    assert "2 questions, 2 objectives." in page.get_text()
    for label in page.select(".sa-filters label"):
        assert page.select_one(f"select#{label['for']}")


def test_a_chapter_shows_its_questions_and_folds_the_answers(site):
    site()
    page = site.page("book/exam_bank/one")
    part = page.select_one("section#q-te-half-squared")
    assert part.select_one("h3").get_text().startswith("Half squared")
    assert part.find_parent("section").select_one("h2").get_text().startswith("A lesson")
    about = part.select_one("p").get_text()
    assert "Short computation, easy: 5 minutes, 5 points." in about
    assert "te-one" in about
    assert part.select_one("a[href='../../lesson.html#te-label']").get_text() == "Read again"
    (answer,) = part.select("details")
    assert not answer.has_attr("open")
    assert answer.select_one("summary").get_text() == "Answer and marking"
    assert "0.25" in answer.get_text()
    items = [item.get_text(strip=True) for item in answer.select("li")]
    assert items == ["2for the half", "3for thesquare"]
    asked = part.get_text().replace(answer.get_text(), "")
    assert "0.25" not in asked
    assert part.select_one(".highlight-python")
    (chinese,) = part.select("[lang=zh]")
    assert chinese.get_text() == "打"
    assert not page.select("section#q-te-why")


def test_a_sample_exam_says_no_answer_and_its_key_every_one(site):
    site()
    exam, key = site.page("book/exam_bank/sample"), site.page("book/exam_bank/key")
    titles = [h.get_text().rstrip("¶#") for h in exam.select("[role=main] h2")]
    assert titles == [
        "1. Short computation (5 points, 5 minutes)",
        "2. Explanation (8 points, 7 minutes)",
    ]
    assert titles == [h.get_text().rstrip("¶#") for h in key.select("[role=main] h2")]
    text = exam.select_one("[role=main]").get_text(" ")
    assert "15 minutes, 13 points" in text
    assert "they sum to 12" in re.sub(r"\s+", " ", text)
    assert "Why is it so?" in text
    for told in ("Because it is", "0.25", "the half", "Half squared"):
        assert told not in text, told
    cells = [cell.get_text(strip=True) for cell in exam.select("tbody tr")[0].select("td")]
    assert cells == ["out of", "5", "8", "13"]
    told = key.select_one("[role=main]").get_text(" ")
    assert "Because it is" in told
    assert "0.25" in told
    assert not key.select("details")
    assert key.select_one("a[href='one.html#q-te-half-squared']")


def test_a_changed_bank_has_its_pages_read_again_and_no_others(site):
    _, read = site()
    assert read == sorted(PAGES)
    assert site()[1] == []
    path = site.folder / "two.yml"
    path.write_text(OTHER.replace("Because it is", "By symmetry"), encoding="utf-8")
    _, read = site()
    assert read == sorted(name for name in PAGES if name.startswith("book/exam_bank"))
    assert "By symmetry" in site.page("book/exam_bank/key").get_text()
    path = exam_files.OBJECTIVES
    path.write_text(OBJECTIVES.replace("Say why.", "Say why not."), encoding="utf-8")
    _, read = site()
    assert read == sorted(name for name in PAGES if name.startswith("book/exam_bank"))
    assert "Say why not." in site.page("book/exam_bank/two").get_text()


def test_the_questions_of_a_broken_file_are_left_out(site):
    found = {name: [q["id"] for q in asked] for name, asked in exam_files.questions_on().items()}
    assert found == {"te-one": ["q-te-half-squared"], "te-two": ["q-te-why"], "te-none": []}
    (site.folder / "two.yml").write_text(OTHER.replace("points: 8", "points: 9"), encoding="utf-8")
    assert [*map(len, exam_files.questions_on().values())] == [1, 0, 0]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("one", "points: 5", "points: 6", "the marking hints give 5 points"),
        ("two", "te-two", "te-three", "no objective 'te-three'"),
        ("samples", "q-te-why", "q-te-how", "the bank has no question q-te-how"),
        ("two", "about: te-label", "about: te-gone", "te-gone"),
    ],
)
def test_a_mistake_is_a_warning_that_names_the_question(site, name, old, new, words):
    path = site.folder / f"{name}.yml"
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    said, _ = site()
    assert words in said
