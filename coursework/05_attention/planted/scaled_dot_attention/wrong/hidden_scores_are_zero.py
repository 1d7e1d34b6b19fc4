# says: You set the scores of the padding to 0, and 0 is a score like any other.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys = keys.masked_fill(~seen[:, :, None], 0.0)
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, 0.0), dim=-1)
    return weights @ values, weights
