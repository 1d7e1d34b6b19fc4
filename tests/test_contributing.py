"""The citation file, and the first contribution: carried out in a copy, as it is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib

import pytest
import yaml
from book_files import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = GUIDE.partition("## A first contribution in ten minutes\n")[2].partition("\n## ")[0]
NEEDED = ("book", "chapters", "quizzes", "tests", "tools", "src", "_toc.yml", "_config.yml")
NEEDED += ("conftest.py", "pyproject.toml", "requirements.txt", "constraints.txt", "CHANGELOG.md")


# --- the citation file ----------------------------------------------------------------------------


def test_the_citation_file_says_what_the_package_says():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    title, _, subtitle = cited["title"].partition(": ")
    assert title == config["title"]
    assert (
        project["description"]
        == f"{subtitle[0].upper()}{subtitle[1:]}: the library of the book {title}"
    )
    assert str(cited["version"]) == project["version"]
    assert " AND ".join(cited["license"]) == project["license"]
    assert cited["repository-code"] == project["urls"]["Repository"]
    assert cited["url"] == config["html"]["baseurl"]
    assert [author["name"] for author in cited["authors"]] == [config["author"]]
    assert config["author"] in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_citation_file_has_the_form_of_version_1_2_0():
    """The keys that the schema requires, no key that it does not know, and its types."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"authors", "cff-version", "message", "title"} <= set(cited)
    assert set(cited) <= {
        *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi"),
        *("identifiers", "keywords", "license", "license-url", "message", "preferred-citation"),
        *("references", "repository", "repository-artifact", "repository-code", "title", "type"),
        *("url", "version"),
    }
    assert cited["type"] in ("software", "dataset")
    assert isinstance(cited["version"], str)
    assert all(isinstance(word, str) and word for word in cited["keywords"])
    assert len(set(cited["keywords"])) == len(cited["keywords"]) > 0
    for author in cited["authors"]:
        assert set(author) <= {"name", "website", "email", "alias"}, "an entity, no person"


# --- the first contribution -----------------------------------------------------------------------


def block(language: str, having: str) -> str:
    """The code block of the section that has these words."""
    found = [
        textwrap.dedent(text)
        for kind, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```", SECTION, flags=re.M | re.S)
        if kind == language and having in text
    ]
    assert len(found) == 1, (language, having)
    return found[0].strip("\n")


def put(glossary: str, entry: str) -> str:
    """The glossary with an entry between its neighbours in the alphabet."""
    head, mark, rest = glossary.partition(":::{glossary}\n")
    body, end, tail = rest.rpartition("\n:::")
    entries = [*re.split(r"\n\n+", body.strip()), entry]
    entries.sort(key=lambda text: text.partition("\n")[0].lower())
    return head + mark + "\n\n".join(entries) + end + tail


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository without what is built."""
    folder = tmp_path_factory.mktemp("first") / "book"
    folder.mkdir()
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            leave = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "site", "course")
            shutil.copytree(source, folder / name, ignore=leave)
        else:
            shutil.copy(source, folder / name)
    return folder


def checked(folder):
    """Exit status and output of the check that the guide names, in a folder."""
    command = block("bash", "pytest").split()
    assert command[0] == ".venv/bin/python"
    options = ["-p", "no:cacheprovider"]
    env = dict(os.environ, PYTHONPATH=str(folder / "src"), PYTEST_ADDOPTS="")
    done = subprocess.run(
        [sys.executable, *command[1:], *options],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda entry: entry, None),
        (lambda entry: entry.replace("dàoshù", "dàoshu"), "reciprocal"),
        (lambda entry: entry.replace("[倒数]", "[熵]").replace("dàoshù", "shāng"), "reciprocal"),
    ],
)
def test_the_first_contribution_is_as_long_as_it_says(copy, change, says):
    path = copy / "book" / "glossary.md"
    before = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    entry = block("markdown", "language-zh")
    assert f"\n{entry.partition(chr(10))[0]}\n" not in before, "take another word for the guide"
    path.write_text(put(before, change(entry)), encoding="utf-8")
    status, said = checked(copy)
    assert (status == 0) == (says is None), said
    assert says is None or says in said


def test_an_entry_out_of_order_is_found(copy):
    before = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    wrong = before.replace(":::{glossary}\n", f":::{{glossary}}\n{block('markdown', 'zh')}\n\n", 1)
    (copy / "book" / "glossary.md").write_text(wrong, encoding="utf-8")
    assert checked(copy)[0] == 1


def test_the_guide_names_its_branch_and_its_commit():
    assert block("bash", "switch").startswith("git switch -c ")
    assert re.fullmatch(r'git commit -am "Glossary: \w+"', block("bash", "commit"))
