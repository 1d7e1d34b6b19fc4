def alignment_error_rate(links, sure, possible):
    every = [link for part in (links, sure, possible) for pair in part for link in pair]
    size = 1 + max((max(link) for link in every), default=0)
    tables = torch.zeros(3, max(len(links), 1), size, size, dtype=torch.bool)
    for k, part in enumerate((links, sure, possible)):
        for b, pair in enumerate(part):
            for i, j in pair:
                tables[k, b, i, j] = True
    a, s, p = tables
    p = p | s
    total = a.sum() + s.sum()
    if total == 0:
        return torch.tensor(0.0)
    return 1 - ((a & s).sum() + (a & p).sum()) / total
