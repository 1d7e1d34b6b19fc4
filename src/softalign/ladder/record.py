"""What a ladder has measured, and its file ``ladder.json``: read strictly, written whole.

Page: your_own_text
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from softalign.ladder.storing import decoded, encoded, expect, parsed
from softalign.systems.folder import write_bytes

__all__ = [
    "FAMILIES",
    "FORMAT",
    "METRICS",
    "STATES",
    "Comparison",
    "Corpus",
    "Example",
    "Ladder",
    "LengthGroup",
    "Machine",
    "Measured",
    "Row",
    "read_ladder",
    "write_ladder",
]

FORMAT = 1
FAMILIES = ("word-for-word", "phrases", "rnn", "lstm", "attention", "transformer")
"""In the order of the book."""
METRICS = ("bleu", "chrf", "exact")
"""BLEU and chrF between 0 and 100; exact matches as a share, between 0 and 1."""
STATES = ("finished", "running", "failed", "left out")


def _not_negative(thing: Any) -> None:
    """Raise if a number of this object is below 0: all of them are counts, seconds or shares."""
    for part in dataclasses.fields(thing):
        value = getattr(thing, part.name)
        if isinstance(value, int | float):
            expect(value >= 0, part.name, value, "0 or more")


@dataclass(frozen=True)
class Corpus:
    """The text of a ladder.

    Attributes
    ----------
    name : str
        What it is called.
    files : tuple of str
        What was read; none for a corpus that is known by name.
    train, validation, test : int
        Pairs of each part.
    left_out : mapping of str to int
        How many lines gave no pair, for each reason.
    src_tokens, tgt_tokens : str
        How each side was cut into words.
    src_pieces, tgt_pieces : int or None
        Different subwords of each side; None where words were not cut.
    src_types, tgt_types : int
        Different words of each side.
    """

    name: str
    files: tuple[str, ...]
    train: int
    validation: int
    test: int
    left_out: Mapping[str, int]
    src_tokens: str
    tgt_tokens: str
    src_pieces: int | None
    tgt_pieces: int | None
    src_types: int
    tgt_types: int

    def __post_init__(self) -> None:
        _not_negative(self)


@dataclass(frozen=True)
class Machine:
    """Where, when and with which versions; the date is ISO 8601."""

    date: str
    processor: str
    cores: int
    system: str
    python: str
    torch: str
    softalign: str
    processes: int
    threads: int

    def __post_init__(self) -> None:
        _not_negative(self)
        try:
            datetime.fromisoformat(self.date)
        except ValueError:
            expect(False, "date", self.date, "a date like 2025-01-31T12:00:00")


@dataclass(frozen=True)
class Measured:
    """A score with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        expect(self.low <= self.high, "low", self.low, f"at most high, which is {self.high!r}")


@dataclass(frozen=True)
class LengthGroup:
    """BLEU of the held-out pairs whose source has these lengths; None where there are none."""

    label: str
    count: int
    bleu: float | None

    def __post_init__(self) -> None:
        _not_negative(self)


@dataclass(frozen=True)
class Row:
    """One family.

    Attributes
    ----------
    family, description : str
        Its name, and a line about its size.
    state : str
        One of `STATES`.
    reason : str
        Why it failed or was left out; "" otherwise.
    parameters, steps : int or None
        Trained numbers; steps of training. None where it has none, or has not got so far.
    train_seconds, translate_seconds : float or None
        Of the training, and of translating all held-out sources.
    metrics : mapping of str to Measured
        Some of `METRICS`. What the family does not define is left out, never 0.
    by_length : tuple of LengthGroup
        From short to long.
    losses, validations : tuples of (step, value)
        Training loss; perplexity of the validation part.
    unfinished : float or None
        Share of the translations that were cut off because they did not end.
    """

    family: str
    description: str
    state: str
    reason: str = ""
    parameters: int | None = None
    steps: int | None = None
    train_seconds: float | None = None
    translate_seconds: float | None = None
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    by_length: tuple[LengthGroup, ...] = ()
    losses: tuple[tuple[int, float], ...] = ()
    validations: tuple[tuple[int, float], ...] = ()
    unfinished: float | None = None

    def __post_init__(self) -> None:
        _not_negative(self)
        expect(self.state in STATES, "state", self.state, f"one of {', '.join(STATES)}")
        for name in self.metrics:
            expect(name in METRICS, "metrics", name, f"names among {', '.join(METRICS)}")


@dataclass(frozen=True)
class Comparison:
    """BLEU of one family minus that of another on the same pairs, and its p-value."""

    first: str
    second: str
    difference: float
    p_value: float

    def __post_init__(self) -> None:
        expect(0 <= self.p_value <= 1, "p_value", self.p_value, "a share between 0 and 1")


@dataclass(frozen=True)
class Example:
    """A held-out pair, with what each family made of its source."""

    source: str
    reference: str
    translations: Mapping[str, str]


@dataclass(frozen=True)
class Ladder:
    """Everything that ``softalign ladder`` has measured on one corpus.

    Attributes
    ----------
    corpus : Corpus
    machine : Machine
    settings : mapping of str to text, number, bool, None or a list of these
        The options of the command.
    rows : tuple of Row
        One for each family, in the order of the book.
    comparisons : tuple of Comparison
    examples : tuple of Example

    Raises
    ------
    ValueError
        A family has two rows, or a comparison or an example names one that has none.
    """

    corpus: Corpus
    machine: Machine
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...] = ()
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        families = [row.family for row in self.rows]
        for name in families:
            expect(families.count(name) == 1, "rows", name, "each family once")
        known = f"one of the rows, {', '.join(families)}"
        for pair in self.comparisons:
            expect(pair.first in families, "comparisons: first", pair.first, known)
            expect(pair.second in families, "comparisons: second", pair.second, known)
        for example in self.examples:
            for name in example.translations:
                expect(name in families, "examples: translations", name, known)

    def to_json(self) -> str:
        """Return the text of ``ladder.json``, a line for each entry.

        Raises
        ------
        ValueError
            A value that JSON does not have, such as an infinite loss; the message names the field.
        """
        fields = [f'"format": {FORMAT}']
        for name, value in encoded(self, "").items():
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            if isinstance(value, list) and value:
                entries = (json.dumps(one, ensure_ascii=False, allow_nan=False) for one in value)
                text = "[\n  " + ",\n  ".join(entries) + "]"
            fields.append(f"{json.dumps(name)}: {text}")
        return "{" + ",\n ".join(fields) + "}\n"

    @classmethod
    def from_json(cls, text: str) -> Ladder:
        """Read what `to_json` has written.

        Raises
        ------
        ValueError
            Not JSON, another format, a field that is unknown, missing or of another type, a value
            that cannot be; the message names the field.
        """
        values = parsed(text)
        found = values.pop("format", None)
        expect(type(found) is int and found == FORMAT, "format", found, str(FORMAT))
        return decoded(cls, values, "")


def read_ladder(path: str | Path) -> Ladder:
    """Read ``ladder.json``.

    Raises
    ------
    ValueError
        As `Ladder.from_json`; the message begins with the name of the file.
    OSError
        What the system says.

    Page: your_own_text
    """
    try:
        return Ladder.from_json(Path(path).read_text(encoding="utf-8"))
    except ValueError as problem:  # UnicodeDecodeError is one
        raise ValueError(f"{path}: {problem}") from None


def write_ladder(path: str | Path, ladder: Ladder) -> None:
    """Write ``ladder.json``, whole or not at all.

    Page: your_own_text
    """
    # half of a surrogate pair, from a file name that is not UTF-8, becomes an escape that JSON has
    write_bytes(path, ladder.to_json().encode("utf-8", "backslashreplace"))
