# says: A batch without time steps breaks your function. Its answer is lag 0 alone.
def cell_path_gradient(forget_gates: Tensor) -> Tensor:
    no_step = torch.ones_like(forget_gates[:, 0])
    rows = [no_step]
    for gate in reversed(forget_gates.unbind(dim=1)):
        rows.append(rows[-1] * gate)
    return torch.stack(rows, dim=1)
