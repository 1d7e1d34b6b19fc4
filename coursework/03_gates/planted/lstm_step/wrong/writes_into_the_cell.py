# says: You wrote the new cell into the tensor that was given to you.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = f.sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    kept = f * c
    if not c.requires_grad:
        c.copy_(kept + i * g)
    else:
        c = kept + i * g
    return o * c.tanh(), c
