# says: You put the links of all sentences into one set. A link of one sentence is then found in
# the gold links of another, and equal pairs count once.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    found, all_s, all_p = set(), set(), set()
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            i = int(row.argmax())
            if row[i] > 0 and i < src:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        found, all_s, all_p = found | links, all_s | s, all_p | p
    total = len(found) + len(all_s)
    return 1 - (len(found & all_s) + len(found & all_p)) / total if total else 0.0
