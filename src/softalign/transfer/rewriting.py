"""Transfer: choose the English word of each sense, then rearrange the tree by rules.

Page: 01_smt/rule_based
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from softalign.transfer.analysis import compile_rules, relations
from softalign.transfer.reading import Entry, Pattern, Rule, Rules
from softalign.transfer.trees import Node

__all__ = ["choose_senses", "match", "rewrite", "transfer"]

INHERITED = ("tense", "neg", "adv", "case", "det")  # what a head has from its phrase
ADDED = ("adv",)  # features whose values add up
Bindings = dict[str, tuple[Node, ...]]


def choose_senses(tree: Node, rules: Rules) -> Node:
    """Lexical transfer: give every leaf the English of its best entry.

    Of the entries of the word's category, the first whose conditions all hold is taken; if there is
    none, the first without conditions, and failing that, the first. A word without entries is
    copied.

    Page: 01_smt/rule_based
    """
    entries = compile_rules(rules).entries
    known: dict[int, dict[str, set[str]]] = {}
    for head, relation, other in relations(tree):
        names = {*other.words, other.features.get("cls", ""), other.features.get("ref", ""), "*"}
        known.setdefault(id(head), {}).setdefault(relation, set()).update(names)

    def visit(node: Node) -> Node:
        if node.children:
            return node._replace(children=tuple(visit(child) for child in node.children))
        if not node.words:
            return node
        known_senses = entries.get(node.words, ())
        senses = [e for e in known_senses if e.label == node.label]
        if not senses and node.label in node.words:  # a rule named the word
            senses = [e for e in known_senses if not e.wants]
        if not senses:
            return node._replace(english="_".join(node.words), why="copied: not in the dictionary")
        entry = _best(senses, known.get(id(node), {}))
        features = {**node.features, **entry.features}
        if any(relation in ("sep", "bare") for relation, _ in entry.wants):
            features["idiom"] = "yes"
        return node._replace(english=entry.english, features=features, why=entry.name)

    return visit(tree)


def _best(senses: list[Entry], around: Mapping[str, set[str]]) -> Entry:
    for entry in senses:
        if entry.wants and all(around.get(name, set()) & words for name, words in entry.wants):
            return entry
    return next((entry for entry in senses if not entry.wants), senses[0])


def match(pattern: Pattern, node: Node) -> Bindings | None:
    """Compare a pattern with a node.

    Returns
    -------
    dict or None
        What each variable stands for, as a tuple of nodes; None if the node does not fit.

    Page: 01_smt/rule_based
    """
    names = {node.label, " ".join(node.words)}
    if pattern.labels != ("_",) and not names.intersection(pattern.labels):
        return None
    for mode, name, value in pattern.settings:
        has = node.features.get(name)
        if mode == "!":
            fits = has is None
        else:
            fits = has is not None if value == "yes" else has in value.split("/")
        if not fits:
            return None
    found: Bindings = {pattern.name: (node,)} if pattern.name else {}
    if pattern.children is None:
        return found
    inside = _match_all(pattern.children, node.children)
    return None if inside is None else {**found, **inside}


def _match_all(patterns: tuple[Pattern, ...], nodes: tuple[Node, ...]) -> Bindings | None:
    if not patterns:
        return {} if not nodes else None
    first, rest = patterns[0], patterns[1:]
    if not first.labels:  # a sequence variable: the shortest that works
        for size in range(len(nodes) + 1):
            found = _match_all(rest, nodes[size:])
            if found is not None:
                return {first.name: nodes[:size], **found}
        return None
    if not nodes:
        return None
    one = match(first, nodes[0])
    found = None if one is None else _match_all(rest, nodes[1:])
    return None if found is None else {**one, **found}


def _set(node: Node, settings: tuple[tuple[str, str, str], ...], found: Bindings) -> Node:
    features = dict(node.features)
    for mode, name, value in settings:
        source, _, feature = value.partition(".")
        if feature == "english" and source in found:
            value = found[source][0].english or ""
        elif feature and source in found:
            if feature not in found[source][0].features:
                continue
            value = found[source][0].features[feature]
        if mode == "-":
            features.pop(name, None)
        elif name in ADDED and name in features:
            features[name] = f"{features[name]}+{value}"
        elif mode == "=" or name not in features:
            features[name] = value
    return node._replace(features=features)


def _construct(pattern: Pattern, found: Bindings, why: str) -> tuple[Node, ...]:
    """Build the nodes that a right-hand part describes."""
    if pattern.text is not None:
        english = re.sub(r"\{(\w+)\.(\w+)\}", lambda m: found[m[1]][0].features[m[2]], pattern.text)
        leaf = Node(pattern.labels[0], english=english, head=pattern.head, why=why)
        return (_set(leaf, pattern.settings, found),)
    if not pattern.labels:
        nodes = found[pattern.name]
        if pattern.children is None and not pattern.settings and not pattern.head:
            return nodes
        (node,) = nodes
        if pattern.head:
            node = node._replace(head=True)
    else:
        node = Node(pattern.labels[0], head=pattern.head, why=why)
    if pattern.children is not None:
        groups = [_construct(part, found, why) for part in pattern.children]
        if any(part.head for part in pattern.children):  # the rule says what the head is
            groups = [
                tuple(child._replace(head=part.head) for child in group)
                for part, group in zip(pattern.children, groups, strict=True)
            ]
        parts = [child for group in groups for child in group]
        node = node._replace(children=tuple(parts))
    return (_set(node, pattern.settings, found),)


def rewrite(rule: Rule, node: Node) -> Node | None:
    """Apply one rule of transfer to a node; None if it does not fit.

    The new node keeps the place that the old one had in its parent (head or not, role). If the
    right side starts with the category of the left side, it keeps the features, too.

    Examples
    --------
    >>> from softalign.transfer import load_rules
    >>> rule = next(r for r in load_rules().transfer if "measure word" in r.name)
    >>> phrase = Node("NP", (Node("Num"), Node("Cl"), Node("Nb")))
    >>> [child.label for child in rewrite(rule, phrase).children]
    ['Num', 'Nb']

    Page: 01_smt/rule_based
    """
    found = match(rule.left, node)
    if found is None:
        return None
    right = rule.right[0]
    (new,) = _construct(replace(right, settings=()), found, rule.name)
    if right.labels and right.labels[0] == node.label and right.text is None:
        new = new._replace(features=node.features, why=node.why)
    elif not right.labels:  # the phrase is replaced by one of its parts
        extra = {k: v for k, v in node.features.items() if k in INHERITED or k in ("idx",)}
        new = new._replace(features={**extra, **new.features})
    return _set(new, right.settings, found)._replace(head=node.head, role=node.role)


def transfer(tree: Node, rules: Rules) -> tuple[Node, tuple[str, ...]]:
    """Structural transfer: rewrite the tree from the top down.

    At each node the rules are tried in the order of the file, and after a rule has fired from the
    beginning again; the same rule fires once at a node. Then the heads inherit the features of
    their phrases, and the children have their turn.

    Parameters
    ----------
    tree
        A tree whose leaves have their English (`choose_senses`).
    rules
        The rules.

    Returns
    -------
    tuple
        The English tree, and the names of the rules in the order in which they fired.

    Page: 01_smt/rule_based
    """
    by_label = _by_label(rules.transfer)
    fired: list[str] = []

    def visit(node: Node) -> Node:
        if not node.children:
            return node
        done: set[str] = set()
        changed = True
        while changed:
            changed = False
            for rule in by_label.get(node.label, ()):
                if rule.name in done:
                    continue
                new = rewrite(rule, node)
                if new is not None and new != node:
                    fired.append(rule.name)
                    done.add(rule.name)
                    if not rule.right[0].labels:  # another node, smaller than this one
                        done = set()
                    node, changed = new, True
                    break
        children = []
        for child in node.children:
            if child.head:
                passed = {k: v for k, v in node.features.items() if k in INHERITED}
                child = child._replace(features={**passed, **child.features})
            children.append(visit(child))
        return node._replace(children=tuple(children))

    return visit(tree), tuple(fired)


def _by_label(rules: tuple[Rule, ...]) -> Mapping[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        for label in rule.left.labels:
            found.setdefault(label, []).append(rule)
    return found
