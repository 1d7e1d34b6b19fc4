# says: You transposed each block of W_hh, as if it came from torch. Here a row belongs to a unit
# of the old state.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    W_hh = torch.cat([block.T for block in W_hh.chunk(4, dim=1)], dim=1)
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = f.sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    c = f * c + i * g
    return o * c.tanh(), c
