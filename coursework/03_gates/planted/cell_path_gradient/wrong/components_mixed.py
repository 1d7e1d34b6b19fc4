# says: You multiplied the gates of all components together. Along the cell a component meets its
# own gates only.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    together = forget_gates.prod(dim=2, keepdim=True).expand_as(forget_gates)
    return torch.cat([no_step, together.flip(1).cumprod(dim=1)], dim=1)
