r"""Words of the search: how a text of the book is split, for Sphinx's index and for a query alike.

Sphinx's own splitter knows words of letters alone. Here Chinese is split into its characters and
into all pairs of neighbours, since no browser can be asked to segment it; a formula gives its
letters (``\alpha_{ji}`` gives alpha, α, alpha_ji, ji); and a name with underscores stays whole
beside its parts, unstemmed. `softalign_find_search.js` does the same to a query.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.search.en import SearchEnglish

SCRIPT = Path(__file__).with_suffix("").with_name("softalign_find_search.js")
NAMES = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
upsilon phi chi psi omega ell"""
GREEK = dict(zip(NAMES.split(), "αβγδεζηθικλμνξπρστυφχψωℓ", strict=True))
HAN = re.compile(r"[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
WORD = re.compile(r"\w+")
# Commands that say how a letter looks, not which it is.
STYLE = re.compile(
    r"\\(?:mathbf|mathcal|mathrm|mathbb|mathit|boldsymbol|operatorname|text|textbf|hat|tilde|bar|"
    r"left|right|quad|qquad|big|Big)\b\*?"
)
SIGNS = {
    r"\cdot": "·",
    r"\mid": " | ",
    r"\times": "×",
    r"\partial": "∂",
    r"\top": "T",
    r"\bullet": "•",
    r"\parallel": "‖",
    r"\odot": "⊙",
    r"\nabla": "∇",
    r"\le": "≤",
    r"\ge": "≥",
    r"\sum": "∑",
    r"\dots": "…",
}
COMMAND = re.compile(r"\\(?:var)?([A-Za-z]+)")


def plain_formula(text: str) -> str:
    r"""A formula in the letters that one would type: ``\mathbf h_{t}`` is ``h_t``."""
    text = STYLE.sub(" ", text)
    # no brace around what is one word, no space before an index
    text = re.sub(r"\{\s*([\w\\]+)\s*\}", r"\1", re.sub(r"\{\s*([\w\\]+)\s*\}", r"\1", text))
    text = re.sub(r"\s*_\s*", "_", text)
    text = re.sub(r"(?<=\w)\\(?=[A-Za-z])", r" \\", text)  # two letters are not one word
    return COMMAND.sub(r"\1", text)


def readable(latex: str) -> str:
    r"""A formula as a line of text, for results and descriptions: ``\mathbf h_t`` is h_t."""
    text = re.sub(r"\\[,;:! ]", " ", latex)
    for sign, shown in SIGNS.items():
        text = text.replace(sign, shown)
    text = re.sub(r"\\sqrt\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", r"√(\1)", text)
    for name, letter in GREEK.items():
        text = re.sub(rf"\\(?:var)?{name}(?![A-Za-z])", letter, text)
    text = re.sub(r"[{}]", "", plain_formula(text))
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=[(√/=∂_]) | (?=[),])", "", text)


def chinese(run: str) -> list[str]:
    """Characters and pairs of neighbours of a run of Chinese."""
    return [*run, *(run[n : n + 2] for n in range(len(run) - 1))]


def split(text: str) -> list[str]:
    """The words of a text, as the index has them."""
    if "\\" in text:
        text = plain_formula(text)
    words: list[str] = []
    for word in WORD.findall(text):
        for run in HAN.findall(word):
            words += chinese(run)
        for piece in HAN.sub(" ", word).split():
            words.append(piece)
            if "_" in piece:
                words += [part for part in piece.split("_") if part]
    return [*words, *(GREEK[word.lower()] for word in words if word.lower() in GREEK)]


class BookSearch(SearchEnglish):
    """English, with the splitter of this book."""

    js_splitter_code = SCRIPT.read_text(encoding="utf-8")

    def split(self, input: str) -> list[str]:
        """The words of a text."""
        return split(input)

    def stem(self, word: str) -> str:
        """English words alone have stems: names and other scripts stay as they are."""
        return super().stem(word) if re.fullmatch(r"[A-Za-z]+", word) else word
