# says: You add the projections place by place, so query j meets key j only. It must meet all keys:
# an axis is missing on each side.
def additive_scores(queries, keys, w_q, w_k, b, w_a):
    return torch.tanh(queries @ w_q + keys @ w_k + b) @ w_a
