# says: The cache is returned as it came in: the new keys and values are not kept.
def cached_step(x, cache, parents, w_q, w_k, w_v):
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    new, past = x.shape[1], 0
    if cache is not None:
        old_k, old_v = cache["keys"], cache["values"]
        if parents is not None:
            old_k, old_v = old_k[parents], old_v[parents]
        past = old_k.shape[1]
        k = torch.cat([old_k, k], dim=1)
        v = torch.cat([old_v, v], dim=1)
    scores = q @ k.mT / math.sqrt(k.shape[-1])
    visible = torch.ones(new, past + new, dtype=torch.bool).tril(past)
    weights = torch.softmax(scores.masked_fill(~visible, -torch.inf), dim=-1)
    return weights @ v, cache or {"keys": k, "values": v}
