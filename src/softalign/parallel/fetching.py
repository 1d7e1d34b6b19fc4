"""Two public corpora: where they are, how to know that they are the right ones, how to get them."""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

__all__ = ["DATASETS", "Dataset", "DownloadError", "RemoteFile", "cache_folder", "download"]

_CHUNK = 1 << 16
_ATTEMPTS = 4


class DownloadError(OSError):
    """A file could not be fetched, or is not the one we mean; the message says what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus.

    Attributes
    ----------
    name : str
        Name under which it is kept.
    address : str
        Where it is, at a fixed revision.
    size : int
        Bytes.
    sha256 : str
        Digest of the content, 64 hexadecimal digits.

    Page: corpus
    """

    name: str
    address: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """A corpus that can be downloaded.

    Attributes
    ----------
    title : str
        What it is, in a line.
    licence : str
        Under which terms it may be used.
    credit : str
        Whom to name, and the paper to cite.
    files : tuple of RemoteFile
        What is fetched.

    Page: corpus
    """

    title: str
    licence: str
    credit: str
    files: tuple[RemoteFile, ...]


_MULTI30K = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/tok/"
)
_MULTI30K_FILES = (
    (
        "train.lc.norm.tok.de",
        2_150_008,
        "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505",
    ),
    (
        "train.lc.norm.tok.en",
        1_837_696,
        "08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119",
    ),
    (
        "val.lc.norm.tok.de",
        77_273,
        "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00",
    ),
    (
        "val.lc.norm.tok.en",
        64_608,
        "46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec",
    ),
    (
        "test_2016_flickr.lc.norm.tok.de",
        71_917,
        "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4",
    ),
    (
        "test_2016_flickr.lc.norm.tok.en",
        63_307,
        "5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2",
    ),
)

DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        "multi30k": Dataset(
            "Multi30k, task 1: 29,000 + 1,014 + 1,000 captions of photographs, German and "
            "English, tokenised and in lower case",
            "no licence file; for research and teaching that is not commercial (the photographs, "
            "which are not fetched, are Flickr's)",
            "Elliott, Frank, Sima'an and Specia (2016), Multi30K: multilingual English-German "
            "image descriptions, Workshop on Vision and Language, pages 70-74",
            tuple(RemoteFile(name, _MULTI30K + name, *rest) for name, *rest in _MULTI30K_FILES),
        ),
        "tatoeba": Dataset(
            "Tatoeba's English-Chinese sentence pairs as ManyThings.org collected them: 29,155 "
            "lines of English, Chinese, authors",
            "CC BY 2.0 France: name the authors, who stand in the third column",
            "Tatoeba.org and its contributors; Charles Kelly, ManyThings.org/anki",
            (
                RemoteFile(
                    "cmn.txt",
                    "https://raw.githubusercontent.com/13luoyu/Transformer-machine-translation/"
                    "aa43963320ccfacebd1d3542deae559bbca58d03/cmn.txt",
                    4_151_383,
                    "aa264a2447b26ab7c9d413f8321f9e2a779fd134b5118306b6e26a3499b3926e",
                ),
            ),
        ),
    }
)
"""What `download` knows. Sizes and digests belong to the revision in the address."""


def cache_folder() -> Path:
    """Return the folder in which downloads are kept, by the rules of the operating system.

    Returns
    -------
    pathlib.Path
        On Linux ``$XDG_CACHE_HOME/softalign`` or ``~/.cache/softalign``. Not created by this call.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True

    Page: corpus
    """
    from platformdirs import user_cache_path

    return user_cache_path("softalign", appauthor=False)


def download(name: str, folder: str | Path | None = None, *, progress: bool | None = None) -> Path:
    """Fetch a corpus, unless it is there already, and check every byte of it.

    A file that arrives in pieces is kept as ``NAME.part``; the next call goes on where the last one
    stopped. Under its own name a file appears only when size and digest are right.

    Parameters
    ----------
    name : str
        ``"multi30k"`` (German-English, 4.3 MB) or ``"tatoeba"`` (Chinese-English, 4.2 MB).
    folder : path, optional
        Where to keep the files; a folder `name` in `cache_folder` if not given.
    progress : bool, optional
        Whether to draw a progress bar on standard error; if not given, only for a terminal.

    Returns
    -------
    pathlib.Path
        The folder with the files, ready for `read_pairs`.

    Raises
    ------
    ValueError
        There is no corpus of this name.
    DownloadError
        No network, an error of the server, or a file that is not the right one; the sentence says
        which file to put where instead.

    Examples
    --------
    After ``folder = download("tatoeba")``, Chinese-English pairs come from
    ``read_pairs(folder / "cmn.txt", columns=(1, 0))``. How many bytes Multi30k has:

    >>> sum(file.size for file in DATASETS["multi30k"].files)
    4264809

    Page: corpus
    """
    if name not in DATASETS:
        raise ValueError(f"there is no corpus {name!r}, expected one of {', '.join(DATASETS)}")
    folder = cache_folder() / name if folder is None else Path(folder)
    for file in DATASETS[name].files:
        target = folder / file.name
        if target.exists():
            if wrong := _what_is_wrong(target, file):
                raise DownloadError(f"{target} {wrong}: delete it and call download again")
            continue
        _fetch(file, target, progress)
    return folder


def _fetch(file: RemoteFile, target: Path, progress: bool | None) -> None:
    """Fetch one file into ``target.part``, check it, and only then give it its name."""
    from tqdm import tqdm

    part = target.with_name(target.name + ".part")
    with tqdm(
        total=file.size,
        desc=file.name,
        unit="B",
        unit_scale=True,
        disable=None if progress is None else not progress,
    ) as bar:
        for _ in range(_ATTEMPTS):
            try:
                _continue(file, part, bar)
            except urllib.error.HTTPError as error:
                error.close()
                raise DownloadError(
                    f"{file.address} answers {error.code} {error.reason}: {_instead(file, target)}"
                ) from error
            except urllib.error.URLError as error:
                raise DownloadError(
                    f"{file.address} cannot be reached ({error.reason}): {_instead(file, target)}"
                ) from error
            except (ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException):
                pass  # it broke off; what has come is kept
            except OSError as error:
                raise DownloadError(f"{part} cannot be written ({error.strerror})") from error
            have = _size(part)
            if have >= file.size:
                break
        else:
            raise DownloadError(
                f"{file.address} broke off {_ATTEMPTS} times, {have:,} of {file.size:,} bytes are "
                f"kept: call download again, or {_instead(file, target)}"
            )
    if wrong := _what_is_wrong(part, file):
        part.unlink()
        raise DownloadError(
            f"what came from {file.address} {wrong}, and was not kept: {_instead(file, target)}"
        )
    os.replace(part, target)


def _continue(file: RemoteFile, part: Path, bar) -> None:
    """Ask for what is still missing and append it, until it is all there or the line breaks."""
    part.parent.mkdir(parents=True, exist_ok=True)
    have = _size(part)
    if have >= file.size:
        return
    headers = {"User-Agent": "softalign", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(file.address, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        if not (have and answer.status == 206 and _starts_at(answer, have)):
            have = 0  # the server sends the whole file, whatever was asked
        bar.update(have - bar.n)
        with part.open("r+b" if have else "wb") as out:
            out.seek(have)
            while have <= file.size and (chunk := answer.read(_CHUNK)):
                out.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _starts_at(answer: http.client.HTTPResponse, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _what_is_wrong(path: Path, file: RemoteFile) -> str:
    """Say how a file differs from the one we mean, or return an empty string."""
    size = path.stat().st_size
    if size != file.size:
        return f"has {size:,} bytes, expected {file.size:,}"
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return "" if digest == file.sha256 else f"has SHA-256 {digest}, expected {file.sha256}"


def _instead(file: RemoteFile, target: Path) -> str:
    return (
        f"get it with another machine or on another day and put it at {target} "
        f"({file.size:,} bytes, SHA-256 {file.sha256})"
    )
