# says: You begin with lag 1 and fill up at the end. Lag 0, where no gate lies between, has the
# derivative 1 and comes first.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([forget_gates.flip(1).cumprod(dim=1), no_step], dim=1)
