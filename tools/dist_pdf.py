"""Print the book's one HTML file with Chromium: page numbers, contents, bookmarks, fixed dates."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Callable
from pathlib import Path

from dist_pack import pack
from pypdf import PdfReader

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
# The contents are printed before their numbers are known, then with them; if they moved, again.
PASSES = 4
PRINT_SECONDS = 1800
# What a pass that has answered gets to end by itself.
PATIENCE = 10
SPAWN = multiprocessing.get_context("spawn")
# What Chromium prints on: A4 without the margins of dist_pdf.css, in CSS pixels.
PAPER_WIDTH = round((210 - 2 * 18) / 25.4 * 96)


class PrintError(RuntimeError):
    """The book could not be printed: one plain sentence says why."""


def print_book(
    source: Path, target: Path, browser: str, seconds: int, say: Callable[[str], None] = print
) -> int:
    """Print an HTML file of `dist_book` to a PDF; return its number of pages.

    Each pass has a process and a browser of its own: of two prints of seven hundred pages from one
    window, Chromium was once seen never to finish the second. So a pass that takes too long is
    ended and tried once more.

    Parameters
    ----------
    source, target
        The HTML file, and the PDF to write.
    browser
        Path of a Chromium.
    seconds
        The time that the PDF says it was made at, in seconds since 1970.
    say
        Gets lines of progress.

    Raises
    ------
    PrintError
        The browser does not start, does not finish, or does not find all files.
    """

    def once(numbers: dict[str, int]) -> list[str]:
        for _ in range(2):
            answer = _in_a_process(browser, source, target, numbers)
            if answer is not None:
                return answer
            say(f"  Chromium did not finish in {PRINT_SECONDS // 60} minutes: once more …")
        raise PrintError(f"Chromium did not finish within {PRINT_SECONDS // 60} minutes, twice.")

    return _settle(once, target, seconds, say)


def print_with(
    chromium, source: Path, target: Path, seconds: int, say: Callable[[str], None] = print
) -> int:
    """Print as `print_book` does, with a browser that runs already."""
    return _settle(lambda n: _one_pass(chromium, source, target, n), target, seconds, say)


def _settle(
    once: Callable[[dict[str, int]], list[str]],
    target: Path,
    seconds: int,
    say: Callable[[str], None],
) -> int:
    """Print until the numbers in the contents are those of the pages."""
    numbers: dict[str, int] = {}
    for number in range(PASSES):
        begin = time.perf_counter()
        smaller = once(numbers)
        if number == 0:
            for line in smaller:
                say(f"  made smaller to fit: {line}")
        found, count = page_numbers(PdfReader(target))
        say(f"  {count} pages in {time.perf_counter() - begin:.0f} s")
        if not found:
            raise PrintError("The printed book has no contents: nothing links to its pages.")
        if found == numbers:
            target.write_bytes(pack(fix_dates(target.read_bytes(), seconds)))
            return count
        numbers = found
    raise PrintError(
        "The page numbers of the contents do not settle: is there a page rule missing?"
    )


def _one_pass(chromium, source: Path, target: Path, numbers: dict[str, int]) -> list[str]:
    """Print once, with these numbers in the contents; return what was made smaller to fit."""
    page = chromium.new_page(viewport={"width": PAPER_WIDTH, "height": 1000})
    try:
        page.set_default_timeout(PRINT_SECONDS * 1000)
        missing: list[str] = []
        page.on("requestfailed", lambda request: missing.append(request.url))
        page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
        page.goto(source.resolve().as_uri())
        page.evaluate("document.fonts.ready.then(() => 0)")
        if missing:
            raise PrintError(f"{len(missing)} files of the book are missing, like {missing[0]}.")
        smaller = page.evaluate(FIT)
        page.evaluate(NUMBER, numbers)
        page.pdf(path=str(target), prefer_css_page_size=True, print_background=True, tagged=True,
                 outline=True)  # fmt: skip
        return smaller
    finally:
        page.close()


def _in_a_process(
    browser: str, source: Path, target: Path, numbers: dict[str, int]
) -> list[str] | None:
    """What `_one_pass` returns, or None if it took too long."""
    mine, theirs = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=_child, args=(theirs, browser, source, target, numbers))
    child.start()
    theirs.close()
    try:
        if not mine.poll(PRINT_SECONDS):
            return None
        smaller, problem = mine.recv()
    except EOFError:
        raise PrintError("The process that prints the book ended before it was done.") from None
    finally:
        child.join(PATIENCE)
        child.kill()
    if problem:
        raise PrintError(problem)
    return smaller


def _child(pipe, browser: str, source: Path, target: Path, numbers: dict[str, int]) -> None:
    """Run one pass, and send what it returns, or a sentence on what went wrong."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=browser, args=[*FLAGS])
        except Error as problem:
            pipe.send(([], f"{browser} does not start: {str(problem).splitlines()[0]}"))
            return
        try:
            pipe.send((_one_pass(chromium, source, target, numbers), ""))
        except Error as problem:
            pipe.send(([], f"The book was not printed: {str(problem).splitlines()[0]}"))
        except PrintError as problem:
            pipe.send(([], str(problem)))
        chromium.close()


def page_numbers(reader: PdfReader) -> tuple[dict[str, int], int]:
    """Number of the paper page on which each page of the book begins, and the number of all."""
    index = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages, 1)}
    places = {
        name.removeprefix("/"): index[place.page.idnum]
        for name, place in reader.named_destinations.items()
    }
    found = [
        (number, name) for name, number in places.items() if re.fullmatch(r"page-[\w-]+", name)
    ]
    return {name: number for number, name in sorted(found)}, len(reader.pages)


def fix_dates(data: bytes, seconds: int) -> bytes:
    """Put a given time in the place of the time of printing: the same length, so nothing moves.

    Raises
    ------
    PrintError
        The PDF does not say when it was made in the way Chromium says it.
    """
    stamp = time.strftime("D:%Y%m%d%H%M%S+00'00'", time.gmtime(seconds)).encode()
    pattern = rb"(/(?:CreationDate|ModDate) \()D:\d{14}\+00'00'(?=\))"
    fixed, count = re.subn(pattern, rb"\g<1>" + stamp, data)
    if count != 2:
        raise PrintError(f"The PDF has {count} dates where 2 were expected: was it not Chromium?")
    return fixed


NUMBER = """(numbers) => {
  for (const spot of document.querySelectorAll('.contents .number'))
    spot.textContent = numbers[spot.dataset.place] || '';
}"""

# What is still wider than the paper is set smaller, down to a half; returns what was done.
FIT = """() => {
  const done = [];
  const room = document.querySelector('.bd-article-container').getBoundingClientRect().right;
  for (const e of document.querySelectorAll('article div.math, article table')) {
    const inner = e.matches('table') ? e : e.querySelector('.katex-html') || e;
    const left = e.getBoundingClientRect().left;
    let right = inner.getBoundingClientRect().right;
    for (const part of inner.querySelectorAll('.base')) {
      right = Math.max(right, part.getBoundingClientRect().right);
    }
    if (right <= room + 1) continue;
    const scale = Math.max(0.5, (room - left) / (right - left) * 0.98);
    e.style.fontSize = `${scale}em`;
    const what = `${e.closest('.book-page').id}, ${e.tagName.toLowerCase()}`;
    done.push(`${what} to ${scale.toFixed(2)}: ${e.textContent.trim().slice(0, 40)}`);
  }
  return done;
}"""
