# says: You took the largest component for the norm.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = max((g.double().abs().max().item() for g in there if g.numel()), default=0.0)
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
