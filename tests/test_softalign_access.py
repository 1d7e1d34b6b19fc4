"""The passes over the written pages: what they mend, what they leave out, what they leave alone."""

from __future__ import annotations

import os
import re
import struct

import lxml.html
import pygments
import pytest
import softalign_access
import softalign_weight
from book_files import ROOT
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.styles import get_style_by_name
from pygments.token import Name
from softalign_access import mend, picture_size
from softalign_weight import fewer_icons, lean
from softalign_written import html_files, rewrite
from sphinx.errors import ExtensionError


def page(body):
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><title>书</title></head><body>{body}</body></html>'
    )


MENDED = [
    # Chinese, with its own punctuation and no more
    ("<p>the book 书 (shu)</p>", '<p>the book <span lang="zh">书</span> (shu)</p>'),
    (
        "<p>《书》, 他 看，书。 b</p>",
        '<p><span lang="zh">《书》</span>, <span lang="zh">他 看，书。</span> b</p>',
    ),
    ("<p>人々 a</p>", '<p><span lang="zh">人々</span> a</p>'),
    ("<b>书\n花</b>", '<b><span lang="zh">书</span>\n<span lang="zh">花</span></b>'),
    ('<option value="1">书</option>', '<option value="1" lang="zh">书</option>'),
    # pinyin, and what only looks like it
    ("<i>mǎi le shū</i>", '<i><span lang="zh-Latn">mǎi le shū</span></i>'),
    ("<i>a (tā mǎi) b</i>", '<i>a (<span lang="zh-Latn">tā mǎi</span>) b</i>'),
    # names
    ("<button><i></i></button>", '<button type="button"><i></i></button>'),
    (
        '<button title="Full"><i class="fas fa-x"></i></button>',
        '<button title="Full" type="button" aria-label="Full">'
        '<i class="fas fa-x" aria-hidden="true"></i></button>',
    ),
    (
        '<button title="Search" aria-label="Search">Search Ctrl</button>',
        '<button type="button">Search Ctrl</button>',
    ),
    (
        '<nav class="bd-docs-nav"><a>2. Two</a><summary><i></i></summary></nav>',
        '<nav class="bd-docs-nav"><a>2. Two</a>'
        '<summary aria-label="Pages of 2. Two"><i></i></summary></nav>',
    ),
    (
        '<summary aria-label="Toggle"><p class="a">Show</p></summary>',
        '<summary><span class="a">Show</span></summary>',
    ),
    (
        '<header id="pst-header"><button class="a primary-toggle">b</button></header>'
        '<button class="a primary-toggle">b</button>',
        '<header id="pst-header"><button class="a" type="button">b</button></header>'
        '<button class="a primary-toggle" type="button">b</button>',
    ),
    ('<p role="heading" aria-level="2">A</p>', "<p>A</p>"),
    (
        '<div id="pst-primary-sidebar"><div>a</div></div>',
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book">'
        "<div>a</div></div>",
    ),
    (
        '<dialog id="pst-search-dialog"></dialog>',
        '<dialog id="pst-search-dialog" aria-label="Search"></dialog>',
    ),
    # ids
    ('<a id="x"></a><a id="x"></a>', '<a id="x"></a><a id="x-again-2"></a>'),
    # boxes
    ("<pre>a</pre>", '<pre tabindex="0" role="group" aria-label="Code">a</pre>'),
    (
        '<div class="cell_output"><pre>a</pre></div>',
        '<div class="cell_output"><pre tabindex="0" role="group" aria-label="Output">a</pre></div>',
    ),
    (
        "<table><tr><td>a</td></tr></table>",
        '<div class="sa-box" tabindex="0" role="group" aria-label="Table">'
        "<table><tr><td>a</td></tr></table></div>",
    ),
    (
        "<thead><tr><th><p></p></th><th>a</th></tr></thead>",
        '<thead><tr><td><p></p></td><th scope="col">a</th></tr></thead>',
    ),
    ("<tbody><tr><th>a</th></tr></tbody>", '<tbody><tr><th scope="row">a</th></tr></tbody>'),
    (
        '<div role="list"><div role="doc-biblioentry">a</div></div>',
        '<div role="list"><div role="listitem">a</div></div>',
    ),
    # formulas
    (
        "<math><mi>x</mi><mtext>for 买</mtext></math>",
        '<math><mi>x</mi><mtext>for <span lang="zh">买</span></mtext></math>',
    ),
    ("<math><mtext>买</mtext></math>", '<math><mtext lang="zh">买</mtext></math>'),
    ('<img src="a.png">', '<img src="a.png" width="30" height="20">'),
    (
        '<div class="cell_output"><p><img src="a.png" /></p></div>',
        '<div class="cell_output"><p><span class="sa-picture" style="--sa-width: 30px" '
        'tabindex="0" role="group" aria-label="Figure">'
        '<img src="a.png" width="30" height="20" loading="lazy" decoding="async" />'
        "</span></p></div>",
    ),
    (  # what comes with the page has nothing to wait for
        '<div class="cell_output"><img src="data:image/svg+xml;base64,AA" width="30" /></div>',
        '<div class="cell_output"><span class="sa-picture" style="--sa-width: 30px" '
        'tabindex="0" role="group" aria-label="Figure">'
        '<img src="data:image/svg+xml;base64,AA" width="30" /></span></div>',
    ),
    (
        '<p>Solution to<a href="#x"> Exercise 1</a></p>',
        '<p>Solution to <a href="#x">Exercise 1</a></p>',
    ),
]
ALONE = [
    '<p lang="zh">书 <b>花</b></p>',
    '<p lang="de">书</p>',
    "<script>'书 <p>'</script>",
    "<!-- 书 <button> -->",
    '<span class="katex-html" aria-hidden="true"><span class="x">书</span></span>',
    "<p>Pàmies, Zoë, Pīnnis, Tomáš, café</p>",
    '<button type="submit">Go</button>',
    '<img src="a.png" width="3" height="4">',
    "<p a='\"' b>x &lt; y</p>",
    '<thead><tr><th scope="colgroup">a</th></tr></thead>',
    "<math><mi>买</mi></math>",
]


@pytest.mark.parametrize(("before", "after"), MENDED)
def test_what_is_mended(before, after):
    once = mend(page(before), lambda src: (30, 20))
    assert once == page(after)
    assert mend(once, lambda src: (30, 20)) == once


@pytest.mark.parametrize("body", ALONE)
def test_what_is_left_alone(body):
    assert mend(page(body), lambda src: (30, 20)) == page(body)


def test_the_printed_heading_of_a_page_without_one_is_its_title():
    assert "<h1>书</h1>" in mend(page("<h1></h1>"))


def test_a_form_gets_a_button():
    form = '<form action="search.html"><input type="search"/></form>'
    mended = mend(page(form))
    assert mended.count('<button type="submit" class="sa-submit">Search</button></form>') == 1
    assert mend(mended) == mended


def test_sizes_of_pictures(tmp_path):
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480)
    (tmp_path / "a b.png").write_bytes(png)
    (tmp_path / "a.svg").write_text('<svg xmlns="x" viewBox="0 0 24.4 18">')
    assert picture_size(tmp_path, "a%20b.png?v=1") == (640, 480)
    assert picture_size(tmp_path, "a.svg") == (24, 18)
    for none in ("b.png", "data:image/png;base64,AA", "", "https://example.org/a.png"):
        assert picture_size(tmp_path, none) is None


HEAD = """<script src="_static/copybutton.js?v=1"></script>
<link rel="stylesheet" href="_static/proof.css" />
<script src="searchindex.js"></script>
<script>let toggleHintShow = 'Click';</script>
<script src="_static/togglebutton.js"></script>
<script src="_static/doctools.js"></script>
<script>kernelName = 'python3'</script>
"""


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<p>a</p>", {"doctools.js"}),
        ('<div class="highlight"></div>', {"doctools.js", "copybutton.js"}),
        ('<div class="proof theorem"></div>', {"doctools.js", "proof.css"}),
        ('<div id="search-results"></div>', {"doctools.js", "searchindex.js"}),
        ('<p class="dropdown"></p><p class="admonition"></p>', {"doctools.js"}),
        (
            '<p class="solution dropdown admonition"></p>',
            {"doctools.js", "togglebutton.js", "toggleHintShow"},
        ),
    ],
)
def test_a_page_keeps_what_it_uses(body, kept):
    less = lean(HEAD + body)
    words = ("copybutton.js", "proof.css", "searchindex.js", "toggleHintShow", "togglebutton.js")
    assert {word for word in (*words, "doctools.js", "kernelName") if word in less} == kept
    assert lean(less) == less


def test_only_the_search_page_keeps_the_scripts_of_the_search():
    names = ("searchtools", "language_data", "sphinx_highlight")
    lines = [f'<script src="../_static/{name}.js?v=1"></script>' for name in names]
    lines.append('<script src="../searchindex.js" defer="defer"></script>')
    head = "\n".join(lines)
    # chapter 5 has a page of that name too
    page = '<title>Search</title><section id="search"></section>'
    assert lean(f"{head}\n{page}") == f"{lines[2]}\n{page}"
    results = '<div id="search-results"></div>'
    assert lean(f"{head}\n{results}") == f"{head}\n{results}"


def test_pages_are_rewritten_if_they_change_and_static_files_never(tmp_path):
    for name in ("a.html", "deep/b.html", "_static/c.html", "deep/_static/d.html", "e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("买 x", encoding="utf-8")
    pages = [tmp_path / "a.html", tmp_path / "deep" / "b.html"]
    assert html_files(tmp_path) == pages
    os.utime(pages[0], (1, 1))
    found = rewrite(
        tmp_path, lambda path, text: text.replace("x", "y") if path.stem == "b" else text
    )
    assert found == {pages[0]: "买 x", pages[1]: "买 y"}
    assert [path.read_text(encoding="utf-8") for path in pages] == ["买 x", "买 y"]
    assert pages[0].stat().st_mtime == 1
    assert (tmp_path / "_static" / "c.html").read_text(encoding="utf-8") == "买 x"


def test_the_style_keeps_the_icons_that_are_used():
    style = (
        '.fa-sun:before{content:"\\f185"}.fa-moon:before,.fa-night:before{content:"\\f186"}'
        '.a:before{content:"\\f0a1"}.fa-x:before{content:"x"}a{--b:"\uf0f3"}'
        '@font-face{src:url(fa-solid-900.woff2) format("woff2"),url(fa-solid-900.ttf) '
        'format("truetype")}'
    )
    less, letters = fewer_icons(style, {"fa-night"})
    assert ".fa-sun" not in less
    assert ".fa-x" not in less
    assert ".fa-moon:before,.fa-night:before" in less
    assert 'src:url(fa-solid-900.woff) format("woff")}' in less
    assert letters == {0x20, 0xF186, 0xF0A1, 0xF0F3}


def test_the_small_font_holds_its_letters_and_is_the_same_each_time(tmp_path):
    from fontTools.ttLib import TTFont

    source = softalign_weight.theme_folder() / "vendor/fontawesome/webfonts/fa-solid-900.ttf"
    for name in ("a.woff", "b.woff"):
        softalign_weight.small_font(source, {0xF185, 0xF186}, tmp_path / name)
    assert {*TTFont(tmp_path / "a.woff").getBestCmap()} == {0xF185, 0xF186}
    assert (tmp_path / "a.woff").read_bytes() == (tmp_path / "b.woff").read_bytes()
    assert (tmp_path / "a.woff").stat().st_size < 3_000


def test_the_themes_script_asks_no_box_whether_it_scrolls():
    path = softalign_weight.theme_folder() / "scripts/pydata-sphinx-theme.js"
    script = path.read_text(encoding="utf-8")
    less = softalign_weight.quiet(script)
    assert 100 < len(script) - len(less) < 200
    assert "[].forEach(e=>{e.tabIndex=e.scrollWidth>e.clientWidth" in less
    with pytest.raises(ExtensionError, match=r"asks boxes in 0 places, not in 1"):
        softalign_weight.quiet(less)


CODE = "@cache\ndef f(xs: list[int]) -> str:\n    return f'{xs[0]:>3}'  # 不 & <\n"
LOOKS = ("a11y-high-contrast-light", "a11y-high-contrast-dark")


def letters_and_looks(html, style):
    """Each letter of highlighted code with the class it is in, and how that class looks."""
    from pygments.token import STANDARD_TYPES

    kinds = {name: kind for kind, name in STANDARD_TYPES.items()}
    found = []
    for pre in lxml.html.fromstring(html).iter("pre"):
        for node in pre.iter():
            name = node.get("class", "") if node.tag == "span" else ""
            look = style.style_for_token(kinds[name.split()[-1] if name else ""])
            found.append((node.text or "", look))
            tail = style.style_for_token(kinds[""])
            found.append((node.tail or "", tail))
    return [(letter, look) for text, look in found for letter in text if letter != "\n"]


@pytest.mark.parametrize("name", LOOKS)
def test_code_looks_as_ever_though_most_of_it_is_plain_text(name):
    less = softalign_weight.formatter(LOOKS)()
    tokens = [*PythonLexer().get_tokens(CODE)]
    new, old = (pygments.format(tokens, one) for one in (less, HtmlFormatter()))
    style = get_style_by_name(name)
    assert letters_and_looks(new, style) == letters_and_looks(old, style)
    marked, all_kinds = ({*re.findall(r'<span class="(\w+)"', one)} for one in (new, old))
    assert marked == all_kinds - {"n", "p", "w"} < all_kinds


def test_what_one_style_sets_apart_is_marked():
    light, dark = (get_style_by_name(name) for name in LOOKS)

    class Loud(dark):
        styles = dark.styles | {Name: "#ff0000"}

    tokens = [(Name, "x")]
    assert "<span class" not in pygments.format(tokens, softalign_weight.formatter([light])())
    assert '<span class="n">x</span>' in pygments.format(
        tokens, softalign_weight.formatter([light, Loud])()
    )


def test_the_books_own_files_name_no_other_host():
    for name in ("access.css", "access.js"):
        assert "//" not in (ROOT / "book/_static" / name).read_text().replace("// ", "")
    assert softalign_access.BOX in (ROOT / "book/_static/access.css").read_text()
