"""What of a page goes on slides: a rule, not a choice.

- a page begins with its title and its question, and goes on with what one can do afterwards;
- every section gives a slide with its heading and its first sentence (and the second, if the first
  has fewer than `SHORT` words); the first of its figures, formulas and key cells goes with them,
  the others have slides of their own;
- a key cell is a section's first cell that is neither folded nor long and prints little;
- a page ends with its misconceptions, to be voted on, its shortest exercise, and what breaks next.

No slide has more than `WORDS` words of text. What is longer is left to the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = 60
SHORT = 9
# Lines of code, of output and of a formula that a slide can show.
CODE, PRINTED, ROWS = 14, 9, 7
CLOSING = ("What we showed", "What breaks next", "Misconceptions", "Exercises", "Further reading")
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell", "hide-output", "remove-output"}
FENCE = re.compile(r"^(`{3,}|:{3,})\{.*?^\1\s*?$", re.MULTILINE | re.DOTALL)
DISPLAY = re.compile(r"\$\$(.+?)\$\$(?: *\([\w-]+\))?", re.DOTALL)
HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
# Where a sentence may not be cut: formulas, code, brackets.
WHOLE = re.compile(r"\$[^$]*\$|`[^`]*`|\([^()]*\)|\[[^\]]*\]|\*\*[^*]+\*\*")


@dataclass
class Slide:
    """A slide: heading and text in Markdown, and what it shows.

    `show` is ("figure", png, alternative text), ("formula", LaTeX) or ("code", source, printed).
    """

    heading: str
    text: str = ""
    show: tuple = ()
    new: bool = False


@dataclass
class Section:
    """A section of a page: its heading, its text, and its cells that could be shown."""

    heading: str
    level: int
    text: str = ""
    shows: list[tuple] = field(default_factory=list)


# --- words ----------------------------------------------------------------------------------------


@cache
def authors() -> dict[str, str]:
    """For each key of the bibliography the names and the year, as in running text."""
    found = {}
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    for key, entry in re.findall(r"^@\w+\{(\S+),\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        fields = dict(re.findall(r"^\s*(\w+)\s*=\s*[{\"](.+?)[}\"],?$", entry, re.MULTILINE))
        people = re.sub(r"[{}]", "", fields.get("author", "")).split(" and ")
        last = [p.split(",")[0] if "," in p else p.split()[-1] for p in people if p.strip()]
        names = " and ".join(last[:2]) if len(last) < 3 else f"{last[0]} et al."
        found[key] = f"{names} ({fields.get('year', 'n.d.')})"
    return found


def plain(text: str, titles: dict[str, str]) -> str:
    """Markdown without what only the book can resolve: roles, links, classes."""

    def role(found: re.Match) -> str:
        name, inside = found["name"], found["inside"]
        said, label = re.fullmatch(r"(?:(.*?)\s*<)?([^<>]*)>?", inside, re.DOTALL).groups()
        if name == "cite:p":
            return ""
        if name.startswith("cite"):
            return ", ".join(authors().get(key.strip(), key) for key in label.split(","))
        if said:
            return said
        start = not text[: found.start()].strip() or text[: found.start()].rstrip()[-1:] in ".?!:"
        thing = {"numref": "the figure", "eq": "the equation"}.get(name)
        if thing:
            return thing.capitalize() if start else thing
        return f"*{titles[label]}*" if label in titles else label.replace("-", " ")

    text = re.sub(r" ?\{(?P<name>cite:p)\}`(?P<inside>[^`]+)`", role, text)
    text = re.sub(r"\{(?P<name>[\w:]+)\}`(?P<inside>[^`]+)`", role, text)
    text = re.sub(r"\[([^\]]*)\]\{\.language-zh\}", r'<span lang="zh">\1</span>', text)
    text = re.sub(r"\[([^\]]*)\]\{[^}]*\}", r"\1", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return " ".join(text.split())


def count(text: str) -> int:
    """Words of a text as read: a formula and a piece of code are one each."""
    text = re.sub(r"<[^>]*>|\*|^- ", " ", text, flags=re.MULTILINE)
    return len(re.sub(r"\$[^$]*\$|`[^`]*`", "x", text).split())


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; none ends inside a formula, code or brackets."""
    hidden: list[str] = []

    def hide(found: re.Match) -> str:
        hidden.append(found[0])
        return f"\0{len(hidden) - 1}\0"

    while (new := WHOLE.sub(hide, text)) != text:
        text = new
    parts = re.split(r"(?:(?<=[.?!])|(?<=[.?!][\"”*]))\s+(?=[\"“*A-Z\0<{])", text)

    def show(part: str) -> str:
        while "\0" in part:
            part = re.sub(r"\0(\d+)\0", lambda found: hidden[int(found[1])], part)
        return part

    return [show(part) for part in parts if part]


def first(text: str, most: int = WORDS) -> str:
    """The first sentence of a text, and the second after a very short one; not if too long."""
    for paragraph in re.split(r"\n\s*\n", re.sub(r"^\(\S+\)=$", "", text, flags=re.M)):
        if not paragraph.strip() or re.match(r"\s*(?:[|>]|- |\d+\. |\0)", paragraph):
            continue
        parts = sentences(" ".join(paragraph.split()))
        taken = parts[0]
        if count(taken) < SHORT and len(parts) > 1:
            taken = f"{taken} {parts[1]}"
        taken = next((one for one in (taken, parts[0]) if count(one) <= most), "")
        # what leads up to code or to a display that stands elsewhere ends here
        return re.sub(r"[:,]$", ".", taken)
    return ""


# --- pages ----------------------------------------------------------------------------------------


def text_of(cell: dict) -> str:
    """The text of a cell."""
    return "".join(cell["source"])


def labels(notebook: dict) -> dict[str, str]:
    """Titles of the sections of a page by their labels."""
    prose = "\n\n".join(text_of(c) for c in notebook["cells"] if c["cell_type"] == "markdown")
    return dict(re.findall(r"^\((\S+)\)=\n#+ (.+)$", prose, re.MULTILINE))


def printed(cell: dict) -> str | None:
    """What a cell prints; None if it shows anything else, or nothing."""
    found = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream" and output["name"] == "stdout":
            found.append("".join(output["text"]))
        elif set(output.get("data", {})) == {"text/plain"}:
            found.append("".join(output["data"]["text/plain"]))
        else:
            return None
    return "".join(found).rstrip() or None


def figure(cell: dict) -> tuple | None:
    """The picture of a cell, empty in a notebook as it is stored, with its alternative text."""
    alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        if "image/png" in data or "<Figure" in "".join(data.get("text/plain", "")):
            return ("figure", "".join(data.get("image/png", "")), alt)
    return None


def is_key(cell: dict) -> bool:
    """Whether a cell is short, unfolded, compared by the tests, and prints little."""
    tags = set(cell["metadata"].get("tags", ()))
    said = printed(cell)
    lines = [line for line in text_of(cell).splitlines() if line.strip()]
    return (
        not tags & {*FOLDED, "nbval-ignore-output"}
        and said is not None
        and len(said.splitlines()) <= PRINTED
        and max(map(len, said.splitlines())) <= 100
        and len(lines) <= CODE
        and not text_of(cell).startswith("import sys\n\nif")
    )


def sections(notebook: dict) -> list[Section]:
    """The sections of a page, in order; the first holds what stands before any heading."""
    found = [Section("", 0)]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = FENCE.sub("", text_of(cell))
            pieces = HEADING.split(text)
            _add(found[-1], pieces[0])
            for marks, heading, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
                found.append(Section(heading.strip(), len(marks)))
                _add(found[-1], body)
            continue
        shown = figure(cell)
        key = not any(one[0] == "code" for one in found[-1].shows) and is_key(cell)
        if shown:
            found[-1].shows.append(shown)
        elif key:
            found[-1].shows.append(("code", text_of(cell), printed(cell)))
    return found


def _add(section: Section, text: str) -> None:
    """Put text into a section, its displayed formulas beside it."""
    for latex in DISPLAY.findall(text):
        if latex.count("\\\\") < ROWS:
            section.shows.append(("formula", latex.strip()))
    section.text += "\n\n" + DISPLAY.sub("\n\n\0\n\n", text)


# --- slides ---------------------------------------------------------------------------------------


def slides(notebook: dict, titles: dict[str, str] | None = None) -> Iterator[Slide]:
    """The slides of a page."""
    titles = {**(titles or {}), **labels(notebook)}
    _, head, *rest = sections(notebook)
    opening = re.search(r"\*\*Question\.\*\*(.*?)(?:\n\s*\n|$)", head.text, re.DOTALL)
    asked = sentences(" ".join(opening[1].split())) if opening else [first(head.text)]
    if count(" ".join(asked)) > WORDS:  # the question itself is what comes last
        asked = asked[-1:]
    yield Slide(plain(head.heading, titles), plain(" ".join(asked), titles), new=True)
    goals = re.search(r"You will be able to:\*\*\s*(.*?)\n\s*\n\*\*", head.text, re.DOTALL)
    if goals:
        items = [plain(item, titles) for item in re.split(r"^- ", goals[1], flags=re.M)[1:]]
        yield from listed("You will be able to", [item.rstrip(";.") for item in items])
    for section in rest:
        if section.heading not in CLOSING:
            yield from of_section(section, titles)
    closing = {section.heading: section for section in rest if section.level == 2}
    if "Misconceptions" in closing:
        claims = re.findall(r"^\*\*[\"“](.+?)[\"”]\*\*", closing["Misconceptions"].text, re.M)
        yield from listed("True or false?", [plain(claim, titles) for claim in claims])
    yield from exercise(notebook, titles)
    if "What breaks next" in closing:
        yield Slide("What breaks next", plain(first(closing["What breaks next"].text), titles))


def listed(heading: str, items: list[str]) -> Iterator[Slide]:
    """Slides with a list, the items spread evenly over as many as are needed."""
    if not items:
        return
    for pages in range(1, len(items) + 1):
        size = -(-len(items) // pages)
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        if all(count(" ".join(part)) <= WORDS for part in parts):
            break
    for part in parts:
        yield Slide(heading, "\n".join(f"- {item}" for item in part))


def of_section(section: Section, titles: dict[str, str]) -> Iterator[Slide]:
    """The slides of a section: its claim with what shows it first, then what else it shows."""
    said = plain(first(section.text), titles)
    shows = section.shows or [()]
    if not said and not section.shows:
        return
    for number, show in enumerate(shows):
        yield Slide(plain(section.heading, titles), "" if number else said, show)


def exercise(notebook: dict, titles: dict[str, str]) -> Iterator[Slide]:
    """The first exercise of a page that fits, to be done in class."""
    prose = "\n\n".join(text_of(c) for c in notebook["cells"] if c["cell_type"] == "markdown")
    pattern = r"^`{3,}\{exercise\} ([^\n]*)\n(?::[^\n]*\n)*(.*?)^`{3,}"
    for title, text in re.findall(pattern, prose, re.MULTILINE | re.DOTALL):
        said = plain(text, titles)
        if count(said) <= WORDS and "$$" not in said:
            yield Slide(f"In class. {plain(title, titles)}", said)
            return


def notebook_of(found: Iterable[Slide]) -> dict:
    """Slides as a notebook with the metadata that nbconvert's exporter reads."""
    cells = []

    def add(kind: str, source: str, place: str, **more) -> None:
        cell = {"cell_type": kind, "source": source, "metadata": {"slideshow": {}}}
        cell["metadata"]["slideshow"]["slide_type"] = place
        cell["metadata"].update(more.pop("metadata", {}))
        cells.append({**cell, **more})

    for slide in found:
        level = "#" if slide.new else "##"
        words = f"{level} {slide.heading}\n\n{slide.text}".rstrip() + "\n"
        if slide.show and slide.show[0] == "formula":
            words += f"\n$$ {slide.show[1]} $$\n"
        add("markdown", words, "slide" if slide.new else "subslide")
        if slide.show and slide.show[0] == "figure":
            data = {"image/png": slide.show[1]}
            output = {"output_type": "display_data", "data": data, "metadata": {}}
            more = {"alt": slide.show[2]}
            add("code", "", "-", outputs=[output], execution_count=None, metadata=more)
        elif slide.show and slide.show[0] == "code":
            output = {"output_type": "stream", "name": "stdout", "text": slide.show[2]}
            add("code", slide.show[1].rstrip(), "-", outputs=[output], execution_count=None)
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def read(path: Path) -> dict:
    """A notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))
