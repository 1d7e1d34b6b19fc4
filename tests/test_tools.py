"""The commands and the site's extension: what re-executes a page, what a failure says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple

import make
import pytest
import softalign_book
from book_files import ROOT

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A small library of three modules and data, with pins and a page that imports one of them."""
    package = tmp_path / "src" / "softalign"
    (package / "data").mkdir(parents=True)
    (package / "data" / "words.txt").write_text("猫 cat\n")
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text("x = 1\n")
    (package / "room").mkdir()
    (package / "room" / "__init__.py").write_text("from softalign.low import x\n")
    (package / "room" / "inner.py").write_text("y = 1\n")
    (package / "other.py").write_text("z = 1\n")
    for name in softalign_book.PINS:
        (tmp_path / name).write_text("numpy==2\n")
    page = tmp_path / "page.ipynb"
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "from softalign import room\n"]}
    page.write_text(json.dumps({"cells": [cell]}))
    monkeypatch.setattr(softalign_book, "ROOT", tmp_path)
    monkeypatch.setattr(softalign_book, "LIBRARY", package)
    return tmp_path


@pytest.mark.parametrize(
    "touched",
    [
        "src/softalign/room/__init__.py",
        "src/softalign/room/inner.py",
        "src/softalign/low.py",
        "src/softalign/data/words.txt",
        "constraints.txt",
        "requirements.txt",
    ],
)
def test_a_page_is_stale_when_what_it_imports_changes(library, touched):
    before = softalign_book.library_digest(library / "page.ipynb")
    with (library / touched).open("a") as file:
        file.write("# changed\n")
    assert softalign_book.library_digest(library / "page.ipynb") != before


def test_a_page_is_not_stale_when_another_module_changes(library):
    before = softalign_book.library_digest(library / "page.ipynb")
    (library / "src/softalign/other.py").write_text("z = 2\n")
    assert softalign_book.library_digest(library / "page.ipynb") == before


def test_a_page_that_shows_stored_runs_is_stale_when_these_change(library):
    page = library / "page.ipynb"
    results = library / "results" / "char_lm.json"
    results.parent.mkdir()
    digests = []
    for imported in ("room", "room, runs"):
        cell = {"cell_type": "code", "source": [f"from softalign import {imported}"]}
        page.write_text(json.dumps({"cells": [cell]}))
        for text in ("{}", '{"rows": {}}'):
            results.write_text(text)
            digests.append(softalign_book.library_digest(page))
    assert digests[0] == digests[1]
    assert digests[2] != digests[3]


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import softalign.text", {"text"}),
        ("from softalign import corpus, metrics as m", {"corpus", "metrics"}),
        ("from softalign.language_model import train", {"language_model"}),
        ("def f():\n    from softalign.corpus import load", {"corpus"}),
        ("if True:\n    %pip install x\nimport numpy", set()),
    ],
)
def test_the_modules_a_cell_imports_are_found(code, modules):
    assert (
        softalign_book.imported_modules(code)
        & {
            "text",
            "corpus",
            "metrics",
            "language_model",
        }
        == modules
    )


def test_every_page_of_the_book_is_read_by_the_extension():
    digests = {softalign_book.library_digest(path) for path in (ROOT / "chapters").rglob("*.ipynb")}
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ERROR: No space left on device", "disk is full"),
        ("NewConnectionError: Failed to establish a new connection", "cannot be reached"),
        ("Could not find a version that satisfies x (from versions: none)", "cannot be reached"),
        ("npm ERR! code ENOTFOUND", "cannot be reached"),
        ("something else", "installation failed"),
    ],
)
def test_a_failed_installation_says_why_in_one_sentence(tmp_path, monkeypatch, text, sentence):
    monkeypatch.setattr(make, "ROOT", tmp_path)
    log = tmp_path / "install.log"
    log.write_text(text)
    why = make._why(log)
    assert sentence in why
    assert "\n" not in why
    assert "install.log" in why


def test_without_space_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(make, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(make, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, int(1.5e9)))
    with pytest.raises(make.Stop, match=r"1\.5 GB are free"):
        make.set_up()
    assert not (tmp_path / ".venv").exists()


def test_a_failed_installation_leaves_nothing_half_made(tmp_path, monkeypatch):
    venv = tmp_path / ".venv"
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "VENV", venv)
    monkeypatch.setattr(make, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(make, "STAMP", venv / "stamp")
    monkeypatch.setattr(make, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(make, "pins_digest", lambda: "new")

    def fail(log, *command):
        venv.mkdir(exist_ok=True)
        if "pip" in command:
            raise make.Stop("no network")

    monkeypatch.setattr(make, "_logged", fail)
    monkeypatch.setattr(make, "_install_torch", lambda log: None)
    with pytest.raises(make.Stop, match="no network"):
        make.set_up()
    assert not venv.exists()


def test_without_a_browser_the_tests_stop_before_they_start(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.setattr(make, "set_up", lambda: pytest.fail("set up without a browser"))
    monkeypatch.setattr(make.Path, "exists", lambda self: False)
    with pytest.raises(make.Stop, match="install one with") as stop:
        make.test()
    assert stop.value.status == 2


def test_a_browser_can_be_named_and_a_desktops_firefox_is_passed_over(monkeypatch, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BROWSER", "firefox")
    assert make.find_browser() == str(program)
    monkeypatch.setenv("BROWSER", str(tmp_path / "no-chromium-here"))
    with pytest.raises(make.Stop, match="not a program"):
        make.find_browser()


def test_every_target_of_the_makefile_is_a_command():
    targets = (ROOT / "Makefile").read_text().split(".PHONY: ")[1].split("\n")[0].split()
    assert sorted(targets) == sorted(["help", *(make._name(command) for command in make.COMMANDS)])


def test_the_readme_names_the_commands_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("book", "test", "serve", "lab", "notebooks", "runs", "bench", "clean"):
        assert f"make {command}" in readme


@pytest.mark.parametrize(
    ("given", "names"), [(None, ()), ("", ()), ("a --force", ("a", "--force"))]
)
def test_the_stored_runs_are_trained_on_one_thread_by_name(monkeypatch, given, names):
    monkeypatch.setattr(make, "set_up", lambda: None)
    monkeypatch.delenv("RUN", raising=False)
    if given is not None:
        monkeypatch.setenv("RUN", given)
    done = []
    monkeypatch.setattr(make, "run", lambda *command, env: done.append((command, env)))
    make.runs()
    ((command, env),) = done
    assert command == (make.PYTHON, "-m", "softalign.runs", *names)
    assert env["OMP_NUM_THREADS"] == "1"


def test_a_benchmark_gets_the_variables_it_declares(monkeypatch):
    script = 'x = y = 1\nINPUTS = ("GOLD", "TUNE_SOURCE")\nNEEDS = ("SOURCE", "TARGET")\n'
    for name in ("GOLD", "TUNE_SOURCE", "SOURCE", "TARGET", "CORPUS"):
        monkeypatch.delenv(name, raising=False)
    assert make.bench_options(script) == ([], ["SOURCE", "TARGET"])
    assert make.bench_options("z = 1\n") == ([], [])
    monkeypatch.setenv("CORPUS", "c")
    monkeypatch.setenv("SOURCE", "a b")
    monkeypatch.setenv("TUNE_SOURCE", "t")
    assert make.bench_options(script) == (
        ["--source", "a b", "--tune-source", "t"],
        ["TARGET"],
    )


@pytest.fixture
def benchmarks(tmp_path, monkeypatch):
    """A folder with two benchmarks and the pins of one peer; nothing is installed or run."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text('NEEDS = ("SOURCE",)\n' * (name == "second"))
    (tmp_path / "peers.txt").write_text("# peers\none==1\n\n# brought along\ntwo==2\n")
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "BENCHMARKS", tmp_path)
    monkeypatch.setattr(make, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(make, "PEERS", tmp_path / "peers")
    monkeypatch.setattr(make, "set_up", lambda: None)
    for name in ("BENCH", "SOURCE"):
        monkeypatch.delenv(name, raising=False)
    done = []
    monkeypatch.setattr(make, "run", lambda *command, env: done.append(command))
    monkeypatch.setattr(make, "_logged", lambda log, *command: done.append(command))
    monkeypatch.setattr(make, "_install_torch", lambda log, python: done.append(("torch", python)))
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers" / "soft-alignment.stamp").write_text("of other pins")
    return done


def test_bench_installs_its_peers_apart_once(benchmarks, tmp_path, monkeypatch):
    monkeypatch.setattr(
        make,
        "_logged",
        lambda log, *command: (
            benchmarks.append(command),
            (tmp_path / "peers").mkdir(exist_ok=True),
        ),
    )
    make.bench()
    venv, torch, install, script = benchmarks
    assert venv[-2:] == ("venv", tmp_path / "peers")
    assert torch[0] == "torch"
    assert str(torch[1]).startswith(str(tmp_path / "peers"))
    assert str(install[0]).startswith(str(tmp_path / "peers"))
    assert install[-1] == "one==1"
    assert script == (make.PYTHON, tmp_path / "first.py")
    make.bench()
    assert benchmarks[4:] == [script]


def test_bench_goes_on_without_a_peer(benchmarks, monkeypatch, capsys):
    def fail(log, *command):
        if "one==1" in command:
            raise make.Stop("The package registry cannot be reached.")

    monkeypatch.setattr(make, "_logged", fail)
    make.bench()
    said = capsys.readouterr().out
    assert "Without one==1: The package registry cannot be reached." in said
    assert "Not run: it needs SOURCE=…." in said
    assert [command[0] for command in benchmarks] == ["torch", make.PYTHON]


def test_bench_goes_on_without_any_peer(benchmarks, monkeypatch, capsys):
    def fail(log, *command):
        raise make.Stop("The package registry cannot be reached.")

    monkeypatch.setattr(make, "_logged", fail)
    make.bench()
    assert "Without peers: The package registry cannot be reached." in capsys.readouterr().out
    assert len(benchmarks) == 1


def test_one_benchmark_can_be_chosen(benchmarks, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH", "second")
    monkeypatch.setenv("SOURCE", "text")
    monkeypatch.setattr(make, "_set_up_peers", lambda: None)
    make.bench()
    assert benchmarks == [(make.PYTHON, tmp_path / "second.py", "--source", "text")]
    monkeypatch.setenv("BENCH", "third")
    with pytest.raises(make.Stop, match="no benchmark third, only first, second"):
        make.bench()


def test_help_and_a_wrong_name():
    program = [sys.executable, str(ROOT / "tools" / "make.py")]
    help_ = subprocess.run([*program, "help"], capture_output=True, text=True)
    assert help_.returncode == 0
    assert "book" in help_.stdout
    assert subprocess.run([*program, "nonsense"], capture_output=True).returncode == 2


def stored_notebook(path, printed, tags=()):
    """A notebook in stored form whose one cell prints 2 and whose stored output says `printed`."""
    output = {"name": "stdout", "output_type": "stream", "text": [f"{printed}\n"]}
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "cell-000",
        "metadata": {"tags": list(tags)},
        "outputs": [output],
        "source": ["print(1 + 1)"],
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    document = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(("printed", "status"), [(2, 0), (3, 1)])
def test_nbval_compares_what_a_notebook_stores(tmp_path, printed, status):
    """Stored notebooks carry no execution counts, which nbval alone takes for cells never run."""
    notebook = stored_notebook(tmp_path / "page.ipynb", printed)
    command = [sys.executable, "-m", "pytest", *make.PARALLEL, *make.NBVAL, "-p", "conftest"]
    command.append(str(notebook))
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == status, done.stdout


def test_pages_are_executed_ahead_several_at_a_time(tmp_path, monkeypatch):
    """Good pages are in the cache with their outputs; a failing one is not; nothing runs twice."""
    from jupyter_cache import get_cache

    # each page waits for the other to have begun: one at a time, neither would end well
    wait = (
        "import pathlib, time\n"
        "pathlib.Path('{own}').touch()\n"
        "end = time.monotonic() + 60\n"
        "while not pathlib.Path('{other}').exists() and time.monotonic() < end:\n"
        "    time.sleep(0.05)\n"
        "print(pathlib.Path('{other}').exists())"
    )
    sources = {
        "a": wait.format(own="a.begun", other="b.begun"),
        "b": wait.format(own="b.begun", other="a.begun"),
        "wrong": "raise ValueError('no')",
    }
    pages = []
    for name, source in sources.items():
        path = stored_notebook(tmp_path / f"{name}.ipynb", 0)
        document = json.loads(path.read_text())
        document["cells"][0]["source"] = source.splitlines(keepends=True)
        path.write_text(json.dumps(document))
        pages.append(path)
    said = []
    monkeypatch.setattr(softalign_book, "ROOT", tmp_path)
    monkeypatch.setattr(softalign_book.log, "info", lambda text, *parts: said.append(text % parts))
    softalign_book.execute_ahead(pages, tmp_path / "cache", 90, jobs=2)
    cache = get_cache(tmp_path / "cache")
    kept = {record.uri: record.pk for record in cache.list_cache_records()}
    assert set(kept) == {str(pages[0]), str(pages[1])}
    for pk in kept.values():
        (cell,) = cache.get_cache_bundle(pk).nb.cells
        assert cell.outputs[0].text == "True\n"
    assert sum("failed" in line for line in said) == 1
    assert len(said) == 3
    softalign_book.execute_ahead(pages[:2], tmp_path / "cache", 90)
    assert len(said) == 3


def test_a_change_of_the_style_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(softalign_book, "ROOT", tmp_path)
    style = tmp_path / "book" / "_static" / "book.css"
    style.parent.mkdir(parents=True)
    style.write_text("p { color: black; }")
    before = softalign_book.style_digest()
    assert softalign_book.style_digest() == before
    style.write_text("p { color: grey; }")
    assert softalign_book.style_digest() != before
