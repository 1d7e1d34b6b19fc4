def cell_path_gradient(forget_gates):
    if forget_gates.shape[1] == 0:
        return forget_gates.new_ones(len(forget_gates), 1, forget_gates.shape[2])
    shorter = cell_path_gradient(forget_gates[:, 1:])
    farthest = shorter[:, -1:] * forget_gates[:, :1]
    return torch.cat([shorter, farthest], dim=1)
