"""The contests of the first chapter: aligners and language models."""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from field import peers
from field.contest import Contest, Contestant, Same, Work, largest
from softalign import corpus as running
from softalign.ibm import LexicalTable, index, train_ibm1
from softalign.language_model import evaluate, train, write_arpa
from softalign.metrics import aer
from softalign.prose import prose
from softalign.symmetrise import METHODS

Links = list[frozenset[tuple[int, int]]]

ALIGNED_ROUNDS = 3
"""The aligners take a minute and a half a round."""

SETTINGS = {"agreement": (5, 2, 1), "hmm": (5, 2, 1), "eflomal": (1, 0.3, 0.1), "fast": (5, 3, 2)}
"""Iterations, the first the one that its authors would take; of eflomal, a share of its own."""

FEW = 4
"""Held-out sentences that nltk scores: it sums over all it has counted, for every word."""


def cpu(task: Callable[[], object]) -> float:
    """CPU seconds of a task in this process."""
    begin = time.process_time()
    task()
    return time.process_time() - begin


def lower(words: Sequence[str]) -> tuple[str, ...]:
    """The words without capitals."""
    return tuple(word.lower() for word in words)


# --- aligners -------------------------------------------------------------------------------------


def ibm1(size: int = 5000, repeats: int = 60) -> Contest:
    """One iteration of EM for Model 1: ours beside nltk's, equal tables."""
    # nltk counts a word that stands twice in a target sentence by halves: such pairs are left out
    pairs = ((lower(pair.source), lower(pair.target)) for pair in running.load().train)
    pairs = list(islice((p for p in pairs if len(set(p[1])) == len(p[1])), size))
    bitext = index(pairs)
    level = LexicalTable(bitext, np.full(len(bitext.given), 1 / len(bitext.generated_words)))
    ours = Contestant(
        "softalign",
        lambda: (len(pairs) * repeats, cpu(lambda: train_ibm1(bitext, repeats, start=level))),
    )
    title, task = "IBM Model 1", f"an iteration of EM, {len(pairs):,} pairs of the running corpus"
    if reason := peers.absence_here("nltk"):
        contestants, same = [ours, Contestant("nltk", absent=reason)], None
    else:
        from nltk.translate import AlignedSent, IBMModel1

        linked = [AlignedSent(list(target), list(source)) for source, target in pairs]
        theirs = IBMModel1(linked, 0)
        for _ in range(2):
            theirs.train(linked)
        table = train_ibm1(bitext, 2, start=level).table
        met = {(y, x) for source, target in pairs for x in (None, *source) for y in target}
        difference = largest(table[y, x] - theirs.translation_table[y][x] for y, x in met)
        same = Same("the probabilities after two iterations", difference, 1e-9)
        nltk = Contestant("nltk", lambda: (len(pairs), cpu(lambda: theirs.train(linked))))
        contestants = [ours, nltk]
    return Contest("ibm1", title, task, "pairs/s", contestants, same)


def aligners() -> Contest:
    """Whole aligners: from the text to the links of both directions, with their error rate."""
    corpus = running.load()
    gold, pairs = corpus.test, [*corpus.test, *corpus.train]
    holder = tempfile.TemporaryDirectory()
    folder = Path(holder.name)
    sides = [[" ".join(lower(side)) for side in (p.source, p.target)] for p in pairs]
    for name, lines in (
        ("source", [source for source, _ in sides]),
        ("target", [target for _, target in sides]),
        ("pairs.tsv", ["\t".join(both) for both in sides]),
        ("pairs.fast", [" ||| ".join(both) for both in sides]),
    ):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def contestant(name: str, setting: str, command: list, read) -> Contestant:
        scores: list[float] = []

        def measure() -> Work:
            cost = peers.measured([str(part) for part in command])
            links = read()
            found = (
                aer(some[: len(gold)], [p.sure for p in gold], [p.possible for p in gold]).aer
                for some in links
            )
            scores.append(min(found))  # the way to join that is best for it
            return len(pairs), cost["cpu"]

        return Contestant(
            name, measure, setting=setting, finish=lambda: {"AER": statistics.mean(scores)}
        )

    entered, out, ways = [], folder / "links", (folder / "forward", folder / "backward")
    one_way = lambda: [links_of_file(out)]  # noqa: E731
    for model in ("agreement", "hmm"):
        for number in SETTINGS[model]:
            command = [sys.executable, "-m", "softalign", "align", "--model", model]
            command += ["--iterations", number, "--quiet", "--force"]
            command += ["--output", out, folder / "pairs.tsv"]
            entered.append(contestant(f"softalign {model}", iterations(number), command, one_way))
    if program := peers.program("eflomal-align"):
        for number in SETTINGS["eflomal"]:
            command = [program, "-s", folder / "source", "-t", folder / "target", "--overwrite"]
            command += ["-f", ways[0], "-r", ways[1], "--length", number]
            setting = f"length {number:g}"
            entered.append(contestant("eflomal", setting, command, lambda: joined(*ways)))
    else:
        entered.append(Contestant("eflomal", absent=peers.MISSING))
    if reason := peers.absence("systran_align"):
        entered.append(Contestant("systran-align", absent=reason))
    else:
        for number in SETTINGS["fast"]:
            command = [peers.python(), peers.WORKERS / "systran.py", folder / "pairs.fast", out]
            entered.append(
                contestant("systran-align", iterations(number), [*command, number], one_way)
            )
    if program := shutil.which("fast_align"):
        for number in SETTINGS["fast"]:
            base = f"'{program}' -i '{folder / 'pairs.fast'}' -d -o -v -I {number}"
            command = ["sh", "-c", f"{base} > '{ways[0]}' && {base} -r > '{ways[1]}'"]
            entered.append(
                contestant("fast_align", iterations(number), command, lambda: joined(*ways))
            )
    else:
        entered.append(Contestant("fast_align", absent="there is no such program on the PATH"))
    size = f"{len(pairs):,} pairs of the running corpus, AER on the {len(gold):,} of the test split"
    return Contest(
        "aligners",
        "Word aligners",
        f"from the text to joined links, {size}",
        "pairs/s",
        entered,
        rounds=ALIGNED_ROUNDS,
        warm_up=False,
        end=holder.cleanup,
    )


def iterations(number: int) -> str:
    """A setting in words."""
    return f"{number} iterations" if number > 1 else "1 iteration"


def aligners_at_equal_time(measured: Contest, slack: float = 1.1) -> Contest:
    """Of each aligner the slowest setting that needs no longer than our first; nothing is run."""
    budget = _seconds(measured.contestants[0])
    chosen: dict[str, Contestant] = {}
    for one in measured.contestants:
        before = chosen.get(one.name)
        if one.rounds and _seconds(one) <= slack * budget:
            if before is None or not before.rounds or _seconds(one) > _seconds(before):
                chosen[one.name] = one
        elif before is None:
            reason = one.absent or "slower in every setting"
            chosen[one.name] = Contestant(one.name, absent=reason)
    return Contest(
        "aligners_equal_time",
        "Word aligners at equal time",
        f"the same run; of each, the slowest setting within {slack:g} times our first",
        measured.unit,
        list(chosen.values()),
    )


def _seconds(contestant: Contestant) -> float:
    return statistics.median(seconds for _, seconds in contestant.rounds)


def links_of_file(path: Path) -> Links:
    """Links of a file with a line a pair, ``i-j`` between spaces."""
    return [
        frozenset((int(i), int(j)) for i, j in (link.split("-") for link in line.split()))
        for line in path.read_text(encoding="ascii").split("\n")[:-1]
    ]


def joined(forward: Path, backward: Path) -> list[Links]:
    """The links of two directions, joined in each way of ours."""
    both = list(zip(links_of_file(forward), links_of_file(backward), strict=True))
    return [[join(a, b) for a, b in both] for join in METHODS.values()]


# --- language models ------------------------------------------------------------------------------

ORDER = 3
TRIGRAMS = "a 3-gram model of the English of the book"


def text() -> tuple[list, list]:
    """Sentences to train on, and every tenth held out."""
    sentences = list(prose())
    return [s for number, s in enumerate(sentences) if number % 10], sentences[::10]


def predictions(sentences: Sequence) -> int:
    """Words that are predicted; the end of a sentence is one."""
    return sum(len(sentence) + 1 for sentence in sentences)


def kenlm_of(model):
    """The model as kenlm reads it."""
    import kenlm

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.arpa"
        write_arpa(model, path)
        quiet = kenlm.Config()
        quiet.show_progress, quiet.arpa_complain = False, kenlm.ARPALoadComplain.NONE
        return kenlm.Model(str(path), quiet)


def nltk_of(kind: str, sentences: Sequence):
    """A model of nltk's, trained."""
    import nltk.lm
    from nltk.lm.preprocessing import padded_everygram_pipeline

    ngrams, words = padded_everygram_pipeline(ORDER, sentences)
    model = getattr(nltk.lm, kind)(ORDER)
    model.fit(ngrams, words)
    return model


def nltk_bits(model, sentences: Sequence) -> float:
    """The sum of nltk's logarithms, base 2."""
    padded = (["<s>"] * (ORDER - 1) + [*sentence, "</s>"] for sentence in sentences)
    return sum(
        model.logscore(words[k], words[k - ORDER + 1 : k])
        for words in padded
        for k in range(ORDER - 1, len(words))
    )


def _entered(name: str, module: str, make: Callable[[], Contestant]) -> Contestant:
    reason = peers.absence_here(module)
    return Contestant(name, absent=reason) if reason else make()


def lm_training() -> Contest:
    """Training of a model of order 3."""
    training, _ = text()
    words = sum(map(len, training))

    def nltk() -> Contestant:
        return Contestant(
            "nltk.lm",
            lambda: (words, cpu(lambda: nltk_of("KneserNeyInterpolated", training))),
            setting="counts only",
        )

    ours = Contestant(
        "softalign", lambda: (5 * words, cpu(lambda: [_train(training) for _ in range(5)]))
    )
    reason = peers.absence_here("kenlm") or "its Python package asks models and trains none"
    return Contest(
        "lm_training",
        "Language model, training",
        f"{TRIGRAMS} from {words:,} words, Kneser–Ney",
        "words/s",
        [ours, _entered("nltk.lm", "nltk", nltk), Contestant("kenlm", absent=reason)],
        _same_counts(training),
    )


def _train(sentences: Sequence, smoothing: str = "kneser_ney"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return train(sentences, ORDER, smoothing)


def _same_counts(training: Sequence) -> Same | None:
    if peers.absence_here("nltk"):
        return None
    ours = len(_train(training).levels[-1].log_probs)
    table = nltk_of("MLE", training).counts[ORDER]
    # nltk writes two beginnings and two ends around a sentence, ours one of each
    doubled = ("<s>", "<s>"), ("</s>",)
    theirs = sum(len(w) for u, w in table.items() if u != doubled[0] and u[1:] != doubled[1])
    return Same("the numbers of different 3-grams", abs(ours - theirs), 0)


def lm_likelihood(count: int = 500) -> Contest:
    """Scoring with the one model that all three have: relative frequencies, on trained text."""
    training, _ = text()
    asked = training[:count]
    size, lines = predictions(asked), [" ".join(sentence) for sentence in asked]
    ours = _train(training, "maximum_likelihood")
    totals = [float(ours.score_corpus(asked).sum())]

    def kenlm() -> Contestant:
        model = kenlm_of(ours)
        totals.append(sum(model.score(line) for line in lines) * math.log(10))
        return Contestant(
            "kenlm", _repeated(size, lambda: [model.score(line) for line in lines], 200)
        )

    def nltk() -> Contestant:
        model = nltk_of("MLE", training)
        totals.append(nltk_bits(model, asked) * math.log(2))
        return Contestant("nltk.lm", _repeated(size, lambda: nltk_bits(model, asked), 3))

    contestants = [*_ours(ours, asked), _entered("kenlm", "kenlm", kenlm)]
    contestants.append(_entered("nltk.lm", "nltk", nltk))
    perplexities = [math.exp(-total / size) for total in totals]
    return Contest(
        "lm_likelihood",
        "Language model, relative frequencies",
        f"{size:,} words that {TRIGRAMS} was trained on are scored",
        "words/s",
        contestants,
        Same.of("the perplexities", perplexities, 1e-4),
    )


def lm_kneser_ney() -> Contest:
    """Scoring with Kneser–Ney on held-out text; nltk's is another variant of it."""
    training, heldout = text()
    size, lines = predictions(heldout), [" ".join(sentence) for sentence in heldout]
    ours = _train(training)
    known = {word for sentence in training for word in sentence}
    few = [sentence for sentence in heldout if known.issuperset(sentence)][:FEW]
    expected = evaluate(ours, heldout).perplexity
    found = [expected]

    def kenlm() -> Contestant:
        model = kenlm_of(ours)
        total = sum(model.score(line) for line in lines) * math.log(10)
        found.append(math.exp(-total / size))
        return Contestant(
            "kenlm", _repeated(size, lambda: [model.score(line) for line in lines], 200)
        )

    def nltk() -> Contestant:
        model = nltk_of("KneserNeyInterpolated", training)
        return Contestant(
            "nltk.lm",
            lambda: (predictions(few), cpu(lambda: nltk_bits(model, few))),
            setting=f"{len(few)} sentences",
            finish=lambda: {"perplexity": 2 ** (-nltk_bits(model, few) / predictions(few))},
        )

    first, second = _ours(ours, heldout)
    first.finish = lambda: {"perplexity": evaluate(ours, few).perplexity}
    contestants = [first, second, _entered("kenlm", "kenlm", kenlm)]
    contestants.append(_entered("nltk.lm", "nltk", nltk))
    return Contest(
        "lm_kneser_ney",
        "Language model, Kneser–Ney",
        f"{size:,} held-out words are scored by {TRIGRAMS}; perplexity of {len(few)} sentences",
        "words/s",
        contestants,
        Same.of("the perplexities of ours and kenlm", found, 1e-3),
    )


def _ours(model, sentences: Sequence) -> list[Contestant]:
    size = predictions(sentences)
    return [
        Contestant(
            "softalign",
            _repeated(size, lambda: model.score_corpus(sentences), 40),
            setting="as a whole",
        ),
        Contestant(
            "softalign",
            _repeated(size, lambda: [model.sentence_log_prob(one) for one in sentences], 5),
            setting="one by one",
        ),
    ]


def _repeated(size: int, task: Callable[[], object], times: int) -> Callable[[], Work]:
    return lambda: (size * times, cpu(lambda: [task() for _ in range(times)]))
