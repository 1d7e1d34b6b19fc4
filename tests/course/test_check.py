"""The student's own check: it names what is wrong, and says when nothing is."""

from __future__ import annotations

import json

import pytest

from softalign_course import faults, release, sets
from softalign_course.check import check, set_of
from softalign_course.cli import main
from softalign_course.notebook import parse

SET = sets.find("attention")
QUESTION = faults.target(SET)


def outcomes(content):
    return {outcome.name: outcome for outcome in check(parse(json.dumps(content)), SET)}


def test_a_solved_notebook_passes():
    found = outcomes(faults.solved(SET, 11))
    assert list(found) == [*SET.questions, *(cell.name for cell in SET.written)]
    assert {outcome.state for outcome in found.values()} == {"passed"}


def test_a_release_is_open_everywhere():
    assert {outcome.state for outcome in outcomes(release.clear(SET)).values()} == {"open"}


@pytest.mark.parametrize(
    ("body", "state", "says"),
    [
        ("    return None", "failed", ""),
        ("    while True: pass", "failed", "too long"),
        ("    import os; os._exit(0)", "failed", "The process ended"),
        ("    return undefined", "failed", "NameError in line 2"),
        ("    raise NotImplementedError('write your answer here')", "open", "not answered"),
    ],
)
def test_what_is_wrong_is_said(body, state, says, monkeypatch):
    monkeypatch.setattr("softalign_course.check.LEAST_SECONDS", 3.0)
    monkeypatch.setitem(SET.questions, QUESTION, _quick(SET.questions[QUESTION]))
    content = faults.solved(SET)
    faults.answer_cell(content, QUESTION)["source"] = f"def {QUESTION}(*args, **kwargs):\n{body}"
    outcome = outcomes(content)[QUESTION]
    assert outcome.state == state
    assert says in outcome.says
    others = [o.state for name, o in outcomes(content).items() if name != QUESTION]
    assert set(others) == {"passed"}


def _quick(question):
    import dataclasses

    return dataclasses.replace(question, seconds=3.0)


def test_a_syntax_error_has_its_line():
    content = faults.solved(SET)
    faults.answer_cell(content, QUESTION)["source"] = (
        f"def {QUESTION}(x):\n    y = 1\n    return (x\n"
    )
    assert "SyntaxError in line 3" in outcomes(content)[QUESTION].says


def test_edited_checks_do_not_count_and_a_lost_cell_is_said():
    content = faults.solved(SET)
    faults.answer_cell(content, f"test_{QUESTION}")["source"] = "assert True"
    faults.answer_cell(content, QUESTION)["source"] = (
        f"def {QUESTION}(*args, **kwargs):\n    return 0"
    )
    assert outcomes(content)[QUESTION].state == "failed"
    content["cells"].remove(faults.answer_cell(content, QUESTION))
    assert outcomes(content)[QUESTION].state == "gone"


def test_a_wrong_plant_gets_the_message_of_the_public_check():
    messages = set()
    for plant in SET.plants:
        if plant.question == QUESTION and not plant.right:
            content = faults.solved(SET)
            faults.answer_cell(content, QUESTION)["source"] = plant.source
            messages.add(outcomes(content)[QUESTION].says)
        if len(messages) > 3:
            break
    assert len(messages) >= 2


def test_the_command_says_it_and_returns_it(tmp_path, capsys):
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(faults.solved(SET)))
    assert main(["check", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{SET.name}: {SET.info['title']}\n  ok ")
    content = faults.solved(SET)
    faults.answer_cell(content, QUESTION)["source"] = (
        f"def {QUESTION}(*args, **kwargs):\n    return 0"
    )
    path.write_text(json.dumps(content))
    assert main(["check", str(path)]) == 1
    assert f"NO {QUESTION}" in capsys.readouterr().out
    content["metadata"] = {}
    path.write_text(json.dumps(content))
    assert main(["check", str(path)]) == 1
    assert "does not say which set" in capsys.readouterr().err
    assert main(["check", str(path), "--set", "5"]) == 1
    path.write_text("no notebook")
    assert main(["check", str(path)]) == 1
    assert "mine.ipynb: it is not a notebook" in capsys.readouterr().err


def test_the_set_of_a_notebook_is_the_one_of_its_label():
    assert set_of(parse(json.dumps(release.clear(SET)))) is SET
    with pytest.raises(sets.SetError, match="there is no set '99'"):
        set_of(parse('{"cells": [], "metadata": {"softalign": {"set": "99"}}}'))
