"""The page of the status and the ways through the book, without a site."""

from __future__ import annotations

import re
from importlib import metadata

import nbformat
import pytest
import softalign_status as status
from book_files import PAGES, ROOT


def test_seconds_come_from_the_cache_of_outputs(tmp_path):
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache, paths = get_cache(tmp_path / "cache"), []
    for name, data in (("a", {"execution_seconds": 2.5}), ("b", {}), ("c", None)):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"{name} = 1")])
        paths.append(tmp_path / f"{name}.ipynb")
        nbformat.write(notebook, paths[-1])
        if data is not None:  # executed in another place, with the same cells
            bundle = CacheBundleIn(notebook, f"/elsewhere/{name}.ipynb", data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False)
    assert status.executed(tmp_path / "cache", paths) == {paths[0]: 2.5}
    assert status.executed(tmp_path / "none", paths) == {}
    assert not (tmp_path / "none").exists()


def test_versions_are_those_installed():
    asked, brought = status.packages()
    for name, version in asked + brought:
        assert metadata.version(name) == version
    names = [name for name, _ in asked + brought]
    assert len(names) == len(set(names)) > 100
    assert {"torch", "numpy", "Sphinx"} <= {name for name, _ in asked}
    assert "Sphinx" not in {name for name, _ in brought}


def test_the_date_is_the_given_one_so_that_a_build_can_be_repeated(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert status.date() == "21 September 2026"


def test_times_and_exercises_are_read_off_a_page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        "**Time:** 25 minutes to read · 10 seconds to run.\n```{exercise} A\n{exercise-start}"
    )
    assert status.times_of(path) == status.Times(25, 10, 2)
    path.write_text("**Time:** 3 minutes to read.")
    assert status.times_of(path) == status.Times(3, 0, 0)
    path.write_text("no line")
    with pytest.raises(ValueError, match=r"page\.md has no line"):
        status.times_of(path)


def test_every_way_leads_through_pages_that_exist_in_reading_order():
    order = [page.name for page in PAGES]
    lengths = []
    for name, _, route in status.ROUTES:
        pages = status.pages_of(route)
        assert pages == sorted(pages, key=order.index), name
        for start in route:
            assert any(page.startswith(start) for page in pages), (name, start)
        lengths.append(sum(status.times_of(status.page_files()[page]).read for page in pages))
    assert lengths[0] == max(lengths)
    whole = {page for page in order if page.startswith("chapters/")}
    assert whole <= set(status.pages_of(status.ROUTES[0][2]))


def test_nothing_of_the_status_is_typed():
    text = (ROOT / "book" / "status.md").read_text(encoding="utf-8")
    assert "{softalign-status}" in text
    assert not re.search(r"\d+\.\d+|\d+ s\b", text)
