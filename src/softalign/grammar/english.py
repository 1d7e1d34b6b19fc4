"""English word forms: plurals, tenses, pronouns, *a* or *an*.

Regular forms are computed, irregular ones are written in the grammar file.

Page: corpus
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# agreement: person, number, gender; "h" is a person whose gender nothing has told us
PRONOUNS = {
    "1s": ("I", "me", "my", "myself"),
    "2": ("you", "you", "your", "yourself"),
    "2p": ("you", "you", "your", "yourselves"),
    "3sm": ("he", "him", "his", "himself"),
    "3sf": ("she", "her", "her", "herself"),
    "3sn": ("it", "it", "its", "itself"),
    "1p": ("we", "us", "our", "ourselves"),
    "3p": ("they", "them", "their", "themselves"),
}
CASES = {"nom": 0, "obj": 1, "poss": 2, "self": 3}
TENSES = frozenset(
    ("past", "pres", "fut", "prog", "pastprog", "perf", "can", "base", "ing", "part")
)
BE = {"1s": ("am", "was"), "3s": ("is", "was")}
AN = re.compile(r"(?!uni|use|usu|eu|one|once)[aeiou]|hour|honest", re.IGNORECASE)


def third_person(verb: str) -> str:
    """Return the third person singular, which is also how regular plurals are written.

    >>> third_person("watch"), third_person("carry"), third_person("book")
    ('watches', 'carries', 'books')
    """
    if re.search(r"(s|x|z|ch|sh)$", verb) or verb in ("go", "do", "potato", "tomato"):
        return verb + "es"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + "s"


def stem(verb: str) -> str:
    """Return `verb` with its last consonant doubled if a suffix asks for that.

    >>> stem("stop"), stem("open"), stem("rain")
    ('stopp', 'open', 'rain')
    """
    return verb + verb[-1] if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", verb) else verb


def past(verb: str) -> str:
    """Return the regular past tense.

    >>> past("like"), past("study"), past("plan")
    ('liked', 'studied', 'planned')
    """
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if re.search(r"[^aeiou]y$", verb) else stem(verb) + "ed"


def gerund(verb: str) -> str:
    """Return the form in *-ing*.

    >>> gerund("write"), gerund("see"), gerund("run")
    ('writing', 'seeing', 'running')
    """
    return verb[:-1] + "ing" if re.search(r"[^eoy]e$", verb) else stem(verb) + "ing"


def auxiliary(name: str, agreement: str) -> str:
    """Return a form of *be*, *have* or *do* that agrees with the subject.

    >>> auxiliary("is", "3p"), auxiliary("was", "3sf"), auxiliary("do", "3sn")
    ('are', 'was', 'does')
    """
    singular = agreement[:2] == "3s"
    if name == "do":
        return "does" if singular else "do"
    if name == "have":
        return "has" if singular else "have"
    return BE.get(agreement[:2], ("are", "were"))[name == "was"]


def conjugate(forms: Sequence[str], tense: str, agreement: str) -> tuple[str, str]:
    """Return the auxiliary and the rest of a verb group; the auxiliary of a simple tense is *do*.

    `forms` are the base, the past, the participle and the form in *-ing*.

    >>> conjugate(("go", "went", "gone", "going"), "perf", "3sm")
    ('has', 'gone')
    >>> conjugate(("go", "went", "gone", "going"), "past", "3sm")
    ('did', 'go')
    """
    base, _, participle, ing = forms
    if base == "be" and tense in ("past", "pres"):
        return auxiliary("was" if tense == "past" else "is", agreement), ""
    if tense == "past":
        return "did", base
    if tense == "pres":
        return auxiliary("do", agreement), base
    if tense == "fut":
        return "will", base
    if tense == "can":
        return "can", base
    if tense == "perf":
        return auxiliary("have", agreement), participle
    return auxiliary("is" if tense == "prog" else "was", agreement), ing


def verb_group(forms: Sequence[str], tense: str, agreement: str) -> list[str]:
    """Return the whole verb group in an affirmative clause.

    >>> verb_group(("go", "went", "gone", "going"), "pres", "3sm")
    ['goes']
    >>> verb_group(("go", "went", "gone", "going"), "pastprog", "3p")
    ['were', 'going']
    """
    base, simple_past, participle, ing = forms
    if tense in ("base", "ing", "part"):
        return [{"base": base, "ing": ing, "part": participle}[tense]]
    if base != "be" and tense == "past":
        return [simple_past]
    if base != "be" and tense == "pres":
        singular = agreement[:2] == "3s"
        return [("has" if base == "have" else third_person(base)) if singular else base]
    return [word for word in conjugate(forms, tense, agreement) if word]


def an(words: Sequence[str]) -> list[str]:
    """Return the words with *a* turned into *an* before a vowel that is heard.

    >>> an(["a", "old", "book", "and", "a", "university"])
    ['an', 'old', 'book', 'and', 'a', 'university']
    """
    following = [*words[1:], ""]
    return [
        "an" if word == "a" and AN.match(after) else word
        for word, after in zip(words, following, strict=True)
    ]
