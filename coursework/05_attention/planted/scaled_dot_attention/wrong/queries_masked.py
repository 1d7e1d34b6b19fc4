# says: The lengths hide rows of the scores. They are lengths of the source: they hide columns, for
# every query.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(queries.shape[1]) < lengths[:, None]
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, :, None]
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(hidden, lowest), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
