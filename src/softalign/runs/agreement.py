"""Does a live training begin as the stored one did?

Page: 02_rnn/rnn
"""

from __future__ import annotations

from collections.abc import Sequence

from softalign.runs.model import Row

TOLERANCE = 1e-4
"""Largest relative difference of a live loss from the stored one.

Measured on the first losses of the recurrent experiments: 1e-6 or less between the vector units of
several generations of processors, and between single and double precision; 2e-3 or more where the
learning rate is 1 % higher. Storing six digits adds up to 5e-6. Where gradients explode, rounding
explodes with them: 2e-4 was seen within 20 steps of an orthogonal RNN over 25 numbers, 1e-3 over
100. A page trains a calmer row."""


def agrees(losses: Sequence[float], row: Row, *, tolerance: float = TOLERANCE) -> bool:
    """Assert that the first losses of a live training are the stored ones.

    Parameters
    ----------
    losses : sequence of float
        Of a training with the configuration of the row, from its first step. It may be shorter than
        the stored one, but not shorter than what is stored loss by loss (20 steps).
    row : Row
        What is stored.
    tolerance : float
        Largest relative difference. Other processors and numbers of threads add in another order,
        which changes the last digits, and training makes the difference grow.

    Returns
    -------
    bool
        True, so that a page can say ``assert agrees(…)``.

    Raises
    ------
    AssertionError
        A loss differs; the message says at which step and by how much.
    ValueError
        Fewer losses than are stored one by one.

    Examples
    --------
    >>> row = Row({"seed": 0}, "", {}, 2, 1, 0.1, {}, (2.0, 1.5), (2.0, 1.5))
    >>> agrees([2.0, 1.50001, 1.2], row)
    True
    >>> agrees([2.0, 1.6, 1.2], row)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: step 1 has the loss 1.6 and the stored run 1.5: they differ by 6.7e-02, ...

    Page: 02_rnn/rnn
    """
    first = row.first_losses
    if len(losses) < len(first):
        raise ValueError(f"there are {len(losses)} losses, expected at least {len(first)}")
    for step, (live, kept) in enumerate(zip(losses, first, strict=False)):
        difference = abs(live - kept) / max(abs(kept), 1e-6)
        if not difference <= tolerance:  # also where the loss is not a number
            raise AssertionError(
                f"step {step} has the loss {live:.6g} and the stored run {kept:.6g}: "
                f"they differ by {difference:.1e}, allowed is {tolerance:.0e}"
            )
    return True
