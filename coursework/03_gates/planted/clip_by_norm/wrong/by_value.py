# says: You cut every component to the interval from -limit to limit. That turns the gradient;
# clipping by norm keeps its direction.
def clip_by_norm(grads: list[Tensor | None], limit: float) -> tuple[list[Tensor | None], float]:
    there = [g for g in grads if g is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in there))
    return [None if g is None else g.clamp(-limit, limit) for g in grads], norm
