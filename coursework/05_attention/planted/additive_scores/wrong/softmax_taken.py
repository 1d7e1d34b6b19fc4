# says: You return weights. The question asks for the scores.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return torch.softmax(torch.tanh(asked + shown + b) @ w_a, dim=-1)
