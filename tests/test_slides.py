"""Slides: the rule that makes them from a page, and the deck that nbconvert makes of them."""

from __future__ import annotations

import base64
import re
import subprocess
import sys

import make
import nbformat
import pytest
import slides
import slides_rules as rules
from book_files import LESSONS, ROOT
from bs4 import BeautifulSoup

PNG = base64.b64encode(b"\x89PNG picture").decode()


def markdown(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text, said="", png="", tags=(), alt=""):
    outputs = []
    if said:
        outputs.append({"output_type": "stream", "name": "stdout", "text": said})
    if png:
        data = {"image/png": png, "text/plain": "<Figure size 1x1 with 1 Axes>"}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    metadata = {"tags": list(tags), "mystnb": {"image": {"alt": alt}}}
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": outputs}


PAGE = {
    "cells": [
        markdown(
            "(top)=\n# A page about $x$\n\n**Question.** Here is a cat. Who sees [猫]{.language-zh}"
            "?\n\n**You need:** much.\n\n**You will be able to:**\n\n- see it;\n"
            "- say {ref}`why <one>`.\n\n"
            "**Time:** 1 minutes to read · 1 seconds to run."
        ),
        markdown(
            "(one)=\n## A claim\n\nIt holds, says {cite:t}`bahdanau2015neural`, for e.g. all of "
            "$x$ here. A second sentence {cite:p}`cho2014learning`.\n\n$$ x=1 $$ (eq-one)\n\n"
            "```{admonition} Aside\nNot this.\n```"
        ),
        code("folded()", "1\n", tags=["hide-input"]),
        code("not_compared()", "1\n", tags=["nbval-ignore-output"]),
        code("print(1)", "1\n"),
        code("print(2)", "2\n"),
        code("draw()", png=PNG, tags=["hide-input"], alt='A "picture" of a cat'),
        markdown("## Short words\n\nEM climbs. {numref}`fig-a` shows it. Nothing else does."),
        code("\n".join(["x = 1"] * 20), "long\n"),
        markdown('## Misconceptions\n\n**"Cats bark."** No.\n\n**"Dogs $x$."** No.'),
        markdown(
            "## Exercises\n\n```{exercise} Two minutes: by hand\n:label: ex-a\n"
            "What is [two](b.md)?\n```"
        ),
        markdown("## What breaks next\n\nAll of it. Then more of the rest."),
    ]
}


def test_a_page_becomes_slides_by_the_rule():
    found = list(rules.slides(PAGE))
    assert [(slide.heading, slide.text, slide.show) for slide in found] == [
        ("A page about $x$", 'Here is a cat. Who sees <span lang="zh">猫</span>?', ()),
        ("You will be able to", "- see it\n- say why", ()),
        (
            "A claim",
            f"It holds, says {rules.authors()['bahdanau2015neural']}, for e.g. all of $x$ here.",
            ("formula", "x=1"),
        ),
        ("A claim", "", ("code", "print(1)", "1")),
        ("A claim", "", ("figure", PNG, 'A "picture" of a cat')),
        ("Short words", "EM climbs. The figure shows it.", ()),
        ("True or false?", "- Cats bark.\n- Dogs $x$.", ()),
        ("In class. Two minutes: by hand", "What is two?", ()),
        ("What breaks next", "All of it. Then more of the rest.", ()),
    ]
    assert [slide.new for slide in found] == [True] + [False] * 8


def test_authors_are_named_as_in_a_sentence():
    assert rules.authors()["bahdanau2015neural"] == "Bahdanau et al. (2015)"
    assert all(re.search(r"\(\d{4}\)$", said) for said in rules.authors().values())


@pytest.mark.parametrize(
    ("text", "count"),
    [("one two", 2), ("- a *b* `c d` $e + f$", 4), ('x <span lang="zh">猫</span>.', 3)],
)
def test_words_are_counted_as_they_are_read(text, count):
    assert rules.count(text) == count


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two.", ["One.", "Two."]),
        ("In $a. B$ it is. So `c. D` too.", ["In $a. B$ it is.", "So `c. D` too."]),
        ("**Start.** All (it. Is) even. Then?", ["**Start.** All (it. Is) even.", "Then?"]),
        ('He said "yes." Then no. *Never.* Or 3.5 of 4.', None),
    ],
)
def test_a_sentence_is_not_cut_inside_a_formula_or_code(text, parts):
    found = rules.sentences(text)
    assert " ".join(found) == text
    assert parts is None or found == parts


def test_long_sentences_stay_on_the_page_and_long_lists_are_spread_evenly():
    assert rules.first("word " * 61 + ".") == ""
    assert (
        rules.first("(label)=\n| a | table |\n\n- a list\n\nShort one here: ") == "Short one here."
    )
    found = list(rules.listed("H", ["word " * 14] * 5))
    assert [slide.text.count("- ") for slide in found] == [3, 2]
    assert list(rules.listed("H", [])) == []


@pytest.mark.parametrize("page", LESSONS, ids=[page.name for page in LESSONS])
def test_no_slide_of_the_book_is_a_wall_of_text(page):
    found = list(rules.slides(rules.read(page.path)))
    assert len(found) >= 10
    for slide in found:
        assert rules.count(f"{slide.heading} {slide.text}") <= rules.WORDS + 15
        assert rules.count(slide.text) <= rules.WORDS, slide.text
        said = re.sub(r"\$[^$]*\$", "x", f"{slide.heading} {slide.text}")
        assert not re.search(r"\{\w+(?::\w)?\}`|\]\(|\{\.|\(\S+\)=|:::|```|\0", said), said
        assert said.count("**") % 2 == 0, said
        if slide.show and slide.show[0] == "code":
            assert max(map(len, slide.show[1].splitlines())) <= 88
    kinds = {slide.show[0] for slide in found if slide.show}
    assert "code" in kinds
    assert "figure" in kinds or "fewer than three figures" in page.prose


def test_a_deck_is_made_by_the_exporter_and_loads_only_what_lies_beside_it():
    made = nbformat.from_dict(rules.notebook_of(rules.slides(PAGE)))
    made.metadata.title = "Cats & dogs"
    page = BeautifulSoup(slides.convert(made), "html.parser")
    assert page.title.get_text() == "Cats & dogs"
    assert len(page.select(".slides > section")) == 1
    assert len(page.select(".slides > section > section > .sheet")) == 9
    assert page.select_one("h1").get_text() == "A page about $x$"
    assert page.select_one("[lang=zh]").get_text() == "猫"
    image = page.select_one("img")
    assert image["src"] == f"data:image/png;base64,{PNG}"
    assert image["alt"] == 'A "picture" of a cat'
    assert page.select_one(".code").get_text().strip() == "print(1)"
    assert page.select_one(".printed").get_text() == "1"
    assert "draw()" not in page.get_text()
    loaded = [t["src"] for t in page.select("script")] + [t["href"] for t in page.select("link")]
    assert all(address.startswith(("assets/", "data:,")) for address in loaded)
    assert not page.find(string=re.compile("require|mathjax", re.I))


def test_what_a_deck_loads_is_written_beside_it(tmp_path):
    from fontTools.ttLib import TTFont

    slides.write_assets(tmp_path, "两个 cats 猫")
    style = (tmp_path / "deck.css").read_text() + (tmp_path / "katex.min.css").read_text()
    style += (tmp_path / "reveal.css").read_text()
    named = re.findall(r"url\(\"?(?!data:)([^\")]+)\"?\)", style)
    assert len(named) > 15
    assert all((tmp_path / name).stat().st_size > 500 for name in named)
    letters = TTFont(tmp_path / "fonts" / "book-han.otf").getBestCmap()
    assert set(map(ord, "两个猫")) <= set(letters)
    assert len(letters) < 20
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.*")) < 2e6
    assert "sourceMappingURL" not in (tmp_path / "reveal.js").read_text(encoding="utf-8")


def test_a_page_that_was_not_run_is_named(tmp_path, monkeypatch):
    drawn = next(p.path for p in LESSONS if any(c.mystnb.get("figure") for c in p.code))
    with pytest.raises(slides.SlidesError, match=rf"{drawn.name} has not been run as it is now"):
        slides.executed(drawn, tmp_path / "nothing")
    missing = (*slides.ASSETS, tmp_path / "gone.js")
    monkeypatch.setattr(slides, "ASSETS", missing)
    with pytest.raises(slides.SlidesError, match=r"gone\.js is missing"):
        slides.write_assets(tmp_path, "")


def test_a_deck_without_one_of_its_pictures_is_not_made(monkeypatch):
    import copy

    bare = copy.deepcopy(PAGE)
    del bare["cells"][6]["outputs"][0]["data"]["image/png"]
    monkeypatch.setattr(slides, "executed", lambda path, cache: bare)
    with pytest.raises(slides.SlidesError, match="The picture of 'A claim' is missing"):
        slides.deck([ROOT])


def test_decks_are_made_again_when_something_changes(tmp_path, monkeypatch):
    page = tmp_path / "page.ipynb"
    page.write_text("{}")
    made = []
    monkeypatch.setattr(slides, "chapters", lambda: {"01_a": [page]})
    monkeypatch.setattr(slides, "deck", lambda pages, cache: made.append(1))
    monkeypatch.setattr(slides, "convert", lambda deck: '<div class="sheet">猫</div>' * 3)
    target = tmp_path / "slides"
    assert [slides.write(target) for _ in range(2)] == [{"01_a": 3}] * 2
    assert len(made) == 1
    page.write_text("[]")
    slides.write(target)
    assert len(made) == 2


def test_there_is_a_deck_for_each_chapter_with_all_of_its_pages():
    found = slides.chapters()
    assert list(found) == [
        f"0{n}_{name}"
        for n, name in enumerate(
            ("smt", "rnn", "bptt", "lstm", "encoder_decoder", "attention", "transformer"), 1
        )
    ]
    pages = {path for paths in found.values() for path in paths}
    assert pages >= {page.path for page in LESSONS if page.name.startswith("chapters/")}
    assert all(paths[0].stem == "index" for paths in found.values())


def test_make_slides_builds_the_book_first(monkeypatch):
    done = []
    monkeypatch.setattr(make, "book", lambda: done.append("book"))
    monkeypatch.setattr(make, "run", lambda *command, **_: done.append(command[-1]))
    make.slides()
    assert done == ["book", "tools/slides.py"]


def test_the_command_says_in_a_sentence_what_is_missing(tmp_path):
    command = [
        sys.executable,
        "-c",
        (
            "import sys, slides; from pathlib import Path;"
            "sys.argv = ['slides.py', '--to', sys.argv[1]];"
            "slides.write.__defaults__ = (slides.TARGET, Path('nowhere')); sys.exit(slides.main())"
        ),
        str(tmp_path / "to"),
    ]
    done = subprocess.run(command, cwd=ROOT / "tools", capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(
        r"\S+\.ipynb has not been run as it is now: say make slides.*\n", done.stderr
    )
