"""The extension that merges style sheets: what it keeps and drops, and that it can run twice."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import softalign_speed as speed
from sphinx.errors import ExtensionError


def squeezed(text):
    return text.replace("\n", "")


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        (".a{x:1}.b{y:2}", ".a{x:1}"),
        (".a,.b,p{x:1}", ".a,p{x:1}"),
        (".a .b{x:1}.a.c{x:2}", ".a.c{x:2}"),
        (".a:not(.b){x:1}", ".a:not(.b){x:1}"),
        (":is(.b,.q) p{x:1}", ":is(.b,.q) p{x:1}"),
        ('p[class=".b"]{x:1}', 'p[class=".b"]{x:1}'),
        (".bs-tooltip-top{x:1}", ".bs-tooltip-top{x:1}"),
        ("@media print{.b{x:1}}", ""),
        ("@media print{.b{x:1}.a{x:2}}", "@media print{.a{x:2}}"),
        ("@keyframes b{from{x:1}to{x:2}}", "@keyframes b{from{x:1}to{x:2}}"),
        ('@charset "UTF-8";.a{x:1}', ".a{x:1}"),
        ("/* .b{ */.a{x:1}/* } */", ".a{x:1}"),
        ('.a:before{content:"};{/*"}', '.a:before{content:"};{/*"}'),
        (".a{b:url(data:image/svg;{}x)}", ".a{b:url(data:image/svg;{}x)}"),
        (".a\\:b{x:1}", ".a\\:b{x:1}"),
    ],
)
def test_only_rules_that_something_can_use_are_kept(sheet, kept):
    assert squeezed(speed.lean(sheet, {"a", "c", "p"})) == kept


def test_a_broken_sheet_is_no_sheet():
    with pytest.raises(ValueError, match="ends in the middle"):
        speed.lean(".a{x:1", {"a"})


PAGE = """<html><head>
<link href="{up}_static/one.css?digest=1" rel="stylesheet" />
{more}<link rel="stylesheet" type="text/css" href="{up}_static/deep/two.css?v=2" />
<link rel="preload" as="script" href="{up}_static/late.js" />
<script src="{up}_static/documentation_options.js?v=1"></script>
<script src="{up}_static/first.js"></script>
<script>OPTIONS.page = 1;</script>
<script async src="{up}_static/free.js"></script>
</head><body class="a">words</body></html>
"""
OPTIONS = "const OPTIONS = {};"


@pytest.fixture
def site(tmp_path):
    """Two pages with two sheets in common, one with a third in between, and a page without any."""
    static = tmp_path / "_static"
    (static / "deep").mkdir(parents=True)
    (tmp_path / "book").mkdir()
    (static / "one.css").write_text('@import "zero.css";.a{x:1}.dead{x:2}')
    (static / "zero.css").write_text(".made{z:0}")
    (static / "deep" / "two.css").write_text('.a{b:url("../p.png") url(data:x,y) url(#id)}')
    (static / "own.css").write_text(".a{own:1}")
    (static / "documentation_options.js").write_text(OPTIONS)
    (static / "first.js").write_text("node.className = 'made';")
    own = '<link rel="stylesheet" href="../_static/own.css" />\n'
    (tmp_path / "index.html").write_text(PAGE.format(up="", more=""))
    (tmp_path / "book" / "x.html").write_text(PAGE.format(up="../", more=own))
    (tmp_path / "away.html").write_text("<html><head></head></html>")
    return tmp_path


def run(site, name="html"):
    app = SimpleNamespace(builder=SimpleNamespace(name=name), outdir=str(site))
    speed.speed(app, None)
    return {path.name: path.read_text() for path in site.rglob("*.html")}


def test_one_sheet_for_all_pages(site):
    pages = run(site)
    (merged,) = (site / "_static" / "lean").glob("*.css")
    assert squeezed(merged.read_text()) == (
        '.made{z:0}.a{x:1}.a{own:1}.a{b:url("../p.png") url(data:x,y) url(#id)}'
    )
    for name, up in (("index.html", ""), ("x.html", "../")):
        assert pages[name].count(f'href="{up}_static/lean/{merged.name}"') == 1
        assert 'data-from="one.css own.css deep/two.css"' in pages[name]
        assert pages[name].count("rel=") == 1
    assert 'data-own="one.css deep/two.css"' in pages["index.html"]
    assert 'data-own="one.css own.css deep/two.css"' in pages["x.html"]
    assert pages["away.html"] == "<html><head></head></html>"


def test_sheets_stand_behind_those_that_they_stood_behind():
    head = '<link rel="stylesheet" href="_static/{}.css" />'
    pages = ["".join(map(head.format, names)) for names in ("acf", "bf", "abf", "adef")]
    assert speed.every(pages) == ["a.css", "d.css", "e.css", "b.css", "c.css", "f.css"]
    with pytest.raises(ValueError, match=r"name a.css, b.css in orders"):
        speed.every([head.format("a") + head.format("b"), head.format("b") + head.format("a")])


def test_scripts_wait_and_their_options_do_not(site):
    page = run(site)["x.html"]
    assert f"<script>{OPTIONS}</script>" in page
    assert '<script defer src="../_static/first.js"></script>' in page
    assert "<script>OPTIONS.page = 1;</script>" in page
    assert '<script async src="../_static/free.js"></script>' in page
    assert "preload" not in page


def test_a_second_build_changes_nothing_and_takes_in_what_is_new(site):
    first = run(site)
    assert run(site) == first
    (site / "book" / "y.html").write_text(PAGE.format(up="../", more="").replace('"a"', '"dead"'))
    second = run(site)
    (merged,) = (site / "_static" / "lean").glob("*.css")
    assert ".dead{x:2}" in merged.read_text()
    assert all(merged.name in second[name] for name in ("index.html", "x.html", "y.html"))


def test_a_font_that_only_a_shut_fold_needs_is_not_fetched_early():
    sheet = '<link rel="stylesheet" href="_static/x.css" />'
    formula = '<span class="katex-html"></span>'
    bold, script = ('<b class="mord mathbf">x</b>', '<b class="mathcal">x</b>')
    for fold, names in (
        (f"<details><summary>{bold}</summary>{script}</details>", "Main-Regular Main-Bold"),
        (f"<details class='a' open>{script}</details>", "Main-Regular Caligraphic-Regular"),
        (f"<details>{bold}</details>{script}", "Main-Regular Caligraphic-Regular"),
    ):
        assert f'"{names}".split' in speed.early(sheet + formula + fold)


def test_what_auto_means_is_known_before_the_first_style_sheet(site):
    theme = f"<head><script>\n{speed.THEME}</script>\n"
    path = site / "index.html"
    path.write_text(path.read_text().replace("<head>", theme))
    for _ in range(2):
        page = run(site)["index.html"]
        assert page.count(speed.THEME + speed.AUTO) == page.count(speed.AUTO) == 1
        assert page.index(speed.AUTO) < page.index("stylesheet")


def linking(site, **pages):
    """Write pages that link to sheets, each a letter."""
    for name, letters in pages.items():
        links = "".join(f'<link rel="stylesheet" href="_static/{x}.css" />\n' for x in letters)
        (site / f"{name}.html").write_text(f"<html><head>\n{links}</head>a</html>")


def test_a_page_that_is_new_gives_what_a_clean_build_gives(tmp_path):
    found = []
    for name, first in (("later", {"one": "yz", "two": "x"}), ("clean", {})):
        site = tmp_path / name
        (site / "_static").mkdir(parents=True)
        (site / "_static" / "documentation_options.js").write_text(OPTIONS)
        for x in "xyz":
            # what a merged link is made of is no word of a page
            (site / "_static" / f"{x}.css").write_text(f".a{{{x}:1}}.lean,.data-own{{{x}:2}}")
        if first:
            linking(site, **first)
            run(site)
            linking(site, three="xy")
        else:
            linking(site, one="yz", two="x", three="xy")
        pages = run(site)
        found.append((pages, {p.name: p.read_text() for p in site.glob("_static/lean/*")}))
    assert found[0] == found[1]
    assert squeezed(*found[0][1].values()) == ".a{x:1}.a{y:1}.a{z:1}"


def test_a_page_of_a_version_that_noted_no_own_sheets_is_read(site):
    first = run(site)
    old = first["x.html"]
    for path in (site / "index.html", site / "book" / "x.html"):
        path.write_text(re.sub(' data-own="[^"]*"', "", path.read_text()))
    assert run(site)["x.html"] == old


def test_a_sheet_that_is_missing_is_a_sentence(site):
    (site / "_static" / "own.css").unlink()
    with pytest.raises(ExtensionError, match=r"\[softalign\] .*own\.css"):
        run(site)


def test_other_builders_are_left_alone(site):
    before = {path.name: path.read_text() for path in site.rglob("*.html")}
    assert run(site, "singlehtml") == before
