"""Keep a drawn corpus on disk, so that the second notebook does not draw it again.

The file is JSON, is written under another name and then renamed, and carries a digest of itself:
a broken or foreign file is simply not used.

Page: corpus
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from softalign.corpus.build import Pair

Pairs = Mapping[str, tuple[Pair, ...]]


def encode(corpus: Pairs) -> bytes:
    """Return the corpus as bytes, the same for the same pairs."""
    rows = {
        name: [
            [
                " ".join(pair.source),
                [" ".join(reference) for reference in pair.references],
                [n for link in sorted(pair.sure) for n in link],
                [n for link in sorted(pair.possible - pair.sure) for n in link],
                " ".join(pair.pinyin),
            ]
            for pair in pairs
        ]
        for name, pairs in corpus.items()
    }
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes) -> dict[str, tuple[Pair, ...]]:
    """Undo `encode`."""
    corpus = {}
    for name, rows in json.loads(body).items():
        pairs = []
        for source, english, sure, possible, pinyin in rows:
            references = tuple(tuple(reference.split(" ")) for reference in english)
            links = frozenset(zip(sure[::2], sure[1::2], strict=True))
            more = frozenset(zip(possible[::2], possible[1::2], strict=True))
            pairs.append(
                Pair(
                    tuple(source.split(" ")),
                    references[0],
                    references,
                    links,
                    links | more,
                    tuple(pinyin.split(" ")),
                )
            )
        corpus[name] = tuple(pairs)
    return corpus


def digest(corpus: Pairs) -> str:
    """Return the SHA-256 of the corpus, in hexadecimal."""
    return hashlib.sha256(encode(corpus)).hexdigest()


def cache_path(key: str) -> Path:
    """Return where the corpus with this key is kept."""
    return user_cache_path("softalign") / f"corpus-{key[:16]}.json"


def read(key: str) -> dict[str, tuple[Pair, ...]] | None:
    """Return the kept corpus, or None if there is none that can be trusted."""
    try:
        stored, body = cache_path(key).read_bytes().split(b"\n", 1)
        if stored.decode() != f"{key} {hashlib.sha256(body).hexdigest()}":
            return None
        return decode(body)
    except (OSError, ValueError, TypeError):
        return None


def write(key: str, corpus: Pairs) -> None:
    """Keep the corpus; where nothing can be written, do nothing."""
    body = encode(corpus)
    path = cache_path(key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{key} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
