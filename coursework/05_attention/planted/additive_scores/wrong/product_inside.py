# says: You multiply the projections of query and key. In the additive score they are added.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return torch.tanh(asked * shown + b) @ w_a
