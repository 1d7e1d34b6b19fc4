"""The register of the claims: every number is what the cell or the stored run says."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections import Counter

import claims
import pytest

REGISTER = {claim.id: claim for claim in claims.read_claims()}
MEASURED = claims.read_measured()
# What the course notes claim without a measurement: each is measured somewhere, or is measured not
# to be so.
NOTES = {
    "long sequences lose information in a fixed context vector",
    "attention raises BLEU by 30 %",
    "attention weights show word correspondences",
    "the heat map explains the decision",
    "an RNN cannot be parallelised over time, self-attention can",
    'with attention "the encoder is parallel"',
    "parameter sharing keeps the size fixed for any length",
    "LSTM solves vanishing *and exploding* gradients",
    'attention "still suffers vanishing gradients on long sequences"',
    "more heads look at different parts",
    "sinusoidal encoding carries relative position",
    "simple series do not need attention",
}
SCOREBOARD = "chapters/07_transformer/scoreboard"
BOTTLENECK = "chapters/05_encoder_decoder/bottleneck"


def changed(name, **fields):
    """What is said of a claim in which something else stands."""
    return claims.complaints(dataclasses.replace(REGISTER[name], **fields), MEASURED[name])


@pytest.mark.parametrize("name", REGISTER)
def test_a_claim_stands_on_its_page_with_the_numbers_that_were_measured(name):
    assert claims.complaints(REGISTER[name], MEASURED.get(name)) == []


def test_the_register_as_a_whole():
    assert claims.all_complaints() == []
    assert len(REGISTER) >= 60
    assert sum(claim.page == SCOREBOARD for claim in REGISTER.values()) >= 25


def test_all_claims_of_the_course_notes_are_measured():
    assert {claim.notes for claim in REGISTER.values()} - {""} == NOTES


def test_every_page_with_stored_runs_has_a_claim():
    pages = {claim.page for claim in REGISTER.values()}
    for name, page in claims.pages().items():
        if any("runs.stored(" in cell.source for cell in page.cells.values()):
            assert name in pages, name


def test_no_page_claims_to_have_measured_and_is_left_out():
    """Of the chapters' pages that print numbers, nearly all are in the register."""
    count = Counter(claim.page for claim in REGISTER.values())
    lessons = [name for name in claims.pages() if name.startswith("chapters/")]
    missing = {name for name in lessons if claims.pages()[name].cells} - set(count)
    assert missing == {"chapters/01_smt/noisy_channel"}, "a worked example, nothing measured"


# --- what must fail -------------------------------------------------------------------------------


def test_a_wrong_stored_number_is_found():
    for name, label in (
        ("bn-bits", "bits needed: test, long"),
        ("sb-long", "BLEU on long, phrases"),
    ):
        stored = copy.deepcopy(MEASURED[name])
        stored["values"][label]["0"] += 0.1
        (words,) = claims.complaints(REGISTER[name], stored)
        assert words.startswith(f"'{label}' is [")


def test_a_stored_number_too_many_or_too_few_is_found():
    stored = copy.deepcopy(MEASURED["bn-bits"])
    stored["values"]["made up"] = stored["values"].pop("bits needed: test, long")
    wrong = claims.complaints(REGISTER["bn-bits"], stored)
    assert wrong == [
        "'bits needed: test, long' is not stored",
        "'made up' is stored, not measured",
    ]
    (words,) = claims.complaints(REGISTER["bn-bits"], None)
    assert "nothing is stored" in words


def test_another_version_is_found():
    stored = copy.deepcopy(MEASURED["bn-bits"])
    stored["versions"]["numpy"] = "1.26.4"
    (words,) = claims.complaints(REGISTER["bn-bits"], stored)
    assert "1.26.4" in words


def test_a_missing_cell_is_found_and_the_right_one_named():
    (words,) = changed("bn-bits", cell="bn-bits/9")
    assert words == (f"{BOTTLENECK} has no cell bn-bits/9; its numbers stand in bn-bits/1")
    (words,) = changed("bn-bits", page="chapters/05_encoder_decoder/none")
    assert words == "there is no page chapters/05_encoder_decoder/none"


def test_another_cell_without_the_numbers_is_found():
    (words,) = changed("bn-bits", cell="bn-count/2")
    assert words.startswith("'bits, one vector: test, long': the output of bn-count/2 has nothing")


def test_a_vanished_sentence_is_found():
    (words,) = changed("bn-bits", says="With one vector at every step, little arrives.")
    assert words == "the sentence does not stand in chapters/05_encoder_decoder/bottleneck"


def test_a_number_in_the_sentence_that_nothing_measured_is_found():
    says = REGISTER["bn-bits"].says.replace("23 bits", "24 bits")
    assert "the sentence says 24, and nothing measured does" in changed("bn-bits", says=says)


def test_a_given_number_must_be_in_the_sentence():
    (words,) = changed("bn-bits", given=("206",))
    assert words == "206 is given, but the sentence does not state it"


def test_a_claim_without_stored_runs_says_how_much_chance_is_in_it():
    (words,) = changed("bn-bits", chance="")
    assert words == "'chance' is one of none, seed, runs, clock"


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"run": "none", "row": "plain", "metric": "aer"}, "there is no results/none.json"),
        ({"run": "transformer", "row": "none", "metric": "aer"}, "has no row 'none'"),
        ({"run": "transformer", "row": "plain", "metric": "none"}, "has no none"),
        ({"assert": "nowhere (1)"}, "has nothing like"),
        ({"output": "needed"}, "has nothing like"),
        ({"text": "(1)"}, "not from text"),
    ],
)
def test_numbers_that_are_nowhere_are_found(how, problem):
    (words,) = changed("bn-bits", values={"it": how})[-1:]
    assert problem in words


def test_an_entry_with_a_missing_or_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "claims.yml"
    for text in ("[{id: a, page: b}]", "[{id: a, page: b, says: c, cell: d, values: {}, when: e}]"):
        path.write_text(text)
        with pytest.raises(claims.Wrong, match="claim a"):
            claims.read_claims(path)


# --- the parts ------------------------------------------------------------------------------------


def test_numbers_are_read_as_a_page_prints_them():
    assert claims.as_number("457,216") == 457216
    assert claims.as_number("−0.77") == -0.77
    assert claims.as_number("4e-18") == 4e-18
    assert claims.stated("from 23 bits to 1,500 or 0.40, −3 and $x=7$") == [
        "23", "1,500", "0.40", "−3",
    ]  # fmt: skip
    assert claims.stated("{ref}`page 9 <x-1>`, `a[2]`, [a](b3.ipynb), seq2seq, x_1") == []


def test_a_written_number_agrees_with_its_rounding_and_no_other():
    assert claims.agrees("23", 22.8)
    assert claims.agrees("0.40", 0.399)
    assert claims.agrees("29", 0.289)  # per cent
    assert not claims.agrees("23", 23.6)
    assert not claims.agrees("0.40", 0.39)
    assert not claims.agrees("29", 0.299)


def test_of_two_numbers_read_together_sum_and_difference_may_be_stated():
    assert set(claims.known({"a": {"0": 5.0, "1": 3.0}})) == {5.0, 3.0, 4.0, 8.0, 2.0}
    assert claims.known({"a": {"0": 5.0}, "b": {"0": 3.0}}) == [5.0, 5.0, 3.0, 3.0]


def test_asserts_are_read_whole_and_without_their_comments():
    source = "x = 3\nassert (\n    x < 5\n    and x > 2  # margin 9\n)\nassert x  # 7 seeds\ny = 4"
    assert claims.asserted(source) == "assert ( x < 5 and x > 2 )\nassert x"


def test_a_cell_is_counted_from_the_last_label(tmp_path):
    def code(text):
        return {"cell_type": "code", "source": [text], "outputs": []}

    def prose(text):
        return {"cell_type": "markdown", "source": [text]}

    cells = [prose("(a)=\n# A"), code("1"), code("2"), prose("more"), code("3"), prose("(b)=\nB")]
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"cells": [*cells, code("4")]}))
    page = claims.read_page(path)
    assert {name: cell.source for name, cell in page.cells.items()} == {
        "a/1": "1", "a/2": "2", "a/3": "3", "b/1": "4",
    }  # fmt: skip
    assert page.prose == "(a)= # A more (b)= B"


def test_collecting_keeps_the_day_of_what_has_not_changed(tmp_path, monkeypatch):
    path = tmp_path / "measured.json"
    stored = copy.deepcopy(MEASURED)
    for name in ("bn-bits", "sb-long"):
        stored[name]["date"] = "2020-01-01"
    stored["sb-long"]["values"]["BLEU on long, phrases"]["0"] += 1
    path.write_text(json.dumps(stored))
    monkeypatch.setattr(claims, "MEASURED", path)
    claims.collect()
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again["bn-bits"]["date"] == "2020-01-01"
    assert again["sb-long"]["date"] > "2020-01-01"
    assert again["sb-long"]["values"] == MEASURED["sb-long"]["values"]
    assert claims.all_complaints() == []


def test_the_command_says_what_is_wrong_and_ends_with_1(monkeypatch, capsys):
    assert claims.main(["check"]) == 0
    lost = claims.read_claims()[1:]
    monkeypatch.setattr(claims, "read_claims", lambda: lost)
    assert claims.main(["check"]) == 1
    assert "rules-exam: stored, but not in the register" in capsys.readouterr().err
