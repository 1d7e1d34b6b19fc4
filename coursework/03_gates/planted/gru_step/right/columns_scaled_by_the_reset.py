def gru_step(x, h, W_xh, W_hh, b_x, b_h):
    n = h.shape[1]
    gates = torch.sigmoid(x @ W_xh[:, : 2 * n] + b_x[: 2 * n] + h @ W_hh[:, : 2 * n] + b_h[: 2 * n])
    z, r = gates[:, :n], gates[:, n:]
    columns = W_hh[None, :, 2 * n :] * r[:, None, :]  # batch, n, n
    heard = torch.bmm(h[:, None], columns)[:, 0] + r * b_h[2 * n :]
    candidate = torch.tanh(x @ W_xh[:, 2 * n :] + b_x[2 * n :] + heard)
    return torch.add(h - h * z, candidate * z)
