# says: Contexts and weights are right, and the gradient of the queries is NaN: it is the gradient
# of the scores, 0 at padding, times the keys, NaN at padding.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / math.sqrt(keys.shape[-1])
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
