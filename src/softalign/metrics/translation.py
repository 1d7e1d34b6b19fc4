"""BLEU, chrF and exact match of a corpus against sets of references.

Page: 01_smt/evaluation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Words = Sequence[str]


@dataclass(frozen=True)
class Score:
    """A corpus score with what is needed to compare it with somebody else's.

    Attributes
    ----------
    name : str
        ``"BLEU"`` or ``"chrF"``.
    value : float
        Between 0 and 100.
    signature : str
        sacrebleu's signature: two scores may be compared only if the signatures agree. In it,
        ``nrefs`` is the number of different references a sentence, or ``var``.
    detail : str
        What the value is made of; for BLEU the four precisions, the brevity penalty, the lengths.

    Examples
    --------
    >>> print(Score("BLEU", 12.345, "nrefs:1|tok:none", ""))
    BLEU 12.35 [nrefs:1|tok:none]

    Page: 01_smt/evaluation
    """

    name: str
    value: float
    signature: str
    detail: str = ""

    def __str__(self) -> str:
        """Name, value to two decimals, signature."""
        return f"{self.name} {self.value:.2f} [{self.signature}]"

    def __float__(self) -> float:
        """Return the value, so that ``f"{float(score):.1f}"`` and comparisons read easily."""
        return self.value


def bleu(
    hypotheses: Sequence[Words],
    references: Sequence[Sequence[Words]],
    *,
    smooth: str = "exp",
) -> Score:
    """Corpus BLEU: how many n-grams of the hypotheses occur in their references.

    For n = 1 to 4, the precision p_n is the number of n-grams of all hypotheses that occur in the
    references, divided by the number of n-grams of all hypotheses. An n-gram counts at most as
    often as it occurs in the *one* reference of its sentence that has most of it. With c words in
    the hypotheses and r words in the references (for each sentence the length nearest to that of
    the hypothesis, the shorter one if two are equally near), the value is
    ``100 * min(1, exp(1 - r / c)) * (p_1 p_2 p_3 p_4) ** (1 / 4)``.

    Parameters
    ----------
    hypotheses : sequence of sequences of str
        One sequence of words per sentence; it may be empty (the model said nothing).
    references : sequence of sequences of sequences of str
        For each sentence the set of accepted translations, at least one, in any number.
    smooth : {"exp", "none"}
        What to do with an order without any match: sacrebleu's default halves a pseudo-count, or
        nothing (the value is then 0). A corpus of ordinary size has matches of each order.

    Returns
    -------
    Score
        Value between 0 and 100, signature and detail.

    Raises
    ------
    ValueError
        Empty corpus, unequal numbers of sentences, a sentence without references, an empty
        reference, a word that is empty or contains white space, unknown `smooth`.
    TypeError
        A sentence given as one string, or one level of brackets too few.

    Notes
    -----
    Papineni, Roukos, Ward and Zhu (2002), "BLEU: a method for automatic evaluation of machine
    translation", ACL, pages 311-318, section 2.3; Post (2018), "A call for clarity in reporting
    BLEU scores", WMT, pages 186-191. It is a score of a corpus: values of single sentences mean
    little.

    Examples
    --------
    >>> said = [["the", "old", "book", "is", "here"]]
    >>> accepted = [[["the", "old", "book", "is", "here"], ["an", "old", "book", "is", "here"]]]
    >>> bleu(said, accepted).value
    100.0
    >>> round(bleu([["an", "old", "book", "is", "there"]], accepted, smooth="none").value, 2)
    66.87

    Page: 01_smt/evaluation
    """
    metric = _bleu(smooth)
    lines, columns = _as_lines(hypotheses, references)
    result = metric.corpus_score(lines, columns)
    precisions = "/".join(f"{p:.1f}" for p in result.precisions)
    detail = (
        f"precisions {precisions}, brevity penalty {result.bp:.3f}, "
        f"{result.sys_len} words for {result.ref_len}"
    )
    # exp(log(100)) is 100.00000000000004: the rounding is not a merit.
    value = min(100.0, float(result.score))
    return Score("BLEU", value, str(metric.get_signature()), detail)


def chrf(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> Score:
    """Corpus chrF: agreement of character n-grams, n = 1 to 6, with recall counting double.

    Precision and recall of each order are taken over the whole corpus and averaged over the orders;
    the value is ``100 * 5 P R / (4 P + R)``. An order of which hypotheses or references have no
    n-gram is left out, and spaces between words do not count. Of several references, each sentence
    is compared with the one that gives it the best score, the shorter one if two are equally good.

    Parameters
    ----------
    hypotheses : sequence of sequences of str
        One sequence of words per sentence; it may be empty.
    references : sequence of sequences of sequences of str
        For each sentence the set of accepted translations, at least one, in any number.

    Returns
    -------
    Score
        Value between 0 and 100, signature and detail.

    Raises
    ------
    ValueError, TypeError
        As for `bleu`.

    Notes
    -----
    Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation", WMT, pages
    392-395, equation 1 with beta = 2.

    Examples
    --------
    >>> chrf([["cats"]], [[["cats"], ["a", "cat"]]]).value
    100.0
    >>> round(chrf([["cat"]], [[["cats"]]]).value, 1)  # P = 1, R = (3/4 + 2/3 + 1/2) / 3
    68.9

    Page: 01_smt/evaluation
    """
    lines, columns = _as_lines(hypotheses, references)
    metric = _chrf()
    result = metric.corpus_score(lines, columns)
    value = min(100.0, float(result.score))
    return Score("chrF", value, str(metric.get_signature()), "character n-grams 1 to 6, beta 2")


def exact_match(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Share of the hypotheses that are, word for word, one of their references.

    Parameters
    ----------
    hypotheses : sequence of sequences of str
        One sequence of words per sentence; it may be empty, and then never matches.
    references : sequence of sequences of sequences of str
        For each sentence the set of accepted translations, at least one, in any number.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        As for `bleu`.

    Examples
    --------
    >>> accepted = [[["a", "dog"], ["one", "dog"]], [["two", "dogs"]]]
    >>> exact_match([["one", "dog"], ["two", "dog"]], accepted)
    0.5

    Page: 01_smt/evaluation
    """
    _check(hypotheses, references)
    return sum(_matches(hypotheses, references)) / len(hypotheses)


def _matches(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[bool]:
    """For each hypothesis, whether it is one of its references."""
    return [
        any(tuple(said) == tuple(reference) for reference in accepted)
        for said, accepted in zip(hypotheses, references, strict=True)
    ]


def _bleu(smooth: str) -> Any:
    """Return sacrebleu's BLEU for text that is already split into words."""
    if smooth not in ("exp", "none"):
        raise ValueError(f"smooth is {smooth!r}, expected 'exp' or 'none'")
    from sacrebleu.metrics import BLEU

    # force: the words are separated on purpose, sacrebleu need not warn about " ." at line ends.
    return BLEU(tokenize="none", force=True, smooth_method=smooth)


def _chrf() -> Any:
    """Return sacrebleu's chrF."""
    from sacrebleu.metrics import CHRF

    return CHRF()


def _check(hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]) -> None:
    """Raise if the two do not have the shape that every metric of this module expects."""
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise TypeError("hypotheses or references are one string, expected a sequence of sentences")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"{len(hypotheses)} hypotheses but references for {len(references)} sentences, "
            "expected the same number"
        )
    if len(hypotheses) == 0:
        raise ValueError("there are no sentences, expected at least one")
    for number, (said, accepted) in enumerate(zip(hypotheses, references, strict=True), start=1):
        _check_words(said, f"hypothesis {number}")
        if isinstance(accepted, str) or any(isinstance(reference, str) for reference in accepted):
            raise TypeError(
                f"the references of sentence {number} are not a sequence of word sequences; "
                "put a single reference into brackets of its own"
            )
        if len(accepted) == 0:
            raise ValueError(f"sentence {number} has no reference, expected at least one")
        for which, reference in enumerate(accepted, start=1):
            _check_words(reference, f"reference {which} of sentence {number}")
            if len(reference) == 0:
                raise ValueError(f"reference {which} of sentence {number} has no words")


def _check_words(words: Words, what: str) -> None:
    """Raise unless `words` are words: an empty one, or one with a space, would spoil the counts."""
    if isinstance(words, str):
        raise TypeError(f"{what} is one string, expected a sequence of words")
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{what} contains {word!r}, expected words")
        if word.split() != [word]:
            raise ValueError(f"{what} contains {word!r}, expected words without white space")


def _as_lines(
    hypotheses: Sequence[Words], references: Sequence[Sequence[Words]]
) -> tuple[list[str], list[list[str | None]]]:
    """Turn words into what sacrebleu takes: lines, and one column for the k-th reference of each.

    Repeated references are dropped and the rest sorted by length, then by text: sacrebleu's chrF
    takes the first of equally good references, so its value would depend on their order.
    Columns must be equally long; where a sentence has fewer references than another, None stands
    for "no such reference", which sacrebleu leaves out (an empty string would be a reference of
    length 0 and would lift the brevity penalty).
    """
    _check(hypotheses, references)
    sets = [
        sorted({" ".join(reference) for reference in accepted}, key=lambda line: (len(line), line))
        for accepted in references
    ]
    width = max(map(len, sets))
    columns = [[lines[k] if k < len(lines) else None for lines in sets] for k in range(width)]
    return [" ".join(said) for said in hypotheses], columns
