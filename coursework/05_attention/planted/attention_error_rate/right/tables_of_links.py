def attention_error_rate(weights, src_lengths, tgt_lengths, sure, possible):
    tgt, src = weights.shape[1:]
    rows, columns = torch.arange(tgt), torch.arange(src)
    real = columns <= src_lengths[:, None]
    inside = weights.masked_fill(~real[:, None, :], -1.0)
    best, place = inside.max(dim=2)
    first = (inside == best[:, :, None]).int().argmax(dim=2)
    linked = (rows < tgt_lengths[:, None]) & (best > 0) & (first < src_lengths[:, None])
    total = int(linked.sum()) + sum(map(len, sure))
    hits = 0
    for gold in (sure, possible):
        for b, links in enumerate(gold):
            hits += sum(bool(linked[b, j]) and int(first[b, j]) == i for i, j in links)
    return 1 - hits / total if total else 0.0
