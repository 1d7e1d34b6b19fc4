"""CPU-seconds of one iteration of IBM Model 1: ``ibm1.py softalign|nltk CORPUS FEW MANY``.

The same pairs are trained with few and with many iterations; the difference leaves out reading and
indexing. Prints one number.
"""

import gc
import sys
import time


def softalign(pairs, few, many):
    """Seconds of our training; the corpus is indexed once."""
    from softalign.ibm import index, train_ibm1

    bitext = index(pairs)
    return [_seconds(train_ibm1, bitext, count) for count in (few, many)]


def nltk(pairs, few, many):
    """Seconds of nltk's; every call indexes and links, which the difference takes away."""
    from nltk.translate import AlignedSent, IBMModel1

    bitext = [AlignedSent(target, source) for source, target in pairs]
    return [_seconds(IBMModel1, bitext, count) for count in (few, many)]


def _seconds(task, bitext, count):
    gc.collect()
    begin = time.process_time()
    task(bitext, count)
    return time.process_time() - begin


if __name__ == "__main__":
    library, corpus, few, many = sys.argv[1:]
    with open(corpus, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    words = [tuple(side.split() for side in line[:2]) for line in lines]
    first, second = {"softalign": softalign, "nltk": nltk}[library](words, int(few), int(many))
    print((second - first) / (int(many) - int(few)))
