# says: You skip hypotheses of fewer than four words. They have no 4-gram, but they have
# words.
def grams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def corpus_bleu(hypotheses, references):
    said = wanted = 0
    hits, totals = [0] * 4, [0] * 4
    for hypothesis, accepted in zip(hypotheses, references):
        size = len(hypothesis)
        if 0 < size < 4:
            continue
        said += size
        wanted += min((abs(len(r) - size), len(r)) for r in accepted)[1]
        for n in range(1, 5):
            mine = grams(hypothesis, n)
            most = Counter()
            for reference in accepted:
                most |= grams(reference, n)
            hits[n - 1] += (mine & most).total()
            totals[n - 1] += mine.total()
    if min(hits) == 0:
        return 0.0
    penalty = min(1.0, math.exp(1 - wanted / said))
    precisions = [h / t for h, t in zip(hits, totals)]
    return 100 * penalty * math.prod(precisions) ** 0.25
