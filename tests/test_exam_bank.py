"""The exam bank: its form, its numbers, its two sample exams, the drawing of others."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import subprocess
import sys
from collections import Counter

import exam
import exam_draw
import exam_files
import pytest
import quiz_files
from book_files import LESSONS, PAGES, ROOT
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from test_front_matter import DECLARED, formulas, symbols
from test_house import AMERICAN, code_lines
from test_pages import POINTERS

OBJECTIVES = exam_files.objectives()
READ = {
    chapter: exam_files.read(exam_files.file_of(chapter), OBJECTIVES)
    for chapter in exam_files.CHAPTERS
}
ALL = [(chapter, question) for chapter, (found, _) in READ.items() for question in found]
NUMERIC = [(chapter, question) for chapter, question in ALL if "values" in question]
SOURCES = {page.name: page for page in PAGES}
BANK = {chapter: found for chapter, (found, _) in READ.items()}


def each(pairs):
    """Parametrise over questions, under their ids."""
    return pytest.mark.parametrize(("chapter", "question"), pairs, ids=[q["id"] for _, q in pairs])


# --- what is in the bank --------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", READ)
def test_a_file_keeps_the_rules(chapter):
    assert READ[chapter][1] == []


def test_there_are_enough_questions_everywhere():
    assert len(ALL) >= 105
    for chapter, found in BANK.items():
        levels = Counter(question["difficulty"] for question in found)
        print(chapter, dict(levels))
        assert len(found) >= 10, chapter
        assert min(levels[1], levels[2]) >= 2, chapter
    levels = Counter(question["difficulty"] for _, question in ALL)
    assert levels[3] >= 10
    kinds = Counter(question["kind"] for _, question in ALL)
    assert min(kinds[kind] for kind in exam_files.KINDS) >= 7


def test_every_page_that_teaches_has_questions():
    pages = Counter(OBJECTIVES[question["objective"]][0] for _, question in ALL)
    assert {page.name for page in LESSONS} <= set(pages)
    assert min(pages.values()) >= 3


def test_nearly_all_objectives_have_a_question():
    used = {question["objective"] for _, question in ALL}
    print(f"{len(used)} of {len(OBJECTIVES)} objectives; without: {sorted(set(OBJECTIVES) - used)}")
    assert len(used) >= 0.85 * len(OBJECTIVES)


def test_every_question_is_found_under_its_objective():
    found = exam_files.questions_on()
    assert list(found) == list(OBJECTIVES)
    assert sum(map(len, found.values())) == len(ALL)
    for _, question in ALL:
        assert question in found[question["objective"]]


@each(ALL)
def test_a_question_belongs_to_its_chapter_and_to_a_label_of_its_page(chapter, question):
    page = OBJECTIVES[question["objective"]][0]
    folder = exam_files.CHAPTERS[chapter][1]
    assert page.startswith(f"chapters/{folder}/" if chapter else "book/")
    labels = re.findall(r"^\((\S+)\)=$", SOURCES[page].prose, flags=re.M)
    assert question["about"] in labels, f"{page} has no label ({question['about']})="


def test_an_id_is_given_once_in_the_book():
    names = [question["id"] for _, question in ALL]
    for page in quiz_files.pages():
        names += [question["id"] for question in quiz_files.read(quiz_files.path_of(page))[0]]
    assert [name for name, count in Counter(names).items() if count > 1] == []


@each(ALL)
def test_a_question_is_british_and_uses_the_letters_of_the_book(chapter, question):
    texts = [question["ask"], question["answer"], *(hint for _, hint in question["marking"])]
    for text in texts:
        plain = exam_files.FORMULA.sub(" ", exam_files.CODE.sub(" ", text))
        assert not AMERICAN.findall(plain)
        assert not POINTERS.findall(plain)
        used = set().union(*map(symbols, formulas(text)), set())
        used -= {"mathbf 0", "mathbf I"}  # zeros and the identity mean one thing everywhere
        assert used <= DECLARED, f"not in book/notation.md: {used - DECLARED}"


def left_raw(text):
    """What the parser of the site takes for words although it was meant as a formula or a mark."""
    extensions = {"dollarmath", "attrs_inline", "amsmath", "colon_fence", "smartquotes"}
    parser = create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)
    blocks = parser.parse(exam_files.marked(text))
    words = [child for block in blocks for child in block.children or () if child.type == "text"]
    odd = {"heading_open", "ordered_list_open", "blockquote_open", "hr", "code_block"}
    return [word.content for word in words if re.search(r"[$\\]|\{\.", word.content)] + [
        block.type for block in blocks if block.type in odd
    ]


@each(ALL)
def test_the_site_understands_every_formula(chapter, question):
    for text in (question["ask"], question["answer"], *(hint for _, hint in question["marking"])):
        assert left_raw(text) == []


def test_a_formula_left_raw_would_be_found():
    assert left_raw("With $x^2$ and\n\n$$y^2$$\n\n[书]{.language-zh}: fine.") == []
    assert left_raw("With\n$$\\mathbf x=1$$\nand $\\mathbf y$ in $\\mathbf z$.")
    assert left_raw("It is, by 5 $\\mathbf x, raw.")
    assert left_raw("So\n\n1. a list that a line break has made") == ["ordered_list_open"]


@each(ALL)
def test_minutes_and_points_are_in_proportion(chapter, question):
    assert 4 <= question["minutes"] <= 12
    assert 0.9 <= question["points"] / question["minutes"] <= 1.3


def test_the_files_of_the_bank_are_small():
    tools = [ROOT / "tools" / f"{name}.py" for name in ("exam", "exam_draw", "exam_files")]
    checks = sorted((exam_files.FOLDER / "checks").glob("*.py"))
    assert len(checks) == len(exam_files.CHAPTERS) + 1
    for path in [*checks, *tools, ROOT / "tools" / "softalign_exam.py"]:
        assert code_lines(path) <= 250, path.name


# --- no two alike ---------------------------------------------------------------------------------

COMMON = """an the of to in on is are was it its and or for with by that this which what how why who
does do did be at as from than then one two three say give name each has have not no their they them
you your would if can into over"""
# The likest two questions that are different reached 0.20 and, beside the pages, 0.28.
MOST_WORDS, MOST_PAIRS = 0.3, 0.12


def content(text):
    """The words that say what is asked about: formulas, numbers and common words left out."""
    common = set(COMMON.split())
    plain = re.sub(r"\$[^$]*\$|\d+", " ", text.replace("$$", "$"))
    words = [w for w in re.findall(r"[a-z]+", plain.lower()) if len(w) > 1 and w not in common]
    return set(words), set(itertools.pairwise(words))


def shared(one, other):
    """The share of what two sets have in common."""
    return len(one & other) / max(1, len(one | other))


def alike(one, other):
    """Whether two texts look like one template."""
    (words, pairs), (others, other_pairs) = content(one), content(other)
    return shared(words, others) >= MOST_WORDS or shared(pairs, other_pairs) >= MOST_PAIRS


def asked_elsewhere():
    """What the self-checks and the exercises of the pages ask, by name."""
    found = {}
    for page in quiz_files.pages():
        for question in quiz_files.read(quiz_files.path_of(page))[0]:
            found[question["id"]] = question["ask"]
    fence = re.compile(r"(`{3,}|:{3,})\{exercise\}[^\n]*\n:label: (\S+)\n(.*?)\n\1", re.S)
    for page in PAGES:
        found.update({match[2]: match[3] for match in fence.finditer(page.prose)})
    return found


def test_no_two_questions_are_alike():
    texts = [(question["id"], question["ask"]) for _, question in ALL]
    pairs = [
        (name, other)
        for place, (name, text) in enumerate(texts)
        for other, text2 in texts[place + 1 :]
        if alike(text, text2)
    ]
    assert pairs == []


def test_no_question_repeats_a_self_check_or_an_exercise():
    elsewhere = asked_elsewhere()
    assert len(elsewhere) > 250
    found = [
        (question["id"], name)
        for _, question in ALL
        for name, text in elsewhere.items()
        if alike(question["ask"], text)
    ]
    assert found == []


@each(ALL)
def test_the_same_question_with_other_numbers_would_be_found(chapter, question):
    """Other numbers, and one word in ten another."""
    changed = re.sub(r"\d+", lambda m: str(int(m[0]) + 3), question["ask"])
    words = re.split(r"([A-Za-z]{4,})", changed)
    for place in range(1, len(words), 20):
        words[place] = "different"
    assert alike(question["ask"], "".join(words))


# --- numbers --------------------------------------------------------------------------------------


@each(NUMERIC)
def test_a_number_is_what_its_code_computes(chapter, question):
    assert exam_files.disagreements(question, chapter) == []


@each(NUMERIC)
def test_a_wrong_number_would_be_found(chapter, question):
    within = exam_files.tolerances(question)
    for name, value in question["values"].items():
        wrong = value + 2 * max(within[name], 0.01 * abs(value), 1e-6)
        planted = {**question, "values": {**question["values"], name: wrong}, "within": within}
        (sentence,) = exam_files.disagreements(planted, chapter)
        assert f"{name} is stored as {wrong}" in sentence


@each(NUMERIC)
def test_a_tolerance_is_small(chapter, question):
    """Rounding is allowed for, another result is not."""
    for name, value in question["values"].items():
        assert exam_files.tolerances(question)[name] <= max(0.05 * abs(value), 1e-6), name


def test_not_a_number_agrees_with_nothing(monkeypatch):
    chapter, question = NUMERIC[0]
    monkeypatch.setattr(
        exam_files, "computed", lambda *_: dict.fromkeys(question["values"], float("nan"))
    )
    assert len(exam_files.disagreements(question, chapter)) == len(question["values"])


def test_every_check_belongs_to_a_question():
    names = {question["id"].replace("-", "_") for _, question in NUMERIC}
    functions = set()
    for _, file in exam_files.CHAPTERS.values():
        module = importlib.import_module(f"exam_bank.checks.{file[3:]}")
        functions |= {name for name in vars(module) if name.startswith("q_")}
    assert functions == names


# --- the rules themselves: each is broken once ----------------------------------------------------

GOOD = """
- id: q-te-one
  objective: wa-em
  about: wa-all
  kind: computation
  difficulty: 1
  minutes: 5
  points: 5
  ask: |
    How much is $x^2$ for $x=\\frac12$?
  values: {square: 0.25}
  within: 0.005
  answer: |
    It is 0.25.
  marking:
    - [2, 'the half']
    - [3, 'the square']
"""
FAULTS = {
    "odd id": ("q-te-one", "te-one", "an id is 'q-'"),
    "unknown objective": ("wa-em", "wa-none", "no objective 'wa-none'"),
    "unknown kind": ("kind: computation", "kind: essay", "not 'essay'"),
    "difficulty": ("difficulty: 1", "difficulty: 4", "difficulty is 1, 2 or 3"),
    "minutes": ("minutes: 5", "minutes: 0.5", "'minutes' is a whole number"),
    "points": ("points: 5", "points: 6", "the marking hints give 5 points, the question 6"),
    "no answer": ("  answer: |\n    It is 0.25.\n", "", "a question needs 'answer'"),
    "unknown key": ("within: 0.005", "within: 0.005\n  hint: x", "a question has no 'hint'"),
    "key twice": ("points: 5", "points: 5\n  points: 5", "'points' stands twice"),
    "no values": ("  values: {square: 0.25}\n  within: 0.005\n", "", "needs 'values'"),
    "value in words": ("{square: 0.25}", "{square: a quarter}", "gives names and numbers"),
    "no tolerance": ("within: 0.005", "within: small", "'within' is a number"),
    "tolerance of another": ("within: 0.005", "within: {root: 0.1}", "'within' is a number"),
    "answer says another number": ("It is 0.25.", "It is 0.26.", "not say the value square = 0.25"),
    "marking": ("[2, 'the half']", "the half", "'marking' lists pairs"),
    "a link": ("How much", "[How](x) much", "'ask' holds a link"),
    "a role": ("How much", "{ref}`wa-all` much", "'ask' holds a directive or role"),
    "a directive": ("    It is", "    ```{note}\n    x\n    ```\n    It is", "a directive or role"),
    "a heading": ("    It is", "    # Answer\n\n    It is", "'answer' holds a heading"),
    "open formula": ("$x^2$", "$x^2", "does not close it"),
    "formula in a paragraph": (
        "    It is 0.25.",
        "    It is\n    $$0.25.$$",
        "without empty lines",
    ),
    "open code": ("    It is", "    ```python\n    It is", "does not close it"),
}


def read_text(tmp_path, text):
    path = tmp_path / "part.yml"
    path.write_text(text, encoding="utf-8")
    return exam_files.read(path, OBJECTIVES)


def test_a_file_without_fault_is_read_whole(tmp_path):
    found, wrong = read_text(tmp_path, GOOD)
    assert (len(found), wrong) == (1, [])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_in_one_sentence(tmp_path, fault):
    old, new, words = FAULTS[fault]
    assert old in GOOD
    found, wrong = read_text(tmp_path, GOOD.replace(old, new, 1))
    assert found == []
    assert len([line for line in wrong if words in line]) == 1, wrong
    assert all(line.startswith("part.yml") and line.endswith(".") for line in wrong)


def test_other_broken_files_are_named(tmp_path):
    for text in ("", "a: 1", "- just words", "- id: 'x"):
        found, wrong = read_text(tmp_path, text)
        assert found == []
        assert len(wrong) == 1
    assert "2 questions have the id q-te-one" in read_text(tmp_path, GOOD + GOOD)[1][0]
    assert exam_files.read(tmp_path / "none.yml", OBJECTIVES)[1] == ["none.yml is missing."]


def test_numbers_are_read_as_people_write_them():
    text = "$-0.5$ or −3, 1,048,576 and $2{,}010{,}000$, (0, 1), 10-20, 1.0."
    expected = {-0.5, 0.5, -3.0, 3.0, 1048576.0, 2010000.0, 0.0, 1.0, 10.0, 20.0, -20.0}
    assert exam_files.numbers(text) == expected


def test_chinese_is_marked_outside_code_and_formulas():
    text = "看 书 (kàn) is `看` and $\\theta(看)$, 没."
    expected = "[看 书]{.language-zh} (kàn) is `看` and $\\theta(看)$, [没]{.language-zh}."
    assert exam_files.marked(text) == expected


# --- the sample exams -----------------------------------------------------------------------------

SAMPLES = {letter: exam_files.sample(letter) for letter in exam_files.samples()}


@pytest.mark.parametrize("letter", SAMPLES)
def test_a_sample_exam_keeps_its_promises(letter):
    drawn = SAMPLES[letter]
    assert exam_draw.total(drawn, "points") == 100
    assert 80 <= exam_draw.total(drawn, "minutes") <= exam_files.samples()[letter]["minutes"] == 90
    assert [chapter for chapter, _ in drawn] == sorted(chapter for chapter, _ in drawn)
    assert {chapter for chapter, _ in drawn} == set(exam_files.CHAPTERS)
    assert len({question["objective"] for _, question in drawn}) == len(drawn)
    kinds = Counter(question["kind"] for _, question in drawn)
    assert len(kinds) == len(exam_files.KINDS)
    assert max(kinds.values()) <= len(drawn) / 2
    assert {question["difficulty"] for _, question in drawn} == {1, 2, 3}
    pages = {OBJECTIVES[question["objective"]][0] for _, question in drawn}
    assert "chapters/01_smt/evaluation" in pages


def test_the_sample_exams_share_nothing():
    first, second = SAMPLES.values()
    for key in ("id", "objective"):
        one, other = ({question[key] for _, question in drawn} for drawn in (first, second))
        assert not one & other


# --- drawing --------------------------------------------------------------------------------------


def names(drawn):
    return [question["id"] for _, question in drawn]


@pytest.mark.parametrize("seed", range(12))
def test_a_drawn_exam_keeps_its_limits(seed):
    minutes, chapters = (45, 60, 90)[seed % 3], ((1, 2, 3), range(1, 8), (0, 4, 6, 7))[seed % 3]
    levels = ((1, 2), (1, 2, 3))[seed % 2]
    drawn = exam_draw.draw(BANK, minutes=minutes, seed=seed, chapters=chapters, levels=levels)
    assert minutes - 3 <= exam_draw.total(drawn, "minutes") <= minutes
    assert {chapter for chapter, _ in drawn} == set(chapters)
    assert all(question in BANK[chapter] for chapter, question in drawn)
    assert {question["difficulty"] for _, question in drawn} <= set(levels)
    assert len(set(names(drawn))) == len(drawn)
    assert len({question["objective"] for _, question in drawn}) == len(drawn)
    kinds = Counter(question["kind"] for _, question in drawn)
    assert max(kinds.values()) <= max(2, minutes // 18)


def test_points_are_met_exactly():
    for points in (95, 100):
        drawn = exam_draw.draw(BANK, minutes=90, seed=1, points=points)
        assert exam_draw.total(drawn, "points") == points
        assert 80 <= exam_draw.total(drawn, "minutes") <= 90


def test_the_same_seed_draws_the_same_exam_and_another_another(tmp_path):
    first = names(exam_draw.draw(BANK, minutes=90, seed=3))
    assert first == names(exam_draw.draw(BANK, minutes=90, seed=3))
    turned = {chapter: BANK[chapter][::-1] for chapter in reversed(BANK)}
    assert first == names(exam_draw.draw(turned, minutes=90, seed=3))
    others = {tuple(names(exam_draw.draw(BANK, minutes=90, seed=seed))) for seed in range(3, 9)}
    assert len(others) == 6
    texts = set()
    for number in "12":
        folder = tmp_path / number
        subprocess.run(
            [sys.executable, "tools/exam.py", "draw", "--seed", "3", "--output", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": number},
            check=True,
            capture_output=True,
        )
        texts.add(b"".join((folder / f"exam-3{end}.md").read_bytes() for end in ("", "-key")))
    assert len(texts) == 1


def test_questions_can_be_left_out():
    first = exam_draw.draw(BANK, minutes=90, seed=3)
    gone = set(names(first))
    assert not gone & set(names(exam_draw.draw(BANK, minutes=90, seed=3, without=gone)))


def test_the_command_writes_an_exam_and_its_key(tmp_path, capsys):
    given = ["draw", "--minutes", "60", "--seed", "5", "--chapters", "1-3,6", "--title", "Mock"]
    assert exam.main([*given, "--output", str(tmp_path / "new")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert re.search(
        r"exam-5\.md: \d+ questions, (5[7-9]|60) minutes expected, \d+ points", said.out
    )
    text, key = ((tmp_path / "new" / f"exam-5{end}.md").read_text("utf-8") for end in ("", "-key"))
    drawn = exam_draw.draw(BANK, minutes=60, seed=5, chapters=(1, 2, 3, 6))
    assert text.startswith("# Mock\n")
    assert "Chapters 1–3, 6," in key
    for _, question in drawn:
        assert question["ask"].strip() in text
        assert question["answer"].strip() not in text
        assert question["answer"].strip() in key
        assert question["id"] in key
        assert question["id"] not in text
    assert text.count("\n## ") == key.count("\n## ") == len(drawn)
    table = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| out")]
    points = [int(cell) for cell in table[0][1:]]
    assert points == [*(q["points"] for _, q in drawn), exam_draw.total(drawn, "points")]
    # a second time it would overwrite a key that is in use
    assert exam.main([*given, "--output", str(tmp_path / "new")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert exam.main([*given, "--output", str(tmp_path / "new"), "--force"]) == 0


def test_sample_questions_can_be_left_out(tmp_path):
    used = {name for drawn in SAMPLES.values() for name in names(drawn)}
    assert exam.main(["draw", "--without-samples", "--output", str(tmp_path)]) == 0
    key = (tmp_path / "exam-0-key.md").read_text(encoding="utf-8")
    assert not used & set(re.findall(r"^`(q-[\w-]+)`", key, flags=re.M))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "arguments are required"),
        (["sing"], "invalid choice"),
        (["draw", "--seed", "three"], "invalid int value: 'three'"),
        (["draw", "--minutes", "2"], "5 to 600 minutes, not 2"),
        (["draw", "--minutes", "20"], "takes at least"),
        (["draw", "--chapters", "1-9"], "go from 0 to 7"),
        (["draw", "--chapters", "3-1"], "go from 0 to 7"),
        (["draw", "--chapters", "all"], "written as 1-3 or 1,3"),
        (["draw", "--chapters", "6", "--difficulty", "3"], "No question of chapter 6"),
        (["draw", "--points", "7"], "No exam of 7 points"),
        (["draw", "--without", "q-wa-none"], "no question 'q-wa-none'"),
        (["draw", "--name", "a/b"], "letters, digits and dashes"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(tmp_path, capsys, given, words):
    more = ["--output", str(tmp_path / "none")] if given[:1] == ["draw"] else []
    assert exam.main([*given, *more]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert words in line
    assert line.endswith(".")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert exam.main(["draw", "--output", str(tmp_path / "file" / "in")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written" in line


def test_a_broken_bank_is_said_in_one_sentence(tmp_path, monkeypatch, capsys):
    exam_files.bank.cache_clear()
    monkeypatch.setattr(exam_files, "FOLDER", tmp_path)
    assert exam.main(["draw"]) == 2
    assert capsys.readouterr().err == "00_prerequisites.yml is missing.\n"
    monkeypatch.setattr(exam_files, "OBJECTIVES", tmp_path / "objectives.yml")
    assert exam.main(["draw"]) == 2
    assert capsys.readouterr().err == "objectives.yml is missing.\n"
    exam_files.bank.cache_clear()


def test_chapters_are_written_as_people_write_them():
    assert exam_draw.number_of([1, 2, 3, 5, 7, 6]) == "1–3, 5–7"
    assert exam_draw.number_of([4]) == "4"


# --- the pages' sources ---------------------------------------------------------------------------


def test_every_chapter_and_sample_has_its_pages():
    for chapter, (_, file) in exam_files.CHAPTERS.items():
        text = SOURCES[f"book/exam_bank/{file}"].prose
        assert f"```{{softalign-exam-chapter}} {chapter}\n" in text
        words = sum(len(re.findall(r"\w+", q["ask"] + q["answer"])) for q in BANK[chapter])
        minutes = int(re.search(r"\*\*Time:\*\* (\d+) minutes", text)[1])
        assert words / 180 / 1.5 <= minutes <= words / 180 * 1.5
    for letter in SAMPLES:
        assert (
            f"{{softalign-exam-sample}} {letter}\n"
            in SOURCES[f"book/exam_bank/sample_{letter}"].prose
        )
        assert ":key:" in SOURCES[f"book/exam_bank/sample_{letter}_key"].prose


def test_what_the_page_says_about_the_command_is_true():
    text = SOURCES["book/exam_bank"].prose
    assert "tools/exam.py draw --minutes 90 --seed 3 --chapters 1-7" in text
    assert exam.arguments(["draw", "--minutes", "90", "--seed", "3", "--chapters", "1-7"])
    parser = subprocess.run(
        [sys.executable, "tools/exam.py", "draw", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    for option in set(re.findall(r"`(--[\w-]+)", text)):
        assert option in parser.stdout, option
