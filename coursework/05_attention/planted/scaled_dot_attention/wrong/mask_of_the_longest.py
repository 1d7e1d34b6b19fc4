# says: All sentences are masked by the largest length: the padding of the shorter ones has weight.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = (torch.arange(keys.shape[1]) < lengths.max()).expand(len(keys), -1)
    keys = keys.masked_fill(~seen[:, :, None], 0.0)
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
