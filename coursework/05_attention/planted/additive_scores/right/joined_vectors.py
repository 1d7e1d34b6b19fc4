def additive_scores(queries, keys, w_q, w_k, b, w_a):
    tgt, src = queries.shape[1], keys.shape[1]
    asked = queries.unsqueeze(2).expand(-1, -1, src, -1)
    shown = keys.unsqueeze(1).expand(-1, tgt, -1, -1)
    ones = torch.ones_like(asked[..., :1])
    joined = torch.cat([asked, shown, ones], dim=-1)
    return torch.tanh(joined @ torch.cat([w_q, w_k, b[None]])) @ w_a
