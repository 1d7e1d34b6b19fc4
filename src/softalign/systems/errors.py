"""What can be wrong with the folder of a trained system."""

from __future__ import annotations

__all__ = ["FolderError"]


class FolderError(ValueError):
    """A folder that holds no system that can be used; the message is one sentence, with the file.

    Page: your_own_text
    """
