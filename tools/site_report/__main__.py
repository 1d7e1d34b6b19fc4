"""Measure the built site with Lighthouse, page after page: called by ``make site-report``.

A page that was measured already is not measured again while neither it nor what it loads has
changed: so Ctrl-C loses the page under way and no other. A page that is named is measured anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import report_page
from report_scores import GOALS, Measurement, read, restored
from report_server import served

FORMS = ("mobile", "desktop")
# The browser runs as whoever calls us, often root in a container, on nothing but our own pages.
FLAGS = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-component-update"
TIMEOUT = 300


class Stop(Exception):
    """One plain sentence for the reader."""


class Failed(Exception):
    """One run of Lighthouse failed: what it said."""


def pages(site: Path) -> list[str]:
    """Names of all pages but those that only send their reader on."""
    found = []
    for path in sorted(site.rglob("*.html")):
        inside = path.relative_to(site)
        if inside.parts[0].startswith("_"):
            continue
        if 'http-equiv="refresh"' not in path.read_text(encoding="utf-8").lower():
            found.append(inside.with_suffix("").as_posix())
    return found


def wanted(site: Path, names: Sequence[str]) -> list[str]:
    """The pages named, by their whole name or its last part; all if none is.

    Raises
    ------
    Stop
        The site is not built, or there is no such page.
    """
    every = pages(site)
    if not every:
        raise Stop(f"There are no pages in {site}: run make book first.")
    chosen = []
    for name in names:
        plain = name.removesuffix(".html")
        fits = [page for page in every if page == plain or page.endswith(f"/{plain}")]
        if not fits:
            raise Stop(f"The site has no page {name}, only {', '.join(every)}.")
        chosen += fits
    return list(dict.fromkeys(chosen)) or every


def shared_digest(site: Path) -> str:
    """Digest of everything that pages load: styles, scripts, fonts, pictures."""
    digest = hashlib.sha256()
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.suffix not in (".html", ".ipynb", ".inv"):
            digest.update(str(path.relative_to(site)).encode() + path.read_bytes())
    return digest.hexdigest()


class Lighthouse:
    """The program and the browser that it drives."""

    def __init__(self, tool: Path, node: str, browser: str) -> None:
        self.folder = tool / "node_modules" / "lighthouse"
        self.node, self.browser = node, browser
        package = self.folder / "package.json"
        if not package.exists():
            raise Stop(f"Lighthouse is not installed in {tool}: make site-report does that.")
        self.version = json.loads(package.read_text(encoding="utf-8"))["version"]

    def run(self, url: str, form: str) -> dict:
        """Measure one address once.

        Raises
        ------
        Failed
            Lighthouse failed: what it said.
        """
        command = [self.node, str(self.folder / "cli" / "index.js"), url, "--output=json"]
        command += ["--output-path=stdout", "--quiet", "--no-enable-error-reporting"]
        command += [f"--chrome-flags={FLAGS}", f"--only-categories={','.join(GOALS)}"]
        command += ["--preset=desktop"] if form == "desktop" else []
        env = dict(os.environ, CHROME_PATH=self.browser)
        # a session of its own, so that the browser goes with it
        child = subprocess.Popen(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            out, problem = child.communicate(timeout=TIMEOUT)
        except BaseException as reason:
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)
            child.kill()
            if isinstance(reason, subprocess.TimeoutExpired):
                raise Failed(f"it did not end within {TIMEOUT} seconds") from None
            raise
        if child.returncode or not out.strip():
            raise Failed((problem.strip().splitlines() or ["it said nothing"])[-1])
        return json.loads(out)


def once(lighthouse: Lighthouse, url: str, page: str, form: str) -> Measurement:
    """Measure a page once; on a busy machine a run may fail, and is tried again."""
    try:
        return read(page, form, lighthouse.run(url, form))
    except (Failed, ValueError):
        return read(page, form, lighthouse.run(url, form))


def measure(lighthouse: Lighthouse, address: str, page: str, form: str) -> Measurement:
    """Measure a page; if only its speed misses the goal, three times: the middle one counts.

    Other work on the machine can only make a page slower.
    """
    url = f"{address}/{page}.html"
    runs = [once(lighthouse, url, page, form)]
    if runs[0].missed() == ["performance"]:
        runs += [once(lighthouse, url, page, form) for _ in range(2)]
    middle = statistics.median_low(m.scores["performance"] for m in runs)
    return next(m for m in runs if m.scores["performance"] == middle)


class Store:
    """Measurements kept from one call to the next, each with the digest of what was measured."""

    def __init__(self, folder: Path, site: Path, shared: str) -> None:
        self.folder, self.site, self.shared = folder, site, shared
        folder.mkdir(parents=True, exist_ok=True)

    def _key(self, page: str) -> str:
        text = (self.site / f"{page}.html").read_bytes()
        return hashlib.sha256(text + self.shared.encode()).hexdigest()

    def _file(self, page: str, form: str) -> Path:
        return self.folder / f"{page.replace('/', '.')}.{form}.json"

    def get(self, page: str, form: str) -> Measurement | None:
        """What was measured, if the page is still the same."""
        file = self._file(page, form)
        stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        same = stored.get("key") == self._key(page)
        return restored(stored["measurement"]) if same else None

    def put(self, m: Measurement) -> None:
        """Keep a measurement: all of it or nothing."""
        text = json.dumps(
            {"key": self._key(m.page), "measurement": m.as_dict()}, ensure_ascii=False
        )
        part = self._file(m.page, m.form).with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(self._file(m.page, m.form))


def report(lighthouse: Lighthouse, site: Path, tool: Path, names: list, forms: tuple) -> str:
    """Measure, print and write the report; returns the closing sentence.

    Raises
    ------
    Stop
        A goal is not reached, or a page could not be measured: the closing sentence.
    """
    chosen = wanted(site, names)
    store = Store(tool / "results", site, shared_digest(site) + lighthouse.version + FLAGS)
    tasks = [(page, form) for page in chosen for form in forms]
    width = max(len(page) for page in chosen)
    print(report_page.line(report_page.HEAD, width), flush=True)
    found, failed, kept, begin = [], [], 0, time.monotonic()
    with served(site) as address:
        for number, (page, form) in enumerate(tasks, 1):
            m = None if names else store.get(page, form)
            kept += m is not None
            try:
                m = m or measure(lighthouse, address, page, form)
            except (Failed, ValueError) as problem:
                failed.append(page)
                print(f"{page:<{width}} {form:<8} not measured: {problem}", flush=True)
                continue
            store.put(m)
            found.append(m)
            done = f"  {number} of {len(tasks)}, {time.monotonic() - begin:.0f} s"
            print(report_page.line(report_page.cells(m), width) + done, flush=True)
    if not found:
        raise Stop(f"Lighthouse measured none of {', '.join(chosen)}.")
    for line in report_page.told(found):
        print(line)
    plain = {"lighthouse": lighthouse.version, "goals": GOALS}
    plain["measurements"] = [m.as_dict() for m in found]
    text = json.dumps(plain, ensure_ascii=False, indent=1)
    (tool / "report.json").write_text(f"{text}\n", encoding="utf-8")
    (tool / "index.html").write_text(report_page.page(found, lighthouse.version), encoding="utf-8")
    sentence = report_page.summary(found)
    if failed:
        sentence += f" Not measured: {', '.join(dict.fromkeys(failed))}."
    if kept:
        sentence += f" {kept} were measured before and have not changed."
    sentence += f" The report is at {(tool / 'index.html').as_uri()}"
    if failed or any(m.missed() for m in found):
        raise Stop(sentence)
    return sentence


def main() -> int:
    """Read the arguments, report; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True, help="folder of the built site")
    parser.add_argument("--tool", type=Path, required=True, help="where Lighthouse is installed")
    parser.add_argument("--browser", required=True, help="path of a Chromium or Chrome")
    parser.add_argument("--node", default=shutil.which("node"), help="path of Node.js")
    parser.add_argument("--form", choices=FORMS, help="only this form factor")
    parser.add_argument("pages", nargs="*", help="only these pages, measured anew")
    a = parser.parse_args()
    forms = (a.form,) if a.form else FORMS
    try:
        lighthouse = Lighthouse(a.tool.resolve(), a.node, a.browser)
        print(report(lighthouse, a.site.resolve(), a.tool.resolve(), a.pages, forms))
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: what was measured is kept, the next call goes on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
