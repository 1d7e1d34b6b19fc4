# says: Your bias runs along the source, one number for each place. It belongs to the hidden units.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return torch.tanh(asked + shown + b[:, None]) @ w_a
