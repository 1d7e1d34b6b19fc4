# says: The numbers are right, but you compute without autograd.
def lstm_step(
    x: Tensor, h: Tensor, c: Tensor, W_xh: Tensor, W_hh: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    joined = x @ W_xh + h @ W_hh + b
    f, i, o, g = joined.chunk(4, dim=1)
    f, i, o, g = f.sigmoid(), i.sigmoid(), o.sigmoid(), g.tanh()
    with torch.no_grad():
        c = f * c + i * g
    return (o * c.tanh()).detach(), c
