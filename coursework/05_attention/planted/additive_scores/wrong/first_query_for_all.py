# says: Every row holds the scores of the first query.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries[:, :1] @ w_q)[:, :, None].expand(-1, queries.shape[1], -1, -1)
    shown = (keys @ w_k)[:, None]
    return torch.tanh(asked + shown + b) @ w_a
