# says: You return the agreement, not the error: 1 minus it.
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
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return both / total if total else 0.0
