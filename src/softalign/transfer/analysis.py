"""Analysis: look the words up, find the cheapest tree of the Chinese sentence, settle who is who.

The parser is a chart parser: what is known of words i to j is worked out once, from shorter spans,
and of several trees of one category over one span only the cheapest is kept. The cost of a tree is
the sum of the costs of its rules; of two equally cheap ones the one found first stays: the split
further left, then the rule higher in the file. Time grows with the cube of the length.

Page: 01_smt/rule_based
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from softalign.transfer.reading import Entry, Rule, Rules
from softalign.transfer.trees import Node, head_leaf

__all__ = ["Grammar", "analyse", "compile_rules", "look_up", "relations", "resolve"]

GUESSES = ("N", "Name", "V", "Adj")  # what a word may be that the dictionary does not have
GUESS_COST = 30
PIECE_COST = 1000  # a sentence that has no tree is cut into as few pieces as possible
PIECES = ("TOP", "T", "S", "C", "VP", "NP", "Time", "Loc", "AP")
TOP = "TOP"
UPWARD = frozenset({"heavy"})  # passes up from any part; everything else only from the head


class Grammar(NamedTuple):
    """The rules in the form that the parser walks through.

    `steps` maps what has been read of a right side, and the next symbol, to what has then been
    read; `complete` maps a whole right side to the rules that have it; `units` are the rules
    with one symbol.
    """

    entries: Mapping[tuple[str, ...], tuple[Entry, ...]]
    longest: int
    steps: Mapping[tuple, Mapping[str, tuple]]
    complete: Mapping[tuple, tuple[Rule, ...]]
    literals: frozenset[str]


class Edge(NamedTuple):
    """The cheapest way to a category over a span: its cost, its rule and its parts, or its leaf."""

    cost: int
    rule: Rule | None
    parts: tuple
    leaf: Node | None = None


@lru_cache(maxsize=8)
def compile_rules(rules: Rules) -> Grammar:
    """Prepare rules and dictionary for the parser.

    Page: 01_smt/rule_based
    """
    entries: dict[tuple[str, ...], list[Entry]] = {}
    for entry in rules.dictionary:
        entries.setdefault(entry.words, []).append(entry)
    steps: dict[tuple, dict[str, tuple]] = {}
    complete: dict[tuple, list[Rule]] = {}
    literals = set()
    for rule in rules.analysis:
        paths: list[tuple] = [()]
        for part in rule.right:
            literals.update(label for label in part.labels if not label[0].isascii())
            longer = []
            for path in paths:
                for label in part.labels:
                    after = (*path, label)
                    steps.setdefault(path, {})[label] = after
                    longer.append(after)
            paths = longer
        for path in paths:
            complete.setdefault(path, []).append(rule)
    return Grammar(
        {words: tuple(found) for words, found in entries.items()},
        max((len(words) for words in entries), default=1),
        steps,
        {path: tuple(found) for path, found in complete.items()},
        frozenset(literals),
    )


def look_up(source: Sequence[str], rules: Rules) -> list[tuple[int, int, Node, int]]:
    """Lexical analysis: every reading of every word, as (start, end, leaf, cost).

    A word has a reading for each category in the dictionary, and one as itself if a rule names it.
    A word that is in neither could be anything: it is guessed to be a noun, a name, a verb or an
    adjective, at a price.

    Examples
    --------
    >>> from softalign.transfer import load_rules
    >>> [leaf.label for _, _, leaf, _ in look_up(["翻译"], load_rules())]
    ['N', 'V']

    Page: 01_smt/rule_based
    """
    grammar = compile_rules(rules)
    found = []
    for start, word in enumerate(source):
        known = False
        for end in range(start + 1, min(len(source), start + grammar.longest) + 1):
            words = tuple(source[start:end])
            labels = {}
            for entry in grammar.entries.get(words, ()):
                labels.setdefault(entry.label, entry)
            for label, entry in labels.items():
                leaf = Node(label, words=words, features=dict(entry.features))
                found.append((start, end, leaf, 1))
                known = known or end == start + 1
        if word in grammar.literals:
            found.append((start, start + 1, Node(word, words=(word,)), 1))
            known = True
        if not known:
            for place, label in enumerate(GUESSES):
                leaf = Node(label, words=(word,), features={"unknown": "yes"})
                found.append((start, start + 1, leaf, GUESS_COST + place))
    return found


def _chart(source: Sequence[str], rules: Rules) -> dict[tuple[int, int], dict[str, Edge]]:
    """Fill the chart: for every span the cheapest edge of each category."""
    grammar = compile_rules(rules)
    size = len(source)
    chart: dict[tuple[int, int], dict[str, Edge]] = {}
    # begun[i][j]: right sides of which a beginning covers words i to j
    begun: list[dict[int, dict[tuple, tuple[int, tuple]]]] = [{} for _ in range(size)]
    words: dict[tuple[int, int], list[tuple[Node, int]]] = {}
    for start, end, leaf, cost in look_up(source, rules):
        words.setdefault((start, end), []).append((leaf, cost))
    steps, complete = grammar.steps, grammar.complete
    first = steps.get((), {})
    for end in range(1, size + 1):
        for start in range(end - 1, -1, -1):
            edges: dict[str, Edge] = {}
            started: dict[tuple, tuple[int, tuple]] = {}
            found = [(w.label, Edge(cost, None, (), w)) for w, cost in words.get((start, end), ())]
            reached = []
            for middle, paths in begun[start].items():
                right = chart.get((middle, end))
                if not right:
                    continue
                for path, (cost, parts) in paths.items():
                    for label, after in steps[path].items():
                        if label in right:
                            part = (middle, end, label)
                            reached.append((after, cost + right[label].cost, (*parts, part)))
            while found or reached:
                for label, edge in found:
                    if label not in edges or edge.cost < edges[label].cost:
                        edges[label] = edge
                        if label in first:
                            reached.append((first[label], edge.cost, ((start, end, label),)))
                found = []
                for path, cost, parts in reached:
                    if path in started and started[path][0] <= cost:
                        continue
                    if path in steps:
                        started[path] = (cost, parts)
                    for rule in complete.get(path, ()):
                        found.append((rule.left.labels[0], Edge(cost + rule.cost, rule, parts)))
                reached = []
            if edges:
                chart[start, end] = edges
            if started:
                begun[start][end] = started
    return chart


def _build(chart, start: int, end: int, label: str) -> Node:
    """Read the cheapest tree of a category over a span off the chart."""
    edge = chart[start, end][label]
    if edge.leaf is not None:
        return edge.leaf
    children, features = [], {}
    for part, (a, b, name) in zip(edge.rule.right, edge.parts, strict=True):
        child = _build(chart, a, b, name)._replace(head=part.head, role=part.name)
        for mode, feature, value in part.settings:
            child = child.having(**{feature: value}) if mode == "=" else child
        children.append(child)
        passed = child.features.items()
        features.update((k, v) for k, v in passed if part.head or k in UPWARD)
    for mode, feature, value in edge.rule.left.settings:
        if mode == "-":
            features.pop(feature, None)
        else:
            features[feature] = value
    why = f"line {edge.rule.line}: {edge.rule.name}"
    return Node(label, tuple(children), features=features, why=why)


def _pieces(chart, size: int) -> Iterator[tuple[int, int, str]]:
    """Cut the sentence into as few pieces with a tree as possible, then into the cheapest."""
    best: list[tuple[int, int, str] | None] = [None] * (size + 1)
    total = [0] + [PIECE_COST * 10 * (size + 1)] * size
    for end in range(1, size + 1):
        for start in range(end):
            edges = chart.get((start, end), {})
            wanted = [label for label in PIECES if label in edges]
            if end == start + 1:  # a word alone may be anything
                wanted += [label for label in edges if label not in wanted]
            for label in wanted:
                cost = total[start] + PIECE_COST + edges[label].cost
                if cost < total[end]:
                    total[end], best[end] = cost, (start, end, label)
    cuts, end = [], size
    while end:
        cuts.append(best[end])
        end = best[end][0]
    return reversed(cuts)


def analyse(source: Sequence[str], rules: Rules) -> Node:
    """Return the cheapest tree of a Chinese sentence, its dropped words put in.

    A sentence without a tree comes back as a node ``PIECES`` over as few trees as possible: the
    analysis of a sentence never fails.

    Examples
    --------
    >>> from softalign.transfer import draw, load_rules
    >>> print(draw(analyse("三 本 书".split(), load_rules())))
    NP num=pl
      Num 三 num=pl
      Cl 本
      Nb
        N 书

    Page: 01_smt/rule_based
    """
    if isinstance(source, str):
        raise TypeError("the source is one string, expected a sequence of words")
    if not source:
        return Node("PIECES")
    chart = _chart(source, rules)
    if TOP in chart.get((0, len(source)), {}):
        return resolve(_build(chart, 0, len(source), TOP))
    parts = [_build(chart, *piece) for piece in _pieces(chart, len(source))]
    return resolve(parts[0] if len(parts) == 1 else Node("PIECES", tuple(parts)))


def _nominal(node: Node | None) -> dict[str, str]:
    """What a pronoun must know of the noun phrase it stands for."""
    if node is None:
        return {"num": "sg", "g": "m", "ref": "nobody"}
    known = {k: node.features[k] for k in ("num", "pers", "g", "cls") if k in node.features}
    words = head_leaf(node).words or (node.features.get("ref", ""),)
    return {"num": "sg", "pers": "3", **known, "ref": words[0]}


def resolve(tree: Node) -> Node:
    """Put in what Chinese drops: a subject (category C0), the object of a bare verb and 了.

    A dropped subject is the subject of the clause before, or of the next one if there is none
    before. With 但是 or a mere comma before an adjective it is what the clause before ends with,
    its object. A dropped object is the subject of the clause before.

    Page: 01_smt/rule_based
    """
    children = [resolve(child) for child in tree.children]
    clauses = [k for k, child in enumerate(children) if child.label in ("C", "C0", "Cas")]
    subjects = {k: _find(children[k], "subj") for k in clauses}
    for k in clauses:
        before = [subjects[j] for j in clauses if j < k and subjects[j]]
        after = [subjects[j] for j in clauses if j > k and subjects[j]]
        if children[k].label == "C0":
            other = (before + after)[:1]
            if "refobj" in children[k].features:
                said = _find(children[clauses[0]], "obj")
                other = [said] if said else other
            what = _nominal(other[0] if other else None)
            pro = Node("Pron", features=what, role="subj", why="analysis: a dropped subject")
            children[k] = children[k]._replace(label="C", children=(pro, *children[k].children))
            subjects[k] = other[0]._replace(role="subj") if other else None
        elif before and "noobj" in children[k].features:
            children[k] = _add_object(children[k], _nominal(before[0]))
    return tree._replace(children=tuple(children)) if children else tree


def _find(clause: Node, role: str) -> Node | None:
    """Find the part of a clause with a role, without going into other clauses."""
    for child in clause.children:
        if child.role == role:
            return child
        if child.label in ("VP", "Seq"):
            found = _find(child, role)
            if found:
                return found
    return None


def _add_object(node: Node, what: dict[str, str]) -> Node:
    """Put a pronoun behind the verb that lacks its object."""
    if node.label == "VP" and any(child.label == "了" for child in node.children):
        pro = Node("Pron", features=what, role="obj", why="analysis: a dropped object")
        return node._replace(children=(*node.children, pro))
    children = [
        _add_object(c, what) if c.label == "VP" and "noobj" in c.features else c
        for c in node.children
    ]
    return node._replace(children=tuple(children))


def relations(tree: Node) -> list[tuple[Node, str, Node]]:
    """List who is what to whom, as (head word, relation, word).

    Each role of the analysis rules gives the relation of that name from the head of a phrase, and
    ``of`` back. What stands in a relative clause is the object of its verb, too.

    Page: 01_smt/rule_based
    """
    found = []

    def visit(node: Node) -> None:
        head = head_leaf(node)
        for child in node.children:
            visit(child)
            if not child.role:
                continue
            other = head_leaf(child)
            if child.role == "gap":
                found.append((other, "obj", head))
                found.append((head, "of", other))
            elif child is not head:
                found.append((head, child.role, other))
                found.append((other, "of", head))
                if child.role == "obj" and "bare" in child.features:
                    found.append((head, "bare", other))

    visit(tree)
    return found
