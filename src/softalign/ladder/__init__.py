"""Every family of the book trained and measured on one corpus: `softalign ladder`.

`climb` trains and measures, `write_report` writes what people read, `Ladder` holds the numbers.

Page: your_own_text
"""

from __future__ import annotations

from softalign.ladder.record import Ladder, Row, read_ladder, write_ladder
from softalign.ladder.reports import write_report
from softalign.ladder.running import Texts, climb, compare, measure

__all__ = [
    "Ladder",
    "Row",
    "Texts",
    "climb",
    "compare",
    "measure",
    "read_ladder",
    "write_ladder",
    "write_report",
]
