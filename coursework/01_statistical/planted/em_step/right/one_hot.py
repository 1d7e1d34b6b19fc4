def em_step(theta, pairs):
    given, generated = theta.shape
    counts, height = torch.zeros(given, generated, dtype=torch.float64), 0.0
    old = theta.double()
    for source, target in pairs:
        left = torch.eye(given, dtype=torch.float64)[[0, *source]]
        right = torch.eye(generated, dtype=torch.float64)[list(target)]
        block = left @ old @ right.T  # positions, English words
        posterior = block / block.sum(dim=0)
        counts += torch.einsum("ix,ij,jy->xy", left, posterior, right)
        height += float(block.mean(dim=0).log().sum())
    sums = counts.sum(dim=1, keepdim=True)
    safe = torch.where(sums > 0, sums, torch.ones_like(sums))
    return (counts / safe + old * (sums == 0)).float(), height
