def bptt_gradients(inputs, state, states, own, W_hh):
    d, n = inputs.shape[2], states.shape[2]
    size = d * n + n * n + n
    eye = torch.eye(n, dtype=states.dtype)
    gradient = torch.zeros(size, dtype=states.dtype)
    for b in range(len(inputs)):
        total = torch.zeros(n, size, dtype=states.dtype)  # of the state, by all weights
        for t in range(inputs.shape[1]):
            old = states[b, t - 1] if t else state[b]
            read = torch.cat([inputs[b, t], old, old.new_ones(1)])
            immediate = torch.einsum("i,kj->kij", read, eye).reshape(n, size)
            slope = (1 - states[b, t] ** 2)[:, None]
            total = slope * (immediate + W_hh.T @ total)
            gradient = gradient + own[b, t] @ total
    rows = gradient.reshape(d + n + 1, n)
    return rows[:d], rows[d : d + n], rows[-1]
