"""Sphinx extension of the book: the pages of the exam bank, from ``exam_bank/`` and the objectives.

Three directives: the table of all questions with its filters, the questions of a chapter with
folded answers, and a sample exam or its key. The filters are lists to choose from, and a style
sheet that is made here hides the rows that do not fit: no script is needed, and a browser that
cannot do it shows the whole table and no filters.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import exam_files
from docutils import nodes
from docutils.statemachine import StringList
from exam_draw import head_of, hints, points_table, total
from exam_files import CHAPTERS, KINDS, LEVELS, ROOT, marked
from softalign_quiz import tag
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)
SHEET = "exam-bank.css"
FOLDER = "book/exam_bank"
# Words of an id that are no plain words.
SPELT = {"hmm": "HMM", "lstm": "LSTM"}


def title_of(question: dict) -> str:
    """A short title, from the words of the id behind the page's: q-wa-hmm-paths, HMM paths."""
    words = [SPELT.get(word, word) for word in question["id"].split("-")[2:]]
    return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])


def page_of(chapter: int) -> str:
    """The page with the questions of a chapter."""
    return f"{FOLDER}/{CHAPTERS[chapter][1]}"


def sources() -> list[Path]:
    """The files of the bank, and that of the objectives."""
    return [*sorted(exam_files.FOLDER.glob("*.yml")), exam_files.OBJECTIVES]


def own_digest() -> str:
    """Digest of the bank and of what sets it: a page that shows some of it is made from this."""
    code = (Path(__file__).name, "exam_draw.py", "exam_files.py")
    files = [*sources(), *(ROOT / "tools" / name for name in code)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def find_changed(app: Sphinx, env, added, changed, removed) -> list[str]:
    """Pages that show the bank as it was."""
    return [
        page
        for page in sorted(env.found_docs - added - changed)
        if env.metadata.get(page, {}).get("exam", own_digest()) != own_digest()
    ]


# --- filters --------------------------------------------------------------------------------------


def used_objectives() -> dict[str, tuple[str, str]]:
    """Page and sentence of each objective that some question has."""
    used = {q["objective"] for found in exam_files.bank().values() for q in found}
    return {name: place for name, place in exam_files.objectives().items() if name in used}


def marks_of(chapter: int, question: dict) -> list[str]:
    """The classes of a row: one for each filter."""
    return [
        f"sa-c-{chapter}",
        f"sa-d-{question['difficulty']}",
        f"sa-k-{question['kind']}",
        f"sa-o-{question['objective']}",
    ]


def sheet() -> str:
    """One rule for each choice: where it is chosen, rows without its class are hidden."""
    choices = [
        *(f"sa-c-{chapter}" for chapter in CHAPTERS),
        *(f"sa-d-{level}" for level in LEVELS),
        *(f"sa-k-{kind}" for kind in KINDS),
        *(f"sa-o-{name}" for name in used_objectives()),
    ]
    rules = "".join(
        f'.sa-bank:has([value="{one}"]:checked) tbody tr:not(.{one}){{display:none}}\n'
        for one in choices
    )
    return f"{rules}@supports not selector(:has(a)){{.sa-filters{{display:none}}}}\n"


def choose(name: str, every: str, groups: dict[str, dict[str, str]]) -> nodes.Node:
    """A list to choose from; a group without a name is no group."""

    def option(value: str, text: str) -> nodes.Node:
        return tag("option", nodes.Text(text), value=value)

    parts: list[nodes.Node] = [option("sa-all", every)]
    for label, options in groups.items():
        inside = [option(value, text) for value, text in options.items()]
        parts += [tag("optgroup", *inside, label=label)] if label else inside
    key = f"sa-filter-{name.lower()}"
    label = tag("label", nodes.Text(name), for_=key)
    return tag("p", label, nodes.Text(" "), tag("select", *parts, id=key))


def filters() -> nodes.Node:
    """The four lists."""
    chapters = {f"sa-c-{n}": f"{n}: {title}" for n, (title, _) in CHAPTERS.items()}
    levels = {f"sa-d-{n}": word for n, word in LEVELS.items()}
    kinds = {f"sa-k-{kind}": words for kind, words in KINDS.items()}
    pages: dict[str, dict[str, str]] = {}
    for name, (page, says) in used_objectives().items():
        plain = re.sub(r"[$`*]|\\(?:mathbf|operatorname|text)\b|[{}]", "", says)
        plain = plain.replace("\\lvert", "|").replace("\\rvert", "|").replace("\\sqrt", "√")
        short = plain if len(plain) < 90 else f"{plain[:86].rsplit(' ', 1)[0]} …"
        place = page.rsplit("/", 1)[1].replace("_", " ")
        pages.setdefault(place, {})[f"sa-o-{name}"] = short.replace("\\", "")
    return tag(
        "div",
        choose("Chapter", "all chapters", {"": chapters}),
        choose("Difficulty", "all", {"": levels}),
        choose("Kind", "all kinds", {"": kinds}),
        choose("Objective", "all objectives", pages),
        class_="sa-filters",
        role="group",
        aria_label="Which questions the table shows",
    )


# --- directives -----------------------------------------------------------------------------------


class Bank(SphinxDirective):
    """What the directives share: questions, and Markdown set as nodes."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Set the page, or say what is wrong with the bank."""
        for path in sources():
            self.env.note_dependency(str(path))
        self.env.metadata[self.env.docname]["exam"] = own_digest()
        try:
            exam_files.bank.cache_clear()
            return self.set()
        except (KeyError, ValueError) as problem:
            log.warning("[softalign] the exam bank: %s", problem, location=self.get_location())
            return []

    def markdown(self, text: str) -> list[nodes.Node]:
        """Markdown as nodes, its Chinese marked."""
        inside = nodes.Element()
        self.state.nested_parse(StringList(marked(text).splitlines(), ""), 0, inside)
        return inside.children

    def link(self, page: str, text: str, anchor: str = "") -> nodes.Node:
        """A link to a page, or to a question on it."""
        inner = nodes.inline("", text)
        if anchor:
            return addnodes.pending_xref(
                "", inner, refdomain="std", reftype="ref", reftarget=anchor, refexplicit=True,
                refdoc=self.env.docname, refwarn=True,
            )  # fmt: skip
        return addnodes.pending_xref(
            "", inner, refdomain="std", reftype="doc", reftarget=f"/{page}", refexplicit=bool(text),
            refdoc=self.env.docname, refwarn=True,
        )  # fmt: skip

    def section(self, name: str, title: str, label: bool = False) -> nodes.section:
        """A section; with a label other pages can link to it."""
        new = nodes.section(ids=[name], names=[name] if label else [])
        new += nodes.title("", title)
        if label:
            self.state.document.note_explicit_target(new, new)
        return new

    def answer(self, question: dict) -> list[nodes.Node]:
        """Model answer and marking hints."""
        text = f"{question['answer'].strip()}\n\n**Marking**\n\n{hints(question)}"
        return self.markdown(text)


class BankTable(Bank):
    """``{softalign-exam-bank}``: filters and the table of all questions."""

    HEADS = ("Question", "Chapter", "Kind", "Difficulty", "Minutes", "Points")

    def set(self) -> list[nodes.Node]:
        """One row a question."""
        group = nodes.tgroup(cols=len(self.HEADS))
        group += [nodes.colspec(colwidth=1) for _ in self.HEADS]
        group += nodes.thead("", self.row([nodes.Text(head) for head in self.HEADS], []))
        body = nodes.tbody()
        for chapter, questions in exam_files.bank().items():
            for q in questions:
                name = self.link(page_of(chapter), title_of(q), q["id"])
                words = (chapter, KINDS[q["kind"]], LEVELS[q["difficulty"]])
                cells = [nodes.Text(str(word)) for word in (*words, q["minutes"], q["points"])]
                body += self.row([name, *cells], marks_of(chapter, q))
        group += body
        count = sum(map(len, exam_files.bank().values()))
        shown = tag("p", nodes.Text("Questions shown: "), tag("span", class_="sa-how-many"))
        text = f"{count} questions, {len(used_objectives())} objectives."
        return [
            tag("div", filters(), nodes.table("", group), shown, class_="sa-bank"),
            nodes.paragraph("", text),
        ]

    def row(self, cells: list[nodes.Node], classes: list[str]) -> nodes.row:
        """A row of cells."""
        entries = [nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells]
        return nodes.row("", *entries, classes=classes)


class ChapterQuestions(Bank):
    """``{softalign-exam-chapter} 1``: the questions of a chapter, page by page."""

    required_arguments = 1

    def set(self) -> list[nodes.Node]:
        """A section for each page of the book, in it one for each question."""
        chapter, known = int(self.arguments[0]), exam_files.objectives()
        pages: dict[str, nodes.section] = {}
        for question in exam_files.bank()[chapter]:
            page, says = known[question["objective"]]
            if page not in pages:
                pages[page] = self.section(f"exam-on-{page.rsplit('/', 1)[1]}", self.titles(page))
            new = self.section(question["id"], title_of(question), label=True)
            about = (
                f"*{KINDS[question['kind']].capitalize()}, {LEVELS[question['difficulty']]}: "
                f"{question['minutes']} minutes, {question['points']} points.* "
                f"Objective `{question['objective']}`: {says} "
                f"{{ref}}`Read again <{question['about']}>`."
            )
            new += self.markdown(about)
            new += self.markdown(question["ask"])
            summary = tag("summary", nodes.Text("Answer and marking"))
            new += tag("details", summary, *self.answer(question), class_="sa-exam-answer")
            pages[page] += new
        return list(pages.values())

    def titles(self, page: str) -> str:
        """The title of a page of the book."""
        notebook = ROOT / f"{page}.ipynb"
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        return re.search(r"^# (.+)$", text, re.M)[1]


class SampleExam(Bank):
    """``{softalign-exam-sample} a``: a sample exam; with ``:key:`` its answers."""

    required_arguments = 1
    option_spec = {"key": lambda value: True}  # noqa: RUF012

    def set(self) -> list[nodes.Node]:
        """The head, and a section for each question."""
        letter, key = self.arguments[0], "key" in self.options
        drawn, given = exam_files.sample(letter), exam_files.samples()[letter]
        found: list[nodes.Node] = []
        if not key:
            found += self.markdown(
                f"Name:\n\n{given['minutes']} minutes, {total(drawn, 'points')} points. A pocket "
                "calculator is allowed. Show how you got there: a bare result gets at most half of "
                "the points. The minutes beside a question are what we expect it to take; they sum "
                f"to {total(drawn, 'minutes')}."
            )
            found += self.markdown(points_table(drawn))
        for nth, (chapter, q) in enumerate(drawn, 1):
            name = f"exam-{letter}{'-key' if key else ''}-{nth}"
            new = self.section(name, head_of(q, nth))
            new["classes"].append("sa-exam-question")
            if key:
                line = nodes.paragraph("", f"Chapter {chapter}, {LEVELS[q['difficulty']]}: ")
                line += [self.link(page_of(chapter), "the question in the bank", q["id"])]
                new += [line, *self.answer(q)]
            else:
                new += self.markdown(q["ask"])
            found.append(new)
        return found


def write_sheet(app: Sphinx) -> None:
    """Write the rules of the filters."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", SHEET)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.write_text(sheet(), encoding="utf-8")
    except ValueError as problem:
        log.warning("[softalign] the exam bank: %s", problem)


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    app.add_directive("softalign-exam-bank", BankTable)
    app.add_directive("softalign-exam-chapter", ChapterQuestions)
    app.add_directive("softalign-exam-sample", SampleExam)
    app.connect("env-get-outdated", find_changed)
    app.connect("builder-inited", write_sheet)
    for name in (SHEET, "exam.css"):
        app.add_css_file(name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
