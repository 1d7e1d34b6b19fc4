"""The synchronous grammar behind the running corpus: Chinese, English and the links between them."""

from softalign.grammar.derive import draw, nested, productions
from softalign.grammar.reading import Grammar, GrammarError, parse_grammar, read_grammar

__all__ = [
    "Grammar",
    "GrammarError",
    "draw",
    "nested",
    "parse_grammar",
    "productions",
    "read_grammar",
]
