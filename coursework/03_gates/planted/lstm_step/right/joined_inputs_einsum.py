def lstm_step(x, h, c, W_xh, W_hh, b):
    n = h.shape[1]
    both = torch.cat([x, h], dim=1)
    weights = torch.cat([W_xh, W_hh], dim=0).reshape(-1, 4, n)
    a = torch.einsum("bk,kgn->gbn", both, weights) + b.reshape(4, 1, n)
    f, i, o = torch.special.expit(a[:3])
    c = torch.addcmul(f * c, i, a[3].tanh())
    return o * c.tanh(), c
