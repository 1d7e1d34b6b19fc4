# says: You averaged the gates over the batch. Each sequence has gates, and a gradient, of its own.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates.sum(dim=1, keepdim=True))
    mean = forget_gates.mean(dim=0, keepdim=True).expand_as(forget_gates)
    return torch.cat([no_step, mean.flip(1).cumprod(dim=1)], dim=1)
