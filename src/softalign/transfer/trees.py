"""The tree between two languages: nodes that are never changed, only copied.

Page: 01_smt/rule_based
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Node", "draw", "leaves", "source_words"]


class Node(NamedTuple):
    """A phrase (with children) or a word (without).

    Attributes
    ----------
    label
        Its category: ``NP``, ``V``, ``W`` for a word that a rule wrote.
    children
        The parts, from left to right; empty for a word.
    words
        Of a leaf: the Chinese words it stands for; none if a rule wrote it or Chinese dropped it.
    english
        Of a leaf: its uninflected English, filled in by lexical transfer.
    features
        What is known of it, such as ``tense=past``.
    head
        Whether it is the head of its parent, the part that gives a phrase its nature.
    role
        What it is to the head of its parent, such as ``obj``.
    why
        The rule or dictionary entry that made it.
    """

    label: str
    children: tuple[Node, ...] = ()
    words: tuple[str, ...] = ()
    english: str | None = None
    features: Mapping[str, str] = MappingProxyType({})
    head: bool = False
    role: str = ""
    why: str = ""

    def having(self, **features: str) -> Node:
        """Return a copy with these features added or replaced."""
        return self._replace(features={**self.features, **features})


def leaves(tree: Node) -> Iterator[Node]:
    """Yield the leaves from left to right.

    Page: 01_smt/rule_based
    """
    if not tree.children:
        yield tree
    for child in tree.children:
        yield from leaves(child)


def source_words(tree: Node) -> list[str]:
    """Return the Chinese words under a node, from left to right.

    Examples
    --------
    >>> source_words(Node("NP", (Node("Pron", words=("她",)),)))
    ['她']

    Page: 01_smt/rule_based
    """
    return [word for leaf in leaves(tree) for word in leaf.words]


def head_leaf(node: Node) -> Node:
    """Follow the heads down to a word; without a marked head, the last child is followed."""
    while node.children:
        heads = [child for child in node.children if child.head]
        node = heads[0] if heads else node.children[-1]
    return node


def draw(tree: Node, depth: int = 0, *, features: tuple[str, ...] = ("tense", "num")) -> str:
    """Return the tree as indented text, one line for each phrase or word.

    Parameters
    ----------
    tree
        The node to print.
    depth
        How far to indent the first line.
    features
        The features to show, where a node has them.

    Examples
    --------
    >>> print(draw(Node("NP", (Node("N", words=("书",), english="book"),), features={"num": "pl"})))
    NP num=pl
      N 书 book

    Page: 01_smt/rule_based
    """
    shown = [f"{key}={tree.features[key]}" for key in features if key in tree.features]
    words = [" ".join(tree.words), tree.english or ""] if not tree.children else []
    line = "  " * depth + " ".join(part for part in [tree.label, *words, *shown] if part)
    return "\n".join([line, *(draw(c, depth + 1, features=features) for c in tree.children)])
