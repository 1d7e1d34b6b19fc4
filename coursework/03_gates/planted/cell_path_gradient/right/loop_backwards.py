def cell_path_gradient(forget_gates):
    batch, time, hidden = forget_gates.shape
    rows = [torch.ones(batch, hidden, dtype=forget_gates.dtype)]
    for t in range(time - 1, -1, -1):
        rows.append(rows[-1] * forget_gates[:, t])
    return torch.stack(rows, dim=1)
