# says: You take the tanh of the finished score. Query and key must meet inside it, component by
# component, before w_a adds the components up.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k)[:, None]
    return torch.tanh((asked + shown + b) @ w_a)
