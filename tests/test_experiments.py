"""The registry of experiments."""

from __future__ import annotations

import sys
import types

import pytest
from book_files import LIBRARY

from softalign import experiments
from softalign.runs import Experiment


def test_every_module_of_the_folder_is_an_experiment_under_its_own_name():
    files = {path.stem for path in (LIBRARY / "experiments").glob("*.py")}
    assert set(experiments.names()) == {name for name in files if not name.startswith("_")}
    for name in experiments.names():
        experiment = experiments.get(name)
        assert isinstance(experiment, Experiment)
        assert experiment.name == name


@pytest.mark.parametrize("name", experiments.names())
def test_rows_have_several_seeds_and_differ(name):
    """Each configuration is there with at least three seeds, and no row twice."""
    seeds: dict[str, set[int]] = {}
    for config in experiments.get(name).rows.values():
        rest = repr({key: value for key, value in config.items() if key != "seed"})
        assert config["seed"] not in seeds.get(rest, set())
        seeds.setdefault(rest, set()).add(config["seed"])
    assert all(len(found) >= 3 for found in seeds.values())


def test_an_experiment_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ValueError, match="there is no experiment 'nothing'; there are:"):
        experiments.get("nothing")


def test_a_module_without_its_experiment_is_named(monkeypatch):
    module = types.ModuleType("softalign.experiments.hollow")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(experiments, "names", lambda: ("hollow",))
    with pytest.raises(ValueError, match="has no EXPERIMENT of the name 'hollow'"):
        experiments.get("hollow")
    module.EXPERIMENT = Experiment("other", {"a": {"seed": 0}}, print, "page")
    with pytest.raises(ValueError, match="has no EXPERIMENT of the name 'hollow'"):
        experiments.get("hollow")
