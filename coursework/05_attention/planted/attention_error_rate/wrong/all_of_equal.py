# says: Where several places share the largest weight you link them all. The first one counts.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    both = proposed = gold = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            best = row.max()
            if best > 0:
                links |= {(i, j) for i in range(src) if row[i] == best}
        s, p = set(sure[b]), set(possible[b])
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return 1 - both / total if total else 0.0
