"""Every family on one corpus: the rows, their numbers, and what is said of them."""

from __future__ import annotations

import pytest

from softalign.cli import main
from softalign.corpus import load
from softalign.data_parallel import Team
from softalign.ladder import Texts, climb, read_ladder
from softalign.metrics import bleu
from softalign.systems import FAMILIES, Settings

SMALL = ["--width", "32", "--hidden-size", "16", "--batch-size", "16"]


def test_a_ladder_of_all_families(tmp_path, capsys):
    corpus, folder = tmp_path / "corpus.tsv", tmp_path / "a"
    pairs = load().train[:200]
    lines = [f"{' '.join(pair.source)}\t{' '.join(pair.target)}\n" for pair in pairs]
    corpus.write_text("".join(lines), encoding="utf-8")
    arguments = ["ladder", str(corpus), "-o", str(folder), "--steps", "12", "--beam", "2"]
    assert main([*arguments, *SMALL]) == 0
    out = capsys.readouterr().out
    found = read_ladder(folder / "ladder.json")
    assert [row.family for row in found.rows] == list(FAMILIES)
    assert {row.state for row in found.rows} == {"finished"}
    assert (found.corpus.train, found.corpus.validation, found.corpus.test) == (180, 10, 10)
    for row in found.rows:
        assert row.family in out
        said = (folder / f"test.{row.family}.txt").read_text(encoding="utf-8").split("\n")[:-1]
        assert len(said) == 10
        assert sum(group.count for group in row.by_length) == 10
    assert "</svg>" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "table.tsv").read_text(encoding="utf-8").count("\n") >= 7
    best = max(found.rows, key=lambda row: row.metrics["bleu"].value)
    assert {c.first for c in found.comparisons} == {best.family}
    assert len(found.examples) == 8


def backwards():
    """A text whose target is the source backwards."""
    turned = [(pair.source, pair.source[::-1]) for pair in load().train[:90]]
    return Texts("backwards", (), turned[:60], turned[60:70], turned[70:])


def test_the_scores_are_those_of_the_translations(tmp_path):
    text = backwards()
    chosen = {"word-for-word": Settings("word-for-word")}
    found = climb(tmp_path, text, chosen, together=Team())
    said = (tmp_path / "test.word-for-word.txt").read_text(encoding="utf-8").split("\n")[:-1]
    references = [[target] for _, target in text.test]
    expected = bleu([line.split() for line in said], references).value
    assert found.rows[0].metrics["bleu"].value == pytest.approx(expected)
    assert 0 < expected < 50


def test_a_family_that_fails_has_a_row_that_says_why(tmp_path):
    text = backwards()
    settings = {
        "rnn": Settings("rnn", steps=3, width=32, subwords=3),
        "lstm": Settings("lstm", steps=1, width=32),
    }
    found = climb(tmp_path, text, settings, together=Team())
    assert [row.state for row in found.rows] == ["failed", "finished"]
    assert "3 subwords cannot be learnt" in found.rows[0].reason
