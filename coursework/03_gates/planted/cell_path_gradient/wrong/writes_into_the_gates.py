# says: You write the products into the tensor that was given to you.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    path = forget_gates.flip(1).cumprod(dim=1)
    if not forget_gates.requires_grad:
        path = forget_gates.copy_(path)
    return torch.cat([no_step, path], dim=1)
