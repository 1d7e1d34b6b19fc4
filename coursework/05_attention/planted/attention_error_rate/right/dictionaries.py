def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    wrong_or_missing = everything = 0
    for b, rows in enumerate(weights.tolist()):
        S, T = int(src_lengths[b]), int(tgt_lengths[b])
        chosen = {}
        for j in range(T):
            place, weight = S, rows[j][S]
            for i in range(S - 1, -1, -1):
                if rows[j][i] >= weight:
                    place, weight = i, rows[j][i]
            if weight > 0 and place != S:
                chosen[j] = place
        possible_here = [tuple(link) for link in possible[b]]
        wrong_or_missing += sum((i, j) not in possible_here for j, i in chosen.items())
        wrong_or_missing += sum(chosen.get(j) != i for i, j in sure[b])
        everything += len(chosen) + len(sure[b])
    return wrong_or_missing / everything if everything else 0
