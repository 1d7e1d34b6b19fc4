# says: The products are right, and stand in the order of time. The second axis is the lag, which
# begins with 0 at the last cell.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    path = torch.cat([no_step, forget_gates.flip(1).cumprod(dim=1)], dim=1)
    return path.flip(1)
