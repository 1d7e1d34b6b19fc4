# says: You do not count <s> among the words that stand before a word. It is company like any
# other.
def bigram_prob(sentences, history, word, discount):
    pairs = Counter()
    for sentence in sentences:
        padded = ["<s>", *sentence, "</s>"]
        pairs.update(zip(padded, padded[1:]))
    company = Counter({w: 0 for _, w in pairs})
    company.update(w for u, w in pairs if u != "<s>")
    vocab = {w for s in sentences for w in s} | {"</s>", "<unk>"}
    total, kinds = max(sum(company.values()), 1), sum(n > 0 for n in company.values())
    lower = max(company[word] - discount, 0) / total
    lower += discount * kinds / total / len(vocab)
    after = sum(n for (u, _), n in pairs.items() if u == history)
    followers = sum(u == history for u, _ in pairs)
    if after == 0:
        return lower
    kept = max(pairs[history, word] - discount, 0) / after
    weight = discount * followers / after
    return kept + weight * lower
