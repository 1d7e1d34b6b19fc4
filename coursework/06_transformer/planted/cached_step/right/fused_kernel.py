def cached_step(x, cache, parents, w_q, w_k, w_v):
    kept = {"keys": x @ w_k, "values": x @ w_v}
    if cache is not None:
        for name, part in cache.items():
            part = part if parents is None else part.index_select(0, parents)
            kept[name] = torch.cat([part, kept[name]], dim=1)
    new, total = x.shape[1], kept["keys"].shape[1]
    mask = torch.ones(total, total, dtype=torch.bool).tril()[total - new :]
    found = F.scaled_dot_product_attention(x @ w_q, kept["keys"], kept["values"], attn_mask=mask)
    return found, kept
