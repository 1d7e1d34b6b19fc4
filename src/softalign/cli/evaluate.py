"""``softalign evaluate``: how good translations or word links are, with intervals."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from softalign.cli.columns import check_counts, read_links, read_sentences
from softalign.cli.messages import CommandError, say
from softalign.cli.reading import STANDARD_INPUT, shown
from softalign.cli.writing import check_output, write_lines

if TYPE_CHECKING:
    from softalign.cli.scoring import Scores

__all__ = ["EPILOGUE", "SUMMARY", "add_arguments", "report", "run"]

SUMMARY = "Score translations, or a system, against references; or word links against gold ones."
EPILOGUE = """\
Line n of every file belongs to line n of the others. A system may say nothing: an empty line of
--hypotheses or --links counts as such. Any other line that cannot be used ends the command.

Behind a score stands in brackets the interval in which 95 % of the resamples of the sentences fall
(bootstrap). With --compare, the difference of the two systems is tested on the same sentences by
the paired bootstrap and by exchanging their outputs at random, and a sentence says what it means.

BLEU and chrF are sacrebleu's, on the words as --tokens cuts them. Compare a BLEU with another only
if the words were cut alike: the signature in the output cannot know how.

With --system the sources are translated first, by a folder that 'softalign train' has made; it
says itself what a word is.

Links: 'i-j' joins source word i and target word j, counted from 0. In the gold file 'i-j' is sure
and 'i?j' possible; every link of --possible is possible, and so is every sure one.

examples:
  softalign align corpus.tsv | softalign evaluate --links - --gold gold.txt
  softalign evaluate --links found.txt --gold sure.txt --possible possible.txt --json
  softalign evaluate --hypotheses output.txt --references ref1.txt ref2.txt.gz --lower
  softalign evaluate --hypotheses new.txt --compare old.txt --references ref1.txt
  softalign evaluate --hypotheses zh.txt --references zh-ref.txt --tokens char --json -o zh.json
  softalign evaluate --hypotheses new.txt --references ref1.txt --sources source.txt --by-length
  softalign evaluate --system mine --sources source.txt --references ref1.txt ref2.txt.gz

exit status: 0; 1 a file cannot be used; 2 wrong arguments; 130 interrupted; 141 nobody reads on.
"""
TOKENS = ("space", "char", "word")
FEW = 50
"""With fewer sentences the intervals are too narrow."""

# an option, and what it is of no use without
_NEEDS = (
    ("beam", "system"),
    ("hypotheses", "references"),
    ("references", "hypotheses"),
    ("tokens", "hypotheses"),
    ("lower", "hypotheses"),
    ("sources", "by-length"),
    ("by-length", "sources"),
    ("sources", "hypotheses"),
    ("src-tokens", "sources"),
    ("links", "gold"),
    ("gold", "links"),
    ("possible", "gold"),
)
_NOT_OF_A_SYSTEM = {"hypotheses", "tokens", "lower", "src-tokens", "links", "gold", "possible"}

Words = list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand.

    Page: your_own_text
    """
    text = parser.add_argument_group("translations (files of lines, plain or gzipped, UTF-8)")
    text.add_argument(
        "--hypotheses", metavar="FILE", help="what a system said; '-': standard input"
    )
    text.add_argument(
        "--system", metavar="FOLDER", help="what 'softalign train' has made, to translate --sources"
    )
    text.add_argument(
        "--beam", type=_whole(1), metavar="N", help="hypotheses that --system keeps (default: 4)"
    )
    text.add_argument(
        "--references", nargs="+", metavar="FILE", help="what is right, one file or several"
    )
    text.add_argument(
        "--tokens",
        choices=TOKENS,
        help="what a word is: what stands between spaces (default); each Chinese character by "
        "itself; Chinese words from a dictionary",
    )
    text.add_argument("--lower", action="store_true", help="take capital and small letters alike")
    text.add_argument("--sources", metavar="FILE", help="what was, or is, translated")
    text.add_argument(
        "--src-tokens", choices=TOKENS, help="what a word of --sources is (default: as --tokens)"
    )
    text.add_argument(
        "--by-length", action="store_true", help="score by the number of source words, too"
    )
    links = parser.add_argument_group("word links")
    links.add_argument("--links", metavar="FILE", help="what was found, as softalign align writes")
    links.add_argument("--gold", metavar="FILE", help="what is right: 'i-j' sure, 'i?j' possible")
    links.add_argument("--possible", metavar="FILE", help="more possible links")
    both = parser.add_argument_group("both")
    both.add_argument("--compare", metavar="FILE", help="what another system said or found")
    both.add_argument(
        "--resamples",
        type=_whole(1),
        default=1000,
        metavar="N",
        help="of the sentences, for the intervals and tests (default: 1000)",
    )
    both.add_argument(
        "--seed", type=_whole(0), default=0, metavar="N", help="of the resamples (default: 0)"
    )
    both.add_argument("--json", action="store_true", help="write one JSON object, not a table")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write here instead of to standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace an output file that exists")
    parser.add_argument("-q", "--quiet", action="store_true", help="no remarks; errors only")


def run(args: argparse.Namespace) -> None:
    """Read the files, score them and write the report.

    Raises
    ------
    CommandError
        A file or a line cannot be used, or the options do not go together.

    Page: your_own_text
    """
    _check_uses(args)
    named = (args.hypotheses, args.links, args.gold, args.possible, args.compare, args.sources)
    inputs = [name for name in (*named, *(args.references or ())) if name is not None]
    if inputs.count(STANDARD_INPUT) > 1:
        raise CommandError("standard input can be read only once, expected another file", 2)
    check_output(args.output, args.force, inputs)
    if args.links is not None:
        _score_links(args)
    elif args.system is not None:
        _score_system(args)
    else:
        _score_files(args)


def report(
    hypotheses: Sequence[Words],
    references: Sequence[Sequence[Words]],
    args: argparse.Namespace,
    *,
    name: str,
    other: Sequence[Words] | None = None,
    lengths: Sequence[int] | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Score translations and write what there is to say about them.

    Parameters
    ----------
    hypotheses : sequence of lists of words
    references : sequence of sequences of lists of words
        For each sentence the accepted translations.
    args : argparse.Namespace
        `resamples`, `seed`, `json`, `output`, `force`, `quiet`; `compare` is the name of `other`.
    name : str
        Of the system, as people are told it.
    other : sequence of lists of words, optional
        Of a second system.
    lengths : sequence of int, optional
        Of the source sentences, to score by length as well.
    facts : dict, optional
        What else belongs to the scores: it is written under them.

    Page: your_own_text
    """
    from softalign.cli.scoring import of_translations, score

    first = of_translations(hypotheses, references)
    second = None if other is None else of_translations(other, references)
    names = [name] if other is None else [name, shown(args.compare)]
    how = {"resamples": args.resamples, "seed": args.seed, "lengths": lengths}
    _write(score(first, second, names=names, **how), facts or {}, args)


def _check_uses(args: argparse.Namespace) -> None:
    """Raise unless the options given make one use of the command."""
    given = {
        key.replace("_", "-") for key, value in vars(args).items() if value not in (None, False)
    }
    if not given & {option for need in _NEEDS for option in need}:
        raise CommandError(
            "nothing to score, expected --hypotheses and --references, or --links and --gold", 2
        )
    if "system" in given:
        for option in sorted(given & _NOT_OF_A_SYSTEM):
            raise CommandError(f"--system and --{option} were given, expected one of the two", 2)
        for needed in ("sources", "references"):
            if needed not in given:
                raise CommandError(f"--system was given, expected --{needed}, too", 2)
        return
    if {"hypotheses", "links"} <= given:
        raise CommandError("--hypotheses and --links were given, expected one of the two", 2)
    for option, needed in _NEEDS:
        if option in given and needed not in given:
            raise CommandError(f"--{option} was given, expected --{needed}, too", 2)


def _score_files(args: argparse.Namespace) -> None:
    tokens = args.tokens or "space"
    remarks: list[str] = []

    def read(name: str, how: str = tokens, **options: Any) -> list[Words]:
        options = {"option": "--tokens", "lower": args.lower} | options
        sentences, more = read_sentences(name, how, **options)
        remarks.extend(more)
        if name != args.hypotheses:
            check_counts(args.hypotheses, hypotheses, name, sentences)
        return sentences

    hypotheses = read(args.hypotheses, may_be_empty=True)
    references = [read(name) for name in args.references]
    other = lengths = None
    facts: dict[str, Any] = {"references": [shown(name) for name in args.references]}
    facts |= {"tokens": tokens, "lower": args.lower}
    if args.compare is not None:
        other = read(args.compare, may_be_empty=True)
    if args.sources is not None:
        how = args.src_tokens or tokens
        lengths = [len(words) for words in read(args.sources, how, option="--src-tokens")]
        facts |= {"sources": shown(args.sources), "source tokens": how}
    _remark(args, remarks)
    report(
        hypotheses,
        list(zip(*references, strict=True)),
        args,
        name=shown(args.hypotheses),
        other=other,
        lengths=lengths,
        facts=facts,
    )


def _score_system(args: argparse.Namespace) -> None:
    from softalign.cli.translated import translated

    found = translated(args)
    _remark(args, found.pop("remarks"))
    report(found.pop("hypotheses"), found.pop("references"), args, name=args.system, **found)


def _score_links(args: argparse.Namespace) -> None:
    from softalign.cli.scoring import of_links, score

    gold = read_links(args.gold, gold=True)
    sure = [sure for sure, _ in gold]
    possible = [sure | possible for sure, possible in gold]
    facts = {"gold": shown(args.gold)}
    if args.possible is not None:
        facts["possible"] = shown(args.possible)
        more = read_links(args.possible, gold=True)
        check_counts(args.gold, gold, args.possible, more)
        possible = [a | b | c for a, (b, c) in zip(possible, more, strict=True)]
    names = [args.links] if args.compare is None else [args.links, args.compare]
    metrics, remarks = [], []
    for name in names:
        found = [links for links, _ in read_links(name)]
        check_counts(name, found, args.gold, gold)
        if _first(found) == 0 and _first(possible) == 1:
            remarks.append(
                f"{shown(args.gold)} has no position 0 and {shown(name)} has: are the gold links "
                "counted from 1?"
            )
        metrics.append(of_links(found, sure, possible))
    _remark(args, remarks)
    how = {"resamples": args.resamples, "seed": args.seed, "form": ".4f"}
    _write(score(*metrics, names=[shown(name) for name in names], **how), facts, args)


def _first(links: Sequence[Collection[tuple[int, int]]]) -> int | None:
    """Return the smallest position of all."""
    return min((min(link) for sentence in links for link in sentence), default=None)


def _remark(args: argparse.Namespace, remarks: Sequence[str]) -> None:
    for remark in [] if args.quiet else remarks:
        say(f"softalign evaluate: {remark}")


def _write(scores: Scores, facts: dict[str, Any], args: argparse.Namespace) -> None:
    if scores.sentences < FEW:
        few = f"with {scores.sentences:,} sentences (fewer than {FEW}) the intervals are too narrow"
        _remark(args, [few])
    if args.json:
        import json

        lines = [json.dumps(scores.as_json(facts))]
    else:
        lines = scores.lines(facts)
    # the name of a file may be no text: what cannot be shown becomes a mark
    as_text = (line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in lines)
    write_lines(args.output, as_text, args.force)


def _whole(least: int) -> Callable[[str], int]:
    """A type of argument: a whole number, not too small."""

    def read(text: str) -> int:
        if re.fullmatch("[0-9]{1,18}", text) and int(text) >= least:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number of {least} or more")

    return read
