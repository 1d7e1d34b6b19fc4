"""Generation: from the English tree to English words, with agreement, tense and articles.

Page: 01_smt/rule_based
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from softalign.transfer.reading import Rules
from softalign.transfer.trees import Node

__all__ = ["Word", "an_or_a", "generate", "inflect", "plural", "verb_group"]

PRONOUNS = {  # nominative, objective, possessive
    "1sg": ("I", "me", "my"),
    "2sg": ("you", "you", "your"),
    "2pl": ("you", "you", "your"),
    "m": ("he", "him", "his"),
    "f": ("she", "her", "her"),
    "n": ("it", "it", "its"),
    "1pl": ("we", "us", "our"),
    "3pl": ("they", "them", "their"),
}
BE = {"1sg": ("am", "was"), "3sg": ("is", "was")}
MODALS = {"fut": "will", "can": "can"}
VOWEL_SOUND = re.compile(r"^(?!uni|use|usu|one|eu)[aeiou]|^hour|^honest", re.IGNORECASE)
VERBS = frozenset({"V", "Vi", "Vgo", "Vgive", "Vmod", "Vsay", "Vr"})
HELPING = frozenset(
    ["not", "did", "does", "do", "will", "can", "is", "are", "am", "was", "were", "has", "have"]
)
THIRD = {"num": "sg", "pers": "3"}


class Word(NamedTuple):
    """An English word and the entry or rule that it comes from."""

    text: str
    why: str


def plural(noun: str) -> str:
    """Return the regular plural of the last word of an English noun; of a Chinese one, itself.

    Examples
    --------
    >>> [plural(noun) for noun in ("book", "watch", "party", "toy", "tour_guide")]
    ['books', 'watches', 'parties', 'toys', 'tour_guides']

    Page: 01_smt/rule_based
    """
    if not re.search(r"[a-z]$", noun):
        return noun
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def _stem(verb: str, ending: str) -> str:
    """Add -ed or -ing: drop a silent e, double the consonant of a word of one short syllable."""
    if verb.endswith("e") and not (ending == "ing" and verb.endswith("ee")):
        return verb[:-1] + ending
    if ending == "ed" and re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    if re.match(r"^[^aeiou]*[aeiou][^aeiouwxy]$", verb):
        return verb + verb[-1] + ending
    return verb + ending


def inflect(lemma: str, form: str, forms: tuple[str, ...] = ()) -> str:
    """Return a form of an English verb; of several words, the first is inflected.

    Parameters
    ----------
    lemma
        The base form; ``_`` joins its words.
    form
        ``base``, ``s``, ``past``, ``part`` or ``ing``.
    forms
        Irregular past, participle (if it differs) and -ing form of the first word.

    Examples
    --------
    >>> inflect("plan", "ing"), inflect("carry", "s"), inflect("look_for", "past")
    ('planning', 'carries', 'looked_for')
    >>> inflect("write", "part", ("wrote", "written"))
    'written'

    Page: 01_smt/rule_based
    """
    first, *rest = lemma.split("_")
    if not re.search(r"[a-z]$", first):  # a Chinese word that was copied has no forms
        return lemma
    irregular = dict(zip(("past", "part", "ing"), forms, strict=False))
    irregular.setdefault("part", irregular.get("past", ""))
    if form == "s":
        word = "has" if first == "have" else "goes" if first == "go" else plural(first)
        word = "does" if first == "do" else word
    elif form == "base":
        word = first
    else:
        word = irregular.get(form) or _stem(first, "ing" if form == "ing" else "ed")
    return "_".join([word, *rest])


def _person(agr: Mapping[str, str]) -> str:
    return f"{agr.get('pers', '3')}{agr.get('num', 'sg')}"


def verb_group(
    lemma: str,
    features: Mapping[str, str],
    agr: Mapping[str, str],
    forms: tuple[str, ...] = (),
    *,
    inverted: bool = False,
) -> tuple[list[str], list[str]]:
    """Conjugate a verb: the auxiliary, and the words that follow it.

    Parameters
    ----------
    lemma
        Base form of the verb.
    features
        ``tense`` (pres, past, fut, can, prog, pastprog, perf, base, ing), ``neg`` and ``adv``.
    agr
        Person and number of the subject.
    forms
        Irregular forms.
    inverted
        Whether the auxiliary will stand before the subject, so that there must be one.

    Examples
    --------
    >>> verb_group("buy", {"tense": "past", "neg": "yes"}, {"pers": "3", "num": "sg"}, ("bought",))
    (['did'], ['not', 'buy'])
    >>> verb_group("read", {"tense": "prog", "adv": "still"}, {"pers": "1", "num": "sg"})
    (['am'], ['still', 'reading'])

    Page: 01_smt/rule_based
    """
    tense, person = features.get("tense", "pres"), _person(agr)
    third = person == "3sg"
    now, then = BE.get(person, ("are", "were"))
    adverbs = [word for word in features.get("adv", "").split("+") if word]
    negated = "neg" in features
    aux, main = "", lemma
    if tense in MODALS:
        aux = MODALS[tense]
    elif tense in ("prog", "pastprog"):
        aux, main = now if tense == "prog" else then, inflect(lemma, "ing", forms)
    elif tense == "perf":
        aux, main = "has" if third else "have", inflect(lemma, "part", forms)
    elif tense in ("passive", "prespassive"):
        aux, main = then if tense == "passive" else now, inflect(lemma, "part", forms)
    elif tense == "ing":
        main = inflect(lemma, "ing", forms)
    elif lemma == "be" and tense != "base":
        aux, main = then if tense == "past" else now, ""
    elif tense != "base" and (negated or inverted):
        aux = "did" if tense == "past" else "does" if third else "do"
    elif tense == "past":
        main = inflect(lemma, "past", forms)
    elif tense == "pres" and third:
        main = inflect(lemma, "s", forms)
    rest = [*(["not"] if negated else []), *adverbs, *([main] if main else [])]
    return ([aux] if aux else []), rest


@lru_cache(maxsize=8)
def _forms(rules: Rules) -> tuple[dict, dict]:
    """Irregular forms of verbs by lemma, and those of nouns and adjectives."""
    verbs: dict[str, tuple[str, ...]] = {"spend": ("spent",)}  # rules use it, no entry does
    others: dict[str, tuple[str, ...]] = {}
    for entry in rules.dictionary:
        if entry.forms:
            (verbs if entry.label in VERBS else others)[entry.english] = entry.forms
    return verbs, others


def agreement(node: Node) -> dict[str, str]:
    """Person, number and gender of a noun phrase."""
    known = {k: node.features[k] for k in ("num", "pers", "g", "cls") if k in node.features}
    return {**THIRD, **known}


def _pronoun(agr: Mapping[str, str], case: str) -> str:
    person = _person(agr)
    if person == "3sg":
        person = agr.get("g") or ("m" if agr.get("cls") == "person" else "n")
    return PRONOUNS[person][("nom", "obj", "poss").index(case)]


class _Generator:
    """Walks through the English tree; holds nothing but the tables of forms."""

    def __init__(self, rules: Rules) -> None:
        self.verbs, self.others = _forms(rules)

    def words(self, node: Node, agr: Mapping[str, str], state: Mapping[str, str]) -> list[Word]:
        """Return the words of a node, given the subject and what its head has inherited."""
        if not node.children:
            return self.leaf(node, agr, state)
        if node.label == "C":
            return self.clause(node)
        if node.label == "NP":
            return self.noun_phrase(node, agr, state)
        parts = []
        if node.label == "Nb":
            agr = {**agreement(node), **{k: state[k] for k in ("num",) if k in state}}
        for child in node.children:
            parts += self.words(child, agr, state if child.head or node.label == "Nb" else {})
        return parts

    def clause(self, node: Node) -> list[Word]:
        """Subject, verb and the rest; in a question the auxiliary before the subject."""
        subject = next((c for c in node.children if c.label in ("NP", "Pron")), None)
        agr = agreement(subject) if subject else THIRD
        aux: list[Word] = []
        parts: list[Word] = []
        if "inv" in node.features:
            verb = _verb(node)
            if verb is not None:
                before, _ = self.group(verb, agr, True)
                aux = [Word(text, "generation: the auxiliary of a question") for text in before]
        for child in node.children:
            if child is subject:
                parts += [*aux, *self.words(child, agr, {"case": "nom"})]
            else:
                state = {"inv": "yes"} if aux and child.label == "VP" else {}
                parts += self.words(child, agr, state)
        return parts

    def group(self, leaf: Node, agr, inverted: bool) -> tuple[list[str], list[str]]:
        lemma = leaf.english or ""
        return verb_group(lemma, leaf.features, agr, self.verbs.get(lemma, ()), inverted=inverted)

    def noun_phrase(self, node: Node, agr, state) -> list[Word]:
        """A noun phrase of its own number; a bare one gets its article."""
        own = agreement(node)
        parts = []
        for child in node.children:
            inside = agr if child.label == "Self" else own
            passed = {"num": own["num"], **({"case": state["case"]} if "case" in state else {})}
            parts += self.words(child, inside, passed)
        if "bare" in node.features or "det" in node.features:
            article = node.features.get("det", "a")
            unmarked = "mass" in node.features or own["num"] == "pl" or "proper" in node.features
            if article == "the" or not unmarked:
                parts.insert(0, Word(article, "generation: the article that English needs"))
        return parts

    def leaf(self, node: Node, agr, state) -> list[Word]:
        """One word: inflected if it is a verb, noun or pronoun."""
        text, why = node.english, node.why
        if node.label == "Pron" and ("num" in node.features or "pers" in node.features):
            case = node.features.get("case") or state.get("case", "obj")
            if "ref" in node.features:
                why = "generation: the pronoun for " + node.features["ref"]
            text = _pronoun(agreement(node), case)
        elif node.label == "Self":
            text, why = _pronoun(agr, "poss"), "generation: one's own, like the subject"
        elif text is None:
            text = " ".join(node.words)
        elif node.label in VERBS:
            before, after = self.group(node, agr, "inv" in state)
            words = after if "inv" in state else [*before, *after]
            return [_verb_word(w, node) for word in words for w in word.split("_") if w]
        elif node.label in ("N", "Cont", "Kin"):
            number = node.features.get("num") or state.get("num", "sg")
            if number == "pl" and node.label != "Kin" and "unknown" not in node.features:
                text = (self.others.get(text) or (plural(text),))[0]
        elif node.features.get("deg") == "comp":
            text = (self.others.get(text) or (f"more_{text}",))[0]
        return [Word(word, why) for word in text.replace(" ", "_").split("_") if word]


def _verb_word(text: str, node: Node) -> Word:
    """Tell the verb's own word from those that tense, negation and rules have put around it."""
    if text in node.features.get("adv", "").split("+"):
        return Word(text, "generation: an adverb that a rule gave to the verb")
    if text in HELPING and text not in (node.english or "").split("_"):
        own = text in ("has", "had", "have") and (node.english or "").startswith("have")
        own = own or (node.english == "be" and text not in ("not", "will", "can"))
        return Word(text, node.why if own else "generation: the verb group")
    return Word(text, node.why)


def _verb(node: Node) -> Node | None:
    """Find the verb that carries the tense of a clause."""
    for child in node.children:
        if child.label in VERBS and not child.children:
            return child
        if child.label == "VP":
            return _verb(child)
    return None


def an_or_a(words: list[Word]) -> list[Word]:
    """Make *an* of *a* before a vowel sound.

    Examples
    --------
    >>> [word.text for word in an_or_a([Word("a", ""), Word("apple", "")])]
    ['an', 'apple']

    Page: 01_smt/rule_based
    """
    after = [*(word.text for word in words[1:]), ""][: len(words)]
    return [
        Word("an", word.why) if word.text == "a" and VOWEL_SOUND.match(next_) else word
        for word, next_ in zip(words, after, strict=True)
    ]


def generate(tree: Node, rules: Rules) -> list[Word]:
    """Return the words of an English tree, each with the entry or rule it comes from.

    Page: 01_smt/rule_based
    """
    return an_or_a(_Generator(rules).words(tree, THIRD, {}))
