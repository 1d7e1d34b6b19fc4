"""From posteriors to links: pairs ``(i, j)`` of a source and a target position, both from 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from softalign.ibm.bitext import Bitext, Chunk

__all__ = ["Aligner", "Link", "best_of_posterior", "links_of", "viterbi_links"]

Link = tuple[int, int]


@runtime_checkable
class Aligner(Protocol):
    """What every model of word alignment offers, in the direction of the bitext it learned from."""

    def e_step(self, chunk: Chunk) -> tuple[np.ndarray, float]:
        """Posterior of every cell of a chunk, and the chunk's log-likelihood (nats)."""
        ...

    def best(self, chunk: Chunk) -> np.ndarray:
        """Given position, from 1, of every generated word in the best alignment; 0 is NULL."""
        ...

    def posterior(self, given: tuple[str, ...], generated: tuple[str, ...]) -> np.ndarray:
        """Posterior of one sentence pair: a row for each generated word, column 0 is NULL."""
        ...


def best_of_posterior(
    chunk: Chunk, posterior: Float[np.ndarray, " cells"]
) -> Int[np.ndarray, " columns"]:
    """Most probable given position of every generated word, from 1; 0 is NULL.

    Of equally probable positions the first one is taken, and NULL only if it is strictly better.

    Page: 01_smt/word_alignment
    """
    best = []
    for group in chunk.groups:
        block = group.block(posterior)
        first = block[1:].argmax(axis=0) + 1
        highest = np.take_along_axis(block, first[None], axis=0)[0]
        best.append(np.where(block[0] > highest, 0, first))
    return np.concatenate(best)


def viterbi_links(model: Aligner, bitext: Bitext) -> list[frozenset[Link]]:
    """Links of the most probable alignment of every sentence pair of a bitext.

    Parameters
    ----------
    model : Aligner
        Trained on this bitext.
    bitext : Bitext

    Returns
    -------
    list of frozenset of (i, j)
        One set for each pair, source position first whatever the direction; a word that came from
        NULL has no link, and a pair with an empty side has none at all.

    Examples
    --------
    >>> from softalign.ibm import index, train_ibm1
    >>> bitext = index([(["书"], ["book"]), (["看", "书"], ["read", "book"])])
    >>> [sorted(links) for links in viterbi_links(train_ibm1(bitext), bitext)]
    [[(0, 0)], [(0, 0), (1, 1)]]

    Page: 01_smt/word_alignment
    """

    def found() -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for chunk in bitext.chunks:
            best = model.best(chunk)
            linked = best > 0
            yield chunk.sentence[linked], best[linked] - 1, chunk.position[linked]

    return links_of(bitext, found())


def links_of(
    bitext: Bitext, found: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> list[frozenset[Link]]:
    """Sets of links, one for each pair, from arrays (sentence, given position, generated position).

    Page: 01_smt/word_alignment
    """
    parts = list(found)
    if not parts:
        return [frozenset()] * len(bitext)
    sentence, given, generated = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(sentence, kind="stable")
    source, target = (generated, given) if bitext.reverse else (given, generated)
    links = list(zip(source[order].tolist(), target[order].tolist(), strict=True))
    ends = np.cumsum(np.bincount(sentence, minlength=len(bitext))).tolist()
    starts = [0, *ends[:-1]]
    return [frozenset(links[a:b]) for a, b in zip(starts, ends, strict=True)]
