"""Analyse a Chinese sentence: every derivation that has exactly these words.

Slow and exhaustive, it is the oracle of the corpus: whatever was drawn, the references must be all
English sentences of all derivations.

Page: corpus
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softalign.grammar.derive import Node, Production, State, chinese, head, productions, words_of
from softalign.grammar.model import Grammar
from softalign.grammar.realise import Sentence, finish, sentences


def derivations(grammar: Grammar, words: Sequence[str], category: State = ("Top",)) -> list[Node]:
    """Return every derivation of `words` from `category`, found top down with a table.

    Examples
    --------
    >>> from softalign.grammar import read_grammar
    >>> len(derivations(read_grammar(), "三 本 书".split(), ("QI", "text")))
    1

    Page: corpus
    """
    words = tuple(words)
    table: dict[tuple[State, int], list[tuple[int, Node]]] = {}

    def parse(state: State, start: int) -> list[tuple[int, Node]]:
        key = (state, start)
        if key not in table:
            table[key] = []
            if state[0] in grammar.words:
                table[key] = list(_words(grammar, state, words, start))
            else:
                found = []
                for production in productions(grammar, state):
                    first = production.rule.slots[0].literal
                    if not first or words[start : start + 1] == (first,):
                        for end, children in rest(production, 0, start, {}, {}):
                            nodes = [children[k] for k in range(len(production.children))]
                            found.append((end, Node(state, production, nodes)))
                table[key] = found
        return table[key]

    def rest(
        production: Production, slot: int, at: int, children: dict, measures: dict
    ) -> Iterator[tuple[int, dict]]:
        """Match the slots from `slot` on; yield where they end and the children."""
        slots = production.rule.slots
        if slot == len(slots):
            if all(head(children[k]).word.features.get("cl") == m for k, m in measures.items()):
                yield at, children
            return
        if at >= len(words):
            return
        literal, child, part = slots[slot].literal, slots[slot].child, slots[slot].part
        if literal:
            if words[at] == literal:
                yield from rest(production, slot + 1, at + 1, children, measures)
        elif part == "cl":
            yield from rest(production, slot + 1, at + 1, children, {**measures, child: words[at]})
        elif part:
            options = [children[child]] if child in children else [
                Node(production.children[child], word=word)
                for word in words_of(grammar, production.children[child])[0]
            ]  # fmt: skip
            for node in options:
                chinese_parts = node.word.chinese
                if len(chinese_parts) >= int(part) and chinese_parts[int(part) - 1] == words[at]:
                    yield from rest(
                        production, slot + 1, at + 1, {**children, child: node}, measures
                    )
        else:
            for end, node in parse(production.children[child], at):
                yield from rest(production, slot + 1, end, {**children, child: node}, measures)

    return [node for end, node in parse(category, 0) if end == len(words)]


def _words(grammar: Grammar, state: State, words: tuple[str, ...], start: int):
    for word in words_of(grammar, state)[0]:
        end = start + len(word.chinese)
        if words[start:end] == word.chinese:
            yield end, Node(state, word=word)


def translations(
    grammar: Grammar, words: Sequence[str], category: State = ("Top",), most: int = 1000
) -> list[Sentence]:
    """Return every English sentence that the grammar accepts for a Chinese one, sorted, with links.

    Examples
    --------
    >>> from softalign.grammar import read_grammar
    >>> [s.words for s in translations(read_grammar(), "三 本 书".split(), ("QI", "text"))]
    [('three', 'books')]

    Page: corpus
    """
    found: dict[tuple[str, ...], Sentence] = {}
    for derivation in derivations(grammar, words, category):
        chinese(grammar, derivation)
        for emitted in sentences(derivation, most):
            sentence = finish(emitted)
            found.setdefault(sentence.words, sentence)
    return [found[key] for key in sorted(found)]
