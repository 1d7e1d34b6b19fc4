"""A notebook with interactive figures in JupyterLab: they live, by mouse and by keyboard.

JupyterLab has commands of its own on single keys: with the focus in a figure, x would cut the cell.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from book_files import ROOT

from softalign.ibm import index, train_ibm1

pytestmark = pytest.mark.browser

TOY = [(["买", "书"], ["buy", "books"]), (["买", "花"], ["buy", "flowers"])]
ROUNDS = 12
CELLS = [
    "from softalign.interactive.alignment import em_figure\n"
    "from softalign.notebook import set_up\n\n"
    "set_up()\n"
    f"TOY = {TOY!r}\n"
    f"em_figure(TOY, {ROUNDS})",
    "em_figure(TOY[1:], 5)",
]
TOKEN = "lab"
RUN = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
THEME = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"
ALIVE = "() => document.querySelectorAll('.sa-interactive[data-state=live]').length === 2"
DARK = "dark => document.body.dataset.jpThemeLight === String(!dark)"
# Ink, and every paper under it down to the first that hides what is below.
COLOURS = """() => [...document.querySelectorAll('.sa-live :is(label, td, th, p)')]
    .filter((e) => e.textContent.trim())
    .map((e) => {
      const papers = [];
      for (let p = e; p; p = p.parentElement) {
        const [r, g, b, a = 1] = getComputedStyle(p).backgroundColor.match(/[\\d.]+/g).map(Number);
        papers.push([r, g, b, a]);
        if (a === 1) break;
      }
      return [getComputedStyle(e).color.match(/[\\d.]+/g).map(Number), papers];
    })"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab with one notebook, and nothing of the reader's own settings."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "execution_count": None,
         "outputs": [], "source": text} for n, text in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "figures.ipynb").write_text(json.dumps({**notebook, "cells": cells}))
    own = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
    env = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython")}
    env["PYTHONPATH"] = str(ROOT / "src")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                with urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=5):
                    break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(120)


@pytest.fixture(scope="module")
def page(chromium, lab):
    """The notebook after all its cells have run. At the end, nothing may have gone wrong."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    problems, foreign = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: foreign.append(request.url))
    page.goto(f"{lab}/lab/tree/figures.ipynb?token={TOKEN}")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.evaluate(RUN)
    page.wait_for_function(ALIVE)
    yield page
    context.close()
    assert problems == []
    assert not [url for url in foreign if not url.startswith((lab, "data:", "blob:"))]


@pytest.fixture(scope="module")
def models():
    """Model 1 after each round."""
    return [train_ibm1(index(TOY), k) for k in range(ROUNDS + 1)]


def figure(page, number=0):
    return page.locator(".sa-interactive").nth(number)


def shares(page, number=0):
    """What the lines of a figure carry, sorted."""
    lines = figure(page, number).locator("line[data-value]")
    return sorted(lines.evaluate_all("all => all.map(line => Number(line.dataset.value))"))


def expected(model, pair=0):
    return sorted(np.asarray(model.posterior(*TOY[pair])).ravel())


def cells(page):
    return page.locator(".jp-Notebook .jp-Cell").count()


def test_by_mouse_each_figure_for_itself(page, models):
    np.testing.assert_allclose(shares(page), expected(models[0]), atol=1e-6)
    other = shares(page, 1)
    for k in (1, 2, 3):
        figure(page).get_by_label("Round: one on").click()
        np.testing.assert_allclose(shares(page), expected(models[k]), atol=1e-6)
    assert shares(page, 1) == other
    figure(page, 1).get_by_label("Round: one on").click()
    assert figure(page, 1).get_by_label("Round", exact=True).input_value() == "1"
    assert figure(page).get_by_label("Round", exact=True).input_value() == "3"
    assert len(set(page.locator("[id^=sa-]").evaluate_all("all => all.map(e => e.id)"))) == (
        page.locator("[id^=sa-]").count()
    )


def test_by_keyboard_the_keys_are_the_figures(page, models):
    slider = figure(page).get_by_label("Round", exact=True)
    slider.focus()
    for key, k in (("Home", 0), ("ArrowRight", 1), ("ArrowUp", 2), ("ArrowDown", 1), ("End", 12)):
        page.keyboard.press(key)
        assert slider.input_value() == str(k)
        np.testing.assert_allclose(shares(page), expected(models[k]), atol=1e-6)
    figure(page).get_by_label("Round: one back").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    np.testing.assert_allclose(shares(page), expected(models[10]), atol=1e-6)
    figure(page).get_by_label("Pair", exact=True).focus()
    page.keyboard.press("ArrowDown")
    np.testing.assert_allclose(shares(page), expected(models[10], pair=1), atol=1e-6)
    page.keyboard.press("ArrowUp")
    np.testing.assert_allclose(shares(page), expected(models[10]), atol=1e-6)
    # insert, insert, delete, cut: none of them is meant
    for key in "abddx":
        page.keyboard.press(key)
    regions = figure(page).locator("[tabindex]")
    regions.first.focus()
    page.keyboard.press("x")
    assert cells(page) == len(CELLS)


def light(colour):
    """Relative luminance of red, green and blue up to 255."""
    parts = [part / 255 for part in colour[:3]]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def laid(papers):
    """The colour of papers of which some let through what is below them."""
    colour = np.zeros(3)
    for *own, share in reversed(papers):
        colour = share * np.array(own) + (1 - share) * colour
    return colour


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_it_can_be_read_in_both_themes(page, theme):
    page.evaluate(THEME, f"JupyterLab {theme}")
    page.wait_for_function(DARK, arg=theme == "Dark")
    found = page.evaluate(COLOURS)
    assert len(found) > 20
    for ink, papers in found:
        paper = light(laid(papers))
        bright, dim = sorted((light(ink), paper), reverse=True)
        assert (paper < 0.2) == (theme == "Dark")
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ink, papers)
