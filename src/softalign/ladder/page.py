"""The report of a ladder: one file of HTML that needs nothing beside it, no script, no network.

Whatever comes from the user (sentences, names of files, reasons) is text on it, never markup.

Page: your_own_text
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from softalign.ladder.drawing import DARK, LIGHT, Drawing, inline
from softalign.ladder.plots import draw
from softalign.ladder.reading import plain, reading
from softalign.ladder.record import Example, Ladder
from softalign.ladder.report import COLUMNS, Cell, tabulate
from softalign.systems.folder import write_bytes

__all__ = ["command_line", "html_page", "write_page"]

CSS = Path(__file__).with_name("page.css")
GRIDS = ("#d5d5d6", "#3a3c42")
# what HTML may not contain, not even as a reference
FORBIDDEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def html_page(ladder: Ladder, drawings: Sequence[Drawing] | None = None) -> str:
    """Return the report.

    Parameters
    ----------
    ladder : Ladder
        What was measured.
    drawings : sequence of Drawing, optional
        What `softalign.ladder.plots.draw` has made of it; drawn anew without.

    Returns
    -------
    str
        HTML 5. The same for the same numbers.

    Page: your_own_text
    """
    drawings = draw(ladder) if drawings is None else drawings
    corpus = ladder.corpus
    title = f"The ladder on {_text(plain(corpus.name))}"
    day = datetime.fromisoformat(ladder.machine.date)
    pairs = (
        f"{corpus.train:,} pairs to train on, {corpus.validation:,} to choose by, "
        f"{corpus.test:,} held out to measure on"
    )
    parts = [
        f"<header>\n<h1>The ladder on {_user(corpus.name)}</h1>",
        f'<p class="soft">{pairs}. <time datetime="{_text(ladder.machine.date)}">'
        f"{day.day} {day:%B %Y}</time>.</p>\n</header>\n<main>",
        _section("reading", "What the numbers say", _sentences(ladder)),
        _section("table", "The table", _table(ladder)),
        _section("figures", "Figures", _figures(ladder, drawings)),
        _section("examples", "Examples", _examples(ladder)),
        _section("left-out", "What was left out, and why", _left_out(ladder)),
        _section("settings", "Settings, machine, versions", _settings(ladder)),
        _section("again", "To run it again", _again(ladder)),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_style()}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n"
        "</html>\n"
    )


def write_page(path: str | Path, ladder: Ladder, drawings: Sequence[Drawing] | None = None) -> None:
    """Write ``report.html``, whole or not at all.

    Page: your_own_text
    """
    write_bytes(path, html_page(ladder, drawings).encode())


def command_line(ladder: Ladder) -> str:
    """Return the command that makes this ladder, as a shell reads it.

    That is the setting "command" if there is one. Without it, options are those settings that have
    a value: a truth value is an option without one, a list is an option with several; the setting
    "output" is the option ``-o``.

    Page: your_own_text
    """
    if ladder.settings.get("command"):
        return str(ladder.settings["command"])
    words = ["softalign", "ladder", *(ladder.corpus.files or (ladder.corpus.name,))]
    for name, value in ladder.settings.items():
        if value is None or value is False or value == []:
            continue
        words.append("-o" if name == "output" else "--" + name.replace("_", "-"))
        if value is not True:
            words += [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
    return shlex.join(words)


def _text(text: str) -> str:
    """Escape text; what HTML may not contain becomes a mark of replacement."""
    return escape(FORBIDDEN.sub("\ufffd", text), quote=True)


def _prose(text: str) -> str:
    """Escape text; a line does not end inside of 9-16."""
    return re.sub(r"(?<=\d-)(?=\d)", "\u2060", _text(text))


def _user(text: str, tag: str = "bdi") -> str:
    """The user's own words: of an unknown language, and perhaps from right to left."""
    return f'<{tag} lang="" dir="auto">{_text(text)}</{tag}>'


def _style() -> str:
    def colours(families: Sequence[str], grid: str) -> str:
        properties = [f"--family-{place}: {colour};" for place, colour in enumerate(families)]
        return ":root { " + " ".join([*properties, f"--grid: {grid};"]) + " }\n"

    dark = (
        f"@media screen and (prefers-color-scheme: dark) {{ {colours(DARK, GRIDS[1]).strip()} }}\n"
    )
    return colours(LIGHT, GRIDS[0]) + dark + CSS.read_text(encoding="utf-8")


def _section(name: str, title: str, inside: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{inside}\n</section>'


def _sentences(ladder: Ladder) -> str:
    items = "\n".join(f"<li>{_prose(said)}</li>" for said in reading(ladder))
    return (
        f'<ul class="reading">\n{items}\n</ul>\n<p class="soft">In brackets: where 95 % of the '
        "scores lie when the held-out pairs are drawn anew, with replacement. Two families are "
        "told apart where p is below 0.05; this is not corrected for the number of comparisons, "
        "and says nothing of another seed of the training.</p>"
    )


def _table(ladder: Ladder) -> str:
    table = tabulate(ladder)
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in COLUMNS)
    rows = []
    for row, (name, *cells) in zip(ladder.rows, table.rows, strict=True):
        about = f"<small>{_text(row.description)}</small>" if row.description else ""
        rows.append(
            f'<tr><th scope="row"><span>{_text(name.text)}</span>{about}</th>'
            + "".join(f"<td>{_cell(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    caption = f"{ladder.corpus.test:,} held-out pairs. Bold: nothing in the column is better."
    shown = _scrolling("Table of all families", "numbers", caption, head, rows)
    notes = "\n".join(
        f'<li id="note-{letter}"><sup>{letter}</sup> {_text(why)}</li>'
        for letter, why in table.notes
    )
    return shown + (f'\n<ul class="notes">\n{notes}\n</ul>' if notes else "")


def _cell(cell: Cell) -> str:
    if cell.note:
        return f'<a href="#note-{cell.note}">–<sup>{cell.note}</sup></a>'
    text = _text(cell.text)
    return f"<strong>{text}</strong>" if cell.best else text


def _scrolling(name: str, kind: str, caption: str, head: str, rows: Iterable[str]) -> str:
    body = "\n".join(rows)
    return (
        f'<section class="scroll" aria-label="{_text(name)}" tabindex="0">\n'
        f'<table class="{kind}">\n<caption><span>{_text(caption)}</span></caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


def _figures(ladder: Ladder, drawings: Sequence[Drawing]) -> str:
    if not drawings:
        return "<p>There are no numbers to draw yet.</p>"
    figures = []
    for drawing in drawings:
        title, caption = _text(drawing.title), _text(drawing.caption)
        label = f'<svg role="img" aria-label="{title}. {caption}" '
        image = inline(drawing).replace("<svg ", label, 1)
        figures.append(
            f"<figure>\n<h3>{title}</h3>\n{image}\n<figcaption>{_prose(drawing.caption)}</figcaption>\n</figure>"
        )
    return '<div class="figures">\n' + "\n".join(figures) + "\n</div>" + _by_length(ladder)


def _by_length(ladder: Ladder) -> str:
    """The numbers of the third figure: no other place has them."""
    rows = [row for row in ladder.rows if row.by_length]
    if not rows:
        return ""
    labels = list(dict.fromkeys(group.label for row in rows for group in row.by_length))
    head = "".join(f'<th scope="col">{_text(label)}</th>' for label in ["family", *labels])
    lines = []
    for row in rows:
        scores = {group.label: group.bleu for group in row.by_length}
        cells = ("–" if scores.get(one) is None else f"{scores[one]:.1f}" for one in labels)
        lines.append(
            f'<tr><th scope="row">{_text(row.family)}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    caption = "BLEU by words in the source. A dash: no held-out pair is so long."
    inside = _scrolling("Table of BLEU by length", "numbers", caption, head, lines)
    return f"\n<details>\n<summary>BLEU by length in numbers</summary>\n{inside}\n</details>"


def _examples(ladder: Ladder) -> str:
    if not ladder.examples:
        return "<p>No examples were kept.</p>"
    order = [row.family for row in ladder.rows]
    return "\n".join(
        f'<div class="example">\n<h3>Held-out pair {number}</h3>\n'
        f"{_example(example, order)}\n</div>"
        for number, example in enumerate(ladder.examples, start=1)
    )


def _example(example: Example, order: Sequence[str]) -> str:
    lines = [("source", example.source, ' class="given"')]
    lines.append(("reference", example.reference, ' class="given"'))
    lines += [
        (name, example.translations[name], "") for name in order if name in example.translations
    ]
    items = []
    for name, text, kind in lines:
        said = _text(text) if text.strip() else '<span lang="en" class="soft">(nothing)</span>'
        items.append(f'<dt>{_text(name)}</dt><dd{kind} lang="" dir="auto">{said}</dd>')
    return "<dl>\n" + "\n".join(items) + "\n</dl>"


def _left_out(ladder: Ladder) -> str:
    parts = []
    lines = [(reason, count) for reason, count in ladder.corpus.left_out.items() if count]
    if lines:
        items = (f"<li>{_user(reason)}: {count:,}</li>" for reason, count in lines)
        total = sum(count for _, count in lines)
        parts.append(f"<p>Lines of the corpus that were not used, {total:,} in all:</p>")
        parts.append("<ul>\n" + "\n".join(items) + "\n</ul>")
    else:
        parts.append("<p>Every line of the corpus was used.</p>")
    for row in ladder.rows:
        if row.state in ("failed", "left out"):
            word = "failed" if row.state == "failed" else "was left out"
            reason = f": {_user(row.reason)}" if row.reason else ", and no reason was kept"
            parts.append(f"<p>{_text(row.family)} {word}{reason}.</p>".replace("..</p>", ".</p>"))
    return "\n".join(parts)


def _settings(ladder: Ladder) -> str:
    corpus, machine = ladder.corpus, ladder.machine
    pieces = [
        f"{side}, {types:,} different words" + (f", {count:,} subwords" if count else "")
        for side, types, count in (
            (corpus.src_tokens, corpus.src_types, corpus.src_pieces),
            (corpus.tgt_tokens, corpus.tgt_types, corpus.tgt_pieces),
        )
    ]
    facts: dict[str, Any] = {"files": ", ".join(corpus.files) or "(by name)"}
    facts |= {"source words": pieces[0], "target words": pieces[1]}
    facts |= {
        name.replace("_", " "): _shown(value)
        for name, value in ladder.settings.items()
        if name != "command"
    }
    where = {
        "processor": f"{machine.processor}, {machine.cores} cores",
        "system": machine.system,
        "processes": f"{machine.processes}, of {machine.threads} threads each",
        "versions": f"Python {machine.python}, torch {machine.torch}, "
        f"softalign {machine.softalign}",
        "date": machine.date,
    }
    return f"<h3>Corpus and settings</h3>\n{_facts(facts)}\n<h3>Machine</h3>\n{_facts(where)}"


def _facts(facts: Mapping[str, str]) -> str:
    items = (f"<dt>{_text(name)}</dt><dd>{_user(value)}</dd>" for name, value in facts.items())
    return '<dl class="facts">\n' + "\n".join(items) + "\n</dl>"


def _shown(value: Any) -> str:
    """A setting in words."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    words = {"None": "not set", "True": "yes", "False": "no"}
    return words.get(str(value), str(value))


def _again(ladder: Ladder) -> str:
    words = re.sub(r"\S+", r"<span>\g<0></span>", _text(command_line(ladder)))
    return (
        f'<pre dir="ltr"><code>{words}</code></pre>\n'
        "<p>The same command on the same versions gives the same numbers, except for the times; "
        "with a budget of seconds, the number of steps depends on the machine.</p>"
    )
