from fractions import Fraction


def table(words, n):
    found = {}
    for start in range(len(words) - n + 1):
        gram = tuple(words[start : start + n])
        found[gram] = found.get(gram, 0) + 1
    return found


def corpus_bleu(hypotheses, references):
    product = Fraction(1)
    for n in (1, 2, 3, 4):
        right = every = 0
        for hypothesis, accepted in zip(hypotheses, references):
            tables = [table(reference, n) for reference in accepted]
            for gram, count in table(hypothesis, n).items():
                every += count
                right += min(count, max(t.get(gram, 0) for t in tables))
        if not right:
            return 0
        product *= Fraction(right, every)
    said, wanted = 0, 0
    for hypothesis, accepted in zip(hypotheses, references):
        best = None
        for length in sorted(len(reference) for reference in accepted):
            gap = abs(length - len(hypothesis))
            if best is None or gap < best[0]:
                best = (gap, length)
        said, wanted = said + len(hypothesis), wanted + best[1]
    bleu = 100 * float(product) ** 0.25
    return bleu if said >= wanted else bleu * math.exp(1 - wanted / said)
