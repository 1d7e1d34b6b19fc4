"""Sphinx extension of the book: the section "Check yourself", from ``quizzes/<page>.yml``.

The section stands before the exercises: when the page has said all it has to say, and something is
asked of the reader anyway. It is put into the page as Sphinx reads it, so its formulas are set like
the page's own, it is numbered and in the table of contents, and the notebook knows nothing of it.

What is written needs no script: a question, its options, and the answer with all reasons, folded.
``quiz.js`` makes of this something to answer, and takes every word it says from the folded part.
On paper the answers are folded away for good; a line at the end of the section has the right ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import quiz_files
from docutils import nodes
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from quiz_files import LETTERS
from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)
ANCHOR = "check-yourself"
# The section goes before the first of these that the page has.
BEFORE = ("Exercises", "Further reading")
CHINESE = re.compile(r"([\u3400-\u9fff\uf900-\ufaff][\u3000-\u303f\u3400-\u9fff\uff00-\uffef]*)")
# A question that asks for per cent is answered by "50 %" with 50, any other with 0.5.
PER_CENT = re.compile(r"\b(?:in|as|to|how many|whole|full) (?:an? )?(?:whole )?per ?cent", re.I)
MARKDOWN = (
    MarkdownIt("zero", {"typographer": True})
    .enable(["emphasis", "backticks", "escape", "entity", "smartquotes", "replacements"])
    .use(dollarmath_plugin, allow_digits=False)
)


# --- text -----------------------------------------------------------------------------------------


def inline(text: str) -> list[nodes.Node]:
    """One paragraph of the small Markdown of a question, as docutils nodes."""
    (block,) = MARKDOWN.parseInline(" ".join(text.split()))
    root = nodes.paragraph()
    open_nodes: list[nodes.Element] = [root]
    kinds = {"em_open": nodes.emphasis, "strong_open": nodes.strong}
    for token in block.children or []:
        if token.type in kinds:
            open_nodes[-1] += (new := kinds[token.type]())
            open_nodes.append(new)
        elif token.type in ("em_close", "strong_close"):
            open_nodes.pop()
        elif token.type == "math_inline":
            open_nodes[-1] += nodes.math("", token.content)
        elif token.type == "code_inline":
            open_nodes[-1] += nodes.literal("", "", *in_its_language(token.content))
        else:
            open_nodes[-1] += in_its_language(token.content or " ")
    return root.children


def in_its_language(text: str) -> list[nodes.Node]:
    """Text, with its Chinese marked as Chinese."""
    parts = [part for part in CHINESE.split(text) if part]
    return [
        nodes.inline("", part, classes=["language-zh"]) if CHINESE.match(part) else nodes.Text(part)
        for part in parts
    ]


def paragraphs(text: str, before: str = "") -> list[nodes.Node]:
    """Paragraphs of the small Markdown, the first after a word in bold."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    found = [nodes.paragraph("", "", *inline(block)) for block in blocks]
    if before:
        found[0][:0] = [nodes.strong("", before), nodes.Text(" ")]
    return found


# --- elements -------------------------------------------------------------------------------------


class element(nodes.General, nodes.Element):
    """An HTML element with its attributes; for other writers just what is in it."""


def tag(name: str, *children: nodes.Node, **attributes: object) -> element:
    """An element; ``_`` in an attribute's name is '-', and one without value is left out."""
    given = {key.strip("_").replace("_", "-"): value for key, value in attributes.items()}
    new = element(tag=name, given={k: str(v) for k, v in given.items() if v is not None})
    new += children
    return new


def visit(writer, node: element) -> None:
    """Open the element."""
    text = "".join(
        f' {name}="{writer.attval(value)}"' if value else f" {name}"
        for name, value in node["given"].items()
    )
    writer.body.append(f"<{node['tag']}{text}>")


def depart(writer, node: element) -> None:
    """Close the element."""
    writer.body.append(f"</{node['tag']}>\n")


def transparent(writer, node: element) -> None:
    """Let another writer set what is in the element."""


def lettered(letter: str, text: str, **attributes: object) -> element:
    """A line of a list with its letter: an option or a step."""
    says = tag("span", *inline(text), class_="sa-says")
    name = tag("span", nodes.Text(letter), class_="sa-which")
    return tag("li", name, nodes.Text(" "), says, **attributes)


# --- questions ------------------------------------------------------------------------------------


def plain(value: float) -> str:
    """A number as a reader would write it."""
    text = f"{value:,}" if isinstance(value, int) and abs(value) > 9999 else f"{value}"
    return text.replace("-", "−")


def choice(question: dict) -> tuple[list, list, str]:
    """What is asked, what is folded, and the short answer of a choice."""
    shown, folded, right = [], [], ""
    for letter, option in zip(LETTERS, question["options"], strict=False):
        shown.append(lettered(letter, option["says"]))
        good = option.get("right", False)
        right = letter if good else right
        because = tag("div", *paragraphs(option["because"]), class_="sa-because")
        verdict = tag("strong", nodes.Text(f"{letter}: {'right' if good else 'not this'}."))
        folded.append(tag("li", verdict, because, data_right="" if good else None))
    return [tag("ol", *shown, class_="sa-options")], [tag("ul", *folded)], right


def number(question: dict) -> tuple[list, list, str]:
    """What is asked, what is folded, and the short answer of a number."""
    answer = plain(question["answer"])
    entries = [(f"{answer} is right.", question["because"], {"data_right": ""})]
    for mistake in question["wrong"]:
        words = f"Not {plain(mistake['answer'])}."
        entries.append((words, mistake["because"], {"data_number": mistake["answer"]}))
    entries.append(("Another number?", question["otherwise"], {"data_otherwise": ""}))
    folded = [
        tag(
            "li",
            tag("strong", nodes.Text(words)),
            tag("div", *paragraphs(because), class_="sa-because"),
            **which,
        )
        for words, because, which in entries
    ]
    space = tag("p", nodes.Text("Your number:"), class_="sa-space")
    return [space], [tag("ul", *folded)], answer


def order(question: dict) -> tuple[list, list, str]:
    """What is asked, what is folded, and the short answer of an order."""
    mixed = quiz_files.shuffled(question)
    letters = dict(zip(mixed, LETTERS, strict=False))
    steps = question["steps"]
    shown = [
        lettered(letters[place], steps[place]["says"], data_step=place, style=f"--place:{nth}")
        for nth, place in enumerate(mixed)
    ]
    right = ", ".join(letters[place] for place in range(len(steps)))
    folded = [
        tag(
            "li",
            tag("strong", nodes.Text(f"{letters[place]} after {letters[place - 1]}.")),
            tag("div", *paragraphs(steps[place]["because"]), class_="sa-because"),
            data_step=place,
        )
        for place in range(1, len(steps))
    ]
    verdict = tag("strong", nodes.Text(f"{right} is right."))
    because = tag("div", *paragraphs(question["because"]), class_="sa-because")
    folded.insert(0, tag("li", verdict, because, data_right=""))
    return [tag("ol", *shown, class_="sa-steps")], [tag("ul", *folded)], right


def block(
    question: dict, nth: int, count: int, target: tuple[str, nodes.title]
) -> tuple[element, str]:
    """One question as an element, and its short answer."""
    kind, name = question["kind"], f"quiz-{question['id']}"
    shown, folded, right = {"choice": choice, "number": number, "order": order}[kind](question)
    place, title = target
    words = [child.deepcopy() for child in title.children]
    link = tag("a", nodes.Text("Read again: "), *words, href=f"#{place}", class_="sa-again")
    data = {}
    if kind == "number":
        data = {"data_answer": question["answer"], "data_within": question["within"]}
        data["data_percent"] = "" if PER_CENT.search(question["ask"]) else None
    heading = tag("p", nodes.Text(f"Question {nth} of {count}"), class_="sa-nth", id=f"{name}-nth")
    whole = tag(
        "div",
        heading,
        tag("div", *paragraphs(question["ask"]), class_="sa-ask", id=f"{name}-ask"),
        *shown,
        tag(
            "details",
            tag("summary", nodes.Text("Answer and reasons")),
            *folded,
            tag("p", link),
            class_="sa-answer",
        ),
        class_="sa-question",
        id=name,
        role="group",
        aria_labelledby=f"{name}-nth",
        data_kind=kind,
        data_digest=quiz_files.digest(question),
        **data,
    )
    return whole, right


def section(questions: list[dict], targets: list[tuple[str, nodes.title]]) -> nodes.section:
    """The section with all questions of a page."""
    new = nodes.section(ids=[ANCHOR], names=["check yourself"])
    new += nodes.title("", "Check yourself")
    key = []
    box = tag("div", class_="sa-quiz")
    for nth, (question, target) in enumerate(zip(questions, targets, strict=True), 1):
        whole, right = block(question, nth, len(questions), target)
        box += whole
        key.append(f"{nth}: {right}")
    text = f"Answers. {'; '.join(key)}. The reasons are on the site, under each question."
    box += tag("p", nodes.Text(text), class_="sa-key")
    new += box
    return new


# --- Sphinx ---------------------------------------------------------------------------------------


def own_digest(page: str) -> str:
    """Digest of a page's questions and of what sets them; empty for a page without."""
    path = quiz_files.path_of(page)
    if not path.exists():
        return ""
    code = Path(__file__).read_bytes() + Path(quiz_files.__file__).read_bytes()
    return hashlib.sha256(code + path.read_bytes()).hexdigest()


def find_changed(app: Sphinx, env, added, changed, removed) -> list[str]:
    """Pages whose questions are new, gone or changed: Sphinx alone sees only changed files."""
    return [
        page
        for page in sorted(env.found_docs - added - changed)
        if env.metadata.get(page, {}).get("quiz", "") != own_digest(page)
    ]


def place_of(doctree: nodes.document, label: str) -> tuple[str, nodes.title] | None:
    """Anchor of a label, and the title of the section it is in."""
    anchor = doctree.nameids.get(nodes.fully_normalize_name(label))
    node = doctree.ids.get(anchor) if anchor else None
    if node is None:
        return None
    if isinstance(node, nodes.target):  # stands before what it labels, which may be a section
        following = node.next_node(siblings=True, descend=False, ascend=True)
        node = following if following is not None else node
    while not isinstance(node, nodes.section) and node.parent:
        node = node.parent
    return anchor, node.next_node(nodes.title)


def add_section(app: Sphinx, doctree: nodes.document) -> None:
    """Put the questions of a page before its exercises."""
    page = app.env.docname
    path = quiz_files.path_of(page)
    if not path.exists():
        return
    app.env.note_dependency(str(path))
    app.env.metadata[page]["quiz"] = own_digest(page)
    questions, wrong = quiz_files.read(path)
    for sentence in wrong:
        log.warning("[softalign] %s", sentence)
    targets = []
    for question in questions:
        targets.append(place_of(doctree, question["about"]))
        if targets[-1] is None:
            name = path.relative_to(quiz_files.ROOT).as_posix()
            log.warning(
                "[softalign] %s, question %s: the page has no label (%s)=.",
                name,
                question["id"],
                question["about"],
            )
    if not questions or None in targets:
        return
    top = doctree.next_node(nodes.section)
    parts = [node for node in top.children if isinstance(node, nodes.section)]
    titles = [part.next_node(nodes.title).astext() for part in parts]
    after = next((parts[titles.index(title)] for title in BEFORE if title in titles), None)
    new = section(questions, targets)
    doctree.note_explicit_target(new, new)
    if after is None:
        top += new
    else:
        top.insert(top.index(after), new)


def write_counts(app: Sphinx) -> None:
    """Write the digests of all questions, by page: the sidebar counts what the browser knows."""
    if app.builder.format != "html":
        return
    known = {}
    for page in quiz_files.pages():
        questions, _ = quiz_files.read(quiz_files.path_of(page))
        known[page] = " ".join(quiz_files.digest(question) for question in questions)
    target = Path(app.outdir, "_static", "quiz-pages.js")
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(known, separators=(",", ":"))
    target.write_text(f"window.softalignQuizzes={text};\n", encoding="utf-8")


def name_script(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Load the script of the questions on pages that have some."""
    if app.env.metadata.get(page, {}).get("quiz"):
        app.add_js_file("quiz.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    """Connect the extension to Sphinx."""
    nothing = (transparent, transparent)
    app.add_node(element, html=(visit, depart), latex=nothing, text=nothing)
    app.connect("env-get-outdated", find_changed)
    # before the collectors, which note the page's sections
    app.connect("doctree-read", add_section, priority=400)
    app.connect("builder-inited", write_counts)
    app.connect("html-page-context", name_script)
    for name in ("quiz-pages.js", "quiz-memory.js"):
        app.add_js_file(name, loading_method="defer")
    app.add_css_file("quiz.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
