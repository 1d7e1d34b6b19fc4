# says: You divide by the number of components. Its root is the standard deviation of a product;
# divided by more, the weights grow equal.
def scaled_dot_attention(queries, keys, values, lengths):
    seen = torch.arange(keys.shape[1]) < lengths[:, None]
    keys = keys.masked_fill(~seen[:, :, None], 0.0)
    values = values.masked_fill(~seen[:, :, None], 0.0)
    scores = queries @ keys.mT / keys.shape[-1]
    hidden = ~seen[:, None, :]
    weights = torch.softmax(scores.masked_fill(hidden, torch.finfo(scores.dtype).min), dim=-1)
    weights = weights.masked_fill(hidden, 0.0)
    return weights @ values, weights
