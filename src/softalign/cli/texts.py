"""The parallel text of a command: its files, the names of known corpora, and its parts."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from softalign.cli.align import TOKENS, _at_least_one, read_words
from softalign.cli.messages import CommandError

__all__ = ["Texts", "add_text_arguments", "read_texts"]

NAMED = ("multi30k", "tatoeba")
SPECIAL = "contains <s>, </s>, <pad> or <unk>"
Words = tuple[str, ...]
Pairs = list[tuple[Words, Words]]


@dataclass
class Texts:
    """Sentence pairs as words, in parts that share no sentence.

    Attributes
    ----------
    name : str
    files : list of str
    train, validation, test : lists of (source words, target words)
        The test is empty where none was asked for.
    left_out : Counter
        How many pairs were not used, for each reason.
    sentences : list of str
        What there is to say of them.
    tokens : (str, str)
        How source and target were cut.

    Page: your_own_text
    """

    name: str
    files: list[str]
    train: Pairs
    validation: Pairs
    test: Pairs
    left_out: Counter = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)
    tokens: tuple[str, str] = ("space", "space")


def add_text_arguments(parser: argparse.ArgumentParser, *, test: bool) -> None:
    """Declare the files, and what a word is.

    Page: your_own_text
    """
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="one file of lines 'source TAB target', or two files, source and target; UTF-8, plain "
        "or gzipped; or the name of a corpus to fetch: " + " or ".join(NAMED),
    )
    parts = parser.add_argument_group("parts of the text")
    names = ("validation", "test") if test else ("validation",)
    for name in names:
        parts.add_argument(
            f"--{name}",
            nargs="+",
            metavar="FILE",
            help=f"{name} pairs, in one file or two; without it they are drawn from the text, such "
            "that no sentence of theirs is in the training pairs",
        )
        parts.add_argument(
            f"--{name}-size",
            type=_at_least_one,
            metavar="N",
            help="how many pairs to draw (default: 5 %% of the text, 1,000 at most)",
        )
    parts.add_argument(
        "--split-seed", type=int, default=0, metavar="N", help="draw other pairs (default: 0)"
    )
    parts.add_argument(
        "--swap", action="store_true", help="the second column, or file, is the source"
    )
    words = parser.add_argument_group("words")
    for side, name in (("src", "source"), ("tgt", "target")):
        words.add_argument(
            f"--{side}-tokens",
            choices=TOKENS,
            default=None,
            help=f"what a word of the {name} is: what stands between spaces (default); each "
            "Chinese character, each other word and each mark by itself; the same with Chinese "
            "words from a dictionary",
        )
    words.add_argument("--lower", action="store_true", help="take capital and small letters alike")
    words.add_argument(
        "--max-words",
        type=_at_least_one,
        default=100,
        metavar="N",
        help="nothing is learnt from a pair with a longer side (default: 100)",
    )
    words.add_argument(
        "--strict", action="store_true", help="stop at the first line that cannot be used"
    )


def read_texts(args: argparse.Namespace, *, test: bool, progress: bool) -> Texts:
    """Read the files of the arguments, and part them.

    Raises
    ------
    CommandError
        One plain sentence: a file, a line, a reason.

    Page: your_own_text
    """
    files, given, swap, tokens = _files_of(args, test)
    for name, some in (("the text", files), *given.items()):
        if len(some) > 2:
            raise CommandError(f"{len(some)} files were given for {name}, expected one or two", 2)
    texts = Texts(Path(args.files[0]).name, [*files], [], [], [], tokens=tokens)
    whole = _read(files, texts, args, swap, progress)
    held = {name: _read(some, texts, args, swap, progress) for name, some in given.items()}
    texts.validation, texts.test = held.get("validation", []), held.get("test", [])
    parts = ("validation", "test") if test else ("validation",)
    drawn = [name for name in parts if name not in held]
    if held:
        whole = _without_overlap(whole, [pair for part in held.values() for pair in part], texts)
    texts.train = _draw(whole, drawn, texts, args) if drawn else whole
    return texts


def _files_of(
    args: argparse.Namespace, test: bool
) -> tuple[list[str], dict[str, list[str]], bool, tuple[str, str]]:
    """Files of the text, files of its parts, whether to swap, how to cut."""
    parts = {
        name: getattr(args, name)
        for name in (("validation", "test") if test else ("validation",))
        if getattr(args, name)
    }
    tokens = (args.src_tokens or "space", args.tgt_tokens or "space")
    name = args.files[0]
    if len(args.files) > 1 or name not in NAMED or os.path.exists(name):
        return args.files, parts, args.swap, tokens
    from softalign.parallel import download

    folder = download(name)  # its errors are sentences, with what to do
    if name == "tatoeba":  # English, Chinese, authors
        chosen = (args.src_tokens or "char", args.tgt_tokens or "char")
        return [str(folder / "cmn.txt")], parts, not args.swap, chosen
    sides = ("de", "en")
    for part, stem in (("validation", "val"), ("test", "test_2016_flickr")):
        if part == "validation" or test:
            parts.setdefault(part, [str(folder / f"{stem}.lc.norm.tok.{side}") for side in sides])
    return [str(folder / f"train.lc.norm.tok.{side}") for side in sides], parts, args.swap, tokens


def _read(
    files: Sequence[str], texts: Texts, args: argparse.Namespace, swap: bool, progress: bool
) -> Pairs:
    from softalign.text import SPECIALS

    options = {"lower": args.lower, "max_words": args.max_words, "strict": args.strict}
    cut = texts.tokens[::-1] if swap else texts.tokens
    read, report = read_words(files, tokens=cut, progress=progress, **options)
    pairs: Pairs = []
    for number, pair in enumerate(read, start=1):
        if not pair[0]:
            continue
        if any(word in SPECIALS for side in pair for word in side):
            report.unusable[SPECIAL] += 1
            report.first.setdefault(SPECIAL, number)
            continue
        pairs.append(pair[::-1] if swap else pair)
    texts.left_out.update(report.unusable)
    shown = " and ".join(files)
    texts.sentences += [
        f"{shown}: {sentence.replace('got no links', 'are left out')}"
        for sentence in report.sentences()
    ]
    if not pairs:
        raise CommandError(f"{shown}: not one of {report.lines:,} lines gives a pair of sentences")
    return pairs


def _without_overlap(whole: Pairs, held: Pairs, texts: Texts) -> Pairs:
    from softalign.splits import overlap

    gone = set(overlap(whole, held))
    if gone:
        texts.left_out["has a sentence of the validation or test pairs"] += len(gone)
        texts.sentences.append(
            f"{len(gone):,} of {len(whole):,} training pairs have a sentence of the validation or "
            "test pairs and are left out"
        )
    return [pair for number, pair in enumerate(whole) if number not in gone]


def _draw(whole: Pairs, drawn: Sequence[str], texts: Texts, args: argparse.Namespace) -> Pairs:
    from softalign.splits import split

    wanted = dict.fromkeys(("validation", "test"), 0)
    wanted |= {name: getattr(args, f"{name}_size") for name in drawn}
    try:
        parts = split(whole, seed=args.split_seed, **wanted)
    except ValueError as problem:
        raise CommandError(f"{' and '.join(texts.files)}: {problem}") from None
    for name in drawn:
        setattr(texts, name, [whole[number] for number in getattr(parts, name)])
    train = [whole[number] for number in parts.train]
    twice = len(whole) - len(train) - len(parts.validation) - len(parts.test)
    if twice:
        texts.left_out["there twice"] += twice
    return train
