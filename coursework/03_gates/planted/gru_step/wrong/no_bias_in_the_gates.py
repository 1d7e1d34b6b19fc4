# says: Your gates have one bias, that of the input's part. The hidden part's bias belongs to all
# three blocks.
def gru_step(x: Tensor, h: Tensor, W_xh: Tensor, W_hh: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    from_x, from_h = x @ W_xh + b_x, h @ W_hh + b_h
    z_x, r_x, n_x = from_x.chunk(3, dim=1)
    z_h, r_h, n_h = from_h.chunk(3, dim=1)
    b_z, b_r, _ = b_h.chunk(3)
    z, r = (z_x + z_h - b_z).sigmoid(), (r_x + r_h - b_r).sigmoid()
    candidate = torch.tanh(n_x + r * n_h)
    return (1 - z) * h + z * candidate
