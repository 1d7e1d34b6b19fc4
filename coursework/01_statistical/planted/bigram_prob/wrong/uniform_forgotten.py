# says: What was taken from the single words goes to nobody. It belongs to the uniform
# distribution.
def bigram_prob(sentences, history, word, discount):
    pairs = Counter()
    for sentence in sentences:
        padded = ["<s>", *sentence, "</s>"]
        pairs.update(zip(padded, padded[1:]))
    company = Counter(w for _, w in pairs)
    vocab = {w for s in sentences for w in s} | {"</s>", "<unk>"}
    total, kinds = sum(company.values()), len(company)
    lower = max(company[word] - discount, 0) / total
    after = sum(n for (u, _), n in pairs.items() if u == history)
    followers = sum(u == history for u, _ in pairs)
    if after == 0:
        return lower
    kept = max(pairs[history, word] - discount, 0) / after
    weight = discount * followers / after
    return kept + weight * lower
