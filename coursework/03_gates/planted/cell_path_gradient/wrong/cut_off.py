# says: The numbers are right, but you detach them: autograd cannot go back to the gates.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([no_step, forget_gates.detach().flip(1).cumprod(dim=1)], dim=1)
