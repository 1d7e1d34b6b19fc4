"""Aligns a corpus both ways with systran-align, fast_align's code: ``systran.py PAIRS OUT N``.

PAIRS has lines ``source ||| target``; OUT gets the links of both directions, joined by the library,
one line a pair. The options are those that fast_align recommends (-d -o -v), N its iterations.
"""

import sys
import tempfile
from pathlib import Path

import systran_align


def main():
    """Learn from the corpus, and align it."""
    pairs, out, iterations = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        tables = [str(Path(folder) / side) for side in ("forward", "backward")]
        systran_align.generate_alignment_probabilities(
            pairs,
            *tables,
            iterations=int(iterations),
            favor_diagonal=True,
            optimize_tension=True,
            variational_bayes=True,
        )
        aligner = systran_align.Aligner(*tables)
    lines = Path(pairs).read_text(encoding="utf-8").split("\n")[:-1]
    sides = zip(*(map(str.split, line.split(" ||| ")) for line in lines), strict=True)
    with open(out, "w", encoding="ascii") as file:
        for found in aligner.align_batch(*map(list, sides)):
            file.write(" ".join(f"{i}-{j}" for i, j in found["alignments"]) + "\n")


if __name__ == "__main__":
    main()
