# says: None breaks your function. It has no components, and stays where it is.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = grads
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    factor = limit / norm if norm > limit else 1.0
    return [g * factor for g in grads], norm
