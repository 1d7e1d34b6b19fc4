def gru_step(x, h, W_xh, W_hh, b_x, b_h):
    n = h.shape[1]
    from_x = torch.einsum("bd,dgn->gbn", x, W_xh.reshape(-1, 3, n)) + b_x.reshape(3, 1, n)
    from_h = torch.einsum("bm,mgn->gbn", h, W_hh.reshape(n, 3, n)) + b_h.reshape(3, 1, n)
    z, r = torch.special.expit(from_x[:2] + from_h[:2])
    return torch.lerp(h, torch.tanh(torch.addcmul(from_x[2], r, from_h[2])), z)
