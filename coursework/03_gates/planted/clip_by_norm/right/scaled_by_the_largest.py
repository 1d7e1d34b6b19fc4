def clip_by_norm(grads, limit):
    there = [g for g in grads if g is not None and g.numel() > 0]
    largest = max([g.abs().max() for g in there], default=torch.tensor(0.0))
    norm = largest
    if largest > 0:
        norm = largest * torch.stack([(g / largest).square().sum() for g in there]).sum().sqrt()
    clipped = []
    for g in grads:
        new = None if g is None else g.clone()
        if new is not None and norm > limit:
            new *= limit / norm
        clipped.append(new)
    return clipped, norm
