# says: You take the end symbol's column away before you look for the largest weight, so that every
# word gets a link.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    both = proposed = gold = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, :src]
            i = int(row.argmax()) if src else 0
            if src and row[i] > 0:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return 1 - both / total if total else 0.0
