# says: You sent the queries through w_k or the keys through w_q. Each side has a matrix of its
# own.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_k)[:, :, None]
    shown = (keys @ w_q)[:, None]
    return torch.tanh(asked + shown + b) @ w_a
