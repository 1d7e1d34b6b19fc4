"""Figures that a reader can work: data of a real run, a small script, and a still picture."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softalign.interactive.alignment import em_figure
    from softalign.interactive.attention import Attended, attention_figure
    from softalign.interactive.figure import Interactive
    from softalign.interactive.places import positions_figure
    from softalign.interactive.recurrence import gradient_figure, gradient_norms
    from softalign.interactive.searching import beam_figure
    from softalign.interactive.weights import softmax_figure

__all__ = [
    "Attended",
    "Interactive",
    "attention_figure",
    "beam_figure",
    "em_figure",
    "gradient_figure",
    "gradient_norms",
    "positions_figure",
    "softmax_figure",
]

# that of beam search last: it imports torch when it is looked into
_MODULES = ("alignment", "attention", "figure", "places", "recurrence", "weights", "searching")


def __getattr__(name: str) -> Any:
    """Import a figure when it is asked for: that of beam search needs torch, others do not."""
    if name in __all__:
        for module in _MODULES:
            found = import_module(f"softalign.interactive.{module}")
            if name in found.__all__:
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
