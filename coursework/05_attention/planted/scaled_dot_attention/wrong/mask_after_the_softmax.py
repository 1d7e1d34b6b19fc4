# says: You mask behind the softmax: what the padding has taken is missing from the rest.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores, dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
