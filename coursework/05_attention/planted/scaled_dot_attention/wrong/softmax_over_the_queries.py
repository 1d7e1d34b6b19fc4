# says: Your softmax runs over the queries: each key divides its weight among those who ask. Each
# query must divide its own.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys = keys.masked_fill(~seen[:, :, None], 0.0)
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
