# says: You put the references of all sentences into one heap: a word is credited to a
# sentence whose own references do not have it.
def grams(lines, n):
    return Counter(tuple(w[i : i + n]) for w in lines for i in range(len(w) - n + 1))


def corpus_bleu(hypotheses, references):
    said = sum(map(len, hypotheses))
    wanted = 0
    for hypothesis, accepted in zip(hypotheses, references):
        size = len(hypothesis)
        wanted += min((abs(len(r) - size), len(r)) for r in accepted)[1]
    product = 1.0
    for n in range(1, 5):
        mine = grams(hypotheses, n)
        most = Counter()
        for number in range(max(map(len, references))):
            most |= grams([r[number] for r in references if number < len(r)], n)
        found = (mine & most).total()
        if found == 0:
            return 0.0
        product *= found / mine.total()
    return 100 * min(1.0, math.exp(1 - wanted / said)) * product**0.25
