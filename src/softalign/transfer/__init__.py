"""A rule-based translator: analysis, transfer and generation, with every decision on record.

The knowledge is in two files that are meant to be edited, `data/zh_en.rules` and
`data/zh_en.dictionary`; this package is the machine that applies them.

Page: 01_smt/rule_based
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softalign.transfer.analysis import analyse, look_up, relations
from softalign.transfer.generation import Word, generate, inflect, plural, verb_group
from softalign.transfer.knowledge import (
    Counts,
    add_entries,
    add_rules,
    count_rules,
    load_rules,
)
from softalign.transfer.reading import (
    Entry,
    Rule,
    RuleError,
    Rules,
    read_dictionary,
    read_rules,
)
from softalign.transfer.rewriting import choose_senses, rewrite, transfer
from softalign.transfer.trees import Node, draw, leaves, source_words

__all__ = [
    "Counts",
    "Entry",
    "Node",
    "Rule",
    "RuleError",
    "RuleTranslator",
    "Rules",
    "Trace",
    "Word",
    "add_entries",
    "add_rules",
    "analyse",
    "check_examples",
    "choose_senses",
    "count_rules",
    "draw",
    "generate",
    "inflect",
    "leaves",
    "load_rules",
    "look_up",
    "plural",
    "read_dictionary",
    "read_rules",
    "relations",
    "rewrite",
    "source_words",
    "trace",
    "transfer",
    "verb_group",
]


@dataclass(frozen=True)
class Trace:
    """Every stage of one translation.

    Attributes
    ----------
    source
        The Chinese words.
    analysed
        The tree of the Chinese sentence.
    chosen
        The same tree with an English word at each leaf.
    transferred
        The English tree.
    words
        The English words, each with its reason.
    fired
        Names of the transfer rules in the order in which they fired.
    """

    source: tuple[str, ...]
    analysed: Node
    chosen: Node
    transferred: Node
    words: tuple[Word, ...]
    fired: tuple[str, ...]

    @property
    def target(self) -> list[str]:
        """The translation."""
        return [word.text for word in self.words]


def trace(source: Sequence[str], rules: Rules | None = None) -> Trace:
    """Translate one sentence and return what every stage made of it.

    Parameters
    ----------
    source
        The Chinese words.
    rules
        Rules and dictionary; without them, those of the book.

    Examples
    --------
    >>> steps = trace("她 买 了 两 本 书 。".split())
    >>> " ".join(steps.target)
    'she bought two books .'
    >>> steps.fired[-1]
    'measure words are dropped'

    Page: 01_smt/rule_based
    """
    rules = load_rules() if rules is None else rules
    analysed = analyse(source, rules)
    chosen = choose_senses(analysed, rules)
    transferred, fired = transfer(chosen, rules)
    words = tuple(generate(transferred, rules))
    return Trace(tuple(source), analysed, chosen, transferred, words, fired)


class RuleTranslator:
    """A `Translator` that applies rules.

    Examples
    --------
    >>> RuleTranslator().translate("老师 把 那 本 书 看完 了 。".split())
    ['the', 'teacher', 'finished', 'that', 'book', '.']

    Page: 07_transformer/scoreboard
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = load_rules() if rules is None else rules

    def translate(self, source: Sequence[str]) -> list[str]:
        """Return the words of the translation; a word that nobody knows is copied."""
        return trace(source, self.rules).target


def check_examples(rules: Rules) -> list[str]:
    """Translate the examples that stand under each rule, and say what is wrong with them.

    An example is wrong if its translation is another one, or if the rule it stands under had no
    part in it.

    Returns
    -------
    list of str
        One sentence for each fault; empty if all is well.

    Page: 01_smt/rule_based
    """
    faults = []
    for rule in (*rules.analysis, *rules.transfer):
        for chinese, english in rule.examples:
            steps = trace(chinese.split(), rules)
            if " ".join(steps.target) != english:
                said = " ".join(steps.target)
                faults.append(f"line {rule.line}: {chinese} gives {said!r}, not {english!r}")
            if rule.name not in steps.fired and not _uses(steps.analysed, rule):
                faults.append(f"line {rule.line}: the rule is not used for {chinese}")
    return faults


def _uses(tree: Node, rule: Rule) -> bool:
    mine = tree.why == f"line {rule.line}: {rule.name}"
    return mine or any(_uses(child, rule) for child in tree.children)
