# says: You added the norms of the tensors. Their squares add up, and the root of the sum is the
# norm.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = sum(math.sqrt(g.double().square().sum().item()) for g in there)
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
