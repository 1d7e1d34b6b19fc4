"""The registers of the book: what its numbered equations say, and what it has measured.

`equations.yml` and `claims.yml` are written by hand, `measured.json` by ``tools/claims.py``, the
functions of `checks` compute both sides of each equation.
"""
