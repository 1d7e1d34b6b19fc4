# says: You use the first reference alone. An n-gram may stand in either of them.
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
        found = sum(min(mine[g], theirs[0][g]) for g in mine)
        precisions.append(found / mine.total())
    return [*precisions, math.exp(1 - nearest / size)]
