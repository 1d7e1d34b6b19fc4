"""The numbers that a figure shows, read back from its Matplotlib artists.

What a plot shows in ink, the site also gives as a table. Nothing is written down twice: the
numbers are those of the lines, bars and squares that were drawn, with the names of legend, axes and
ticks.
"""

from softalign.figure_data.figures import read_figure

__all__ = ["read_figure"]
