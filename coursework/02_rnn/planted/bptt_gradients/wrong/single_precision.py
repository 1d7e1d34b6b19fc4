# says: Your sums are kept in float32, with seven digits. Everything given is float64: torch.zeros
# makes float32 unless told.
def bptt_gradients(inputs, state, states, own, W_hh):
    by_W_xh = torch.zeros(inputs.shape[2], states.shape[2])
    by_W_hh = torch.zeros(W_hh.shape)
    by_b_h = torch.zeros(states.shape[2])
    handed_back = torch.zeros_like(state)
    for t in reversed(range(inputs.shape[1])):
        old = states[:, t - 1] if t > 0 else state
        G_a = (own[:, t] + handed_back) * (1 - states[:, t] ** 2)
        by_W_xh += inputs[:, t].T @ G_a
        by_W_hh += old.T @ G_a
        by_b_h += G_a.sum(dim=0)
        handed_back = G_a @ W_hh.T
    return by_W_xh, by_W_hh, by_b_h
