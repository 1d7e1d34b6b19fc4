from fractions import Fraction


def warm_up_bleu():
    said = "<<hypothesis>>".split()
    accepted = ["<<reference_a>>".split(), "<<reference_b>>".split()]

    def times(gram, words):
        n = len(gram)
        return sum(words[i : i + n] == gram for i in range(len(words)))

    shares = []
    for n in (1, 2):
        grams = [said[i : i + n] for i in range(len(said) - n + 1)]
        hits = 0
        for number, gram in enumerate(grams):
            before = grams[:number].count(gram)
            hits += before < max(times(gram, words) for words in accepted)
        shares.append(Fraction(hits, len(grams)))
    gap = [(abs(len(words) - len(said)), len(words)) for words in accepted]
    return [float(shares[0]), float(shares[1]), math.exp(1 - min(gap)[1] / len(said))]
