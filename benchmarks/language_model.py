"""Words a second of the library's n-gram model beside nltk.lm and kenlm.

    make bench BENCH=language_model
    python benchmarks/language_model.py

Needs nltk and kenlm (``pip install nltk kenlm``). All three hold an interpolated Kneser-Ney 3-gram
model of the same sentences: kenlm reads ours from an ARPA file, nltk trains its own. Rounds are
interleaved, so a busy machine slows all three alike; the ratio is that of the best rounds.
"""

from __future__ import annotations

import math
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from softalign.language_model import evaluate, train, write_arpa
from softalign.prose import prose

ON_REQUEST = True
"""Run by ``make bench`` only when it is named."""

ORDER = 3
ROUNDS = 5
NLTK_SENTENCES = 4  # nltk sums over all it has counted for every word it scores


def training_seconds(sentences: list) -> dict[str, float]:
    """Seconds to train a model of order 5 and one of order 3, and nltk's of order 3."""
    from nltk.lm import KneserNeyInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline

    def nltk() -> None:
        ngrams, words = padded_everygram_pipeline(ORDER, sentences)
        KneserNeyInterpolated(ORDER).fit(ngrams, words)

    tasks = {
        "softalign, order 5": lambda: train(sentences, 5),
        "softalign, order 3": lambda: train(sentences, ORDER),
        "nltk, order 3": nltk,
    }
    return {name: _seconds(task) for name, task in tasks.items()}


def scoring_rates(sentences: list, heldout: list) -> dict[str, float]:
    """Best words a second of each, in interleaved rounds; a sentence end counts as a word."""
    import kenlm
    from nltk.lm import KneserNeyInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline
    from nltk.util import ngrams as nltk_ngrams

    ours = train(sentences, ORDER, "kneser_ney")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.arpa"
        write_arpa(ours, path)
        kenlm_model = kenlm.Model(str(path))
    everygrams, words = padded_everygram_pipeline(ORDER, sentences)
    nltk_model = KneserNeyInterpolated(ORDER)
    nltk_model.fit(everygrams, words)
    lines = [" ".join(sentence) for sentence in heldout]
    few = heldout[:NLTK_SENTENCES]

    def nltk_score() -> None:
        for sentence in few:
            padded = ["<s>"] * (ORDER - 1) + [*sentence, "</s>"]
            for *history, word in nltk_ngrams(padded, ORDER):
                nltk_model.logscore(word, history)

    def count(sentences: list) -> int:
        return sum(len(sentence) + 1 for sentence in sentences)

    tasks: dict[str, tuple[Callable, int]] = {
        "softalign, whole corpus": (lambda: ours.score_corpus(heldout), count(heldout)),
        "softalign, sentence by sentence": (
            lambda: [ours.sentence_log_prob(sentence) for sentence in heldout],
            count(heldout),
        ),
        "kenlm": (lambda: [kenlm_model.score(line) for line in lines], count(heldout)),
        "nltk.lm": (nltk_score, count(few)),
    }
    best = dict.fromkeys(tasks, 0.0)
    for _ in range(ROUNDS):
        for name, (task, predictions) in tasks.items():
            best[name] = max(best[name], predictions / _seconds(task))
    total = sum(kenlm_model.score(line) for line in lines) * math.log(10)
    found = evaluate(ours, heldout)
    print(
        f"perplexity {found.perplexity:.3f}, kenlm's {math.exp(-total / found.predictions):.3f}, "
        f"{found.predictions} predictions"
    )
    return best


def _seconds(task: Callable[[], object]) -> float:
    begin = time.perf_counter()
    task()
    return time.perf_counter() - begin


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore", UserWarning)
    sentences = list(prose())
    heldout = sentences[::10]
    sentences = [sentence for number, sentence in enumerate(sentences) if number % 10]
    words = sum(map(len, sentences))
    print(f"{platform.machine()}, Python {platform.python_version()}")
    print(f"training on {len(sentences)} sentences, {words} words")
    for name, seconds in training_seconds(sentences).items():
        print(f"  {name:32s} {seconds:10.2f} s")
    rates = scoring_rates(sentences, heldout)
    print("scoring, order 3, best of interleaved rounds")
    ours = rates["softalign, whole corpus"]
    for name, rate in rates.items():
        print(f"  {name:32s} {rate:12,.0f} words/s   ours / this {ours / rate:12.3g}")


if __name__ == "__main__":
    main()
