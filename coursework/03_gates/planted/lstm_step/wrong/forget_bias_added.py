# says: You added 1 to the forget gate's pre-activation. A forget bias is a start value of b, no
# part of the step.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = (f + 1).sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    c = f * c + i * g
    return o * c.tanh(), c
