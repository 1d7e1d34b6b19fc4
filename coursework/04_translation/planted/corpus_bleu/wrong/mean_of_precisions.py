# says: You average the precisions of the sentences. BLEU adds up matches and n-grams of
# the corpus first.
def grams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def corpus_bleu(hypotheses, references):
    said = wanted = 0
    shares = {n: [] for n in range(1, 5)}
    for hypothesis, accepted in zip(hypotheses, references):
        size = len(hypothesis)
        said += size
        wanted += min((abs(len(r) - size), len(r)) for r in accepted)[1]
        for n in shares:
            mine, most = grams(hypothesis, n), Counter()
            for reference in accepted:
                most |= grams(reference, n)
            if mine:
                shares[n].append((mine & most).total() / mine.total())
    precisions = [sum(s) / len(s) if s else 0.0 for s in shares.values()]
    if min(precisions) == 0:
        return 0.0
    penalty = min(1.0, math.exp(1 - wanted / said))
    return 100 * penalty * math.prod(precisions) ** 0.25
