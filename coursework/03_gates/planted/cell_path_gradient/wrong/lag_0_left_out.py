# says: Lag 0 is missing: from a cell to itself no gate lies between, and the derivative is 1.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    return forget_gates.flip(1).cumprod(dim=1)
