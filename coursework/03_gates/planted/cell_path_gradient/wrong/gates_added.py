# says: You added the gates. A change that crosses several steps is multiplied by each gate in
# turn.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([no_step, forget_gates.flip(1).cumsum(dim=1)], dim=1)
