# says: You add up the weight that lies on gold links. The links are sets: a word has one, whole,
# or none.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    both = proposed = gold = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            i = int(row.argmax())
            if row[i] > 0 and i < src:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        both += sum(float(weights[b, j, i]) for i, j in links & s)
        both += sum(float(weights[b, j, i]) for i, j in links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return 1 - both / total if total else 0.0
