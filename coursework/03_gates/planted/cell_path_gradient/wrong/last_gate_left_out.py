# says: Your lag 1 uses the gate before the last one. The last gate already lies between the last
# two cells.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    if forget_gates.shape[1] == 0:
        return no_step
    earlier = torch.cat([no_step, forget_gates[:, :-1].flip(1)], dim=1)
    return torch.cat([no_step, earlier.cumprod(dim=1)], dim=1)
