# says: You multiplied the slopes f (1 - f) of the sigmoid. The gates are held fixed: along the
# cell the gate itself is the factor.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    slopes = forget_gates * (1 - forget_gates)
    return torch.cat([no_step, slopes.flip(1).cumprod(dim=1)], dim=1)
