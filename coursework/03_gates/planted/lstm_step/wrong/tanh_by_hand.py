# says: You wrote tanh yourself as a quotient of exponentials. For large pre-activations it is
# infinity by infinity.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o = f.sigmoid(), i.sigmoid(), o.sigmoid()
    g = (g.exp() - (-g).exp()) / (g.exp() + (-g).exp())
    c = f * c + i * g
    return o * c.tanh(), c
