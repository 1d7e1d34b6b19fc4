# says: No </s> stands behind your sentences, so their last words are followed by nothing, and the
# end is never predicted.
def bigram_prob(sentences, history, word, discount):
    pairs = Counter()
    for sentence in sentences:
        padded = ["<s>", *sentence]
        pairs.update(zip(padded, padded[1:]))
    company = Counter(w for _, w in pairs)
    vocab = {w for s in sentences for w in s} | {"</s>", "<unk>"}
    total, kinds = max(sum(company.values()), 1), len(company)
    lower = max(company[word] - discount, 0) / total
    lower += discount * kinds / total / len(vocab)
    after = sum(n for (u, _), n in pairs.items() if u == history)
    followers = sum(u == history for u, _ in pairs)
    if after == 0:
        return lower
    kept = max(pairs[history, word] - discount, 0) / after
    weight = discount * followers / after
    return kept + weight * lower
