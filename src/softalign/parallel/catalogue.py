"""Interface messages as parallel text: small, real, and on every machine that builds this book."""

from __future__ import annotations

import html
import re
from importlib.util import find_spec
from pathlib import Path

from softalign.parallel.reading import RawPair, Report, read_pairs

__all__ = ["sphinx_messages", "strip_markup"]

_PLACEHOLDER = re.compile(
    r"(?P<percent>%%)"
    r"|%\(\w+\)[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]"  # %(name)s
    r"|%[-+#0]*\d*(?:\.\d+)?[a-zA-Z]"  # %s %r %d, and dates: %Y
    r"|\{[\w.!:]*\}"  # {} {name}
    r"|\|\w+\|"  # |release|
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ROLE = re.compile(r":[\w:.+-]+:(?=`)")
# brackets and quotation marks that a placeholder has left empty
_EMPTY = re.compile(
    r"\(\s*\)|（\s*）|\[\s*\]|\"\s*\"|(?<!\w)'\s*'|“\s*”|‘\s*’|「\s*」|<\s*>|《\s*》"
)
# a colon or comma whose placeholder is gone, before another mark
_ORPHAN = re.compile(r"[:：,，]\s*(?=[,.;!?)，。；！？）])")
_LOOSE = " \t:,;，；：、-–—=/<>"
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")


def strip_markup(message: str) -> str:
    """Leave of an interface message what a person would read as language.

    Placeholders (``%s``, ``%(name)s``, ``{name}``), HTML tags and entities and the markup of
    reStructuredText go; brackets and quotation marks left empty by them go too; so do marks like
    colons and commas at the ends; white space becomes one space.

    Parameters
    ----------
    message : str
        The message as a program has it.

    Returns
    -------
    str
        Perhaps empty.

    Examples
    --------
    >>> strip_markup("undefined label: %r")
    'undefined label'
    >>> strip_markup("See <b>%(title)s</b> (%s) &#8212; ``make html`` in :doc:`usage`.")
    'See — make html in usage.'

    Page: 01_smt/word_alignment
    """
    text = html.unescape(_TAG.sub(" ", message))
    text = _ROLE.sub("", text)
    text = _PLACEHOLDER.sub(_percent_or_space, text.replace("`", "").replace("**", ""))
    before = None
    while text != before:
        before, text = text, _ORPHAN.sub("", _EMPTY.sub(" ", text))
    text = " ".join(text.split())
    # no space where Chinese leaves none, none before a closing mark, none after an opening one
    text = re.sub(
        r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])| (?=[,.;:!?)，。；：！？）])|(?<=[(（]) ", "", text
    )
    return text.strip(_LOOSE)


def sphinx_messages(locale: str = "zh_CN") -> tuple[list[RawPair], Report]:
    """Read the Chinese-English messages of the installed Sphinx, cleaned by `strip_markup`.

    These are messages of a program: short, full of file names, without people, past or stories.
    They show how word alignment behaves on real text that is too small, and nothing more.

    Parameters
    ----------
    locale : str
        Name of the catalogue's folder in Sphinx; ``zh_CN`` or ``zh_TW`` for Chinese.

    Returns
    -------
    pairs : list of RawPair
        Source: the translation; target: the English original.
    report : Report
        Skipped: not translated, marked as fuzzy, and pairs of which cleaning left a side without a
        Chinese or without a Latin letter ("no words left").

    Raises
    ------
    FileNotFoundError
        Sphinx is not installed or has no such catalogue.

    Examples
    --------
    >>> pairs, report = sphinx_messages()
    >>> len(pairs) == report.kept > 600
    True

    Page: 01_smt/word_alignment
    """
    spec = find_spec("sphinx")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("Sphinx is not installed: `pip install sphinx` brings its messages")
    folder = Path(spec.origin).parent / "locale" / locale / "LC_MESSAGES"
    path = next((p for p in (folder / "sphinx.po", folder / "sphinx.mo") if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{folder}: this Sphinx has no catalogue for {locale!r}")
    pairs, report = read_pairs(path, columns=(1, 0))
    cleaned = [
        pair._replace(source=strip_markup(pair.source), target=strip_markup(pair.target))
        for pair in pairs
    ]
    usable = [bool(_HAN.search(p.source) and _LATIN.search(p.target)) for p in cleaned]
    kept = [pair for pair, good in zip(cleaned, usable, strict=True) if good]
    skipped, first = dict(report.skipped), dict(report.first)
    if len(kept) < len(cleaned):
        skipped["no words left"] = len(cleaned) - len(kept)
        first["no words left"] = cleaned[usable.index(False)].line
    return kept, Report(report.files, report.read, len(kept), skipped, first, report.mended)


def _percent_or_space(match: re.Match) -> str:
    return "%" if match["percent"] else " "
