"""Systems: translators of every family of the book, trained on any text and kept in a folder.

`train_system` makes one, `load_system` reads it again, ``System.translate`` uses it. `Settings`
says what may be chosen, `FAMILIES` which families there are.

Page: your_own_text
"""

from softalign.systems.errors import FolderError
from softalign.systems.segmentation import Segmenter
from softalign.systems.settings import FAMILIES, NEURAL, STATISTICAL, Settings
from softalign.systems.system import Output, System, load_system
from softalign.systems.training import train_system

__all__ = [
    "FAMILIES",
    "NEURAL",
    "STATISTICAL",
    "FolderError",
    "Output",
    "Segmenter",
    "Settings",
    "System",
    "load_system",
    "train_system",
]
