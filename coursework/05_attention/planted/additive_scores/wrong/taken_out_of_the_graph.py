# says: Your scores are right, but no gradient flows: item, detach and numpy leave the graph.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    with torch.no_grad():
        asked = (queries @ w_q)[:, :, None]
        shown = (keys @ w_k)[:, None]
        return torch.tanh(asked + shown + b) @ w_a
