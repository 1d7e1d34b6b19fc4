def bigram_prob(sentences, history, word, discount):
    words = sorted({w for s in sentences for w in s} | {"</s>"}) + ["<unk>"]
    column = {w: k for k, w in enumerate(words)}
    rows = [w for w in words if w not in ("</s>", "<unk>")] + ["<s>"]
    place = {u: k for k, u in enumerate(rows)}
    counts = np.zeros((len(rows), len(words)))
    for s in sentences:
        for u, w in zip(["<s>", *s], [*s, "</s>"]):
            counts[place[u], column[w]] += 1
    company = (counts > 0).sum(axis=0)
    single = np.maximum(company - discount, 0) / company.sum()
    single += (1 - single.sum()) / len(words)
    table = np.maximum(counts - discount, 0) / counts.sum(axis=1, keepdims=True)
    table += (1 - table.sum(axis=1, keepdims=True)) * single
    w = column.get(word, len(words) - 1)
    return table[place[history], w] if history in place else single[w]
