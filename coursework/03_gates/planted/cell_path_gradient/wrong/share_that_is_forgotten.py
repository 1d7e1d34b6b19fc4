# says: You multiply the shares that are forgotten. The forget gate itself is the derivative: it is
# the share that is kept.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([no_step, (1 - forget_gates).flip(1).cumprod(dim=1)], dim=1)
