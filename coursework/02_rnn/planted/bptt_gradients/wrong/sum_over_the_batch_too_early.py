# says: You join the examples before you multiply. Each example has its own inputs, states and
# slopes: multiply within an example, and sum the products.
def bptt_gradients(inputs, state, states, own, W_hh):
    by_W_xh, by_W_hh, by_b_h = 0, 0, 0
    back = torch.zeros_like(state[0])
    for t in reversed(range(inputs.shape[1])):
        old = states[:, t - 1] if t > 0 else state
        slope = (1 - states[:, t] ** 2).mean(dim=0)
        G_a = (own[:, t].sum(dim=0) + back) * slope
        by_W_xh = by_W_xh + torch.outer(inputs[:, t].mean(dim=0), G_a)
        by_W_hh = by_W_hh + torch.outer(old.mean(dim=0), G_a)
        by_b_h = by_b_h + G_a
        back = W_hh @ G_a
    return by_W_xh, by_W_hh, by_b_h
