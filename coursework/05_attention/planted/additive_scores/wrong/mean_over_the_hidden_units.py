# says: You take the mean over the hidden units. w_a weights them, and what it weights is added up.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return (torch.tanh(asked + shown + b) * w_a).mean(dim=-1)
