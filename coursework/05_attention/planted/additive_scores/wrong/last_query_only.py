# says: You score the last query only. There are tgt queries, and each needs a row.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries[:, -1:] @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return torch.tanh(asked + shown + b) @ w_a
