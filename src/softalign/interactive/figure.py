"""A figure that a reader can work by mouse and keyboard, without a server and without a network."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["BEGIN", "END", "Interactive", "script", "style"]

HERE = Path(__file__).parent
# Between these two stands what every figure of a page needs once: the site keeps it in files.
BEGIN, END = "<!-- softalign: shared -->", "<!-- softalign: end of shared -->"
DIGITS = 9


@cache
def script(kind: str) -> str:
    """JavaScript of one kind of figure, or of what they share ("core")."""
    return (HERE / f"{kind}.js").read_text(encoding="utf-8")


@cache
def style() -> str:
    """Style sheet of all figures."""
    return (HERE / "style.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Interactive:
    """An interactive figure: data, a script that shows them, and a still picture.

    The picture is what is seen where scripts are off, in print, and if the script fails. A notebook
    shows the figure when it is the value of a cell; `save` writes it as a page of its own.

    Parameters
    ----------
    kind
        Which script shows the data: the name of a file beside this one.
    title
        What stands above the figure.
    says
        Alternative text of the still picture: what it shows, in a sentence or two.
    data
        What the script gets, as JSON: numbers (kept to nine digits), strings, lists, dictionaries.
    draw
        Draws the still picture: a function without arguments that returns a Matplotlib figure.

    Raises
    ------
    ValueError
        There is no such script, or the data hold a number that JSON has no word for.

    Page: intro
    """

    kind: str
    title: str
    says: str
    data: Mapping[str, Any]
    draw: Callable[[], Any]

    def __post_init__(self) -> None:
        kinds = sorted(path.stem for path in HERE.glob("*.js") if path.stem != "core")
        if self.kind not in kinds:
            raise ValueError(f"there is no figure {self.kind!r}, only {', '.join(kinds)}")
        self.json()

    def json(self) -> str:
        """The data as the script reads them.

        Raises
        ------
        ValueError
            A number is infinite or not a number.
        """
        text = json.dumps(_rounded(self.data), ensure_ascii=False, allow_nan=False)
        return text.replace("</", "<\\/").replace("<!--", "<\\u0021--")

    def figure(self, identifier: str = "") -> str:
        """The figure as HTML, without what it shares with others."""
        named = f' id="{html.escape(identifier)}"' if identifier else ""
        width, height, picture = _picture(self.draw())
        return (
            f'<figure class="sa-interactive" data-kind="{self.kind}"{named}>'
            f"<figcaption>{html.escape(self.title)}</figcaption>"
            f'<div class="sa-still"><img width="{width}" height="{height}" '
            f'alt="{html.escape(self.says)}" src="data:image/svg+xml;base64,{picture}"></div>'
            '<div class="sa-live" hidden></div>'
            f'<script type="application/json">{self.json()}</script></figure>'
        )

    def shared(self) -> str:
        """Style and scripts, as HTML."""
        scripts = "".join(f"<script>{script(name)}</script>" for name in ("core", self.kind))
        return f"{BEGIN}<style>{style()}</style>{scripts}{END}"

    def save(self, path: str | Path, *, language: str = "en") -> Path:
        """Write the figure as one HTML file that needs nothing else."""
        path = Path(path)
        path.write_text(
            f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(self.title)}</title></head>"
            f"<body><main>{self.figure()}{self.shared()}</main></body></html>\n",
            encoding="utf-8",
        )
        return path

    def __repr__(self) -> str:
        return f"{self.title}: {self.says}"

    def _repr_html_(self) -> str:
        return self.figure() + self.shared()


def _rounded(value: Any) -> Any:
    """The same with Python's own numbers: nine digits, whole ones without a point."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and tensors, of any number of axes
        return _rounded(value.tolist())
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        rounded = float(f"{value:.{DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    return value


def _picture(figure: Any) -> tuple[int, int, str]:
    """Width and height in pixels, and the figure as SVG in base 64: the same at each run."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    # as outlines letters look the same anywhere; as text they would need our font
    with mpl.rc_context({"svg.hashsalt": "softalign", "svg.fonttype": "path"}):
        file = io.StringIO()
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = file.getvalue()
    size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', text)
    assert size, "Matplotlib wrote an SVG without a size"
    width, height = (round(float(points) * 4 / 3) for points in size.groups())
    return width, height, base64.b64encode(text.encode()).decode("ascii")
