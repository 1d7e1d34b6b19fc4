"""How surprised a language model is: perplexity and bits a character.

Page: 01_smt/language_model
"""

from __future__ import annotations

import math


def perplexity(total_log_prob: float, count: int) -> float:
    """Turn the log-probability of a text into a perplexity: ``exp(-total_log_prob / count)``.

    A model that gives each of `count` words the probability 1/k has the perplexity k, so it is the
    number of words among which the model hesitates; *lower is better*, and 1 is the least.

    Parameters
    ----------
    total_log_prob : float
        Natural logarithm of the probability of the text (nats), at most 0.
    count : int
        How many predictions the total sums over; the ends of sentences too, if they were predicted.

    Returns
    -------
    float
        At least 1; infinite if the probability is 0 or the number too large for a float.

    Raises
    ------
    ValueError
        `count` is not positive, or the logarithm is above 0 or not a number.

    Notes
    -----
    Jelinek, Mercer, Bahl and Baker (1977), "Perplexity: a measure of the difficulty of speech
    recognition tasks", JASA 62(S1), S63.

    Examples
    --------
    >>> import math
    >>> round(perplexity(3 * math.log(1 / 8), 3), 6)
    8.0

    Page: 01_smt/language_model
    """
    nats = _per_event(total_log_prob, count, "count")
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def bits_per_char(total_log_prob: float, n_chars: int) -> float:
    """Bits a character: ``-total_log_prob / (n_chars * ln 2)``.

    The number of characters does not depend on how a text was cut into words, so models with
    different vocabularies can be compared by it, as long as each pays for every word.

    Parameters
    ----------
    total_log_prob : float
        Natural logarithm of the probability of the text (nats), at most 0.
    n_chars : int
        Number of characters of the text, counted with whatever stands between words and at the
        ends of sentences if the model had to predict that.

    Returns
    -------
    float
        At least 0; infinite if the probability is 0.

    Raises
    ------
    ValueError
        `n_chars` is not positive, or the logarithm is above 0 or not a number.

    Examples
    --------
    >>> import math
    >>> round(bits_per_char(10 * math.log(1 / 4), 10), 6)
    2.0

    Page: 01_smt/language_model
    """
    return _per_event(total_log_prob, n_chars, "n_chars") / math.log(2)


def _per_event(total_log_prob: float, count: int, name: str) -> float:
    """Average of minus the log-probability, in nats, never below 0."""
    if not count > 0:
        raise ValueError(
            f"{name} is {count}, expected at least 1: there is nothing to average over"
        )
    nats = -total_log_prob / count
    if not nats >= -1e-9:  # also true of NaN; a sum of logarithms of 1 may miss 0 by a rounding
        raise ValueError(
            f"the total log-probability is {total_log_prob}, expected at most 0: "
            "it is the logarithm of a probability"
        )
    return max(0.0, nats)
