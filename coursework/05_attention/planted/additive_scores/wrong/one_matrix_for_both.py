# says: Queries and keys go through the same matrix. Each side has a matrix of its own.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_q)[:, None]
    return torch.tanh(asked + shown + b) @ w_a
