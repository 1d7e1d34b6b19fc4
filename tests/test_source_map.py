"""The source map: every topic and claim of the notes, with links to sections that are about it."""

from __future__ import annotations

import re
from functools import cache

import pytest
import yaml
from book_files import PAGES, ROOT, source_of

PAGE = "book/source_map"
ABOUT = yaml.safe_load((ROOT / "tests" / "source_map.yml").read_text(encoding="utf-8"))
COLUMNS = {"topics": 4, "claims": 5}
ROWS = [(kind, number) for kind in COLUMNS for number in ABOUT[kind]]
every_row = pytest.mark.parametrize(("kind", "number"), ROWS, ids=[f"{k}-{n}" for k, n in ROWS])
LABEL = re.compile(r"^\(([\w-]+)\)=$", re.MULTILINE)


def table(label):
    """Rows of cells of the table in a section, without its head."""
    section = source_of(PAGE).prose.split(f"({label})=\n")[1].split("\n(")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def row(kind, number):
    """The cells of the one row with this number."""
    (cells,) = [cells for cells in table(f"source-map-{kind}") if cells[0] == str(number)]
    return cells


def targets(cell):
    """Labels that a cell links to, with the chapter that it says; nothing else stands in it."""
    found, chapter = [], None
    for group in cell.split("; "):
        number, links = re.fullmatch(r"(?:(\d): )?(.*)", group).groups()
        assert number != chapter or not found, "one group for each chapter"
        chapter = number
        for link in links.split(", "):
            label = re.fullmatch(r"\{ref\}`(?:[^`<]+<)?([\w-]+)>?`", link)
            assert label, f"not a link: {link}"
            found.append((label[1], chapter))
    return found


def chapter_of(label):
    """Number of the chapter that has this label, as text; None for front and back matter."""
    (page,) = [page for page in PAGES if f"({label})=\n" in page.prose]
    number = re.match(r"chapters/0(\d)", page.name)
    return number and number[1]


@cache
def sections():
    """For each label of the book the text of its section, code and all, up to the next heading."""
    found = {}
    for page in PAGES:
        text = "\n\n".join(
            cell.text if cell.kind == "markdown" else re.sub("^#", " #", cell.text, flags=re.M)
            for cell in page.cells
        )
        for match in LABEL.finditer(text):
            body = re.sub(r"\A(?:\s*\([\w-]+\)=\n)*", "", text[match.end() :].lstrip("\n"))
            level = len(re.match("#*", body)[0])
            # a label in the middle of a section stands for the rest of it
            ends = re.compile(rf"^#{{1,{level or 6}}} |\Z", re.MULTILINE)
            found.setdefault(match[1], []).append(body[: ends.search(body, 1).start()])
    return found


def test_the_map_has_all_rows_in_order():
    for kind, count in (("topics", 40), ("claims", 12)):
        numbers = [int(cells[0]) for cells in table(f"source-map-{kind}")]
        assert numbers == list(ABOUT[kind]) == list(range(1, count + 1))


@every_row
def test_no_row_is_empty(kind, number):
    cells = row(kind, number)
    assert len(cells) == COLUMNS[kind]
    assert all(len(cell) > 5 for cell in cells[1:])
    assert ABOUT[kind][number]["says"].lower() in cells[1].lower()


@every_row
def test_a_row_names_the_note_and_its_section(kind, number):
    numbered = {
        cells[0]: re.findall(r"§([\d.]*\d)", cells[2]) for cells in table("source-map-notes")
    }
    places = row(kind, number)[2].split(", ")
    for place in places:
        note, first, last = re.fullmatch(r"(\d{3}) §([\d.]*\d)(?:–([\d.]*\d))?", place).groups()
        assert {first, last or first} <= set(numbered[note]), place
    notes = {place[:3] for place in places}
    assert notes == set(ABOUT[kind][number]["notes"].split())


@every_row
def test_every_link_leads_to_a_section_that_is_about_it(kind, number):
    about = ABOUT[kind][number]["sections"]
    assert targets(row(kind, number)[-1]) == [(label, chapter_of(label)) for label in about]
    for label, words in about.items():
        assert len(sections().get(label, ())) == 1, f"there are not one but other labels {label}"
        text = " ".join(sections()[label][0].lower().split())
        assert words
        assert not [word for word in words if word.lower() not in text], label


def test_the_words_tell_sections_apart():
    """Most other sections do not have the words of a link: they say something."""
    links = [
        (label, words)
        for kind in COLUMNS
        for about in ABOUT[kind].values()
        for label, words in about["sections"].items()
    ]
    texts = {label: " ".join(bodies[0].lower().split()) for label, bodies in sections().items()}
    loose = []
    for label, words in links:
        fits = sum(all(word.lower() in text for word in words) for text in texts.values())
        loose += [(label, fits)] if fits > len(texts) / 15 else []
    assert not loose


def test_a_link_to_a_section_without_title_has_words_of_its_own():
    """Sphinx can name a section by its title; a label in the middle of one has none."""
    bare = re.findall(r"\{ref\}`([\w-]+)`", source_of(PAGE).prose)
    assert bare
    assert not [label for label in bare if not sections()[label][0].startswith("#")]
