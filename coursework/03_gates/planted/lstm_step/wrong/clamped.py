# says: You cut the pre-activations to a small interval. That bends every gate that is wide open or
# shut.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = (x @ W_xh + h @ W_hh + b).clamp(-3, 3)
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = f.sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    c = f * c + i * g
    return o * c.tanh(), c
