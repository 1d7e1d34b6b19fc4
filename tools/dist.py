"""What is handed out: the site, the book as a PDF, the notebooks; with checksums, in _build/dist.

`make dist` builds the site and calls this. The same site gives the same files, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import dist_book
import dist_notebooks
import dist_pack
import dist_pdf

ROOT = Path(__file__).resolve().parent.parent
NAME = "soft-alignment"
SUMS = "SHA256SUMS"
# What is written here, a part of it left by a call that failed.
OWN = re.compile(
    rf"{NAME}(?:-(?:site|notebooks|\d[\w.+]*))?\.(?:zip|pdf)(?:\.part)?|{SUMS}|book\.html"
)
# Zip files know no time before 1980; used where neither git nor $SOURCE_DATE_EPOCH says one.
EARLIEST = 315532800
# What the site's folder holds for its builder only.
NOT_THE_SITE = frozenset({".buildinfo", ".doctrees", ".nojekyll"})

README = """\
Soft Alignment {version}: the site
================================

Open index.html in a browser: a double click does it. Everything works without a network and without
a server: pages, figures, search. What leads outside is a link to a paper, or a button that runs a
page on somebody else's computer.

If the browser shows the pages without their look, the folder is still packed: unpack it first.

Text and figures: CC BY 4.0. Code: BSD 3-Clause.
"""


class Stop(Exception):
    """One plain sentence for whoever called."""


def say(sentence: str) -> None:
    """Print one line at once."""
    print(sentence, flush=True)


def time_of(root: Path) -> int:
    """The time that every file says it was made at: $SOURCE_DATE_EPOCH, or the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdigit():
            raise Stop(f"SOURCE_DATE_EPOCH={given} is not a number of seconds since 1970.")
        return max(EARLIEST, int(given))
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=root, capture_output=True, text=True
        )
    except OSError:
        return EARLIEST
    return max(EARLIEST, int(done.stdout)) if done.stdout.strip().isdigit() else EARLIEST


def write_zip(path: Path, files: Mapping[str, bytes | Path], seconds: int) -> None:
    """Write a zip file: names sorted, one time for all, the same bytes each time."""
    part = path.with_name(f"{path.name}.part")
    stamp = time.gmtime(seconds)[:6]
    try:
        with zipfile.ZipFile(part, "w") as archive:
            for name in sorted(files):
                content = files[name]
                data = content.read_bytes() if isinstance(content, Path) else content
                info = zipfile.ZipInfo(name, stamp)
                info.create_system = 3  # the same on every system
                info.external_attr = 0o100644 << 16
                # what is packed already would only take time
                packed = name.endswith((".png", ".woff2", ".pdf", ".zip"))
                info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                archive.writestr(info, data, compresslevel=9)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def site_files(site: Path, version: str) -> dict[str, bytes | Path]:
    """Names and places of the files of the site, in one folder."""
    if not (site / "index.html").exists():
        raise Stop(f"There is no site in {site}: say make dist, which builds it, or make book.")
    found: dict[str, bytes | Path] = {
        f"{NAME}-site/README.txt": README.format(version=version).encode()
    }
    for path in site.rglob("*"):
        inner = path.relative_to(site)
        if path.is_file() and not NOT_THE_SITE & set(inner.parts):
            found[f"{NAME}-site/{inner.as_posix()}"] = path
    return found


def checksums(paths: list[Path]) -> str:
    """Lines as ``sha256sum -c`` reads them, sorted by name."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(paths, key=lambda path: path.name)
    )


def make(root: Path, site: Path, target: Path, browser: str) -> list[Path]:
    """Write everything to the folder `target`; return the files, the checksums last."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version, seconds = project["version"], time_of(root)
    files = site_files(site, version)
    _check_space(target, files)
    # nothing of an older call is left, so that a call that fails leaves no mixture behind
    _clear(target)
    packed_site = target / f"{NAME}-site.zip"
    say(f"The site: {len(files)} files …")
    write_zip(packed_site, files, seconds)
    entries = dist_book.reading_order(root / "_toc.yml")
    notebooks = target / f"{NAME}-notebooks.zip"
    given = dist_notebooks.files(root, [entry.name for entry in entries])
    say(f"The notebooks: {sum(name.endswith('.ipynb') for name in given)} …")
    write_zip(notebooks, {f"{NAME}-notebooks/{n}": data for n, data in given.items()}, seconds)
    say(f"The book as a PDF: {len(entries)} pages of the site, some minutes …")
    imprint = dist_book.Imprint(
        title="Soft Alignment",
        author="the Soft Alignment authors",
        version=version,
        date=_day(seconds),
        address=project["urls"]["Repository"],
    )
    source = target / "book.html"
    pdf = target / f"{NAME}.pdf"
    source.write_text(dist_book.put_together(site, entries, imprint, source), encoding="utf-8")
    dist_pdf.print_book(source, pdf, browser, seconds, say)
    source.unlink()
    parts = [packed_site, notebooks, pdf]
    bundle = target / f"{NAME}-{version}.zip"
    folder = f"{NAME}-{version}"
    contents: dict[str, bytes | Path] = {f"{folder}/{path.name}": path for path in parts}
    write_zip(bundle, {**contents, f"{folder}/{SUMS}": checksums(parts).encode()}, seconds)
    sums = target / SUMS
    sums.write_text(checksums([*parts, bundle]), encoding="utf-8", newline="\n")
    return [*parts, bundle, sums]


def _clear(target: Path) -> None:
    """Make the folder, empty: what an older call wrote is removed, anything else is left alone."""
    target.mkdir(parents=True, exist_ok=True)
    found = sorted(target.iterdir())
    for path in found:
        if not path.is_file() or not OWN.fullmatch(path.name):
            raise Stop(
                f"{target} holds {path.name}, which is not of make dist: name an empty folder."
            )
    for path in found:
        path.unlink()


def _day(seconds: int) -> str:
    """A date in English, whatever the machine speaks."""
    months = "January February March April May June July August September October November December"
    day = time.gmtime(seconds)
    return f"{day.tm_mday} {months.split()[day.tm_mon - 1]} {day.tm_year}"


def _check_space(target: Path, files: Mapping[str, bytes | Path]) -> None:
    """Stop before anything is removed if the disk is too full for what is to come."""
    size = sum(path.stat().st_size for path in files.values() if isinstance(path, Path))
    needed = 4 * size / 1e9  # site and bundle packed, the PDF twice
    place = next(folder for folder in (target, *target.parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1e9
    if free < needed:
        raise Stop(f"This needs {needed:.1f} GB of disk and {free:.1f} GB are free: make room.")


def main() -> int:
    """Read the command line, write the files, say what they are; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--to", type=Path, default=ROOT / "_build" / "dist")
    parser.add_argument("--browser", default=os.environ.get("SOFTALIGN_BROWSER", ""))
    given = parser.parse_args()
    begin = time.perf_counter()
    try:
        if not shutil.which(given.browser):
            raise Stop("The PDF is printed by a Chromium, and none is named: say make dist.")
        for path in make(ROOT, given.site.resolve(), given.to.resolve(), given.browser):
            say(f"  {path.stat().st_size / 1e6:8.2f} MB  {path.relative_to(given.to.resolve())}")
    except (Stop, dist_book.BookError, dist_pack.PackError, dist_pdf.PrintError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"{problem.strerror or problem}: {problem.filename or given.to}", file=sys.stderr)
        return 1
    say(f"Written to {given.to} in {time.perf_counter() - begin:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
