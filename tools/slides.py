"""Slides for each chapter, from its pages: ``python tools/slides.py`` writes ``_build/slides``.

nbconvert's slides exporter with the template of ``tools/slides_template``, reveal.js and KaTeX from
``node_modules``, pictures from the executed notebooks that a build of the site keeps, Chinese in a
part of the font that the pinned package mplfonts brings. A deck opens from ``file://``.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import slides_rules as rules

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "slides_template"
CACHE = ROOT / "_build" / ".jupyter_cache"
TARGET = ROOT / "_build" / "slides"
MODULES = ROOT / "node_modules"
ASSETS = (
    MODULES / "reveal.js" / "dist" / "reveal.css",
    MODULES / "reveal.js" / "dist" / "reveal.js",
    MODULES / "katex" / "dist" / "katex.min.js",
    MODULES / "katex" / "dist" / "contrib" / "auto-render.min.js",
    TEMPLATE / "deck.js",
)
STAMP = "made-of.txt"
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")


class SlidesError(Exception):
    """A deck cannot be made; one sentence."""


def chapters(root: Path = ROOT) -> dict[str, list[Path]]:
    """The pages of each chapter, in reading order."""
    text = (root / "_toc.yml").read_text(encoding="utf-8")
    found: dict[str, list[Path]] = {}
    for name, page in re.findall(r"file: (chapters/(\w+)/\w+)$", text, re.MULTILINE):
        found.setdefault(page, []).append(root / f"{name}.ipynb")
    return found


def executed(path: Path, cache: Path = CACHE) -> dict:
    """The notebook with its pictures, from the last build of the site.

    Raises
    ------
    SlidesError
        It draws, and the build has not run it as it is now.
    """
    from jupyter_cache import get_cache

    notebook = nbformat.read(path, as_version=4)
    if not any("<Figure" in str(cell.get("outputs", "")) for cell in notebook.cells):
        return notebook
    if cache.is_dir():
        try:
            return get_cache(cache).merge_match_into_notebook(notebook)[1]
        except KeyError:
            pass
    raise SlidesError(
        f"{path.name} has not been run as it is now: say make slides, which builds the book first."
    )


def deck(pages: Iterable[Path], cache: Path = CACHE) -> nbformat.NotebookNode:
    """The slides of a chapter as a notebook."""
    notebooks = [executed(path, cache) for path in pages]
    titles = {label: title for one in notebooks for label, title in rules.labels(one).items()}
    found = [slide for one in notebooks for slide in rules.slides(one, titles)]
    for slide in found:
        if slide.show and slide.show[0] == "figure" and not slide.show[1]:
            raise SlidesError(f"The picture of '{slide.heading}' is missing: say make slides.")
    made = nbformat.from_dict(rules.notebook_of(found))
    made.metadata.title = f"Soft Alignment: {found[0].heading}"
    return made


def convert(made: nbformat.NotebookNode) -> str:
    """The HTML of a deck."""
    from nbconvert.exporters import SlidesExporter

    exporter = SlidesExporter(
        extra_template_basedirs=[str(HERE)],
        template_name=TEMPLATE.name,
        template_file="index.html.j2",
        reveal_url_prefix="assets",
    )
    exporter.exclude_anchor_links = True
    html, _ = exporter.from_notebook_node(made)
    return html


def write_assets(target: Path, text: str) -> None:
    """Put beside the decks what they load: scripts, styles, fonts."""
    from fontTools import subset
    from pygments.formatters import HtmlFormatter

    missing = [path for path in ASSETS if not path.exists()]
    if missing:
        raise SlidesError(f"{missing[0].name} is missing in node_modules: say make slides.")
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for path in ASSETS:
        content = path.read_text(encoding="utf-8")
        content = re.sub(r"^//# sourceMappingURL=.*$", "", content, flags=re.MULTILINE)
        (target / path.name).write_text(content, encoding="utf-8")
    katex = MODULES / "katex" / "dist"
    style = (katex / "katex.min.css").read_text(encoding="utf-8")
    style = re.sub(r",url\([^)]*\) format\(\"(?:woff|truetype)\"\)", "", style)
    (target / "katex.min.css").write_text(style, encoding="utf-8")
    for font in (katex / "fonts").glob("*.woff2"):
        shutil.copyfile(font, target / "fonts" / font.name)
    import mplfonts

    whole = Path(mplfonts.__file__).parent / "fonts" / "NotoSansCJKsc-Regular.otf"
    options = subset.Options(layout_features=[], notdef_outline=True, hinting=False)
    font = subset.load_font(str(whole), options)
    cut = subset.Subsetter(options)
    cut.populate(text="".join(sorted(set(CHINESE.findall(text)))))
    cut.subset(font)
    subset.save_font(font, str(target / "fonts" / "book-han.otf"), options)
    font.close()
    face = '@font-face{font-family:"Book Han";src:url("fonts/book-han.otf")}\n'
    look = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    look = re.sub(r"^.*(?:linenos|\.hll|background).*$", "", look, flags=re.MULTILINE)
    style = (TEMPLATE / "deck.css").read_text(encoding="utf-8")
    (target / "deck.css").write_text(face + style + look + "\n", encoding="utf-8")


def digest(pages: Iterable[Path]) -> str:
    """What decks are made of, as a digest."""
    found = hashlib.sha256()
    files = [*pages, *sorted(TEMPLATE.iterdir()), *sorted(HERE.glob("slides*.py")), *ASSETS]
    for path in files:
        found.update(path.read_bytes() if path.exists() else b"")
    return found.hexdigest()


def write(target: Path = TARGET, cache: Path = CACHE) -> dict[str, int]:
    """Write all decks, unless they are there as they would be; return the slides of each."""
    found = chapters()
    made_of = digest(path for pages in found.values() for path in pages)
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text().split("\n")[0] == made_of:
        lines = stamp.read_text().split("\n")[1:-1]
        return {name: int(count) for name, count in map(str.split, lines)}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    text, slides = "", {}
    for chapter, pages in found.items():
        html = convert(deck(pages, cache))
        (target / f"{chapter}.html").write_text(html, encoding="utf-8")
        slides[chapter] = html.count('<div class="sheet">')
        text += html
    write_assets(target / "assets", text)
    stamp.write_text(f"{made_of}\n" + "".join(f"{n} {c}\n" for n, c in slides.items()))
    return slides


def main() -> int:
    """Write the decks and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=TARGET, help="folder (_build/slides)")
    target = parser.parse_args().to
    try:
        slides = write(target)
    except SlidesError as problem:
        print(problem, file=sys.stderr)
        return 1
    for chapter, count in slides.items():
        print(f"{count:4} slides  {(target / f'{chapter}.html').resolve().as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
