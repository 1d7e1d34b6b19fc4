# says: You took the norm of the longest tensor. The norm is that of all components together.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = max((math.sqrt(g.double().square().sum().item()) for g in there), default=0.0)
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
