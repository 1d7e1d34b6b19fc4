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
        found = sum(min(mine[g], max(t[g] for t in theirs)) for g in mine)
        precisions.append(found / mine.total())
    numbers = (*precisions, min(1.0, math.e ** (1 - nearest / size)))
    return tuple(round(number, 3) for number in numbers)
