"""English prose that every machine has: the docstrings of NumPy.

NumPy is pinned for the book, so everybody reads the same text, and nobody downloads any. It is
technical English by many hands, with long words and fixed phrases.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import warnings
from collections.abc import Iterator

__all__ = ["DIGEST", "NUMPY_VERSION", "digest", "prose"]

# The version that the book pins, and the SHA-256 of its prose as this module reads it.
NUMPY_VERSION = "2.4.6"
DIGEST = "965d27d8c8d1330adbdc616f11866ed95c93cb343c036e5907e0f30c1e09232f"

MODULES = (
    "numpy",
    "numpy.char",
    "numpy.fft",
    "numpy.linalg",
    "numpy.ma",
    "numpy.polynomial",
    "numpy.polynomial.chebyshev",
    "numpy.polynomial.hermite",
    "numpy.polynomial.hermite_e",
    "numpy.polynomial.laguerre",
    "numpy.polynomial.legendre",
    "numpy.polynomial.polynomial",
    "numpy.random",
    "numpy.strings",
)
# Sections that are not prose: code, lists of names, literature.
LEFT_OUT = ("Examples", "See Also", "References", "Methods", "Attributes")

HEADING = re.compile(r"^(\S.*)\n([-=])\2{2,}$", re.MULTILINE)
# Roles, the marks of inline code and stress, footnotes, targets and directives.
MARKUP = re.compile(r":\w+:`|`|\*\*|\s*\[\w+\]_|\.\. \S.*$", re.MULTILINE)
# What else is no prose: 'name : type', a signature, a prompt, a rule, a row of a table.
NO_PROSE = re.compile(r"^\S+( \S+)* : |^\w+\(.*\)$|>>>|^\.\.\. |={3}|-{3}|\|")
SENTENCE_END = re.compile(r"(?<=[a-z)0-9]\.)\s+(?=[A-Z])")
# A sentence of words, numbers and punctuation: no formula, no code.
SENTENCE = re.compile(r"[A-Z][\w .,;:()'\"-]{10,}[.]")
WORD = re.compile(r"[A-Za-z]\w*(?:[-'.]\w+)*|\d+(?:\.\d+)?|[.,;:()]", re.ASCII)


def prose() -> tuple[tuple[str, ...], ...]:
    """Read the sentences of NumPy's public docstrings.

    Examples, lists of names, literature, formulas and code are left out, and so is markup. White
    space is one space, words are in lower case, punctuation marks are words of their own. Every
    sentence is there once: many docstrings say the same.

    Returns
    -------
    tuple of tuples of str
        In alphabetical order of the modules and names that hold them.

    Warns
    -----
    UserWarning
        NumPy is another version than the one the book pins: the text may differ.

    Raises
    ------
    ValueError
        The pinned version gives another text than it should, for instance because Python runs with
        docstrings removed (``-OO``).

    Page: 01_smt/language_model
    """
    import numpy

    sentences = tuple(dict.fromkeys(s for text in _docstrings() for s in _sentences(text)))
    if numpy.__version__ != NUMPY_VERSION:
        warnings.warn(
            f"the book reads the prose of NumPy {NUMPY_VERSION}, this is NumPy "
            f"{numpy.__version__}: the text and every number drawn from it may differ",
            stacklevel=2,
        )
    elif digest(sentences) != DIGEST:
        raise ValueError(
            f"the docstrings of NumPy {NUMPY_VERSION} do not read as expected; "
            "run Python without -OO, or install NumPy again"
        )
    return sentences


def digest(sentences: tuple[tuple[str, ...], ...]) -> str:
    """SHA-256 of a text, one line a sentence, words separated by single spaces.

    Examples
    --------
    >>> digest((("a", "b"), ("c",))) == hashlib.sha256(b"a b\\nc\\n").hexdigest()
    True

    Page: 01_smt/language_model
    """
    text = "".join(" ".join(sentence) + "\n" for sentence in sentences)
    return hashlib.sha256(text.encode()).hexdigest()


def _docstrings() -> Iterator[str]:
    """Docstrings of public functions and classes, and of the methods of these classes.

    Scalar types are left out: theirs speak of the machine.
    """
    import numpy

    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            if inspect.ismodule(thing) or not callable(thing):
                continue
            is_class = inspect.isclass(thing)
            if is_class and issubclass(thing, numpy.generic):
                continue
            members = vars(thing) if is_class else {}
            public = [members[key] for key in sorted(members) if not key.startswith("_")]
            for holder in (thing, *public):
                text = getattr(holder, "__doc__", None)
                # a plain value, such as a number, would show the docstring of its type
                if isinstance(text, str) and (holder is thing or text != type(holder).__doc__):
                    # indentation depends on the version of Python
                    yield "\n".join(line.strip() for line in text.split("\n"))


def _sentences(docstring: str) -> Iterator[tuple[str, ...]]:
    parts = HEADING.split(docstring)  # text, heading, its rule, text, heading, ...
    for heading, text in zip(["", *parts[1::3]], parts[::3], strict=True):
        if heading.strip() in LEFT_OUT:
            continue
        for paragraph in re.split(r"\n\n+", text):
            yield from _prose_of(paragraph)


def _prose_of(paragraph: str) -> Iterator[tuple[str, ...]]:
    lines = [line for line in paragraph.split("\n") if not NO_PROSE.search(line)]
    text = " ".join(MARKUP.sub("", "\n".join(lines)).split())
    for sentence in SENTENCE_END.split(text):
        if SENTENCE.fullmatch(sentence):
            yield tuple(word.lower() for word in WORD.findall(sentence))
