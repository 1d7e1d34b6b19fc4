def em_step(theta, pairs):
    table = theta.detach().clone().double().requires_grad_()
    height = table.sum() * 0
    for source, target in pairs:
        given = [0] + list(source)
        if target:
            block = table[given][:, target]
            height = height + torch.log(block.mean(dim=0)).sum()
    (slope,) = torch.autograd.grad(height, table)
    counts = slope * table.detach()  # slope with respect to the logarithm
    sums = counts.sum(dim=1)
    new = table.detach().clone()
    for x in range(len(new)):
        if sums[x] > 0:
            new[x] = counts[x] / sums[x]
    return new, height.detach()
