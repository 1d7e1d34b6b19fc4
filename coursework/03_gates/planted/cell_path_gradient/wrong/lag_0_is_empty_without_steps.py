# says: With no time steps you return nothing at all. Lag 0 is there even then.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates[:, :1])
    return torch.cat([no_step, forget_gates.flip(1).cumprod(dim=1)], dim=1)
