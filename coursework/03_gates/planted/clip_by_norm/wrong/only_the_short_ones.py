# says: You scale the gradients that are short enough, and leave those that are too long.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = limit / norm if 0 < norm < limit else 1.0
    return [None if g is None else g * factor for g in grads], norm
