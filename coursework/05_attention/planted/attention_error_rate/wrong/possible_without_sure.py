# says: You took the sure links out of the possible ones. Every sure link is a possible one too, so
# that it counts twice above the line.
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
        s, p = set(sure[b]), set(possible[b]) - set(sure[b])
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    total = proposed + gold
    return 1 - both / total if total else 0.0
