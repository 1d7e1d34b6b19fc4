def lstm_step(x, h, c, W_xh, W_hh, b):
    n = len(W_hh)
    hidden, cells = [], []
    for row in range(len(x)):
        a = W_xh.T @ x[row] + W_hh.T @ h[row] + b
        new = []
        shown = []
        for j in range(n):
            f, i, o = a[j].sigmoid(), a[n + j].sigmoid(), a[2 * n + j].sigmoid()
            new.append(f * c[row, j] + i * a[3 * n + j].tanh())
            shown.append(o * new[-1].tanh())
        hidden.append(torch.stack(shown))
        cells.append(torch.stack(new))
    return torch.stack(hidden), torch.stack(cells)
