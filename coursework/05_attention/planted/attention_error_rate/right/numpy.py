def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    alpha, links = weights.numpy(), []
    for b, (S, T) in enumerate(zip(src_lengths.numpy(), tgt_lengths.numpy())):
        block = alpha[b, :T, : S + 1]
        best = block.argmax(axis=1)
        kept = np.flatnonzero((best < S) & (block.max(axis=1) > 0))
        links += [(b, int(best[j]), int(j)) for j in kept]
    s = {(b, *link) for b, pairs in enumerate(sure) for link in pairs}
    p = {(b, *link) for b, pairs in enumerate(possible) for link in pairs}
    found = set(links)
    if not found and not s:
        return 0.0
    return float(1 - (len(found & s) + len(found & p)) / (len(found) + len(s)))
