"""The experiments whose runs are stored: each module here is one, and has an ``EXPERIMENT``.

Page: 02_rnn/rnn
"""

from __future__ import annotations

import importlib
import pkgutil

from softalign.runs import Experiment

__all__ = ["get", "names"]


def names() -> tuple[str, ...]:
    """Return the names of the experiments, in the order of the alphabet.

    Modules whose name begins with an underscore are what several experiments share.

    Page: 02_rnn/rnn
    """
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in found if not name.startswith("_"))


def get(name: str) -> Experiment:
    """Return an experiment.

    Raises
    ------
    ValueError
        There is no such experiment, or its module does not hold it under its own name.

    Page: 02_rnn/rnn
    """
    if name not in names():
        raise ValueError(f"there is no experiment {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"softalign.experiments.{name}")
    experiment = getattr(module, "EXPERIMENT", None)
    if not isinstance(experiment, Experiment) or experiment.name != name:
        raise ValueError(f"softalign.experiments.{name} has no EXPERIMENT of the name {name!r}")
    return experiment
