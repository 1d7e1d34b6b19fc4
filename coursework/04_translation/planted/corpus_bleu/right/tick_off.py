def corpus_bleu(hypotheses, references):
    """Tick the n-grams off on a copy of each reference, and credit the best."""
    matched, possible = np.zeros(4), np.zeros(4)
    lengths = np.zeros(2)
    for words, accepted in zip(hypotheses, references):
        gaps = sorted(accepted, key=lambda r: (abs(len(r) - len(words)), len(r)))
        lengths += len(words), len(gaps[0])
        for n in (1, 2, 3, 4):
            mine = [" ".join(words[i : i + n]) for i in range(len(words) + 1 - n)]
            possible[n - 1] += len(mine)
            for gram in set(mine):
                times = []
                for reference in accepted:
                    there = [" ".join(reference[i : i + n]) for i in range(len(reference) + 1 - n)]
                    times.append(there.count(gram))
                matched[n - 1] += min(mine.count(gram), max(times))
    if (matched == 0).any():
        return 0.0
    penalty = 1.0 if lengths[0] > lengths[1] else np.exp(1 - lengths[1] / lengths[0])
    return float(100 * penalty * np.exp(np.log(matched / possible).mean()))
