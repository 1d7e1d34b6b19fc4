"""The glossary against the pages: no bold term without an entry; and its Chinese and pinyin."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
import softalign_first_use as first
from book_files import PAGES
from docutils import nodes
from docutils.utils import new_document
from test_front_matter import entries

TERMS = [first.squeezed(term) for term, *_ in entries()]
BOLD = re.compile(r"\*\*(?=\S)((?:[^*\n]|\n(?!\n))+?)\*\*")
WORDS = 4

# What is set in bold, looks like a term and is none, by the reason why it is bold.
NO_TERMS = {
    "stressed in its sentence": """up; computes; no error; adds; all; not; from 0; carries; time;
        copy; map; nearest; first; second; third; fourth; fifth; sum""",
    "the first words of an item or paragraph, not yet a sentence": """Folded cells; Exercises; The
        product; The rival; Lower is better; Inputs; The
        initial state; torch's default; Gaussian; Orthogonal; Identity; Forgetting; Not learning;
        Proof; A second direction; Depth; Skips across time; The short answer; Context; Information;
        Length; Long dependencies; Interpretability; Efficiency; Give it the number; Give it the
        share; Late; One student again; How long; written questions; The notes""",
    "words of an example": """she; bought; two; interesting; she bought; bought two; two
        interesting; she bought two; bought two interesting; she bought two interesting""",
}


def once(text: str) -> str:
    """A text in the form in which it is compared."""
    return first.squeezed(text)


ALLOWED = {once(word) for words in NO_TERMS.values() for word in words.split(";")}


def bold_terms(prose: str) -> list[str]:
    """What a page sets in bold and may be a term: some words without an end of their own."""
    found = []
    for match in BOLD.finditer(re.sub(r"^```\{code.*?^```", "", prose, flags=re.M | re.S)):
        text = once(match[1])
        sentence = text[-1] in '.:?!"”' or text[0] in '"“(' or not re.search("[A-Za-z]", text)
        if not sentence and len(text.split()) <= WORDS:
            found.append(text)
    return found


PATTERNS = [first.pattern(first.forms(term, bold=True)) for term in TERMS]


def is_entry(text: str) -> bool:
    """Whether the glossary has a term, in this or another form."""
    text = re.sub(r"\[[^]]*\]\{\.language-zh\}", "", text).strip()
    return any(pattern.fullmatch(text) for pattern in PATTERNS)


READ = [page for page in PAGES if page.name not in first.NOT_READ + first.LOOKED_UP[:2]]


@pytest.mark.parametrize("page", READ, ids=[page.name for page in READ])
def test_a_bold_term_has_an_entry(page):
    missing = [t for t in bold_terms(page.prose) if not is_entry(t) and t not in ALLOWED]
    assert not missing, f"neither in book/glossary.md nor in NO_TERMS: {missing}"


def test_a_bold_term_without_an_entry_is_found():
    prose = (
        "A **frobnicator** is a thing. **Step 1.** See **links** and **Alignments**, **n-grams**."
    )
    assert bold_terms(prose) == ["frobnicator", "links", "Alignments", "n-grams"]
    assert [is_entry(t) for t in bold_terms(prose)] == [False, True, True, True]


def test_what_is_no_term_is_in_use():
    there = {term for page in PAGES for term in bold_terms(page.prose)}
    assert not ALLOWED - there


# --- first use ------------------------------------------------------------------------------------


def a_page(*paragraphs: nodes.Node | str) -> list[first.Section]:
    """A page of one section with these paragraphs."""
    page = nodes.section("", nodes.title("", "Page"), ids=["page"])
    inner = nodes.section("", nodes.title("", "Inner"), ids=["inner"])
    for text in paragraphs:
        inner += nodes.paragraph("", "", text if isinstance(text, nodes.Node) else nodes.Text(text))
    page += inner
    document = new_document("one")
    document += page
    return list(first.sections("one", document))


@pytest.mark.parametrize(
    ("paragraphs", "used", "defined"),
    [
        (["A softmax is read."], True, False),
        (["A SoftMaxing thing."], False, False),
        ([nodes.strong("", "Softmax")], True, True),
        ([nodes.literal("", "softmax")], False, False),
    ],
)
def test_a_term_is_found_where_it_is_used(paragraphs, used, defined):
    found = first.terms_in(a_page(*paragraphs), ["softmax"])["softmax"]
    assert (found.used is not None, found.defined is not None) == (used, defined)


def test_a_word_with_an_everyday_sense_counts_where_it_is_marked():
    sections = a_page("The key of the door.") + a_page(nodes.emphasis("", "keys"))
    sections[3].place.__dict__["anchor"] = "marked"
    assert first.terms_in(sections, ["key"])["key"].used.anchor == "marked"
    assert (
        first.terms_in(sections[:2], ["key"])["key"].used.anchor == "inner"
    )  # if there is no other


def test_a_symbol_is_found_on_its_page():
    sections = a_page(nodes.math("", r"\alpha_{ji}"))
    assert first.symbols_in(sections, [(r"\alpha_{ji}", "one"), (r"\beta", "one")]) == {
        r"\alpha_{ji}": sections[-1].place
    }


# --- Chinese and pinyin ---------------------------------------------------------------------------

INITIALS = [*re.findall(r"\w+", "zh ch sh b p m f d t n l g k h j q x r z c s y w"), ""]
FINALS = re.findall(
    r"\w+",
    "a o e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un "
    "uang ue v ve er ueng",
)
TONES = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}
NO_TONE = {"的": "de", "子": "zi"}
# Characters that the glossary reads in two ways, with the words that show it.
TWO_READINGS = {
    "调": {"tiáo", "diào"},  # 调序, 调参: to arrange; 调度: to dispatch
    "重": {"zhòng", "chóng"},  # 权重: weight; 重置: again
    "子": {"zǐ", "zi"},  # 子语言: part of; 句子: an ending
}


def toneless(syllable: str) -> tuple[str, int]:
    """A syllable without its mark, and how many marks it has."""
    parts = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(c for c in parts if c not in TONES), sum(c in TONES for c in parts)


def is_syllable(text: str) -> bool:
    """Whether a text is one syllable of pinyin, with one tone or a known neutral one."""
    plain, marks = toneless(text)
    good = any(plain.startswith(i) and plain[len(i) :] in FINALS for i in INITIALS)
    return good and (marks == 1 or text in NO_TONE.values())


def readings(pinyin: str, count: int) -> list[list[str]]:
    """Every way to read a line of pinyin as so many syllables."""
    pinyin = unicodedata.normalize("NFC", pinyin)
    if not pinyin or not count:
        return [[]] if not pinyin and not count else []
    found = []
    for length in range(1, min(6, len(pinyin)) + 1):
        if is_syllable(pinyin[:length]):
            found += [[pinyin[:length], *rest] for rest in readings(pinyin[length:], count - 1)]
    return found


def both(chinese: str, pinyin: str) -> tuple[str, str]:
    """The characters of an entry and their pinyin, what is Latin in both left out."""
    characters = "".join(re.findall("[\u4e00-\u9fff]", chinese))
    for latin in re.findall(r"[A-Za-z]+", chinese):
        pinyin = re.sub(rf"(?<!\w){latin}(?!\w)", "", pinyin, count=1)
    if re.search(r"模型 [12]$", chinese):
        pinyin = re.sub(r" (?:yī|èr)$", "", pinyin)
    return characters, re.sub(r"[\s'’–-]", "", pinyin.lower())


def test_every_character_has_a_syllable_and_always_the_same():
    known: dict[str, set[str]] = {}
    for term, chinese, pinyin, _ in entries():
        characters, line = both(chinese, pinyin)
        ways = readings(line, len(characters))
        assert ways, f"{term}: {pinyin} does not fit {chinese}"
        agreeing = [
            way
            for way in ways
            if all(s in known.get(c, {s}) for c, s in zip(characters, way, strict=True))
        ]
        for character, syllable in zip(characters, (agreeing or ways)[0], strict=True):
            known.setdefault(character, set()).add(syllable)
    several = {c: found for c, found in known.items() if len(found) > 1}
    assert {c: f for c, f in several.items() if not f <= TWO_READINGS.get(c, set())} == {}
    assert len(known) > 350


@pytest.mark.parametrize(
    ("line", "count", "good"),
    [("xiānyàn", 2, True), ("xianyàn", 2, False), ("fāngchā", 2, True), ("fāngchā", 3, False),
     ("fāngxq", 2, False), ("lǜ", 1, True)],
)  # fmt: skip
def test_pinyin_that_does_not_fit_is_found(line, count, good):
    assert bool(readings(line, count)) == good


def test_entries_have_chinese_of_their_own():
    """One Chinese term for two English ones is a slip, unless both are that in Chinese."""
    same = [
        (a, b) for a, b in pairwise(sorted((zh, en) for en, zh, *_ in entries())) if a[0] == b[0]
    ]
    assert [(a[1], b[1]) for a, b in same] == []
