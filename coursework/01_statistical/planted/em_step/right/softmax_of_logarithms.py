def em_step(theta, pairs):
    logs = theta.log()
    new, height = torch.zeros(theta.shape), torch.tensor(0.0)
    for source, target in pairs:
        given = torch.tensor([0, *source], dtype=torch.long)
        for y in target:
            scores = logs[given, y]
            height = height + torch.logsumexp(scores, 0) - math.log(len(given))
            new[:, y] = torch.index_add(new[:, y], 0, given, torch.softmax(scores, 0))
    for x, row in enumerate(new):
        if row.any():
            new[x] = row / row.sum()
        else:
            new[x] = theta[x]
    return new, height.item()
