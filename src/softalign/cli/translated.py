"""What a system makes of the files that ``softalign evaluate --system`` names."""

from __future__ import annotations

import argparse
from typing import Any

from softalign.cli.columns import check_counts, read_sentences
from softalign.cli.learning import start_torch
from softalign.cli.messages import CommandError, is_watched
from softalign.cli.reading import shown

__all__ = ["translated"]


def translated(args: argparse.Namespace) -> dict[str, Any]:
    """Translate the sources of the arguments, and read their references.

    Returns
    -------
    dict
        What `softalign.cli.evaluate.report` takes, and ``remarks``.

    Raises
    ------
    CommandError
        The folder is no system, a file cannot be used.

    Page: your_own_text
    """
    start_torch(1)
    from softalign.systems import FolderError, load_system

    try:
        system = load_system(args.system)
    except FolderError as problem:
        raise CommandError(str(problem)) from None
    chosen = system.settings
    remarks: list[str] = []

    def read(name: str, how: str, **options: Any) -> list[list[str]]:
        options = {"option": "a system with tokens", "lower": chosen.lower} | options
        sentences, more = read_sentences(name, how, **options)
        remarks.extend(more)
        if name != args.sources:
            check_counts(args.sources, sources, name, sentences)
        return sentences

    sources = read(args.sources, chosen.src_tokens)
    references = [read(name, chosen.tgt_tokens) for name in args.references]
    other = None
    if args.compare is not None:
        other = read(args.compare, chosen.tgt_tokens, may_be_empty=True)
    beam = args.beam or 4
    outputs = system.translate_words(sources, beam=beam, progress=is_watched() and not args.quiet)
    return {
        "hypotheses": [output.words for output in outputs],
        "references": list(zip(*references, strict=True)),
        "other": other,
        "lengths": [len(words) for words in sources] if args.by_length else None,
        "facts": {
            "references": [shown(name) for name in args.references],
            "family": chosen.family,
            "beam": beam,
            "tokens": chosen.tgt_tokens,
            "lower": chosen.lower,
        },
        "remarks": remarks,
    }
