# says: You average the rates of the sentences. A short sentence then counts as much as a long one:
# add up the counts first.
def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    rates = []
    for b in range(len(weights)):
        src, tgt = int(src_lengths[b]), int(tgt_lengths[b])
        links = set()
        for j in range(tgt):
            row = weights[b, j, : src + 1]
            i = int(row.argmax())
            if row[i] > 0 and i < src:
                links.add((i, j))
        s, p = set(sure[b]), set(possible[b])
        total = len(links) + len(s)
        rates.append(1 - (len(links & s) + len(links & p)) / total if total else 0.0)
    return sum(rates) / len(rates)
