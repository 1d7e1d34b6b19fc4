def clip_by_norm(grads, limit):
    flat = [g.double().reshape(-1) for g in grads if g is not None]
    norm = torch.cat(flat).norm() if flat else torch.tensor(0.0)
    factor = torch.clamp(limit / norm, max=1.0) if norm > 0 else torch.tensor(1.0)
    return [None if g is None else g * factor for g in grads], norm
