# says: You turned (batch, src, tgt) into (batch, tgt, src) with a reshape. That reads the numbers
# off in another order; the axes must change places.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, None]
    shown = (keys @ w_k)[:, :, None]
    scores = torch.tanh(asked + shown + b) @ w_a
    return scores.reshape(len(queries), queries.shape[1], keys.shape[1])
