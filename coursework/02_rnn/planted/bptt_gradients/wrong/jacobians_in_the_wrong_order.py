# says: Your Jacobians are multiplied in the wrong order: the latest one stands next to the loss.
# With one unit or two steps nobody would notice.
def bptt_gradients(inputs, state, states, own, W_hh):
    time = inputs.shape[1]
    jacobians = (1 - states**2)[..., None] * W_hh.T
    before = torch.cat([state[:, None], states[:, :-1]], dim=1)
    by_state = own.clone()
    for t in range(time):
        for s in range(t + 1, time):
            row = own[:, s, None]
            for step in range(t + 1, s + 1):
                row = row @ jacobians[:, step]
            by_state[:, t] += row[:, 0]
    by_sum = by_state * (1 - states**2)
    by_xh = torch.einsum("btd,bth->dh", inputs, by_sum)
    by_hh = torch.einsum("btk,bth->kh", before, by_sum)
    return by_xh, by_hh, by_sum.sum(dim=(0, 1))
