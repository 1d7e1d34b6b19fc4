# says: Your scores have a row for each key. A row belongs to the query, the one that asks: (batch,
# tgt, src).
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return (torch.tanh(asked + shown + b) @ w_a).mT
