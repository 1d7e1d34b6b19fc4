"""Figures that a reader can work: data of a real run, a small script, and a still picture."""

from softalign.interactive.figure import Interactive

__all__ = ["Interactive"]
