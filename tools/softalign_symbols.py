r"""The letters of a formula, each with its decorations and its indices.

A rough reader of LaTeX: it knows letters, styles (``\mathbf h``), accents (``\hat y``), named
functions (``\operatorname{lex}``), and what stands below and above them. It does not know what a
formula means. ``softalign_first_use`` finds with it where a symbol is used first, and a test of the
registry holds every formula of the book to `book/notation.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STYLES = {"mathbf", "mathcal", "mathbb", "mathrm", "mathit", "boldsymbol", "operatorname"}
ACCENTS = {"hat", "widehat", "tilde", "widetilde", "bar", "overline", "vec", "dot"}
# Words, spaces, and labels of the page: no letters of the formula.
WORDS = {"text", "textbf", "textit", "texttt", "label", "tag", "hspace", "begin", "end", "color"}
GREEK = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu
xi pi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon
Phi Psi Omega ell"""
LETTERS = frozenset(GREEK.split())
TOKEN = re.compile(r"\\([A-Za-z]+)\*?|\\.|[^\s]", re.DOTALL)


@dataclass(frozen=True)
class Symbol:
    """A letter of a formula: itself with its style and accent, and its scripts as written."""

    base: str
    below: str = ""
    above: str = ""

    @property
    def whole(self) -> str:
        """The letter with its scripts."""
        below = f"_{{{self.below}}}" if self.below else ""
        above = f"^{{{self.above}}}" if self.above else ""
        return f"{self.base}{below}{above}"


def tokens(latex: str) -> list[str]:
    r"""The commands and characters of a formula.

    >>> tokens(r"\mathbf h_{t-1}")
    ['\\mathbf', 'h', '_', '{', 't', '-', '1', '}']
    """
    latex = re.sub(r"\\\\\[[\d.]+em\]|\\[,;:!> ]|~|&", " ", latex)
    return [match[0].rstrip("*") if match[1] else match[0] for match in TOKEN.finditer(latex)]


def group(found: list[str], start: int) -> tuple[list[str], int]:
    """The tokens of the argument that begins at `start`, and where it ends."""
    if start >= len(found):
        return [], start
    if found[start] != "{":
        if found[start][1:] in STYLES | ACCENTS | WORDS:  # a style and what it is applied to
            inner, end = group(found, start + 1)
            return [found[start], "{", *inner, "}"], end
        return [found[start]], start + 1
    depth, end = 1, start + 1
    while end < len(found) and depth:
        depth += (found[end] == "{") - (found[end] == "}")
        end += 1
    return found[start + 1 : end - 1], end


def _letter(found: list[str], start: int) -> tuple[str, int]:
    """The letter that begins at `start`, with style and accent; "" where none does."""
    token = found[start]
    name = token[1:] if token.startswith("\\") else ""
    if name in STYLES:
        inner, end = group(found, start + 1)
        return f"\\{name}{{{_joined(inner)}}}", end
    if name in ACCENTS:
        inner, end = group(found, start + 1)
        letter = _letter(inner, 0)[0] if inner else ""
        return (f"\\{name}{{{letter}}}" if letter else ""), end
    if name in LETTERS or (len(token) == 1 and token.isascii() and token.isalpha()):
        return token, start + 1
    return "", start + 1


def _joined(found: list[str]) -> str:
    """Tokens as LaTeX again, a space only where a command would swallow a letter."""
    text = ""
    for token in found:
        if re.search(r"\\[A-Za-z]+$", text) and token[0].isalpha():
            text += " "
        text += token
    return text


def symbols(latex: str, deep: bool = True) -> Iterator[Symbol]:
    r"""Every letter of a formula in order; `deep`: each followed by those of its scripts.

    >>> [symbol.whole for symbol in symbols(r"\tilde{\mathbf c}_t=e^{-x_i}")]
    ['\\tilde{\\mathbf{c}}_{t}', 't', 'e^{-x_i}', 'x_{i}', 'i']
    >>> [symbol.base for symbol in symbols(r"\operatorname{lex}(y)\text{ of } w_k", deep=False)]
    ['\\operatorname{lex}', 'y', 'w']
    """
    found, place = tokens(latex), 0
    while place < len(found):
        if found[place].startswith("\\") and found[place][1:] in WORDS:
            _, place = group(found, place + 1)
            continue
        base, place = _letter(found, place)
        scripts = {"_": [], "^": []}
        while place < len(found) and found[place] in ("_", "^", "'"):
            if found[place] == "'":
                scripts["^"], place = [*scripts["^"], "'"], place + 1
                continue
            mark = found[place]
            inner, place = group(found, place + 1)
            scripts[mark] = [*scripts[mark], *inner]
        below, above = _joined(scripts["_"]), _joined(scripts["^"])
        if base:
            yield Symbol(base, below, above)
        if deep or not base:  # what stands below a sum is no script of a letter
            for script in (below, above):
                yield from symbols(script, deep)


# Letters that count positions wherever they stand, by the first rule of the registry.
POSITIONS = {"i", "j", "t"}
# What runs over the letters below it.
RUNS = re.compile(
    r"(?:\\(?:sum|prod|max|min|bigcup|int)|\\operatorname\*?\s*\{arg[^{}]*\})(?:\\limits)?\s*_\s*"
    r"(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\w))"
)


def bound(latex: str) -> set[str]:
    r"""The letters that a sum, product, maximum or minimum of the formula runs over.

    >>> sorted(bound(r"\sum_{k=1}^d z_k+\max_l e_l"))
    ['k', 'l']
    """
    return {
        symbol.base
        for match in RUNS.finditer(latex)
        for symbol in symbols((match[1] or match[2]).partition("=")[0])
    }


def patterns(symbol: str, single: bool = False) -> list[Callable[[str], bool]]:
    r"""Whether a formula has a symbol of the registry: as it is written there, or in other indices.

    `single`: the registry has this letter once, so that other indices are as good.

    >>> exact, other = patterns(r"\mathbf h_t")
    >>> exact(r"\tanh(\mathbf{h}_{t})"), exact(r"\mathbf h_{t-1}"), other(r"\mathbf h_{t-1}")
    (True, False, True)
    >>> (table,) = patterns(r"\theta(y\mid x)")
    >>> table(r"\theta(y_j\mid x_i)"), table(r"\theta(x_i\mid y_j)")
    (True, False)
    """
    wanted = [*symbols(symbol, deep=False)]
    bases = [found.base for found in wanted]
    if not wanted or symbol.startswith(r"\partial"):
        sign = symbol.partition("{")[0]
        return [lambda formula: sign in formula]
    if r"\mid" in symbol:  # the order says which way a table points

        def has_run(formula: str) -> bool:
            there = [found.base for found in symbols(formula, deep=False)]
            return any(there[n : n + len(bases)] == bases for n in range(len(there)))

        return [has_run]
    first = wanted[0]
    if symbol.endswith(")") and "operatorname" not in first.base:
        call = "".join(tokens(symbol.partition("(")[0])) + "("
        return [lambda formula: call in "".join(tokens(formula))]
    alone = symbol.isalpha() and symbol not in POSITIONS  # k, not the k of F_k, nor a sum's

    def has_exactly(formula: str) -> bool:
        free = not alone or first.base not in bound(formula)
        return free and any(s.whole == first.whole for s in symbols(formula, deep=not alone))

    def has(formula: str) -> bool:
        return any(found.base == first.base for found in symbols(formula))

    def has_alike(formula: str) -> bool:
        return any(
            s.base == first.base and bool(s.below) == bool(first.below) for s in symbols(formula)
        )

    if "operatorname" in first.base:
        return [has]
    return [has_alike, has] if single and not alone else [has_exactly, has]


def first_page(symbol: str, pages: dict[str, list[str]], single: bool = False) -> str:
    """The first page whose formulas have a symbol; "" if none has it."""
    for has in patterns(symbol, single):
        for page, found in pages.items():
            if any(map(has, found)):
                return page
    return ""
