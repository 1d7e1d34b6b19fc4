"""The climb: each family is trained, translates the same pairs, and gets its row.

Page: your_own_text
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from softalign.ladder.record import (
    Comparison,
    Corpus,
    Example,
    Ladder,
    LengthGroup,
    Machine,
    Measured,
    Row,
    read_ladder,
    write_ladder,
)
from softalign.metrics import (
    bleu_statistics,
    bootstrap,
    by_bucket,
    chrf_statistics,
    exact_match_statistics,
    paired_bootstrap,
)
from softalign.systems import FAMILIES, FolderError, Settings, System, train_system
from softalign.systems.folder import write_bytes

__all__ = ["EDGES", "RECORD", "Texts", "climb", "compare", "machine", "measure"]

RECORD = "ladder.json"
EDGES = (5, 10, 15, 20, 30, 40)
"""Largest number of source words of each group but the last."""
EXAMPLES, CURVE = 8, 400
Words = Sequence[str]
Pairs = Sequence[tuple[Words, Words]]


@dataclass(frozen=True)
class Texts:
    """Pairs of words in parts, and what is to be said of them.

    Attributes
    ----------
    name : str
    files : sequence of str
    train, validation, test : sequences of (source words, target words)
    left_out : mapping of str to int
        How many pairs were not used, for each reason.

    Page: your_own_text
    """

    name: str
    files: Sequence[str]
    train: Pairs
    validation: Pairs
    test: Pairs
    left_out: Mapping[str, int] = field(default_factory=dict)


def machine(together: Any) -> Machine:
    """Say where this runs, and with which versions.

    Page: your_own_text
    """
    import torch

    import softalign

    return Machine(
        datetime.now(UTC).date().isoformat(),
        _processor(),
        os.cpu_count() or 1,
        f"{platform.system()} {platform.release()}",
        platform.python_version(),
        torch.__version__,
        softalign.__version__,
        together.size,
        torch.get_num_threads(),
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def climb(
    folder: str | Path,
    texts: Texts,
    chosen: Mapping[str, Settings],
    *,
    together: Any,
    beam: int = 4,
    progress: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
    command: str = "",
) -> Ladder:
    """Train and measure each family that was chosen; rows that are there already are kept.

    A family on which the text is too little, or whose training diverges, gets a row that says so.

    Parameters
    ----------
    folder : path
        ``ladder.json`` is written into it after each family, the system of a family into a folder
        of its name, and its translations of the test pairs into ``test.FAMILY.txt``.
    texts : Texts
    chosen : mapping of str to Settings
        For each family its settings.
    together : Team
    beam : int
        Of the neural families.
    progress : bool
        Show bars.
    say : callable
        Gets a sentence for people now and then.
    command : str
        How the ladder was called, for the report.

    Returns
    -------
    Ladder
        With all rows in the first process; the others leave the measuring to it.

    Raises
    ------
    FolderError
        The folder holds the ladder of something else.

    Page: your_own_text
    """
    from softalign.training import Diverged

    folder, done = Path(folder), {}
    corpus = _corpus(texts, next(iter(chosen.values())))
    settings = _common(chosen, beam, command)
    if together.is_first and (folder / RECORD).exists():
        before = read_ladder(folder / RECORD)
        _same(folder, before, corpus, settings)
        done = {row.family: row for row in before.rows if row.state == "finished"}
    there = together.broadcast([name for name in done if (folder / f"test.{name}.txt").exists()])
    ladder = Ladder(corpus, machine(together), settings, ())
    outputs: dict[str, list[list[str]]] = {}
    for family, own in chosen.items():
        translations = folder / f"test.{family}.txt"
        if family in there:
            say(f"{family}: is there already")
            if together.is_first:
                ladder = _with(ladder, done[family])
                text = translations.read_text(encoding="utf-8")
                outputs[family] = [line.split() for line in text.split("\n")[:-1]]
            continue
        try:
            system = train_system(
                folder / family,
                own,
                texts.train,
                texts.validation,
                together=together,
                progress=progress,
                say=say,
            )
        except FolderError:
            raise
        except (ValueError, Diverged) as problem:
            say(f"{family}: {problem}")
            ladder = _with(ladder, Row(family, FAMILIES[family], "failed", str(problem)))
            continue
        if together.is_first:
            row, outputs[family] = measure(system, texts.test, beam=beam, progress=progress)
            text = "".join(f"{' '.join(words)}\n" for words in outputs[family])
            write_bytes(translations, text.encode())
            score = row.metrics["bleu"]
            say(f"{family}: BLEU {score.value:.1f} [{score.low:.1f}, {score.high:.1f}]")
            ladder = _with(ladder, row)
            write_ladder(folder / RECORD, ladder)
        together.broadcast(None)  # the others wait
    if together.is_first:
        ladder = replace(
            ladder,
            comparisons=compare(outputs, texts.test),
            examples=_examples(outputs, texts.test, chosen),
        )
        write_ladder(folder / RECORD, ladder)
    return ladder


def _with(ladder: Ladder, row: Row) -> Ladder:
    return replace(ladder, rows=(*ladder.rows, row))


def _corpus(texts: Texts, settings: Settings) -> Corpus:
    types = [len({word for pair in texts.train for word in pair[side]}) for side in (0, 1)]
    from softalign.systems.segmentation import choose_subwords

    sizes = [choose_subwords(n) if settings.subwords is None else settings.subwords for n in types]
    pieces = [size if 0 < size < n else None for size, n in zip(sizes, types, strict=True)]
    return Corpus(
        texts.name,
        tuple(texts.files),
        len(texts.train),
        len(texts.validation),
        len(texts.test),
        dict(texts.left_out),
        settings.src_tokens,
        settings.tgt_tokens,
        *pieces,
        *types,
    )


def _common(chosen: Mapping[str, Settings], beam: int, command: str) -> dict[str, Any]:
    """Settings of all families; what differs between them is in their folders."""
    values = {"families": " ".join(chosen), "beam": beam}
    first = next(iter(chosen.values())).as_dict()
    values |= {name: value for name, value in first.items() if name != "family"}
    return {**values, "command": command} if command else values


def _same(folder: Path, before: Ladder, corpus: Corpus, settings: Mapping[str, Any]) -> None:
    """Raise if the folder has the ladder of another text or of other settings."""
    for name in ("train", "validation", "test", "src_tokens", "tgt_tokens", "src_types"):
        theirs, ours = getattr(before.corpus, name), getattr(corpus, name)
        if theirs != ours:
            raise FolderError(
                f"{folder}: this ladder was begun with other text ({name}: {theirs}, here {ours}): "
                "name another folder, or delete this one"
            )
    for name, ours in settings.items():
        theirs = before.settings.get(name)
        if name not in ("command", "families") and theirs != ours:
            raise FolderError(
                f"{folder}: this ladder was begun with {name} = {theirs}, here it is {ours}: "
                "name another folder, or delete this one"
            )


def measure(
    system: System, test: Pairs, *, beam: int = 4, progress: bool = False, resamples: int = 1000
) -> tuple[Row, list[list[str]]]:
    """Let a system translate the test pairs, and score it.

    Returns
    -------
    Row
    list of list of str
        The translations' words.

    Page: your_own_text
    """
    begin = time.process_time()
    outputs = system.translate_words([pair[0] for pair in test], beam=beam, progress=progress)
    seconds = time.process_time() - begin
    words = [output.words for output in outputs]
    references = [[pair[1]] for pair in test]
    counts = {
        "bleu": bleu_statistics(words, references),
        "chrf": chrf_statistics(words, references),
        "exact": exact_match_statistics(words, references),
    }
    metrics = {}
    for name, statistics in counts.items():
        interval = bootstrap(statistics, resamples=resamples)
        metrics[name] = Measured(interval.value, interval.low, interval.high)
    lengths = [len(pair[0]) for pair in test]
    groups = tuple(
        LengthGroup(bucket.label, bucket.sentences, bucket.score and bucket.score.value)
        for bucket in by_bucket(counts["bleu"], lengths, EDGES, resamples=1)
    )
    family, history = system.settings.family, system.history
    neural = system.settings.is_neural
    row = Row(
        family,
        FAMILIES[family],
        "finished",
        parameters=system.parameters if neural else None,
        steps=history.get("steps"),
        train_seconds=history["seconds"],
        translate_seconds=seconds,
        metrics=metrics,
        by_length=groups,
        losses=_thin(history.get("losses", ())),
        validations=tuple((int(step), float(v)) for step, v in history.get("validations", ())),
        unfinished=sum(not o.finished for o in outputs) / len(outputs) if neural else None,
    )
    return row, words


def _thin(losses: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """Means of stretches of steps, `CURVE` of them at most, each at its last step."""
    size = -(-len(losses) // CURVE) or 1
    parts = [losses[first : first + size] for first in range(0, len(losses), size)]
    ends = [min(first + size, len(losses)) for first in range(0, len(losses), size)]
    return tuple((end, sum(part) / len(part)) for end, part in zip(ends, parts, strict=True))


def compare(outputs: Mapping[str, list[list[str]]], test: Pairs) -> tuple[Comparison, ...]:
    """Hold the family with the most BLEU against each other one, on the same resamples.

    Page: your_own_text
    """
    if len(outputs) < 2:
        return ()
    references = [[pair[1]] for pair in test]
    counts = {family: bleu_statistics(words, references) for family, words in outputs.items()}
    best = max(counts, key=lambda family: counts[family].value)
    found = []
    for family, statistics in counts.items():
        if family != best:
            result = paired_bootstrap(counts[best], statistics)
            found.append(Comparison(best, family, result.difference.value, result.p_value))
    return tuple(found)


def _examples(
    outputs: Mapping[str, list[list[str]]], test: Pairs, chosen: Mapping[str, Settings]
) -> tuple[Example, ...]:
    """Test pairs evenly spread over the lengths of the sources."""
    from softalign.systems.segmentation import Segmenter

    if not outputs:
        return ()
    settings = next(iter(chosen.values()))
    source, target = Segmenter(settings.src_tokens), Segmenter(settings.tgt_tokens)
    order = sorted(range(len(test)), key=lambda number: (len(test[number][0]), number))
    spread = {order[(2 * k + 1) * len(order) // (2 * EXAMPLES)] for k in range(EXAMPLES)}
    return tuple(
        Example(
            source.text(test[number][0]),
            target.text(test[number][1]),
            {family: target.text(words[number]) for family, words in outputs.items()},
        )
        for number in sorted(spread, key=lambda number: len(test[number][0]))
    )
