# says: You average precision and recall. AER adds what is above the line and what is below before
# it divides.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    s_found = p_found = proposed = gold = 0
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            i = int(row.argmax())
            if row[i] > 0 and i < src:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        s_found += len(links & s)
        p_found += len(links & p)
        proposed += len(links)
        gold += len(s)
    precision = p_found / proposed if proposed else 1.0
    recall = s_found / gold if gold else 1.0
    return 1 - (precision + recall) / 2
