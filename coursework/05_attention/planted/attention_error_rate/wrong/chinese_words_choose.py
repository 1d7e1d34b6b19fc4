# says: You let each Chinese word choose its English word, down the columns. Each row belongs to an
# English word that asks.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    both = proposed = gold = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for i in range(src):
            column = weights[b, :tgt, i]
            if tgt and column.max() > 0:
                links.add((i, int(column.argmax())))
        s, p = set(sure[b]), set(possible[b])
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return 1 - both / total if total else 0.0
