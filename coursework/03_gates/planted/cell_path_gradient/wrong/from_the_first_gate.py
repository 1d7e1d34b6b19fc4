# says: You multiply from the first gate on. Lag 1 leads from the last cell to the one before it:
# the last gate lies between them.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([no_step, forget_gates.cumprod(dim=1)], dim=1)
