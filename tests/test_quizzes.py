"""The self-checks: every file keeps the rules, every number is computed, every page has some.

To check the questions of one page: ``pytest tests/test_quizzes.py -k decoding``.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter

import pytest
import yaml
from book_files import LESSONS, PAGES, ROOT
from test_house import AMERICAN
from test_pages import POINTERS

spec = importlib.util.spec_from_file_location("quiz_files", ROOT / "tools" / "quiz_files.py")
quizzes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(quizzes)

SOURCES = {page.name: page for page in PAGES}
# Pages that teach. The chapters' index pages list what is in them, and teach nothing themselves.
TAUGHT = [*(page.name for page in LESSONS), "book/corpus"]
READ = {name: quizzes.read(quizzes.path_of(name)) for name in quizzes.pages()}
QUESTIONS = [(name, question) for name, (found, _) in READ.items() for question in found]
every_file = pytest.mark.parametrize("name", READ)


def texts(question):
    """All that a reader may read of a question, with the key it stands under."""
    for key, value in question.items():
        if key in ("ask", "says", "because", "otherwise"):
            yield key, value
        elif isinstance(value, list):
            for part in value:
                yield from texts(part)


@every_file
def test_a_file_keeps_the_rules(name):
    assert not READ[name][1]


@pytest.mark.parametrize("name", TAUGHT)
def test_every_page_that_teaches_has_three_to_five_questions(name):
    assert name in READ, f"quizzes/{name}.yml is missing"
    assert 3 <= len(READ[name][0]) <= 5


@every_file
def test_questions_belong_to_a_page_and_to_labels_on_it(name):
    labels = re.findall(r"^\((\S+)\)=$", SOURCES[name].prose, flags=re.MULTILINE)
    for question in READ[name][0]:
        assert question["about"] in labels, f"{question['id']}: no label ({question['about']})="


def test_an_id_is_given_once_in_the_book():
    counts = Counter(question["id"] for _, question in QUESTIONS)
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    "question",
    [question for _, question in QUESTIONS if question["kind"] == "number"],
    ids=[f"{name}-{q['id']}" for name, q in QUESTIONS if q["kind"] == "number"],
)
def test_a_number_is_what_its_code_computes(question):
    value = quizzes.computed(question)
    assert abs(value - question["answer"]) <= question["within"] + 1e-9, value


@every_file
def test_texts_are_british_and_point_with_links(name):
    for question in READ[name][0]:
        for key, text in texts(question):
            plain = re.sub(r"`[^`]*`|\$[^$]*\$", " ", text)
            assert not AMERICAN.findall(plain), (question["id"], key)
            assert not POINTERS.findall(plain), (question["id"], key)


def test_the_right_option_is_in_every_place():
    places = Counter(
        quizzes.LETTERS[[option.get("right", False) for option in question["options"]].index(True)]
        for _, question in QUESTIONS
        if question["kind"] == "choice"
    )
    print(dict(places))
    for letter in "ABC":
        assert 0 < places[letter] <= sum(places.values()) / 2, letter


# --- the rules themselves: each is broken once ----------------------------------------------------

GOOD = """
- id: te-choice
  kind: choice
  about: te-label
  ask: Which is *it*, $x$ or `y`?
  options:
    - {says: one, because: first, right: true}
    - {says: two, because: second}
    - {says: three, because: third}
- id: te-number
  kind: number
  about: te-label
  ask: How many?
  answer: 0.5
  within: 0.01
  check: |
    half = 1 / 2
    half
  because: yes.
  wrong:
    - {answer: 2, because: upside down.}
  otherwise: Divide.
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
FAULTS = {
    "two right": ("because: second", "because: second, right: true", "exactly one option is right"),
    "none right": (", right: true", "", "exactly one option is right, not 0"),
    "right: false": ("because: third", "because: third, right: false", "is true or left out"),
    "no reason": ("two, because: second", "two", "option B needs 'because'"),
    "five options": (
        "- {says: two",
        "- {says: f, because: f}\n    - {says: g, because: g}\n    - {says: two",
        "three or four options",
    ),
    "same option": ("says: two, because: second", "says: one, because: a", "say the same"),
    "unknown key": ("otherwise: Div", "hint: x\n  otherwise: Div", "has no 'hint'"),
    "unknown key of an option": ("because: third", "because: a, why: b", "option C has no 'why'"),
    "key twice": ("kind: order", "kind: order\n  kind: order", "'kind' stands twice"),
    "unknown kind": ("kind: order", "kind: essay", "choice, number or order, not 'essay'"),
    "id twice": ("id: te-order", "id: te-number", "2 questions have this id"),
    "odd id": ("id: te-order", "id: Order", "lower-case words"),
    "no otherwise": ("  otherwise: Divide.\n", "", "needs 'otherwise'"),
    "answer in words": ("answer: 0.5", "answer: 1/2", "must be a number, not '1/2'"),
    "negative tolerance": ("within: 0.01", "within: -1", "not negative"),
    "wrong is right": ("{answer: 2,", "{answer: 0.51,", "0.51 would be counted as right"),
    "no typical mistake": ("    - {answer: 2, because: upside down.}\n", "", "needs 'wrong'"),
    "check is no Python": ("half = 1 / 2", "half = (1 / 2", "'check' is not Python"),
    "check has no value": ("    half\n", "    whole = 1\n", "ends in an expression"),
    "first step has a reason": (
        "says: one}\n    - {says: two, because: after",
        "says: one, because: x}\n    - {says: two, because: after",
        "step 1 has no",
    ),
    "step without reason": (", because: after two.", "", "step 3 needs 'because'"),
    "a link": ("How many?", "'How [many](x)?'", "holds a link"),
    "a role": ("How many?", "'{ref}`many`'", "holds a directive or role"),
    "open formula": ("How many?", "'How many $x?'", "does not close it"),
    "text is no text": ("ask: How many?", "ask: 7", "'ask' must be text"),
    "not YAML": ("ask: How many?", "ask: 'How", "is not YAML in line"),
}


def test_a_file_without_fault_is_read_whole(tmp_path):
    path = tmp_path / "good.yml"
    path.write_text(GOOD, encoding="utf-8")
    found, wrong = quizzes.read(path)
    assert (len(found), wrong) == (3, [])
    assert quizzes.computed(found[1]) == 0.5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_in_one_sentence(tmp_path, fault):
    old, new, words = FAULTS[fault]
    assert old in GOOD
    path = tmp_path / "page.yml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    found, wrong = quizzes.read(path)
    assert found == []
    assert len([line for line in wrong if words in line]) == 1, wrong
    assert all(line.startswith("page.yml") and line.endswith(".") for line in wrong)


def test_a_file_that_holds_something_else_is_named(tmp_path):
    path = tmp_path / "page.yml"
    for text in ("", "a: 1", "- just words"):
        path.write_text(text, encoding="utf-8")
        found, wrong = quizzes.read(path)
        assert found == []
        assert len(wrong) == 1


def test_a_changed_question_has_another_digest():
    question = yaml.safe_load(GOOD)[0]
    before = quizzes.digest(question)
    assert before == quizzes.digest(yaml.safe_load(GOOD)[0])
    question["options"][2]["because"] += " Indeed."
    assert quizzes.digest(question) != before


def test_steps_are_never_shown_in_the_right_order():
    question = yaml.safe_load(GOOD)[2]
    seen = set()
    for number in range(200):
        question["ask"] = f"In which order, {number}?"
        mixed = quizzes.shuffled(question)
        assert sorted(mixed) == [0, 1, 2]
        seen.add(tuple(mixed))
    assert len(seen) == 5
    assert (0, 1, 2) not in seen
