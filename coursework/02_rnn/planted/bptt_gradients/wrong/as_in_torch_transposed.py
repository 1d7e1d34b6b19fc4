# says: Your gradients have the shape of torch.nn's weights, which are the transposes of ours. A
# gradient has the shape of its parameter: (d, hidden) for W_xh.
def bptt_gradients(inputs, state, states, own, W_hh):
    by_W_xh, by_W_hh, by_b_h = 0, 0, 0
    handed_back = torch.zeros_like(state)
    for t in reversed(range(inputs.shape[1])):
        old = states[:, t - 1] if t > 0 else state
        G_h = own[:, t] + handed_back
        G_a = G_h * (1 - states[:, t] ** 2)
        by_W_xh = by_W_xh + inputs[:, t].T @ G_a
        by_W_hh = by_W_hh + old.T @ G_a
        by_b_h = by_b_h + G_a.sum(dim=0)
        handed_back = G_a @ W_hh.T
    return by_W_xh.T, by_W_hh.T, by_b_h
