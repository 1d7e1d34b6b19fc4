def bigram_prob(sentences, history, word, discount):
    def mixed(counts, shorter):
        total = counts.total()
        if total == 0:
            return shorter
        kept = max(counts[word] - discount, 0)
        return (kept + discount * len(counts) * shorter) / total

    padded = [("<s>", *sentence, "</s>") for sentence in sentences]
    seen = [pair for s in padded for pair in pairwise(s)]
    vocab = {"<unk>", *(w for _, w in seen)}
    single = mixed(Counter(w for _, w in set(seen)), 1 / len(vocab))
    return mixed(Counter(w for u, w in seen if u == history), single)
