# says: You took the first block for the candidate. It is the last one.
def gru_step(x: Tensor, h: Tensor, W_xh: Tensor, W_hh: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    from_x, from_h = x @ W_xh + b_x, h @ W_hh + b_h
    n_x, z_x, r_x = from_x.chunk(3, dim=1)
    n_h, z_h, r_h = from_h.chunk(3, dim=1)
    z, r = (z_x + z_h).sigmoid(), (r_x + r_h).sigmoid()
    candidate = torch.tanh(n_x + r * n_h)
    return (1 - z) * h + z * candidate
