# says: A sentence of length 0 gets equal weights on its padding. Nothing to see means weights of
# 0.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys = keys.masked_fill(~seen[:, :, None], 0.0)
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=-1)
    return weights @ values, weights
