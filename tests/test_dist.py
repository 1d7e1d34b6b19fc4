"""What is handed out: zips that are the same each time, checksums, folded solutions, one file."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from collections import namedtuple
from pathlib import Path
from urllib.parse import unquote

import dist
import dist_book
import dist_notebooks
import dist_pack
import dist_pdf
import make
import nbformat
import pytest
from book_files import NOTEBOOKS, PAGES, ROOT, table_of_contents

WHEN = 1_790_000_000
Usage = namedtuple("Usage", "total used free")
IMPRINT = dist_book.Imprint("A <book>", "us", "0.1", "1 May 2026", "https://example.org/a")
GIVEN = dist_notebooks.files(ROOT, table_of_contents())


# --- zips and checksums ---------------------------------------------------------------------------


def test_a_zip_depends_on_names_and_contents_alone(tmp_path):
    (tmp_path / "late.html").write_text("猫")
    files = {"b/late.html": tmp_path / "late.html", "a.txt": b"a", "c.png": b"\x89PNG"}
    dist.write_zip(tmp_path / "one.zip", files, WHEN)
    os.utime(tmp_path / "late.html", (1, 1))
    (tmp_path / "late.html").chmod(0o600)
    dist.write_zip(tmp_path / "two.zip", dict(reversed(files.items())), WHEN)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["a.txt", "b/late.html", "c.png"]
        assert archive.read("b/late.html").decode() == "猫"
        assert {info.date_time for info in archive.infolist()} == {(2026, 9, 21, 14, 13, 20)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
    dist.write_zip(tmp_path / "two.zip", {**files, "a.txt": b"b"}, WHEN)
    assert (tmp_path / "one.zip").read_bytes() != (tmp_path / "two.zip").read_bytes()


def test_a_zip_that_cannot_be_finished_is_not_left_behind(tmp_path):
    with pytest.raises(FileNotFoundError):
        dist.write_zip(tmp_path / "a.zip", {"a": b"a", "b": tmp_path / "missing"}, WHEN)
    assert list(tmp_path.iterdir()) == []


def test_checksums_are_in_the_form_that_sha256sum_reads(tmp_path):
    paths = [tmp_path / name for name in ("b.zip", "a.pdf")]
    for path in paths:
        path.write_bytes(path.name.encode())
    lines = dist.checksums(paths).splitlines()
    assert lines == [f"{hashlib.sha256(n.encode()).hexdigest()}  {n}" for n in ("a.pdf", "b.zip")]


def test_the_time_is_the_given_one_or_that_of_the_last_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(WHEN))
    assert dist.time_of(ROOT) == WHEN
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # zip files know no time before 1980
    assert time.gmtime(dist.time_of(ROOT))[:6] == (1980, 1, 1, 0, 0, 0)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(dist.Stop, match="not a number of seconds"):
        dist.time_of(ROOT)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert dist.time_of(tmp_path) == dist.EARLIEST  # no repository


def test_the_site_goes_into_one_folder_without_its_builders_files(tmp_path):
    for name in ("index.html", "book/intro.html", ".buildinfo", "_static/a.css"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files = dist.site_files(tmp_path, "0.1.0")
    inside = ("README.txt", "_static/a.css", "book/intro.html", "index.html")
    assert sorted(files) == [f"soft-alignment-site/{name}" for name in inside]
    assert b"index.html" in files["soft-alignment-site/README.txt"]


# --- what is said when it cannot be done ----------------------------------------------------------


def called(monkeypatch, capsys, *options):
    """Exit status and what is said of a call of tools/dist.py."""
    monkeypatch.setattr(sys, "argv", ["dist.py", *options])
    status = dist.main()
    return status, capsys.readouterr().err


def test_without_a_site_one_sentence_says_so(tmp_path, monkeypatch, capsys):
    options = ("--site", str(tmp_path), "--to", str(tmp_path / "to"), "--browser", sys.executable)
    status, said = called(monkeypatch, capsys, *options)
    assert status == 1
    assert re.fullmatch(r"There is no site in \S+: say make dist, .*\n", said)
    assert not (tmp_path / "to").exists()


def test_without_a_browser_one_sentence_says_so(tmp_path, monkeypatch, capsys):
    status, said = called(monkeypatch, capsys, "--browser", str(tmp_path / "no-chromium"))
    assert status == 1
    assert re.fullmatch(r"The PDF is printed by a Chromium, and none is named.*\n", said)
    monkeypatch.setattr(make, "find_browser", lambda: None)
    monkeypatch.setattr(make, "book", lambda: pytest.fail("built without a browser"))
    with pytest.raises(make.Stop, match=r"A Chromium prints the PDF: install one with '.*'\.$"):
        make.dist()


def test_a_full_disk_is_noticed_before_and_while_writing(tmp_path, monkeypatch, capsys):
    site, target = tmp_path / "site", tmp_path / "to"
    site.mkdir()
    target.mkdir()
    old = target / "soft-alignment.pdf"
    old.write_text("old")
    (site / "index.html").write_bytes(b"x" * 1_000_000)
    options = ("--site", str(site), "--to", str(target), "--browser", sys.executable)
    with monkeypatch.context() as patch:
        patch.setattr(dist.shutil, "disk_usage", lambda _: Usage(1, 1, 1000))
        status, said = called(patch, capsys, *options)
    assert (status, said.count("\n")) == (1, 1)
    assert "make room" in said
    assert old.exists()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(target / "x.zip"))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    status, said = called(monkeypatch, capsys, *options)
    assert (status, said) == (1, f"No space left on device: {target / 'x.zip'}\n")
    assert list(target.iterdir()) == []


def test_what_an_older_call_wrote_is_removed_and_nothing_else(tmp_path):
    names = ("soft-alignment", "soft-alignment-site", "soft-alignment-notebooks")
    own = [f"{name}.zip" for name in (*names, "soft-alignment-0.1.0", "soft-alignment-1.0rc1")]
    own += ["soft-alignment-site.zip.part", "soft-alignment.pdf", "SHA256SUMS", "book.html"]
    target = tmp_path / "new" / "to"
    dist._clear(target)
    for name in own:
        (target / name).write_text(name)
    dist._clear(target)
    assert list(target.iterdir()) == []
    for foreign in ("thesis.pdf", "soft-alignment-notes.zip", "index.html", "soft-alignment.zip/"):
        (target / "SHA256SUMS").write_text("ours")
        path = target / foreign
        path.mkdir() if foreign.endswith("/") else path.write_text("theirs")
        with pytest.raises(dist.Stop) as stop:
            dist._clear(target)
        said = f"{target} holds {path.name}, which is not of make dist: name an empty folder."
        assert str(stop.value) == said
        assert sorted(target.iterdir()) == sorted([path, target / "SHA256SUMS"])
        path.rmdir() if foreign.endswith("/") else path.unlink()


def test_a_folder_with_other_files_is_named_and_left_alone(tmp_path, monkeypatch, capsys):
    site, target = tmp_path / "site", tmp_path / "to"
    for path in (site / "index.html", target / "thesis.tex", target / "work" / "data.csv"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("mine")
    options = ("--site", str(site), "--to", str(target), "--browser", sys.executable)
    status, said = called(monkeypatch, capsys, *options)
    assert (status, said.count("\n")) == (1, 1)
    assert "holds thesis.tex, which is not of make dist" in said
    assert (target / "work" / "data.csv").exists()
    assert (target / "thesis.tex").exists()


def test_a_browser_that_is_none_is_named(tmp_path):
    (tmp_path / "book.html").write_text("<p>x</p>")
    with pytest.raises(dist_pdf.PrintError, match=r"^\S+false does not start: [^\n]*$"):
        dist_pdf.print_book(tmp_path / "book.html", tmp_path / "x.pdf", "/bin/false", WHEN)


def test_a_browser_that_never_finishes_is_ended_and_tried_once_more(tmp_path, monkeypatch):
    never = tmp_path / "chromium"
    never.write_text("#!/bin/sh\nexec sleep 60\n")
    never.chmod(0o755)
    (tmp_path / "book.html").write_text("<p>x</p>")
    monkeypatch.setattr(dist_pdf, "PRINT_SECONDS", 3)
    monkeypatch.setattr(dist_pdf, "PATIENCE", 0)
    said = []
    begin = time.monotonic()
    with pytest.raises(dist_pdf.PrintError, match=r"did not finish within .*, twice\.$"):
        dist_pdf.print_book(
            tmp_path / "book.html", tmp_path / "x.pdf", str(never), WHEN, said.append
        )
    assert time.monotonic() - begin < 50
    assert [line for line in said if "once more" in line]


# --- the notebooks --------------------------------------------------------------------------------


def notebook(name):
    return json.loads(GIVEN[f"{name}.ipynb"])


STUDENTS = [page for page in NOTEBOOKS if page.name != "book/instructors"]
every_notebook = pytest.mark.parametrize("page", STUDENTS, ids=[page.name for page in STUDENTS])


@every_notebook
def test_every_solution_is_folded_and_nothing_else_is_changed(page):
    content = notebook(page.name)
    nbformat.validate(nbformat.from_dict(content))
    cells = content["cells"]
    hidden = [cell["metadata"].get("jupyter", {}).get("source_hidden", False) for cell in cells]
    text = ["".join(cell["source"]) for cell in cells]
    assert [t for t, c in zip(text, cells, strict=True) if c["cell_type"] == "code"] == [
        cell.text for cell in page.code
    ]
    solutions = len(re.findall(r"^`{3,}\{solution(?:-start)?\}", page.prose, re.MULTILINE))
    assert text.count(dist_notebooks.SIGN) == solutions
    assert not [t for t in text if re.search(r"\{solution", t)]
    for spot, sign in enumerate(text):
        if sign == dist_notebooks.SIGN:
            assert not hidden[spot]
            assert hidden[spot + 1]
    # what can be seen holds every exercise, and no word of a solution
    seen = "\n".join(t for t, folded in zip(text, hidden, strict=True) if not folded)
    assert seen.count("{exercise") == page.prose.count("{exercise")
    whole = r"^(`{3,})\{solution-start\}.*?\{solution-end\}\n\1|^(`{3,})\{solution\}.*?^\2"
    plain = re.sub(whole, "", page.prose, flags=re.MULTILINE | re.DOTALL)
    prose = "\n".join(
        t
        for t, folded, cell in zip(text, hidden, cells, strict=True)
        if not folded and cell["cell_type"] == "markdown" and t != dist_notebooks.SIGN
    )
    assert prose.split() == plain.split()


@every_notebook
def test_a_link_between_notebooks_leads_to_a_file_that_is_given(page):
    folder = Path(page.name).parent
    for cell in notebook(page.name)["cells"]:
        if cell["cell_type"] == "markdown":
            for link in re.findall(r"\]\(([^)#\s]+\.(?:ipynb|md))", "".join(cell["source"])):
                if "://" not in link and "instructors" not in link:
                    assert os.path.normpath(folder / unquote(link)) in GIVEN, link


def test_students_get_the_library_and_nothing_of_the_grader():
    for path in sorted((ROOT / "src" / "softalign").rglob("*.py")):
        assert GIVEN[f"library/{path.relative_to(ROOT)}"] == path.read_bytes()
    assert {f"library/results/{path.name}" for path in (ROOT / "results").glob("*")} <= set(GIVEN)
    assert not [name for name in GIVEN if "course" in name or "__pycache__" in name]
    assert "book/instructors.ipynb" not in GIVEN
    assert len([name for name in GIVEN if name.endswith(".ipynb")]) == len(NOTEBOOKS) - 1
    texts = {page.name for page in PAGES if page.path.suffix == ".md"}
    teachers = {name for name in texts if name.startswith(dist_notebooks.NOT_FOR_STUDENTS)}
    given = {name.removesuffix(".md") for name in GIVEN}
    assert len(teachers) >= 5
    assert texts - given == teachers


def test_the_librarys_own_project_file_says_what_the_repositorys_says():
    own = tomllib.loads(GIVEN["library/pyproject.toml"].decode())
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for key in ("name", "version", "description", "requires-python", "dependencies"):
        assert own["project"][key] == whole["project"][key]
    assert own["project"]["optional-dependencies"]["neural"]
    assert own["build-system"] == whole["build-system"]
    wheel = own["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert (
        wheel["sources"].items()
        <= whole["tool"]["hatch"]["build"]["targets"]["wheel"]["sources"].items()
    )
    assert wheel["only-include"] == list(wheel["sources"])
    wanted = GIVEN["requirements.txt"].decode().splitlines()
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert wanted[:2] == ["-c constraints.txt", "./library[neural]"]
    assert set(wanted[2:]) <= set(pins)
    read_me = GIVEN["README.txt"].decode()
    assert next(line for line in pins if line.startswith("torch==")) in read_me


# --- the book as one file -------------------------------------------------------------------------

PAGE = """<!DOCTYPE html><html><head>
<link rel="stylesheet" href="../s.css?v=1"><link rel="stylesheet" href="../print.css" media="print">
</head><body><nav>frame</nav><article class="bd-article"><section id="top">
<h1><span class="section-number">{number} </span>{title}<a class="headerlink" href="#top">#</a></h1>
{body}<script>x()</script></section></article></body></html>"""
FORMULA = (
    '<span class="katex"><span class="katex-mathml"><math><annotation>x&lt;y</annotation></math>'
    '</span><span class="katex-html" aria-hidden="true">x&lt;y</span></span>'
)
CONTENTS = """root: book/a
parts:
  - caption: Chapters
    chapters:
      - file: book/b
        sections:
          - file: book/c
"""


@pytest.fixture
def site(tmp_path):
    """A site of three pages and its table of contents."""
    folder = tmp_path / "html"
    (folder / "book").mkdir(parents=True)
    (folder / "_images").mkdir()
    for name in ("s.css", "print.css", "_images/p.png", "search.html"):
        (folder / name).write_text("")
    exercise = (
        '<section id="exercises"><h2>Exercises</h2><div class="exercise" id="e1">E1</div>\n'
        '<div class="solution dropdown" id="s1">S1</div>\n<div class="exercise" id="e2">E2</div>'
        '<div class="solution dropdown" id="s2">S2</div></section>'
        '<section id="end"><h2>Reading</h2></section>'
    )
    drawn = (
        '<div class="cell tag_hide-input"><details class="hide above-input"><summary>Show</summary>'
        'draw()</details><img src="../_images/p.png" alt="a"></div><details class="sd-dropdown">'
        "<summary>More</summary>more</details><details class='sa-data'><summary>Numbers</summary>"
        f"1</details><button>Copy</button>{FORMULA} then {FORMULA}"
    )
    bodies = {
        "a": ("", 'See <a href="c.html#e1">E</a>, <a href="b.html">B</a>, <a href="#top">top</a>, '
              '<a href="../search.html">search</a> and <a href="https://doi.org/1">paper</a>.'),
        "b": ("1.", drawn),
        "c": ("1.1.", exercise),
    }  # fmt: skip
    for name, (number, body) in bodies.items():
        text = PAGE.format(number=number, title=f"Page {name} 猫", body=body)
        (folder / "book" / f"{name}.html").write_text(text, encoding="utf-8")
    (tmp_path / "_toc.yml").write_text(CONTENTS)
    return folder


def assembled(site):
    entries = dist_book.reading_order(site.parent / "_toc.yml")
    return dist_book.put_together(site, entries, IMPRINT, site.parent / "dist" / "book.html")


def test_the_reading_order_is_that_of_the_table_of_contents():
    entries = dist_book.reading_order(ROOT / "_toc.yml")
    assert [entry.name for entry in entries] == table_of_contents()
    assert len({entry.slug for entry in entries}) == len(entries)
    assert {entry.name for entry in entries if entry.depth} == {
        name
        for name in table_of_contents()
        if re.match(r"chapters/.*(?<!/index)$|book/exam_bank/", name)
    }


def test_links_lead_inside_the_one_file(site):
    text = assembled(site)
    assert '<a href="#page-book-c.e1">E</a>' in text
    assert 'id="page-book-c.e1"' in text
    assert '<a href="#page-book-b">B</a>' in text
    assert '<a href="#page-book-a.top">top</a>' in text
    assert "https://doi.org/1" in text
    assert "search.html" not in text
    assert "search and" in text
    assert 'src="../html/_images/p.png"' in text


def test_pages_stand_in_order_and_a_level_deeper_inside_a_chapter(site):
    text = assembled(site)
    levels = re.findall(r"<(h\d) class=\"page-title\"[^>]*>.*?(Page \w)", text)
    assert levels == [("h1", "Page a"), ("h1", "Page b"), ("h2", "Page c")]
    assert "<h3>Exercises</h3>" in text
    assert text.count('<p class="part">Chapters</p>') == 1
    assert re.findall(r'data-place="([^"]+)"', text) == [f"page-book-{n}" for n in "abc"]
    assert '@top-left { content: "1. Page b 猫"; }\n  @top-right { content: "1.1. Page c' in text


def test_what_has_no_use_on_paper_is_gone(site):
    text = assembled(site)
    for gone in (
        "draw()",
        "Show",
        "Copy",
        "x()",
        "headerlink",
        "frame",
        "katex-mathml",
        "aria-hid",
    ):
        assert gone not in text, gone
    assert '<details class="sd-dropdown" open="open">' in text
    assert text.count('role="img" aria-label="x&lt;y"') == 2  # both formulas of the page
    assert "<title>A &lt;book&gt;</title>" in text


def test_solutions_stand_after_the_last_exercise_and_before_the_next_section(site):
    text = assembled(site)
    places = [text.index(word) for word in (">E1<", ">E2<", ">Solutions<", ">S1<", ">S2<")]
    assert [*places, text.index("Reading")] == sorted([*places, text.index("Reading")])


def test_style_sheets_are_named_once_in_their_order(site):
    links = re.findall(r'<link rel="stylesheet" href="([^"]*)" media="([^"]*)">', assembled(site))
    assert links == [("../html/s.css", "all"), ("../html/print.css", "print")]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("#e1", "#e9", r"leads to page-book-c\.e9"),
        ("b.html", "z.html", r"page book/a links to z\.html"),
        ("c.html#e1", "#nowhere", r"leads to page-book-a\.nowhere"),
    ],
)
def test_a_link_that_leads_nowhere_stops_the_book(site, old, new, sentence):
    page = site / "book" / "a.html"
    page.write_text(page.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(dist_book.BookError, match=sentence):
        assembled(site)


def test_a_page_or_picture_that_is_missing_stops_the_book(site):
    (site / "_images" / "p.png").unlink()
    with pytest.raises(dist_book.BookError, match=r"page book/b names \.\./_images/p\.png"):
        assembled(site)
    (site / "book" / "b.html").unlink()
    with pytest.raises(dist_book.BookError, match="page book/b is not in"):
        assembled(site)


def test_the_fonts_of_the_book_are_files_of_the_pinned_packages(tmp_path):
    rules = dist_book.fonts(tmp_path)
    files = re.findall(r'src:url\("([^"]*)"\)', rules)
    assert len(files) == 13
    assert all((tmp_path / name).resolve().stat().st_size > 100_000 for name in files)
    assert re.search(r'"Book Han".*NotoSansCJKsc.*unicode-range:U\+2E80-9FFF', rules)


def test_the_dates_of_a_pdf_are_fixed_without_moving_anything():
    line = b"/CreationDate (D:20261127060758+00'00')\n/ModDate (D:20261127060759+00'00')"
    assert dist_pdf.fix_dates(line, WHEN) == re.sub(rb"D:\d+", b"D:20260921141320", line)
    with pytest.raises(dist_pdf.PrintError, match="has 1 dates"):
        dist_pdf.fix_dates(line[:40], WHEN)


# --- a smaller PDF --------------------------------------------------------------------------------


def small_pdf(objects):
    """A PDF as Chromium writes one: a table of objects, everything plain."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<</Size %d /Root 1 0 R /Info 4 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + head + table + end % (len(objects) + 1, len(out)))


OBJECTS = [
    b"<</Type /Catalog /Pages 2 0 R>>",
    b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
    b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 5 0 R>>",
    b"<</Title (endobj) /Author <FEFF732B>>>",
    b"<</Length 17>>\nstream\n(a stream endobj)\nendstream",
    *(b"<</S /P /K %d>>" % number for number in range(500)),
]


def test_a_packed_pdf_holds_the_same_objects_in_less_room():
    from pypdf import PdfReader

    data = small_pdf(OBJECTS)
    packed = dist_pack.pack(data)
    assert len(packed) < len(data) / 4
    one, two = (PdfReader(io.BytesIO(content)) for content in (data, packed))
    for number in range(1, len(OBJECTS) + 1):
        written = [io.BytesIO(), io.BytesIO()]
        for reader, file in zip((one, two), written, strict=True):
            reader.get_object(number).write_to_stream(file)
        assert written[0].getvalue() == written[1].getvalue()
    assert two.pages[0].get_contents().get_data() == b"(a stream endobj)"
    assert two.metadata["/Author"] == "猫"
    assert dist_pack.pack(data) == packed


@pytest.mark.parametrize(
    "broken",
    [
        b"no PDF",
        small_pdf(OBJECTS).replace(b"0000000009", b"0000000010"),
        small_pdf(OBJECTS).replace(b"/Root 1 0 R", b"/Prev 1 0 R"),
        dist_pack.pack(small_pdf(OBJECTS)),
    ],
    ids=["no table", "wrong place", "a second table", "packed already"],
)
def test_what_is_not_as_chromium_writes_it_is_not_packed(broken):
    with pytest.raises(dist_pack.PackError):
        dist_pack.pack(broken)


def test_the_command_line_explains_itself():
    command = [sys.executable, str(ROOT / "tools" / "dist.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--site" in done.stdout
