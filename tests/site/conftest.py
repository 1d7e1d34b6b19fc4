"""The built site, served on the loopback address, and a browser that can reach nothing else."""

from __future__ import annotations

import functools
import http.server
import os
import threading

import pytest
from book_files import SITE

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line on the screen for each."""

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="session")
def site_url():
    """Address of the built site."""
    assert (SITE / "index.html").exists(), "the site is not built: run make book"
    handler = functools.partial(QuietHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; make test says which one."""
    from playwright.sync_api import sync_playwright

    path = os.environ["SOFTALIGN_BROWSER"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium):
    """One window for many pages: what a page changes is gone when the next one is opened."""
    from axe_checks import SHIFTS

    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(120_000)
    context.add_init_script(SHIFTS)
    yield context.new_page()
    context.close()


@pytest.fixture
def alone(chromium, tmp_path):
    """Open an interactive figure as a page of its own. At the end nothing may have gone wrong.

    It takes a function that makes the figure, in the book's style, and the options of a window;
    it returns the page.
    """
    import matplotlib as mpl

    from softalign.plotting import use_book_style

    contexts, problems = [], []

    def open_(make, **options):
        with mpl.rc_context():
            use_book_style()
            path = make().save(tmp_path / "figure.html")
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []
