# says: You write zeros into the keys and values that you were given.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys[~seen], values[~seen] = 0.0, 0.0
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(hidden, lowest), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
