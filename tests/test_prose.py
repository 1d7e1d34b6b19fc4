"""The English prose that every machine has."""

from __future__ import annotations

import numpy
import pytest

from softalign import prose as module
from softalign.prose import DIGEST, NUMPY_VERSION, _sentences, digest, prose

DOCSTRING = """Return a copy
of `x`, sorted.  It is ``not`` in-place.

Parameters
----------
x : array_like
    The array to sort. Must be
    one-dimensional [1]_.
key : int, optional
    Where x = 1 nothing is said. See :func:`numpy.sort` for more.

Examples
--------
Never read this sentence.

Notes
-----
>>> not_this.one(1)
Stable sorts keep the order of equal elements.
"""


def test_sentences_by_hand():
    assert [" ".join(sentence) for sentence in _sentences(DOCSTRING.replace("    ", ""))] == [
        "return a copy of x , sorted .",
        "it is not in-place .",
        "the array to sort .",
        "must be one-dimensional .",
        "see numpy.sort for more .",
        "stable sorts keep the order of equal elements .",
    ]


def test_everybody_reads_the_same_text():
    sentences = prose()
    assert numpy.__version__ == NUMPY_VERSION
    assert digest(sentences) == DIGEST
    assert len(set(sentences)) == len(sentences) > 4500
    assert sum(map(len, sentences)) > 70_000
    assert all(sentence[-1] == "." and len(sentence) > 1 for sentence in sentences)


def test_another_numpy_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(numpy, "__version__", "1.0.0")
    with pytest.warns(UserWarning, match=rf"NumPy {NUMPY_VERSION}, this is NumPy 1\.0\.0: "):
        prose()


def test_another_text_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "DIGEST", "0" * 64)
    with pytest.raises(ValueError, match="do not read as expected"):
        prose()
