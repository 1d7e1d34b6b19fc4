def clip_by_norm(grads, limit):
    norm = 0.0
    for g in grads:
        if g is not None:
            own = torch.linalg.vector_norm(g, dtype=torch.float64)
            norm = math.hypot(norm, own.item())
    too_long = norm > limit
    clipped = []
    for g in grads:
        if g is None:
            clipped.append(g)
        elif too_long:
            clipped.append(g.mul(limit / norm))
        else:
            clipped.append(torch.clone(g))
    return [clipped, torch.tensor(norm)]
