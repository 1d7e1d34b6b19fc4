def scaled_dot_attention(queries, keys, values, lengths):
    real = torch.arange(keys.shape[1])[None, :, None] < lengths[:, None, None]
    keys, values = torch.where(real, keys, 0), torch.where(real, values, 0)
    scores = torch.bmm(queries, keys.transpose(1, 2)) * keys.shape[-1] ** -0.5
    top = scores.max(dim=-1, keepdim=True).values.detach()
    powers = torch.exp(scores - top) * real.transpose(1, 2)
    total = powers.sum(dim=-1, keepdim=True)
    weights = powers / torch.where(total > 0, total, 1.0)
    return [torch.bmm(weights, values), weights]
