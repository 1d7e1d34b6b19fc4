# says: You count which different n-grams are found. BLEU counts every occurrence, found
# ones clipped and all of them in the denominator.
def warm_up_bleu():
    hypothesis = "<<hypothesis>>".split()
    references = ["<<reference_a>>".split(), "<<reference_b>>".split()]
    size = len(hypothesis)
    nearest = min((abs(len(r) - size), len(r)) for r in references)[1]
    precisions = []
    for n in (1, 2):
        mine, *theirs = (
            Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
            for words in (hypothesis, *references)
        )
        mine = Counter(set(mine))
        found = sum(any(t[g] for t in theirs) for g in mine)
        precisions.append(found / mine.total())
    return [*precisions, math.exp(1 - nearest / size)]
