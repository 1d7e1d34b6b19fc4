# says: You return what precision lacks to 1. A sure link that is missing must cost something as
# well.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    both = proposed = gold = sure_found = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            i = int(row.argmax())
            if row[i] > 0 and i < src:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        sure_found += len(links & s)
        both += len(links & s) + len(links & p)
        proposed += len(links)
        gold += len(s)
    return 1 - (both - sure_found) / proposed if proposed else 0.0
