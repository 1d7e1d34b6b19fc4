"""The extension that sets the self-checks, on a site of two small pages."""

from __future__ import annotations

import io
import warnings

import pytest
import quiz_files
import softalign_quiz
from bs4 import BeautifulSoup

PAGE = """(te-top)=
# A page

(te-label)=
## A section about $x$

Words.

(te-exercises)=
## Exercises

## Further reading
"""
QUIZ = """
- id: te-choice
  kind: choice
  about: te-label
  ask: |
    Is 打 (dǎ) "*play*", `x_1` or $x_1<2$?

    Choose & say.
  options:
    - {says: one, because: first}
    - {says: two, because: second, right: true}
    - {says: three, because: third}
- id: te-order
  kind: order
  about: te-label
  ask: In which order?
  steps:
    - {says: one}
    - {says: two, because: after one.}
    - {says: three, because: after two.}
  because: so it is.
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A function that builds the site again and returns its warnings and the pages it read."""
    monkeypatch.setattr(quiz_files, "ROOT", tmp_path)
    monkeypatch.setattr(quiz_files, "FOLDER", tmp_path / "quizzes")
    source = tmp_path / "source"
    source.mkdir()
    (tmp_path / "quizzes").mkdir()
    (source / "conf.py").write_text(
        "extensions = ['myst_parser', 'softalign_quiz']\nmyst_enable_extensions = ['dollarmath']\n"
    )
    toc = "```{toctree}\nplain\nasked\n```\n"
    (source / "index.md").write_text(f"# Start\n\n{toc}", encoding="utf-8")
    (source / "plain.md").write_text("# Plain\n\nNothing is asked.\n", encoding="utf-8")
    (source / "asked.md").write_text(PAGE, encoding="utf-8")

    def build():
        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace

        said, read = io.StringIO(), []
        with warnings.catch_warnings(), docutils_namespace():
            warnings.simplefilter("ignore")  # what other packages deprecate is not tested here
            app = Sphinx(
                source, source, tmp_path / "out", tmp_path / "trees", "html", None, None, said
            )
            app.connect("source-read", lambda app, page, text: read.append(page))
            app.build()
        words = [line for line in said.getvalue().splitlines() if "softalign" in line]
        return words, sorted(read)

    build.quiz = tmp_path / "quizzes" / "asked.yml"
    build.page = lambda: BeautifulSoup(
        (tmp_path / "out" / "asked.html").read_text(encoding="utf-8"), "html.parser"
    )
    build.counts = lambda: (tmp_path / "out" / "_static" / "quiz-pages.js").read_text()
    return build


def test_the_section_stands_before_the_exercises_and_in_the_contents(site):
    site.quiz.write_text(QUIZ, encoding="utf-8")
    assert site()[0] == []
    page = site.page()
    titles = [h.get_text().rstrip("¶#") for h in page.select("[role=main] h2")]
    assert titles == ["A section about \\(x\\)", "Check yourself", "Exercises", "Further reading"]
    part = page.select_one("section#check-yourself")
    assert part.find_next_sibling("section").find("h2").get_text().startswith("Exercises")
    local = [a["href"] for a in page.select(".sphinxsidebar a[href^='#']")]
    assert local.index("#check-yourself") == local.index("#exercises") - 1
    assert len(part.select(".sa-question")) == 2


def test_text_is_set_with_its_markup_and_its_language(site):
    site.quiz.write_text(QUIZ, encoding="utf-8")
    site()
    part = site.page().select_one("#quiz-te-choice")
    first, second = part.select(".sa-ask p")
    assert first.select_one("[lang=zh]").get_text() == "打"
    assert first.select_one("em").get_text() == "play"
    assert first.select_one("code").get_text() == "x_1"
    assert first.select_one(".math").get_text() == "\\(x_1<2\\)"
    assert "“" in first.get_text()
    assert second.get_text() == "Choose & say."
    again = part.select_one("a.sa-again")
    assert again["href"] == "#te-label"
    assert again.get_text() == "Read again: A section about \\(x\\)"


def test_without_script_there_are_question_options_and_a_folded_answer(site):
    site.quiz.write_text(QUIZ, encoding="utf-8")
    site()
    part = site.page().select_one("#quiz-te-choice")
    assert [o.get_text() for o in part.select(".sa-options .sa-says")] == ["one", "two", "three"]
    folded = part.select_one("details.sa-answer")
    assert not folded.has_attr("open")
    right = [li for li in folded.select("li") if li.has_attr("data-right")]
    assert [li.select_one(".sa-because").get_text(strip=True) for li in right] == ["second"]
    outside = site.page().select_one("#quiz-te-choice")
    outside.select_one("details").decompose()
    assert "second" not in outside.get_text()


def test_the_key_on_paper_names_the_letters_that_are_shown(site):
    site.quiz.write_text(QUIZ, encoding="utf-8")
    site()
    page = site.page()
    shown = {
        li.select_one(".sa-says").get_text(): li.select_one(".sa-which").get_text()
        for li in page.select("#quiz-te-order .sa-steps li")
    }
    assert list(shown) != ["one", "two", "three"]
    wanted = ", ".join(shown[name] for name in ("one", "two", "three"))
    assert page.select_one(".sa-key").get_text().startswith(f"Answers. 1: B; 2: {wanted}.")


def test_a_page_is_read_again_when_its_questions_come_change_and_go(site):
    assert site() == ([], ["asked", "index", "plain"])
    assert site()[1] == []
    site.quiz.write_text(QUIZ, encoding="utf-8")
    assert site() == ([], ["asked"])
    before = site.counts()
    assert site()[1] == []
    site.quiz.write_text(QUIZ.replace("second", "another"), encoding="utf-8")
    assert site() == ([], ["asked"])
    assert site.counts() != before
    site.quiz.unlink()
    assert site() == ([], ["asked"])
    assert site.page().select("#check-yourself") == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("because: first", "because: first, right: true", "question te-choice: exactly one option"),
        ("id: te-order", "id: te-choice", "question te-choice: 2 questions have this id"),
        ("about: te-label", "about: te-lable", "question te-choice: the page has no label (te-l"),
        ("kind: order", "kind: puzzle", "question te-order: the kind is choice"),
    ],
)
def test_a_fault_is_a_warning_that_names_file_and_question(site, old, new, words):
    site.quiz.write_text(QUIZ.replace(old, new, 1), encoding="utf-8")
    said, _ = site()
    assert len(said) == 1
    assert f"quizzes/asked.yml, {words}" in said[0]
    assert site.page().select("#check-yourself") == []


def test_per_cent_is_meant_where_it_is_asked_for():
    for text in ("By how many per cent?", "In per cent, please.", "Round to whole per cent."):
        assert softalign_quiz.PER_CENT.search(text), text
    for text in ("80 per cent are right. Which share is wrong?", "Half is 50 %. What is the rest?"):
        assert not softalign_quiz.PER_CENT.search(text), text
