"""Cards that stand beside a shared link: a page's title and question, drawn the same every time."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
MARGIN = 72
PAPER, INK, SOFT, BLUE = (250, 249, 246), (28, 32, 38), (82, 90, 102), (0, 90, 160)
# Width of what stands left of the picture.
WIDE = 760
HAN = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


@cache
def font(size: int, bold: bool, han: bool) -> ImageFont.FreeTypeFont:
    """A font of the packages that are pinned anyway: DejaVu Sans, and Noto Sans for Chinese."""
    if han:
        import mplfonts

        return ImageFont.truetype(
            Path(mplfonts.__file__).parent / "fonts" / "NotoSansCJKsc-Regular.otf", size
        )
    import matplotlib as mpl

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)


def runs(text: str) -> list[tuple[bool, str]]:
    """Pieces of a text, each all Chinese or without Chinese."""
    return [
        (bool(HAN.match(piece)), piece)
        for piece in re.findall(rf"{HAN.pattern}+|[^{HAN.pattern[1:-1]}]+", text)
    ]


def width(text: str, size: int, bold: bool) -> float:
    """How wide a line is."""
    return sum(font(size, bold, han).getlength(piece) for han, piece in runs(text))


def wrapped(text: str, size: int, bold: bool, most: int) -> list[str]:
    """A text in lines that fit, no more than `most` of them."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer, size, bold) > WIDE:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = lines[-1].rstrip(",;:.") + " …"
    return lines


def write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, **how) -> None:
    """Write a line whose letters stand on one line, whatever their font."""
    x, y = at
    bold, fill = how.get("bold", False), how["fill"]
    for han, piece in runs(text):
        draw.text((x, y), piece, font=font(size, bold, han), fill=fill, anchor="ls")
        x += font(size, bold, han).getlength(piece)


def weights(rows: int = 6, columns: int = 5) -> list[list[float]]:
    """The picture: a soft alignment, one softmax a row."""
    found = []
    for j in range(rows):
        scores = [
            -1.1 * (i - (columns - 1) * (1 - j / (rows - 1)) ** 1.3) ** 2 for i in range(columns)
        ]
        total = sum(map(math.exp, scores))
        found.append([math.exp(score) / total for score in scores])
    return found[::-1]


def draw_card(title: str, question: str, path: Path) -> None:
    """Draw a card into a file."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 16, SIZE[1]), fill=BLUE)
    y = MARGIN + 56
    for line in wrapped(title, 54, True, 3):
        write(draw, (MARGIN, y), line, 54, bold=True, fill=INK)
        y += 68
    y += 16
    for line in wrapped(question, 30, False, 5):
        write(draw, (MARGIN, y), line, 30, fill=SOFT)
        y += 44
    write(draw, (MARGIN, SIZE[1] - MARGIN + 12), "Soft Alignment", 32, bold=True, fill=BLUE)
    cell, left, top = 52, 880, 140
    for j, row in enumerate(weights()):
        for i, weight in enumerate(row):
            shade = tuple(
                round(p + (b - p) * weight**0.7) for p, b in zip((228, 232, 238), BLUE, strict=True)
            )
            corner = (left + i * cell, top + j * cell)
            draw.rectangle((*corner, corner[0] + cell - 5, corner[1] + cell - 5), fill=shade)
    image.quantize(32, dither=Image.Dither.NONE).save(path, optimize=True)
