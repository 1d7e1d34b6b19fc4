def gru_step(x, h, W_xh, W_hh, b_x, b_h):
    n = h.shape[1]
    x, h, W_xh, W_hh, b_x, b_h = (a.double() for a in (x, h, W_xh, W_hh, b_x, b_h))
    told, heard = [], []
    for k in range(3):
        block = slice(k * n, (k + 1) * n)
        told.append(x @ W_xh[:, block] + b_x[block])
        heard.append(h @ W_hh[:, block] + b_h[block])
    z = torch.sigmoid(told[0] + heard[0])
    r = torch.sigmoid(told[1] + heard[1])
    return h + z * (torch.tanh(told[2] + r * heard[2]) - h)
