# says: You took every fourth column for a gate. The blocks stand side by side: the first n columns
# are the first gate.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.reshape(len(x), -1, 4).unbind(dim=2)
    f, i, o, g = f.sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    c = f * c + i * g
    return o * c.tanh(), c
