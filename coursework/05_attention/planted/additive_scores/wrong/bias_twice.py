# says: Both sides have got the bias, so it counts twice. There is one bias in the sum.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q + b)[:, :, None]
    shown = (keys @ w_k + b)[:, None]
    return torch.tanh(asked + shown) @ w_a
