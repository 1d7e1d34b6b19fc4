def clip_by_norm(grads, limit):
    numbers = [float(v) for g in grads if g is not None for v in g.flatten()]
    norm = math.hypot(*numbers)
    if norm <= limit:
        return [g if g is None else g.clone() for g in grads], norm
    return [g if g is None else g / norm * limit for g in grads], norm
