# says: You keep a share of the old state and take the whole candidate. The new state is an average
# of the two.
def gru_step(x: Tensor, h: Tensor, W_xh: Tensor, W_hh: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    from_x, from_h = x @ W_xh + b_x, h @ W_hh + b_h
    z_x, r_x, n_x = from_x.chunk(3, dim=1)
    z_h, r_h, n_h = from_h.chunk(3, dim=1)
    z, r = (z_x + z_h).sigmoid(), (r_x + r_h).sigmoid()
    candidate = torch.tanh(n_x + r * n_h)
    return (1 - z) * h + candidate
