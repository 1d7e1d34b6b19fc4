# says: Your vocabulary holds the words of the sentences only. Both </s> and <unk> can be predicted
# as well.
def bigram_prob(sentences, history, word, discount):
    pairs = Counter()
    for sentence in sentences:
        padded = ["<s>", *sentence, "</s>"]
        pairs.update(zip(padded, padded[1:]))
    company = Counter(w for _, w in pairs)
    vocab = {w for s in sentences for w in s} or {""}
    total, kinds = sum(company.values()), len(company)
    lower = max(company[word] - discount, 0) / total
    lower += discount * kinds / total / len(vocab)
    after = sum(n for (u, _), n in pairs.items() if u == history)
    followers = sum(u == history for u, _ in pairs)
    if after == 0:
        return lower
    kept = max(pairs[history, word] - discount, 0) / after
    weight = discount * followers / after
    return kept + weight * lower
