def bptt_gradients(inputs, state, states, own, W_hh):
    batch, time, n = states.shape
    by_xh, by_hh = 0, 0
    by_b = 0
    for b in range(batch):
        step = torch.eye(time * n, dtype=states.dtype)
        for t in range(1, time):
            jacobian = torch.diag(1 - states[b, t] ** 2) @ W_hh.T
            step[t * n : t * n + n, t * n - n : t * n] = -jacobian
        total = torch.linalg.solve(step.T, own[b].reshape(-1)).reshape(time, n)
        by_sum = total * (1 - states[b]) * (1 + states[b])
        before = torch.cat([state[b : b + 1], states[b, :-1]])
        by_xh = by_xh + inputs[b].T @ by_sum
        by_hh, by_b = by_hh + before.T @ by_sum, by_b + by_sum.sum(0)
    return by_xh, by_hh, by_b
