def lstm_step(x, h, c, W_xh, W_hh, b):
    n = W_hh.shape[0]
    x, h, c = x.double(), h.double(), c.double()
    W_xh, W_hh, b = W_xh.double(), W_hh.double(), b.double()
    parts = []
    for k in range(4):
        block = slice(k * n, (k + 1) * n)
        parts.append(x @ W_xh[:, block] + h @ W_hh[:, block] + b[block])
    keep, write, show = (torch.sigmoid(part) for part in parts[:3])
    new = keep * c + write * torch.tanh(parts[3])
    return [show * torch.tanh(new), new]
