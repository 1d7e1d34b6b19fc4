# says: You return flat tensors. Each keeps its shape.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else (g * factor).flatten() for g in grads], norm
