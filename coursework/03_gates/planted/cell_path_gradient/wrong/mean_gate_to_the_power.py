# says: You raised a mean gate to a power. The product of different gates is not the power of their
# mean.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    batch, time, hidden = forget_gates.shape
    mean = forget_gates.mean(dim=1) if time > 0 else torch.ones(batch, hidden)
    return torch.stack([mean**k for k in range(time + 1)], dim=1)
