# says: You return one gate for each lag. Over k steps all k gates multiply, not the farthest
# alone.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    return torch.cat([no_step, forget_gates.flip(1)], dim=1)
