# says: Your candidate goes through a sigmoid. It is no gate: it must be able to be negative, and
# goes through tanh.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = (part.sigmoid() for part in (f, i, o, g))
    c = f * c + i * g
    return o * c.tanh(), c
