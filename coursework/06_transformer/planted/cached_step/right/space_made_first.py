def cached_step(x, cache, parents, w_q, w_k, w_v):
    rows, new, _ = x.shape
    past = 0 if cache is None else cache["keys"].size(1)
    keys = torch.zeros(rows, past + new, w_k.size(1))
    values = torch.zeros(rows, past + new, w_v.size(1))
    if past:
        parents = torch.arange(rows) if parents is None else parents
        keys[:, :past], values[:, :past] = cache["keys"][parents], cache["values"][parents]
    outputs = []
    for n in range(new):
        end = past + n + 1
        word = x[:, n]
        keys[:, end - 1], values[:, end - 1] = word @ w_k, word @ w_v
        scores = (keys[:, :end] * (word @ w_q)[:, None]).sum(-1) / math.sqrt(w_k.size(1))
        weights = torch.softmax(scores, dim=-1)
        outputs.append((weights[..., None] * values[:, :end]).sum(dim=1))
    return [torch.stack(outputs, dim=1), {"keys": keys, "values": values}]
