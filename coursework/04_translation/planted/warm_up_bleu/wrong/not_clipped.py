# says: You credit a repeated word each time it is said. It is credited at most as often
# as a reference has it.
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
        found = sum(mine[g] for g in mine if any(t[g] for t in theirs))
        precisions.append(found / mine.total())
    return [*precisions, math.exp(1 - nearest / size)]
