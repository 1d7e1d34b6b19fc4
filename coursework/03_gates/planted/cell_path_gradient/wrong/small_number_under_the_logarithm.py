# says: You add a small number before the logarithm. A shut gate lets nothing through, not a
# little.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    safe = (forget_gates + 1e-6).log()
    return torch.cat([no_step, safe.flip(1).cumsum(dim=1).exp()], dim=1)
