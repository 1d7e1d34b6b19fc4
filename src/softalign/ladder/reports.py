"""All that people read of a ladder, in its folder.

Page: your_own_text
"""

from __future__ import annotations

from pathlib import Path

from softalign.ladder.record import Ladder
from softalign.ladder.report import as_text, write_tsv

__all__ = ["write_report"]


def write_report(folder: str | Path, ladder: Ladder) -> str:
    """Write ``table.tsv``, the figures and ``report.html``; return the table as text.

    Page: your_own_text
    """
    from softalign.ladder.page import write_page
    from softalign.ladder.plots import draw, write_drawings

    folder = Path(folder)
    write_tsv(folder / "table.tsv", ladder)
    drawings = draw(ladder)
    write_drawings(folder, drawings)
    write_page(folder / "report.html", ladder, drawings)
    return as_text(ladder)
