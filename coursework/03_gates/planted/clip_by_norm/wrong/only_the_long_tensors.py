# says: One factor, and you apply it only to the tensors that are longer than the limit themselves.
# All are scaled alike.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0

    def scaled(g):
        own = math.sqrt(g.double().square().sum().item())
        return g * factor if own > limit else g * 1.0

    return [None if g is None else scaled(g) for g in grads], norm
