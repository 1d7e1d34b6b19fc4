# says: No gradient flows into what the keys are made of: projecting them once does not mean to
# detach them.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    asked = (queries @ w_q)[:, :, None]
    shown = (keys @ w_k).detach()[:, None]
    return torch.tanh(asked + shown + b) @ w_a
