"""Terms of the glossary in running text: the first on a page is a quiet link with a definition.

Authors link few terms, and need not: a term in its own sense is found by its name. Left alone are
headings, code, links, the section that defines the term, and words that also have another sense.
"""

from __future__ import annotations

import html
import re
from functools import cache

import softalign_find_meanings as meanings
from docutils import nodes

# Words of the glossary that a sentence may use in another sense.
EVERYDAY = """
accuracy adequacy agreement analysis aspect bandwidth batch beam bias bit bootstrap bottleneck
candidate cell channel checkpoint clause construction context convolution copying correlation
coverage derivation derivative digest discount distractor erasure excess expectation feature
feed-forward gate generalisation generation head history hypothesis independence initialisation
interaction interpretability intersection kernel key label lag latch likelihood link loss mask
memory mixture momentum monotone morphology nat norm normalisation null object offset order output
overflow padding parameter particle passive permutation phrase plural precision prior probe
pronoun pruning query readout recall recurrence reference reordering sampling schedule scoreboard
seed segmentation sequence shape signature smoothing sparsity split stack state stepper subject
summary synonym tagging temperature tense transfer transpose tuning type union unrolling value
variance weight window
"""
# The decoder of chapter 1 is a search, that of the glossary a network.
NOT_IN = {"decoder": "chapters/01_smt/"}
UNMARKED = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.strong,
    nodes.raw,
    nodes.comment,
    nodes.term,
)


def is_marked(page: str) -> bool:
    """Whether terms are marked on a page: where one reads on, not where one looks things up."""
    return page.startswith("chapters/") or page in (
        "book/intro",
        "book/prerequisites",
        "book/corpus",
    )


@cache
def by_name() -> dict[str, meanings.Term]:
    """The terms that are marked, by their names."""
    terms = meanings.read_glossary()
    # the chain rule may be that of probability: a page may say either in short
    short = {t.name.partition(" of ")[0] for t in terms if " of " in t.name}
    excluded = {*EVERYDAY.split(), *short}
    return {t.name: t for t in terms if t.name.lower() not in excluded}


@cache
def pattern() -> re.Pattern:
    """Any of the names, the longest that fits, in the singular or with an s."""
    names = sorted(by_name(), key=len, reverse=True)
    forms = []
    for name in names:
        form = re.escape(name)
        if name == name.lower():  # at the beginning of a sentence too
            form = f"[{name[0]}{name[0].upper()}]{re.escape(name[1:])}"
        forms.append(form)
    return re.compile(rf"(?<![\w-])({'|'.join(forms)})s?(?![\w-])")


def term_of(word: str) -> meanings.Term:
    """The term that a match of the pattern is."""
    lowered = word[0].lower() + word[1:]
    return by_name().get(word) or by_name()[lowered]


def sections(node: nodes.Node) -> set[int]:
    """The sections around a node, the page's own left out."""
    found = set()
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.section) and not isinstance(node.parent, nodes.document):
            found.add(id(node))
    return found


def is_text(node: nodes.Text) -> bool:
    """Whether this is text that one reads on in."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, UNMARKED) or "language-zh" in parent["classes"]:
            return False
        if parent.get("tag") in ("a", "summary", "button"):  # HTML of the self-checks
            return False
        parent = parent.parent
    return True


def defined(doctree: nodes.document) -> dict[str, set[int]]:
    """The sections in which each term is set in bold."""
    found: dict[str, set[int]] = {}
    for node in doctree.findall(nodes.strong):
        if match := pattern().fullmatch(" ".join(node.astext().split())):
            found.setdefault(term_of(match[1]).name, set()).update(sections(node))
    return found


def mark_terms(doctree: nodes.document, page: str, address: str) -> None:
    """Mark the first occurrence of each term on a page; `address` is that of the glossary."""
    own = defined(doctree)
    done = {
        node["refuri"].partition("#")[2]
        for node in doctree.findall(nodes.reference)
        if "#term-" in node.get("refuri", "")
    }
    done |= {by_name()[name].anchor for name, part in NOT_IN.items() if page.startswith(part)}
    for node in [*doctree.findall(nodes.Text)]:
        if node.parent is None or not is_text(node):
            continue
        text, pieces, end = node.astext(), [], 0
        for match in pattern().finditer(text):
            term = term_of(match[1])
            if term.anchor in done or own.get(term.name, set()) & sections(node):
                continue
            done.add(term.anchor)
            opening = f'<a class="sa-term" href="{html.escape(address)}#{term.anchor}">'
            pieces += [
                nodes.Text(text[end : match.start()]),
                nodes.raw("", opening, format="html"),
                nodes.Text(match[0]),
                nodes.raw("", "</a>", format="html"),
            ]
            end = match.end()
        if pieces:
            node.parent.replace(node, [*pieces, nodes.Text(text[end:])])
