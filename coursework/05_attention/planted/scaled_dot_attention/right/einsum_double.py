def scaled_dot_attention(queries, keys, values, lengths):
    seen = (torch.arange(keys.shape[1]).expand(len(keys), -1) < lengths.unsqueeze(1)).double()
    real = seen.unsqueeze(2).bool()
    k = torch.where(real, keys.double(), 0.0)
    v = torch.where(real, values.double(), 0.0)
    scores = torch.einsum("btd,bsd->bts", queries.double() / k.shape[-1] ** 0.5, k)
    scores = scores + 1e6 * (seen.unsqueeze(1) - 1)
    weights = torch.softmax(scores, dim=-1) * seen.unsqueeze(1)
    return torch.einsum("bts,bsv->btv", weights, v), weights
