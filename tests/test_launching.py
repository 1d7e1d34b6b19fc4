"""What Binder, Colab and the local JupyterLab are given: paths that exist, pins that agree."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib

import make
import pytest
from book_files import NOTEBOOKS, ROOT

LESSONS = [page for page in NOTEBOOKS if page.code]


def trial():
    """The script that tries Binder and Colab."""
    spec = importlib.util.spec_from_file_location("trying", ROOT / "tools" / "try_launching.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(path):
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_binder_installs_what_the_book_is_tested_with():
    given = lines(ROOT / ".binder" / "requirements.txt")
    assert "-c ../constraints.txt" in given
    assert f"{make._torch_pin()}+cpu" in given
    # all of the library's packages are in what constrains them
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [*project["dependencies"], *project["optional-dependencies"]["course"]]
    pinned = {line.split("==")[0].lower() for line in lines(ROOT / "constraints.txt")}
    assert {re.split(r"[><=]", need)[0].lower() for need in needs} <= pinned
    (own,) = [line for line in given if line.startswith("-e")]
    extras = set(re.findall(r"\w+", own.partition("[")[2]))
    assert {"course"} <= extras <= set(project["optional-dependencies"])


def test_binder_has_the_messages_that_pages_read():
    """They come with Sphinx, which the library itself does not need."""
    readers = [page.name for page in LESSONS if any("sphinx_messages" in c.text for c in page.code)]
    assert readers
    assert "Sphinx" in lines(ROOT / ".binder" / "requirements.txt")


def test_binder_keeps_its_own_jupyterlab():
    """Its image is made of packages that fit each other."""
    names = {re.split(r"[=<>]", line)[0] for line in lines(ROOT / ".binder" / "requirements.txt")}
    assert not names & {"jupyterlab", "notebook", "jupyter-server", "ipykernel"}


def test_binder_is_asked_for_a_python_that_the_library_runs_on():
    from packaging.specifiers import SpecifierSet

    text = (ROOT / ".binder" / "runtime.txt").read_text().strip()
    version = re.fullmatch(r"python-(3\.\d+)", text)[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(f"{version}.0")


def test_only_one_folder_is_binders():
    """repo2docker refuses a repository with both."""
    assert not (ROOT / "binder").exists()


@pytest.mark.parametrize("page", LESSONS, ids=[page.name for page in LESSONS])
def test_on_colab_the_first_cell_installs_what_the_page_imports(page):
    first = page.code[0].text
    extras = set(re.findall(r"\w+", re.search(r'"softalign(\[[\w,]*\])? @', first)[1] or ""))
    code = "\n".join(cell.text for cell in page.code)
    assert ("course" in extras) == ("softalign_course" in code)
    if re.search(r"^\s*(?:import torch|from torch)\b|torch=True", code, flags=re.MULTILINE):
        assert "neural" in extras
    address = re.search(r'git\+(\S+?)"', first)[1]
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert f"url: {address}\n" in config
    assert address == trial().ADDRESS


@pytest.mark.parametrize("page", LESSONS, ids=[page.name for page in LESSONS])
def test_a_page_needs_no_file_beside_it(page):
    """Colab has the notebook and nothing else, and not even that as a file."""
    for cell in page.code:
        for name in re.findall(r"[\"']([\w./-]+\.(?:ipynb|json|md|tsv|txt|csv))[\"']", cell.text):
            if (page.path.parent / name).exists() or (ROOT / name).exists():
                assert ".exists()" in cell.text, f"{name} is not there on Colab"


def test_the_local_lab_sees_the_whole_book(monkeypatch):
    """Pages link from chapters/ to book/: the root of JupyterLab must be above both."""
    called = []
    monkeypatch.setattr(make, "set_up", lambda: None)
    monkeypatch.setattr(make, "run", lambda *command, **options: called.append(command))
    make.lab()
    (command,) = called
    assert "--ServerApp.root_dir=." in command
    (first,) = [str(p) for p in command if str(p).startswith("--LabApp.default_url=/lab/tree/")]
    assert (ROOT / first.partition("/lab/tree/")[2]).is_file()


def test_the_trial_says_what_is_wrong_in_a_sentence():
    program = [sys.executable, str(ROOT / "tools" / "try_launching.py"), "colab", "none.ipynb"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "There is no notebook none.ipynb.\n")
    trying = trial()
    assert trying.runtime(ROOT) == "python3.11"
    assert all((ROOT / page).is_file() for page in trying.PAGES)
