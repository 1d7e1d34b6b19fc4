"""The two statistical families on any parallel text: trained, saved, and loaded without trust.

"word-for-word" takes for each word its likeliest translation by the linked words, in the order of
the source, without a language model. "phrases" is the phrase-based system: phrase table, language
model, reordering, tuned weights.

A saved system is three files. The numbers are NumPy archives, uncompressed and without pickle, and
not an ARPA file for the language model: ARPA rounds to nine digits of a base-10 logarithm, and a
loaded system is to translate as the trained one did, bit for bit. `decoder.json` holds weights,
search settings and the SHA-256 of the two archives, so that files of two trainings do not mix.

Page: your_own_text
"""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from softalign.aligner import align, usable
from softalign.ibm import check_pairs
from softalign.language_model import BEGIN, END, NGramModel
from softalign.language_model import train as train_language_model
from softalign.phrases import build_table
from softalign.stack_decoder import FEATURES, UNTUNED, StackDecoder, tune
from softalign.systems.archives import naming, pack, require, unpack, write
from softalign.systems.errors import FolderError
from softalign.systems.packing import pack_model, pack_table, read_model, read_table
from softalign.systems.settings import STATISTICAL

__all__ = ["load_statistical", "save_statistical", "train_statistical"]

# the weights of "word-for-word"
ALONE = {**dict.fromkeys(FEATURES, 0.0), "phrase_direct": 1.0, "copied": -10.0}
# of the links: a dictionary wants sure ones, phrases want many
THRESHOLDS = {"word-for-word": 0.3, "phrases": 0.02}
# Longest jump, in source words: measured 8 BLEU more than 4 on the running corpus; on German, that
# does not need it, the search takes half as long again.
JUMP = 8
# Longer validation pairs are not tuned on: the time of a search grows faster than the sentence. On
# fewer pairs nothing is: weights tuned on 20 were worse than those that the tuning starts from.
LONGEST_TUNED, FEWEST_TUNED = 50, 30

PHRASES, LANGUAGE, SETTINGS = "phrases.npz", "language_model.npz", "decoder.json"
FORMAT, VERSION = "softalign statistical system", 1
LARGEST_SETTINGS = 100_000

Words = Sequence[str]
Pairs = Sequence[tuple[Words, Words]]


def train_statistical(
    family: str,
    pairs: Pairs,
    validation: Pairs,
    *,
    order: int = 5,
    tuned_on: int = 300,
    seed: int = 0,
    progress: bool = False,
) -> StackDecoder:
    """Train a statistical system on sentence pairs.

    Parameters
    ----------
    family : {"word-for-word", "phrases"}
    pairs : sequence of (source words, target words)
        Pairs with an empty side, or one of more than 200 words, are left out. A target sentence
        that holds ``<s>`` or ``</s>`` is left out of the language model.
    validation : sequence of (source words, target words)
        "phrases" tunes its weights on these; with fewer than 30 it keeps those it starts from.
    order : int
        Longest n-grams of the language model of "phrases".
    tuned_on : int
        How many validation pairs to tune on at most: the first that have at most 50 words a side.
    seed : int
        Of the climbs of the tuning; nothing else is drawn.
    progress : bool
        Show bars on standard error.

    Returns
    -------
    StackDecoder

    Raises
    ------
    ValueError
        Unknown family, an order below 1, a negative `tuned_on`, no pair to train on, or pairs that
        teach no translation of any word.
    TypeError
        A side is one string instead of a sequence of words.

    Notes
    -----
    A corpus too small to estimate the discounts of modified Kneser-Ney from gets fixed ones, and
    the order is at most what its longest sentence can fill.

    Examples
    --------
    >>> pairs = [("看 书".split(), "read books".split()), (["书"], ["books"])]
    >>> train_statistical("word-for-word", pairs, []).translate("看 报".split())
    ['read', '报']

    Page: your_own_text
    """
    if family not in STATISTICAL:
        raise ValueError(f"family is {family!r}, expected one of {', '.join(STATISTICAL)}")
    if order < 1:
        raise ValueError(f"the order is {order}, expected a whole number from 1 on")
    if tuned_on < 0:
        raise ValueError(f"tuned_on is {tuned_on}, expected 0 or more")
    check_pairs(pairs)
    check_pairs(validation)
    kept = [pair for pair in pairs if usable(*pair)]
    if not kept:
        raise ValueError(
            f"none of {len(pairs)} training pairs can be used, expected at least one "
            "with words on both sides and at most 200 on each"
        )
    alone = family == "word-for-word"
    # a model that knows no word; its weight is 0
    spoken = train_language_model([()], 1, "add_k") if alone else _speak(kept, order)
    links = align(kept, threshold=THRESHOLDS[family], progress=progress)
    try:
        table = build_table(kept, links, max_length=1 if alone else 7)
    except ValueError as problem:
        raise ValueError(
            f"{len(kept)} training pairs teach no translation of any word, "
            "expected more pairs, or pairs that differ more"
        ) from problem
    if alone:
        return StackDecoder(table, spoken, ALONE, beam=10, max_options=10, distortion_limit=0)
    plain = StackDecoder(table, spoken, UNTUNED, beam=10, max_options=10, distortion_limit=JUMP)
    held = [pair for pair in validation if usable(*pair, max_words=LONGEST_TUNED)][:tuned_on]
    if len(held) >= FEWEST_TUNED:
        sources, references = [x for x, _ in held], [[y] for _, y in held]
        plain, _ = tune(
            plain, sources, references, rounds=3, n=50, starts=1, seed=seed, progress=progress
        )
    return replace(plain, beam=20, max_options=20)


def _speak(pairs: Pairs, order: int) -> NGramModel:
    """Train the language model of the target sides."""
    sentences = [target for _, target in pairs if not {BEGIN, END} & set(target)]
    if not sentences:
        raise ValueError(f"every target sentence holds {BEGIN} or {END}, expected plain words")
    longest = 2 + max(map(len, sentences))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "discounts of the lengths", UserWarning)
        return train_language_model(sentences, min(order, longest))


def save_statistical(decoder: StackDecoder, folder: str | Path) -> None:
    """Write a system into a folder, which is made if it is not there.

    No file is seen before all have been written to the disk, and `decoder.json` is the last to get
    its name; until then a system that was there before is not replaced, or cannot be loaded.
    The same system gives the same bytes.

    Parameters
    ----------
    decoder : StackDecoder
        With an n-gram model.
    folder : str or Path

    Raises
    ------
    TypeError
        The language model is not an `NGramModel`.
    ValueError
        The decoder holds what no loaded one may, for example a feature that is not finite.
    OSError
        What the system says, for example that the disk is full.

    Page: your_own_text
    """
    model = decoder.language_model
    if not isinstance(model, NGramModel):
        raise TypeError(f"the language model is a {type(model).__name__}, expected an NGramModel")
    settings = {
        "format": FORMAT,
        "version": VERSION,
        "weights": {name: float(value) for name, value in decoder.weights.items()},
        "beam": decoder.beam,
        "threshold": None if decoder.threshold == math.inf else float(decoder.threshold),
        "distortion_limit": decoder.distortion_limit,
        "max_options": decoder.max_options,
    }
    files = {PHRASES: pack(pack_table(decoder.table)), LANGUAGE: pack(pack_model(model))}
    settings["files"] = {name: _digest(data) for name, data in files.items()}
    settings["sha256"] = _digest(json.dumps(settings, sort_keys=True).encode())
    files[SETTINGS] = (json.dumps(settings, indent=2) + "\n").encode()
    _assemble(files, Path(folder), ValueError)
    write(files, Path(folder))


def load_statistical(folder: str | Path) -> StackDecoder:
    """Read a system from a folder, and believe nothing that the files say.

    Parameters
    ----------
    folder : str or Path
        What `save_statistical` wrote.

    Returns
    -------
    StackDecoder
        It gives the same translations and scores as the one that was saved.

    Raises
    ------
    FolderError
        A file is missing, damaged, of another version or of another training, or holds what a
        decoder cannot work with; the message names it. No file can make this function run code.

    Page: your_own_text
    """
    folder, files = Path(folder), {}
    for name in (SETTINGS, PHRASES, LANGUAGE):
        try:
            with open(folder / name, "rb") as file:
                files[name] = file.read(LARGEST_SETTINGS if name == SETTINGS else -1)
        except OSError as problem:
            raise FolderError(
                f"{folder / name}: cannot be read ({problem.strerror}), "
                "expected a file of a trained system"
            ) from problem
    return _assemble(files, folder, FolderError)


def _assemble(files: Mapping[str, bytes], folder: Path, error: type[ValueError]) -> StackDecoder:
    """Make a decoder of the contents of the three files."""
    with naming(folder / SETTINGS, error):
        settings = _settings(files[SETTINGS])
        digests = settings.pop("files")
    made = []
    for name, make in ((PHRASES, read_table), (LANGUAGE, read_model)):
        with naming(folder / name, error):
            require(
                _digest(files[name]) == digests[name],
                f"not the file that {SETTINGS} was written with: damaged, or of another training",
            )
            made.append(make(unpack(files[name])))
    return StackDecoder(*made, **settings)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _settings(data: bytes) -> dict:
    """Weights, search settings and digests, checked."""
    require(len(data) < LARGEST_SETTINGS, f"larger than {LARGEST_SETTINGS} bytes")
    found = json.loads(data)
    require(
        isinstance(found, dict) and found.get("format") == FORMAT,
        f"does not say that it belongs to a {FORMAT}",
    )
    version, own = found.get("version"), found.pop("sha256", None)
    require(version == VERSION, f"version {version!r:.20}, expected version {VERSION}")
    require(
        _digest(json.dumps(found, sort_keys=True).encode()) == own,
        "damaged: not what was written",
    )
    del found["format"], found["version"]
    names = {"weights", "beam", "threshold", "distortion_limit", "max_options", "files"}
    require(set(found) == names, f"expected exactly the settings {', '.join(sorted(names))}")
    files = found["files"]
    require(
        isinstance(files, dict) and set(files) == {PHRASES, LANGUAGE},
        f"expected the digests of {PHRASES} and {LANGUAGE}",
    )
    weights = found["weights"]
    require(
        isinstance(weights, dict)
        and set(weights) == set(FEATURES)
        and all(_number(value, float) for value in weights.values()),
        f"expected a finite weight for each of {', '.join(FEATURES)}",
    )
    found["weights"] = {name: float(value) for name, value in weights.items()}
    for name, lowest in (("beam", 1), ("distortion_limit", 0), ("max_options", 1)):
        value = found[name]
        fits = _number(value, int) and value >= lowest
        optional = name != "max_options" and value is None
        require(fits or optional, f"{name} is {value!r:.20}, expected at least {lowest}")
    value = found["threshold"]
    fits = value is None or (_number(value, float) and value >= 0)
    require(fits, f"threshold is {value!r:.20}, expected at least 0")
    found["threshold"] = math.inf if value is None else float(value)
    return found


def _number(value: object, kind: type) -> bool:
    """Whether a value of a JSON file is a finite number, or a whole one."""
    return isinstance(value, int | kind) and not isinstance(value, bool) and math.isfinite(value)
