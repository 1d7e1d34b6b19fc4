"""The register of the numbered equations: every one has a check, and every check can fail."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys

import equations
import numpy as np
import pytest
import torch
from book_files import PAGES

from registry.checks import CHECKS, Sides, complaints, faults, run
from registry.checks.sides import check

FILES = {page.name: page.path for page in PAGES}
PLACES = equations.places(FILES)
REGISTER = equations.read_equations()
THROUGH = {label: e.through for label, e in REGISTER.items() if e.through}
# They count what the library does, and would not see that its numbers are wrong.
COUNTED = {"eq-sa-cost", "eq-mh-cost", "eq-tf-parameters"}


def test_every_numbered_equation_is_registered_and_the_other_way_round():
    assert len(PLACES) >= 85
    assert equations.complaints(REGISTER, PLACES) == []


def test_a_new_equation_a_lost_one_and_a_moved_one_are_found():
    text = FILES["chapters/01_smt/decoding"]
    found = dict(PLACES) | equations.numbered("(new)=\n## New\n$$\n1=1\n$$ (eq-new)", "page")
    assert equations.complaints(REGISTER, found) == ["eq-new on page has no check"]
    lost = {label: place for label, place in PLACES.items() if label != "eq-dec-channel"}
    assert equations.complaints(REGISTER, lost) == [
        "eq-dec-channel is registered, and no equation is"
    ]
    moved = equations.numbered(equations.prose(text).replace("(dec-table)=", "(dec-else)="))
    assert equations.complaints(REGISTER, PLACES | moved) == [
        "eq-dec-lexical stands under dec-else, registered is dec-table"
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("$$ x=1 $$ (eq-a)", "eq-a"),
        ("$$\nx=1\n$$(eq-b)", "eq-b"),
        ("```{math}\n:label: eq-c\nx=1\n```", "eq-c"),
        ("\\begin{align}x&=1\\end{align}", "an align without a label"),
        ("$$ x=1 $$ and (eq-a)", None),
        ("`$$ x $$ (eq-a)` is how to number", None),
        ("$$ x=1 $$", None),
        ("$$ x $$ or\n\n$$ (y-1)=2 $$", None),
        ("$$ x $$ or\n\n$$ (y-1)=2 $$ (eq-d)", "eq-d"),
    ],
)
def test_all_ways_to_number_an_equation_are_seen(text, label):
    assert list(equations.numbered(text)) == ([label] if label else [])


def test_an_entry_with_a_missing_or_an_unknown_key_is_refused(tmp_path):
    for text in ("eq-a: {section: a, check: b}", "eq-a: {section: a, check: b, slip: c, x: d}"):
        (tmp_path / "e.yml").write_text(text)
        with pytest.raises(ValueError, match="eq-a"):
            equations.read_equations(tmp_path / "e.yml")


def test_every_registered_check_exists_and_is_described_in_one_way():
    assert CHECKS.keys() == REGISTER.keys()
    for label, entry in REGISTER.items():
        function = CHECKS[label]
        assert entry.check == f"{function.__module__.split('.')[-1]}.{function.__name__}"
        assert entry.checked == function.__doc__.splitlines()[0], label
        assert entry.slip[-1] != ".", label


def test_an_equation_has_one_check():
    with pytest.raises(ValueError, match="eq-pre-bayes has a check already"):
        check("eq-pre-bayes")(lambda rng: iter(()))


@pytest.mark.parametrize("label", REGISTER)
def test_an_equation_holds_and_its_slip_is_noticed(label):
    assert complaints(run(label)) == []


@pytest.mark.parametrize("label", THROUGH)
def test_a_fault_planted_in_the_library_is_found(label):
    with faults.planted(THROUGH[label]):
        wrong = complaints(run(label, cases=1))
    assert any("the two sides differ" in words for words in wrong)
    assert complaints(run(label, cases=1)) == [], "the fault is gone again"


def test_a_check_that_calls_the_library_says_where_a_fault_is_planted():
    for label in REGISTER.keys() - THROUGH.keys() - COUNTED:
        function = CHECKS[label]
        nodes = ast.walk(ast.parse(inspect.getsource(function)))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        things = [vars(sys.modules[function.__module__]).get(name) for name in names]
        modules = [getattr(thing, "__name__", "") for thing in things]
        library = [name for name in modules if name.startswith("softalign.")]
        assert not library, f"{label} goes through {library}: name it in equations.yml"


def test_the_two_sides_are_compared_as_the_relation_says():
    one, two = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    assert Sides(one, one, slip=two).holds(one)
    assert not Sides(one, one, slip=two).holds(two)
    assert Sides(one, two, slip=one, relation="<=").holds(two)
    assert not Sides(two, one, slip=one, relation="<=").holds(one)
    assert not Sides(one, one, slip=two, relation="<").holds(two)
    assert Sides(torch.tensor(one), one, slip=two).holds(list(one))
    # a shape that fits by chance, a number that is none, and nothing at all
    assert not Sides(np.ones((2, 1)), one, slip=two).holds(np.ones((1, 2)))
    assert not Sides(np.nan, 1.0, slip=2.0).holds(np.nan)
    assert not Sides([], [], slip=[]).holds([])


def test_what_does_not_hold_is_said():
    good = Sides(1.0, 1.0, slip=2.0)
    assert complaints([[good]]) == []
    assert complaints([[dataclasses.replace(good, right=3.0)]]) == [
        "case 0, part 1: the two sides differ"
    ]
    assert complaints([[good], [dataclasses.replace(good, slip=1.0)]]) == [
        "case 1, part 1: a planted slip is not noticed"
    ]
    assert complaints([[]]) == ["case 0: nothing was compared"]


def test_a_fault_is_planted_in_numbers_of_every_kind():
    Pair = dataclasses.make_dataclass("Pair", ["a", "b"])
    assert faults.spoilt(1.0) == 1.2
    assert faults.spoilt((1.0, [2.0], "word")) == (1.2, [2.4], "word")
    assert faults.spoilt(Pair(1.0, "word")) == Pair(1.2, "word")
    assert (faults.spoilt(np.ones(3)) > 1.1).all()
    assert (faults.spoilt(torch.ones(2, 2)) > 1.1).all()
    with pytest.raises(AttributeError):
        faults.find("softalign.attention.no_such_function")


def test_the_page_gets_the_result_of_every_check():
    assert equations.run_checks() == {label: [] for label in REGISTER}
