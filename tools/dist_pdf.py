"""Print the book's one HTML file with Chromium: page numbers, contents, bookmarks, fixed dates."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from dist_pack import pack
from pypdf import PdfReader

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
# The contents are printed before their numbers are known, then with them; if they moved, again.
PASSES = 4
PRINT_SECONDS = 900
# What Chromium prints on: A4 without the margins of dist_pdf.css, in CSS pixels.
PAPER_WIDTH = round((210 - 2 * 18) / 25.4 * 96)


class PrintError(RuntimeError):
    """The book could not be printed: one plain sentence says why."""


def print_book(
    source: Path, target: Path, browser: str, seconds: int, say: Callable[[str], None] = print
) -> int:
    """Print an HTML file of `dist_book` to a PDF; return its number of pages.

    Parameters
    ----------
    source, target
        The HTML file, and the PDF to write.
    browser
        Path of a Chromium.
    seconds
        The time that the PDF says it was made at, in seconds since 1970.
    """
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=browser, args=[*FLAGS])
        except Error as problem:
            raise PrintError(f"{browser} does not start: {str(problem).splitlines()[0]}") from None
        try:
            return print_with(chromium, source, target, seconds, say)
        except Error as problem:
            raise PrintError(f"The book was not printed: {str(problem).splitlines()[0]}") from None
        finally:
            chromium.close()


def print_with(
    chromium, source: Path, target: Path, seconds: int, say: Callable[[str], None] = print
) -> int:
    """Print as `print_book` does, with a browser that runs already."""
    page = chromium.new_page(viewport={"width": PAPER_WIDTH, "height": 1000})
    page.set_default_timeout(PRINT_SECONDS * 1000)
    missing: list[str] = []
    page.on("requestfailed", lambda request: missing.append(request.url))
    page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
    page.goto(source.resolve().as_uri(), wait_until="load")
    page.evaluate("document.fonts.ready.then(() => 0)")
    if missing:
        raise PrintError(f"{len(missing)} files of the book are missing, among them {missing[0]}.")
    for problem in page.evaluate(FIT):
        say(f"  made smaller to fit: {problem}")
    numbers: dict[str, int] = {}
    for _ in range(PASSES):
        begin = time.perf_counter()
        page.evaluate(NUMBER, numbers)
        page.pdf(path=str(target), prefer_css_page_size=True, print_background=True, tagged=True,
                 outline=True)  # fmt: skip
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
