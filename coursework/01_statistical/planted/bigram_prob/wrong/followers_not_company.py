# says: You count the different words after a word. What makes it a good guess in new company is
# how many different words stood before it.
def bigram_prob(sentences, history, word, discount):
    pairs = Counter()
    for sentence in sentences:
        padded = ["<s>", *sentence, "</s>"]
        pairs.update(zip(padded, padded[1:]))
    company = Counter({w: 0 for _, w in pairs})
    company.update(u for u, _ in pairs if u != "<s>")
    vocab = {w for s in sentences for w in s} | {"</s>", "<unk>"}
    total, kinds = sum(company.values()), sum(n > 0 for n in company.values())
    lower = max(company[word] - discount, 0) / total
    lower += discount * kinds / total / len(vocab)
    after = sum(n for (u, _), n in pairs.items() if u == history)
    followers = sum(u == history for u, _ in pairs)
    if after == 0:
        return lower
    kept = max(pairs[history, word] - discount, 0) / after
    weight = discount * followers / after
    return kept + weight * lower
