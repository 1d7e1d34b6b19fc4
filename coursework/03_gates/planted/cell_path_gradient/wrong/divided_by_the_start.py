# says: You divide the product of all gates by that of the first ones. Where a gate is shut that is
# 0 / 0.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    up_to = torch.cat([no_step, forget_gates.cumprod(dim=1)], dim=1)
    return (up_to[:, -1:] / up_to).flip(1)
