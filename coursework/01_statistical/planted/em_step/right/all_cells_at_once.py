def em_step(theta, pairs):
    cells = [
        (x, y, column)
        for column, (source, y) in enumerate(
            (source, y) for source, target in pairs for y in target
        )
        for x in [0, *source]
    ]
    if not cells:
        return theta.clone(), 0.0
    xs, ys, columns = torch.tensor(cells).T
    scores = theta[xs, ys].double()
    totals = torch.bincount(columns, scores)
    sizes = torch.bincount(columns)
    posterior = scores / totals[columns]
    flat = torch.bincount(xs * theta.shape[1] + ys, posterior, minlength=theta.numel())
    counts = flat.reshape(theta.shape)
    sums = counts.sum(1, keepdim=True)
    return torch.where(sums > 0, counts / sums, theta.double()), (totals / sizes).log().sum()
