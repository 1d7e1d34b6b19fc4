def bigram_prob(sentences, history, word, discount):
    firsts, seconds = [], []
    for s in sentences:
        firsts += ["<s>"] + list(s)
        seconds += list(s) + ["</s>"]
    number = {w: k for k, w in enumerate(dict.fromkeys(seconds))}
    size = len(number) + 1
    w = number.get(word, size - 1)
    pairs = set(zip(firsts, seconds))
    company = torch.bincount(torch.tensor([number[b] for _, b in pairs]), minlength=size).float()
    single = (company - discount).clamp(min=0)
    single = (single + (company.sum() - single.sum()) / size) / company.sum()
    mine = [number[b] for a, b in zip(firsts, seconds) if a == history]
    if not mine:
        return single[w]
    row = torch.bincount(torch.tensor(mine), minlength=size).float()
    kept = torch.where(row > 0, row - discount, torch.zeros(size))
    return kept[w] / row.sum() + (1 - kept.sum() / row.sum()) * single[w]
