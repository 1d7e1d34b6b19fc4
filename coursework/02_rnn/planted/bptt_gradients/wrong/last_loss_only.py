# says: Only the loss of the last step goes back. Each step has a loss of its own, which joins on
# the way.
def bptt_gradients(inputs, state, states, own, W_hh):
    by_W_xh, by_W_hh, by_b_h = 0, 0, 0
    handed_back = torch.zeros_like(state)
    for t in reversed(range(inputs.shape[1])):
        old = states[:, t - 1] if t > 0 else state
        G_h = handed_back + (own[:, t] if t == inputs.shape[1] - 1 else 0)
        G_a = G_h * (1 - states[:, t] ** 2)
        by_W_xh = by_W_xh + inputs[:, t].T @ G_a
        by_W_hh = by_W_hh + old.T @ G_a
        by_b_h = by_b_h + G_a.sum(dim=0)
        handed_back = G_a @ W_hh.T
    return by_W_xh, by_W_hh, by_b_h
