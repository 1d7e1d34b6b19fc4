"""The synchronous grammar behind the running corpus: two languages and links at once."""

from __future__ import annotations

from softalign.grammar.analyse import derivations, translations
from softalign.grammar.derive import draw, nested, productions
from softalign.grammar.model import Grammar, GrammarError
from softalign.grammar.reading import parse_grammar, read_grammar

__all__ = [
    "LINK_GUIDE",
    "Grammar",
    "GrammarError",
    "derivations",
    "draw",
    "nested",
    "parse_grammar",
    "productions",
    "read_grammar",
    "translations",
]


def __getattr__(name: str) -> tuple[dict[str, str], ...]:
    """Read the link guide from the grammar file when it is asked for."""
    if name == "LINK_GUIDE":
        return read_grammar().guide
    raise AttributeError(f"module 'softalign.grammar' has no attribute {name!r}")
