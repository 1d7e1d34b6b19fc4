# says: You add a small number under the root, so that the norm is never 0. The norm of zeros is 0,
# and a tiny norm is tiny.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there) + 1e-12)
    factor = limit / norm if norm > limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
