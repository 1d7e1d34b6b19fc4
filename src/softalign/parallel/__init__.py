"""Real translations: read them from files, say what was skipped and why, download two corpora.

`read_pairs` reads tab-separated text, two files with one sentence a line, either of them gzipped,
and message catalogues (``.po``, ``.mo``). `sphinx_messages` reads a catalogue that every machine
with this book has. `download` fetches Multi30k and Tatoeba and checks that they are what we mean.
"""

from softalign.parallel.catalogue import sphinx_messages, strip_markup
from softalign.parallel.fetching import (
    DATASETS,
    Dataset,
    DownloadError,
    RemoteFile,
    cache_folder,
    download,
)
from softalign.parallel.reading import RawPair, Report, read_pairs

__all__ = [
    "DATASETS",
    "Dataset",
    "DownloadError",
    "RawPair",
    "RemoteFile",
    "Report",
    "cache_folder",
    "download",
    "read_pairs",
    "sphinx_messages",
    "strip_markup",
]
