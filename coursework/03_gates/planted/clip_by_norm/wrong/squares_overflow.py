# says: You square in single precision: the squares of 1e25 are infinite, those of 1e-25 are 0.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
