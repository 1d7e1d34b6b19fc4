def cell_path_gradient(forget_gates):
    gates = forget_gates.double()
    time = gates.shape[1]
    lags = [gates[:, time - k :].prod(dim=1) for k in range(time + 1)]
    return torch.stack(lags, dim=1)
