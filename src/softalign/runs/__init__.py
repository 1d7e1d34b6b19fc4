"""Stored runs: what a page has no time to train, trained by a command and kept in ``results/``.

An *experiment* is a set of *rows*, each a configuration with a seed. ``make runs`` trains the rows
that are missing or stale and stores each in ``results/<experiment>.json``. A page reads them with
`stored`, trains a small part of one row live, and asserts with `agrees` that its first losses are
the stored ones.

Page: 02_rnn/rnn
"""

from softalign.runs.agreement import TOLERANCE, agrees
from softalign.runs.model import Experiment, Outcome, Row
from softalign.runs.store import StoreError, stored
from softalign.runs.syntax import digest

__all__ = [
    "TOLERANCE",
    "Experiment",
    "Outcome",
    "Row",
    "StoreError",
    "agrees",
    "digest",
    "stored",
]
