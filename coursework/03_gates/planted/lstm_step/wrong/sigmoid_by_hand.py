# says: You wrote the sigmoid yourself. exp overflows for large pre-activations, and then the
# gradient is NaN.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o = (1 / (1 + torch.exp(-part)) for part in (f, i, o))
    g = g.tanh()
    c = f * c + i * g
    return o * c.tanh(), c
