def gru_step(x, h, W_xh, W_hh, b_x, b_h):
    n = len(W_hh)
    rows = []
    for old, new_input in zip(h, x):
        a, u = W_xh.T @ new_input + b_x, W_hh.T @ old + b_h
        row = []
        for j in range(n):
            z = torch.sigmoid(a[j] + u[j])
            r = torch.sigmoid(a[n + j] + u[n + j])
            candidate = torch.tanh(a[2 * n + j] + r * u[2 * n + j])
            row.append(old[j] - z * old[j] + z * candidate)
        rows.append(torch.stack(row))
    return torch.stack(rows)
