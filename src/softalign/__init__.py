"""Sequence models from statistical translation to the Transformer, written to be read.

Every module does one thing the book explains, and imports only modules that come before it in
the reading order (``tests/test_house.py`` holds that order).
"""

__version__ = "0.1.0"
