def cell_path_gradient(forget_gates):
    batch, time, n = forget_gates.shape
    zeros = torch.zeros(batch, n, dtype=forget_gates.dtype)
    with torch.enable_grad():
        cells = [zeros.requires_grad_()]
        for t in range(time):
            cells.append(cells[-1] * forget_gates[:, t] + 1)
        grads = torch.autograd.grad(cells[-1].sum(), cells, create_graph=True)
    return torch.stack(grads[::-1], dim=1)
