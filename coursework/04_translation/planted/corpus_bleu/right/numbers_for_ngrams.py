def corpus_bleu(hypotheses, references):
    """Words become numbers, and an n-gram one whole number; numpy counts."""
    names = {}

    def codes(words, n):
        ids = [names.setdefault(word, len(names) + 1) for word in words]
        found = []
        for start in range(len(ids) - n + 1):
            code = 0
            for number in ids[start : start + n]:
                code = code * 100_003 + number
            found.append(code)
        return dict(zip(*map(list, np.unique(np.array(found, dtype=object), return_counts=True))))

    score, said, wanted = 0.0, 0, 0
    for hypothesis, accepted in zip(hypotheses, references):
        distance = [(abs(len(r) - len(hypothesis)), len(r)) for r in accepted]
        said, wanted = said + len(hypothesis), wanted + min(distance)[1]
    for n in range(1, 5):
        hits, total = 0, 0
        for hypothesis, accepted in zip(hypotheses, references):
            mine, theirs = codes(hypothesis, n), [codes(r, n) for r in accepted]
            total += sum(mine.values())
            for code, count in mine.items():
                hits += min(count, max(t.get(code, 0) for t in theirs))
        if hits == 0:
            return 0.0
        score += math.log(hits / total) / 4
    if said < wanted:
        score += 1 - wanted / said
    return 100 * math.exp(score)
