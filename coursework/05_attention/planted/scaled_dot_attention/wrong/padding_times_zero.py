# says: You multiply the padding by 0 to clear it. 0 times NaN is NaN: what stands there must be
# replaced, not multiplied.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys, values = keys * seen[:, :, None], values * seen[:, :, None]
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(hidden, lowest), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
