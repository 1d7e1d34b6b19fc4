"""The knowledge of the book's translator: load it, add to it, count it.

Page: 01_smt/rule_based
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from softalign.transfer.reading import (
    Rules,
    parse_dictionary,
    parse_rules,
    read_dictionary,
    read_rules,
)

__all__ = ["Counts", "add_entries", "add_rules", "count_rules", "load_rules"]


@dataclass(frozen=True)
class Counts:
    """The labour in numbers."""

    words: int
    entries: int
    analysis: int
    transfer: int

    def __str__(self) -> str:
        """One line that says all four."""
        return (
            f"{self.entries} dictionary entries for {self.words} words, "
            f"{self.analysis} analysis rules, {self.transfer} transfer rules"
        )


@cache
def _book_rules() -> Rules:
    folder = Path(str(files("softalign") / "data"))
    return Rules(read_dictionary(folder / "zh_en.dictionary"), *read_rules(folder / "zh_en.rules"))


def load_rules(rules: str | Path | None = None, dictionary: str | Path | None = None) -> Rules:
    """Read the rules and the dictionary; without paths, those of the book.

    Raises
    ------
    RuleError
        With file, line and reason.

    Page: 01_smt/rule_based
    """
    if rules is None and dictionary is None:
        return _book_rules()
    book = _book_rules()
    entries = book.dictionary if dictionary is None else read_dictionary(dictionary)
    pair = (book.analysis, book.transfer) if rules is None else read_rules(rules)
    return Rules(entries, *pair)


def count_rules(rules: Rules) -> Counts:
    """Count what somebody had to write.

    Examples
    --------
    >>> count_rules(Rules((), (), ())).transfer
    0

    Page: 01_smt/rule_based
    """
    words = {entry.words for entry in rules.dictionary}
    return Counts(len(words), len(rules.dictionary), len(rules.analysis), len(rules.transfer))


def add_rules(rules: Rules, text: str) -> Rules:
    """Return the rules with those of a text added, which are tried before the others.

    Parameters
    ----------
    rules
        What there is.
    text
        Lines as in a rule file.

    Raises
    ------
    RuleError
        With line and reason.

    Examples
    --------
    >>> more = add_rules(Rules((), (), ()), "NP -> N*\\n  e.g. 书 = book")
    >>> count_rules(more).analysis
    1

    Page: 01_smt/rule_based
    """
    analysis, transfer = parse_rules(text, "added rules")
    return Rules(rules.dictionary, analysis + rules.analysis, transfer + rules.transfer)


def add_entries(rules: Rules, text: str) -> Rules:
    """Return the rules with entries added to the dictionary, which go before the others.

    Raises
    ------
    RuleError
        With line and reason.

    Examples
    --------
    >>> more = add_entries(Rules((), (), ()), "葫芦 húlu N gourd")
    >>> more.dictionary[0].english
    'gourd'

    Page: 01_smt/rule_based
    """
    entries = parse_dictionary(text, "added entries")
    return Rules(entries + rules.dictionary, rules.analysis, rules.transfer)
