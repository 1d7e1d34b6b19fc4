def em_step(theta, pairs):
    old = theta.numpy().astype(float)
    counts, logs = np.zeros_like(old), []
    for source, target in pairs:
        x = np.array([0, *source], dtype=int)[:, None]
        y = np.array(target, dtype=int)[None, :]
        block = old[x, y]
        np.add.at(counts, (x, y), block / block.sum(axis=0))
        logs.extend(np.log(block.mean(axis=0)))
    sums = counts.sum(axis=1, keepdims=True)
    new = np.divide(counts, sums, out=old.copy(), where=sums > 0)
    return torch.from_numpy(new), np.sum(logs)
